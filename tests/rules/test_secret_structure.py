"""What tokens say about themselves, offline."""

from __future__ import annotations

import base64
import json

import pytest

from hardenctl.detect.secrets import detect_secrets
from hardenctl.model.blob import Blob, Provenance
from hardenctl.model.finding import Confidence, Severity
from hardenctl.rules.fakes import github_token, scramble
from hardenctl.rules.secrets import RULES, structure

ALL = frozenset(each.id for each in RULES)
SAMPLES = {each.id: each.sample() for each in RULES}


def jwt(claims: object, header: object = None) -> str:
    """A token with these claims."""
    parts = (header or {"alg": "HS256"}, claims)
    return ".".join(base64.urlsafe_b64encode(json.dumps(each).encode()).decode().rstrip("=") for each in parts) + ".x"


def nkey_seed() -> str:
    """A NATS seed whose checksum holds."""
    raw = bytes([18 << 3 | 20 >> 5, (20 & 31) << 3]) + scramble("nkey", 32).encode()
    crc = 0
    for byte in raw:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021) & 0xFFFF if crc & 0x8000 else crc << 1 & 0xFFFF
    return base64.b32encode(raw + crc.to_bytes(2, "little")).decode().rstrip("=")


def routable() -> str:
    """A GitLab routable token whose checksum holds."""
    import zlib

    body = "glpat-" + scramble("routable", 27) + ".01." + "0x"
    number, digits = zlib.crc32(body.encode()), ""
    while number:
        number, rest = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
    return body + digits.rjust(7, "0")


@pytest.mark.parametrize(
    ("check", "token", "valid"),
    [
        pytest.param(structure.crc32_base62, github_token("ghp", "s"), True, id="github-checksum"),
        pytest.param(structure.crc32_base62, "ghp_" + scramble("s", 36), False, id="github-checksum-fails"),
        pytest.param(structure.crc32_base62, "ghp_short", None, id="github-other-length"),
        pytest.param(structure.crc32_base62, SAMPLES["secret-npm-token"], True, id="npm-checksum"),
        pytest.param(structure.crc32_hex_suffix, SAMPLES["secret-grafana-service-account-token"], True, id="grafana"),
        pytest.param(structure.crc32_hex_suffix, "glsa" + "_x_00000000", False, id="grafana-fails"),
        pytest.param(structure.gitlab_routable, routable(), True, id="gitlab-routable"),
        pytest.param(structure.gitlab_routable, routable()[:-1] + "!", False, id="gitlab-routable-fails"),
        pytest.param(structure.gitlab_routable, "glpat-" + scramble("g", 20), None, id="gitlab-older"),
        pytest.param(structure.aws_account, SAMPLES["secret-aws-access-key-id"], None, id="aws-account"),
        pytest.param(structure.aws_account, "AKIA" + "1" * 16, False, id="aws-not-base-32"),
        pytest.param(structure.pypi, SAMPLES["secret-pypi-test-token"], True, id="test-pypi-macaroon"),
        pytest.param(
            structure.pypi,
            "pypi-" + base64.urlsafe_b64encode(b"\x02\x01\x08pypi.org\x02" + b"x" * 40).decode(),
            True,
            id="pypi-macaroon",
        ),
        pytest.param(structure.pypi, "pypi-" + scramble("p", 60), False, id="no-macaroon"),
        pytest.param(structure.pypi, "pypi-A", False, id="no-base64"),
        pytest.param(structure.base64_json, "glc_" + base64.b64encode(b'{"o": "1"}').decode(), True, id="json-body"),
        pytest.param(structure.base64_json, "glc_" + scramble("j", 40), False, id="no-json-body"),
        pytest.param(structure.openai, SAMPLES["secret-openai-api-key"], True, id="openai-marker"),
        pytest.param(structure.openai, "sk-" + scramble("o", 40), None, id="no-openai-marker"),
        pytest.param(structure.discord, SAMPLES["secret-discord-bot-token"], True, id="discord-id"),
        pytest.param(structure.discord, scramble("d", 24) + ".a.b", False, id="no-discord-id"),
        pytest.param(structure.nkey, nkey_seed(), True, id="nkey"),
        pytest.param(structure.nkey, "SU" + "A" * 56, False, id="nkey-checksum-fails"),
        pytest.param(structure.nkey, "not base 32", False, id="no-nkey"),
        pytest.param(structure.jwt, jwt({"iss": "app"}), True, id="jwt"),
        pytest.param(structure.jwt, "eyJ.eyJ.x", False, id="jwt-header-is-no-json"),
        pytest.param(structure.jwt, jwt({}, {"alg": "RS256"}).replace(".", ".!", 1), False, id="jwt-claims-unreadable"),
        pytest.param(structure.private_key, SAMPLES["secret-private-key"], True, id="private-key"),
        pytest.param(
            structure.private_key, "-----BEGIN PRIVATE " + "KEY-----\n" + "AAAA" * 30, False, id="body-is-no-key"
        ),
    ],
)
def test_a_check_tells_whether_the_structure_holds(check: structure.Check, token: str, valid: bool | None):  # noqa: FBT001
    """True, false, or nothing to say."""
    assert check(token).valid is valid


def test_the_aws_account_is_in_the_key_id():
    """The account of the published example id is the one its author gives: 581039954779."""
    assert structure.aws_account("ASIA" + "Y34FZKBOKMUTVV7A").evidence == {"aws-account": "609629065308"}
    assert structure.aws_account("ASIA" + "QNZGKIQY56JQ7WML").evidence == {"aws-account": "029608264753"}


@pytest.mark.parametrize(
    ("check", "token", "evidence", "severity"),
    [
        pytest.param(structure.stripe, "sk_" + "test_x", {"mode": "test"}, Severity.MEDIUM, id="stripe-test"),
        pytest.param(structure.stripe, "sk_" + "live_x", {"mode": "live"}, None, id="stripe-live"),
        pytest.param(structure.telegram, "123456:AAx", {"bot": "123456"}, None, id="telegram-bot"),
        pytest.param(
            structure.azure_sas,
            "?sv=1&se=2020-01-01T00Z&sig=x",
            {"expires": "2020-01-01"},
            Severity.LOW,
            id="sas-expired",
        ),
        pytest.param(structure.azure_sas, "?se=2999-01-01&sig=x", {"expires": "2999-01-01"}, None, id="sas-lives"),
        pytest.param(structure.azure_sas, "?sig=x", {}, None, id="sas-without-an-end"),
        pytest.param(
            structure.jwt,
            jwt({"exp": 1, "iss": "app"}),
            {"algorithm": "HS256", "issuer": "app", "expires": "1970-01-01", "expired": "yes"},
            Severity.LOW,
            id="jwt-expired",
        ),
        pytest.param(
            structure.service_account,
            '"project_id": "app-1", "client_email": "a@app-1.iam"',
            {"project-id": "app-1", "client-email": "a@app-1.iam"},
            None,
            id="google-service-account",
        ),
        pytest.param(
            structure.private_key,
            "-----BEGIN ENCRYPTED PRIVATE " + "KEY-----\nMIIE",
            {"key": "ENCRYPTED", "encrypted": "yes"},
            Severity.MEDIUM,
            id="encrypted-key",
        ),
    ],
)
def test_a_check_gives_evidence(
    check: structure.Check, token: str, evidence: dict[str, str], severity: Severity | None
):
    """What a person needs to find the owner, and what makes a finding milder."""
    proof = check(token)
    assert (dict(proof.evidence), proof.severity) == (evidence, severity)


@pytest.mark.parametrize(
    ("value", "confidence", "severity"),
    [
        pytest.param(github_token("ghp", "p"), Confidence.PROVEN, Severity.CRITICAL, id="checksum-holds"),
        pytest.param("ghp_" + scramble("p", 36), Confidence.POSSIBLE, Severity.LOW, id="checksum-fails"),
    ],
)
def test_a_failing_checksum_lowers_and_never_drops(value: str, confidence: Confidence, severity: Severity):
    """A token whose checksum fails is still reported."""
    blob = Blob(Provenance("a.py"), f'TOKEN = "{value}"'.encode())
    [(rule, hit)] = detect_secrets(blob, ALL)
    assert (hit.confidence, hit.severity or rule.severity) == (confidence, severity)
