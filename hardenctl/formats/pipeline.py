"""GitLab's pipelines: the variables that they set, in the file itself and in what it includes of the project."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from hardenctl.formats.markup import load_template
from hardenctl.formats.yaml import Mapping, Node, Scalar, Sequence, walk

MOST_PATTERNS = 100  # of one pipeline; real ones have fewer than five


@dataclass(frozen=True)
class Pipeline:
    """A pipeline, or a part of one: every mapping of variables in it, with the job, which is empty for all jobs.

    `included` are patterns of paths from the project's root.
    """

    path: str
    variables: tuple[tuple[str, Mapping], ...]
    included: tuple[str, ...] = ()

    def includes(self, files: frozenset[str]) -> Iterator[str]:
        """Those of the files that it includes."""
        yield from (each for each in self.included if each in files)
        for pattern in islice((each for each in self.included if "*" in each), MOST_PATTERNS):
            yield from sorted(fnmatch.filter(files, pattern))


def parse_pipeline(path: str, text: str) -> Pipeline | None:
    """The pipeline of a text; None where it is none. Raises DocumentError for broken YAML.

    The last document counts: there may be a header of inputs before.
    """
    nodes = load_template(text, path)
    top = nodes[-1] if nodes else None
    if not isinstance(top, Mapping):
        return None
    found = [("", top.mapping("variables"))]
    for key, node in top:
        if key.text != "variables":
            found += [(key.text, each) for each in _variables(node)]
    return Pipeline(path, tuple(found), tuple(_included(top.value_of("include"))))


def _variables(node: Node) -> Iterator[Mapping]:
    """Those of a job, and those of its rules."""
    for each in walk(node):
        if isinstance(each, Mapping) and isinstance(variables := each.value_of("variables"), Mapping):
            yield variables


def _included(node: Node | None) -> Iterator[str]:
    for each in node if isinstance(node, Sequence) else (node,):
        local = each.value_of("local") if isinstance(each, Mapping) else each
        for item in local if isinstance(local, Sequence) else (local,):
            if isinstance(item, Scalar) and "://" not in item.text and item.text.endswith((".yml", ".yaml")):
                yield item.text.lstrip("/")
