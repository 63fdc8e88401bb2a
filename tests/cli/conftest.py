"""Running the command line in this process, and a small project that has something of everything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from hardenctl.cli.app import run
from hardenctl.cli.fast import run_fast
from hardenctl.rules.fakes import scramble


@dataclass(frozen=True)
class Result:
    """What a command left: exit code and both streams."""

    code: int
    out: str
    err: str


def password() -> str:
    """A credential made at run time."""
    return scramble("cli-tests", 24)


def project() -> dict[str, str]:
    """A service with a leaked key, open CORS and hard-coded workers."""
    return {
        "main.py": (
            "from fastapi import FastAPI\n"
            "from fastapi.middleware.cors import CORSMiddleware\n\n"
            "app = FastAPI()\n"
            "app.add_middleware(\n"
            '    CORSMiddleware,\n    allow_origins=["*"],\n    allow_credentials=True,\n)\n'
        ),
        ".env.prod": f"SECRET_KEY={password()}\nDATABASE_URL=postgresql://app:{scramble('db', 24)}@db:5432/app\n",
        "docker-compose.prod.yml": (
            "services:\n  web:\n    image: registry.example.com/web:1.2.3\n"
            "    command: gunicorn main:app --workers 4 --timeout 0 --bind 0.0.0.0:8000\n"
        ),
    }


@pytest.fixture
def hardenctl(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Run a command line as `python -m hardenctl` would. `typer` leaves the fast path out."""

    def call(*arguments: str, cwd: Path | None = None, typer: bool = False) -> Result:
        if cwd:
            monkeypatch.chdir(cwd)
        capsys.readouterr()
        code = None if typer else run_fast(arguments)
        if code is None:
            code = run(arguments)
        streams = capsys.readouterr()
        assert "Traceback" not in streams.err
        return Result(code, streams.out, streams.err)

    return call


@pytest.fixture
def project_files() -> dict[str, str]:
    """The project's files."""
    return project()
