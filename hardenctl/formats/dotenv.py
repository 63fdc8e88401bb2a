"""Env files: which files are, what they hold, and where."""

from __future__ import annotations

import re
from functools import lru_cache

_EXAMPLE_WORDS = frozenset("example examples sample samples template tmpl tpl dist defaults default skeleton".split())  # noqa: SIM905 - as below
# Suffixes that say what a file is instead: code, documents, other configuration, encrypted.
_OTHER = frozenset(
    """
    js jsx ts tsx mjs cjs py pyc pyi rb php go rs java kt cs sh bash zsh fish ps1 bat md rst txt html css json json5
    yml yaml toml xml lock j2 jinja erb vault keys enc gpg asc age sops swp svg png
    """.split()  # noqa: SIM905 - one word a line is no easier to read
)
_SEPARATOR = re.compile(r"[._-]+")


@lru_cache(maxsize=4096)
def is_env_file(path: str) -> bool:
    """Whether a path is an env file's by name: `.env`, `.env.*`, `*.env`, examples, and all in an `.envs` folder.

    `.envrc` is a shell script, and `.env.vault`, `.env.enc` and the like are encrypted: they are none.
    """
    folder, _, name = path.rpartition("/")
    name = name.lower()
    words = [word for word in _SEPARATOR.split(name) if word]
    if not words or (words[-1] in _OTHER and words != ["txt"]):
        return False
    if name == ".env" or name.startswith((".env.", ".env-", ".env_")) or name.endswith(".env"):
        return True
    if "env" in words or "dotenv" in words:
        return bool(_EXAMPLE_WORDS.intersection(words)) and len(words) <= 3  # noqa: PLR2004 - env, a name, example
    return ".envs" in folder.split("/") and name.startswith(".")
