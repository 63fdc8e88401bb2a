"""What a rule yields (a hit), and what it becomes once stamped (a finding)."""

from __future__ import annotations

import enum
from collections.abc import Mapping

from hardenctl.model.blob import Commit, Standing
from hardenctl.model.record import field, record
from hardenctl.model.text import Span


class Severity(enum.IntEnum):
    """How bad it is where it happens. Ordered."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def word(self) -> str:
        """The name as users write it."""
        return self.name.lower()


class Confidence(enum.IntEnum):
    """How sure the tool is. `PROVEN` carries evidence."""

    POSSIBLE = 0
    LIKELY = 1
    PROVEN = 2

    @property
    def word(self) -> str:
        """The name as users write it."""
        return self.name.lower()


class Category(enum.StrEnum):
    """The part of the readiness score a rule counts in."""

    SECURITY = "security"
    PERFORMANCE = "performance"
    DOCUMENTATION = "documentation"


class Applicability(enum.StrEnum):
    """`safe` keeps what the program does, `unsafe` changes behaviour, `advice` is only shown."""

    SAFE = "safe"
    UNSAFE = "unsafe"
    ADVICE = "advice"


@record
class Replace:
    """Put `text` in place of a span."""

    span: Span
    text: str


@record
class Append:
    """Add lines at the end of a file, which is created where there is none."""

    path: str
    text: str


@record
class Render:
    """Write one of our templates (`hardenctl render NAME`) to a path where there is no file yet."""

    template: str
    path: str


@record
class Untrack:
    """Take a file out of the index and leave it on disk (`git rm --cached`)."""

    path: str


Edit = Replace | Append | Render | Untrack


@record
class Fix:
    """One remedy, done whole or not at all. `title` is an imperative sentence the report prints."""

    title: str
    edits: tuple[Edit, ...] = ()
    applicability: Applicability = Applicability.ADVICE


def advice(title: str) -> Fix:
    """A remedy that only a person can carry out."""
    return Fix(title)


@record
class Related:
    """A second place that explains a hit."""

    span: Span
    message: str


@record
class Hit:
    """What a rule's check yields. It knows nothing of git or policy.

    `identity` tells hits of one rule in one file apart without line numbers (the service and key, say).
    `secret` is the value that was found: it makes the fingerprint and is dropped when the hit is stamped.
    `severity` replaces the rule's own where the case is milder or worse. `services` names compose services.
    """

    span: Span
    message: str
    identity: str = ""
    fix: Fix | None = None
    severity: Severity | None = None
    confidence: Confidence = Confidence.LIKELY
    related: tuple[Related, ...] = ()
    evidence: Mapping[str, str] = field(default_factory=dict)
    services: tuple[str, ...] = ()
    secret: str | None = field(default=None, repr=False)
    why: tuple[str, ...] = ()  # what spoke for it, for --verbose; never the value


@record
class Mark:
    """An inline suppression found beside a finding: which rules (ids or prefixes), why, and whose syntax it is."""

    rules: tuple[str, ...]
    reason: str
    line: int
    tool: str = "hardenctl"


@record
class FrameLine:
    """A line of source as it may be shown: every secret in it is masked. `caret` is a column range of `text`."""

    number: int
    text: str
    caret: tuple[int, int] | None = None


@record
class Location:
    """A span as people count it. Lines and columns from 1; the end column is exclusive."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int


@record
class RelatedLocation:
    """A stamped `Related`."""

    location: Location
    message: str


@record
class Occurrences:
    """How often history carries a finding."""

    commits: int
    paths: tuple[str, ...]
    in_head: bool


def fingerprint(rule: str, path: str, identity: str) -> str:
    """What a finding that is no secret is known by: it holds no line number and no message, so it survives moves."""
    import hashlib  # it loads OpenSSL, 2 ms: a hook run that finds nothing does without, here and elsewhere

    return hashlib.sha256(f"{rule}\0{path}\0{identity}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


@record
class Finding:
    """A stamped hit. It never carries the secret itself, and its frame is masked already."""

    rule: str
    severity: Severity
    confidence: Confidence
    category: Category
    message: str
    location: Location
    fingerprint: str
    identity: str = ""
    fix: Fix | None = None
    related: tuple[RelatedLocation, ...] = ()
    evidence: Mapping[str, str] = field(default_factory=dict)
    services: tuple[str, ...] = ()
    frame: tuple[FrameLine, ...] = ()
    marks: tuple[Mark, ...] = ()
    why: tuple[str, ...] = ()
    oid: str | None = None
    standing: Standing = Standing.TRACKED
    commit: Commit | None = None
    occurrences: Occurrences | None = None
