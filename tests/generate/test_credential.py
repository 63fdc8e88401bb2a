from __future__ import annotations

import base64
import hashlib
import math
import statistics
import string
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardenctl.generate.alphabets import ALPHABETS, entropy, length_for
from hardenctl.generate.credential import RECIPES, Credential, generate
from hardenctl.model.errors import UsageError
from hardenctl.model.settings import SecretSettings

SAFE = set(string.ascii_letters + string.digits + "-_=")


@pytest.mark.parametrize(
    ("name", "length", "bits"),
    [
        pytest.param("secret-key", 64, 384, id="64 of 64 characters"),
        pytest.param("password", 32, 192, id="32 of 64"),
        pytest.param("db-password", 40, 239, id="40 of 63"),
        pytest.param("token", 43, 258, id="as long as token_urlsafe(32)"),
        pytest.param("hex", 64, 256, id="as openssl rand -hex 32"),
        pytest.param("fernet", 44, 256, id="32 bytes in base64"),
    ],
)
def test_recipes(name: str, length: int, bits: int) -> None:
    """Each kind has its usual length, its entropy stated in whole bits, and characters that need no quoting."""
    made = generate(RECIPES[name])
    assert len(made.value) == length
    assert math.floor(made.bits) == bits
    assert set(made.value) <= SAFE


def test_fernet_key_is_one() -> None:
    """A Fernet key decodes to 32 bytes."""
    assert len(base64.urlsafe_b64decode(generate(RECIPES["fernet"]).value)) == 32


@given(st.sampled_from(sorted(ALPHABETS)), st.integers(128, 1024))
def test_asked_entropy_is_reached_and_not_wasted(alphabet: str, bits: int) -> None:
    """`--bits` gives at least so many bits with as few characters as hold them, all of the alphabet."""
    made = generate(RECIPES["token"], bits=bits, alphabet=alphabet)
    assert made.bits >= bits - 1e-6
    assert entropy(ALPHABETS[alphabet], len(made.value) - 1) < bits
    assert set(made.value) <= set(ALPHABETS[alphabet])


@given(st.sampled_from(sorted(ALPHABETS)), st.integers(64, 400))
def test_stated_entropy_is_exact(alphabet: str, length: int) -> None:
    """The figure is length times the logarithm of the alphabet's size."""
    made = generate(RECIPES["token"], length=length, alphabet=alphabet)
    assert len(made.value) == length
    assert made.bits == pytest.approx(length * math.log2(len(ALPHABETS[alphabet])))


@pytest.mark.parametrize("alphabet", sorted(ALPHABETS))
def test_alphabets_have_no_repeats(alphabet: str) -> None:
    """A character that stood twice would be drawn twice as often, and the stated entropy would be wrong."""
    assert len(set(ALPHABETS[alphabet])) == len(ALPHABETS[alphabet])


def test_draw_is_uniform() -> None:
    """Every character comes up about equally often: chi-square of 40,960 draws is below its 1-in-a-million bound."""
    counts = Counter("".join(generate(RECIPES["token"], length=4096).value for _ in range(10)))
    expected = 40960 / 64
    chi_square = sum((counts[each] - expected) ** 2 / expected for each in ALPHABETS["urlsafe"])
    assert chi_square < 63 + 4.75 * math.sqrt(2 * 63) + 15
    assert statistics.pstdev(counts.values()) > 0


@pytest.mark.parametrize(
    ("name", "options", "what"),
    [
        pytest.param("token", {"length": 8}, "48 bits, and the floor is 128", id="too short"),
        pytest.param("token", {"bits": 64}, "floor is 128", id="too few bits"),
        pytest.param("secret-key", {"bits": 128}, "floor is 256", id="a signing key's floor is higher"),
        pytest.param("token", {"length": 30, "alphabet": "digits"}, "100 bits", id="digits hold little"),
        pytest.param("token", {"bits": 128, "length": 40}, "say the same thing", id="both"),
        pytest.param("token", {"alphabet": "hexx"}, "no alphabet `hexx`", id="unknown alphabet"),
        pytest.param("token", {"length": 5000}, "more than any credential", id="too long"),
        pytest.param("fernet", {"length": 50}, "always 32 bytes", id="Fernet keys have one length"),
        pytest.param("token", {"length": 0}, "0 bits", id="nothing at all"),
    ],
)
def test_refusals(name: str, options: dict[str, object], what: str) -> None:
    """What would be weak or makes no sense is an error with a way out."""
    with pytest.raises(UsageError, match=what) as caught:
        generate(RECIPES[name], **options)  # type: ignore[arg-type]
    assert caught.value.help


def test_near_alphabet_is_suggested() -> None:
    """A misspelt alphabet gets the nearest name."""
    with pytest.raises(UsageError) as caught:
        generate(RECIPES["token"], alphabet="urlsave")
    assert "`urlsafe`" in caught.value.help


def test_policy_raises_the_floor() -> None:
    """A policy that asks for more gets longer credentials, and refuses what is shorter."""
    strict = SecretSettings(minimum_bits=300)
    assert generate(RECIPES["token"], settings=strict).bits >= 300
    with pytest.raises(UsageError, match="floor is 300"):
        generate(RECIPES["token"], length=43, settings=strict)
    with pytest.raises(UsageError, match="floor is 300"):
        generate(RECIPES["fernet"], settings=strict)


def test_another_alphabet_keeps_the_strength() -> None:
    """Choosing fewer characters makes the value longer, not weaker."""
    assert generate(RECIPES["password"], alphabet="digits").bits >= 192


def test_length_for_whole_bits() -> None:
    """256 bits are exactly 64 hexadecimal digits: rounding errors add none."""
    assert length_for(ALPHABETS["hex"], 256) == 64


def test_fingerprint_can_be_checked_elsewhere() -> None:
    """The fingerprint is the start of SHA-256, and the value is not in the representation."""
    value = "x" * 50
    credential = Credential(value, 300.0)
    assert credential.fingerprint == hashlib.sha256(value.encode()).hexdigest()[:12]
    assert value not in repr(credential)
    assert credential.describe() == f"300 bits, sha256 {credential.fingerprint}"


def test_weak_value_gets_no_fingerprint() -> None:
    """Where the policy's floor is low, a fingerprint would let others try all values."""
    assert Credential("1234", 13.3).describe() == "13 bits"
