"""`hardenctl` and `python -m hardenctl`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    from hardenctl.cli.fast import run_fast

    code = run_fast(sys.argv[1:])
    if code is None:
        from hardenctl.cli.app import run

        code = run(sys.argv[1:])
    sys.exit(code)


if __name__ == "__main__":
    main()
