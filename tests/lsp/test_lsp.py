"""The language server, talked to as an editor does: a process, two pipes, JSON."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import pytest

from hardenctl.lsp import look as looking
from hardenctl.rules.fakes import scramble

PATIENCE = 60  # seconds; an answer takes one
CORS = """\
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

app = FastAPI()
app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_credentials=True, allow_methods=["GET"])
"""
GUNICORN = "workers = 4\ntimeout = 0\n"
EDITS = {"documentChanges": True, "resourceOperations": ["create"]}  # what most clients can


class Client:
    """An editor. `notifications` are what the server says unasked."""

    def __init__(
        self, root: Path, encodings: list[str] | None = None, edits: dict[str, Any] | None = None, program: str = ""
    ) -> None:
        """Start the server, or a `program` that does; `edits` is what the client says of edits that it can make."""
        self.root = root
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - `kill` closes it
        self._process = subprocess.Popen(
            [sys.executable, *(["-c", program] if program else ["-m", "hardenctl", "lsp"])],
            cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._complaints,
            env={**os.environ, "PYTHONUTF8": "1"},
        )  # fmt: skip
        self._answers: Queue[dict[str, Any]] = Queue()
        self.notifications: Queue[dict[str, Any]] = Queue()
        self._number = 0
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        able: dict[str, Any] = {"workspace": {"workspaceEdit": EDITS if edits is None else edits}}
        able |= {"general": {"positionEncodings": encodings}} if encodings else {}
        answer = self.ask("initialize", processId=None, rootUri=root.as_uri(), capabilities=able)
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
        """The result of a request."""
        answer = self.answer(method, **params)
        assert "error" not in answer, answer
        return answer["result"]

    def answer(self, method: str, **params: Any) -> dict[str, Any]:
        """The answer to a request, an error or not."""
        self._number += 1
        self._send({"id": self._number, "method": method, "params": params})
        return self._answers.get(timeout=PATIENCE)

    def tell(self, method: str, **params: Any) -> None:
        """A notification."""
        self._send({"method": method, "params": params})

    def uri(self, name: str) -> str:
        """A file's."""
        return (self.root / name).as_uri()

    def open(self, name: str, text: str | None = None) -> list[dict[str, Any]]:
        """Open a file, as it is on disk or as it is edited already; what is shown of it."""
        self.put(name, text)
        return self.shown(name)

    def put(self, name: str, text: str | None = None) -> None:
        """Open a file and go on."""
        text = (self.root / name).read_text(encoding="utf-8") if text is None else text
        document = {"uri": self.uri(name), "languageId": "x", "version": 1, "text": text}
        self.tell("textDocument/didOpen", textDocument=document)

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
        return self.leave()

    def leave(self) -> int:
        """Go without having asked for an end; the exit code."""
        self.tell("exit")
        return self._process.wait(PATIENCE)

    def hang_up(self) -> int:
        """Be gone, as an editor that has crashed; the exit code."""
        assert self._process.stdin
        self._process.stdin.close()
        return self._process.wait(PATIENCE)

    @property
    def complaints(self) -> str:
        """What it wrote to standard error."""
        self._complaints.seek(0)
        return self._complaints.read().decode()

    def kill(self) -> None:
        """End it whatever it does."""
        self._process.kill()
        self._process.wait()
        self._listener.join()
        for pipe in (self._process.stdin, self._process.stdout, self._complaints):
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
    (each,) = client.open("a.py")
    assert "fail-onn" in each["message"]  # no finding is no verdict: nothing was looked at
    client.change("a.py", "pass  # again\n", 2)
    assert client.shown("a.py") == [each]
    message = client.ask(
        "textDocument/hover", textDocument={"uri": client.uri("a.py")}, position={"line": 0, "character": 0}
    )
    assert message is None
    assert client.close() == 0
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


# A server whose audits print, start programs that do, and leave a line for each.
NOISY = """\
import subprocess, sys
from hardenctl.lsp import server
def look(paths, *others, quiet=server.look):
    print("printed")
    subprocess.run(["echo", "echoed"], check=True)
    with open("looks.txt", "a") as file:
        file.write(f"{len(paths)}\\n")
    return quiet(paths, *others)
server.look = look
sys.exit(server.serve())
"""


def test_what_an_audit_prints_is_no_answer(editor: Callable[..., Client]) -> None:
    """Neither its own prints nor those of programs it starts come between two messages."""
    client = editor({"gunicorn.conf.py": GUNICORN}, program=NOISY)
    assert "gunicorn-timeout-disabled" in codes(client.open("gunicorn.conf.py"))
    assert client.close() == 0
    assert "printed" in client.complaints
    assert "echoed" in client.complaints


def test_many_files_opened_at_once_are_looked_at_together(editor: Callable[..., Client]) -> None:
    """Each is shown, and there are far fewer audits than files."""
    names = [f"m{number}/gunicorn.conf.py" for number in range(30)]
    client = editor(dict.fromkeys(names, GUNICORN), program=NOISY)
    for name in names:
        client.put(name)
    for name in names:
        assert "gunicorn-timeout-disabled" in codes(client.shown(name))
    counts = [int(line) for line in (client.root / "looks.txt").read_text().split()]
    assert sum(counts) == len(names)
    assert len(counts) < 10


@pytest.mark.parametrize(("how", "code"), [("close", 0), ("leave", 1), ("hang_up", 1)])
def test_it_ends_as_the_protocol_says(editor: Callable[..., Client], how: str, code: int) -> None:
    """With success only where a shutdown was asked for before."""
    client = editor({"a.py": "pass\n"})
    assert getattr(client, how)() == code


def test_a_crash_is_said_and_the_server_goes_on(
    make_repository: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its kind alone: an exception's text can hold a value. Without the crash, the finding is there."""
    path = str(make_repository({"gunicorn.conf.py": GUNICORN}).root / "gunicorn.conf.py")
    home = looking.home_of(path)
    (fine,) = looking.look([path], {path: GUNICORN}, home).values()
    assert fine.told
    monkeypatch.setattr(looking, "audit", lambda *_, **__: (_ for _ in ()).throw(ValueError("what it holds")))
    (crashed,) = looking.look([path], {path: GUNICORN}, home).values()
    assert [each.reason for each in crashed.gaps] == ["the audit crashed: ValueError"]


def test_a_reader_that_crashes_is_no_silence(editor: Callable[..., Client]) -> None:
    """What concerns no file in particular is shown at the one that is looked at."""
    program = (
        "import sys\nfrom hardenctl.formats.launch import reader\nfrom hardenctl.lsp import server\n"
        "def read(snapshot):\n    raise KeyError('what it holds')\n    yield\nreader.read = read\n"
        "sys.exit(server.serve())\n"
    )
    shown = editor({"gunicorn.conf.py": GUNICORN}, program=program).open("gunicorn.conf.py")
    assert ["ServerLaunch could not be read: KeyError" in each["message"] for each in shown] == [True]


def test_what_cannot_be_understood_is_answered_without_what_it_says(editor: Callable[..., Client]) -> None:
    """No text of a file comes back in an error or in the log, and the next question is answered."""
    secret = "ghp_" + scramble("lsp-error", 36)
    client = editor({"gunicorn.conf.py": GUNICORN})
    document = {"uri": client.uri("gunicorn.conf.py"), "languageId": "x", "version": secret, "text": [secret]}
    client.tell("textDocument/didOpen", textDocument=document)
    client.tell("textDocument/hover", textDocument={"uri": secret}, position={"line": secret})
    client.tell("textDocument/didClose", textDocument={"uri": secret})
    answer = client.answer(f"textDocument/{secret[:4]}", textDocument=document)
    assert "error" in answer
    assert "gunicorn-timeout-disabled" in codes(client.open("gunicorn.conf.py"))
    client.close()
    assert secret not in json.dumps([answer, *rest(client)]) + client.complaints


def test_a_link_is_its_file(editor: Callable[..., Client]) -> None:
    """A file opened through a link is looked at as itself; the fix is made where it is open."""
    client = editor({"conf/gunicorn.conf.py": GUNICORN})
    (client.root / "link.py").symlink_to("conf/gunicorn.conf.py")
    (each,) = [each for each in client.open("link.py") if each["code"] == "gunicorn-timeout-disabled"]
    (action,) = [each for each in client.fixes("link.py", each["range"]) if "timeout" in each["title"]]
    (document,) = action["edit"]["documentChanges"]
    assert document["textDocument"] == {"uri": client.uri("link.py"), "version": 1}


def test_an_address_with_escapes_is_a_file_too(editor: Callable[..., Client]) -> None:
    """Spaces, letters beyond ASCII, and what one client escapes and another does not (a drive's colon on Windows)."""
    name = "a b/caf\u00e9 100%/gunicorn.conf.py"
    client = editor({name: GUNICORN})
    (each,) = [each for each in client.open(name) if each["code"] == "gunicorn-timeout-disabled"]
    (action,) = [each for each in client.fixes(name, each["range"]) if "timeout" in each["title"]]
    assert action["edit"]["documentChanges"][0]["textDocument"] == {"uri": client.uri(name), "version": 1}
    client.change(name, "workers = 2\n", 2)
    assert "gunicorn-timeout-disabled" not in codes(client.shown(name))
    odd = (client.root / "gunicorn.conf.py").as_uri().replace("gunicorn", "%67unicorn")
    (client.root / "gunicorn.conf.py").write_text(GUNICORN)
    document = {"uri": odd, "languageId": "x", "version": 1, "text": GUNICORN}
    client.tell("textDocument/didOpen", textDocument=document)
    shown = client.said("textDocument/publishDiagnostics")
    assert shown["uri"] == odd
    assert "gunicorn-timeout-disabled" in codes(shown["diagnostics"])


def test_a_client_of_few_words_gets_plain_edits(editor: Callable[..., Client]) -> None:
    """One that takes no versions gets edits by address; one that asks for other actions gets none."""
    client = editor({"gunicorn.conf.py": GUNICORN}, edits={})
    shown = client.open("gunicorn.conf.py")
    (each,) = [each for each in shown if each["code"] == "gunicorn-timeout-disabled"]
    (action,) = [each for each in client.fixes("gunicorn.conf.py", each["range"]) if "timeout" in each["title"]]
    assert list(action["edit"]["changes"]) == [client.uri("gunicorn.conf.py")]
    context = {"diagnostics": [], "only": ["source.organizeImports"]}
    asked = {"textDocument": {"uri": client.uri("gunicorn.conf.py")}, "range": each["range"]}
    assert client.ask("textDocument/codeAction", **asked, context=context) == []


def test_a_form_feed_ends_no_line(editor: Callable[..., Client]) -> None:
    """The client is asked for whole texts: pygls counts lines as no editor does, and would misplace a change."""
    client = editor({"a.py": "pass\n"})
    change = client.capabilities["textDocumentSync"]
    assert (change["change"] if isinstance(change, dict) else change) == 1


def test_what_was_read_a_moment_ago_is_not_read_again(
    make_repository: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While somebody types; what is on disk now counts when it is said to have changed, or after a while."""
    root = make_repository({"app/settings.py": "POOL = 4\n", "gunicorn.conf.py": ""}).root
    path = str(root / "gunicorn.conf.py")
    text = "from app.settings import POOL\nworkers = POOL\n"
    recent, home, opened = looking.Recent(), looking.home_of(path), []
    original = looking.open_source
    monkeypatch.setattr(looking, "open_source", lambda *given, **more: opened.append(given) or original(*given, **more))

    def rules(text: str) -> set[str]:
        (opinion,) = looking.look([path], {path: text}, home, recent).values()
        assert not opinion.gaps
        return {each.judged.finding.rule for each in opinion.told}

    assert "gunicorn-timeout-disabled" not in rules(text)
    assert "gunicorn-timeout-disabled" in rules(f"{text}timeout = 0\n")  # what is typed always counts
    assert len(opened) == 1
    recent.forget()
    rules(text)
    assert len(opened) == 2
    recent.SECONDS = 0.0
    recent.forget()
    rules(text)
    rules(text)
    assert len(opened) == 4


def test_around_a_file_of_no_repository_nothing_is_looked_at(tmp_path: Path) -> None:
    """Its folder may be a whole home; only where the editor has that open, it is the file's project."""
    path = str(tmp_path / "gunicorn.conf.py")
    (tmp_path / "gunicorn.conf.py").write_text("workers = 4\n")
    assert looking.home_of(path) is None
    assert looking.home_of(path, [str(tmp_path)]) == tmp_path.resolve()
    (opinion,) = looking.look([path], {path: GUNICORN}, None).values()
    assert "gunicorn-timeout-disabled" in {each.judged.finding.rule for each in opinion.told}


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
