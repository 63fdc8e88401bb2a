"""`check cors --app`: the project's own application, run in a subprocess and asked in process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hardenctl.model.errors import ToolError, UsageError
from hardenctl.probe.live import Address, Response

PATIENCE = 60.0  # seconds for the import, and for each answer
_INSIDE = Path(__file__).with_name("inside.py")


@dataclass
class AppClient:
    """Asks an application as `Client` asks a live target. Executes the project's code in its folder."""

    name: str
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    path: str = "/"
    interpreter: str = ""
    patience: float = PATIENCE
    sent: int = 0
    _process: subprocess.Popen[str] | None = None

    @property
    def address(self) -> Address:
        """What stands for the URL in a report: the application's name."""
        return Address("http", "localhost", 80, self.path, self.name)

    def ask(self, method: str, headers: Mapping[str, str] | None = None) -> Response:
        """One request. Raises ToolError where the application cannot be imported or does not answer."""
        process = self._started()
        self.sent += 1
        line = json.dumps({"method": method, "path": self.path, "headers": dict(headers or {})})
        with self._patiently(process):
            try:
                assert process.stdin is not None  # noqa: S101 - it is a pipe
                process.stdin.write(line + "\n")
                process.stdin.flush()
            except OSError:
                raise self._gone() from None
            answer = self._read(process)
        named: dict[str, str] = {}
        for key, value in answer["headers"]:
            named[key.lower()] = f"{named[key.lower()]}, {value}" if key.lower() in named else value
        return Response(self.address, answer["status"], named)

    def close(self) -> None:
        """End the application."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None:
            self._process = self._start(self.interpreter or interpreter_of(self.folder))
            with self._patiently(self._process):
                greeting = self._read(self._process)
            if "error" in greeting:
                self.close()
                raise ToolError(
                    f"`{self.name}` cannot be imported: {greeting['error']}",
                    help="set what it needs with --env, or name its interpreter with --python",
                )
        return self._process

    def _start(self, interpreter: str) -> subprocess.Popen[str]:
        try:
            return subprocess.Popen(  # noqa: S603 - running the project's application is what was asked for
                [interpreter, str(_INSIDE), self.name],
                cwd=self.folder,
                env={**os.environ, **self.environment},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # an application's own words could hold a secret
                text=True,
                encoding="utf-8",
            )
        except OSError as error:
            raise ToolError(
                f"the interpreter `{interpreter}` cannot be run: {error.strerror}",
                help="name the project's Python with --python, as in --python .venv/bin/python",
            ) from None

    def _read(self, process: subprocess.Popen[str]) -> dict[str, Any]:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        line = process.stdout.readline()
        if not line:
            raise self._gone()
        return json.loads(line)  # type: ignore[no-any-return]

    @contextmanager
    def _patiently(self, process: subprocess.Popen[str]) -> Iterator[None]:
        """Kill the application if it takes too long: reading from it then ends."""
        timer = threading.Timer(self.patience, process.kill)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _gone(self) -> ToolError:
        self.close()
        return ToolError(
            f"`{self.name}` ended, or gave no answer for {self.patience:g} s",
            help="does it start with the variables of --env? start it by hand to see",
        )


def interpreter_of(folder: Path) -> str:
    """The project's own interpreter: its virtual environment's, else the one in use."""
    for name in (".venv", "venv"):
        for path in (folder / name / "bin" / "python", folder / name / "Scripts" / "python.exe"):
            if path.is_file():
                return str(path)
    return sys.executable


def check_name(name: str) -> None:
    """Raises UsageError where a name is no `module:attribute`."""
    module, separator, attribute = name.partition(":")
    parts = [*module.split("."), *attribute.removesuffix("()").split(".")]
    if not separator or not all(part.isidentifier() for part in parts):
        raise UsageError("--app is no application", help="write module:attribute, as in main:app or main:create_app()")


def environment(pairs: list[str]) -> dict[str, str]:
    """`NAME=VALUE` pairs. Raises UsageError for one without a name, whose text is not repeated: it may be a secret."""
    found = {}
    for each in pairs:
        name, separator, value = each.partition("=")
        if not separator or not name.strip():
            raise UsageError("--env is no NAME=VALUE", help="write --env APP_ENV=production")
        found[name.strip()] = value
    return found
