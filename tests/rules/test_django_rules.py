"""The django rules: which settings module is judged, and what each shape of a setting comes to."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from hardenctl.audit import audit
from hardenctl.detect.config import detect_config
from hardenctl.model.blob import Gap
from hardenctl.model.finding import Applicability, Confidence, Hit, Replace, Severity
from hardenctl.model.settings import Settings
from hardenctl.policy.policy import Policy
from hardenctl.rules.django import RULES
from hardenctl.sources import open_source
from hardenctl.sources.memory import MemorySnapshot

HEAD = 'import os\nROOT_URLCONF = "urls"\n'
ENVIRON = 'import environ\nenv = environ.Env()\nROOT_URLCONF = "urls"\n'
DECOUPLE = 'from decouple import Csv, config\nROOT_URLCONF = "urls"\n'
MIDDLEWARE = """MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
"""
SECURE = "SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = True\nSECURE_HSTS_SECONDS = 60\n"
CLASSES = "from configurations import Configuration\nclass Base(Configuration):\n    ROOT_URLCONF = ''\n"
STAR = "from .base import *\n"
NAMES = 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "{}")\n'


def hits(files: Mapping[str, str], *rules: str) -> list[tuple[str, Hit]]:
    """What the rules say, without gaps."""
    found = list(detect_config(MemorySnapshot(files), RULES, Settings()))
    assert not [each for each in found if isinstance(each, Gap)]
    told = [(each[0].id.removeprefix("django-"), each[1]) for each in found if isinstance(each, tuple)]
    return [each for each in told if not rules or each[0] in rules]


def words(files: Mapping[str, str], *rules: str) -> set[str]:
    """Rule and severity of each hit: `debug high`."""
    severities = {each.id.removeprefix("django-"): each.severity for each in RULES}
    return {
        f"{rule} {(severities[rule] if hit.severity is None else hit.severity).word}"
        for rule, hit in hits(files, *rules)
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(HEAD, set(), id="absent: off"),
        pytest.param(HEAD + "DEBUG = False", set(), id="off"),
        pytest.param(HEAD + "DEBUG = True", {"debug high"}, id="on"),
        pytest.param(HEAD + "DEBUG = True\nDEBUG = False", set(), id="the last one wins"),
        pytest.param(HEAD + "DEBUG = 1", {"debug high"}, id="as true as True"),
        pytest.param(ENVIRON + 'DEBUG = env.bool("DEBUG", default=False)', set(), id="environ-off"),
        pytest.param(ENVIRON + 'DEBUG = env.bool("DEBUG", default=True)', {"debug high"}, id="environ-on"),
        pytest.param(ENVIRON + 'DEBUG = env.bool("DEBUG")', set(), id="environ-required"),
        pytest.param(
            'import environ\nenv = environ.Env(DEBUG=(bool, True))\nROOT_URLCONF = ""\nDEBUG = env("DEBUG")',
            {"debug high"},
            id="environ-scheme",
        ),
        pytest.param(DECOUPLE + 'DEBUG = config("DEBUG", default=False, cast=bool)', set(), id="decouple-off"),
        pytest.param(DECOUPLE + 'DEBUG = config("DEBUG", default=True, cast=bool)', {"debug high"}, id="decouple-on"),
        pytest.param(DECOUPLE + 'DEBUG = config("DEBUG", cast=bool)', set(), id="decouple-required"),
        pytest.param(HEAD + 'DEBUG = os.getenv("DEBUG", "True") == "True"', {"debug high"}, id="os-compared-on"),
        pytest.param(HEAD + 'DEBUG = os.getenv("DEBUG", "False") == "True"', set(), id="os-compared-off"),
        pytest.param(HEAD + 'DEBUG = os.environ.get("DEBUG") in ("1", "true")', set(), id="os-listed"),
        pytest.param(HEAD + 'DEBUG = os.getenv("DEBUG", "False")', {"debug high"}, id="the text False is true"),
        pytest.param(HEAD + 'DEBUG = os.environ["DEBUG"]', {"debug high"}, id="any text is true"),
        pytest.param(HEAD + 'DEBUG = bool(int(os.getenv("DEBUG", "0")))', set(), id="os-number"),
        pytest.param(HEAD + 'DEBUG = not os.getenv("PRODUCTION")', {"debug high"}, id="on unless a variable says no"),
        pytest.param(
            HEAD + 'ENV = os.getenv("ENV", "development")\nDEBUG = ENV != "production"',
            {"debug high"},
            id="development unless told otherwise",
        ),
        pytest.param(
            HEAD + 'ENV = os.getenv("ENV", "production")\nDEBUG = ENV == "development"',
            set(),
            id="production unless told otherwise",
        ),
        pytest.param(
            "from pydantic_settings import BaseSettings\nROOT_URLCONF = ''\n"
            "class Own(BaseSettings):\n    debug: bool = True\nDEBUG = Own().debug",
            {"debug high"},
            id="pydantic-on",
        ),
        pytest.param(
            HEAD + 'DEBUG = False\nif "test" in __import__("sys").argv:\n    DEBUG = True',
            {"unresolved info"},
            id="odd",
        ),
        pytest.param("import sys\n" + HEAD + 'if "test" in sys.argv:\n    DEBUG = True', set(), id="only for tests"),
        pytest.param("import other\n" + HEAD + "DEBUG = other.load()", {"unresolved info"}, id="from elsewhere"),
        pytest.param(
            HEAD + "DEBUG = True\ntry:\n    from .local_settings import *\nexcept ImportError:\n    pass",
            {"debug medium"},
            id="a module that isn't there may switch it off",
        ),
        pytest.param(CLASSES + "class Dev(Base):\n    DEBUG = True\nclass Prod(Base):\n    A = 1", set(), id="classes"),
        pytest.param(CLASSES + "class Prod(Base):\n    DEBUG = True", {"debug high"}, id="production's class"),
        pytest.param(CLASSES + "class Shop(Base):\n    DEBUG = True", {"debug high"}, id="the only class"),
        pytest.param(
            CLASSES + "class One(Base):\n    DEBUG = True\nclass Two(Base):\n    A = 1", {"unresolved info"}, id="which"
        ),
    ],
)
def test_debug(text: str, expected: set[str]) -> None:
    """On, or on where nothing is set, is high; what only the operator knows is silent; what nobody sees is said."""
    assert words({"app/settings.py": text}) == expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({".env.production": "DEBUG=False\n"}, {"debug low"}, id="switched off by production's file"),
        pytest.param({".env.example": "DEBUG=False\n"}, {"debug high"}, id="an example sets nothing"),
        pytest.param({".env.production": "DEBUG=True\n"}, {"debug high"}, id="on in production's file"),
        pytest.param({".env.local": "DEBUG=True\n"}, {"debug high"}, id="development's file changes nothing"),
        pytest.param({"Dockerfile": "FROM python:3.13\nENV DEBUG=False\n"}, {"debug low"}, id="off in the image"),
    ],
)
def test_debug_by_files(files: dict[str, str], expected: set[str]) -> None:
    """A default that a file of production overrules is low; what the file sets is production's."""
    settings = HEAD + 'DEBUG = os.getenv("DEBUG", "True") == "True"'
    assert words({"app/settings.py": settings, **files}) == expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({".env.production": "DEBUG=True\n"}, {"debug high"}, id="production's file"),
        pytest.param({".env.staging": "DEBUG=True\n"}, {"debug high"}, id="staging's file"),
        pytest.param({".env.dev": "DEBUG=True\n"}, set(), id="development's file"),
        pytest.param({"Dockerfile": "FROM python:3.13\nENV DEBUG=True\n"}, {"debug high"}, id="the image"),
        pytest.param(
            {"Dockerfile": "FROM python:3.13\nENV DEBUG=True\n", ".env.production": "DEBUG=False\n"},
            {"debug low"},
            id="the image, and production's file says no",
        ),
        pytest.param(
            {"docker-compose.yml": "services:\n  web:\n    image: a\n    environment:\n      DEBUG: 'True'\n"},
            set(),
            id="a compose file that names no environment, and says debug, is development's",
        ),
        pytest.param(
            {"docker-compose.prod.yml": "services:\n  web:\n    image: a\n    environment:\n      DEBUG: 'True'\n"},
            {"debug high"},
            id="production's compose file",
        ),
    ],
)
def test_debug_that_files_switch_on(files: dict[str, str], expected: set[str]) -> None:
    """Off by default, and on by what a file of the repository sets: the file is named."""
    settings = HEAD + 'DEBUG = os.getenv("DEBUG") == "True"'
    assert words({"app/settings.py": settings, **files}) == expected
    for _, hit in hits({"app/settings.py": settings, **files}):
        assert {each.span.path for each in hit.related} <= set(files)
        assert hit.related


def test_a_mode_that_is_on_or_off_names_no_environment() -> None:
    """A compose file that sets `MAINTENANCE_MODE` and switches debug on is development's all the same."""
    settings = DECOUPLE + 'MAINTENANCE = config("MAINTENANCE_MODE", default=False, cast=bool)\n'
    compose = "services:\n  web:\n    environment: [MAINTENANCE_MODE=False, DEBUG=True]\n"
    files = {
        "app/settings.py": settings + 'DEBUG = config("DEBUG", default=False, cast=bool)\n',
        "compose.yml": compose,
    }
    assert words(files) == set()


BASE = HEAD + "DEBUG = True\n"
GOOD = STAR + "DEBUG = False\n"


@pytest.mark.parametrize(
    ("files", "judged"),
    [
        pytest.param(
            {"settings/base.py": HEAD, "settings/production.py": STAR + "DEBUG = True"},
            {"settings/production.py"},
            id="by name",
        ),
        pytest.param(
            {"settings/base.py": BASE, "settings/production.py": GOOD, "settings/dev.py": STAR},
            set(),
            id="base and dev aside",
        ),
        pytest.param(
            {"settings/base.py": HEAD, "settings/local.py": STAR + "DEBUG = True", "settings/prod.py": GOOD},
            set(),
            id="local",
        ),
        pytest.param(
            {"settings/base.py": HEAD, "settings/deploy.py": STAR + "DEBUG = True"}, {"settings/deploy.py"}, id="deploy"
        ),
        pytest.param(
            {"settings/base.py": BASE, "settings/dev.py": STAR, "settings/test.py": STAR},
            {"settings/base.py"},
            id="only for development",
        ),
        pytest.param(
            {"settings/base.py": HEAD, "settings/heroku.py": STAR + "DEBUG = True"},
            {"settings/heroku.py"},
            id="a name of its own",
        ),
        pytest.param(
            {
                "settings/base.py": HEAD,
                "settings/a.py": STAR + "DEBUG = True",
                "settings/b.py": GOOD,
                "wsgi.py": NAMES.format("settings.b"),
            },
            set(),
            id="wsgi names another",
        ),
        pytest.param(
            {"settings/base.py": HEAD, "settings/a.py": STAR + "DEBUG = True", "wsgi.py": NAMES.format("settings.a")},
            {"settings/a.py"},
            id="wsgi names it",
        ),
        pytest.param(
            {"settings/base.py": BASE, "settings/prod.py": GOOD, "wsgi.py": NAMES.format("settings.base")},
            set(),
            id="wsgi names the base",
        ),
        pytest.param(
            {
                "settings/base.py": HEAD,
                "settings/a.py": GOOD,
                "settings/b.py": STAR + "DEBUG = True",
                "wsgi.py": NAMES.format("settings.a"),
                "Dockerfile": "FROM python:3.13\nENV DJANGO_SETTINGS_MODULE=settings.b\n",
            },
            {"settings/b.py"},
            id="the image over wsgi",
        ),
        pytest.param(
            {
                "settings/base.py": HEAD,
                "settings/a.py": GOOD,
                "settings/b.py": STAR + "DEBUG = True",
                "wsgi.py": NAMES.format("settings.a"),
                "compose.yml": "services:\n  web:\n    environment: [DJANGO_SETTINGS_MODULE=settings.b]\n",
            },
            {"settings/b.py"},
            id="compose over wsgi",
        ),
        pytest.param(
            {
                "settings/base.py": HEAD,
                "settings/a.py": GOOD,
                "settings/b.py": STAR + "DEBUG = True",
                "Procfile": "web: DJANGO_SETTINGS_MODULE=settings.b gunicorn wsgi\n",
            },
            {"settings/b.py"},
            id="Procfile",
        ),
        pytest.param(
            {
                "settings/base.py": HEAD,
                "settings/a.py": GOOD,
                "settings/b.py": STAR + "DEBUG = True",
                "deploy/web.yaml": "kind: Deployment\nenv:\n- name: DJANGO_SETTINGS_MODULE\n  value: settings.b\n",
            },
            {"settings/b.py"},
            id="Kubernetes",
        ),
        pytest.param(
            {
                "settings/base.py": HEAD,
                "settings/dev.py": STAR,
                "settings/docker.py": "from .dev import *\nDEBUG = True\n",
                "settings/prod.py": GOOD,
            },
            set(),
            id="what builds on development's is development's",
        ),
        pytest.param(
            {
                "settings/base.py": HEAD,
                "settings/dev.py": STAR + "DEBUG = True",
                "settings/prod.py": GOOD,
                "settings/__init__.py": "import os\nif os.getenv('ENV', 'prod') == 'dev':\n    from .dev import *\n"
                "else:\n    from .prod import *\n",
                "wsgi.py": NAMES.format("settings"),
            },
            set(),
            id="a package that chooses by a variable",
        ),
        pytest.param(
            {
                "settings/base.py": HEAD,
                "settings/dev.py": STAR + "DEBUG = True",
                "settings/prod.py": GOOD,
                "settings/__init__.py": "import os\nif os.getenv('ENV') == 'production':\n    from .prod import *\n"
                "else:\n    from .dev import *\n",
                "wsgi.py": NAMES.format("settings"),
            },
            {"settings/dev.py"},
            id="a package that chooses development unless told otherwise",
        ),
        pytest.param({"settings.py": BASE, "manage.py": NAMES.format("settings")}, {"settings.py"}, id="manage.py"),
        pytest.param(
            {"a/core.py": BASE, "wsgi.py": NAMES.format("a.core")}, {"a/core.py"}, id="any name that wsgi names"
        ),
        pytest.param(
            {"settings/a.py": BASE + "from .b import *", "settings/b.py": HEAD + "from .a import *"},
            {"settings/a.py"},
            id="two that build on each other",
        ),
        pytest.param({"demo/settings.py": BASE}, set(), id="a project that shows a library"),
        pytest.param({"{{cookiecutter.name}}/settings.py": "{% if x %}" + BASE}, set(), id="a template"),
        pytest.param({"app/config.py": "DEBUG = True\n"}, set(), id="not Django's"),
        pytest.param(
            {"conf.py": "def configure():\n    INSTALLED_APPS = []\nDEBUG = True\n"}, set(), id="a function's"
        ),
    ],
)
def test_the_module_that_production_uses_is_judged(files: dict[str, str], judged: set[str]) -> None:
    """What a deployment's files or a name gives to production; what is development's, tests' or a base is not."""
    assert {hit.span.path for rule, hit in hits(files, "debug")} == judged


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(HEAD + 'ALLOWED_HOSTS = ["*"]', {"any-host medium"}, id="literal"),
        pytest.param(HEAD + 'ALLOWED_HOSTS = ["example.com"]\nALLOWED_HOSTS += ["*"]', {"any-host medium"}, id="added"),
        pytest.param(HEAD + "ALLOWED_HOSTS = []", set(), id="empty"),
        pytest.param(HEAD + 'ALLOWED_HOSTS = [".example.com"]', set(), id="subdomains"),
        pytest.param(HEAD + 'ALLOWED_HOSTS = os.getenv("H", "*").split(",")', {"any-host medium"}, id="os-default"),
        pytest.param(HEAD + 'ALLOWED_HOSTS = os.environ["H"].split(",")', set(), id="os-required"),
        pytest.param(HEAD + 'ALLOWED_HOSTS = os.environ.get("H").split(",")', set(), id="os-required-by-accident"),
        pytest.param(ENVIRON + 'ALLOWED_HOSTS = env.list("H", default=["*"])', {"any-host medium"}, id="environ"),
        pytest.param(DECOUPLE + 'ALLOWED_HOSTS = config("H", default="*", cast=Csv())', {"any-host medium"}, id="csv"),
        pytest.param(DECOUPLE + 'ALLOWED_HOSTS = config("H", cast=Csv())', set(), id="csv-required"),
        pytest.param(
            HEAD + 'DEBUG = os.getenv("DEBUG") == "1"\nALLOWED_HOSTS = ["*"] if DEBUG else ["a.example"]',
            set(),
            id="only with debug",
        ),
        pytest.param(
            "import socket\n" + HEAD + "ALLOWED_HOSTS = [socket.gethostname()]", {"unresolved info"}, id="elsewhere"
        ),
    ],
)
def test_allowed_hosts(text: str, expected: set[str]) -> None:
    """A wildcard that production sees, by default too."""
    assert words({"app/settings.py": text}) == expected


KEY = "SECRET_" + "KEY"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(HEAD + f'{KEY} = os.environ["K"]', set(), id="required"),
        pytest.param(HEAD + f'{KEY} = os.getenv("K", "dev")', {"public-secret-key high"}, id="os-default"),
        pytest.param(HEAD + f'{KEY} = os.getenv("K") or "insecure"', {"public-secret-key high"}, id="os-or"),
        pytest.param(ENVIRON + f'{KEY} = env("K", default="insecure")', {"public-secret-key high"}, id="environ"),
        pytest.param(DECOUPLE + f'{KEY} = config("K", default="change-me")', {"public-secret-key high"}, id="decouple"),
        pytest.param(HEAD + f'{KEY} = "insecure"', {"public-secret-key high"}, id="written down"),
        pytest.param(HEAD + f'{KEY} = os.getenv("K", "")', set(), id="empty: Django refuses to start"),
        pytest.param(
            "from django.core.management.utils import get_random_secret_key as made\n"
            + HEAD
            + f'{KEY} = os.getenv("K", made())',
            set(),
            id="a new one each time",
        ),
        pytest.param(
            HEAD + f'DEBUG = os.getenv("DEBUG") == "1"\n{KEY} = os.getenv("K", "dev" if DEBUG else None)',
            set(),
            id="only with debug",
        ),
        pytest.param(
            HEAD + f'{KEY} = os.getenv("K", "dev")\nif {KEY} == "dev":\n    raise ValueError("set K")',
            set(),
            id="refused by the code",
        ),
    ],
)
def test_secret_key(text: str, expected: set[str]) -> None:
    """A key that stands in the code, unless the code refuses it or only development gets it."""
    assert words({"app/settings.py": text}) == expected


def test_secret_key_is_told_once_and_never_shown(make_repository: Callable[..., Any]) -> None:
    """Where a rule for secrets tells a key, this one is silent; where not, its value is in no output."""
    real = "".join(chr(ord("a") + (7 * at * at + at) % 26) + str(at % 10) for at in range(25))
    for value, rule in ((real, "secret-generic-assignment"), ("insecure", "django-public-secret-key")):
        text = HEAD + f'{KEY} = os.environ.get("{KEY}", "{value}")\n'
        root = make_repository({"app/settings.py": text}, rule).root
        report = audit(open_source([root]), Policy(select=("secret-", "django-public-secret-key")))
        assert [each.finding.rule for each in report.findings] == [rule]
        assert value not in str(report.findings)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(HEAD + MIDDLEWARE + SECURE, set(), id="all there"),
        pytest.param(HEAD, set(), id="no middleware is judged where none is listed"),
        pytest.param(HEAD + MIDDLEWARE, {"https-not-enforced low"}, id="defaults"),
        pytest.param(
            HEAD + MIDDLEWARE + "SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True\n",
            {"https-not-enforced low"},
            id="neither redirect nor HSTS",
        ),
        pytest.param(
            HEAD
            + MIDDLEWARE
            + "SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True\n"
            + 'SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")\n',
            set(),
            id="a proxy does it",
        ),
        pytest.param(
            HEAD
            + MIDDLEWARE
            + 'DEBUG = os.getenv("DEBUG") == "1"\nif not DEBUG:\n    '
            + SECURE.replace("\n", "\n    ").rstrip(),
            set(),
            id="unless debug",
        ),
        pytest.param(
            ENVIRON + MIDDLEWARE + SECURE + 'SESSION_COOKIE_SECURE = env.bool("S")', set(), id="the operator decides"
        ),
        pytest.param(
            HEAD + MIDDLEWARE.replace('    "django.middleware.csrf.CsrfViewMiddleware",\n', "") + SECURE,
            {"no-csrf-middleware medium"},
            id="no csrf",
        ),
        pytest.param(
            HEAD + MIDDLEWARE.replace("django.middleware.csrf.CsrfView", "own.CustomCsrf") + SECURE,
            set(),
            id="own csrf",
        ),
        pytest.param(
            HEAD + 'MIDDLEWARE = ["django.middleware.security.SecurityMiddleware"]\n' + SECURE, set(), id="an API"
        ),
        pytest.param(
            HEAD + MIDDLEWARE.replace('    "django.middleware.security.SecurityMiddleware",\n', "") + SECURE,
            {"no-security-middleware low"},
            id="no security",
        ),
        pytest.param(
            HEAD
            + MIDDLEWARE
            + SECURE
            + 'MIDDLEWARE.remove("django.middleware.clickjacking.XFrameOptionsMiddleware")\n',
            {"no-frame-middleware low"},
            id="frames",
        ),
        pytest.param(
            "import own\n" + HEAD + 'MIDDLEWARE = ["a.SessionMiddleware"] + own.MORE\n' + SECURE,
            set(),
            id="not all known",
        ),
        pytest.param(HEAD + "SECURE_CONTENT_TYPE_NOSNIFF = False", {"nosniff-off low"}, id="nosniff"),
        pytest.param(HEAD + "AUTH_PASSWORD_VALIDATORS = []", {"no-password-validators low"}, id="validators"),
        pytest.param(
            HEAD + 'PASSWORD_HASHERS = ("django.contrib.auth.hashers.UnsaltedMD5PasswordHasher",)',
            {"fast-password-hasher high"},
            id="hasher",
        ),
        pytest.param(
            HEAD + 'PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2SHA1PasswordHasher"]',
            set(),
            id="slow hasher",
        ),
        pytest.param(
            "import sys\n" + HEAD + 'if "pytest" in sys.modules:\n    PASSWORD_HASHERS = ["a.MD5PasswordHasher"]',
            set(),
            id="a hasher of tests",
        ),
        pytest.param(
            HEAD + 'SESSION_SERIALIZER = "django.contrib.sessions.serializers.PickleSerializer"',
            {"pickled-sessions medium"},
            id="pickle",
        ),
        pytest.param(
            HEAD + 'SECURE_PROXY_SSL_HEADER = ("X-Forwarded-Proto", "https")',
            {"proxy-header-unseen low"},
            id="proxy header",
        ),
    ],
)
def test_protection(text: str, expected: set[str]) -> None:
    """What Django would do by itself and is not asked to."""
    assert words({"app/settings.py": text}) == expected


def test_findings_stand_where_the_value_is_given() -> None:
    """At the assignment, in whichever module; at the top of production's module where nothing gives it."""
    files = {"settings/base.py": HEAD + MIDDLEWARE + 'ALLOWED_HOSTS = ["*"]\n', "settings/production.py": STAR}
    places = {rule: (hit.span.path, files[hit.span.path][hit.span.start : hit.span.end]) for rule, hit in hits(files)}
    assert places == {
        "any-host": ("settings/base.py", 'ALLOWED_HOSTS = ["*"]'),
        "https-not-enforced": ("settings/production.py", "from .base import *"),
    }


def test_what_two_modules_share_is_said_once() -> None:
    """Two deployments that build on one base have its mistake once, under one name."""
    files = {
        "settings/base.py": HEAD + 'ALLOWED_HOSTS = ["*"]\n',
        "settings/production.py": STAR + "A = 1\n",
        "settings/staging.py": STAR + "A = 2\n",
    }
    assert [(rule, hit.identity) for rule, hit in hits(files)] == [("any-host", "ALLOWED_HOSTS")]


@pytest.mark.parametrize(
    ("text", "rule", "wanted"),
    [
        pytest.param(
            'ROOT_URLCONF = ""\nDEBUG = True\n', "debug", 'DEBUG = os.environ.get("DEBUG") == "True"', id="debug"
        ),
        pytest.param(ENVIRON + 'DEBUG = env.bool("DEBUG", default=True)\n', "debug", "default=False)", id="a default"),
        pytest.param(
            'ROOT_URLCONF = ""\nALLOWED_HOSTS = ["*"]\n', "any-host", 'os.environ.get("ALLOWED_HOSTS", "")', id="hosts"
        ),
        pytest.param(
            ENVIRON + 'ALLOWED_HOSTS = env.list("H", default=["*"])\n', "any-host", "default=[])", id="default-hosts"
        ),
        pytest.param(
            HEAD + 'ALLOWED_HOSTS = os.getenv("H", "*").split(",")\n',
            "any-host",
            "os.getenv(\"H\", '')",
            id="text-hosts",
        ),
        pytest.param(HEAD + "SECURE_CONTENT_TYPE_NOSNIFF = False\n", "nosniff-off", "NOSNIFF = True", id="nosniff"),
    ],
)
def test_simple_shapes_are_fixed(text: str, rule: str, wanted: str) -> None:
    """The literal goes where it is written, the module still parses, and the rule is silent."""
    (hit,) = [hit for name, hit in hits({"app/settings.py": text}) if name == rule]
    assert hit.fix is not None
    assert hit.fix.applicability is Applicability.UNSAFE
    fixed = text
    for edit in sorted(
        (each for each in hit.fix.edits if isinstance(each, Replace)), key=lambda each: -each.span.start
    ):
        fixed = fixed[: edit.span.start] + edit.text + fixed[edit.span.end :]
    ast.parse(fixed)
    assert wanted in fixed
    assert not hits({"app/settings.py": fixed}, rule)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(HEAD + "OURS = True\nDEBUG = OURS\n", id="a value that others may use"),
        pytest.param(HEAD + 'DEBUG = os.getenv("DEBUG", "True") == "True"\n', id="a comparison"),
        pytest.param(HEAD + 'DEBUG = os.getenv("DEBUG", "False")\n', id="a text"),
    ],
)
def test_other_shapes_get_advice(text: str) -> None:
    """What is more than a plain literal is for a person to change."""
    (hit,) = [hit for _, hit in hits({"app/settings.py": text}, "debug")]
    assert hit.fix is not None
    assert (hit.fix.applicability, hit.fix.edits) == (Applicability.ADVICE, ())


def test_confidence_says_how_sure_it_is() -> None:
    """Proven where no variable takes part, likely where one does, possible where unseen code may decide."""
    unseen = "try:\n    from .local import *\nexcept ImportError:\n    pass\n"
    shapes = ("DEBUG = True\n", 'DEBUG = os.getenv("A", True)\n', "DEBUG = True\n" + unseen)
    found = [hits({"app/settings.py": HEAD + each}, "debug")[0][1].confidence for each in shapes]
    assert found == [Confidence.PROVEN, Confidence.LIKELY, Confidence.POSSIBLE]


def test_a_module_that_cannot_be_parsed_is_a_gap() -> None:
    """It may be the one that production uses."""
    snapshot = MemorySnapshot({"app/settings.py": "INSTALLED_APPS = [\n"})
    assert [each.path for each in detect_config(snapshot, RULES, Settings()) if isinstance(each, Gap)] == [
        "app/settings.py"
    ]


def test_settings_that_are_built_in_a_way_of_their_own_are_no_all_clear() -> None:
    """What `wsgi.py` names gives nothing that settings are known by: that is said, and once."""
    files = {"a/settings.py": "from own import load\nload(__name__)\n", "wsgi.py": NAMES.format("a.settings")}
    files["manage.py"] = files["wsgi.py"]
    assert words(files) == {"unresolved info"}
    assert words({**files, "wsgi.py": NAMES.format("elsewhere"), "manage.py": ""}) == set()


def test_severities_are_those_of_the_pages() -> None:
    """The worst are what hands an attacker the service; what a proxy may do is low."""
    high = {each.id for each in RULES if each.severity is Severity.HIGH}
    assert high == {"django-debug", "django-public-secret-key", "django-fast-password-hasher"}
