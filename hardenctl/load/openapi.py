"""From an OpenAPI document to requests: reads, and the create-read-update-delete of what the run itself made.

Nothing is sent that a run could not undo: a POST is only used where its collection can be read, and what is changed or
deleted is what a POST of this run created.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hardenctl.load.scenario import Endpoint

PASSWORD = "HARDENCTL_LOAD_PASSWORD"  # noqa: S105 - the variable's name
_LOGIN = re.compile(r"(?:^|[/_-])(?:log-?in|sign-?in|token|authenticate)/?$", re.IGNORECASE)
_REGISTER = re.compile(r"(?:^|[/_-])(?:register|sign-?up|registration)/?$", re.IGNORECASE)
NAMES = frozenset({"username", "email", "login", "user", "user_name"})
_DEPTH = 6
_WEIGHTS = {"GET": 5, "POST": 2, "PUT": 1, "PATCH": 1, "DELETE": 1}
_STRINGS = {
    "email": "load{n}@example.com",
    "date": "2026-01-02",
    "date-time": "2026-01-02T03:04:05Z",
    "time": "03:04:05",
    "uuid": "{uuid}",
    "uri": "https://example.com/{n}",
}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Operations that are not sent: for want of a login, and because nothing here could undo or fill them in."""

    secured: int = 0
    risky: int = 0


@dataclass(frozen=True, slots=True)
class Login:
    """A target's own way to a credential. `token` is the property of the login's answer that holds it."""

    request: Endpoint
    register: Endpoint | None
    token: str


class Api:
    """An OpenAPI 3 document. Tolerant: what isn't as it should be is left out."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        schemes = _mapping(_mapping(document.get("components")).get("securitySchemes"))
        self.header, self.scheme = "Authorization", "Bearer"
        for each in map(_mapping, schemes.values()):
            if each.get("type") == "apiKey" and each.get("in") == "header":
                self.header, self.scheme = str(each.get("name")), ""
        self.operations = list(self._operations())
        self.secured = any(operation.secured for operation in self.operations)

    def readable(self) -> tuple[str, ...]:
        """Paths that the document says anyone may read: what a look at the target can prove wrong."""
        return tuple(
            each.path for each in self.operations if each.method == "GET" and not each.secured and "{" not in each.path
        )

    def endpoints(self, *, authenticated: bool, refused: Collection[str] = ()) -> tuple[tuple[Endpoint, ...], LeftOut]:
        """The requests to send, and how many operations are left out.

        `refused` are paths which turned out to want a login; so does all that lies below them.
        """

        def open_to_all(each: _Operation) -> bool:
            return not each.secured and not any(f"{each.path}/".startswith(f"{path}/") for path in refused)

        usable = [each for each in self.operations if authenticated or open_to_all(each)]
        by_key = {(each.method, each.path): each for each in usable}
        chosen: list[Endpoint] = []
        for each in usable:
            made = self._endpoint(each, by_key)
            if made is not None:
                chosen.append(made)
        secured = len(self.operations) - len(usable)
        return tuple(chosen), LeftOut(secured, len(usable) - len(chosen))

    def login(self) -> Login | None:
        """How users log in, and register if they can; None where no operation looks like it."""
        login = self._account_request("log in", _LOGIN)
        if login is None:
            return None
        operation = next(each for each in self.operations if each.path == login.path and each.method == "POST")
        answers = self._answer_properties(operation)
        token = next((name for name in ("access_token", "token", "access", "jwt") if name in answers), "access_token")
        return Login(login, self._account_request("register", _REGISTER), token)

    def _account_request(self, name: str, path: re.Pattern[str]) -> Endpoint | None:
        """A POST to such a path with a name and a password in its body."""
        for operation in self.operations:
            if operation.method != "POST" or not path.search(operation.path):
                continue
            content = _mapping(self._resolve(operation.data.get("requestBody")).get("content"))
            for kind in ("application/json", "application/x-www-form-urlencoded"):
                schema = _mapping(_mapping(content.get(kind)).get("schema"))
                properties = self._properties(schema)
                if "password" not in properties or not NAMES & set(properties):
                    continue
                sample = self._sample(schema)
                body = {key: value for key, value in (sample if isinstance(sample, dict) else {}).items() if value}
                for key in NAMES & set(properties):
                    mail = key == "email" or _mapping(properties[key]).get("format") == "email"
                    if key in body or len(NAMES & set(properties)) == 1:
                        body[key] = "{account}@example.com" if mail else "{account}"
                body["password"] = "$" + PASSWORD
                if kind == "application/json":
                    return Endpoint(name, "POST", operation.path, body=body)
                return Endpoint(name, "POST", operation.path, form={key: str(value) for key, value in body.items()})
        return None

    def _endpoint(self, operation: _Operation, by_key: Mapping[tuple[str, str], _Operation]) -> Endpoint | None:
        """The request of an operation, None where it had better not be sent."""
        method, path = operation.method, operation.path
        query, schema = self._query(operation), self._body_schema(operation)
        save: dict[str, str] = {}
        if query is None or schema is None:
            return None
        if "{" in path:
            if not self._creates(path, by_key):
                return None
            collection = path.rpartition("/")[0]
            path = f"{collection}/{{{_saved(collection)}}}"
        elif method == "POST":
            children = [key for key in by_key if key[1].startswith(f"{path}/{{") and "/" not in key[1][len(path) + 1 :]]
            if ("GET", path) not in by_key and not children:
                return None
            key = next(
                (found for child in children if (found := self._id_of(operation, child[1].split("{")[1][:-1]))), ""
            )
            if key:
                save[_saved(path)] = key
        elif method != "GET":
            return None
        return Endpoint(
            name=f"{method} {operation.path}",
            method=method,
            path=path + query,
            weight=_WEIGHTS[method],
            body=self._sample(schema) if method in {"POST", "PUT", "PATCH"} else None,
            save=save,
            consumes=method == "DELETE",
        )

    def _creates(self, path: str, by_key: Mapping[tuple[str, str], _Operation]) -> bool:
        """Whether the last part of a path is the id of something that this run can create."""
        collection, _, last = path.rpartition("/")
        create = by_key.get(("POST", collection))
        if create is None or "{" in collection or not last.endswith("}"):
            return False
        return bool(self._id_of(create, last[1:-1])) and self._endpoint(create, by_key) is not None

    def _operations(self) -> Iterator[_Operation]:
        default = bool(self.document.get("security"))
        for path, item in _mapping(self.document.get("paths")).items():
            for method in _WEIGHTS:
                operation = _mapping(_mapping(item).get(method.lower()))
                if not operation or operation.get("deprecated"):
                    continue
                security = operation.get("security")
                shared = _mapping(item).get("parameters") or []
                parameters = [self._resolve(each) for each in [*shared, *(operation.get("parameters") or [])]]
                secured = default if security is None else bool(security) and {} not in security
                yield _Operation(method, str(path), operation, parameters, secured)

    def _query(self, operation: _Operation) -> str | None:
        """The required query parameters filled in; None where something else is required that we cannot know."""
        parts = []
        for each in operation.parameters:
            if not each.get("required") or each.get("in") == "path":
                continue
            if each.get("in") != "query":
                return None
            value = each.get("example", self._sample(_mapping(each.get("schema"))))
            if isinstance(value, list | dict):
                return None
            parts.append(f"{each.get('name')}={str(value).lower() if isinstance(value, bool) else value}")
        return "?" + "&".join(parts) if parts else ""

    def _body_schema(self, operation: _Operation) -> Mapping[str, Any] | None:
        """The JSON schema of the body; an empty one where none is wanted, None where it is no JSON."""
        body = self._resolve(operation.data.get("requestBody"))
        if not body:
            return {"const": None}
        content = _mapping(body.get("content")).get("application/json")
        return None if content is None else _mapping(_mapping(content).get("schema"))

    def _id_of(self, create: _Operation, parameter: str) -> str:
        """Which property of a creation's answer names what was created; empty where none does."""
        properties = self._answer_properties(create)
        return next((name for name in ("id", parameter, "uuid", "pk") if name in properties), "")

    def _answer_properties(self, operation: _Operation) -> Mapping[str, Any]:
        """The properties of the JSON that a successful answer holds."""
        found: dict[str, Any] = {}
        for status, answer in _mapping(operation.data.get("responses")).items():
            if str(status).startswith("2"):
                content = _mapping(_mapping(self._resolve(answer).get("content")).get("application/json"))
                found.update(self._properties(_mapping(content.get("schema"))))
        return found

    def _properties(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        schema = self._resolve(schema)
        found = dict(_mapping(schema.get("properties")))
        for part in schema.get("allOf") or ():
            found.update(self._properties(_mapping(part)))
        return found

    def _sample(self, schema: Mapping[str, Any], depth: int = 0) -> Any:
        """A value that a schema allows, the required properties of objects alone."""
        schema = self._resolve(schema)
        given = _given(schema)
        if given is not None:
            return given
        for key in ("anyOf", "oneOf"):
            choices = [each for each in schema.get(key) or () if _mapping(each).get("type") != "null"]
            if choices and depth < _DEPTH:
                return self._sample(_mapping(choices[0]), depth + 1)
        kind = schema.get("type")
        kind = next((each for each in kind if each != "null"), None) if isinstance(kind, list) else kind
        if kind == "object" or schema.get("properties") or schema.get("allOf"):
            return self._object(schema, depth)
        if kind == "array":
            least = int(schema.get("minItems") or 0)
            return [self._sample(_mapping(schema.get("items")), depth + 1)] * least if depth < _DEPTH else []
        return _scalar(kind, schema)

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        if depth >= _DEPTH:
            return {}
        required = set(schema.get("required") or ())
        value = {
            name: self._sample(_mapping(each), depth + 1)
            for name, each in _mapping(schema.get("properties")).items()
            if name in required
        }
        for part in schema.get("allOf") or ():
            merged = self._sample(_mapping(part), depth + 1)
            value.update(merged if isinstance(merged, dict) else {})
        return value

    def _resolve(self, value: Any) -> Mapping[str, Any]:
        """A mapping with its `$ref` followed, within the document alone."""
        for _ in range(_DEPTH):
            reference = _mapping(value).get("$ref")
            if not isinstance(reference, str) or not reference.startswith("#/"):
                break
            value = self.document
            for key in reference[2:].split("/"):
                value = _mapping(value).get(key.replace("~1", "/").replace("~0", "~"))
        return _mapping(value)


@dataclass(frozen=True, slots=True)
class _Operation:
    method: str
    path: str
    data: Mapping[str, Any]
    parameters: list[Mapping[str, Any]]
    secured: bool


def _saved(collection: str) -> str:
    """The name under which users keep what they created in a collection."""
    return "id_" + "".join(character if character.isalnum() else "_" for character in collection.strip("/"))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _given(schema: Mapping[str, Any]) -> Any:
    """The value that a schema itself names; None where it names none."""
    for key in ("const", "example", "default"):
        if schema.get(key) is not None:
            return schema[key]
    values = schema.get("examples") or schema.get("enum")
    return next(iter(values.values() if isinstance(values, dict) else values)) if values else None


def _scalar(kind: Any, schema: Mapping[str, Any]) -> Any:
    if kind in {"integer", "number"}:
        low = schema.get("minimum", schema.get("exclusiveMinimum", 0))
        return low + 1 if "exclusiveMinimum" in schema else max(low, min(1, schema.get("maximum", 1)))
    if kind == "boolean":
        return True
    return _string(schema) if kind == "string" else None


def _string(schema: Mapping[str, Any]) -> str:
    if schema.get("format") in _STRINGS:
        return _STRINGS[schema["format"]]
    least, most = int(schema.get("minLength") or 0), int(schema.get("maxLength") or 1000)
    if most < 12:  # noqa: PLR2004 - no room for a number that keeps growing
        return "x" * max(1, min(most, least or 1))
    return "load {n}".ljust(least, "x")
