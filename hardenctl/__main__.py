"""`hardenctl` and `python -m hardenctl`."""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        _run()
    except KeyboardInterrupt:  # while modules are loaded: later there is somebody who handles it
        sys.stderr.write("error: interrupted\n")
        sys.exit(130)


def _run() -> None:
    usual = gc.get_threshold()
    gc.set_threshold(100_000, 20, 20)  # declarations are no garbage: looking for some takes a tenth of a hook run
    from hardenctl.cli.fast import run_fast

    code = run_fast(sys.argv[1:])
    if code is None:
        gc.set_threshold(*usual)
        sys.exit(_run_typer())
    _leave(code)


def _leave(code: int) -> None:
    """Exit without taking the interpreter apart, which takes a hook run 8 ms. What is registered for the end is run."""
    import atexit

    atexit._run_exitfuncs()  # noqa: SLF001 - as the interpreter would
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        sys.exit(code)  # Python says what it could not write
    os._exit(code)


def _run_typer() -> int:
    from hardenctl.cli.errors import guarded

    def run() -> int:
        from hardenctl.cli.app import run

        return run(sys.argv[1:])

    return guarded(run)


if __name__ == "__main__":
    main()
