"""Files that exist to hold credentials, encoded values, and what stands around a token."""

from __future__ import annotations

import base64

import pytest

from hardenctl.detect.secrets import detect_secrets
from hardenctl.detect.secrets.decode import decoded
from hardenctl.model.blob import Blob, Provenance
from hardenctl.model.finding import Confidence, Severity
from hardenctl.rules.fakes import FAKES, scramble
from hardenctl.rules.secrets import RULES

ALL = frozenset(each.id for each in RULES)
VALUE = scramble("stores", 20)
HASH = "$2" + "y$12$" + scramble("stored-hash", 53)
SHADOW = "$6$" + scramble("salt", 16) + "$" + scramble("shadow", 86)


def found(text: str, path: str) -> list[tuple[str, str]]:
    """Rule and value of each hit."""
    blob = Blob(Provenance(path), text.encode())
    return [(rule.id, str(hit.secret)) for rule, hit in detect_secrets(blob, ALL)]


STORED = "secret-stored-password"


@pytest.mark.parametrize(
    ("path", "text", "value", "rule"),
    [
        pytest.param("db/.pgpass", "#host:port\nlocalhost:5432:app:root:{}\n", "password", STORED, id="pgpass"),
        pytest.param(".git-credentials", "https://ada@x.io:{}@github.com\n", "pa/ss!#@498", "", id="slash-in-git"),
        pytest.param(".git-credentials", "https://ada@x.io:{}@github.com\n", "pass!#@498", STORED, id="git"),
        pytest.param(".netrc", "machine x.io login ada password {}\n", "pass123", STORED, id="netrc"),
        pytest.param("master.key", "{}\n", scramble("m", 32, "0123456789abcdef"), STORED, id="rails-master-key"),
        pytest.param("sftp-config.json", '{{"user": "root", "password": "{}"}}', "hunter22", STORED, id="sftp"),
        pytest.param("filezilla.xml", "<Pass>{}</Pass>", "Pas123", STORED, id="filezilla"),
        pytest.param("recentservers.xml", '<Pass encoding="base64">{}</Pass>', "cGFzczEyMw==", STORED, id="encoded"),
        pytest.param("wp-config.php", "define('DB_PASSWORD', '{}');", "admin", STORED, id="wordpress"),
        pytest.param("mongoid.yml", "uri: mongodb://ada:{}@x.mlab.com/a", "testpass", STORED, id="userinfo"),
        pytest.param(".s3cfg", "secret_key = {} # mine", VALUE, STORED, id="dotfile-without-quotes"),
        pytest.param(".bashrc", "export X_PASS='{}'", "password123", STORED, id="shell-profile"),
        pytest.param(
            ".htpasswd",
            "admin:{}\n",
            "$apr1$tp8glkbm$" + "fjg65tI1eipoBh62aEjIy0",
            "secret-password-hash",
            id="htpasswd",
        ),
        pytest.param(
            "etc/shadow", "daemon:*:1:0\nada:{}:17431:0:99999:7:::\n", SHADOW, "secret-password-hash", id="shadow"
        ),
        pytest.param(
            "dump.sql", "INSERT INTO users VALUES (1, 'ada', '{}', 1);", HASH, "secret-password-hash", id="dump"
        ),
        pytest.param("app.py", "check('x', '{}')", HASH, "", id="hash-in-code"),
        pytest.param("examples/.pgpass", "h:1:d:u:{}\n", VALUE, STORED, id="example-of-a-store"),
        pytest.param("sftp-config.json", '{{"password": "{}"}}', "<password>", "", id="blank"),
        pytest.param(".npmrc", "//registry.npmjs.org/:_authToken={}", "${NPM_TOKEN}", "", id="reference"),
        pytest.param("data-sources.xml", '<data-source save-password="{}"/>', "true", "", id="switch"),
    ],
)
def test_files_that_hold_credentials(path: str, text: str, value: str, rule: str):
    """There a guessable value is a credential too, found whatever way the file writes it."""
    expected = [(rule, value)] if rule else []
    assert found(text.format(value), path) == expected


def test_a_kubernetes_secret_is_decoded():
    """What is under `data` is base64, what is under `stringData` plain; names and references are left out."""
    encoded = base64.b64encode(VALUE.encode()).decode()
    weak = base64.b64encode(b"postgres").decode()
    text = (
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: app-password\n"
        f"data:\n  db-password: {encoded}\n  username: YWRh\n"
        f"stringData:\n  api-token: {VALUE}\n  other-token: ${{TOKEN}}\n"
    )
    assert found(text, "k8s/secret.yaml") == [(STORED, encoded), (STORED, VALUE)]
    blob = Blob(Provenance("k8s/secret.yaml"), f"kind: Secret\ndata:\n  db-password: {weak}\n".encode())
    assert [hit.severity for _, hit in detect_secrets(blob, ALL)] == [Severity.MEDIUM]


@pytest.mark.parametrize(
    ("url", "held"),
    [
        pytest.param("redis://redis-service:6379/0", False, id="address"),
        pytest.param("postgresql://db/app", False, id="address-without-port"),
        pytest.param(f"redis://:{VALUE}@redis-service:6379/0", True, id="password"),
        pytest.param(f"postgresql://db/app?password={VALUE}", True, id="query"),
    ],
)
def test_an_address_in_a_kubernetes_secret(url: str, *, held: bool):
    """A store that takes no password has an address and no credential."""
    encoded = base64.b64encode(url.encode()).decode()
    assert bool(found(f"kind: Secret\ndata:\n  CELERY_BROKER_URL: {encoded}\n", "k8s/secret.yaml")) is held


TOKEN = FAKES["github-token"]()


@pytest.mark.parametrize(
    "encode",
    [
        pytest.param(lambda text: base64.b64encode(text.encode()).decode(), id="base64"),
        pytest.param(lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="), id="base64-of-urls"),
        pytest.param(lambda text: text.encode().hex(), id="hex"),
        pytest.param(lambda text: "".join(f"%{ord(each):02x}" for each in text), id="percent"),
        pytest.param(lambda text: "".join(f"\\u{ord(each):04x}" for each in text), id="unicode-escapes"),
        pytest.param(lambda text: base64.b64encode(text.encode("utf-16-le")).decode(), id="base64-of-utf-16"),
        pytest.param(
            lambda text: base64.b64encode(base64.b64encode(text.encode())).decode(), id="base64-within-base64"
        ),
    ],
)
def test_an_encoded_token_is_found(encode):  # noqa: ANN001 - a table of functions
    """A token of a known format is found in an encoded value, where that stands, and never shown."""
    value = encode(f'{{"token": "{TOKEN}"}}')
    assert ("secret-github-token", value) in found(f'CONFIG_SECRET = "{value}"', "settings.py")


def test_an_encoded_url_with_a_password_is_found():
    """A connection string in base64 is one."""
    value = base64.b64encode(f"postgresql://app:{VALUE}@db/app".encode()).decode()
    assert found(f"DATABASE_SECRET={value}", ".env") == [("secret-url-credentials", value)]


def test_decoding_ends():
    """Encodings within each other are followed three deep, and plain words decode to nothing."""
    text = "a" + VALUE
    for _ in range(6):
        text = base64.b64encode(text.encode()).decode()
    assert len(list(decoded(text))) == 3
    assert list(decoded("plain words and no encoding at all")) == []


AWS_ID = FAKES["aws-access-key-id"]()


@pytest.mark.parametrize(
    ("path", "text", "severity", "confidence"),
    [
        pytest.param("a.py", f'KEY = "{AWS_ID}"', Severity.LOW, Confidence.POSSIBLE, id="aws-id-alone"),
        pytest.param(
            "a.py",
            f'KEY = "{AWS_ID}"\nSECRET = "{FAKES["aws-secret-access-key"]()}"',
            Severity.HIGH,
            Confidence.LIKELY,
            id="aws-id-beside-its-secret",
        ),
        pytest.param(
            "a.html", f"x?SubscriptionId={AWS_ID}&t=1", Severity.LOW, Confidence.POSSIBLE, id="aws-id-in-a-url"
        ),
        pytest.param(
            "google-services.json",
            '{"current_key": "' + FAKES["secret-google-api-key"]() + '"}',
            Severity.LOW,
            Confidence.LIKELY,
            id="firebase-client",
        ),
        pytest.param(
            "a.js",
            '{apiKey: "' + FAKES["secret-google-api-key"]() + '", authDomain: "x.firebaseapp.com"}',
            Severity.LOW,
            Confidence.LIKELY,
            id="firebase-configuration",
        ),
        pytest.param(
            "schemas.py",
            'Field(examples=["' + FAKES["secret-stripe-webhook-secret"]() + '"])',
            Severity.LOW,
            Confidence.LIKELY,
            id="example-in-a-schema",
        ),
        pytest.param(
            "schemas.py",
            '{ label: "Secret", placeholder: "' + FAKES["secret-stripe-webhook-secret"]() + '" }',
            Severity.LOW,
            Confidence.LIKELY,
            id="placeholder-of-a-form",
        ),
    ],
)
def test_what_stands_around_a_token(path: str, text: str, severity: Severity, confidence: Confidence):
    """An id without its secret, a key for clients and an example are low."""
    blob = Blob(Provenance(path), text.encode())
    rule, hit = next(iter(detect_secrets(blob, ALL)))
    assert (hit.severity or rule.severity, hit.confidence) == (severity, confidence)
