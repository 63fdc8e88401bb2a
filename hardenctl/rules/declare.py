"""How a rule is declared: once, with its page as docstring.

    @rule("gunicorn-timeout-disabled", on=ServerLaunch, severity=Severity.HIGH, category=Category.PERFORMANCE)
    def timeout_disabled(launch: ServerLaunch) -> Iterator[Hit]:
        '''The worker timeout is disabled. ...'''

A check takes the document, and the `Settings` as second argument where it needs them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from hardenctl.model.finding import Category, Hit, Severity
from hardenctl.model.record import field, record
from hardenctl.model.settings import Settings
from hardenctl.rules.page import Page


@record(slots=False)
class Rule:
    """One thing that can be wrong. Ids are kebab-case and name what is bad."""

    id: str
    severity: Severity
    category: Category
    page: Page = field(repr=False)


@record(slots=False)
class DocumentRule(Rule):
    """A rule that looks at one kind of document: `on` is the document's class."""

    on: type[Any]
    check: Callable[..., Iterator[Hit]] = field(repr=False)

    def hits(self, document: object, settings: Settings) -> Iterator[Hit]:
        """Run the check on a document of the class `on`."""
        wants_settings = self.check.__code__.co_argcount > 1
        return self.check(document, settings) if wants_settings else self.check(document)


def rule(
    id: str,  # noqa: A002 - the word everywhere
    *,
    on: type[Any],
    severity: Severity,
    category: Category = Category.SECURITY,
) -> Callable[[Callable[..., Iterator[Hit]]], DocumentRule]:
    """Turn a check into a rule; its docstring is the page."""

    def declare(check: Callable[..., Iterator[Hit]]) -> DocumentRule:
        return DocumentRule(id, severity, category, Page.of(check.__doc__ or _from_source(check)), on, check)

    return declare


def _from_source(check: Callable[..., object]) -> str | None:
    """A check's docstring where Python left them out of the code (`-OO`, PYTHONOPTIMIZE=2)."""
    return _docstrings(check.__code__.co_filename).get(check.__name__)


@cache
def _docstrings(file: str) -> dict[str, str]:
    import ast

    tree = ast.parse(Path(file).read_bytes())
    functions = [each for each in tree.body if isinstance(each, ast.FunctionDef)]
    return {each.name: text for each in functions if (text := ast.get_docstring(each, clean=False))}
