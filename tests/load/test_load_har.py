"""Requests from a browser's recording, and the story's tasks mapped to a target's paths."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardenctl.load.endpoints import TOKEN, Found
from hardenctl.load.har import find_in_har
from hardenctl.load.prepare import Wishes, prepare
from hardenctl.load.schema import read_scenario
from hardenctl.model.errors import DocumentError, HardenctlError, UsageError
from hardenctl.model.settings import LoadSettings
from hardenctl.rules.fakes import scramble

URL = "http://127.0.0.1:8000"


def entry(
    method: str = "GET",
    path: str = "/items",
    *,
    host: str = URL,
    at: float = 0.0,
    status: int = 200,
    kind: str = "application/json",
    headers: dict[str, str] | None = None,
    json_body: Any = None,
    form: str | None = None,
    **more: Any,
) -> dict[str, Any]:
    """An entry that takes 100 ms, as browsers write it."""
    request: dict[str, Any] = {
        "method": method,
        "url": host + path,
        "headers": [{"name": name, "value": value} for name, value in (headers or {}).items()],
    }
    if json_body is not None:
        request["postData"] = {"mimeType": "application/json; charset=utf-8", "text": json.dumps(json_body)}
    if form is not None:
        request["postData"] = {"mimeType": "application/x-www-form-urlencoded", "text": form}
    return {
        "startedDateTime": f"2026-01-02T03:04:{at:06.3f}Z",
        "time": 100,
        "request": request,
        "response": {"status": status, "content": {"mimeType": kind}},
        **more,
    }


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Found]:
    """Write a recording of entries and read it."""

    def call(*entries: Any, environment: dict[str, str] | None = None, host: str | None = None) -> Found:
        path = tmp_path / "recording.har"
        path.write_text(json.dumps({"log": {"version": "1.2", "entries": entries}}), encoding="utf-8")
        return find_in_har(path, URL, environment or {}, host)

    return call


def test_requests_are_weighted_by_how_often_they_were_made(read: Callable[..., Found]) -> None:
    """The same request twice is one of weight two; ids are one name in reports and their own path."""
    found = read(entry(), entry(), entry(path="/items/7?page=2"), entry("POST", json_body={"name": "x"}))
    assert [(each.name, each.path, each.weight, each.body) for each in found.endpoints] == [
        ("GET /items", "/items", 2, None),
        ("GET /items/{id}", "/items/7?page=2", 1, None),
        ("POST /items", "/items", 1, {"name": "x"}),
    ]


@pytest.mark.parametrize(
    ("left_out", "why"),
    [
        pytest.param(entry(host="https://cdn.example.com"), "to other hosts", id="another-host"),
        pytest.param(entry(host="http://127.0.0.1:9000"), "to other hosts", id="another-port"),
        pytest.param(entry(path="/logo", kind="image/png"), "static assets", id="by-type"),
        pytest.param(entry(path="/app.js?v=3", kind=""), "static assets", id="by-name"),
        pytest.param(entry(path="/font", kind="", _resourceType="font"), "static assets", id="as-chrome-says"),
        pytest.param(entry("OPTIONS"), "of another kind", id="preflight"),
        pytest.param(entry("DELETE", "/items/1"), "deletions, which work once", id="deletion"),
        pytest.param(entry(status=0), "without an answer", id="blocked"),
        pytest.param(entry(status=404), "answered with an error", id="error"),
        pytest.param(entry("POST", json_body={"a": "{n} and $HOME"}), "with text that would be filled in", id="fields"),
        pytest.param(
            entry("POST") | {"request": {"method": "POST", "url": URL, "postData": {"mimeType": "x/y", "text": "1"}}},
            "neither JSON nor a form",
            id="upload",
        ),
        pytest.param(
            entry("POST")
            | {"request": {"method": "POST", "url": URL, "postData": {"mimeType": "application/json", "text": "{"}}},
            "with a body that is no JSON",
            id="broken-json",
        ),
    ],
)
def test_what_is_left_out_is_said(left_out: dict[str, Any], why: str, read: Callable[..., Found]) -> None:
    """The run names what of the recording is not repeated, and why."""
    found = read(entry(), left_out)
    assert [each.name for each in found.endpoints] == ["GET /items"]
    assert any(note.startswith("of the recording are left out: 1") and why in note for note in found.notes), found.notes


def test_no_credential_is_taken_over(read: Callable[..., Found]) -> None:
    """Cookies, authorization, keys in queries, passwords and tokens in bodies: nothing of them is in what is found."""
    secret = scramble("har", 36)
    found = read(
        entry(
            path=f"/items?api_key={secret}&page=1",
            headers={
                "Cookie": f"sid={secret}",
                "Authorization": f"Bearer {secret}",
                "X-Token": secret,
                "Accept": "a/b",
            },
        ),
        entry("POST", "/login", json_body={"username": "ada", "userPassword": secret, "deep": [{"token": secret}]}),
        entry("POST", "/form", form=f"q=1&password={secret}"),
        entry("POST", "/note", json_body={"text": f"my key is {'sk_live_'}{secret}"}),
        entry(path=f"/reset/{scramble('har', 24)}1"),
    )
    assert secret not in repr(found)
    listing, login, form, note, reset = found.endpoints
    assert (listing.path, listing.headers) == ("/items?page=1", {"Accept": "a/b"})
    assert login.body == {"username": "ada", "userPassword": "$LOAD_USER_PASSWORD", "deep": [{"token": "$LOAD_TOKEN"}]}
    assert form.form == {"q": "1", "password": "$LOAD_PASSWORD"}
    assert note.body == {"text": "$LOAD_TEXT"}
    assert reset.name == "GET /reset/{id}"
    said = " ".join(found.notes)
    assert "`api_key`" in said
    assert "LOAD_USER_PASSWORD" in said
    assert "1 requests carried a cookie or an authorization, which are never taken over" in said


def test_variables_of_a_recording_must_be_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that needs a password says which variable, before it begins."""
    path = tmp_path / "recording.har"
    recorded = entry("POST", "/login", json_body={"password": scramble("har", 20)})
    path.write_text(json.dumps({"log": {"entries": [recorded]}}), encoding="utf-8")
    monkeypatch.delenv("LOAD_PASSWORD", raising=False)
    with pytest.raises(UsageError, match="LOAD_PASSWORD"):
        prepare(Wishes(host=URL, har=path), LoadSettings())
    monkeypatch.setenv("LOAD_PASSWORD", "x")
    assert prepare(Wishes(host=URL, har=path), LoadSettings()).scenario.endpoints[0].body == {
        "password": "$LOAD_PASSWORD"
    }


def test_a_token_of_the_environment(read: Callable[..., Found]) -> None:
    """It takes the place of what the recording carried."""
    found = read(entry(headers={"Authorization": "Bearer x"}), environment={TOKEN: "y"})
    assert found.authentication
    assert found.authentication.token_env == TOKEN
    assert not any("never taken over" in note for note in found.notes)


@pytest.mark.parametrize(
    ("starts", "think"),
    [
        pytest.param([0.0, 1.1, 2.2], (0.5, 1.5), id="a-second-between"),
        pytest.param([0.0, 0.05], (0.025, 0.075), id="at-once"),
        pytest.param([0.0], None, id="one-request"),
        pytest.param([0.0, 59.0], (15.0, 45.0), id="someone-went-away"),
    ],
)
def test_think_time_comes_from_the_recording(
    starts: list[float], think: tuple[float, float] | None, read: Callable[..., Found]
) -> None:
    """Half to one and a half of the mean pause between an answer and the next request."""
    assert read(*(entry(at=each) for each in starts)).think == think


def test_a_redirect_is_expected_again(read: Callable[..., Found]) -> None:
    """Users don't follow them; an answer from the browser's cache was a success."""
    found = read(entry("POST", "/login", status=303, json_body={}), entry(path="/", status=304))
    assert [each.status for each in found.endpoints] == [(303,), ()]


def test_another_host_was_recorded(read: Callable[..., Found]) -> None:
    """Without a request to the target the hosts are named; the option takes one of them."""
    recorded = entry(host="https://staging.example.com")
    with pytest.raises(DocumentError) as caught:
        read(recorded, recorded)
    assert "staging.example.com (2)" in caught.value.help
    assert len(read(recorded, host="staging.example.com").endpoints) == 1


@pytest.mark.parametrize("text", ["", "[]", '{"log": {}}', '{"log": {"entries": 5}}', "[" * 100_000, "\x00"])
def test_what_is_no_recording(text: str, tmp_path: Path) -> None:
    """It is an error without a traceback."""
    path = tmp_path / "recording.har"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DocumentError, match="is no HAR recording"):
        find_in_har(path, URL, {})


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param({}, id="empty"),
        pytest.param({"request": {}}, id="no-url"),
        pytest.param({"request": {"url": "http://[", "method": 1}}, id="bad-url"),
        pytest.param({"request": {"url": URL, "method": "GET"}, "response": {"status": "200"}}, id="status-is-text"),
        pytest.param(entry() | {"startedDateTime": "yesterday", "time": "long"}, id="no-time"),
        pytest.param("text", id="text"),
    ],
)
def test_broken_entries_are_passed_over(broken: Any, read: Callable[..., Found]) -> None:
    """Browsers differ; the other entries count all the same."""
    assert [each.name for each in read(entry(), broken).endpoints] == ["GET /items"]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_KEYS = st.sampled_from(
    ["method", "url", "headers", "queryString", "postData", "cookies", "mimeType", "text", "params"]
)


@given(
    st.lists(st.dictionaries(st.sampled_from(["request", "response", "startedDateTime", "time"]), _JSON), max_size=3)
)
def test_any_entry_is_passed_over_or_taken(junk: list[dict[str, Any]]) -> None:
    """Whatever JSON stands where an entry should be, the others count and nothing crashes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recording.har"
        path.write_text(json.dumps({"log": {"entries": [*junk, entry()]}}), encoding="utf-8")
        assert "GET /items" in {each.name for each in find_in_har(path, URL, {}).endpoints}


@given(st.dictionaries(_KEYS, _JSON, max_size=5))
def test_any_request_is_passed_over_or_taken(junk: dict[str, Any]) -> None:
    """So it is for what stands in a request to the target."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recording.har"
        broken = {**entry(), "request": {"method": "POST", "url": f"{URL}/x", **junk}}
        path.write_text(json.dumps({"log": {"entries": [broken, entry()]}}), encoding="utf-8")
        assert "GET /items" in {each.name for each in find_in_har(path, URL, {}).endpoints}


@given(
    key=st.sampled_from(["password", "api_key", "accessToken", "client_secret", "csrf_token", "sessionId", "otp"]),
    depth=st.integers(0, 3),
    value=st.text("abcdefghijkmnpqrstuvwxyz23456789", min_size=12, max_size=40),
)
def test_a_named_credential_is_never_kept(key: str, depth: int, value: str) -> None:
    """However deep in a body it stands, in a form, in a query, in any header, under any value."""
    body: Any = {key: value}
    for level in range(depth):
        body = {"inner": body} if level % 2 else [body]
    entries = [
        entry("POST", "/a", json_body=body, headers={"X-Custom": value, "Cookie": value}),
        entry("POST", "/b", form=f"{key}={value}"),
        entry(path=f"/c?{key}={value}"),
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recording.har"
        path.write_text(json.dumps({"log": {"entries": entries}}), encoding="utf-8")
        found = find_in_har(path, URL, {})
    assert len(found.endpoints) == 3
    assert value not in repr(found)


def test_a_run_from_a_recording(
    load_run: Callable[..., tuple[int, dict[str, Any]]], target: Any, tmp_path: Path
) -> None:
    """The recorded requests reach the target in their proportions, without a cookie."""
    path = tmp_path / "recording.har"
    entries = [entry(path="/ok", host=target.url, headers={"Cookie": "a=b"}, at=at / 50) for at in range(3)]
    entries.append(entry(path="/", host=target.url, at=0.5))
    path.write_text(json.dumps({"log": {"entries": entries}}), encoding="utf-8")
    code, document = load_run("--host", target.url, "--har", path, "--gate", "p50<5s")
    assert code == 0
    assert target.hits["/ok"] > target.hits["/"] > 0
    assert not any("Cookie" in headers for headers in target.headers)
    assert any("from a recording" in note for note in document["notes"])


@pytest.mark.parametrize(
    "wishes",
    [
        pytest.param({"har": Path("a"), "openapi": "b"}, id="har-and-openapi"),
        pytest.param({"har": Path("a"), "locustfile": Path("b")}, id="har-and-locustfile"),
        pytest.param({"har_host": "a"}, id="host-without-har"),
        pytest.param({"har": Path("missing.har")}, id="no-file"),
    ],
)
def test_sources_that_contradict(wishes: dict[str, Any]) -> None:
    """They are usage errors."""
    with pytest.raises(HardenctlError):
        prepare(Wishes(host=URL, **wishes), LoadSettings())


def test_tasks_at_a_targets_paths(tmp_path: Path) -> None:
    """The built-in user's three tasks, CRUD and analytics come from four paths."""
    file = tmp_path / "load.yaml"
    file.write_text(
        "tasks: {items: /api/things, reminders: /api/due, entries: /api/log, analytics: /api/stats, id: data.id}\n",
        encoding="utf-8",
    )
    endpoints = {each.name: each for each in read_scenario(file).endpoints}
    assert {name: (each.method, each.path) for name, each in endpoints.items()} == {
        "create an item": ("POST", "/api/things"),
        "view reminders": ("GET", "/api/due"),
        "log an entry": ("POST", "/api/log"),
        "list items": ("GET", "/api/things"),
        "read an item": ("GET", "/api/things/{item_id}"),
        "update an item": ("PUT", "/api/things/{item_id}"),
        "delete an item": ("DELETE", "/api/things/{item_id}"),
        "analytics": ("GET", "/api/stats"),
    }
    assert endpoints["create an item"].save == {"item_id": "data.id"}
    assert endpoints["log an entry"].body == {"item_id": "{item_id}"}
    assert endpoints["delete an item"].consumes


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("tasks: {}", "name a path", id="nothing"),
        pytest.param("tasks: {entries: /log}", "need a body of their own", id="entries-of-nothing"),
        pytest.param("tasks: {items: things}", "`tasks.items`", id="no-path"),
        pytest.param("tasks: {items: /a, item: {password: abc}}", "is written out", id="a-credential"),
        pytest.param("tasks: {itmes: /a}", "items", id="a-typo"),
    ],
)
def test_tasks_that_cannot_be(text: str, words: str, tmp_path: Path) -> None:
    """They are errors that say what to do."""
    file = tmp_path / "load.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DocumentError) as caught:
        read_scenario(file)
    assert words in f"{caught.value.what} {caught.value.help}"
