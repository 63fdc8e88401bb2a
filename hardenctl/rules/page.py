"""A rule's page: its docstring, read once into what `explain`, the docs, SARIF and the fixture tests need.

The shape of a page::

    The worker timeout is disabled.          <- title

    ## Why is this bad?                      <- its first sentence is the one-line reason in reports
    ## Example                               <- fenced blocks with title="path": files that are flagged
    ## Use instead                           <- its first sentence is the remedy; blocks: files that are not flagged
    ## Fix safety                            <- optional
    ## References                            <- optional

In the blocks `{{fake:NAME}}` stands for a credential that is made at run time (`fakes.py`), so that neither our own
repository nor the published page trips a scanner.
"""

from __future__ import annotations

import re
from functools import cached_property

from hardenctl.model.pattern import lazy_pattern
from hardenctl.model.record import record

_SECTION = lazy_pattern(r"^## (.+)$", re.MULTILINE)
_BLOCK = lazy_pattern(r'^```(?P<language>[\w-]+) title="(?P<path>[^"]+)"\n(?P<text>.*?)^```$', re.MULTILINE | re.DOTALL)
_SENTENCE = lazy_pattern(r"(.+?[.!?])(?:\s|$)", re.DOTALL)


@record(slots=False)
class Page:
    """A parsed docstring. `text` is the whole page as Markdown, dedented."""

    text: str

    @classmethod
    def of(cls, docstring: str | None) -> Page:
        """Read a docstring. Raises ValueError where there is none: a rule without a page is no rule."""
        if not docstring:
            raise ValueError("a rule needs a docstring: it is the rule's page")
        import textwrap

        first, _, rest = docstring.expandtabs().strip().partition("\n")
        return cls(f"{first}\n{textwrap.dedent(rest)}".rstrip() + "\n")  # inspect.cleandoc() costs an import of 6 ms

    @cached_property
    def title(self) -> str:
        """The first line, without its full stop."""
        return self.text.split("\n", 1)[0].rstrip(".")

    @cached_property
    def sections(self) -> dict[str, str]:
        """Section heading to its Markdown."""
        parts = _SECTION.split(self.text)
        return {name.strip(): body.strip("\n") for name, body in zip(parts[1::2], parts[2::2], strict=True)}

    def first_sentence(self, section: str) -> str:
        """The first sentence of a section's prose on one line; empty where there is none."""
        prose = self.sections.get(section, "").split("```", 1)[0].strip()
        match = _SENTENCE.match(prose)
        return " ".join((match.group(1) if match else prose).split())

    @property
    def why(self) -> str:
        """Why it matters, in one line."""
        return self.first_sentence("Why is this bad?")

    @property
    def remedy(self) -> str:
        """What to do, in one line."""
        return self.first_sentence("Use instead")

    def files(self, section: str) -> dict[str, str]:
        """Path to text of the titled blocks in a section, placeholders still in place."""
        return {block["path"]: block["text"] for block in _BLOCK.finditer(self.sections.get(section, "") + "\n")}

    @property
    def references(self) -> tuple[str, ...]:
        """The links of the References section."""
        return tuple(re.findall(r"https?://[^\s)>]+", self.sections.get("References", "")))
