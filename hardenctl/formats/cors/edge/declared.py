"""CORS as proxies and gateways declare it: lists of origins in YAML, TOML and container labels.

What each makes of its lists was read in its own code or documentation:
- Traefik compares origins, and searches in them with regular expressions; `*` is sent as it stands
  (pkg/middlewares/headers/header.go).
- Envoy and Istio send the caller's origin back, for `*` too (source/extensions/filters/http/cors/cors_filter.cc); a
  regular expression has to match the whole origin, a prefix its beginning.
- ingress-nginx lets everybody in, with credentials, unless told otherwise, and sends `*` as it stands
  (https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/#enable-cors).
- Kong sends the caller's origin back where credentials are on (https://developer.konghq.com/plugins/cors/).
- AWS refuses `*` with credentials (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from hardenctl.formats.cors.acceptance import Acceptance
from hardenctl.formats.cors.document import Argument, CorsSetup, Outcome
from hardenctl.formats.cors.edge.where import environment_of
from hardenctl.formats.yaml import Mapping, Node, Scalar, load_yaml
from hardenctl.formats.yaml import Sequence as Items
from hardenctl.model.blob import Blob, Gap
from hardenctl.model.errors import DocumentError
from hardenctl.model.text import Span

DEEPEST = 40  # levels that are looked into
_LABEL = re.compile(
    r"traefik\.http\.middlewares\.([\w@-]+)\.headers\.(accesscontrolallow(?:originlist(?:regex)?|credentials|methods|headers))"
    r"(?:\[\d+\])?\Z",
    re.IGNORECASE,
)
_TEMPLATED = re.compile(r"\$\{?([A-Z][A-Z0-9_]*)|\{\{")
_INGRESS = "nginx.ingress.kubernetes.io/"
_TRUE = frozenset({"true", "yes", "on", "1"})


@dataclass
class _Declared:
    """One declaration, before it is an acceptance. `reflects`: `*` is answered with the caller's origin."""

    library: str
    span: Span
    name: str = ""
    literals: list[str] = field(default_factory=list)
    patterns: list[str] = field(default_factory=list)
    credentials: bool = False
    methods: list[str] | None = None
    headers: list[str] | None = None
    reflects: bool = False
    arguments: dict[str, Argument] = field(default_factory=dict)

    def setup(self, path: str) -> CorsSetup:
        """The set-up that it is."""
        templated = [found for each in (*self.literals, *self.patterns) if (found := _TEMPLATED.search(each))]
        literals = tuple(each for each in self.literals if not _TEMPLATED.search(each))
        everyone = "*" in literals
        outcome = Outcome(
            environment=environment_of(path),
            acceptance=Acceptance(
                self.library,
                everyone=everyone,
                literals=tuple(each for each in literals if each != "*"),
                patterns=tuple(each for each in self.patterns if not _TEMPLATED.search(each)),
            ),
            # A browser refuses `*` for a request with credentials: only a reflected origin reads with them.
            credentials=self.credentials and (self.reflects or not everyone),
            methods=tuple(self.methods) if self.methods is not None else None,
            headers=tuple(self.headers) if self.headers is not None else None,
            variables=frozenset(found[1] for found in templated if found[1]),
            open_ended=bool(templated),
            unresolved=bool(templated),
        )
        return CorsSetup(path, self.library, self.span, self.arguments, (outcome,), name=self.name)


def read(blob: Blob) -> Iterator[CorsSetup | Gap]:
    """The set-ups of a file; a Gap where it cannot be parsed. A template of another tool is passed over."""
    if blob.path.endswith(".toml"):
        yield from (each.setup(blob.path) for each in _toml(blob))
        return
    try:
        documents = load_yaml(blob.text, blob.path)
    except DocumentError as error:
        if b"{{" not in blob.data:  # Helm's: no YAML before it is rendered
            yield Gap(blob.path, f"line {error.line}: {error.what}" if error.line else error.what)
        return
    for document in documents:
        yield from (each.setup(blob.path) for each in _walk(document, "", 0))


def _walk(node: Node, name: str, depth: int) -> Iterator[_Declared]:
    if depth > DEEPEST:
        return
    if isinstance(node, Mapping):
        yield from _of(node, name)
        name = _text(node.get("name")) or name
        for key, value in node:
            yield from _walk(value, key.text if isinstance(value, Mapping) else name, depth + 1)
    elif isinstance(node, Items):
        yield from _labelled(
            [
                (each.text.partition("=")[0], each, each.text.partition("=")[2])
                for each in node
                if isinstance(each, Scalar)
            ]
        )
        for each in node:
            yield from _walk(each, name, depth + 1)


def _of(node: Mapping, name: str) -> Iterator[_Declared]:
    """What one mapping declares itself."""
    yield from _labelled([(key.text, key, _text(value)) for key, value in node if isinstance(value, Scalar)])
    yield from _traefik(node, name)
    for key in ("corsPolicy", "cors", "cors_policy"):
        policy = node.get(key)
        if isinstance(policy, Mapping):
            yield from _envoy(policy, name)
    if _text(node.get(_INGRESS + "enable-cors")).lower() in _TRUE:
        yield _ingress(node)
    if _text(node.get("name")) == "cors" and isinstance(node.get("config"), Mapping):
        yield from _kong(node)
    for key in ("CorsConfiguration", "Cors", "httpApi", "cors"):
        yield from _aws(node, key)


def _traefik(node: Mapping, name: str) -> Iterator[_Declared]:
    found = {key.text.lower(): (key, value) for key, value in node if key.text.lower().startswith("accesscontrolallow")}
    if not {"accesscontrolalloworiginlist", "accesscontrolalloworiginlistregex"} & found.keys():
        return
    first = next(key for word, (key, _) in found.items() if "origin" in word)
    declared = _Declared("traefik", first.span, name)
    for word, (key, value) in found.items():
        _fill_traefik(declared, word, _strings(value), key.span)
    yield declared


def _labelled(labels: Sequence[tuple[str, Scalar, str]]) -> Iterator[_Declared]:
    """Traefik's middlewares among a container's labels."""
    found: dict[str, _Declared] = {}
    for label, node, value in labels:
        match = _LABEL.fullmatch(label.strip())
        if match:
            declared = found.setdefault(match[1].lower(), _Declared("traefik", node.span, match[1]))
            _fill_traefik(declared, match[2].lower(), [each.strip() for each in value.split(",")], node.span)
    yield from (each for each in found.values() if each.literals or each.patterns)


def _fill_traefik(declared: _Declared, word: str, values: list[str], span: Span) -> None:
    if word == "accesscontrolalloworiginlist":
        declared.literals += values
        declared.span = span
        declared.arguments["allow_origins"] = Argument(span)
    elif word == "accesscontrolalloworiginlistregex":
        # In labels a dollar is doubled, for Compose; a comma inside a pattern cannot be told from one between two.
        declared.patterns += [each.replace("$$", "$").replace("`", "") for each in values]
        declared.span = span
        declared.arguments["allow_origin_regex"] = Argument(span)
    elif word == "accesscontrolallowcredentials":
        declared.credentials = values[:1] == ["true"]
    elif word == "accesscontrolallowmethods":
        declared.methods = [*(declared.methods or []), *values]
        declared.arguments["allow_methods"] = Argument(span)
    elif word == "accesscontrolallowheaders":
        declared.headers = [*(declared.headers or []), *values]
        declared.arguments["allow_headers"] = Argument(span)


def _envoy(policy: Mapping, name: str) -> Iterator[_Declared]:
    """Istio's corsPolicy and Envoy's: string matches."""
    for key in ("allowOrigins", "allowOrigin", "allow_origin_string_match", "allow_origin"):
        matches, at = policy.get(key), policy.key(key)
        if at is None or not isinstance(matches, Items):
            continue
        library = "envoy" if "_" in key else "istio"
        declared = _Declared(library, at.span, name, reflects=True, arguments={"allow_origins": Argument(at.span)})
        for each in matches:
            if isinstance(each, Scalar):
                declared.literals.append(each.text)
            elif isinstance(each, Mapping):
                _fill_match(declared, each)
        sent = policy.get("allowCredentials") or policy.get("allow_credentials")
        declared.credentials = _text(sent if not isinstance(sent, Mapping) else sent.get("value")).lower() == "true"
        for field_, words in (
            ("methods", ("allowMethods", "allow_methods")),
            ("headers", ("allowHeaders", "allow_headers")),
        ):
            listed = policy.get(words[0]) or policy.get(words[1])
            if listed is not None:
                setattr(declared, field_, [each.strip() for text in _strings(listed) for each in text.split(",")])
        if declared.literals or declared.patterns:
            yield declared


def _fill_match(declared: _Declared, match: Mapping) -> None:
    for key, value in match:
        text = _text(value.get("regex") if isinstance(value, Mapping) else value)
        if key.text == "exact":
            declared.literals.append(text)
        elif key.text in {"regex", "safeRegex", "safe_regex"}:
            declared.patterns.append(text)
        elif key.text == "prefix":
            # `*` after Envoy's own reading: any text begins with an empty one
            declared.patterns.append(re.escape(text) + ".*")
        elif key.text == "suffix":
            declared.patterns.append(".*" + re.escape(text))


def _ingress(node: Mapping) -> _Declared:
    """An Ingress of ingress-nginx: everybody, with credentials, where nothing else is said."""
    at = node.key(_INGRESS + "cors-allow-origin") or node.key(_INGRESS + "enable-cors")
    declared = _Declared("ingress-nginx", at.span if at else node.span)
    declared.arguments["allow_origins"] = Argument(declared.span)
    for each in (_text(node.get(_INGRESS + "cors-allow-origin")) or "*").split(","):
        origin = each.strip()
        if "*." in origin:
            declared.patterns.append(re.escape(origin).replace(r"\*", r"[A-Za-z0-9\-]+"))
        else:
            declared.literals.append(origin)
    declared.credentials = _text(node.get(_INGRESS + "cors-allow-credentials")).lower() != "false"
    return declared


def _kong(node: Mapping) -> Iterator[_Declared]:
    config = node.get("config")
    if not isinstance(config, Mapping):
        return
    at = config.key("origins")
    origins = _strings(config.get("origins")) if at is not None else ["*"]
    literals = [each for each in origins if each == "*" or re.fullmatch(r"[\w:/.-]+", each)]
    declared = _Declared("kong", at.span if at is not None else node.span, "cors", literals, reflects=True)
    declared.patterns = [each for each in origins if each not in literals]
    declared.credentials = _text(config.get("credentials")).lower() == "true"
    declared.methods = _strings(config.get("methods")) if "methods" in config else None
    declared.headers = _strings(config.get("headers")) if "headers" in config else None
    declared.arguments["allow_origins"] = Argument(declared.span)
    yield declared


def _aws(node: Mapping, key: str) -> Iterator[_Declared]:
    """SAM's and CloudFormation's CorsConfiguration, SAM's and the Serverless Framework's `cors`."""
    value, at = node.get(key), node.key(key)
    if at is None:
        return
    if isinstance(value, Scalar) and key in {"Cors", "cors"}:
        text = value.text.strip("'\"")
        # `cors: true` of the Serverless Framework stands beside the path or the method of a route, or in `httpApi`.
        if text == "*" or (
            text.lower() == "true" and {"path", "method", "authorizer", "payload"} & {k.text for k, _ in node}
        ):
            yield _Declared("api-gateway", at.span, literals=["*"], arguments={"allow_origins": Argument(at.span)})
    elif isinstance(value, Mapping):
        for word in ("AllowOrigins", "AllowOrigin", "allowedOrigins", "origins", "origin"):
            origins, where = value.get(word), value.key(word)
            if where is None or origins is None:
                continue
            listed = [each.strip().strip("'\"") for text in _strings(origins) for each in text.split(",")]
            sent = _text(value.get("AllowCredentials") or value.get("allowCredentials")).lower() == "true"
            yield _Declared(
                "api-gateway", where.span, literals=listed, credentials=sent,
                arguments={"allow_origins": Argument(where.span)},
            )  # fmt: skip
            return


def _toml(blob: Blob) -> Iterator[_Declared]:
    """Traefik's dynamic configuration in TOML."""
    import tomllib

    try:
        data = tomllib.loads(blob.text)
    except tomllib.TOMLDecodeError:
        return  # what parses TOML for its own sake says so
    http = data.get("http")
    middlewares = http.get("middlewares") if isinstance(http, dict) else None
    for name, middleware in middlewares.items() if isinstance(middlewares, dict) else ():
        headers = middleware.get("headers") if isinstance(middleware, dict) else None
        if not isinstance(headers, dict):
            continue
        declared = _Declared("traefik", Span(blob.path, 0, 0), str(name))
        for key, value in headers.items():
            at = blob.text.find(key, blob.text.find(str(name)))
            values = list(map(str, value)) if isinstance(value, list) else [str(value).lower()]
            _fill_traefik(declared, key.lower(), values, Span(blob.path, max(at, 0), max(at, 0) + len(key)))
        if declared.literals or declared.patterns:
            yield declared


def _listed(node: Node | None) -> list[str] | None:
    """The words of a list, or of one text with commas."""
    return None if node is None else [each.strip() for text in _strings(node) for each in text.split(",")]


def _strings(node: Node | None) -> list[str]:
    if isinstance(node, Items):
        return [each.text for each in node if isinstance(each, Scalar)]
    return [node.text] if isinstance(node, Scalar) else []


def _text(node: Node | None) -> str:
    return node.text if isinstance(node, Scalar) else ""
