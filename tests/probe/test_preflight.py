from __future__ import annotations

import datetime as dt
import json
import socket
import ssl
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from live_servers import asgi_server, raw_server, self_signed

from hardenctl.cli.app import run
from hardenctl.formats.dotenv import parse_dotenv
from hardenctl.generate.platforms import Destination
from hardenctl.model.checklist import Check, Checklist, State
from hardenctl.model.errors import ToolError
from hardenctl.model.report import Verdict
from hardenctl.model.settings import LoadSettings
from hardenctl.probe.checklist import environment_check, load_check, platform_check
from hardenctl.probe.live import Client, parse_address
from hardenctl.probe.live_platform import platform_names
from hardenctl.probe.live_site import site_checks
from hardenctl.rules.fakes import scramble

SAFE = {
    "strict-transport-security": "max-age=31536000; includeSubDomains",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'self'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
}
TODAY = dt.datetime.now(tz=dt.UTC)


def site(content_type: str = "application/json", status: int = 200, **headers: str) -> Any:
    """An ASGI app that answers everything with these headers; `_` in a name is `-`."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        del scope, receive
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        pairs = [(name.encode(), value.encode()) for name, value in {"content-type": content_type, **named}.items()]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": b"{}"})

    return app


def states(checks: Any) -> dict[str, str]:
    """Name to state."""
    return {check.name: check.state.value for check in checks}


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Options of a uvicorn whose self-signed certificate this process trusts."""
    certificate, key = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", certificate)
    return {"ssl_certfile": certificate, "ssl_keyfile": key}


@pytest.mark.parametrize(
    ("app", "expected"),
    [
        pytest.param(
            site(**SAFE), {"TLS": "go", "certificate": "go", "HSTS": "go", "security headers": "go"}, id="all-there"
        ),
        pytest.param(
            site("text/html", **SAFE),
            {"TLS": "go", "certificate": "go", "HSTS": "go", "security headers": "go"},
            id="a-page",
        ),
        pytest.param(
            site(), {"TLS": "go", "certificate": "go", "HSTS": "no-go", "security headers": "no-go"}, id="bare"
        ),
        pytest.param(
            site(strict_transport_security="max-age=3600", x_content_type_options="nosniff"),
            {"TLS": "go", "certificate": "go", "HSTS": "no-go", "security headers": "go"},
            id="an-hour-of-hsts",
        ),
        pytest.param(
            site("text/html", strict_transport_security="max-age=31536000", x_content_type_options="nosniff"),
            {"TLS": "go", "certificate": "go", "HSTS": "go", "security headers": "no-go"},
            id="a-page-needs-more",
        ),
        pytest.param(
            site(status=503, **SAFE),
            {"TLS": "go", "certificate": "go", "HSTS": "go", "security headers": "not checked"},
            id="a-service-that-fails",
        ),
    ],
)
def test_a_target_with_tls(app: Any, expected: dict[str, str], tls: dict[str, str]) -> None:
    """TLS, certificate and headers are judged as the target sends them."""
    with asgi_server(app, **tls) as url:
        client = Client(parse_address(url), pause=0.0)
        assert states(site_checks(client)) == expected
        client.close()


@pytest.mark.parametrize(
    ("days", "expected"),
    [pytest.param(0, State.GO, id="fresh"), pytest.param(80, State.NO_GO, id="ten-days-left")],
)
def test_a_certificate_near_its_end(days: int, expected: State, tls: dict[str, str]) -> None:
    """A certificate that should have been renewed by now is no-go."""
    with asgi_server(site(), **tls) as url:
        client = Client(parse_address(url), pause=0.0)
        checks = {check.name: check for check in site_checks(client, today=lambda: TODAY + dt.timedelta(days=days))}
        client.close()
    assert checks["certificate"].state is expected
    assert f"{TODAY + dt.timedelta(days=90):%Y-%m}" in checks["certificate"].detail


def test_a_target_that_still_speaks_old_tls(tls: dict[str, str]) -> None:
    """TLS 1.1 for whoever asks is no-go, whatever a modern client gets."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls["ssl_certfile"], tls["ssl_keyfile"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")

    def handle(peer: socket.socket) -> None:
        with suppress(OSError), context.wrap_socket(peer, server_side=True) as sock:
            if sock.recv(65536):
                sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with raw_server(handle) as (url, _):
        client = Client(parse_address(url.replace("http:", "https:")), pause=0.0)
        first = next(site_checks(client))
        client.close()
    assert first.state is State.NO_GO
    assert first.detail == "speaks TLSv1.3, and TLSv1.1 with whoever asks for it"


def test_a_local_target_needs_no_tls() -> None:
    """On loopback plain http is usual: not checked, and no gap."""
    with asgi_server(site(x_content_type_options="nosniff")) as url:
        client = Client(parse_address(url), pause=0.0)
        checks = [*site_checks(client)]
        client.close()
    assert [(check.name, check.state, check.asked) for check in checks] == [
        ("TLS", State.UNCHECKED, False),
        ("security headers", State.GO, True),
    ]


def test_a_public_target_without_tls_is_no_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain http that does not lead to https."""
    monkeypatch.setattr("hardenctl.probe.live_site.is_local", lambda _host: False)
    with asgi_server(site(x_content_type_options="nosniff")) as url:
        client = Client(parse_address(url), pause=0.0)
        first = next(site_checks(client))
        client.close()
    assert first.state is State.NO_GO


def test_a_redirect_elsewhere_is_not_checked() -> None:
    """Another host's headers say nothing about this one."""

    def handle(peer: Any) -> None:
        peer.recv(65536)
        peer.sendall(b"HTTP/1.1 301 Moved\r\nLocation: https://other.example/\r\nContent-Length: 0\r\n\r\n")

    with raw_server(handle) as (url, _):
        client = Client(parse_address(url), pause=0.0)
        assert set(states(site_checks(client)).values()) == {"not checked"}
        client.close()


SECRET = scramble("preflight", 32)


@pytest.mark.parametrize(
    ("given", "example", "state", "said"),
    [
        pytest.param(f"SECRET_KEY={SECRET}\nDEBUG=false\n", "SECRET_KEY=\nDEBUG=\n", State.GO, "", id="complete"),
        pytest.param(
            f"SECRET_KEY={SECRET}\n",
            "SECRET_KEY=\nDEBUG=\n",
            State.NO_GO,
            "names `DEBUG`, and the file does not",
            id="missing",
        ),
        pytest.param(
            "SECRET_KEY=changeme\n", "SECRET_KEY=\n", State.NO_GO, "a placeholder: `SECRET_KEY`", id="placeholder"
        ),
        pytest.param(
            "POSTGRES_PASSWORD=postgres\n",
            "POSTGRES_PASSWORD=\n",
            State.NO_GO,
            "guessable: `POSTGRES_PASSWORD`",
            id="weak",
        ),
        pytest.param("SECRET_KEY=\n", "SECRET_KEY=\n", State.NO_GO, "empty: `SECRET_KEY`", id="empty"),
        pytest.param(f"SECRET_KEY={SECRET}\nREGION=\n", "SECRET_KEY=\n# X=\n", State.GO, "", id="empty-but-no-secret"),
        pytest.param(f"SECRET_KEY={SECRET}\n", None, State.UNCHECKED, "", id="no-example"),
        pytest.param("SECRET_KEY=changeme\n", None, State.NO_GO, "a placeholder", id="weak-without-an-example"),
    ],
)
def test_the_environment_contract(given: str, example: str | None, state: State, said: str) -> None:
    """The env file has what the example names, and no credential anybody could guess."""
    parsed = parse_dotenv(".env.example", example) if example is not None else None
    check = environment_check(parse_dotenv(".env.production", given), parsed)
    assert check.state is state
    assert said in " ".join(check.items)
    assert SECRET not in str(check)


def test_platform_variables_by_name() -> None:
    """A name that the platform lacks is no-go; without an example nobody knows the names."""
    example = parse_dotenv(".env.example", "SECRET_KEY=\nDEBUG=\n")
    assert platform_check("github", {"SECRET_KEY", "DEBUG"}, example).state is State.GO
    lacking = platform_check("github", {"DEBUG"}, example)
    assert (lacking.state, lacking.detail) == (State.NO_GO, "github lacks `SECRET_KEY`")
    assert platform_check("github", set(), None).state is State.UNCHECKED


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Put a shell script on PATH under a platform's program name; its arguments are logged."""

    def make(name: str, body: str) -> Path:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        script = folder / name
        log = tmp_path / "log"
        script.write_text(f'#!/bin/sh\necho "$@" >> {log}\n{body}\n')
        script.chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))
        return log

    return make


@pytest.mark.parametrize(
    ("platform", "name", "body", "asked"),
    [
        pytest.param("github", "gh", "echo A; echo B", "secret list --json=name --jq=.[].name --env=prod", id="github"),
        pytest.param("railway", "railway", 'echo \'{"A": "x", "B": "y"}\'', "--environment=prod", id="railway"),
        pytest.param("gcp", "gcloud", "echo A; echo B", "--project=prod", id="gcp"),
        pytest.param("kubernetes", "kubectl", "echo A; echo B", "--namespace=prod", id="kubernetes"),
    ],
)
def test_names_are_asked_of_the_platforms_program(
    platform: str, name: str, body: str, asked: str, program: Callable[[str, str], Path]
) -> None:
    """Names only, of the environment that was named."""
    log = program(name, body)
    assert platform_names(Destination(platform, "", "prod")) == {"A", "B"}
    assert asked in log.read_text()


@pytest.mark.parametrize(
    ("platform", "body", "said"),
    [
        pytest.param("github", None, "is not installed", id="missing"),
        pytest.param("github", "exit 4", "failed with exit code 4", id="fails"),
        pytest.param("railway", "echo nothing", "in a form that cannot be read", id="garbage"),
    ],
)
def test_a_platform_that_does_not_say(
    platform: str, body: str | None, said: str, program: Callable[[str, str], Path]
) -> None:
    """What went wrong, and never what the program printed."""
    program({"github": "gh", "railway": "railway"}[platform] if body else "other", body or "true")
    with pytest.raises(ToolError, match=said):
        platform_names(Destination(platform, ""))


def load_document(**changes: Any) -> dict[str, Any]:
    """A load result as `load run` writes it, as far as the checklist reads it."""
    return {
        "schema_version": 1,
        "kind": "load",
        "scenario": "normal",
        "started": "2026-11-20T10:00:00+00:00",
        "verdict": "pass",
        "reasons": [],
        "gates": [],
        "metrics": {"error_rate": 0.0, "latency_ms": {"p95": 120.0}},
        **changes,
    }


@pytest.mark.parametrize(
    ("changes", "state", "said"),
    [
        pytest.param({}, State.GO, "p95 120 ms", id="passed"),
        pytest.param({"verdict": "fail"}, State.NO_GO, "missed", id="failed"),
        pytest.param(
            {"gates": [{"gate": "rps>=500", "outcome": "fail", "shown": "12"}], "verdict": "fail"},
            State.NO_GO,
            "rps>=500: fail, measured 12",
            id="a-gate-failed",
        ),
        pytest.param(
            {"metrics": {"error_rate": 0.02, "latency_ms": {"p95": 900.0}}},
            State.NO_GO,
            "p95 900 ms; the policy's target is 300 ms error rate 2.00%",
            id="own-gates-passed-and-the-policy-s-did-not",
        ),
        pytest.param({"verdict": "inconclusive", "reasons": ["p95: few"]}, State.UNCHECKED, "p95: few", id="doubtful"),
        pytest.param({"metrics": None}, State.UNCHECKED, "inconclusive", id="no-figures"),
        pytest.param({"started": "2026-01-02T00:00:00+00:00"}, State.UNCHECKED, "older than 30 days", id="old"),
        pytest.param({"started": "whenever"}, State.UNCHECKED, "older", id="undated"),
    ],
)
def test_load_evidence(changes: dict[str, Any], state: State, said: str) -> None:
    """A stored result is held to its own gates and to the policy's targets."""
    check = load_check(load_document(**changes), LoadSettings(), today=dt.date(2026, 11, 23))
    assert check.state is state
    assert said in f"{check.detail} {' '.join(check.items)}"


@pytest.mark.parametrize(
    ("checks", "expected"),
    [
        pytest.param([State.GO, State.GO], Verdict.PASS, id="go"),
        pytest.param([State.GO, State.UNCHECKED], Verdict.INCOMPLETE, id="asked-and-not-checked"),
        pytest.param([State.NO_GO, State.UNCHECKED], Verdict.FAIL, id="no-go-beats-a-gap"),
    ],
)
def test_the_verdict(checks: list[State], expected: Verdict) -> None:
    """No-go beats not checked beats go; a gap can be allowed."""
    checklist = Checklist(tuple(Check("x", state, "y") for state in checks))
    assert checklist.verdict() is expected
    assert checklist.verdict(allow_gaps=True) is (Verdict.FAIL if State.NO_GO in checks else Verdict.PASS)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small project in order."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "main.py").write_text("print('hello')\n")
    (root / ".env.example").write_text("SECRET_KEY=\n")
    (tmp_path / "env.production").write_text(f"SECRET_KEY={SECRET}\n")
    monkeypatch.chdir(root)
    monkeypatch.setattr("hardenctl.probe.live.PAUSE", 0.0)
    return root


def preflight(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, str]]:
    """Exit code, and name to state."""
    code = run(["preflight", *arguments, "--format", "json"])
    document = json.loads(capsys.readouterr().out)
    return code, {check["name"]: check["state"] for check in document["checks"]}


def test_a_project_alone(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without options only the audit is made; the rest is named as not checked and fails nothing."""
    code, found = preflight(capsys)
    assert code == 0
    assert found == {
        "audit": "go",
        **dict.fromkeys(
            ("environment", "platform variables", "CORS", "TLS", "security headers", "load"), "not checked"
        ),
    }
    (project / "Procfile").write_text("web: gunicorn --timeout 0 main:app\n")
    assert preflight(capsys)[0] == 1


def test_everything_asked_for(project: Path, capsys: pytest.CaptureFixture[str], tls: dict[str, str]) -> None:
    """All lines go, and the exit code is 0."""
    (project / "load.json").write_text(json.dumps(load_document(started=TODAY.isoformat())))
    with asgi_server(site(**SAFE), **tls) as url:
        options = ["--env-file", "../env.production", "--url", url, "--load-result", "load.json"]
        code, found = preflight(capsys, *options)
    assert code == 0
    assert {name for name, state in found.items() if state != "go"} == {"platform variables"}


def test_bad_cors_is_no_go(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A live finding that fails the gate is no-go, and the text names it."""
    with asgi_server(site(access_control_allow_origin="*", x_content_type_options="nosniff")) as url:
        assert run(["preflight", str(project), "--url", url, "--quiet"]) == 1
    text = capsys.readouterr().out
    assert "cors-any-origin" in text
    assert text.endswith("not checked\n")
    assert "\nno-go: " in text


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param(["--url", "http://127.0.0.1:9"], 2, id="target-down"),
        pytest.param(["--url", "http://127.0.0.1:9", "--allow-gaps"], 0, id="target-down-and-allowed"),
        pytest.param(["--platform", "nowhere"], 2, id="platform-that-cannot-be-asked"),
        pytest.param(["--platform", "github"], 2, id="platform-without-its-program"),
    ],
)
def test_what_was_asked_for_and_not_checked(
    arguments: list[str],
    code: int,
    project: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A gap is exit code 2, unless it is allowed."""
    monkeypatch.setattr("shutil.which", lambda name: None if name == "gh" else f"/usr/bin/{name}")
    assert project.is_dir()
    assert run(["preflight", *arguments]) == code
    assert "not checked" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["--format", "xml"], "no format", id="format"),
        pytest.param(["--origin", "https://a.example.com"], "--origin needs --url", id="origin"),
        pytest.param(["--env-file", "nowhere.env"], "cannot be read", id="env-file"),
        pytest.param(["--load-result", "main.py"], "no load result", id="load-result"),
    ],
)
def test_usage(arguments: list[str], said: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be done is an error with exit code 2."""
    assert project.is_dir()
    assert run(["preflight", *arguments]) == 2
    assert said in capsys.readouterr().err
