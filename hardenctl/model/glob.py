"""Path globs as policy files write them: `*` stays within a folder, `**` crosses, a bare name is found anywhere."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence


def glob_match(path: str, pattern: str) -> bool:
    """Whether a `/`-separated relative path matches a glob; a folder's name matches all that is in it."""
    return bool(_compile(pattern).fullmatch(path))


@functools.lru_cache(maxsize=512)
def _compile(pattern: str) -> re.Pattern[str]:
    rooted = pattern.removeprefix("./").rstrip("/")
    parts, position = [], 0
    for match in re.finditer(r"\*\*/|/\*\*$|\*\*|\*|\?|\[!?[^\]]+\]", rooted):
        parts.append(re.escape(rooted[position : match.start()]))
        wild = match[0]
        if wild == "**/":
            parts.append("(?:.*/)?")
        elif wild == "/**":
            parts.append("/.*")
        elif wild == "**":
            parts.append(".*")
        elif wild == "*":
            parts.append("[^/]*")
        elif wild == "?":
            parts.append("[^/]")
        else:
            parts.append("[^" + wild[2:] if wild.startswith("[!") else wild)
        position = match.end()
    parts.append(re.escape(rooted[position:]))
    anywhere = "" if "/" in rooted or rooted.startswith("**") else "(?:.*/)?"
    return re.compile(f"{anywhere}{''.join(parts)}(?:/.*)?", re.DOTALL)


def rebase(pattern: str, prefix: Sequence[str]) -> str | None:
    """A glob as it reads from the folder that `prefix`'s parts lead to; None where it matches nothing in there."""
    rooted = pattern.removeprefix("./").rstrip("/")
    if "/" not in rooted:
        return "**" if any(glob_match(part, rooted) for part in prefix) else rooted
    parts = rooted.split("/")
    for folder in prefix:
        if not parts or parts[0] == "**":
            break
        if not glob_match(folder, parts.pop(0)):
            return None
    return "/".join(parts) if parts else "**"
