"""`hardenctl explain RULE` and `hardenctl rules`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from hardenctl.cli.auditing import show
from hardenctl.model.errors import UsageError
from hardenctl.policy.names import is_known, known_ids, nearest_rule
from hardenctl.policy.policy import matches
from hardenctl.report.pages import rule_of
from hardenctl.report.rule_page import render_page, render_rules, rules_as_json
from hardenctl.report.style import look_of
from hardenctl.rules import RULES


def register(app: typer.Typer) -> None:
    """Add the commands."""

    @app.command()
    def explain(rule: Annotated[str, typer.Argument(help="A rule's id, as reports print it.", metavar="RULE")]) -> None:
        """Print a rule's page: why it is bad, an example, what to use instead."""
        found = rule_of(rule)
        if found is None and is_known(rule, known_ids()):
            raise UsageError(f"`{rule}` is the start of several rules", help=f"`hardenctl rules {rule}` lists them")
        if found is None:
            raise UsageError(f"there is no rule `{rule}`", help=nearest_rule(rule, known_ids()))
        show(render_page(found, look_of(sys.stdout)))

    @app.command("rules")
    def list_rules(
        prefix: Annotated[
            list[str] | None, typer.Argument(help="Only rules that start so.", metavar="[PREFIX]...")
        ] = None,
        format: Annotated[  # noqa: A002 - the option's name
            str, typer.Option(metavar="FORMAT", help="`text` or `json`.")
        ] = "text",
    ) -> None:
        """List the rules."""
        if format not in {"text", "json"}:
            raise UsageError(f"there is no format `{format}`", help="formats: text, json")
        for each in prefix or ():
            if not is_known(each, known_ids()):
                raise UsageError(f"there is no rule `{each}`", help=nearest_rule(each, known_ids()))
        rules = [rule for rule in RULES if not prefix or matches(rule.id, prefix)]
        show(rules_as_json(rules) if format == "json" else render_rules(rules, look_of(sys.stdout)))
