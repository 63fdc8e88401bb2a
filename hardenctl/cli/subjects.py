"""Which rules a command runs: what their ids start with."""

from __future__ import annotations

from hardenctl.rules import RULES, Catalogue

# `audit` and `scan` are commands, the others the subjects of `check`.
SUBJECTS: dict[str, Catalogue] = {
    "audit": RULES,
    "scan": RULES.of("secret"),
    "cors": RULES.of("cors"),
    "gunicorn": RULES.of("gunicorn", "server"),
    "compose": RULES.of("compose"),
    "dockerfile": RULES.of("dockerfile"),
    "app": RULES.of("app"),
    "ci": RULES.of("ci"),
    "env": RULES.of("env"),
    "gitignore": RULES.of("gitignore", "dockerignore"),
}
