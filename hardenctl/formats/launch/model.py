"""A launch line: one command that starts an application server, and every setting it comes to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from hardenctl.formats.effective import Effective
from hardenctl.formats.gunicorn.options import BY_NAME
from hardenctl.model.record import field, record
from hardenctl.model.text import Span

if TYPE_CHECKING:  # rules import this module at start; what it only names in types can wait
    from hardenctl.formats.compose import Service
    from hardenctl.formats.dockerfile import Stage
    from hardenctl.formats.gunicorn.conf import ConfigFile
    from hardenctl.formats.launch.version import Version
    from hardenctl.formats.shell.values import Scope, Value
    from hardenctl.formats.shell.words import Word


@record(slots=False, eq=False)
class Launch:
    """Where a command was found, before its settings are resolved.

    `words` are the words of the command from the server's name on, `arguments` counts those before its first argument.
    `literal` says that no shell sees them (an exec form), so that quotes and `$` would reach the server.
    `home` is the repository's folder whose `gunicorn.conf.py` lies in the working folder of the process; None where
    that isn't plain. `folders` are guesses besides.
    """

    path: str
    span: Span
    server: str
    words: tuple[tuple[Word, Value], ...]
    arguments: int
    scope: Scope
    folders: tuple[str, ...]  # where a relative path may lie, relative to the audited root, most likely first
    kind: str  # dockerfile, compose, procfile, script, ...
    literal: bool = False
    home: str | None = None
    container: bool = False
    development: bool = False
    service: Service | None = None
    image: tuple[Stage, str] | None = None  # the build stage and the folder it is built from
    doubtful: bool = False  # perhaps for development only, though no name says so
    cpus: float | None = None  # the limit of the container
    memory: int | None = None  # bytes, as above
    read_only: bool = False  # the root file system
    given: Mapping[str, Effective] = field(default_factory=dict)  # what a call in code sets


@record(slots=False, eq=False)
class ServerLaunch:
    """A launch line with its settings. A config file that no launch line uses is one of its own, without words.

    `opaque` are places that could hold further settings nobody can see; `errors` is what gunicorn refuses.
    """

    launch: Launch
    settings: Mapping[str, Effective]
    config: ConfigFile | None = None
    opaque: tuple[tuple[Span, str], ...] = ()
    errors: tuple[tuple[Span, str], ...] = ()
    version: Version | None = None  # of gunicorn, where the project pins it

    @property
    def path(self) -> str:
        """The file the line is in."""
        return self.launch.path

    @property
    def span(self) -> Span:
        """The whole command."""
        return self.launch.span

    @property
    def server(self) -> str:
        """`gunicorn`, `uvicorn`, `fastapi run` and so on."""
        return self.launch.server

    @property
    def service(self) -> str | None:
        """The compose service that runs it."""
        return self.launch.service.name if self.launch.service else None

    @property
    def services(self) -> tuple[str, ...]:
        """The service for a hit, where the line is in a compose file."""
        return (self.service,) if self.service else ()

    @property
    def development(self) -> bool:
        """Whether its file, service, build stage or script says that it is no part of production."""
        return self.launch.development

    @property
    def name(self) -> str:
        """What tells it from other lines of its file: the service and the application, no line number."""
        plain = [value.text or word.source for word, value in self.launch.words[self.launch.arguments :]]
        app = next((text for text in plain if ":" in text and not text.startswith("-") and "/" not in text), "")
        return ":".join(part for part in (self.launch.service.name if self.launch.service else "", app) if part)

    def setting(self, name: str) -> Effective:
        """The effective setting; the server's default where nothing sets it."""
        found = self.settings.get(name)
        if found is not None:
            return found
        option = BY_NAME.get(name) if self.server == "gunicorn" else None
        return Effective(option.default if option else None)

    @property
    def complete(self) -> bool:
        """Whether every place that could set something was seen: only then is something missing."""
        return not self.opaque
