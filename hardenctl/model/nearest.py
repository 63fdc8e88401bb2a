"""Did you mean ...? What a misspelt word was probably meant to be."""

from __future__ import annotations

from collections.abc import Iterable


def close_to(word: str, candidates: Iterable[str], *, cutoff: float = 0.7) -> str:
    """The candidate that a word was probably meant to be; empty where none is as similar as `cutoff` of 1."""
    import difflib  # here: a hook run does without it

    return next(iter(difflib.get_close_matches(word, sorted(set(candidates)), n=1, cutoff=cutoff)), "")


def nearest(word: str, candidates: Iterable[str]) -> str:
    """`did you mean ...?` for a word that isn't known; empty where nothing is near."""
    close = close_to(word, candidates)
    return f"did you mean `{close}`?" if close else ""
