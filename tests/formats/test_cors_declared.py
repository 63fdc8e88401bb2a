"""CORS that proxies and gateways declare: who gets in, as each of them reads its own lists."""

from __future__ import annotations

import pytest

from hardenctl.detect.config import detect_config
from hardenctl.formats.cors.edge.where import environment_of, is_static
from hardenctl.model.blob import Gap
from hardenctl.model.settings import Settings
from hardenctl.rules.cors import RULES
from hardenctl.sources.memory import MemorySnapshot

TRAEFIK = "http:\n middlewares:\n  cors:\n   headers:\n"
ISTIO = "kind: VirtualService\nspec:\n  http:\n    - corsPolicy:\n"
INGRESS = 'kind: Ingress\nmetadata:\n  annotations:\n    nginx.ingress.kubernetes.io/enable-cors: "true"\n'
LABEL = "traefik.http.middlewares.cors.headers.accesscontrolallow"


def rules(path: str, text: str) -> set[str]:
    """The ids of the rules that fire on a file."""
    found = list(detect_config(MemorySnapshot({path: text}), RULES, Settings()))
    assert not [each for each in found if isinstance(each, Gap)]
    return {each[0].id.removeprefix("cors-") for each in found if not isinstance(each, Gap)}


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        pytest.param(
            "traefik/dynamic.yml",
            TRAEFIK + "    accessControlAllowOriginList: ['*']\n",
            {"any-origin"},
            id="traefik",
        ),
        pytest.param(
            "traefik/dynamic.yml",
            TRAEFIK + "    accessControlAllowOriginList: ['*']\n    accessControlAllowCredentials: true\n",
            {"any-origin"},
            id="traefik-wildcard-is-sent-as-it-stands",
        ),
        pytest.param(
            "traefik/dynamic.yml",
            TRAEFIK + "    accessControlAllowOriginListRegex: ['.*']\n    accessControlAllowCredentials: true\n",
            {"any-origin-credentials"},
            id="traefik-pattern-of-everything",
        ),
        pytest.param(
            "traefik/dynamic.yml",
            TRAEFIK + "    accessControlAllowOriginListRegex: ['https://app\\.example\\.com']\n",
            {"lookalike-origin"},
            id="traefik-pattern-without-an-end",
        ),
        pytest.param(
            "traefik/dynamic.yml",
            TRAEFIK + "    accessControlAllowOriginListRegex: ['^https://[a-z]+\\.example\\.com$']\n",
            set(),
            id="traefik-good-pattern",
        ),
        pytest.param(
            "traefik/dynamic.toml",
            '[http.middlewares.cors.headers]\naccessControlAllowOriginList = ["*"]\n',
            {"any-origin"},
            id="traefik-toml",
        ),
        pytest.param(
            "docker-compose.yml",
            f"services:\n  web:\n    image: x\n    labels:\n      - {LABEL}originlist=*\n      - {LABEL}methods=*\n",
            {"any-origin", "wildcard-methods"},
            id="traefik-labels",
        ),
        pytest.param(
            "docker-compose.yml",
            f"services:\n  web:\n    labels:\n      {LABEL}originlist: https://app.example.com,http://b.example.com\n",
            {"plaintext-origin"},
            id="traefik-labels-as-a-mapping",
        ),
        pytest.param(
            "docker-compose.yml",
            f"services:\n  web:\n    labels:\n      - {LABEL}originlistregex=^https://(.*)\\.example\\.com$$\n",
            set(),
            id="traefik-labels-double-their-dollars",
        ),
        pytest.param(
            "docker-compose.dev.yml",
            f"services:\n  web:\n    labels:\n      - {LABEL}originlist=*\n",
            set(),
            id="development",
        ),
        pytest.param(
            "docker-compose.yml",
            f"services:\n  web:\n    labels:\n      - {LABEL}originlist=${{CORS_ORIGINS}}\n",
            {"unresolved"},
            id="a-variable",
        ),
        pytest.param(
            "k8s/middleware.yaml",
            "apiVersion: traefik.io/v1alpha1\nkind: Middleware\nmetadata: {name: c}\nspec:\n  headers:\n"
            "    accessControlAllowOriginList: ['https://app.example.com/']\n",
            {"dead-origin"},
            id="traefik-in-kubernetes",
        ),
        pytest.param(
            "istio.yaml",
            ISTIO + "        allowOrigins: [{exact: '*'}]\n        allowCredentials: true\n",
            {"any-origin-credentials"},
            id="istio-reflects",
        ),
        pytest.param(
            "istio.yaml",
            ISTIO + "        allowOrigins: [{prefix: 'https://app.example.com'}]\n",
            {"lookalike-origin"},
            id="istio-prefix",
        ),
        pytest.param(
            "istio.yaml",
            ISTIO + "        allowOrigins: [{regex: 'https://.*\\.example\\.com'}, {exact: 'https://b.example.com'}]\n",
            set(),
            id="istio-pattern-matches-whole-origins",
        ),
        pytest.param(
            "envoy.yaml",
            "cors:\n  allow_origin_string_match:\n    - safe_regex: {regex: '.*'}\n  allow_credentials: true\n",
            {"any-origin-credentials"},
            id="envoy",
        ),
        pytest.param("k8s/ingress.yaml", INGRESS, {"any-origin"}, id="ingress-nginx-defaults"),
        pytest.param(
            "k8s/ingress.yaml",
            INGRESS
            + "    nginx.ingress.kubernetes.io/cors-allow-origin: https://app.example.com, https://*.example.com\n",
            set(),
            id="ingress-nginx-subdomains",
        ),
        pytest.param(
            "kong.yml",
            "plugins:\n  - name: cors\n    config:\n      origins: ['*']\n      credentials: true\n",
            {"any-origin-credentials"},
            id="kong",
        ),
        pytest.param(
            "kong.yml", "plugins:\n  - name: cors\n    config: {max_age: 3}\n", {"any-origin"}, id="kong-default"
        ),
        pytest.param(
            "template.yaml",
            "Resources:\n  Api:\n    Properties:\n      CorsConfiguration:\n        AllowOrigins: ['*']\n",
            {"any-origin"},
            id="sam",
        ),
        pytest.param("template.yaml", "Globals:\n  Api:\n    Cors: \"'*'\"\n", {"any-origin"}, id="sam-quoted-twice"),
        pytest.param(
            "serverless.yml",
            "functions:\n a:\n  events:\n  - http:\n     path: x\n     method: get\n     cors: true\n",
            {"any-origin"},
            id="serverless",
        ),
        pytest.param("config.yml", "cors: true\n", set(), id="somebody-elses-switch"),
        pytest.param("i18n/en.yml", "cors:\n  title: Origins\n  origin: https://app.example.com\n", set(), id="texts"),
    ],
)
def test_who_gets_in(path: str, text: str, expected: set[str]) -> None:
    """The rules that fire are those that the gateway's own reading of its lists calls for."""
    assert rules(path, text) == expected


def test_a_broken_file_is_a_gap() -> None:
    """YAML that allows origins and cannot be parsed was not looked at; Helm's templates are no YAML yet."""
    text = TRAEFIK + "    accessControlAllowOriginList: ['*'\n"
    found = list(detect_config(MemorySnapshot({"t.yml": text}), RULES, Settings()))
    assert [each.path for each in found if isinstance(each, Gap)] == ["t.yml"]
    helm = "{{ if .x }}\n" + TRAEFIK + "    accessControlAllowOriginList: {{ toYaml .x }}\n  - {{ end }}\n"
    assert not list(detect_config(MemorySnapshot({"t.yml": helm}), RULES, Settings()))


@pytest.mark.parametrize(
    ("location", "static"),
    [
        pytest.param(r"~* \.(woff2?|ttf|eot|svg)$", True, id="fonts"),
        pytest.param(r"~* ^.+\.(?:css|js)$", True, id="assets"),
        pytest.param("/static/", True, id="folder"),
        pytest.param("^~ /assets/fonts/", True, id="folder-first"),
        pytest.param(r"~* \.(php|js)$", False, id="a-program-among-them"),
        pytest.param("/api/", False, id="api"),
        pytest.param("", False, id="everything"),
    ],
)
def test_what_anybody_gets_anyway(location: str, static: bool) -> None:  # noqa: FBT001 - a table
    """Fonts and images may be for everybody."""
    assert is_static(location) == static


@pytest.mark.parametrize(
    ("path", "environment"),
    [
        pytest.param("docker/nginx.dev.conf", "development", id="name"),
        pytest.param("local/traefik.yml", "development", id="folder"),
        pytest.param("nginx/default.conf", "", id="none"),
        pytest.param("device/nginx.conf", "", id="word-inside-another"),
    ],
)
def test_the_environment_of_a_file(path: str, environment: str) -> None:
    """What is for developers by its name is no production."""
    assert environment_of(path) == environment
