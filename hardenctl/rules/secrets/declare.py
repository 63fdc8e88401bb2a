"""How a secret rule is declared: data from which the matcher, the page and the tests are made."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping

from hardenctl.model.finding import Category, Severity
from hardenctl.model.record import field, record
from hardenctl.rules.declare import Rule
from hardenctl.rules.fakes import FAKES
from hardenctl.rules.page import Page
from hardenctl.rules.secrets.shape import pattern_of, sample_of


@record
class Proof:
    """What a token's own structure says, offline.

    `valid` True: a checksum or structure holds; False: one fails, which makes the token less likely, never silent;
    None: there is nothing to check, only evidence. `evidence` and `note` never hold the token or a part of it.
    """

    valid: bool | None = None
    note: str = ""
    evidence: Mapping[str, str] = field(default_factory=dict)
    severity: Severity | None = None


OWASP = "https://cheatsheetseries.owasp.org/cheatsheets/Secrets_Management_Cheat_Sheet.html"
Check = Callable[[str], Proof]


@record(slots=False)
class SecretRule(Rule):
    """A kind of credential.

    `pattern` finds it anywhere; its group `secret` is the value where the whole match isn't. With `key` set, `pattern`
    must match the whole value of an assignment whose key matches `key`: formats too plain to stand alone. A rule with
    neither is found by the pipeline's own parsers. `remedy` is the first thing to do, as a clause.
    `keywords` are literals, one of which is in every match. `floor` is
    the least Shannon entropy of the value in bits per character. `public` is how many first characters may be shown.
    """

    name: str
    sample: Callable[[], str] = field(repr=False)
    variable: str
    revoke: str
    remedy: str
    pattern: str = field(default="", repr=False)
    key: str = field(default="", repr=False)
    keywords: tuple[str, ...] = ()
    check: Check | None = field(default=None, repr=False)
    floor: float = 0.0

    @functools.cached_property
    def regex(self) -> re.Pattern[str]:
        """`pattern`, compiled when it is first needed."""
        return re.compile(self.pattern, re.ASCII)

    @functools.cached_property
    def key_regex(self) -> re.Pattern[str]:
        """`key`, compiled when it is first needed."""
        return re.compile(self.key, re.ASCII | re.IGNORECASE)


def secret(
    slug: str,
    name: str,
    shape: str = "",
    *,
    opens: str,
    revoke: str,
    steps: str = "",
    issued: bool = True,
    variable: str = "",
    pattern: str = "",
    key: str = "",
    keywords: tuple[str, ...] = (),
    sample: Callable[[], str] | None = None,
    check: Check | None = None,
    floor: float = 2.5,
    severity: Severity = Severity.CRITICAL,
    example: str = "",
) -> SecretRule:
    """Declare a secret rule. `shape` gives pattern, keyword and sample; each can be given on its own instead.

    `opens` completes "Whoever has it ..."; `revoke` is where it is revoked; `steps` completes "Revoke it there, ...".
    What nobody issued (`issued=False`) is revoked nowhere: `steps` is all there is to do, and `revoke` a reference.
    """
    rule_id = f"secret-{slug}"
    variable = variable or slug.replace("-", "_").upper()
    if shape and not pattern:
        pattern = pattern_of(shape)
    if not keywords and not key:
        keywords = (re.split("<", shape, maxsplit=1)[0],)
    make = sample or functools.partial(sample_of, shape, rule_id)
    FAKES[rule_id] = make
    remedy = f"Revoke it at {revoke}" if issued else steps[:1].upper() + steps[1:]
    return SecretRule(
        id=rule_id,
        severity=severity,
        category=Category.SECURITY,
        page=Page(_page(rule_id, name, opens, revoke, steps, variable, example, issued=issued)),
        name=name,
        sample=make,
        variable=variable,
        revoke=revoke,
        remedy=remedy,
        pattern=pattern,
        key=key,
        keywords=keywords,
        check=check,
        floor=floor,
    )


def _page(  # noqa: PLR0917 - the parts of a page
    rule_id: str, name: str, opens: str, revoke: str, steps: str, variable: str, example: str, *, issued: bool
) -> str:
    bad = example or f'```python title="settings.py"\n{variable} = "{{{{fake:{rule_id}}}}}"\n```'
    rotate = steps or "create a new one, give it to what uses it, and look through the audit log for its use"
    remedy = f"Revoke it at <{revoke}>, {rotate}" if issued else rotate[0].upper() + rotate[1:]
    references = "\n".join(f"- {url}" for url in dict.fromkeys((revoke, OWASP)))
    return f"""{_article(name)} is written down in the repository.

## Why is this bad?
Whoever has it {opens}. Everybody who can read the repository, its history, its forks or a copy of an image has it.

## Example
{bad}

## Use instead
{remedy}, and read it from the environment.

```python title="settings.py"
import os

{variable} = os.environ["{variable}"]
```

Taking the line out is not enough: history keeps it.

## References
{references}
"""


def _article(name: str) -> str:
    if name[0] in "AEIO" and not name.startswith(("Eu", "One")):
        return f"An {name}"
    return f"A {name}"
