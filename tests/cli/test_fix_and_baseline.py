"""`fix`, `audit --fix` and `baseline` on real repositories, with the rules there are."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hardenctl.audit import audit
from hardenctl.model.blob import Gap
from hardenctl.model.report import Report
from hardenctl.policy.baseline import BASELINE
from hardenctl.rules.fakes import scramble

SECRET = scramble("fix-and-baseline", 30)
LEAK = {".env.prod": f"SECRET_KEY={SECRET}\n", "a.py": "x = 1\n"}
NO_RULE = "[tool.hardenctl.rules]\nenv = 'off'\nsecret = 'off'\ngitignore = 'off'\n"


def findings(result: Any) -> dict[str, str]:
    """Rule to status of a JSON report."""
    return {each["rule"]: each["status"] for each in json.loads(result.out)["findings"]}


class TestFix:
    """The diff, and what is written."""

    def test_dry_run_then_apply(self, hardenctl: Callable[..., Any], make_repository: Callable[..., Any]):
        """The dry run writes nothing and exits 1; --apply untracks and ignores the file; then there is nothing left."""
        repository = make_repository(LEAK)
        shown = hardenctl("fix", cwd=repository.root)
        assert shown.code == 1
        assert "+.env.*" in shown.out
        assert "# git rm --cached .env.prod" in shown.out
        assert "Nothing was written: --apply does that." in shown.out
        assert repository.git("status", "--porcelain") == ""
        done = hardenctl("fix", "--apply")
        assert done.code == 0
        assert "no longer tracked, still on disk: .env.prod" in done.out
        assert repository.git("ls-files").split() == ["a.py"]
        assert repository.git("check-ignore", ".env.prod").strip() == ".env.prod"
        assert (repository.root / ".env.prod").read_text() == LEAK[".env.prod"]
        again = hardenctl("fix")
        assert (again.code, again.out.splitlines()[0]) == (0, "Nothing to fix.")
        assert SECRET not in shown.out + shown.err + done.out + done.err + again.out

    def test_what_could_not_be_made(self, hardenctl: Callable[..., Any], make_repository: Callable[..., Any]):
        """A fix that is left out is named and is no success; applying nothing is one."""
        repository = make_repository({".env.prod": LEAK[".env.prod"]})
        (repository.root / ".gitignore").symlink_to("elsewhere")
        done = hardenctl("fix", "--apply", cwd=repository.root)
        assert done.code == 1
        assert "left out: .env.prod:1  env-file-committed: .gitignore is behind a symbolic link" in done.out
        assert repository.git("ls-files").split() == [".env.prod"]
        clean = make_repository({".gitignore": ".env\n.env.*\n!.env.example\n"}, name="clean")
        nothing = hardenctl("fix", "--apply", cwd=clean.root)
        assert (nothing.code, nothing.out) == (0, "Nothing to fix.\n")

    def test_uncommitted_work_is_said(self, hardenctl: Callable[..., Any], make_repository: Callable[..., Any]):
        """A fixed file that held uncommitted work is named."""
        repository = make_repository({**LEAK, ".gitignore": "dist\n"})
        repository.write({".gitignore": "dist\nbuild\n"})
        done = hardenctl("fix", "--apply", cwd=repository.root)
        assert "note: these files held uncommitted work besides: .gitignore" in done.out
        assert (repository.root / ".gitignore").read_text().startswith("dist\nbuild\n")

    def test_policy_and_options_narrow_it(self, hardenctl: Callable[..., Any], make_repository: Callable[..., Any]):
        """What policy or an option leaves out is not fixed."""
        repository = make_repository({**LEAK, "pyproject.toml": NO_RULE})
        assert hardenctl("fix", cwd=repository.root).code == 0
        (repository.root / "pyproject.toml").unlink()
        only = hardenctl("fix", "--select", "gitignore")
        assert "env-file-committed" not in only.out
        assert hardenctl("fix", "--ignore", "env,gitignore,dockerignore").code == 0

    @pytest.mark.parametrize(
        ("arguments", "what"),
        [
            pytest.param(["fix", "missing"], "there is no `missing`", id="path"),
            pytest.param(["fix", "-"], "only the work tree can be fixed", id="standard-input"),
            pytest.param(["audit", "--fix", "--staged"], "only the work tree can be fixed", id="staged"),
            pytest.param(["audit", "--unsafe-fixes"], "--unsafe-fixes needs --fix", id="unsafe-alone"),
            pytest.param(["fix", "--select", "nope"], "--select: `nope` is no rule", id="rule"),
            pytest.param(["fix", "--baseline", "b.json"], "there is no baseline `b.json`", id="baseline"),
        ],
    )
    def test_usage(
        self, arguments: list[str], what: str, hardenctl: Callable[..., Any], make_repository: Callable[..., Any]
    ):
        """What can't be done is an error with exit code 2."""
        result = hardenctl(*arguments, cwd=make_repository(LEAK).root)
        assert result.code == 2
        assert result.err.startswith(f"error: {what}")

    def test_gaps(self, hardenctl: Callable[..., Any], make_repository: Callable[..., Any]):
        """What could not be looked at is said and is no success."""
        repository = make_repository({"compose.yml": "services: [\n"})
        result = hardenctl("fix", "compose.yml", cwd=repository.root)
        assert result.code == 2
        assert "not looked at: compose.yml" in result.out
        assert hardenctl("fix", "compose.yml", "--allow-gaps").code == 0

    def test_audit_fix(self, hardenctl: Callable[..., Any], make_repository: Callable[..., Any]):
        """`audit --fix` writes the safe fixes, says so on standard error, and reports what is left."""
        repository = make_repository(LEAK)
        before = hardenctl("audit", "--format", "json", cwd=repository.root)
        assert findings(before)["env-file-committed"] == "open"
        after = hardenctl("audit", "--fix", "--format", "json")
        assert "env-file-committed" not in findings(after)
        assert "fixes made:" in after.err
        assert SECRET not in after.out + after.err


class TestBaseline:
    """Accepting what is there, and keeping that true."""

    def test_create_and_audit(self, hardenctl: Callable[..., Any], make_repository: Callable[..., Any]):
        """After `create` the audit passes and says what is accepted; `--no-ignores` counts it all the same."""
        repository = make_repository(LEAK)
        assert hardenctl("audit", cwd=repository.root).code == 1
        created = hardenctl("baseline", "create")
        assert created.code == 0
        passed = hardenctl("audit", "--format", "json")
        assert passed.code == 0
        assert set(findings(passed).values()) == {"baselined"}
        assert hardenctl("audit", "--no-ignores").code == 1
        assert hardenctl("audit", "--baseline", BASELINE).code == 0
        text = (repository.root / BASELINE).read_text()
        assert SECRET not in text + created.out + passed.out
        assert text.count('"fingerprint"') == len(findings(passed))

    def test_new_findings_count(self, hardenctl: Callable[..., Any], make_repository: Callable[..., Any]):
        """A finding that came later is open; another machine with the same file agrees on the rest."""
        repository = make_repository(LEAK)
        hardenctl("baseline", "create", cwd=repository.root)
        accepted = (repository.root / BASELINE).read_bytes()
        repository.commit({".env.staging": f"SECRET_KEY={scramble('another', 30)}\n", BASELINE: accepted})
        clone = repository.root.parent / "clone"
        repository.git("clone", "-q", "--depth=1", repository.root.as_uri(), str(clone))
        report = json.loads(hardenctl("audit", "--format", "json", cwd=clone).out)
        new = {each["path"] for each in report["findings"] if each["status"] == "open"}
        assert ".env.staging" in new
        assert ".env.prod" not in new

    def test_create_keeps_what_is_there(self, hardenctl: Callable[..., Any], make_repository: Callable[..., Any]):
        """A second `create` asks for --force, and then keeps the salt."""
        repository = make_repository(LEAK)
        hardenctl("baseline", "create", cwd=repository.root)
        before = (repository.root / BASELINE).read_bytes()
        again = hardenctl("baseline", "create")
        assert again.code == 2
        assert "there is a baseline already" in again.err
        assert hardenctl("baseline", "create", "--force").code == 0
        assert (repository.root / BASELINE).read_bytes() == before

    def test_update(self, hardenctl: Callable[..., Any], make_repository: Callable[..., Any]):
        """What is gone is dropped, a rename is followed, what is new stays out until --add."""
        repository = make_repository(LEAK)
        hardenctl("baseline", "create", cwd=repository.root)
        repository.commit({BASELINE: (repository.root / BASELINE).read_bytes()})
        assert hardenctl("baseline", "update").code == 0
        repository.git("mv", ".env.prod", ".env.live")
        moved = hardenctl("baseline", "update")
        assert moved.code == 0
        assert "moved: .env.live  env-file-committed" in moved.out
        assert hardenctl("audit").code == 0
        repository.commit({".env.staging": f"SECRET_KEY={scramble('another', 30)}\n"})
        new = hardenctl("baseline", "update")
        assert new.code == 1
        assert "new, not accepted: .env.staging  env-file-committed" in new.out
        assert hardenctl("audit").code == 1
        added = hardenctl("baseline", "update", "--add")
        assert added.code == 0
        assert "added: .env.staging" in added.out
        repository.git("rm", "-q", "-f", ".env.staging", ".env.live")
        gone = hardenctl("baseline", "update")
        assert "gone: .env.staging  env-file-committed" in gone.out
        assert SECRET not in moved.out + new.out + gone.out

    def test_show(self, hardenctl: Callable[..., Any], make_repository: Callable[..., Any]):
        """By path, as text and as JSON; nothing where there is none."""
        repository = make_repository(LEAK)
        missing = hardenctl("baseline", "show", cwd=repository.root)
        assert missing.code == 2
        hardenctl("baseline", "create")
        text = hardenctl("baseline", "show")
        assert ".env.prod  env-file-committed" in text.out
        listed = json.loads(hardenctl("baseline", "show", "--format", "json").out)
        assert ".env.prod" in {each["path"] for each in listed}
        assert hardenctl("baseline", "show", "--format", "x").code == 2

    def test_outside_git(self, hardenctl: Callable[..., Any], tmp_path: Path):
        """A plain folder has a baseline too, wherever it lies."""
        folder = tmp_path / "plain"
        folder.mkdir()
        (folder / "a.py").write_text("x = 1\n")
        file = tmp_path / "elsewhere.json"
        assert hardenctl("baseline", "create", str(folder), "--baseline", str(file), cwd=tmp_path).code == 0
        assert hardenctl("baseline", "update", str(folder), "--baseline", str(file)).code == 0
        assert file.exists()

    def test_usage(self, hardenctl: Callable[..., Any], make_repository: Callable[..., Any]):
        """A baseline is of a whole project, and has to be there to be updated."""
        root = make_repository(LEAK).root
        assert "a baseline is of a whole project" in hardenctl("baseline", "create", "a.py", cwd=root).err
        assert "there is no baseline" in hardenctl("baseline", "update").err
        (root / BASELINE).write_text("{")
        broken = hardenctl("audit")
        assert broken.code == 2
        assert "is no baseline of version 1" in broken.err


def test_gaps_keep_entries(
    hardenctl: Callable[..., Any], make_repository: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
):
    """What can't be looked at any more is not dropped from the baseline, and is said."""
    repository = make_repository(LEAK)
    hardenctl("baseline", "create", cwd=repository.root)

    def unreadable(*arguments: Any, **options: Any) -> Report:
        report = audit(*arguments, **options)
        return dataclasses.replace(report, findings=(), gaps=(Gap(".env.prod", "could not be read"),))

    monkeypatch.setattr("hardenctl.cli.baseline.audit", unreadable)
    result = hardenctl("baseline", "update")
    assert result.code == 2
    assert "not looked at: .env.prod: could not be read" in result.out
    assert {each["path"] for each in json.loads((repository.root / BASELINE).read_text())["findings"]} == {".env.prod"}
