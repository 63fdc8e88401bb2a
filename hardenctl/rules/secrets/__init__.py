"""The secret rules: provider formats and what no format gives away, each declared once as data.

The 320 declarations are only made where somebody asks for `RULES`: rules of other subjects want to know what a
credential looks like, for which `values` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hardenctl.rules.secrets.declare import SecretRule

    RULES: tuple[SecretRule, ...]


def __getattr__(name: str) -> tuple[SecretRule, ...]:
    if name != "RULES":
        raise AttributeError(name)
    from hardenctl.rules.secrets import generic, providers

    globals()[name] = made = (*generic.RULES, *providers.RULES)
    return made
