"""Files that exist to hold credentials: clients' password files, password databases, Kubernetes Secrets.

What stands in one is a credential whether it is guessable or not, and some need no key to say so.
"""

from __future__ import annotations

import base64
import functools
import re
from collections.abc import Iterator

from hardenctl.detect.secrets.candidate import Candidate, How
from hardenctl.detect.secrets.first import may_be_kept
from hardenctl.detect.secrets.headers import basic
from hardenctl.detect.secrets.language import Setting, setting
from hardenctl.model.pattern import lazy_pattern
from hardenctl.model.record import field, record
from hardenctl.rules.secrets.values import is_bare_address, is_credential_key, is_placeholder, is_reference, is_weak

_STORE = lazy_pattern(
    r"""(?:^|/)(?:
      \.?pgpass(?:\.conf)? | [._]netrc | \.git-credentials
    | \.(?:npm|pypi|esmtp|msmtp|mutt|fetchmail|getmail|curl|wget)rc
    | \.dockercfg | \.docker/config\.json | \.(?:s3cfg|tugboat|boto|my\.cnf|mylogin\.cnf|credentials|ftpconfig)
    | \.aws/credentials | \.remote-sync\.json | \.?sftp(?:-config(?:-alt\d?)?|-settings)?\.json
    | deployment-config\.json
    | (?:recentservers|sitemanager|filezilla)\.xml | WebServers\.xml | winscp\.ini | robomongo\.json | robo3t\.json
    | (?:dbeaver-)?data-sources(?:-\d)?\.xml | logins\.json | signons\.\w+ | ventrilo_srv\.ini | config
    | wp-config\.php | LocalSettings\.php | config(?:uration)?\.php | config\.inc\.php
    | config/(?:database|secrets)\.ya?ml | secrets\.ya?ml | mongoid\.ya?ml | \.profile
    | \.(?:bash|zsh)(?:rc|_profile|_login|_history|env) | \.(?:c|tc|k)shrc
    | \.config/hub | hub | \.gem/credentials | \.cargo/credentials(?:\.toml)? | credentials\.tfrc\.json | \.terraformrc
    | auth\.json | \.htpasswd | terraform\.tfvars
    )$""",
    re.VERBOSE,
)
_KEY_FILE = lazy_pattern(r"(?:^|/)(?:master\.key|\.vault[_-]?pass(?:word)?(?:\.txt)?|\.?vault[_-]password(?:\.txt)?)$")
_PGPASS = lazy_pattern(r"^[^#\s:][^:\n]*:(?:\d+|\*):[^:\n]*:[^:\n]+:(?P<secret>[^\n]+?)[ \t\r]*$", re.MULTILINE)
_GIT = lazy_pattern(r"^\w+://(?P<user>[^:\s/]+):(?P<secret>[^\s/]+)@[\w.-]+(?:[:/]\S*)?$", re.MULTILINE)
_WHOLE = lazy_pattern(r"\A\s*(?P<secret>\S{8,200})\s*\Z")
# `user:$apr1$...`, also with the fields that follow it in `shadow` and in ProFTPD's file, and rows of a dump.
_HASHES = lazy_pattern(
    r"(?P<secret>(?:\$(?:2[abxy]?|apr1|1|5|6|y|gy|argon2(?:id|i|d)|scrypt)\$[\w./$+=,-]{20,160}"
    r"|\{(?:SSHA|SHA|SHA256|SSHA256|SSHA512)\}[\w+/=]{20,120}|pbkdf2_sha\d+\$\d+\$[^$\s'\"]{4,60}\$[\w+/=]{20,100}))"
)
_PASSWORD_FILE = lazy_pattern(r"(?:^|/)\.?(?:htpasswd|htdigest|g?shadow|[\w-]*passwd|users\.htpasswd)-?$|\.htpasswd$")
_DUMP = lazy_pattern(r"\.(?:sql|dump|ldif)$", re.IGNORECASE)
_BLANK = lazy_pattern(
    r"""^[<\[({].*[>\])}]$ | ^[*x•.-]+$ | (?i:your|change|replace|insert|redacted|placeholder|here$|todo|set[_-]?me)
      | ^(?i:true|false|yes|no|none|null|\d)$""",
    re.VERBOSE,
)
_KUBERNETES = lazy_pattern(r"^kind:[ \t]*[\"']?Secret[\"']?[ \t\r]*$", re.MULTILINE)
_DATA = lazy_pattern(
    r"^(?P<kind>data|stringData):[ \t\r]*\n(?P<body>(?:(?:[ \t]+[^\n]*|[ \t]*#[^\n]*|[ \t]*)(?:\n|\Z))+)", re.MULTILINE
)
_PAIR = lazy_pattern(
    r"^[ \t]+[\"']?(?P<key>[\w.-]{1,120})[\"']?:[ \t]+[\"']?(?P<secret>[^\s\"'#|>{][^\s\"']{2,8000})", re.MULTILINE
)
_NETRC = lazy_pattern(r"\bpassword[ \t\r\n]+(?P<secret>[^\s#{][^\s#]*)")
_XML = lazy_pattern(r"<Pass(?:word)?(?: encoding=\"\w+\")?>(?P<secret>[^<>\n]{3,500})</Pass")
_MASTER = lazy_pattern(r"<master>\s*\{?(?P<secret>[\w+/=]{16,200})\}?\s*</master>")  # its own key is public
_KEPT = lazy_pattern(r"_?auth$|encrypted(?:Username|Password)$|(?:AUTH|LOGGED_IN|NONCE|SECURE_AUTH)_(?:KEY|SALT)$")
# What a Secret holds though the key there says nothing: a private key, a registry's login.
_SELF_EVIDENT = lazy_pattern(
    r'PRIVATE KEY-----|"auths".{0,400}?"(?:password|auth)"\s*:\s*"(?P<login>[^"]{4,})"', re.DOTALL
)
# Composer's: the host stands where other files have the key's name.
_COMPOSER = lazy_pattern(
    r'"(?:github-oauth|gitlab-(?:oauth|token)|bearer)"\s*:\s*\{\s*"[^"\s]+"\s*:\s*"(?P<secret>[^"\s]+)"'
)
_MIXED = 25  # distinct characters: no reference has as many as a random phrase
MOST = 2000  # rows of one file: a dump of all users tells the same story after that


@record
class Stored:
    """A credential that its file's form gives away. `hashed`: what is stored is no password but its hash."""

    start: int
    end: int
    value: str = field(repr=False)
    what: str
    hashed: bool = False
    weak: bool = False


_NO_STORE = Setting.EXAMPLE | Setting.DOCUMENT | Setting.TEST | Setting.TRANSLATION  # `locales/it/auth.json`


@functools.lru_cache(maxsize=1024)
def is_store(path: str) -> bool:
    """Whether a file is one that only ever holds credentials in use, by its name."""
    return bool(_STORE.search(path)) and not setting(path) & _NO_STORE


def is_stored(candidate: Candidate, path: str) -> bool:
    """Whether a candidate that nothing but its being guessable speaks against is the password its file is there for."""
    value, key = candidate.value, candidate.key
    if not is_store(path) or _BLANK.search(value) or (is_reference(value) and len(set(value)) < _MIXED):
        return False
    if candidate.how is How.USERINFO:
        return True
    if _KEPT.match(key) and (user := basic(value)) and (_BLANK.search(user[1]) or is_reference(user[1])):
        return False
    return is_credential_key(key) or bool(_KEPT.match(key))


def stored(text: str, path: str) -> Iterator[Stored]:  # noqa: C901 - a list of cases
    """What stands in a file whose form alone says that it is a credential, at most `MOST` of it."""
    if not may_be_kept(path, text):
        return
    if _KEY_FILE.search(path):
        yield from _all(_WHOLE, text, "Key in a file of its own")
    elif path.endswith(("pgpass", "pgpass.conf")):
        yield from _all(_PGPASS, text, "Password in a PostgreSQL password file")
    elif path.endswith(".git-credentials"):
        yield from _all(_GIT, text, "Password in git's credential store")
    elif path.endswith(("netrc", "authinfo")):
        yield from _all(_NETRC, text, "Password in a netrc file")
    elif path.endswith("auth.json"):
        yield from _all(_COMPOSER, text, "Token in Composer's auth.json")
    elif path.endswith("settings-security.xml"):
        yield from _all(_MASTER, text, "Maven's master password")
    elif path.endswith(".xml") and is_store(path):
        yield from _all(_XML, text, "Password in a client's server list")
    elif _PASSWORD_FILE.search(path) or _DUMP.search(path):
        yield from _all(_HASHES, text, "Password hash", hashed=True)
    elif path.endswith((".yml", ".yaml")) and "Secret" in text and _KUBERNETES.search(text):
        yield from _kubernetes(text)


def _all(expression: re.Pattern[str], text: str, what: str, *, hashed: bool = False) -> Iterator[Stored]:
    for count, match in enumerate(expression.finditer(text)):
        value = match["secret"]
        if count >= MOST:
            return
        if not _BLANK.search(value) and not is_reference(value):
            yield Stored(*match.span("secret"), value, what, hashed, not hashed and is_weak(value))


def _kubernetes(text: str) -> Iterator[Stored]:
    """The values of a Secret manifest, those under `data` decoded."""
    for block in _DATA.finditer(text):
        for pair in _PAIR.finditer(text, block.start("body"), block.end("body")):
            value = pair["secret"] if block["kind"] == "stringData" else _decoded(pair["secret"])
            if value is None or len(value) < 4 or is_reference(value) or is_placeholder(value):  # noqa: PLR2004 - as for any value
                continue
            if is_bare_address(value):  # of a store that takes no password
                continue
            evident = _SELF_EVIDENT.search(value)
            if evident and evident["login"] and (is_reference(evident["login"]) or is_placeholder(evident["login"])):
                continue
            if is_credential_key(pair["key"]) or evident:
                yield Stored(
                    *pair.span("secret"),
                    pair["secret"],
                    f"Kubernetes Secret `{pair['key'][:64]}`",
                    weak=is_weak(value, pair["key"]),
                )


def _decoded(value: str) -> str | None:
    try:
        return base64.b64decode(value, validate=True).decode("utf-8").strip()
    except ValueError:  # binascii.Error and UnicodeDecodeError are
        return None
