"""Whom a condition lets in."""

from __future__ import annotations

import re
from functools import lru_cache

from hardenctl.model.finding import Severity

# The pull request is from the repository itself.
_OWN = re.compile(
    r"head\.repo\.full_name\s*+==\s*+(?:github\.repository|github\.event\.(?:pull_request\.base\.)?repo\w*\.full_name)"
    r"|!\s*+github\.event\.pull_request\.head\.repo\.fork|head\.repo\.fork\s*+==\s*+false"
    r"|workflow_run\.head_repository\.full_name\s*+==\s*+github\.repository"
    r"|workflow_run\.event\s*+==\s*+'(?:push|schedule|workflow_dispatch|release)'"
)
# Somebody with rights has a look first: by a label, an approval, or a comment of their own. An actor that is a robot is
# none of them: anyone can get Dependabot to touch a pull request.
_ASKED = re.compile(
    r"environment:|\.labels?\b|label\.name|author_association|permission|review\.state|user\.login\s*+=="
    r"|(?:github\.(?:triggering_)?actor|sender\.login)\s*+(?:==\s*+(?!'[^']*\[bot\]')|\))"
)
# What excludes somebody is no such question: everybody else gets in.
_DENIED = re.compile(
    r"!\s*+contains\s*+\([^()]*(?:\([^()]*\)[^()]*)*\)|(?<![\w.*-])[\w.*-]++\s*+!=\s*+(?:'[^']*'|[\w.*-]++)"
)


@lru_cache(maxsize=64)  # the steps of a job have one condition mostly
def worst_under(condition: str) -> Severity | None:
    """How bad what happens under a condition is at most: `INFO` where no stranger gets there, and None for all."""
    own = bool(_OWN.search(condition))
    if own and "||" not in condition:
        return Severity.INFO
    return Severity.LOW if own or _ASKED.search(_DENIED.sub("", condition)) else None
