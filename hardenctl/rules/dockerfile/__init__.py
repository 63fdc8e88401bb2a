"""The Dockerfile rules."""

from __future__ import annotations

from hardenctl.rules.declare import Rule
from hardenctl.rules.dockerfile.content import add_url, credential_in_env, env_copied, piped_download, shell_form
from hardenctl.rules.dockerfile.image import latest_tag, user_root

RULES: tuple[Rule, ...] = (
    user_root,
    latest_tag,
    credential_in_env,
    env_copied,
    add_url,
    piped_download,
    shell_form,
)
