"""Which files may hold a launch line or its settings, by their paths alone."""

from __future__ import annotations

import posixpath
import re

from hardenctl.model.pattern import lazy_pattern

_KINDS = (
    ("procfile", lazy_pattern(r"Procfile(?:\.(?!(?:ba)?sh$).+)?|.*\.procfile", re.IGNORECASE)),
    ("systemd", lazy_pattern(r".*\.service")),
    ("supervisor", lazy_pattern(r"(?:.*[._-])?supervisord?(?:[._-].*)?\.(?:conf|ini)", re.IGNORECASE)),
    ("uwsgi", lazy_pattern(r"(?:.*[._-])?uwsgi(?:[._-].*)?\.ini", re.IGNORECASE)),
    ("makefile", lazy_pattern(r"(?:GNU)?[Mm]akefile|.*\.mk")),
    (
        "platform",
        lazy_pattern(
            r"railway\.(?:toml|json)|(?:render|app|koyeb|apprunner|\.platform\.app)\.ya?ml|fly\.toml|nixpacks\.toml|"
            r"heroku\.yml|zeabur\.json"
        ),
    ),
    ("kubernetes", lazy_pattern(r".*\.ya?ml|.*(?:task|container)[_-]?def.*\.json", re.IGNORECASE)),
    ("terraform", lazy_pattern(r".*\.(?:tf|hcl)")),
    ("vagrant", lazy_pattern(r"Vagrantfile(?:\..+)?")),
    ("script", lazy_pattern(r".*\.(?:sh|bash|ash)|(?:.*[._-])?entry-?point(?:\..*)?", re.IGNORECASE)),
    (
        "bare script",
        lazy_pattern(
            r"(?:[^.]*[-_])?(?:start|run|serve|server|boot|launch|web|api|app|gunicorn|uvicorn|django|flask|cmd|entry|prod)"
            r"(?:[-_][^.]*)?",
            re.IGNORECASE,
        ),
    ),
)
# The programs of supervisord stand in files of any name, in its own folder.
_SUPERVISED = lazy_pattern(r"(?:.*/)?supervisord?(?:[._-][^/]*)?/(?:.*/)?[^/]+\.(?:conf|ini)", re.IGNORECASE)
_WORKFLOW = lazy_pattern(r"(?:.*/)?\.(?:github|gitea|forgejo)/workflows/[^/]+\.ya?ml")
DEFAULT_CONFIG = "gunicorn.conf.py"
_CONFIG_NAME = lazy_pattern(
    r"(?:.*[._-])?gunicorn(?:[._-]?(?:conf|config|cfg|configuration|settings|prod|production|dev|development|local|py))*\.py",
    re.IGNORECASE,
)


def is_config(path: str) -> bool:
    """Whether a file is a gunicorn config file by its name, or by its name and folder."""
    folder, name = posixpath.split(path.lower())
    in_folder = posixpath.basename(folder) == "gunicorn" and name in ("conf.py", "config.py", "settings.py")
    return in_folder or (bool(_CONFIG_NAME.fullmatch(name)) and not name.startswith("test"))


def kind_of(path: str) -> str | None:
    """Which kind of file with a launch line this is by its name; None for all others."""
    if _WORKFLOW.fullmatch(path):
        return "workflow"
    name = posixpath.basename(path)
    kind = next((kind for kind, pattern in _KINDS if pattern.fullmatch(name)), None)
    return kind or ("supervisor" if _SUPERVISED.fullmatch(path) else None)
