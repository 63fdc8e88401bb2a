"""Files are written whole or not at all."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from hardenctl.model.files import replace_file, usual_mode


def test_it_is_replaced(tmp_path: Path) -> None:
    """The new bytes, in the mode that was asked for."""
    file = tmp_path / "a"
    file.write_bytes(b"old")
    replace_file(file, b"new")
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (b"new", 0o600)
    replace_file(file, b"newer", usual_mode())
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_what_was_there_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]) -> None:
    """A full disk or Ctrl-C at the last moment leaves the old file, and nothing beside it."""

    def fail(*_: Any) -> None:
        raise error

    file = tmp_path / "a"
    file.write_bytes(b"old")
    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(error):
        replace_file(file, b"new")
    assert list(tmp_path.iterdir()) == [file]
    assert file.read_bytes() == b"old"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes in folders")
def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    """Its reader gets the bytes, and it stays a pipe."""
    pipe = tmp_path / "p"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    replace_file(pipe, b"text")
    reader.join()
    assert (got, stat.S_ISFIFO(pipe.stat().st_mode)) == ([b"text"], True)
