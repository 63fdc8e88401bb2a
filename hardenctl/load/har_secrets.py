"""What of a recorded query or body is a credential: named so, or found by the same pipeline that audits."""

from __future__ import annotations

import re
from typing import Any

from hardenctl.detect.secrets import sensitive_spans
from hardenctl.model.blob import Blob, Provenance, SourceKind
from hardenctl.rules.secrets.values import is_credential_key

_ALSO = re.compile(r"csrf|xsrf|session|signature|^(?:sig|state|nonce|code|ticket)$", re.IGNORECASE)


class Masker:
    """Replaces credentials by `$LOAD_NAME`. `variables` are those names, `dropped` the query parameters left out."""

    def __init__(self) -> None:
        self.variables: set[str] = set()
        self.dropped: set[str] = set()

    def drops(self, name: str, value: str) -> bool:
        """Whether a query parameter is a credential: an address ends up in logs, so it is not filled in again."""
        secret = self._is_secret(name, value)
        if secret:
            self.dropped.add(f"`{name}`")
        return secret

    def mask(self, value: Any, key: str = "") -> Any:
        """A body with each credential named instead of written."""
        if isinstance(value, dict):
            return {name: self.mask(each, str(name)) for name, each in value.items()}
        if isinstance(value, list):
            return [self.mask(each, key) for each in value]
        named = isinstance(value, str | int | float) and not isinstance(value, bool) and is_credential_key(key)
        if named or (isinstance(value, str) and self._is_secret(key, value)):
            variable = "LOAD_" + (re.sub(r"[^A-Z0-9]+", "_", _snake(key).upper()).strip("_") or "SECRET")
            self.variables.add(variable)
            return f"${variable}"
        return value

    def _is_secret(self, key: str, value: str) -> bool:
        if not value:
            return False
        if is_credential_key(key) or _ALSO.search(key):
            return True
        text = f'{key} = "{value}"\n'
        return bool(
            sensitive_spans(Blob(Provenance("recording.txt", SourceKind.STDIN), text.encode("utf-8", "replace")))
        )


def _snake(key: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key)
