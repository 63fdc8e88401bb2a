"""A launch line's settings: its arguments, its environment and the one config file it reads."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from functools import cached_property

from hardenctl.formats.effective import Effective
from hardenctl.formats.gunicorn.arguments import Arguments, parse_arguments
from hardenctl.formats.gunicorn.conf import ConfigFile, evaluate_config
from hardenctl.formats.gunicorn.precedence import config_path, effective_settings, environment_arguments
from hardenctl.formats.launch.find import relative
from hardenctl.formats.launch.image import host_paths
from hardenctl.formats.launch.model import Launch, ServerLaunch
from hardenctl.formats.launch.options import parse_options, uwsgi_options
from hardenctl.formats.launch.paths import DEFAULT_CONFIG
from hardenctl.formats.launch.version import Version, gunicorn_version
from hardenctl.formats.shell.values import Scope
from hardenctl.formats.shell.words import Expansion, Word
from hardenctl.model.blob import Gap, Snapshot
from hardenctl.model.errors import DocumentError
from hardenctl.model.record import field, record
from hardenctl.model.text import Span


@record(slots=False, frozen=False)
class Resolver:
    """Resolves the launch lines of one snapshot, and remembers which config files they use."""

    snapshot: Snapshot
    used: set[str] = field(default_factory=set)
    gaps: dict[str, Gap] = field(default_factory=dict)

    @cached_property
    def version(self) -> Version | None:
        """The gunicorn that the project pins."""
        return gunicorn_version(self.snapshot)

    def resolve(self, launch: Launch) -> ServerLaunch:
        """The launch line with its settings."""
        arguments = launch.words[launch.arguments :]
        if launch.server != "gunicorn":
            settings = parse_options(launch.server, arguments, launch.scope)
            in_file = self.uwsgi_file(launch) if launch.server == "uwsgi" else {}
            return ServerLaunch(launch, {**in_file, **settings, **launch.given})
        given, in_environment = parse_arguments(arguments), environment_arguments(launch.scope)
        opaque = [(word.span, _name(word)) for word in (*given.opaque, *in_environment.opaque)]
        asked, known = config_path(given, in_environment)
        config = None
        path = self.find_config(launch, asked) if known else None
        if path is not None:
            config = self.config(path, launch.scope)
            if launch.development and asked is None:  # whatever starts gunicorn in production reads it as well
                self.used.discard(path)
        elif asked is not None or not known:
            place = given.settings.get("config") or in_environment.settings["config"]
            opaque.append((place.value_span, "its config file"))
        if config is not None and config.opaque:
            opaque.append((Span(config.path, 0, 0), f"`{config.path}`, which takes names from elsewhere,"))
        settings = effective_settings(given, in_environment, config, launch.scope)
        known_arguments = launch.scope.get("GUNICORN_CMD_ARGS")
        if known_arguments is not None and known_arguments.text is None:
            opaque.append((known_arguments.span or launch.span, "`GUNICORN_CMD_ARGS`"))
        return ServerLaunch(launch, settings, config, tuple(opaque), tuple(given.errors), self.version)

    def uwsgi_file(self, launch: Launch) -> dict[str, Effective]:
        """What the ini file of a uWSGI command line sets."""
        for _, value in launch.words[launch.arguments :]:
            name = (value.text or "").removeprefix("--ini=").removeprefix("--ini-paste=")
            if name.endswith(".ini"):
                path = next((each for each in self.places(launch, name) if self.snapshot.read(each)), None)
                path = path or self.by_name(launch, name)
                blob = self.snapshot.read(path) if path else None
                if blob is not None:
                    self.used.add(blob.path)
                    return uwsgi_options(blob.path, blob.text)
        return {}

    def unused_uwsgi(self, path: str, *, container: bool, development: bool) -> ServerLaunch | None:
        """A uWSGI ini file that no launch line was seen to use."""
        blob = self.snapshot.read(path)
        settings = uwsgi_options(path, blob.text) if blob else {}
        spans = [each.span for each in settings.values() if each.span]
        if not spans:
            return None
        launch = Launch(
            path, min(spans), "uwsgi", (), 0, {}, ("",), "config", container=container, development=development
        )
        return ServerLaunch(launch, settings)

    def unused(self, path: str, *, container: bool, development: bool) -> ServerLaunch | None:
        """A config file that no launch line was seen to use, as a launch line of its own."""
        config = self.config(path, {})
        if config is None or not config.settings:
            return None
        first = min(config.settings.values(), key=lambda each: each.name_span.start)
        launch = Launch(
            path, first.name_span, "gunicorn", (), 0, {}, ("",), "config", container=container, development=development
        )
        opaque = ((Span(path, 0, 0), f"`{path}`, which takes names from elsewhere,"),) if config.opaque else ()
        settings = effective_settings(Arguments(), Arguments(), config, {})
        return ServerLaunch(launch, settings, config, opaque, version=self.version)

    def config(self, path: str, scope: Scope) -> ConfigFile | None:
        """An evaluated config file; a broken one is a gap."""
        self.used.add(path)
        blob = self.snapshot.read(path)
        if blob is None:
            return None
        try:
            return evaluate_config(path, blob.text, scope)
        except DocumentError as error:
            self.gaps[path] = Gap(path, f"{error.what} (line {error.line})" if error.line else error.what)
            return None

    def find_config(self, launch: Launch, asked: str | None) -> str | None:
        """The repository's path of the config file a launch line reads; None where there is none to be found."""
        if asked is None:
            candidates: Sequence[str] = [relative(posixpath.join(each, DEFAULT_CONFIG)) for each in launch.folders]
            return next((each for each in candidates if self.snapshot.read(each)), None)
        name = asked.removeprefix("file:")
        if name.startswith("python:"):
            name = name.removeprefix("python:").replace(".", "/") + ".py"
        found = next((each for each in self.places(launch, name) if self.snapshot.read(each)), None)
        return found or self.by_name(launch, name)

    def places(self, launch: Launch, name: str) -> Iterator[str]:
        """Where a path may lie in the repository."""
        if posixpath.isabs(name):
            if launch.image:
                yield from host_paths(*launch.image, name)
            return
        for folder in launch.folders:
            yield relative(posixpath.join(folder, name))
        if launch.image:
            yield from host_paths(*launch.image, posixpath.normpath(posixpath.join(launch.image[0].workdir, name)))

    def by_name(self, launch: Launch, name: str) -> str | None:
        """The one file of that name; of several, the only one in the same folder of the end of the path."""
        base = posixpath.basename(name)
        alike = [path for path in self.snapshot.paths() if posixpath.basename(path) == base]
        tail = "/".join(name.strip("./").split("/")[-2:])
        near = [path for path in alike if path.endswith(tail)] if len(alike) > 1 else alike
        if len(near) > 1:
            near = [path for path in near if any(path.startswith(f"{each}/") for each in launch.folders if each)]
        return near[0] if len(near) == 1 else None


def _name(word: Word) -> str:
    """How to call a word nobody can resolve; text beside its variables could be anything, a credential too."""
    alone = all(isinstance(part, Expansion) and not part.word for part in word.parts)
    return f"`{word.source}`" if alone and len(word.source) < 40 else "an argument"  # noqa: PLR2004 - what fits a line
