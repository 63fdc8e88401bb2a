from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from hypothesis import given
from hypothesis import strategies as st

from hardenctl.cli.app import run
from hardenctl.generate import forms, keypair
from hardenctl.generate.credential import RECIPES, generate
from hardenctl.generate.keypair import generate_pair
from hardenctl.model.errors import ToolError, UsageError
from hardenctl.model.settings import SecretSettings
from hardenctl.rules.fakes import base62_crc32

RARELY_MADE = SecretSettings(minimum_bits=300)


@given(st.integers(128, 1024))
def test_base64_holds_whole_bytes(bits: int) -> None:
    """As many bytes as hold the bits asked for, no more, in standard base64."""
    made = generate(RECIPES["base64"], bits=bits)
    assert len(base64.b64decode(made.value, validate=True)) * 8 == made.bits
    assert bits <= made.bits < bits + 8


@given(st.integers(128, 600))
def test_passphrase_is_whole_words(bits: int) -> None:
    """Words of five letters, 16 bits each, as many as are needed."""
    made = generate(RECIPES["passphrase"], bits=bits)
    words = made.value.split("-")
    assert all(re.fullmatch("([bdfghjklmnprstvz][aiou]){2}[bdfghjklmnprstvz]", word) for word in words)
    assert made.bits == 16 * len(words)
    assert bits <= made.bits < bits + 16


def test_passphrase_draws_every_letter() -> None:
    """Each place draws from all its letters."""
    words = [word for _ in range(40) for word in generate(RECIPES["passphrase"]).value.split("-")]
    assert {word[0] for word in words} == set("bdfghjklmnprstvz")
    assert {word[1] for word in words} == set("aiou")


def test_uuid() -> None:
    """A UUID of version 4; the floor is for credentials, and its 122 bits are said."""
    made = generate(RECIPES["uuid"], settings=RARELY_MADE)
    assert uuid.UUID(made.value).version == 4
    assert made.bits == 122


def test_floor_of_bytes_and_words() -> None:
    """The policy's floor makes them longer, and refuses what is asked below it."""
    for name in ("base64", "passphrase"):
        assert generate(RECIPES[name], settings=RARELY_MADE).bits >= 300
        with pytest.raises(UsageError, match="floor is 128"):
            generate(RECIPES[name], bits=100)
        with pytest.raises(UsageError, match="whole bytes or words"):
            generate(RECIPES[name], length=40)
    with pytest.raises(UsageError, match="one form"):
        generate(RECIPES["uuid"], bits=130)


@given(st.integers(22, 200))
def test_token_with_checksum(length: int) -> None:
    """Prefix, letters and digits, six digits of checksum as GitHub's tokens end in; the entropy is the body's."""
    made = generate(RECIPES["token"], prefix="shop_live_", length=length)
    body = made.value.removeprefix("shop_live_")[:-6]
    assert len(body) == length
    assert made.value == f"shop_live_{body}{base62_crc32(body)}"
    assert made.bits == pytest.approx(length * 5.954196)
    assert forms.checks_out(made.value, "shop_live_")


def test_checksum_tells_noise_from_tokens() -> None:
    """A changed character, another prefix and a bare prefix don't check out."""
    token = generate(RECIPES["token"], prefix="shop_").value
    other = "b" if token[10] == "a" else "a"
    assert not forms.checks_out(token[:10] + other + token[11:], "shop_")
    assert not forms.checks_out(token, "club_")
    assert not forms.checks_out("shop_", "shop_")


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        pytest.param(["token", "--prefix", "shop"], "with `_` behind it", id="no underscore"),
        pytest.param(["token", "--prefix", "a_very_long_prefix_for_it_"], "20 characters", id="too long"),
        pytest.param(["hex", "--prefix", "shop_"], "--prefix is for tokens", id="no token"),
        pytest.param(["token", "--prefix", "a_", "--alphabet", "hex"], "letters and digits only", id="alphabet"),
        pytest.param(["rsa", "--bits", "2048"], "about 112 bits of strength, and the floor is 128", id="weak RSA"),
        pytest.param(["rsa", "--bits", "3000"], "no size for an RSA key", id="odd RSA"),
        pytest.param(["ed25519", "--bits", "256"], "one size", id="Ed25519 has one size"),
        pytest.param(["ed25519", "--show", "--write", "k"], "--show excludes", id="written and shown"),
    ],
)
def test_refusals(
    arguments: list[str],
    what: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What would be weak or makes no sense is an error with a way out."""
    monkeypatch.chdir(tmp_path)
    assert run(["generate", *arguments]) == 2
    printed = capsys.readouterr()
    assert what in printed.err
    assert "help: " in printed.err
    assert printed.out == ""


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_pair_signs(kind: str) -> None:
    """The private key is PKCS#8, its public half is the public one, and the representation shows neither."""
    pair = generate_pair(kind)
    key = serialization.load_pem_private_key(pair.value.encode(), None)
    assert isinstance(key, Ed25519PrivateKey | RSAPrivateKey)
    assert not isinstance(key, RSAPrivateKey) or key.key_size == 3072
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert public.decode() == pair.public
    der = serialization.load_pem_public_key(public).public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert pair.fingerprint == hashlib.sha256(der).hexdigest()[:12]
    assert pair.bits == 128
    assert pair.value.splitlines()[1] not in repr(pair)


def test_policy_decides_the_size() -> None:
    """A higher floor makes a larger RSA key, and no Ed25519 key reaches it."""
    with pytest.raises(UsageError, match="floor is 192"):
        generate_pair("ed25519", floor=192)
    with pytest.raises(UsageError, match="floor is 192"):
        generate_pair("rsa", modulus=4096, floor=192)


def test_pair_into_files(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The private key is its owner's alone; the public one lies beside it; neither is replaced unasked."""
    monkeypatch.chdir(tmp_path)
    assert run(["generate", "ed25519", "--write", "jwt.pem"]) == 0
    private, public = Path("jwt.pem").read_text(encoding="utf-8"), Path("jwt.pem.pub").read_text(encoding="utf-8")
    loaded = serialization.load_pem_private_key(private.encode(), None)
    assert serialization.load_pem_public_key(public.encode()) == loaded.public_key()
    if sys.platform != "win32":
        assert Path("jwt.pem").stat().st_mode & 0o777 == 0o600
    printed = capsys.readouterr()
    assert private.splitlines()[1] not in printed.out + printed.err
    assert run(["generate", "ed25519", "--write", "jwt.pem"]) == 2
    assert "is there already" in capsys.readouterr().err
    assert Path("jwt.pem").read_text(encoding="utf-8") == private
    assert run(["generate", "ed25519", "--write", "jwt.pem", "--force"]) == 0
    assert Path("jwt.pem").read_text(encoding="utf-8") != private


def test_pair_into_a_pipe(tmp_path: Path) -> None:
    """A pipe gets the private key, exactly as a PEM file."""
    done = subprocess.run(
        [sys.executable, "-m", "hardenctl", "generate", "ed25519"], capture_output=True, cwd=tmp_path, check=True
    )
    assert isinstance(serialization.load_pem_private_key(done.stdout, None), Ed25519PrivateKey)
    assert done.stderr == b""


def test_without_cryptography(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra it is said what to install, before anything is done."""
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(ToolError, match="cryptography") as caught:
        keypair.require()
    assert "hardenctl[keys]" in caught.value.help
