import json
import sys
from pathlib import Path
from typing import Any

import pytest
from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer, OAuth2PasswordBearer
from pydantic import BaseModel, Field

from hardenctl.load.endpoints import PASSWORD, TOKEN, USERNAME, find_endpoints
from hardenctl.load.openapi import Api
from hardenctl.model.errors import HardenctlError

ROOT = Path(__file__).parents[2]


def names(endpoints: Any) -> list[str]:
    """What is asked for."""
    return sorted(each.name for each in endpoints)


@pytest.fixture
def meds(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The OpenAPI document that FastAPI makes of the example."""
    monkeypatch.setenv("MEDS_SECRET_KEY", "for this test")
    monkeypatch.syspath_prepend(str(ROOT / "examples" / "meds"))
    monkeypatch.delitem(sys.modules, "main", raising=False)
    import main

    monkeypatch.delitem(sys.modules, "main")
    document: dict[str, Any] = main.app.openapi()
    return document


def test_meds_with_a_login(meds: dict[str, Any]) -> None:
    """Reads, and full CRUD of what the run creates; nothing that it could not undo."""
    api = Api(meds)
    endpoints, left_out = api.endpoints(authenticated=True)
    assert names(endpoints) == [
        "DELETE /items/{item_id}",
        "GET /analytics/summary",
        "GET /health",
        "GET /items",
        "GET /items/{item_id}",
        "GET /reminders",
        "POST /items",
        "PUT /items/{item_id}",
    ]
    assert left_out.risky == 3
    create = next(each for each in endpoints if each.method == "POST")
    assert create.body == {"name": "load {n}"}
    assert create.save == {"id_items": "id"}
    delete = next(each for each in endpoints if each.method == "DELETE")
    assert (delete.path, delete.consumes) == ("/items/{id_items}", True)


def test_meds_without_a_login(meds: dict[str, Any]) -> None:
    """What needs a login is left out and counted."""
    endpoints, left_out = Api(meds).endpoints(authenticated=False)
    assert names(endpoints) == ["GET /health"]
    assert left_out.secured == 8


def test_how_meds_logs_in(meds: dict[str, Any]) -> None:
    """The login and the registration are found by path and body."""
    login = Api(meds).login()
    assert login is not None
    assert login.request.path == "/auth/login"
    assert login.register is not None
    assert login.register.body == {"username": "{account}", "password": f"${PASSWORD}"}
    assert login.token == "access_token"  # noqa: S105 - the property


def test_an_oauth_form_and_an_email() -> None:
    """A password flow's form and a registration by mail address are found too."""
    app = FastAPI()

    class NewUser(BaseModel):
        email: str = Field(json_schema_extra={"format": "email"})
        password: str
        plan: str = Field(default="free")

    @app.post("/register")
    def register(user: NewUser) -> None:
        del user

    document = app.openapi()
    form = {"properties": {"username": {"type": "string"}, "password": {"type": "string"}}, "required": ["username"]}
    document["paths"]["/token"] = {
        "post": {"requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": form}}}, "responses": {}}
    }
    login = Api(document).login()
    assert login is not None
    assert login.request.form == {"username": "{account}", "password": f"${PASSWORD}"}
    assert login.register is not None
    assert login.register.body == {"email": "{account}@example.com", "password": f"${PASSWORD}"}


def document_of(paths: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A small document."""
    return {"openapi": "3.1.0", "paths": paths, **more}


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        pytest.param({"/a": {"get": {"responses": {}}}}, ["GET /a"], id="a-read"),
        pytest.param({"/a": {"post": {"responses": {}}}}, [], id="a-lone-post-may-do-anything"),
        pytest.param({"/a/{id}": {"delete": {"responses": {}}}}, [], id="nothing-is-deleted-that-was-not-created"),
        pytest.param({"/a/{id}": {"get": {"responses": {}}}}, [], id="no-id-to-read"),
        pytest.param({"/a": {"get": {"deprecated": True, "responses": {}}}}, [], id="deprecated"),
        pytest.param(
            {"/a": {"get": {"parameters": [{"name": "X", "in": "header", "required": True}], "responses": {}}}},
            [],
            id="a-header-nobody-can-guess",
        ),
        pytest.param({"/a": "nonsense", "/b": {"get": 5}}, [], id="nonsense"),
        pytest.param(
            {"/a": {"get": {"responses": {}}, "post": {"requestBody": {"content": {"image/png": {}}}}}},
            ["GET /a"],
            id="a-body-that-is-no-json",
        ),
    ],
)
def test_what_is_sent(paths: dict[str, Any], expected: list[str]) -> None:
    """Only what can be filled in and undone is sent."""
    assert names(Api(document_of(paths)).endpoints(authenticated=True)[0]) == expected


def test_required_query_parameters() -> None:
    """They are filled from example, default or type."""
    parameters = [
        {"name": "q", "in": "query", "required": True, "example": "tea"},
        {"name": "n", "in": "query", "required": True, "schema": {"type": "integer", "minimum": 3}},
        {"name": "b", "in": "query", "required": True, "schema": {"type": "boolean"}},
        {"name": "o", "in": "query", "schema": {"type": "string"}},
    ]
    api = Api(document_of({"/s": {"parameters": parameters, "get": {"responses": {}}}}))
    assert api.endpoints(authenticated=True)[0][0].path == "/s?q=tea&n=3&b=true"


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        pytest.param({"type": "string", "minLength": 12}, "load {n}xxxx", id="long-enough"),
        pytest.param({"type": "string", "maxLength": 3}, "x", id="short-enough"),
        pytest.param({"type": "string", "format": "date"}, "2026-01-02", id="format"),
        pytest.param({"enum": ["a", "b"]}, "a", id="enum"),
        pytest.param({"const": 7}, 7, id="const"),
        pytest.param({"examples": ["x"]}, "x", id="examples"),
        pytest.param({"anyOf": [{"type": "null"}, {"type": "integer"}]}, 1, id="nullable"),
        pytest.param({"type": ["null", "number"], "exclusiveMinimum": 5}, 6, id="type-list"),
        pytest.param({"type": "integer", "maximum": 0}, 0, id="maximum"),
        pytest.param({"type": "array", "items": {"type": "boolean"}, "minItems": 2}, [True, True], id="array"),
        pytest.param({"type": "array", "items": {}}, [], id="empty-array"),
        pytest.param({"allOf": [{"$ref": "#/components/schemas/A"}], "required": []}, {"a": 1}, id="all-of"),
        pytest.param({"$ref": "#/components/schemas/Loop"}, {"loop": {}}, id="recursion-ends"),
        pytest.param({"type": "null"}, None, id="null"),
    ],
)
def test_bodies(schema: dict[str, Any], expected: Any) -> None:
    """A body is made of the schema's required properties."""
    components = {
        "schemas": {
            "A": {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}, "b": {}}},
            "Loop": {"required": ["loop"], "properties": {"loop": {"$ref": "#/components/schemas/Loop"}}},
        }
    }
    body = {"content": {"application/json": {"schema": {"required": ["v"], "properties": {"v": schema}}}}}
    paths = {"/a": {"get": {"responses": {}}, "post": {"requestBody": body, "responses": {}}}}
    endpoints, _ = Api(document_of(paths, components=components)).endpoints(authenticated=True)
    made = next(each for each in endpoints if each.method == "POST").body["v"]
    if schema.get("$ref") == "#/components/schemas/Loop":
        assert json.dumps(made).startswith('{"loop": {"loop"')
    else:
        assert made == expected


class TestFind:
    """`find_endpoints` against a live target and files."""

    def app(self) -> dict[str, Any]:
        """Secured reads, an open one that refuses, a login and a registration."""
        app = FastAPI()

        class Credentials(BaseModel):
            username: str
            password: str

        @app.get("/ok")
        def ok() -> None:
            pass

        @app.get("/fail-in-truth")
        def liar() -> None:
            pass

        @app.get("/mine", dependencies=[Depends(HTTPBearer())])
        def mine() -> None:
            pass

        @app.post("/login")
        def login(credentials: Credentials) -> dict[str, str]:
            return {"username": credentials.username}

        return app.openapi()

    def test_no_credentials(self, target: Any) -> None:
        """What needs a login is left out, and the note says what to set."""
        target.documents["/openapi.json"] = self.app()
        found = find_endpoints(target.url, None, {})
        assert "GET /mine" not in names(found.endpoints)
        assert any(TOKEN in note for note in found.notes)

    def test_a_token(self, target: Any) -> None:
        """A token in the environment opens everything; only its variable's name is kept."""
        target.documents["/openapi.json"] = self.app()
        value = "tok" + "envalue"
        found = find_endpoints(target.url, None, {TOKEN: value})
        assert "GET /mine" in names(found.endpoints)
        assert found.authentication is not None
        assert found.authentication.token_env == TOKEN
        assert value not in repr(found)

    def test_an_account(self, target: Any) -> None:
        """An account in the environment is used with the login that was found."""
        target.documents["/openapi.json"] = self.app()
        found = find_endpoints(target.url, None, {USERNAME: "ada", PASSWORD: "x" * 9})
        assert found.authentication is not None
        assert found.authentication.login is not None
        assert found.authentication.login.body == {"username": f"${USERNAME}", "password": f"${PASSWORD}"}

    def test_a_registration(self, target: Any, meds: dict[str, Any]) -> None:
        """Where users can register, each makes an account of its own with a password made up for this run."""
        target.documents["/openapi.json"] = meds
        found = find_endpoints(target.url, None, {})
        assert found.authentication is not None
        assert found.authentication.register is not None
        assert len(found.secrets[PASSWORD]) > 20
        assert found.secrets[PASSWORD] not in repr(found)
        assert any("registers an account" in note for note in found.notes)

    def test_a_document_that_is_wrong_about_logins(self, target: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """A path the document calls open, but which answers 401, is left out."""
        from hardenctl.load import endpoints as module

        document = document_of({"/ok": {"get": {"responses": {}}}, "/mine": {"get": {"responses": {}}}})
        target.documents["/openapi.json"] = document
        monkeypatch.setattr(module, "_status", lambda url: 401 if url.endswith("/mine") else 200)
        found = find_endpoints(target.url, None, {})
        assert names(found.endpoints) == ["GET /ok"]

    def test_no_document(self, target: Any) -> None:
        """A target without one is no error, and said."""
        found = find_endpoints(target.url, None, {})
        assert found.endpoints == ()
        assert "HTTP 404" in found.notes[0]

    def test_a_dead_target(self) -> None:
        """One that doesn't answer isn't either."""
        assert "gave no answer" in find_endpoints("http://127.0.0.1:1", None, {}).notes[0]

    def test_a_file(self, target: Any, tmp_path: Path) -> None:
        """A document in a file, JSON or YAML."""
        (tmp_path / "api.yaml").write_text("paths: {/ok: {get: {responses: {}}}}", encoding="utf-8")
        assert names(find_endpoints(target.url, str(tmp_path / "api.yaml"), {}).endpoints) == ["GET /ok"]

    @pytest.mark.parametrize("text", ["[1]", "a: [", "paths: 5"])
    def test_what_is_no_document(self, target: Any, tmp_path: Path, text: str) -> None:
        """A file that was named must be usable."""
        (tmp_path / "api.yaml").write_text(text, encoding="utf-8")
        with pytest.raises(HardenctlError, match="is no OpenAPI document"):
            find_endpoints(target.url, str(tmp_path / "api.yaml"), {})

    def test_other_mistakes(self, target: Any) -> None:
        """A missing file, another host, a document that isn't there."""
        for openapi, words in (("none.json", "cannot be read"), ("http://127.0.0.2/x", "another host")):
            with pytest.raises(HardenctlError, match=words):
                find_endpoints(target.url, openapi, {})
        with pytest.raises(HardenctlError, match="HTTP 404"):
            find_endpoints(target.url, f"{target.url}/api.json", {})

    def test_a_redirect_is_not_followed(self, target: Any) -> None:
        """The document of another place was never confirmed."""
        with pytest.raises(HardenctlError, match="HTTP 302"):
            find_endpoints(target.url, f"{target.url}/redirect", {})
        assert "/ok" not in target.hits


def test_an_api_key_header() -> None:
    """The header that a document names carries the token."""
    scheme = {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-API-Key"}}}
    api = Api(document_of({"/a": {"get": {"security": [{"key": []}], "responses": {}}}}, components=scheme))
    assert (api.header, api.scheme, api.secured) == ("X-API-Key", "", True)


def test_oauth_is_seen_as_secured() -> None:
    """FastAPI's own OAuth2 dependency counts as a login."""
    app = FastAPI()

    @app.get("/mine", dependencies=[Depends(OAuth2PasswordBearer(tokenUrl="token"))])
    def mine() -> None:
        pass

    assert Api(app.openapi()).secured
