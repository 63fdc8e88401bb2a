from __future__ import annotations

import gc
import json
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from live_servers import asgi_server, raw_server, self_signed, wsgi_server

from hardenctl.cli.app import run
from hardenctl.model.errors import ToolError, UsageError
from hardenctl.model.finding import Severity
from hardenctl.model.report import Report, Verdict
from hardenctl.model.settings import CorsSettings, Settings
from hardenctl.policy.policy import Policy
from hardenctl.probe.live import Client, parse_address
from hardenctl.probe.live_cors import live_report
from hardenctl.report.formats import FORMATS, render
from hardenctl.report.style import Look

OWN = "https://app.example.com"


def starlette_app(**options: Any) -> Any:
    """One page behind starlette's CORSMiddleware; without options no middleware."""
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.cors import CORSMiddleware
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    async def page(request: Any) -> PlainTextResponse:
        del request
        return PlainTextResponse("fine")

    return Starlette(routes=[Route("/", page)], middleware=[Middleware(CORSMiddleware, **options)] if options else [])


def flask_app(**options: Any) -> Any:
    """One page behind flask-cors."""
    from flask import Flask
    from flask_cors import CORS

    app = Flask("probed")
    app.add_url_rule("/", "page", lambda: "fine")
    CORS(app, **options)
    return app


def probe(url: str, own: tuple[str, ...] = (OWN,), **cors: Any) -> Report:
    """The report of a live target, without pauses."""
    client = Client(parse_address(url), pause=0.0)
    return live_report(client, Policy(settings=Settings(cors=CorsSettings(**cors))), own)


def rules(report: Report) -> dict[str, str]:
    """Rule to severity."""
    return {judged.finding.rule: judged.severity.word for judged in report.findings}


GET = {"allow_methods": ["GET", "POST"]}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({}, {}, id="no-middleware"),
        pytest.param({**GET, "allow_origins": [OWN], "allow_credentials": True}, {}, id="one-exact-origin"),
        pytest.param(
            {**GET, "allow_origins": ["*"], "allow_credentials": True},
            {"cors-any-origin-credentials": "critical"},
            id="wildcard-with-credentials",
        ),
        pytest.param({**GET, "allow_origins": ["*"]}, {"cors-any-origin": "medium"}, id="wildcard-without-credentials"),
        pytest.param(
            {**GET, "allow_origin_regex": ".*", "allow_credentials": True},
            {"cors-any-origin-credentials": "critical"},
            id="pattern-for-everyone",
        ),
        pytest.param(
            {**GET, "allow_origin_regex": "https://app.example.com", "allow_credentials": True},
            {"cors-lookalike-origin": "high"},
            id="unescaped-dot",
        ),
        pytest.param(
            {**GET, "allow_origin_regex": r"https://.*example\.com"},
            {"cors-lookalike-origin": "medium"},
            id="no-separator",
        ),
        pytest.param(
            {**GET, "allow_origins": f"{OWN},https://b.example.com", "allow_credentials": True},
            {"cors-lookalike-origin": "high"},
            id="split-forgotten-so-a-cut-origin-gets-in",
        ),
        pytest.param(
            {**GET, "allow_origin_regex": r"https://app\.example\.com(%60|_)?\.?.*"},
            {"cors-lookalike-origin": "medium"},
            id="any-tail",
        ),
        pytest.param(
            {**GET, "allow_origin_regex": "https?://localhost.*", "allow_credentials": True},
            {"cors-lookalike-origin": "high"},
            id="localhost-with-any-tail",
        ),
        pytest.param(
            {**GET, "allow_origins": [OWN, "null"], "allow_credentials": True},
            {"cors-null-origin": "high"},
            id="null",
        ),
        pytest.param(
            {**GET, "allow_origins": [OWN, "http://app.example.com"], "allow_credentials": True},
            {"cors-plaintext-origin": "medium"},
            id="plain-http",
        ),
        pytest.param(
            {**GET, "allow_origin_regex": r"https://(.*\.)?app\.example\.com", "allow_credentials": True},
            {},
            id="subdomains-are-meant",
        ),
        pytest.param(
            {"allow_origins": [OWN], "allow_methods": ["*"]}, {"cors-wildcard-methods": "low"}, id="every-method"
        ),
        pytest.param(
            {**GET, "allow_origins": ["*"], "allow_headers": ["*"]},
            {"cors-any-origin": "medium", "cors-wildcard-headers": "medium"},
            id="every-header-for-everyone",
        ),
        pytest.param(
            {**GET, "allow_origins": [OWN], "allow_headers": ["*"]},
            {"cors-wildcard-headers": "low"},
            id="every-header-for-one",
        ),
        pytest.param(
            {"allow_origins": [OWN], "allow_methods": ["GET", "PURGE"]},
            {"cors-wildcard-methods": "low"},
            id="method-outside-the-policy",
        ),
    ],
)
def test_starlette(options: dict[str, Any], expected: dict[str, str]) -> None:
    """What the real middleware does is found, and nothing else."""
    with asgi_server(starlette_app(**options)) as url:
        report = probe(url)
    assert rules(report) == expected
    assert report.gaps == ()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({"origins": [OWN], "methods": ["GET"], "allow_headers": ["X-A"]}, {}, id="one-origin"),
        pytest.param(
            {"supports_credentials": True, "methods": ["GET"], "allow_headers": ["X-A"]},
            {"cors-any-origin-credentials": "critical"},
            id="credentials-and-the-default",
        ),
        pytest.param(
            {},
            {"cors-any-origin": "medium", "cors-wildcard-headers": "medium", "cors-wildcard-methods": "low"},
            id="the-default-lets-everyone-in",
        ),
        pytest.param(
            {"origins": r"https://app\.example\.com", "methods": ["GET"], "allow_headers": ["X-A"]},
            {"cors-lookalike-origin": "medium"},
            id="pattern-without-an-end",
        ),
    ],
)
def test_flask(options: dict[str, Any], expected: dict[str, str]) -> None:
    """flask-cors is seen as it behaves."""
    with wsgi_server(flask_app(**options)) as url:
        assert rules(probe(url)) == expected


def test_the_proof_names_the_origin_and_the_answer() -> None:
    """A proven finding says what was sent and what came back."""
    with asgi_server(starlette_app(**GET, allow_origins=["*"], allow_credentials=True)) as url:
        finding = probe(url).findings[0].finding
    assert finding.confidence.word == "proven"
    assert finding.evidence == {
        "origin": "https://evil.example",
        "request": "simple request",
        "status": "200",
        "access-control-allow-origin": "https://evil.example",
        "access-control-allow-credentials": "true",
    }
    assert finding.location.path == f"{url}/"


def test_starlette_s_methods_are_likely_only() -> None:
    """A list of every method could be somebody's own: `*` is likely, and proven where an invented one gets in."""
    with asgi_server(starlette_app(allow_origins=[OWN], allow_methods=["*"])) as url:
        assert [judged.finding.confidence.word for judged in probe(url).findings] == ["likely"]


def test_origins_of_the_policy_are_meant() -> None:
    """An origin that policy names is no finding, and is known without `--origin`."""
    plain = "http://app.example.com"
    with asgi_server(starlette_app(**GET, allow_origins=[OWN, plain])) as url:
        assert rules(probe(url, (), origins=(OWN, plain))) == {}
        assert rules(probe(url, (), origins=(OWN,))) == {"cors-plaintext-origin": "low"}


def test_without_an_origin_the_targets_own_name_is_imitated() -> None:
    """Where nobody says whom the target is meant for, its own name is; the report says so."""
    with asgi_server(starlette_app(**GET, allow_origin_regex=r"http://127\.0\.0\.1.*")) as url:
        report = probe(url, ())
    assert rules(report) == {"cors-lookalike-origin": "medium"}
    assert any("no origin is known" in note for note in report.notes)


def test_subdomains_are_named_in_a_note() -> None:
    """Every subdomain getting in may be meant: a note, no finding."""
    with asgi_server(starlette_app(**GET, allow_origin_regex=r"https://(.*\.)?app\.example\.com")) as url:
        assert any("every subdomain" in note for note in probe(url).notes)


def http_answer(status: str, *headers: str) -> Callable[[socket.socket], None]:
    """A server that answers every request of a connection alike."""
    lines = [f"HTTP/1.1 {status}", "Content-Length: 0", *headers, "", ""]

    def handle(peer: socket.socket) -> None:
        while peer.recv(65536):
            peer.sendall("\r\n".join(lines).encode())

    return handle


def test_a_redirect_to_another_host_is_not_followed() -> None:
    """The other host is never asked, and that the application was not seen is a gap."""
    with raw_server(http_answer("200 OK")) as (other, accepted):
        there = other.replace("127.0.0.1", "localhost")
        with raw_server(http_answer("302 Found", f"Location: {there}/")) as (url, _):
            report = probe(url)
        assert accepted == []
    assert report.verdict is Verdict.INCOMPLETE
    assert [gap.reason for gap in report.gaps] == ["redirects to localhost, another host, which was not asked"]


def test_another_port_is_another_service() -> None:
    """A redirect to another port of the same host is not followed either."""
    with raw_server(http_answer("200 OK")) as (other, accepted):
        with raw_server(http_answer("307 Temporary Redirect", f"Location: {other}/")) as (url, _):
            report = probe(url)
        assert accepted == []
    assert "127.0.0.1:" in report.gaps[0].reason


def test_a_redirect_on_the_same_host_is_followed() -> None:
    """`/` leading to `/page` is judged by `/page`."""

    def handle(peer: socket.socket) -> None:
        while data := peer.recv(65536):
            moved = data.startswith(b"GET / ")
            head = "302 Found\r\nLocation: /page" if moved else "200 OK\r\nAccess-Control-Allow-Origin: *"
            peer.sendall(f"HTTP/1.1 {head}\r\nContent-Length: 0\r\n\r\n".encode())

    with raw_server(handle) as (url, _):
        assert "cors-any-origin" in rules(probe(url))


def test_a_circle_of_redirects_ends() -> None:
    """After three hops it is enough."""
    with raw_server(http_answer("302 Found", "Location: /")) as (url, _):
        client = Client(parse_address(url), pause=0.0)
        assert client.ask("GET").status == 302
        assert client.sent == 3
        client.close()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param((b"",), "did not answer within 0.3 s", id="silence"),
        pytest.param((b"HTTP/1.1 200 OK\r\n", *(b"X: y\r\n",) * 100), "did not answer within 0.3 s", id="drip"),
        pytest.param((b"SSH-2.0\r\n",), "BadStatusLine", id="no-http"),
    ],
)
def test_a_server_that_does_not_answer(words: tuple[bytes, ...], expected: str) -> None:
    """A silent and a dripping server run into the time-out, and what is no HTTP is said to be none."""

    def handle(peer: socket.socket) -> None:
        peer.recv(65536)
        for word in words:
            try:
                peer.sendall(word)
            except OSError:
                return
            time.sleep(0.05)
        if words == (b"",):
            time.sleep(1)

    started = time.monotonic()
    with raw_server(handle) as (url, _):
        client = Client(parse_address(url), pause=0.0, patience=0.3)
        with pytest.raises(ToolError, match=expected):
            client.ask("GET")
        assert time.monotonic() - started < 3
        client.close()
    gc.collect()  # a socket that was left open is told here


@pytest.mark.parametrize(
    "use",
    [
        pytest.param(lambda client: client.ask("GET"), id="request"),
        pytest.param(lambda client: client.certificate(), id="certificate"),
    ],
)
def test_a_handshake_that_never_ends(use: Callable[[Client], Any]) -> None:
    """A server that drips its part of the TLS handshake trips no socket's time-out, and is hung up on all the same."""

    def handle(peer: socket.socket) -> None:
        peer.recv(65536)
        with suppress(OSError):
            peer.sendall(b"\x16\x03\x03\x40\x00")  # a record of 16 KiB is to come
            for _ in range(100):
                peer.sendall(b"\x02")
                time.sleep(0.1)

    started = time.monotonic()
    with raw_server(handle) as (url, _):
        client = Client(parse_address(url.replace("http:", "https:")), pause=0.0, patience=0.4)
        with pytest.raises(ToolError, match=r"did not answer within 0\.4 s"):
            use(client)
        assert time.monotonic() - started < 3
        client.close()


def test_a_run_ends_however_slow_the_answers_are() -> None:
    """Each answer is in time, and together they take too long: what was not asked is said."""
    with raw_server(http_answer("200 OK")) as (url, _):
        client = Client(parse_address(url), pause=0.02, longest=0.1)
        with pytest.raises(ToolError, match="answers too slowly"):
            list(map(client.ask, ["GET"] * 50))
        assert client.sent < 10
        client.close()


@pytest.mark.parametrize(
    "head",
    [
        pytest.param("HTTP/1.0 200 OK\r\n", id="until-it-closes"),
        pytest.param("HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n", id="length"),
        pytest.param("HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n", id="chunks"),
    ],
)
def test_a_body_that_never_ends(head: str) -> None:
    """What is judged came before it: the head is an answer, and nobody waits for the rest."""

    def handle(peer: socket.socket) -> None:
        peer.recv(65536)
        try:
            peer.sendall(f"{head}Access-Control-Allow-Origin: *\r\n\r\n".encode())
            for _ in range(100):
                peer.sendall(b"1")
                time.sleep(0.1)
        except OSError:
            return

    started = time.monotonic()
    with raw_server(handle) as (url, _):
        client = Client(parse_address(url), pause=0.0, patience=0.5)
        assert client.ask("GET").headers["access-control-allow-origin"] == "*"
        assert time.monotonic() - started < 4
        client.close()


def test_a_target_that_stops_answering_is_a_gap() -> None:
    """What was seen is judged, and what could not be is a gap."""
    count = []

    def handle(peer: socket.socket) -> None:
        while peer.recv(65536):
            count.append(1)
            if len(count) > 12:
                peer.close()
                return
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with raw_server(handle) as (url, _):
        report = probe(url)
    assert report.verdict is Verdict.INCOMPLETE
    assert "cannot be asked" in report.gaps[0].reason


def test_errors_of_the_service_are_a_gap() -> None:
    """A target that only fails shows nothing of its application."""
    with raw_server(http_answer("502 Bad Gateway")) as (url, _):
        report = probe(url)
    assert "answers every request with 502" in report.gaps[0].reason


def test_requests_are_few_and_slow() -> None:
    """No run sends more than its budget, and each request waits for its turn."""
    with raw_server(http_answer("200 OK")) as (url, _):
        client = Client(parse_address(url), pause=0.05, most=4)
        started = time.monotonic()
        for _ in range(4):
            client.ask("GET")
        with pytest.raises(ToolError, match="more than 4 requests"):
            client.ask("GET")
        assert time.monotonic() - started >= 0.15
        client.close()
        own = tuple(f"https://{letter}.example{letter}.com" for letter in "abcdef")
        report = probe(url, own)
    assert report.scanned.requests <= 80
    assert report.gaps == ()
    assert any("first 2 of 6" in note for note in report.notes)


def test_a_self_signed_certificate_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """TLS is verified; a bundle of one's own can be named in SSL_CERT_FILE."""
    certificate, key = self_signed(tmp_path)
    app = starlette_app(**GET, allow_origins=["*"])
    with asgi_server(app, ssl_certfile=certificate, ssl_keyfile=key) as url:
        monkeypatch.chdir(tmp_path)
        assert run(["check", "cors", "--url", url]) == 2
        streams = capsys.readouterr()
        assert "error: the certificate of https://127.0.0.1" in streams.err
        assert "cannot be trusted: self-signed certificate" in streams.err
        monkeypatch.setenv("SSL_CERT_FILE", certificate)
        assert rules(probe(url)) == {"cors-any-origin": "medium"}


def test_https_of_a_plain_server_is_a_clear_error() -> None:
    """TLS with a server that speaks none."""
    with asgi_server(starlette_app()) as url, pytest.raises(ToolError, match="TLS with https"):
        probe(url.replace("http:", "https:"))


@pytest.mark.parametrize(
    "url",
    [
        "example.com",
        "ftp://example.com/",
        "https://",
        "https://user:word@example.com/",  # hardenctl: ignore[secret] no credential
        "https://exa mple.com/",
        "https://example.com:x/",
        "http://[::1/",
    ],
)
def test_urls_that_cannot_be_probed(url: str) -> None:
    """A URL without a host, of another scheme or with a login is refused, and never quoted."""
    with pytest.raises(UsageError) as raised:
        parse_address(url)
    assert "word" not in raised.value.what.replace("password", "")


def test_the_query_is_sent_and_not_shown() -> None:
    """A query may hold a token."""
    address = parse_address("https://EXAMPLE.com:443/a<b?token=abc")
    assert (address.target, address.shown, address.origin) == (
        "/a%3Cb?token=abc",
        "https://example.com/a%3Cb",
        "https://example.com",
    )
    assert parse_address("http://[::1]:8000").origin == "http://[::1]:8000"
    assert parse_address("https://b\u00fccher.example/").host == "xn--bcher-kva.example"


@pytest.mark.parametrize("name", [each for each in FORMATS if each != "gitlab-secrets"])  # which is for secrets alone
def test_every_format_shows_it(name: str) -> None:
    """A live finding stands in every report format, at its URL."""
    with asgi_server(starlette_app(**GET, allow_origins=["*"])) as url:
        report = probe(url)
    text = render(report, name, Look(width=200))
    assert "cors-any-origin" in text
    assert url.partition("//")[2].partition(":")[2] in text


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """`check cors --url` takes the policy of the folder, writes outputs and has the gate's exit code."""
    monkeypatch.setattr("hardenctl.probe.live.PAUSE", 0.0)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hardenctl.toml").write_text(f'[cors]\norigins = ["{OWN}"]\n[rules]\n"cors-any-origin" = "high"\n')
    with asgi_server(starlette_app(**GET, allow_origins=["*"])) as url:
        code = run(["check", "cors", "--url", url, "--format", "json", "--output", "sarif=out.sarif"])
        report = json.loads(capsys.readouterr().out)
        assert (code, report["verdict"], report["target"]) == (
            1,
            "fail",
            {"path": f"{url}/", "source": "live", "commit": None},
        )
        assert [each["severity"] for each in report["findings"]] == ["high"]
        sarif = json.loads((tmp_path / "out.sarif").read_text())
        location = sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
        assert location == {"uri": f"{url}/"}
        assert run(["check", "cors", "--url", url, "--fail-on", "never", "--quiet"]) == 0


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(["--origin", OWN], "--origin needs --url", id="origin-alone"),
        pytest.param(["--url", "http://127.0.0.1:9", "--origin", "app.example.com"], "is no origin", id="no-origin"),
        pytest.param(["--url", "http://127.0.0.1:9", "--origin", f"{OWN}/x"], "is no origin", id="a-path"),
        pytest.param(["--url", "http://127.0.0.1:9", "--staged"], "not at git", id="git"),
        pytest.param(["--url", "http://127.0.0.1:9"], "cannot be asked: Connection refused", id="nobody-there"),
        pytest.param(["--url", "http://no-such-host.invalid"], "has no address", id="no-name"),
    ],
)
def test_what_cannot_be_done(
    arguments: list[str],
    expected: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Exit code 2 and a reason."""
    monkeypatch.chdir(tmp_path)
    assert run(["check", "cors", *arguments]) == 2
    assert expected in capsys.readouterr().err


def test_severity_of_what_only_the_preflight_lets_in() -> None:
    """A proxy that answers preflights for the application lets requests in, though nobody reads the answers."""

    def handle(peer: socket.socket) -> None:
        while data := peer.recv(65536):
            allow = "Access-Control-Allow-Origin: *\r\n" if data.startswith(b"OPTIONS") else ""
            peer.sendall(f"HTTP/1.1 200 OK\r\n{allow}Content-Length: 0\r\n\r\n".encode())

    with raw_server(handle) as (url, _):
        judged = probe(url).findings[0]
    assert judged.severity is Severity.MEDIUM
    assert "passes the preflight" in judged.finding.message
