"""Asks the installed gunicorn what each case comes to: cases as JSON on standard input, answers on standard output.

Each case runs in a fork of its own that sets its environment before it imports gunicorn, because gunicorn reads some
of its defaults while it is imported. Starting Python once for all makes 100 cases a matter of seconds.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path


def answer(case: dict) -> dict:
    """The settings of one case, or the exit code gunicorn ends with."""
    words = subprocess.run(
        ["sh", "-c", f"for w in {case['args']}; do printf '%s\\0' \"$w\"; done"],
        env={**os.environ, **case.get("env", {})},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")[:-1]
    os.environ.update(case.get("env", {}))
    sys.argv = ["gunicorn", *words]
    sys.path.insert(0, str(Path.cwd()))
    from gunicorn.app.wsgiapp import WSGIApplication

    try:
        with contextlib.redirect_stderr(io.StringIO()):
            cfg = WSGIApplication("%(prog)s [OPTIONS] [APP_MODULE]", prog="gunicorn").cfg
            networks = cfg.forwarded_allow_networks()
    except SystemExit as error:
        return {"exit": error.code}
    del networks
    return {"settings": {name: setting.get() for name, setting in cfg.settings.items()}, "words": shlex.join(words)}


def main() -> None:
    """Answer all cases."""
    answers = []
    for case in json.load(sys.stdin):
        reader, writer = os.pipe()
        with tempfile.TemporaryDirectory() as folder:
            for path, text in case.get("files", {}).items():
                target = Path(folder, path)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text)
            child = os.fork()
            if child == 0:
                os.chdir(folder)
                os.close(reader)
                with os.fdopen(writer, "w") as out:
                    json.dump(answer(case), out, default=lambda value: f"<{type(value).__name__}>")
                os._exit(0)
            os.close(writer)
            with os.fdopen(reader) as source:
                answers.append(json.loads(source.read() or '{"exit": "crashed"}'))
            os.waitpid(child, 0)
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
