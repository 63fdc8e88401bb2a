"""`hardenctl import`: other tools' files, made by the tools themselves where they are installed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hardenctl.policy.baseline import BASELINE
from hardenctl.rules.fakes import scramble

KEY = scramble("import-key", 40)
URL = "postgresql" + f"://app:{scramble('import-url', 24)}@db:5432/app"
FILES = {
    "settings.py": f'SECRET_KEY = "{KEY}"\nDATABASE_URL = "{URL}"\n',
    "other.py": f'API_SECRET = "{scramble("import-other", 40)}"\n',
}


def accepted(root: Path) -> list[tuple[str, str]]:
    """Path and rule of what our baseline holds."""
    return [(each["path"], each["rule"]) for each in json.loads((root / BASELINE).read_text())["findings"]]


def scan(root: Path) -> dict[str, Any]:
    """What detect-secrets itself writes."""
    command = [sys.executable, "-m", "detect_secrets", "scan", "settings.py", "other.py"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


class TestDetectSecrets:
    """A baseline that detect-secrets wrote."""

    def test_what_is_still_there(self, hardenctl: Callable[..., Any], make_repository: Callable[..., Any]):
        """Every entry is taken over, the scan then passes, and no secret is in file or output."""
        pytest.importorskip("detect_secrets")
        repository = make_repository(FILES)
        (repository.root / ".secrets.baseline").write_text(json.dumps(scan(repository.root)))
        assert hardenctl("scan", cwd=repository.root).code == 1
        result = hardenctl("import", "detect-secrets")
        assert result.code == 0, result.out
        assert {path for path, _ in accepted(repository.root)} == {"settings.py", "other.py"}
        assert hardenctl("scan", "settings.py", "other.py").code == 0
        text = (repository.root / BASELINE).read_text() + result.out
        assert KEY not in text
        assert URL not in text

    def test_slim_gone_and_real(self, hardenctl: Callable[..., Any], make_repository: Callable[..., Any]):
        """Without line numbers it works too; another secret at the same place, and a real one, stay open."""
        pytest.importorskip("detect_secrets")
        repository = make_repository(FILES)
        data = scan(repository.root)
        for entries in data["results"].values():
            for each in entries:
                del each["line_number"]
        data["results"]["other.py"][0]["is_secret"] = True
        data["results"]["gone.py"] = [{"type": "x", "hashed_secret": "0" * 40}]
        (repository.root / "theirs.json").write_text(json.dumps(data))
        (repository.root / "settings.py").write_text(
            f'SECRET_KEY = "{scramble("changed", 40)}"\nDATABASE_URL = "{URL}"\n'
        )
        result = hardenctl("import", "detect-secrets", "--file", "theirs.json", cwd=repository.root)
        assert result.code == 1
        assert "not accepted, marked as a real secret: other.py" in result.out
        assert "not accepted, there is no such file: gone.py" in result.out
        assert "not accepted, no secret is found there: settings.py" in result.out
        assert {path for path, _ in accepted(repository.root)} == {"settings.py"}


class TestGitleaks:
    """Lines of .gitleaksignore."""

    def test_on_disk_and_in_commits(self, hardenctl: Callable[..., Any], make_repository: Callable[..., Any]):
        """A place on disk is looked up there, one in a commit in that commit; what is nowhere is said."""
        repository = make_repository({"old.py": FILES["other.py"]})
        commit = repository.git("rev-parse", "HEAD").strip()
        repository.git("rm", "-q", "old.py")
        repository.commit(FILES)
        (repository.root / ".gitleaksignore").write_text(
            f"# theirs\n\nsettings.py:generic-api-key:1\n{commit}:old.py:generic-api-key:1\n"
            f"{'0' * 40}:old.py:generic-api-key:1\nsettings.py:generic-api-key:9\n"
        )
        result = hardenctl("import", "gitleaks", cwd=repository.root)
        assert result.code == 1
        assert f"{BASELINE}: 2 of 4 entries taken over, 2 different secrets" in result.out
        assert "not accepted, there is no such file: old.py:1" in result.out
        assert "not accepted, no secret is found there: settings.py:9" in result.out
        report = json.loads(hardenctl("scan", "--format", "json").out)
        by_place = {(each["path"], each["line"]): each["status"] for each in report["findings"]}
        assert by_place["settings.py", 1] == "baselined"
        assert by_place["settings.py", 2] == "open"
        assert by_place["other.py", 1] == "baselined", "the same secret as in the commit"


@pytest.mark.parametrize(
    ("tool", "text", "what"),
    [
        pytest.param("detect-secrets", None, "No such file", id="missing"),
        pytest.param("detect-secrets", "{", "is not a .secrets.baseline", id="torn"),
        pytest.param("detect-secrets", "[]", "is not a .secrets.baseline", id="another-shape"),
        pytest.param("gitleaks", "what is this", "is not a .gitleaksignore", id="no-fingerprint"),
    ],
)
def test_bad_files(
    tool: str, text: str | None, what: str, hardenctl: Callable[..., Any], make_repository: Callable[..., Any]
):
    """A file that isn't theirs is an error, and no baseline is written."""
    root = make_repository({"a": ""}).root
    if text is not None:
        (root / "theirs").write_text(text)
    result = hardenctl("import", tool, "--file", "theirs", cwd=root)
    assert result.code == 2
    assert what in result.err
    assert not (root / BASELINE).exists()
