"""Which rules there are, by subject. A subject's rules are imported when something in scope concerns it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from hardenctl.rules.declare import DocumentRule, Rule


class Subject:
    """A folder of `rules`: what its rules' ids start with, and which documents they look at. None are secret rules."""

    def __init__(self, folder: str, *prefixes: str, documents: tuple[str, ...] = ()) -> None:
        self.folder = folder
        self.prefixes = prefixes
        self.documents = documents

    def rules(self) -> tuple[Rule, ...]:
        """Its rules, imported the first time."""
        rules: tuple[Rule, ...] = importlib.import_module(f"hardenctl.rules.{self.folder}").RULES
        return rules


SUBJECTS = (
    Subject("secrets", "secret"),
    Subject("env", "env", documents=("EnvironmentFile", "RotationLedger")),
    Subject("ignore", "gitignore", "dockerignore", documents=("IgnoreCoverage", "ContextCopy")),
    Subject("cors", "cors", documents=("CorsSetup",)),
    Subject("gunicorn", "gunicorn", "server", documents=("ServerLaunch",)),
    Subject("compose", "compose", documents=("ComposeFile",)),
    Subject("dockerfile", "dockerfile", documents=("Dockerfile",)),
    Subject("app", "app", documents=("Application",)),
    Subject("ci", "ci", documents=("Workflow", "Pipeline")),
    Subject("docs", "docs", documents=("Documentation",)),
    Subject("load", "load", documents=("LoadEvidence",)),
)


class Catalogue(Sequence["Rule"]):
    """The rules of some subjects that `keeps` lets through. Iterating imports one subject after the other."""

    def __init__(self, subjects: Iterable[Subject] = SUBJECTS, keeps: Callable[[Rule], bool] | None = None) -> None:
        self.subjects = tuple(subjects)
        self._keeps = keeps

    def __iter__(self) -> Iterator[Rule]:
        return (each for subject in self.subjects for each in filter(self._keeps, subject.rules()))

    def __bool__(self) -> bool:
        return any(True for _ in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @overload
    def __getitem__(self, index: int) -> Rule: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Rule, ...]: ...
    def __getitem__(self, index: int | slice) -> Rule | tuple[Rule, ...]:
        return tuple(self)[index]

    def of(self, *prefixes: str) -> Catalogue:
        """The rules of the subjects whose rules' ids start with one of these words."""
        return Catalogue((each for each in self.subjects if set(prefixes) & set(each.prefixes)), self._keeps)

    def about(self, documents: Collection[str]) -> Catalogue:
        """The rules of the subjects that look at one of these documents, or at blobs where none is named."""
        wanted = set(documents)
        return Catalogue(
            (each for each in self.subjects if wanted & set(each.documents) or not (wanted or each.documents)),
            self._keeps,
        )

    def where(self, keeps: Callable[[Rule], bool]) -> Catalogue:
        """The rules that another predicate lets through."""
        return Catalogue(self.subjects, keeps)

    @property
    def is_whole(self) -> bool:
        """Whether each of its subjects' rules is one of its own."""
        return self._keeps is None

    def find(self, rule: str) -> Rule | None:
        """The rule of an id; None where there is none."""
        return next((each for each in self.of(rule.partition("-")[0]) if each.id == rule), None)


RULES = Catalogue()


def may_judge(rules: Iterable[Rule], documents: Collection[str]) -> bool:
    """Whether one of the rules looks at these documents, by name. Whole subjects are not imported to say so."""
    if isinstance(rules, Catalogue) and rules.is_whole:
        return bool(rules.about(documents).subjects)
    return bool(document_rules(rules, documents))


def document_rules(rules: Iterable[Rule], documents: Collection[str]) -> list[DocumentRule]:
    """Those of the rules that look at these documents, by name."""
    from hardenctl.rules.declare import DocumentRule

    candidates = rules.about(documents) if isinstance(rules, Catalogue) else rules
    return [each for each in candidates if isinstance(each, DocumentRule) and each.on.__name__ in documents]


def blob_rules(rules: Iterable[Rule]) -> list[Rule]:
    """Those of the rules that look at no document: the secret rules."""
    from hardenctl.rules.declare import DocumentRule

    candidates = rules.about(()) if isinstance(rules, Catalogue) else rules
    return [each for each in candidates if not isinstance(each, DocumentRule)]
