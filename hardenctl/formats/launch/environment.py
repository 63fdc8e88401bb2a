"""The environment a compose service starts in: its image's, its env files', its own, variables put in."""

from __future__ import annotations

import posixpath
import re

from hardenctl.formats.compose import Service
from hardenctl.formats.shell.values import Value, resolve
from hardenctl.formats.shell.words import compose_word
from hardenctl.formats.strand import Strand
from hardenctl.formats.yaml import Scalar
from hardenctl.model.blob import Snapshot
from hardenctl.model.record import replace
from hardenctl.model.text import Span

_LINE = re.compile(
    r"""^[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_]\w*)[ \t]*=[ \t]*(?:"(?P<double>[^"\n]*)"|'(?P<single>[^'\n]*)'|"""
    r"""(?P<bare>[^\n#]*?))[ \t]*(?:[ \t]#.*)?\r?$""",
    re.MULTILINE,
)


def env_file_values(snapshot: Snapshot, path: str) -> dict[str, Value]:
    """The variables of a dotenv file; none where there is no such file."""
    blob = snapshot.read(path)
    found = {}
    for match in _LINE.finditer(blob.text) if blob else ():
        group = next((name for name in ("double", "single", "bare") if match[name] is not None), "bare")
        found[match["name"]] = Value(match[group], configurable=True, span=Span(path, *match.span(group)))
    return found


def interpolation(snapshot: Snapshot, service: Service) -> dict[str, Value]:
    """What Compose puts in for `${NAME}`: the `.env` beside the file. The caller's own environment nobody knows."""
    return env_file_values(snapshot, posixpath.join(service.folder, ".env"))


def service_environment(snapshot: Snapshot, service: Service) -> dict[str, Value]:
    """`env_file` and `environment`, later ones on top."""
    found: dict[str, Value] = {}
    for each in service.env_files:
        found.update(env_file_values(snapshot, each.path))
    project = interpolation(snapshot, service)
    for variable in service.environment:
        if variable.value is None:
            passed = project.get(variable.name) or Value(None, configurable=True, expression=f"${variable.name}")
            found[variable.name] = replace(passed, span=variable.key_span)
            continue
        places = range(variable.span.start, variable.span.start + len(variable.value) + 1)
        value = resolve(compose_word(Strand(variable.span.path, variable.value, places)), project)
        found[variable.name] = replace(value, configurable=True, span=variable.span)
    return found


def cpu_limit(service: Service | None) -> float | None:
    """The CPUs a service may use at most, by `deploy.resources.limits.cpus` or `cpus`; None where nothing says."""
    if service is None:
        return None
    for names in (("deploy", "resources", "limits", "cpus"), ("cpus",)):
        node = service.node.get(*names)
        if isinstance(node, Scalar):
            try:
                return float(resolve(compose_word(node.strand), {}).text or "")
            except ValueError:
                return None
    return None


def memory_limit(service: Service | None) -> int | None:
    """The bytes of memory a service may use at most, by `deploy.resources.limits.memory` or `mem_limit`."""
    if service is None:
        return None
    for names in (("deploy", "resources", "limits", "memory"), ("mem_limit",)):
        node = service.node.get(*names)
        if isinstance(node, Scalar):
            return parse_bytes(resolve(compose_word(node.strand), {}).text or "", binary=True)
    return None


def parse_bytes(text: str, *, binary: bool) -> int | None:
    """`512m`, `1.5G`, `256Mi` as bytes. `binary`: `m` is 1024 squared, as Docker has it; Kubernetes writes `Mi`."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?\s*", text, re.IGNORECASE)
    if match is None:
        return None
    base = 1024 if binary or match[3] else 1000
    return int(float(match[1]) * base ** " kmgt".index(match[2].lower() or " "))
