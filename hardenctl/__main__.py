"""`hardenctl` and `python -m hardenctl`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    from hardenctl.cli.fast import run_fast

    code = run_fast(sys.argv[1:])
    sys.exit(_run_typer() if code is None else code)


def _run_typer() -> int:
    from hardenctl.cli.errors import guarded

    def run() -> int:
        from hardenctl.cli.app import run

        return run(sys.argv[1:])

    return guarded(run)


if __name__ == "__main__":
    main()
