"""The ignore rules: what keeps env files out of git and out of images."""

from __future__ import annotations

from hardenctl.rules.declare import Rule
from hardenctl.rules.ignore.dockerignore import dockerignore_env_not_ignored
from hardenctl.rules.ignore.gitignore import gitignore_env_not_ignored

RULES: tuple[Rule, ...] = (
    gitignore_env_not_ignored,
    dockerignore_env_not_ignored,
)
