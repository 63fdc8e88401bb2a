"""What the rules say of settings against what Django itself says of them: `manage.py check --deploy`, for real."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from hardenctl.detect.config import detect_config
from hardenctl.model.blob import Gap
from hardenctl.model.settings import Settings
from hardenctl.rules.django import RULES
from hardenctl.sources.memory import MemorySnapshot

HEAD = """import os
SECRET_KEY = os.environ["KEY_OF_TEST"]
ROOT_URLCONF = "urls"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions"]
ALLOWED_HOSTS = ["example.com"]
"""
MIDDLEWARE = """MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
"""
COOKIES = "SESSION_COOKIE_SECURE = True\nCSRF_COOKIE_SECURE = True\n"
TRANSPORT = "SECURE_SSL_REDIRECT = True\nSECURE_HSTS_SECONDS = 3600\n"
WHOLE = HEAD + MIDDLEWARE + COOKIES + TRANSPORT
# What a rule says, in Django's own words. W009 is about keys that are too short; ours about all that stand in the code.
OURS = {
    "django-debug": {"W018"},
    "django-no-security-middleware": {"W001"},
    "django-no-frame-middleware": {"W002"},
    "django-no-csrf-middleware": {"W003"},
    "django-nosniff-off": {"W006"},
    "django-https-not-enforced": {"W010", "W011", "W012", "W016"},
    "django-public-secret-key": {"W009"},
}


def without(entry: str) -> str:
    """The whole settings with one middleware less."""
    return re.sub(rf'    "[\w.]*{entry}",\n', "", WHOLE)


CASES: Mapping[str, Mapping[str, str]] = {
    "whole": {"settings.py": WHOLE},
    "debug": {"settings.py": WHOLE + "DEBUG = True\n"},
    "debug by default": {"settings.py": WHOLE + 'DEBUG = os.getenv("SWITCH", "True") == "True"\n'},
    "no debug by default": {"settings.py": WHOLE + 'DEBUG = os.getenv("SWITCH", "False") == "True"\n'},
    "the text False": {"settings.py": WHOLE + 'DEBUG = os.getenv("SWITCH", "False")\n'},
    "debug unless production": {"settings.py": WHOLE + 'DEBUG = os.getenv("STAGE", "dev") != "production"\n'},
    "no middleware against content sniffing": {"settings.py": without("SecurityMiddleware")},
    "no middleware against forgery": {"settings.py": without("CsrfViewMiddleware")},
    "no middleware against frames": {"settings.py": without("XFrameOptionsMiddleware")},
    "removed later": {"settings.py": WHOLE + "MIDDLEWARE.remove(MIDDLEWARE[-1])\n"},
    "added later": {
        "settings.py": without("CsrfViewMiddleware") + 'MIDDLEWARE += ["django.middleware.csrf.CsrfViewMiddleware"]\n'
    },
    "nosniff off": {"settings.py": WHOLE + "SECURE_CONTENT_TYPE_NOSNIFF = False\n"},
    "nosniff off without the middleware": {
        "settings.py": without("SecurityMiddleware") + "SECURE_CONTENT_TYPE_NOSNIFF = False\n"
    },
    "cookies": {"settings.py": HEAD + MIDDLEWARE + TRANSPORT},
    "one cookie": {"settings.py": HEAD + MIDDLEWARE + TRANSPORT + "CSRF_COOKIE_SECURE = True\n"},
    "csrf in the session": {
        "settings.py": HEAD + MIDDLEWARE + TRANSPORT + "SESSION_COOKIE_SECURE = CSRF_USE_SESSIONS = True\n"
    },
    "no transport": {"settings.py": HEAD + MIDDLEWARE + COOKIES},
    "redirect alone": {"settings.py": HEAD + MIDDLEWARE + COOKIES + "SECURE_SSL_REDIRECT = True\n"},
    "only outside debug": {
        "settings.py": HEAD
        + MIDDLEWARE
        + 'DEBUG = os.getenv("SWITCH") == "1"\nSESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG\n'
        + "if not DEBUG:\n    SECURE_SSL_REDIRECT = True\n"
    },
    "a short key": {"settings.py": WHOLE + 'SECRET_KEY = os.environ.get("NOBODY_SETS_IT", "short")\n'},
    "split": {
        "conf/settings/__init__.py": "",
        "conf/settings/base.py": HEAD + MIDDLEWARE + "DEBUG = True\n",
        "conf/settings/local.py": "from .base import *\n",
        "conf/settings/production.py": "from .base import *\nDEBUG = False\n" + COOKIES + TRANSPORT,
    },
    "split, and forgotten": {
        "conf/settings/__init__.py": "",
        "conf/settings/base.py": HEAD + MIDDLEWARE + "DEBUG = True\n",
        "conf/settings/production.py": "from .base import *\n" + COOKIES,
    },
}


def check_deploy(root: Path, module: str) -> set[str]:
    """The warnings of the real Django, by number."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "COVERAGE_"))},
        "KEY_OF_TEST": "".join(chr(33 + 3 * at % 90) for at in range(60)),
        "PYTHONPATH": str(root),
    }
    command = [sys.executable, "-m", "django", "check", "--deploy", "--settings", module, "--no-color"]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert "Traceback" not in done.stderr, done.stderr
    return set(re.findall(r"security\.([WE]\d+)", done.stderr))


def called_for(real: set[str]) -> set[str]:
    """The rules that Django's warnings call for."""
    rules = {rule for rule, numbers in OURS.items() if real & numbers}
    return rules | ({"django-https-not-enforced"} if {"W004", "W008"} <= real else set())


def told(files: Mapping[str, str]) -> set[str]:
    """The rules that fire, of those that Django has a word for."""
    found = list(detect_config(MemorySnapshot(files), RULES, Settings()))
    assert not [each for each in found if isinstance(each, Gap)]
    return {each[0].id for each in found if isinstance(each, tuple)} & set(OURS)


@pytest.mark.parametrize("name", CASES)
def test_verdict_agrees_with_django(name: str, tmp_path: Path) -> None:
    """The rules fire on settings as `check --deploy` warns about them, where nothing but the key is set."""
    files = CASES[name]
    for path, text in {**files, "urls.py": "urlpatterns = []\n"}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    module = "conf.settings.production" if "settings.py" not in files else "settings"
    assert told(files) == called_for(check_deploy(tmp_path, module))


def test_verdict_agrees_on_a_started_project(tmp_path: Path) -> None:
    """`startproject` writes settings for development, and `wsgi.py` gives them to production as they are."""
    subprocess.run([sys.executable, "-m", "django", "startproject", "shop", "."], cwd=tmp_path, check=True, timeout=60)
    files = {each.relative_to(tmp_path).as_posix(): each.read_text(encoding="utf-8") for each in tmp_path.rglob("*.py")}
    expected = {"django-debug", "django-public-secret-key", "django-https-not-enforced"}
    assert told(files) == called_for(check_deploy(tmp_path, "shop.settings")) == expected


def test_each_rule_is_shown_both_ways() -> None:
    """The cases would notice a rule that never fires, and one that always does."""
    fired = [told(files) for files in CASES.values()]
    for rule in OURS:
        assert 0 < sum(rule in each for each in fired) < len(CASES), rule
