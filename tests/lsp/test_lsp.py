"""The language server, talked to as an editor does: a process, two pipes, JSON."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import pytest

from hardenctl.rules.fakes import scramble

PATIENCE = 60  # seconds; an answer takes one
CORS = """\
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

app = FastAPI()
app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_credentials=True, allow_methods=["GET"])
"""
GUNICORN = "workers = 4\ntimeout = 0\n"


class Client:
    """An editor. `notifications` are what the server says unasked."""

    def __init__(self, root: Path, encodings: list[str] | None = None) -> None:
        self.root = root
        self._process = subprocess.Popen(
            [sys.executable, "-m", "hardenctl", "lsp"],
            cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONUTF8": "1"},
        )  # fmt: skip
        self._answers: Queue[dict[str, Any]] = Queue()
        self.notifications: Queue[dict[str, Any]] = Queue()
        self._number = 0
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        general = {"general": {"positionEncodings": encodings}} if encodings else {}
        answer = self.ask("initialize", processId=None, rootUri=root.as_uri(), capabilities=general)
        self.capabilities = answer["capabilities"]
        self.tell("initialized")

    def _listen(self) -> None:
        assert self._process.stdout
        while header := self._process.stdout.readline():
            length = int(header.split(b":")[1])
            while self._process.stdout.readline().strip():
                pass
            message = json.loads(self._process.stdout.read(length))
            (self._answers if "id" in message and "method" not in message else self.notifications).put(message)

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin
        data = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(data), data))
        self._process.stdin.flush()

    def ask(self, method: str, **params: Any) -> Any:
        """The answer to a request."""
        self._number += 1
        self._send({"id": self._number, "method": method, "params": params})
        answer = self._answers.get(timeout=PATIENCE)
        assert "error" not in answer, answer
        return answer["result"]

    def tell(self, method: str, **params: Any) -> None:
        """A notification."""
        self._send({"method": method, "params": params})

    def uri(self, name: str) -> str:
        """A file's."""
        return (self.root / name).as_uri()

    def open(self, name: str, text: str | None = None) -> list[dict[str, Any]]:
        """Open a file, as it is on disk or as it is edited already; what is shown of it."""
        text = (self.root / name).read_text(encoding="utf-8") if text is None else text
        document = {"uri": self.uri(name), "languageId": "x", "version": 1, "text": text}
        self.tell("textDocument/didOpen", textDocument=document)
        return self.shown(name)

    def change(self, name: str, text: str, version: int) -> None:
        """Type a new text."""
        document = {"uri": self.uri(name), "version": version}
        self.tell("textDocument/didChange", textDocument=document, contentChanges=[{"text": text}])

    def said(self, method: str) -> dict[str, Any]:
        """The next notification of a method."""
        while True:
            message = self.notifications.get(timeout=PATIENCE)
            if message["method"] == method:
                params: dict[str, Any] = message["params"]
                return params

    def shown(self, name: str) -> list[dict[str, Any]]:
        """The diagnostics of a file that come next."""
        while (params := self.said("textDocument/publishDiagnostics"))["uri"] != self.uri(name):
            pass
        found: list[dict[str, Any]] = params["diagnostics"]
        return found

    def fixes(self, name: str, place: dict[str, Any]) -> list[dict[str, Any]]:
        """The code actions at a range."""
        answer = self.ask(
            "textDocument/codeAction",
            textDocument={"uri": self.uri(name)}, range=place, context={"diagnostics": []},
        )  # fmt: skip
        return answer or []

    def close(self) -> int:
        """Say goodbye; the exit code."""
        self.ask("shutdown")
        self.tell("exit")
        return self._process.wait(PATIENCE)

    def kill(self) -> None:
        """End it whatever it does."""
        self._process.kill()
        self._process.wait()
        self._listener.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()


@pytest.fixture
def editor(make_repository: Callable[..., Any]) -> Iterator[Callable[..., Client]]:
    """Opens a repository of files in an editor."""
    clients: list[Client] = []

    def start(files: dict[str, str], **options: Any) -> Client:
        clients.append(Client(make_repository(files).root, **options))
        return clients[-1]

    yield start
    for each in clients:
        each.kill()


def codes(diagnostics: list[dict[str, Any]]) -> set[str]:
    """The rules."""
    return {each["code"] for each in diagnostics}


def test_what_is_wrong_is_shown_and_goes_when_it_is_mended(editor: Callable[..., Client]) -> None:
    """On opening, while typing (nothing saved), and on closing."""
    client = editor({"main.py": CORS})
    shown = client.open("main.py")
    (each,) = [each for each in shown if each["code"] == "cors-any-origin-credentials"]
    assert (each["severity"], each["source"], each["range"]["start"]["line"]) == (1, "hardenctl", 4)
    client.change("main.py", CORS.replace('"*"', '"https://app.example.com"'), 2)
    assert "cors-any-origin-credentials" not in codes(client.shown("main.py"))
    client.change("main.py", CORS, 3)
    assert "cors-any-origin-credentials" in codes(client.shown("main.py"))
    client.tell("textDocument/didClose", textDocument={"uri": client.uri("main.py")})
    assert client.shown("main.py") == []
    assert client.close() == 0


def test_a_fix_is_offered_and_makes_the_finding_go(editor: Callable[..., Client]) -> None:
    """Its edits, made by the editor, leave a text of which nothing is said; what changes behaviour says so."""
    client = editor({"gunicorn.conf.py": GUNICORN})
    shown = client.open("gunicorn.conf.py")
    (each,) = [each for each in shown if each["code"] == "gunicorn-timeout-disabled"]
    (action,) = [each for each in client.fixes("gunicorn.conf.py", each["range"]) if "timeout" in each["title"]]
    assert action["title"].endswith("(changes what the program does)")
    assert action["isPreferred"] is False
    (document,) = action["edit"]["documentChanges"]
    assert document["textDocument"]["uri"] == client.uri("gunicorn.conf.py")
    text = edited(GUNICORN, document["edits"])
    client.change("gunicorn.conf.py", text, 2)
    assert "gunicorn-timeout-disabled" not in codes(client.shown("gunicorn.conf.py"))


def edited(text: str, edits: list[dict[str, Any]]) -> str:
    """A text of ASCII after an editor has made edits."""
    lines = text.splitlines(keepends=True)
    starts = [sum(map(len, lines[:number])) for number in range(len(lines) + 1)]

    def offset(place: dict[str, int]) -> int:
        return starts[place["line"]] + place["character"]

    for each in sorted(edits, key=lambda each: offset(each["range"]["start"]), reverse=True):
        text = text[: offset(each["range"]["start"])] + each["newText"] + text[offset(each["range"]["end"]) :]
    return text


@pytest.mark.parametrize(("encodings", "column"), [(None, 15), (["utf-8"], 17), (["utf-32"], 14)])
def test_columns_are_counted_as_the_client_counts(
    editor: Callable[..., Client], encodings: list[str] | None, column: int
) -> None:
    """In units of UTF-16 unless it asks for others; a secret is shown at its place and never said."""
    secret = "ghp_" + scramble("lsp", 36)
    client = editor({"a.py": "pass\n"}, encodings=encodings)
    shown = client.open("a.py", f"\f\nx = '\U0001f600'; y = '{secret}'\n")
    assert shown
    (start,) = {each["range"]["start"]["character"] for each in shown}
    assert {each["range"]["start"]["line"] for each in shown} == {1}
    assert start == column
    assert secret not in json.dumps(shown)


def test_the_page_of_a_rule_is_told_where_the_mouse_rests(editor: Callable[..., Client]) -> None:
    """And nothing elsewhere."""
    client = editor({"gunicorn.conf.py": GUNICORN})
    shown = client.open("gunicorn.conf.py")
    place = next(each for each in shown if each["code"] == "gunicorn-timeout-disabled")["range"]["start"]
    document = {"uri": client.uri("gunicorn.conf.py")}
    hover = client.ask("textDocument/hover", textDocument=document, position=place)
    assert "gunicorn-timeout-disabled" in hover["contents"]["value"]
    assert "Why is this bad?" in hover["contents"]["value"]
    assert client.ask("textDocument/hover", textDocument=document, position={"line": 40, "character": 0}) is None


def test_policy_and_what_is_open_beside_count(editor: Callable[..., Client]) -> None:
    """A rule that policy switches off is not shown; a variable of an env file that is being edited is known."""
    files = {
        "hardenctl.toml": 'rules = { "gunicorn-hardcoded-workers" = "off" }\n',
        "gunicorn.conf.py": GUNICORN,
        "compose.yml": "services: {db: {image: 'postgres:17', env_file: .env.db}}\n",
        ".env.db": "POSTGRES_PASSWORD=\n",
    }
    client = editor(files)
    assert "gunicorn-hardcoded-workers" not in codes(client.open("gunicorn.conf.py"))
    assert "env-weak-credential" in codes(client.open(".env.db", "POSTGRES_PASSWORD=postgres\n"))


def test_a_policy_that_cannot_be_used_is_said_once(editor: Callable[..., Client]) -> None:
    """As a message, with what to do, and not with every key."""
    client = editor({"hardenctl.toml": "fail-onn = 'low'\n", "a.py": "pass\n"})
    assert client.open("a.py") == []
    client.change("a.py", "pass  # again\n", 2)
    assert client.shown("a.py") == []
    message = client.ask(
        "textDocument/hover", textDocument={"uri": client.uri("a.py")}, position={"line": 0, "character": 0}
    )
    assert message is None
    client.close()
    assert not [each for each in rest(client) if each["method"] == "window/showMessage"]


def rest(client: Client) -> Iterator[dict[str, Any]]:
    """What else was said."""
    while True:
        try:
            yield client.notifications.get_nowait()
        except Empty:
            return


def test_a_file_that_was_never_saved_is_no_error(editor: Callable[..., Client]) -> None:
    """Nothing is said until it is, and then what is found."""
    client = editor({"a.py": "pass\n"})
    assert client.open("gunicorn.conf.py", GUNICORN) == []
    (client.root / "gunicorn.conf.py").write_text(GUNICORN)
    client.tell("textDocument/didSave", textDocument={"uri": client.uri("gunicorn.conf.py")})
    assert "gunicorn-timeout-disabled" in codes(client.shown("gunicorn.conf.py"))


def test_what_cannot_be_parsed_is_no_silence(editor: Callable[..., Client]) -> None:
    """A gap is shown where the file begins."""
    client = editor({"compose.yml": "services: {}\n"})
    (each,) = client.open("compose.yml", "services: {a: [\n")
    assert each["message"].startswith("could not be looked at: not valid YAML")
    assert each["severity"] == 2


def test_without_the_extra_it_says_what_to_install(tmp_path: Path) -> None:
    """An error of ours, no traceback."""
    (tmp_path / "pygls.py").write_text("raise ModuleNotFoundError(name='pygls')\n")
    done = subprocess.run(
        [sys.executable, "-m", "hardenctl", "lsp"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": os.pathsep.join((str(tmp_path), *sys.path))},
        capture_output=True, text=True, check=False, input="",
    )  # fmt: skip
    assert done.returncode == 2
    assert "hardenctl[lsp]" in done.stderr
