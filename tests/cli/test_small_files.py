"""A project's own small files are read within bounds, and only inside of it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hardenctl.load.endpoints import _document
from hardenctl.load.har import find_in_har
from hardenctl.load.schema import read_scenario
from hardenctl.model.errors import UsageError
from hardenctl.model.files import read_small, top_of

pytestmark = pytest.mark.skipif(os.name != "posix", reason="links, pipes and devices as POSIX has them")


def _sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, 2**40)


def _link(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


HOSTILE = [
    pytest.param(_link("/dev/zero"), "a link that leads out of the project", id="device"),
    pytest.param(_link("../elsewhere"), "a link that leads out of the project", id="link-out"),
    pytest.param(_link("nowhere"), "a link that leads nowhere", id="dangling"),
    pytest.param(os.mkfifo, "no regular file", id="pipe"),
    pytest.param(Path.mkdir, "a folder", id="folder"),
    pytest.param(_sparse, "larger than", id="sparse"),
]


@pytest.mark.parametrize(("make", "reason"), HOSTILE)
def test_what_a_project_brings(tmp_path: Path, make: Callable[[Path], None], reason: str) -> None:
    """Only a regular file of the project itself is read, and only so much of it; what else there is, is said."""
    (tmp_path / "elsewhere").write_text("fail-on = 'never'")
    project = tmp_path / "project"
    project.mkdir()
    make(project / "file")
    with pytest.raises(OSError, match=reason) as caught:
        read_small(project / "file", project)
    assert not isinstance(caught.value, FileNotFoundError)


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(lambda path: find_in_har(path, "http://127.0.0.1:1", {}, None), id="har"),
        pytest.param(lambda path: _document("http://127.0.0.1:1", str(path)), id="openapi"),
        pytest.param(read_scenario, id="scenario"),
    ],
)
@pytest.mark.parametrize("make", [_link("/dev/zero"), _sparse])
def test_what_a_load_run_reads(tmp_path: Path, read: Callable[[Path], Any], make: Callable[[Path], None]) -> None:
    """A device or a sparse file fills no memory: the error says that it is too large."""
    make(tmp_path / "file")
    with pytest.raises(UsageError, match="larger than"):
        read(tmp_path / "file")


def test_links_within_a_project_are_followed(tmp_path: Path) -> None:
    """One that stays within the repository leads to another of its files, also from a folder below its top."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "sub").mkdir()
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "sub/file").symlink_to("../file")
    assert read_small(tmp_path / "sub/file", top_of(tmp_path / "sub")) == b"x"


def test_what_a_user_names(tmp_path: Path) -> None:
    """It may be anywhere, and a pipe; it is bounded all the same."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b"x",))
    writer.start()
    assert read_small(pipe) == b"x"
    writer.join()
    assert read_small(Path(os.devnull)) == b""
    with pytest.raises(OSError, match="larger than 1 MiB"):
        read_small(Path("/dev/zero"), most=2**20)
    with pytest.raises(FileNotFoundError):
        read_small(tmp_path / "nothing")


@pytest.mark.parametrize("name", ["hardenctl.toml", ".hardenctl-baseline.json"])
@pytest.mark.parametrize(("make", "reason"), HOSTILE)
def test_an_audit_ends_with_an_error(
    tmp_path: Path, hardenctl: Callable[..., Any], name: str, make: Callable[[Path], None], reason: str
) -> None:
    """Neither policy nor baseline can hold an audit up, come from elsewhere, or be silently none."""
    (tmp_path / "elsewhere").write_text("fail-on = 'never'")
    project = tmp_path / "project"
    project.mkdir()
    make(project / name)
    result = hardenctl("audit", str(project))
    assert result.code == 2
    assert reason in result.err
    assert "\nhelp: " in result.err


def test_a_linked_pyproject_without_a_table_is_no_matter_of_ours(tmp_path: Path, hardenctl: Callable[..., Any]) -> None:
    """Only a policy in it would come from outside."""
    elsewhere = tmp_path / "elsewhere.toml"
    elsewhere.write_text("[project]\nname = 'x'\n")
    project = tmp_path / "project"
    project.mkdir()
    (project / "pyproject.toml").symlink_to(elsewhere)
    assert "leads out" not in hardenctl("scan", str(project)).err
    elsewhere.write_text("[tool.hardenctl]\nfail-on = 'never'\n")
    result = hardenctl("scan", str(project))
    assert (result.code, "leads out" in result.err) == (2, True)


@pytest.mark.parametrize(("make", "reason"), [each for each in HOSTILE if each.id != "link-out"])
def test_a_pyproject_that_cannot_be_read(
    tmp_path: Path, hardenctl: Callable[..., Any], make: Callable[[Path], None], reason: str
) -> None:
    """It could hold the policy: it is never silently none."""
    make(tmp_path / "pyproject.toml")
    result = hardenctl("scan", str(tmp_path))
    assert result.code == 2
    assert reason in result.err
    assert "\nhelp: " in result.err


@pytest.mark.parametrize(
    ("name", "command"),
    [
        pytest.param(".env.example", ["generate", "env", "--write", ".env.production"], id="template"),
        pytest.param(".secrets.baseline", ["import", "detect-secrets"], id="detect-secrets"),
        pytest.param(".gitleaksignore", ["import", "gitleaks"], id="gitleaks"),
        pytest.param("x", ["audit", "--config", "/dev/zero"], id="config"),
        pytest.param("x", ["audit", "--baseline", "/dev/zero"], id="baseline"),
    ],
)
def test_other_commands(tmp_path: Path, hardenctl: Callable[..., Any], name: str, command: list[str]) -> None:
    """The same holds for what else is read whole."""
    (tmp_path / name).symlink_to("/dev/zero")
    (tmp_path / ".gitignore").write_text(".env*\n")
    result = hardenctl(*command, cwd=tmp_path)
    assert (result.code, "error: " in result.err) == (2, True)
