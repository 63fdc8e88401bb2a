"""Git's ignore files: do they cover the env files a project has, or will have?"""

from __future__ import annotations

from collections.abc import Iterator

from hardenctl.formats.ignore import PLAIN, IgnoreCoverage
from hardenctl.model.finding import Append, Applicability, Fix, Hit, Severity
from hardenctl.model.text import Span
from hardenctl.rules.declare import rule

_SHOWN = 4


@rule("gitignore-env-not-ignored", on=IgnoreCoverage, severity=Severity.MEDIUM)
def gitignore_env_not_ignored(coverage: IgnoreCoverage) -> Iterator[Hit]:
    """Git does not ignore the project's env files.

    ## Why is this bad?
    The next `git add .` commits an env file with whatever credentials it holds.
    The common Python template ignores `.env` but neither `.env.production` nor `.env.local`.
    An example file that is ignored is named too: it never reaches those it is meant for.

    It is `low` where every env file that the project has or reads is covered, and only other names are not.

    ## Example
    ```gitignore title=".gitignore"
    __pycache__/
    .env
    ```
    ```sh title=".env.example"
    SECRET_KEY=
    ```

    ## Use instead
    Ignore all of them, and except the example.
    ```gitignore title=".gitignore"
    __pycache__/
    .env
    .env.*
    !.env.example
    ```
    ```sh title=".env.example"
    SECRET_KEY=
    ```

    ## Fix safety
    Safe: lines are added at the end of `.gitignore`; files that git tracks stay tracked.

    ## References
    - https://git-scm.com/docs/gitignore
    - https://github.com/github/gitignore/blob/main/Python.gitignore
    """
    start = Span(coverage.path, 0, 0)
    lines = missing_lines(coverage)
    fix = Fix("Cover env files in `.gitignore`", (Append(coverage.path, lines),), Applicability.SAFE)
    if coverage.uncovered:
        # A tracked `web.env` is there by design: ignoring its name would change nothing.
        names = {path.rpartition("/")[2] for path in coverage.uncovered}
        grave = coverage.present or any(name in coverage.used and name.startswith(PLAIN) for name in names)
        yield Hit(
            start,
            _message(coverage),
            identity="uncovered",
            fix=fix,
            severity=Severity.MEDIUM if grave else Severity.LOW,
        )
    elif coverage.hidden_examples:
        yield Hit(
            start,
            f"git ignores {_listed(coverage.hidden_examples)}, which is meant to be shared",
            identity="examples",
            fix=fix,
            severity=Severity.LOW,
        )


def missing_lines(coverage: IgnoreCoverage) -> str:
    """What `.gitignore` lacks, line by line."""
    names = {path.rpartition("/")[2] for path in coverage.uncovered}
    lines = [".env"] if PLAIN in names else []
    dotted = any(name.startswith(".env.") for name in names)
    suffixed = any(name.endswith(".env") and name != PLAIN for name in names)
    lines += [".env.*"] if dotted else []
    lines += ["*.env"] if suffixed else []
    others = {name for name in names if name != PLAIN and not name.startswith(".env.") and not name.endswith(".env")}
    lines += sorted(others)
    exceptions = {path.rpartition("/")[2] for path in coverage.hidden_examples}
    if dotted:
        exceptions |= {".env.example"}
    for path in coverage.examples:
        name = path.rpartition("/")[2]
        if (dotted and name.startswith(".env.")) or (suffixed and name.endswith(".env")):
            exceptions.add(name)
    return "".join(f"{line}\n" for line in [*lines, *(f"!{name}" for name in sorted(exceptions))])


def _message(coverage: IgnoreCoverage) -> str:
    if coverage.present:
        return f"git does not ignore {_listed(coverage.present)}: the next `git add .` commits it"
    found = dict.fromkeys(path.rpartition("/")[2] for path in coverage.uncovered)
    names = tuple(sorted(found, key=lambda name: name not in coverage.used))
    where = "" if coverage.exists else "there is no `.gitignore`; "
    return f"{where}git would not ignore {_listed(names)}"


def _listed(paths: tuple[str, ...]) -> str:
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return ", ".join(f"`{path}`" for path in paths[:_SHOWN]) + more
