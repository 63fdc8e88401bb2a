"""detect-secrets' plugins, and a user's own written for it, as further detectors.

They are slow (0.15 to 0.8 MB/s for all of them), so they see only the lines on which our matcher found a word of
credentials or a token's format, and those that the expressions of a plugin of the user's own match (its `denylist`).
What they find is `possible` and low, unless we found it ourselves: then it is ours. A file with plugins is a program
that runs; therefore only the command line can name one, never a repository's policy.
"""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from hardenctl.detect.patience import TooSlow, at_most
from hardenctl.detect.secrets.pipeline import candidate_lines
from hardenctl.model.blob import Blob, Gap
from hardenctl.model.errors import UsageError
from hardenctl.model.finding import Confidence, Hit, Severity, advice
from hardenctl.model.nearest import nearest
from hardenctl.model.text import Span
from hardenctl.rules.declare import Rule
from hardenctl.rules.secrets import generic
from hardenctl.rules.secrets.values import is_placeholder, is_reference

_LONGEST, _SHARED = 10_000, 500  # characters of a line that a plugin sees at once, and of the piece before
PATIENCE = 20.0  # seconds of processor time that one plugin may take in one file


@functools.lru_cache(maxsize=4)
def load_plugins(names: tuple[str, ...]) -> tuple[Any, ...]:
    """The plugins of these names, one of each class. Raises UsageError for one that is not there or cannot be made."""
    try:
        from detect_secrets import plugins
        from detect_secrets.core.plugins.util import get_plugins_from_file
        from detect_secrets.plugins.base import BasePlugin
        from detect_secrets.util.importlib import import_types_from_package
    except ImportError:
        raise UsageError(
            "detect-secrets is not installed, and plugins need it", help="pip install 'hardenctl[plugins]'"
        ) from None
    kinds: Iterable[Any] = import_types_from_package(plugins, filter=lambda each: not _is_plugin(each, BasePlugin))
    known = {each.__name__: each for each in kinds}
    found: dict[str, Any] = {}
    for name in names:
        if not is_file(name):
            if name not in known:
                raise UsageError(
                    f"detect-secrets has no plugin `{name}`", help=nearest(name, known) or ", ".join(known)
                )
            found[name] = known[name]
            continue
        if not Path(name).is_file():
            raise UsageError(f"`{name}`: there is no such file", help="name a Python file with plugins in it")
        try:
            theirs: Iterable[Any] = get_plugins_from_file(name)
            own = {each.__name__: each for each in theirs}
        except (Exception, SystemExit) as error:  # noqa: BLE001 - somebody else's program
            raise UsageError(
                f"`{name}` cannot be run: {type(error).__name__}", help="try it with Python first"
            ) from None
        if not own:
            raise UsageError(f"`{name}` holds no plugin", help="a plugin is a class below `BasePlugin`")
        found |= own
    try:
        return tuple(each() for each in found.values())
    except (Exception, SystemExit) as error:  # noqa: BLE001 - as above
        raise UsageError(f"a plugin cannot be made: {type(error).__name__}", help="it must need no arguments") from None


def is_file(name: str) -> bool:
    """Whether what was given is a file of the user's, not a class of detect-secrets."""
    return name.endswith(".py") or "/" in name or "\\" in name


def beside(
    blob: Blob, found: Sequence[tuple[Rule, Hit]], names: tuple[str, ...], tell: Callable[[Gap], None]
) -> Iterator[tuple[Rule, Hit]]:
    """What we found, and what the plugins find besides on candidate lines. One that crashes is a gap."""
    hits = list(found)
    lines = candidate_lines(blob)
    for plugin in load_plugins(names):
        name = type(plugin).__name__
        found_here: list[Hit] = []
        try:
            with at_most(PATIENCE):
                for each in _told(plugin, blob, sorted({*lines, *_own_lines(plugin, blob)})):
                    found_here.append(each)  # noqa: PERF402 - what it found before it failed counts
        except TooSlow:
            tell(Gap(blob.path, f"the plugin {name} takes too long"))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - somebody else's program
            tell(Gap(blob.path, f"the plugin {name} crashed: {type(error).__name__}"))
        for hit in found_here:
            if not any(_overlap(hit, other) for _, other in hits):
                hits.append((generic.PLUGIN, hit))
    hits.sort(key=lambda each: (each[1].span.start, each[1].span.end))
    yield from hits


def _own_lines(plugin: Any, blob: Blob) -> Iterator[int]:
    """The lines that a plugin of the user's own has expressions for: theirs are about what we look for ourselves."""
    if type(plugin).__module__.partition(".")[0] == "detect_secrets":
        return
    for expression in getattr(plugin, "denylist", ()):
        for match in re.finditer(expression.pattern, blob.text, expression.flags | re.MULTILINE):
            first, last = (blob.lines.position(at).line for at in match.span())
            yield from range(first, last + 1)


def _told(plugin: Any, blob: Blob, lines: Iterable[int]) -> Iterator[Hit]:
    """What a plugin finds on some lines, piece by piece: some of their expressions are slow on long ones."""
    for number in lines:
        text, start = blob.lines.line(number), blob.lines.offset(number)
        for first in range(0, max(1, len(text) - _SHARED), _LONGEST - _SHARED):
            piece = text[first : first + _LONGEST]
            secrets = plugin.analyze_line(filename=blob.path, line=piece, line_number=number)
            for value, kind in sorted({(str(each.secret_value or ""), str(each.type)) for each in secrets}):
                hit = _hit(blob, start + first, piece, value, kind)
                if hit is not None:
                    yield hit


def _hit(blob: Blob, start: int, text: str, value: str, kind: str) -> Hit | None:
    at = text.find(value) if value else -1
    if at < 0 or is_placeholder(value) or is_reference(value):
        return None
    start += at
    return Hit(
        Span(blob.path, start, start + len(value)),
        f"{kind} (detect-secrets) is written down here",
        fix=advice("Look at it; if it is a credential, revoke it where it was issued"),
        severity=Severity.LOW,
        confidence=Confidence.POSSIBLE,
        evidence={"plugin": kind},
        secret=value,
        why=(f"detect-secrets' plugin for {kind}",),
    )


def _overlap(hit: Hit, other: Hit) -> bool:
    return hit.span.start < other.span.end and other.span.start < hit.span.end


def _is_plugin(each: Any, base: type) -> bool:
    with contextlib.suppress(TypeError, AttributeError):
        return issubclass(each, base) and isinstance(each.secret_type, str)
    return False
