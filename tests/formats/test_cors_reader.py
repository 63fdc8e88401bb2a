"""What the CORS reader finds, where, and in which environments: files, variables, gaps."""

# ruff: noqa: E501 - one case a line reads as a table

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Mapping

import pytest

from hardenctl.detect.config import detect_config
from hardenctl.formats import cors
from hardenctl.formats.cors import trace
from hardenctl.formats.cors.acceptance import Acceptance, is_local, mutants
from hardenctl.formats.cors.document import CorsSetup
from hardenctl.formats.cors.samples import samples
from hardenctl.formats.environment import configured_values
from hardenctl.formats.pins import pinned_versions
from hardenctl.formats.python.world import Configured, Reads, environment_name, plan
from hardenctl.model.blob import Gap
from hardenctl.model.finding import Confidence, Hit, Severity
from hardenctl.model.settings import CorsSettings, Settings
from hardenctl.model.text import Span
from hardenctl.rules.cors import RULES
from hardenctl.rules.fakes import scramble
from hardenctl.sources.memory import MemorySnapshot

HEAD = (
    "import os\nfrom starlette.applications import Starlette\n"
    "from starlette.middleware.cors import CORSMiddleware\n\napp = Starlette()\n"
)


class Repository(MemorySnapshot):
    """Files that nobody named one by one."""

    def named(self, path: str) -> bool:
        """None was."""
        del path
        return False


def setups(files: Mapping[str, str]) -> list[CorsSetup]:
    """The set-ups of a repository."""
    return [each for each in cors.read(Repository(files)) if isinstance(each, CorsSetup)]


def hits(files: Mapping[str, str], settings: Settings | None = None) -> dict[str, Hit]:
    """Rule id to hit."""
    found = list(detect_config(Repository(files), RULES, settings or Settings()))
    assert not [each for each in found if isinstance(each, Gap)]
    return {each[0].id: each[1] for each in found if not isinstance(each, Gap)}


def added(arguments: str, before: str = "") -> dict[str, str]:
    """A service with the middleware."""
    return {"main.py": f"{HEAD}{before}app.add_middleware(CORSMiddleware, {arguments})\n"}


# -- gaps and scope --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("from flask_cors import CORS\n\ndef (\n", "line 3: syntax error", id="syntax"),
        pytest.param("# CORSMiddleware\n\0", "cannot be parsed as Python", id="null-byte"),
        pytest.param("# CORSMiddleware\n" + "#" * 1_000_001, "too large to be read as Python", id="too-large"),
    ],
)
def test_a_module_that_matters_and_cannot_be_parsed_is_a_gap(text: str, reason: str) -> None:
    """Nothing that may set CORS up is passed over in silence."""
    gaps = [each for each in cors.read(Repository({"main.py": text})) if isinstance(each, Gap)]
    assert [each.path for each in gaps] == ["main.py"]
    assert gaps[0].reason.endswith(reason) or "syntax error" in gaps[0].reason


def test_a_named_file_with_a_syntax_error_is_a_gap_whatever_it_says() -> None:
    """Who names a file wants to hear that it could not be read."""
    files = {"other.py": "def (\n"}
    (gap,) = [each for each in cors.read(MemorySnapshot(files)) if isinstance(each, Gap)]
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert gap.reason == f"line 1: syntax error to Python {version}, which runs hardenctl"
    assert list(cors.read(Repository(files))) == []


@pytest.mark.parametrize(
    "path", ["tests/app.py", "test_main.py", "docs/example.py", "app/conftest.py", "examples/x.py"]
)
def test_tests_and_examples_are_no_deployment(path: str) -> None:
    """A set-up in a test file or an example is left out, unless the user names the file."""
    files = {path: added('allow_origins=["*"]')["main.py"]}
    assert setups(files) == []
    assert len(list(cors.read(MemorySnapshot(files)))) == 1


def test_a_relevant_module_is_found_by_its_bytes() -> None:
    """Modules without a word of CORS are not even parsed."""
    assert list(cors.read(Repository({"a.py": "def (\n", "b.py": "x = 1\n"}))) == []


# -- environments ----------------------------------------------------------------------------------------------------

BY_ENVIRONMENT = (
    'origins = ["https://app.example.com"]\nif os.getenv("ENVIRONMENT", "development") == "development":\n'
    '    origins = ["*"]\n'
)


def test_a_wildcard_of_development_is_no_finding() -> None:
    """Unless policy takes development off the list."""
    files = added("allow_origins=origins", BY_ENVIRONMENT)
    assert "cors-any-origin" not in hits(files)
    strict = Settings(cors=CorsSettings(wildcard_environments=()))
    assert hits(files, strict)["cors-any-origin"].confidence is Confidence.LIKELY


@pytest.mark.parametrize(
    ("before", "files", "rule"),
    [
        pytest.param(
            'origins = ["*"] if os.getenv("ENV") != "production" else ["https://a.example"]\n',
            {},
            "cors-wildcard-default",
            id="fails-open",
        ),
        pytest.param(
            'origins = ["*"] if os.getenv("STAGE") == "staging" else ["https://a.example"]\n', {}, "cors-any-origin", id="staging"
        ),
        pytest.param(
            'origins = os.getenv("ORIGINS", "*").split(",")\n',
            {".env.prod": "ORIGINS=https://a.example\n"},
            "cors-wildcard-default",
            id="default-behind-an-env-file",
        ),
        pytest.param(
            'origins = os.getenv("ORIGINS", "").split(",")\n', {".env.prod": "ORIGINS=*\n"}, "cors-any-origin", id="env-file"
        ),
        pytest.param(
            'origins = os.environ["ORIGINS"].split(",")\n', {"Dockerfile": 'FROM x\nENV A=b ORIGINS="*"\n'}, "cors-any-origin", id="dockerfile"
        ),
        pytest.param(
            'origins = os.environ["ORIGINS"].split(",")\n',
            {"compose.yaml": "services:\n  web:\n    environment:\n      - ORIGINS=${X:-*}\n"},
            "cors-any-origin",
            id="compose-list-with-a-default",
        ),
    ],
)  # fmt: skip
def test_files_of_the_repository_decide(before: str, files: dict[str, str], rule: str) -> None:
    """The value that an env file, a compose file or a Dockerfile sets is the one that counts."""
    found = hits({**added("allow_origins=origins", before), **files})
    assert rule in found
    assert not {"cors-any-origin", "cors-wildcard-default"} - {rule} & set(found)
    assert found[rule].confidence is Confidence.LIKELY


@pytest.mark.parametrize(
    "files",
    [
        {".env.dev": "ORIGINS=*\n"},
        {".env.example": "ORIGINS=*\n"},
        {"compose.yaml": "services:\n  web:\n    environment:\n      ORIGINS: ${ORIGINS}\n"},
        {"compose.yaml": "services: [\n"},
    ],
)
def test_a_required_variable_is_what_is_wanted(files: dict[str, str]) -> None:
    """Origins read from a variable without a default are clean, unless a file for production sets them badly."""
    found = hits({**added("allow_origins=origins", 'origins = os.environ["ORIGINS"].split(",")\n'), **files})
    assert found == {}


def test_related_locations_show_the_chain() -> None:
    """A finding points at the file that sets the variable, and never quotes the value."""
    files = {**added('allow_origins=os.environ["ORIGINS"].split(",")'), ".env.production": "A=1\nORIGINS=*\n"}
    hit = hits(files)["cors-any-origin"]
    assert [each.span.path for each in hit.related] == [".env.production"]
    assert hit.related[0].message == "`ORIGINS` is set here"


def test_configured_values() -> None:
    """Env files, compose mappings and lists, env files they take, Dockerfiles; unknown references are None.

    Examples are left out, unless a service takes one.
    """
    files = {
        ".env": "A='x y' # note\nexport B=${C}\n",
        ".env.example": "A=no\n",
        "docker-compose.staging.yml": "services:\n  a:\n    environment:\n      D: true\n      E: 5\n  b: null\n",
        "compose.yml": "services:\n  a:\n    environment: [F=g, H]\n",
        "Dockerfile": "FROM x\nENV I=j \\\n    K='l'\n",
        "compose.prod.yml": "services:\n  a:\n    env_file: [conf/web.env]\n    environment:\n      N: ${Z:-o}\n      P:\n",
        "conf/web.env": "M=1\n",
        "app.py": "A = 1\n",
    }
    values = configured_values(MemorySnapshot(files))
    found = {name: [(each.value, each.environment) for each in given] for name, given in values.items()}
    assert found == {
        "A": [("x y", "")], "B": [(None, "")], "D": [("true", "staging")], "E": [("5", "staging")],
        "F": [("g", "production"), ("g", ""), ("g", "staging")], "I": [("j", "")], "K": [("l", "")],
        "M": [("1", "production")], "N": [("o", "production")],
    }  # fmt: skip
    assert values["A"][0].span == Span(".env", 0, 14)
    taken_by = values["M"][0].taken_by
    assert taken_by is not None
    assert taken_by.path == "compose.prod.yml"


def test_worlds() -> None:
    """Nothing set, production, development, each environment the code names, each the repository configures."""
    reads = Reads(
        {"APP_ENV": {"dev"}, "DEBUG": {"1"}, "IS_PRODUCTION": set(), "X": set()},
        {"APP_ENV": {"prod", "staging"}, "DEBUG": {"1"}},
    )
    configured = {"X": [Configured("a", Span("e", 0, 1), "production"), Configured("b", Span("e", 0, 1))]}
    worlds = [(each.environment, dict(each.variables)) for each in plan(reads, configured)]
    forced = {"APP_ENV": "prod", "DEBUG": "0", "IS_PRODUCTION": "True"}
    assert worlds == [
        ("development", {}),
        ("production", forced),
        ("development", {"APP_ENV": "development"}),
        ("staging", {**forced, "APP_ENV": "staging"}),
        ("production", {**forced, "X": "b"}),
        ("production", {**forced, "X": "a"}),
    ]


@pytest.mark.parametrize(
    ("word", "name"), [("dev", "development"), ("PROD", "production"), ("stg", "staging"), ("qa", "qa")]
)
def test_environment_names(word: str, name: str) -> None:
    """The usual short forms mean the usual environments."""
    assert environment_name(word) == name


# -- django ----------------------------------------------------------------------------------------------------------

BASE = 'MIDDLEWARE = ["corsheaders.middleware.CorsMiddleware"]\n'
CLASSES = (
    "from configurations import Configuration, values\n\nclass Cors:\n    CORS_ALLOW_ALL_ORIGINS = {}\n\n"
    "class Core(Configuration):\n    MIDDLEWARE = ['corsheaders.middleware.CorsMiddleware']\n\n"
    "class Base(Core, Cors):\n    pass\n\nclass Production(Base):\n    pass\n"
)
SWITCHED = (
    BASE + "from environs import Env\nenv = Env()\nif env.bool('DEBUG', True):\n    CORS_ORIGIN_ALLOW_ALL = True\n"
)


@pytest.mark.parametrize(
    ("files", "rules"),
    [
        pytest.param({"s/settings/base.py": BASE + "CORS_ALLOW_ALL_ORIGINS = True\n", "s/settings/dev.py": "from .base import *\n"}, {"cors-any-origin"}, id="base-is-production"),
        pytest.param({"s/settings/base.py": BASE, "s/settings/local.py": "from .base import *\nCORS_ALLOW_ALL_ORIGINS = True\n"}, set(), id="local-only"),
        pytest.param({"s/settings/base.py": BASE, "s/settings/cors.py": "CORS_ALLOW_ALL_ORIGINS = True\n"}, {"cors-any-origin"}, id="a-fragment"),
        pytest.param({"s/settings/base.py": SWITCHED, "s/settings/production.py": "from .base import *\n", "compose.prod.yml": "services: {web: {build: ., environment: {DEBUG: 'False'}}}\n"}, {"cors-wildcard-default"}, id="switched-off-where-it-is-deployed"),
        pytest.param({"s/settings/base.py": SWITCHED, "s/settings/production.py": "from .base import *\n", "compose.prod.yml": "services: {web: {build: ., environment: {DEBUG: 'True'}}}\n"}, {"cors-any-origin"}, id="switched-on-where-it-is-deployed"),
        pytest.param({"s/settings/base.py": SWITCHED, "s/settings/production.py": "from .base import *\n"}, {"cors-any-origin"}, id="on-by-default"),
        pytest.param({"settings.py": BASE + "CORS_ALLOWED_ORIGINS = 'https://a.example'\n"}, {"cors-startup-error"}, id="string"),
        pytest.param({"settings.py": BASE + "CORS_ALLOWED_ORIGINS = load()\n"}, {"cors-unresolved"}, id="unresolved"),
        pytest.param({"settings.py": BASE + "CORS_ALLOWED_ORIGIN_REGEXES = [r'^https://(a|b).*$']\nCORS_ALLOW_CREDENTIALS = True\n"}, {"cors-lookalike-origin"}, id="regexes"),
        pytest.param({"settings.py": CLASSES.format("values.BooleanValue(True)")}, {"cors-any-origin"}, id="a-class-open-by-default"),
        pytest.param({"settings.py": CLASSES.format("values.BooleanValue(False)")}, set(), id="a-class-closed-by-default"),
        pytest.param({"settings.py": CLASSES.format("True")}, {"cors-any-origin"}, id="a-class-that-is-open"),
        pytest.param({"settings.py": CLASSES.format("False") + "class Development(Base):\n    CORS_ALLOW_ALL_ORIGINS = True\n"}, set(), id="a-class-for-development"),
        pytest.param({"settings.py": CLASSES.format("values.BooleanValue(True)"), ".env.production": "DJANGO_CORS_ALLOW_ALL_ORIGINS=no\n"}, {"cors-wildcard-default"}, id="a-class-closed-where-it-is-deployed"),
        pytest.param({"settings.py": CLASSES.format("values.BooleanValue(environ_name='OPEN')")}, set(), id="a-class-that-the-operator-opens"),
        pytest.param({"settings.py": "from x import *\nCORS_ALLOW_ALL_ORIGINS = True\n# corsheaders.middleware\n"}, {"cors-any-origin"}, id="middleware-elsewhere"),
    ],
)  # fmt: skip
def test_django_settings(files: dict[str, str], rules: set[str]) -> None:
    """What a deployment ends up with is judged, under the environment its settings module names."""
    assert set(hits(files)) - {"cors-hardcoded-origins"} == rules


# -- the rest of the rules -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "rule", "severity"),
    [
        pytest.param('allow_origins=["*"], allow_credentials=unknown()', "cors-any-origin", Severity.HIGH, id="credentials-unknown"),
        pytest.param('allow_origins=["*"], allow_methods=["*"]', "cors-wildcard-methods", None, id="methods-for-all"),
        pytest.param('allow_origins=["https://a.example"], allow_methods="*"', "cors-wildcard-methods", Severity.LOW, id="methods-for-some"),
        pytest.param('allow_origins=["https://a.example"], allow_headers=["*"]', "cors-wildcard-headers", Severity.LOW, id="headers-for-some"),
        pytest.param('allow_origins=["null"], allow_credentials=True', "cors-null-origin", Severity.HIGH, id="null-with-credentials"),
        pytest.param('allow_origins=["http://a.example.com"]', "cors-plaintext-origin", Severity.LOW, id="plain-http"),
        pytest.param('allow_origin_regex="https://a.example.com"', "cors-lookalike-origin", Severity.MEDIUM, id="lookalike"),
        pytest.param('allow_origins=["http://localhost:3000"]', "cors-hardcoded-origins", None, id="localhost-only"),
        pytest.param("allow_origins=[*elsewhere]", "cors-unresolved", None, id="unresolved"),
        pytest.param("**options", "cors-unresolved", None, id="unresolved-keywords"),
    ],
)  # fmt: skip
def test_severity_follows_what_is_at_stake(arguments: str, rule: str, severity: Severity | None) -> None:
    """A rule is milder where the origins are a list or no credentials are sent, worse where they are."""
    assert hits(added(arguments))[rule].severity == severity


def test_origins_named_in_the_policy_are_meant() -> None:
    """Origins in the code that policy lists are no finding."""
    files = added('allow_origins=["https://app.example.com"]')
    assert set(hits(files)) == {"cors-hardcoded-origins"}
    assert hits(files, Settings(cors=CorsSettings(origins=("https://app.example.com",)))) == {}


def test_the_whole_call_is_marked_where_credentials_are_at_stake() -> None:
    """From the start of the call to its end, as the contract shows; else the argument's value."""
    files = added('allow_origins=["*"], allow_credentials=True')
    span = hits(files)["cors-any-origin-credentials"].span
    assert files["main.py"][span.start : span.end].startswith("app.add_middleware(")
    files = added('allow_origins=["*"]')
    span = hits(files)["cors-any-origin"].span
    assert files["main.py"][span.start : span.end] == '["*"]'


@pytest.mark.parametrize(
    ("pin", "wanted"),
    [
        pytest.param({"requirements.txt": "starlette==0.27.0\n"}, "starlette 0.27.0 sends the caller's origin back to every request with a cookie", id="old"),
        pytest.param({"uv.lock": 'name = "starlette"\nversion = "1.2.0"\n'}, "starlette sends the caller's origin back", id="new"),
    ],
)  # fmt: skip
def test_the_pinned_version_decides_the_explanation(pin: dict[str, str], wanted: str) -> None:
    """Starlette before 1.0 reflects only when a cookie is sent, later always."""
    assert (
        wanted
        in hits({**added('allow_origins=["*"], allow_credentials=True'), **pin})["cors-any-origin-credentials"].message
    )


@pytest.mark.parametrize(
    ("value", "clause"),
    [
        pytest.param("os.getenv('A', '*')", "(`A` decides, and its default does)", id="one"),
        pytest.param(
            "os.getenv('A', os.getenv('B', '*'))", "(`A`, `B` decide, and what holds without them does)", id="several"
        ),
    ],
)
def test_what_decides_is_named(value: str, clause: str) -> None:
    """In a sentence, for one variable and for several."""
    found = hits(added(f"allow_origins=[{value}]"))
    assert clause in found["cors-any-origin"].message


def test_pinned_versions() -> None:
    """A lock file beats a requirement; names are compared in their normal form."""
    files = {
        "requirements/base.txt": "Flask_Cors[x] ~= 4.0\nfastapi>=0.1\n",
        "pyproject.toml": 'dependencies = [\n  "starlette<1.0",\n]\n',
        "poetry.lock": '[[package]]\nname = "starlette"\nversion = "0.41.0"\n',
    }
    assert pinned_versions(MemorySnapshot(files)) == {"flask-cors": "4.0", "starlette": "0.41.0"}


# -- acceptance ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("acceptance", "dead"),
    [
        (Acceptance("starlette", literals=("https://a.example/",)), "https://a.example/"),
        (Acceptance("starlette", literals=(" https://a.example",)), " https://a.example"),
        (Acceptance("starlette", literals=("https://A.example",)), "https://A.example"),
        (Acceptance("starlette", literals=("a.example",)), "a.example"),
        (Acceptance("starlette", literals=("https://a.example:443",)), "https://a.example:443"),
        (Acceptance("django-cors-headers", literals=("https://*.a.example",)), "https://*.a.example"),
        (Acceptance("starlette", dead=("https://a.example/",)), "https://a.example/"),
    ],
)
def test_entries_that_never_match(acceptance: Acceptance, dead: str) -> None:
    """Such an entry is named, and indeed lets nobody in as a browser writes it."""
    assert [entry for entry, _ in acceptance.never_match()] == [dead]
    assert not acceptance.accepts("https://a.example")


@pytest.mark.parametrize("entry", ["https://a.example", "http://localhost:3000", "null", "*", ""])
def test_entries_that_match(entry: str) -> None:
    """Origins as browsers write them, and the special words, are alive."""
    assert not list(Acceptance("starlette", literals=(entry,)).never_match())


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ("https://(a|b)", ["https://a", "https://b"]),
        (r"x{2}\d+[^q][a-c]?", ["xx1aa", "xx1a"]),
        ("a.b.*", ["a.ba", "a.b"]),
        ("(", []),
        (r"(?P<n>y)[z]\w(?=k)", ["yza"]),
    ],
)
def test_samples_of_patterns(pattern: str, wanted: list[str]) -> None:
    """Each alternative once, with repeats at their least."""
    assert samples(pattern) == wanted


def test_mutants_are_other_sites() -> None:
    """None of the lookalikes of an origin is the origin, and none is made of what is no origin."""
    made = list(mutants("https://app.example.com:8443"))
    assert "https://app.example.com.evil.example" in made
    assert "https://appxexample.com:8443" in made
    assert not [each for each in ("nonsense", "ftp://a.example", "https://[::1", "") for _ in mutants(each)]


@pytest.mark.parametrize(
    ("host", "local"), [("localhost", True), ("192.168.1.2", True), ("web", True), ("a.example", False)]
)
def test_local_hosts(host: str, local: bool) -> None:  # noqa: FBT001 - a column of the table
    """Names that no attacker's page can have."""
    assert is_local(host) is local


@pytest.mark.parametrize("origin", ["https://[", "null", "https://a.example"])
def test_django_compares_scheme_and_host(origin: str) -> None:
    """A broken origin gets in nowhere, and broken entries stop nothing."""
    acceptance = Acceptance("django-cors-headers", literals=("https://[", "https://b.example"), patterns=("(",))
    assert not acceptance.accepts(origin)
    assert acceptance.broken_pattern() == "("


def test_two_set_ups_of_one_module_have_identities_of_their_own() -> None:
    """So that accepting one in a baseline does not accept the other."""
    twice = 'app.add_middleware(CORSMiddleware, allow_origins=["*"])\n' * 2
    found = list(detect_config(Repository({"main.py": HEAD + twice}), RULES, Settings()))
    identities = [each[1].identity for each in found if not isinstance(each, Gap)]
    assert len(identities) == len(set(identities)) == 2


@pytest.mark.parametrize("template", ["https://user:{}@a.example", "{}", "http://user:{}@a.example.com/"])
def test_no_message_quotes_a_secret(template: str) -> None:
    """A credential that somebody put among the origins is not repeated."""
    secret = scramble("cors", 32)
    files = {
        **added('allow_origins=os.environ["ORIGINS"].split(",") + ["x"], allow_credentials=True'),
        "settings.py": BASE + 'import os\nCORS_ALLOWED_ORIGINS = os.environ["ORIGINS"].split(",")\n',
        ".env.production": f"ORIGINS={template.format(secret)}\n",
    }
    found = list(detect_config(Repository(files), RULES, Settings()))
    assert found
    assert secret not in repr(found)


def test_many_functions_that_nobody_calls_are_each_walked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which one nobody else mentions is not asked anew for each pair of them."""
    walks = 0
    walk = trace.names_in

    def counting(nodes: Iterable[ast.AST]) -> set[str]:
        nonlocal walks
        walks += 1
        return walk(nodes)

    monkeypatch.setattr(trace, "names_in", counting)
    functions = 60
    text = HEAD + "".join(
        f"def set_up_{number}(app):\n    app.add_middleware(CORSMiddleware, allow_origins=['*'])\n"
        for number in range(functions)
    )
    found = [each for each in cors.read(Repository({"app.py": text})) if isinstance(each, CorsSetup)]
    assert len(found) == functions
    assert walks <= 4 * functions
