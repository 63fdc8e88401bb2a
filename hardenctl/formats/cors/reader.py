"""Finds the set-ups of a snapshot."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

from hardenctl.formats.cors import django
from hardenctl.formats.cors.document import CorsSetup
from hardenctl.formats.cors.handlers import trace_headers
from hardenctl.formats.cors.search import find_callers, matters, sets_header, sites
from hardenctl.formats.cors.trace import trace_django, trace_site
from hardenctl.formats.django.modules import bases, leaves
from hardenctl.formats.environment import configured_values
from hardenctl.formats.paths import ASIDE
from hardenctl.formats.pins import pinned_versions
from hardenctl.formats.python.project import Module, Project, unparsable
from hardenctl.formats.python.survey import Configuration
from hardenctl.model.blob import Gap, Snapshot


def read(snapshot: Snapshot) -> Iterator[CorsSetup | Gap]:
    """Yield set-ups, and a Gap for each module that matters, or that the user named, and cannot be parsed."""
    project = Project(snapshot)
    paths = [path for path in sorted(project.paths) if snapshot.named(path) or not ASIDE.search(path)]
    relevant: list[str] = []
    for found in _relevant(project, snapshot, paths):
        if isinstance(found, Gap):
            yield found
        else:
            relevant.append(found)
    if not relevant:
        return
    configured = configured_values(snapshot)
    versions = pinned_versions(snapshot)
    seen: Counter[tuple[str, str, str, str]] = Counter()
    for setup in _setups(project, relevant, paths, configured):
        if isinstance(setup, Gap):
            yield setup
            continue
        same = (setup.path, setup.library, setup.name, setup.scope)
        seen[same] += 1  # two in one place are told apart by their order, which survives moves
        name = setup.name if seen[same] == 1 else f"{setup.name}#{seen[same]}"
        yield dataclasses.replace(setup, name=name, version=versions.get(setup.library, ""))


def _relevant(project: Project, snapshot: Snapshot, paths: list[str]) -> Iterator[str | Gap]:
    """The modules whose bytes name CORS, and a Gap for each of them, or named by the user, that cannot be parsed."""
    for path in paths:
        blob = snapshot.read(path)
        if blob is None:
            continue
        concerns = matters(blob.data)
        if not (concerns or snapshot.named(path)):
            continue
        if project.parse(path) is None:
            yield from unparsable(path, blob.text)
        elif concerns:
            yield path


def _setups(
    project: Project, relevant: list[str], paths: list[str], configured: Configuration
) -> Iterator[CorsSetup | Gap]:
    yield from _of_calls(project, relevant, paths, configured)
    modules = [module for path in relevant if (module := project.parse(path)) is not None]
    settings = [module for module in modules if django.is_settings(module) and not _is_flask(module)]
    if any(b"corsheaders" in module.blob.data for module in settings):
        installed = any(b"corsheaders.middleware" in module.blob.data for module in modules)
        for module in _deployed(project, settings, paths):
            yield from _isolated(
                module, partial(trace_django, project, module, configured, assume_middleware=installed)
            )
    for module in modules:
        if sets_header(module.blob.data):
            yield from _isolated(module, partial(trace_headers, project, module, configured))


def _of_calls(
    project: Project, relevant: list[str], paths: list[str], configured: Configuration
) -> Iterator[CorsSetup | Gap]:
    """The set-ups that calls of starlette and flask-cors make."""
    elsewhere: dict[tuple[str, int, str], CorsSetup] = {}
    found = sites(project, relevant)
    for site in found:
        find_callers(project, site, paths)
        for setup in _isolated(site.module, partial(trace_site, project, site, configured)):
            if isinstance(setup, Gap) or setup.path == site.module.path:
                yield setup
            else:  # the call stands in a module that uses this one's extension object
                elsewhere.setdefault((setup.path, setup.span.start, setup.scope), setup)
    homes = {site.module.path for site in found}
    yield from (setup for setup in elsewhere.values() if setup.path not in homes)


def _isolated(module: Module, trace: Callable[[], Iterator[CorsSetup]]) -> Iterator[CorsSetup | Gap]:
    """The set-ups of one module; a Gap where the evaluation of it crashes, so that the others are still seen."""
    try:
        yield from list(trace())
    except Exception as error:  # noqa: BLE001 - the reason is named, its text could hold a value
        yield Gap(module.path, f"the CORS set-up could not be evaluated: {type(error).__name__}")


def _deployed(project: Project, settings: list[Module], paths: list[str]) -> list[Module]:
    """The settings modules that deployments name."""
    beside = [each for path in _beside(settings, paths) if (each := project.parse(path)) is not None]
    everyone = list(dict.fromkeys([*settings, *beside]))
    imported = {module.path: bases(module, project) for module in everyone}
    homes = {module.path for module in settings}
    users = [each for each in everyone if each.path in homes or imported[each.path] & homes]
    return leaves(users, {each.path: imported[each.path] for each in users})


def _is_flask(module: Module) -> bool:
    return b"flask" in module.blob.data.lower() and b"corsheaders" not in module.blob.data


def _beside(settings: list[Module], paths: list[str]) -> list[str]:
    """The modules in the folders of settings modules: `prod.py` next to `base.py` may say nothing of CORS itself."""
    folders = {module.path.rpartition("/")[0] for module in settings}
    named = {folder for folder in folders if folder.rpartition("/")[2] in {"settings", "config", "conf"}}
    return [path for path in paths if path.rpartition("/")[0] in named and not path.endswith("__init__.py")]
