"""A CORS set-up as rules see it: where it stands, and what it comes to in each environment."""

from __future__ import annotations

from collections.abc import Mapping

from hardenctl.formats.cors.acceptance import Acceptance
from hardenctl.model.finding import Related
from hardenctl.model.record import field, record
from hardenctl.model.text import Span


@record
class Source:
    """A literal in the code that a value goes back to. `import_at` is where an import line can be put in its file.

    `os` is the name `os` goes by there, None where it is not imported.
    """

    span: Span
    text: str
    import_at: int
    os: str | None


@record
class Argument:
    """One setting of a set-up: where it is given, and the literal its value goes back to if it is one."""

    span: Span
    source: Source | None = None


@record
class Outcome:
    """What the set-up comes to in one world.

    `environment` is empty where nothing says which one it is. `configured` are the variables that files of the
    repository set in this world; `variables` those that origins or credentials were computed from. `credentials` is
    None where it is not known. `methods` and `headers` are what was asked for, None where nothing was. `open_ended`:
    there may be origins besides the ones known; `unresolved`: and it is not simply a variable's text that decides them.
    """

    environment: str
    acceptance: Acceptance
    credentials: bool | None
    methods: tuple[str, ...] | None = None
    headers: tuple[str, ...] | None = None
    variables: frozenset[str] = frozenset()
    configured: frozenset[str] = frozenset()
    unset: bool = False  # the world in which no variable is set
    open_ended: bool = False
    unresolved: bool = False
    startup_error: str = ""
    related: tuple[Related, ...] = ()

    @property
    def starts(self) -> bool:
        """Whether the application starts at all; Django's system check is no part of a WSGI server's start."""
        return not self.startup_error or self.acceptance.library == "django-cors-headers"

    @property
    def decided_by_files(self) -> bool:
        """Whether files of the repository set a variable that this outcome was computed from."""
        return bool(self.variables & self.configured)


@record(slots=False)
class CorsSetup:
    """One middleware, extension, decorator, settings module or header. `library` names what implements it.

    `scope` is what it covers (`/api/*`), empty for all; `single_route` says that only one handler is meant.
    `insert_at` is where another keyword argument can be put, None where none can. `version` is the library's pinned
    version, empty where nothing pins it.
    """

    path: str
    library: str
    span: Span
    arguments: Mapping[str, Argument]
    outcomes: tuple[Outcome, ...]
    scope: str = ""
    single_route: bool = False
    name: str = ""
    insert_at: Span | None = None
    source: Source | None = None
    version: str = ""
    literal_origins: tuple[str, ...] = ()
    complete: bool = True
    why: Mapping[str, str] = field(default_factory=dict)
