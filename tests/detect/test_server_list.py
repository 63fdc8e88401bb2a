"""The list of launch lines: what it shows of a command, and what it does not."""

from __future__ import annotations

import pytest

from hardenctl.detect.config import detect_config
from hardenctl.model.report import Server
from hardenctl.model.settings import Settings
from hardenctl.rules import RULES
from hardenctl.sources.memory import MemorySnapshot


def command(line: str) -> tuple[str, ...]:
    """The words of a Procfile's launch line as the report has them."""
    snapshot = MemorySnapshot({"Procfile": f"web: {line}\n".encode()})
    (server,) = [each for each in detect_config(snapshot, RULES, Settings()) if isinstance(each, Server)]
    return server.command


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        pytest.param("--env T=hunter2", "T=••••••••", id="argument-of-env"),
        pytest.param("--env=T=hunter2", "--env=T=••••••••", id="env-with-an-equals-sign"),
        pytest.param("-eT=hunter2", "-eT=••••••••", id="short-env-in-one-word"),
        pytest.param("'app:create(key=\"hunter2\")'", "app:create(key=••••••••", id="argument-of-a-factory"),
        pytest.param("--bind=http://u@h:hunter2@h:80", "--bind=http://••••••••@h:80", id="userinfo-with-an-at-sign"),
        pytest.param("--env DJANGO_SETTINGS_MODULE=a.b", "DJANGO_SETTINGS_MODULE=a.b", id="name-of-a-module-stays"),
        pytest.param("--env=PORT=80", "--env=PORT=80", id="port-stays"),
        pytest.param("--workers=4", "--workers=4", id="an-option-stays"),
        pytest.param("--bind=unix:/run/app.sock", "--bind=unix:/run/app.sock", id="an-address-stays"),
    ],
)
def test_values_that_could_be_credentials_are_masked(word: str, shown: str) -> None:
    """However an environment variable is given, its value is not in the list; options and their values are."""
    words = command(f"gunicorn {word} app:app")
    assert shown in words
    assert not any("hunter2" in each for each in words)
