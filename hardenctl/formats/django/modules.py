"""Which modules are Django settings, and which of them production uses."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeGuard

from hardenctl.formats import DJANGO_WORDS
from hardenctl.formats.compose import is_development
from hardenctl.formats.launch.paths import kind_of
from hardenctl.formats.paths import DJANGO_ENTRIES, is_django_settings
from hardenctl.formats.python.project import Module, Project
from hardenctl.formats.python.values import Class
from hardenctl.formats.python.world import Configured, environment_name
from hardenctl.model.blob import Snapshot
from hardenctl.model.text import Span

VARIABLE = "DJANGO_SETTINGS_MODULE"
_WORD = r"dev|develop|development|local|test|tests|testing|ci|debug|stag\w*|prod\w*|live|deploy\w*"
_STEM = re.compile(rf"(?:^|[_./-])({_WORD})(?=$|[_./-])")
# Folders of projects that exist to try a library or to show it.
_TRIALS = re.compile(r"(?:^|[_-])(?:tests?|testing|testproject|testapp|demo|sandbox|playground|examples?)(?:$|[_-])")
_NAMED = re.compile(
    r"DJANGO_SETTINGS_MODULE[\"']?(?:\s*(?::?=|:-|[:,]|\]\s*=)\s*|\s*\n\s*value:\s*)[\"']?([A-Za-z_]\w*(?:\.\w+)*)"
)
_OF_SERVERS = frozenset(("procfile", "systemd", "supervisor", "uwsgi", "platform", "kubernetes", "terraform"))
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")  # of a class's name
_SETS = frozenset(("INSTALLED_APPS", "ROOT_URLCONF"))
# Calls that can give a module names which its text doesn't show, and libraries that build settings in their own way.
_GIVES = frozenset(("globals", "locals", "vars", "exec"))
_BUILDS = frozenset(("split_settings", "dynaconf", "cbs", "classy_settings"))
_CLASSES = "configurations"  # django-configurations: a class for each deployment


@dataclass(frozen=True)
class Served:
    """A module that production uses, and where a file says so. `apart`: it gives nothing that settings are known by."""

    module: Module
    named: Span | None = None
    apart: bool = False


def environment_of(path: str) -> str | None:
    """The environment that a settings file's name says, or the folder of a package; None where neither does."""
    folder, _, stem = path.removesuffix(".py").removesuffix("/__init__").rpartition("/")
    match = _STEM.search(stem)
    if match:
        word = "production" if match[1].startswith("deploy") else match[1]
        return environment_name(word)
    return "development" if any(map(_TRIALS.search, folder.split("/"))) else None


def leaves(modules: Sequence[Module], imported: Mapping[str, set[str]]) -> list[Module]:
    """The settings modules that deployments name: those no other one builds on, and a base of development ones only."""
    chosen = []
    for module in modules:
        users = [path for path, names in imported.items() if module.path in names and path != module.path]
        if all(environment_of(path) == "development" for path in users):
            chosen.append(module)
    return chosen


def bases(module: Module, project: Project) -> set[str]:
    """The modules that a settings module takes all names of, directly or not."""
    return {each.path for _, each in _stars(module, project) if each is not None}


def is_open(module: Module, project: Project) -> bool:
    """Whether code that reading does not show may give a settings module names."""
    taken = [*_stars(module, project)]
    if any(each is None for _, each in taken) or _is_component(module, project):
        return True
    trees = {id(each): each.tree for each in (module, *(base for _, base in taken if base is not None))}
    return any(_gives_names(node) for tree in trees.values() for node in ast.walk(tree))


def _is_component(module: Module, project: Project) -> bool:
    """Whether a package above a module puts its settings together from pieces."""
    folders = module.path.split("/")[:-1]
    above = ("/".join([*folders[:at], "__init__.py"]) for at in range(1, len(folders) + 1))
    packages = (project.parse(path) for path in above if path in project.paths and path != module.path)
    return any(_gives_names(node) for each in packages if each is not None for node in ast.walk(each.tree))


def is_of_classes(module: Module) -> bool:
    """Whether a module's settings are the attributes of classes."""
    return any(isinstance(node, ast.ImportFrom) and node.module == _CLASSES for node in module.tree.body)


def _gives_names(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in _GIVES
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").split(".")[0] in _BUILDS and not node.level
    return isinstance(node, ast.Import) and any(each.name.split(".")[0] in _BUILDS for each in node.names)


def _stars(module: Module, project: Project) -> Iterator[tuple[ast.ImportFrom, Module | None]]:
    """The `import *` of a module and of what it takes so; None where that isn't the project's."""
    seen = {module.path}
    waiting = [module]
    while waiting:
        current = waiting.pop()
        for node in ast.walk(current.tree):
            if _is_star(node):
                base = _imported(node, current, project)
                yield node, base
                if base is not None and base.path not in seen:
                    seen.add(base.path)
                    waiting.append(base)


def _imported(node: ast.ImportFrom, module: Module, project: Project) -> Module | None:
    if not node.level:
        return project.find(node.module or "", module)
    package = module.package.split(".") if module.package else []
    base = package[: len(package) - (node.level - 1)]
    return project.find(".".join([*base, *([node.module] if node.module else [])]), exact=True)


def _is_for_development(module: Module, project: Project) -> bool:
    """Whether a module's name says so, or it takes all names of such a one, come what may, and says nothing else."""
    name = environment_of(module.path)
    if name is not None:
        return name == "development"
    taken = [_imported(node, module, project) for node in module.tree.body if _is_star(node)]
    return any(each is not None and environment_of(each.path) == "development" for each in taken)


def _is_star(node: ast.AST) -> TypeGuard[ast.ImportFrom]:
    return isinstance(node, ast.ImportFrom) and any(each.name == "*" for each in node.names)


def homes(project: Project, snapshot: Snapshot, paths: Iterable[str]) -> list[str]:
    """The files that give a Django project its settings: by their names, or as `wsgi.py` and its like name them."""
    named = {each.module for each in _in_entries(project, snapshot, DJANGO_ENTRIES)}
    candidates = {each.path for each in named}.union(*(bases(each, project) for each in named))
    found = []
    for path in paths:
        blob = snapshot.read(path) if path in candidates or is_django_settings(path) else None
        module = project.parse(path) if blob is not None and any(word in blob.data for word in DJANGO_WORDS) else None
        if module is not None and _is_home(module):
            found.append(path)
    return found


def _is_home(module: Module) -> bool:
    """Whether a module itself, or a class of settings in it, gives a setting that every project has."""
    in_classes = is_of_classes(module)
    waiting: list[ast.AST] = [module.tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(each, ast.Name) and each.id in _SETS for each in targets):
                return True
        elif in_classes or not isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            waiting.extend(each for each in ast.iter_child_nodes(node) if isinstance(each, ast.stmt))
            waiting.extend(ast.iter_child_nodes(node) if isinstance(node, ast.Try) else [])
    return False


def deployed_class(classes: Iterable[Class]) -> Class | None:
    """The class of settings that production uses: by its name, else the only one that is no base of another one.

    None where none of them is, or several may be.
    """
    own = [each for each in classes if each.derives("Configuration")]
    built = {id(base) for each in own for base in [*each.lineage()][1:]}
    ends = [each for each in own if id(each) not in built]
    named = {each.node.name: environment_of(_WORDS.sub("_", each.node.name).lower()) for each in ends}
    ends = [each for each in ends if named[each.node.name] != "development"]
    meant = [each for each in ends if named[each.node.name] == "production"] or ends
    return meant[0] if len(meant) == 1 else None


def served(
    project: Project, snapshot: Snapshot, homes: Sequence[str], configured: Mapping[str, Sequence[Configured]]
) -> list[Served]:
    """The settings modules that production uses.

    Those that files of a deployment name, else those of `wsgi.py` and `asgi.py`; and those named after production.
    Where there are none, what `manage.py` names, then every module that no name gives to development, and at last what
    is named and builds its settings in a way of its own.
    """
    folders = {path.rpartition("/")[0] for path in homes}
    beside = [path for path in sorted(project.paths) if path.rpartition("/")[0] in folders]
    deployed = [*_in_files(project, snapshot, configured)]
    started = _in_entries(project, snapshot, ("wsgi.py", "asgi.py"))
    managed = _in_entries(project, snapshot, ("manage.py",))
    named = [*deployed, *started, *managed]
    modules = {path: module for path in (*homes, *beside) if (module := project.parse(path)) is not None}
    modules |= {each.module.path: each.module for each in named}
    built = {path: bases(module, project) for path, module in modules.items()}
    family = [module for path, module in modules.items() if path in homes or built[path] & set(homes)]
    ends = leaves(family, built)
    own_name = [Served(each) for each in ends if environment_of(each.path)]
    over = {path for each in own_name for path in built[each.module.path]}
    begun = [each for each in deployed or started if each.module.path not in over]
    ours = {each.path for each in family if not _is_for_development(each, project)}
    for group in ([*begun, *own_name], managed, [Served(each) for each in ends or family]):
        chosen: dict[str, Served] = {}
        for each in group:
            path = each.module.path
            if path in ours:
                chosen.setdefault(path, each)
        if chosen:
            return list(chosen.values())
    strange = {each.module.path: each for each in [*begun, *managed] if not _is_for_development(each.module, project)}
    return [replace(each, apart=True) for path, each in strange.items() if path not in ours]


def _in_files(project: Project, snapshot: Snapshot, configured: Mapping[str, Sequence[Configured]]) -> Iterator[Served]:
    """The modules that files of a deployment name."""
    for each in configured.get(VARIABLE, ()):
        module = project.find(each.value) if each.value and each.environment != "development" else None
        if module is not None:
            yield Served(module, each.span)
    for path in snapshot.paths():
        kind = kind_of(path)
        starts = kind is not None and (kind in _OF_SERVERS or kind.endswith("script"))
        if starts and not is_development(path):
            yield from _in_text(project, snapshot, path)


def _in_entries(project: Project, snapshot: Snapshot, names: Sequence[str]) -> list[Served]:
    """The modules that programs of the project name, the nearest to the root first."""
    entries = [path for path in project.paths if path.rpartition("/")[2] in names]
    ordered = sorted(entries, key=lambda path: (path.count("/"), path))
    return [each for path in ordered for each in _in_text(project, snapshot, path)]


def _in_text(project: Project, snapshot: Snapshot, path: str) -> Iterator[Served]:
    blob = snapshot.read(path)
    if blob is None or VARIABLE.encode() not in blob.data:
        return
    near = project.parse(path) if path.endswith(".py") else None
    for match in _NAMED.finditer(blob.text):
        module = project.find(match[1], near)
        if module is not None:
            yield Served(module, Span(path, match.start(), match.end()))
