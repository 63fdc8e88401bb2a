"""The starlette cases of the corpus under old versions, which `.ci/run` installs into folders of their own.

They are named in OLD_STARLETTE, one path for each version; without it these tests are skipped, and say so.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from test_cors_corpus import CASES, CORPUS, real_classes, static_classes

FOLDERS = [each for each in os.environ.get("OLD_STARLETTE", "").split(os.pathsep) if each]
LIBRARIES = ("starlette", "headers")  # the latter's applications are FastAPI's

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FOLDERS, reason="OLD_STARLETTE names no folder: only the installed starlette was asked"),
]

# What the middleware sends to a request without a cookie, and to one with: the wildcard is reflected by cookies alone.
WITHOUT_COOKIES = """
import asyncio, starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse

app = CORSMiddleware(PlainTextResponse("x"), allow_origins=["*"], allow_credentials=True)

def ask(*headers):
    sent = []
    async def receive():
        return {"type": "http.request"}
    async def send(message):
        sent.append(message)
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"origin", b"https://evil.example"), *headers]}
    asyncio.run(app(scope, receive, send))
    return dict(sent[0]["headers"])[b"access-control-allow-origin"].decode()

print(starlette.__version__, ask(), ask((b"cookie", b"a=b")))
"""


def run(folder: str, *command: str) -> str:
    """What a program prints under an old starlette."""
    done = subprocess.run(
        [sys.executable, *command],
        input="{}",
        env={**os.environ, "PYTHONPATH": folder},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout


@pytest.mark.parametrize("folder", FOLDERS)
def test_verdicts_hold_for_old_versions(folder: str) -> None:
    """Who gets in under an old starlette is who we say gets in."""
    truth = json.loads(run(folder, str(CORPUS.parent / "cors_truth.py"), str(CORPUS), *LIBRARIES))
    assert len(truth) >= 60
    told = {name for name in truth if CASES[name].static != "unresolved"}
    assert {name: static_classes(name) for name in told} == {name: real_classes(truth[name]) for name in told}


@pytest.mark.parametrize("folder", FOLDERS)
def test_what_old_versions_reflect(folder: str) -> None:
    """Before 1.0 a wildcard with credentials is the caller's origin for requests with a cookie, as the message says."""
    version, without, with_cookie = run(folder, "-c", WITHOUT_COOKIES).split()
    assert version.startswith("0.")
    assert (without, with_cookie) == ("*", "https://evil.example")
