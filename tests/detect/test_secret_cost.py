"""What hostile input costs: time grows with size, never with its square."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from hardenctl.detect.secrets import detect_secrets, sensitive_spans
from hardenctl.detect.secrets.matcher import ReEngine
from hardenctl.detect.secrets.pipeline import MOST, Bounds, matcher
from hardenctl.model.blob import Blob, Gap, Provenance
from hardenctl.rules.fakes import scramble
from hardenctl.rules.secrets import RULES

ALL = frozenset(each.id for each in RULES)
SIZE = 24_000  # characters; doubled twice
HEAD = "-----BEGIN RSA PRIVATE " + "KEY-----\n"
FACTOR = 9.0  # four times the input: linear is 4, quadratic 16

HOSTILE = [
    pytest.param("x", id="one-long-line"),
    pytest.param("password", id="keyword-again-and-again"),
    pytest.param("password=", id="assignments-within-each-other"),
    pytest.param('password="a', id="quotes-never-closed"),
    pytest.param('"\'`\\"', id="nested-quotes"),
    pytest.param('key="' + '\\"' * 60, id="escaped-quotes"),
    pytest.param("token[", id="brackets"),
    pytest.param("secret(", id="parentheses"),
    pytest.param("key" + " " * 40, id="keys-and-blanks"),
    pytest.param("key=\n", id="keys-without-values"),
    pytest.param("://a:", id="half-a-url"),
    pytest.param("p://a:bcdefgh@", id="urls-in-a-row"),
    pytest.param(HEAD, id="key-headers-without-bodies"),
    pytest.param(HEAD + "A" * 64 + "\n" + "B" * 64 + "\n", id="keys-never-closed"),
    pytest.param("eyJ" + "a" * 20 + ".", id="half-a-jwt"),
    pytest.param('"kty"', id="json-web-key-headers"),
    pytest.param("otpauth://totp/a?" + "issuer=x&" * 5, id="one-time-password-urls"),
    pytest.param("<password>", id="elements-never-closed"),
    pytest.param("name: api_key\n", id="names-without-values"),
    pytest.param("LS0tLS1CRUdJTiBQUklWQVRFIEtFW", id="base64-headers"),
    pytest.param("ghp_" + "a" * 35, id="tokens-one-short"),
    pytest.param("key:", id="keys-in-a-row"),
    pytest.param("password:\n    type: str\n" + "            described: here\n" * 7, id="parameters-without-a-default"),
]


def cost(text: str, run: Callable[[Blob], object]) -> float:
    """CPU seconds of one run, the best of two."""
    best = float("inf")
    for _ in range(2):
        blob = Blob(Provenance("a.yml"), text.encode())
        started = time.process_time()
        run(blob)
        best = min(best, time.process_time() - started)
    return best


@pytest.mark.parametrize("piece", HOSTILE)
def test_four_times_the_input_costs_about_four_times_as_much(piece: str, monkeypatch: pytest.MonkeyPatch):
    """Finding and masking are linear in hostile input, with some allowance for a busy machine."""
    monkeypatch.setattr(matcher(), "budget", 0)
    runs: list[Callable[[Blob], object]] = [lambda blob: [*detect_secrets(blob, ALL)], sensitive_spans]
    for run in runs:
        run(Blob(Provenance("a.yml"), b"password: x"))
        small = cost(piece * (SIZE // len(piece)), run)
        large = cost(piece * (4 * SIZE // len(piece)), run)
        assert large < FACTOR * max(small, 0.01)


@pytest.mark.parametrize("piece", HOSTILE)
def test_the_fallback_engine_is_linear_too(piece: str):
    """Where hyperscan is missing, `re` must not blow up either."""
    engine = ReEngine(matcher().rules)

    def run(blob: Blob) -> object:
        return engine.match(blob.text, blob.data)

    small = cost(piece * (SIZE // 8 // len(piece)), run)
    large = cost(piece * (SIZE // 2 // len(piece)), run)
    assert large < FACTOR * max(small, 0.02)


def test_a_line_of_many_tokens_is_read_whole():
    """A minified file is one line: each token in it is found, the last as well as the first."""
    tokens = [scramble(f"many{number}", 24) for number in range(300)]
    text = "{" + ",".join(f'"token":"{each}"' for each in tokens) + "}"
    blob = Blob(Provenance("a.json"), text.encode())
    found = {hit.secret for _, hit in detect_secrets(blob, ALL)}
    assert found >= {tokens[0], tokens[-1]}
    assert len(found) > 290


def test_what_is_left_out_is_said():
    """Of a file of thousands of credentials the first ones are told, and the rest is a gap, never silence."""
    text = "".join(f'"token":"{scramble(f"left{number}", 24)}",\n' for number in range(MOST + 50))
    gaps: list[Gap] = []
    found = list(detect_secrets(Blob(Provenance("a.json"), text.encode()), ALL, gaps.append))
    assert len(found) == MOST
    assert [(gap.path, "not listed" in gap.reason) for gap in gaps] == [("a.json", True)]


def test_more_assignments_than_are_looked_at_are_a_gap():
    """The line is named from which on assignments were not parsed; all that is there is masked."""
    text = "pw: a1\n" * 40_000 + f'password = "{scramble("last", 24)}"\n'
    blob = Blob(Provenance("a.yml"), text.encode())
    gaps: list[Gap] = []
    assert list(detect_secrets(blob, ALL, gaps.append)) == []
    assert any("from line" in gap.reason for gap in gaps)
    assert any(start <= len(text) - 10 < end for start, end in sensitive_spans(blob))


def test_nothing_of_a_huge_env_file_is_shown():
    """Nobody writes an env file of a hundred thousand characters: it is masked whole and not parsed."""
    text = "# note\n" * 20_000
    assert (0, len(text)) in sensitive_spans(Blob(Provenance(".env"), text.encode()))


def test_an_ordinary_file_is_within_its_bounds():
    """A settings file of any size that people write is looked at whole."""
    text = 'API_TOKEN = os.environ["API_TOKEN"]  # a comment\nTIMEOUT = 30\n' * 2_000
    gaps: list[Gap] = []
    list(detect_secrets(Blob(Provenance("settings.py"), text.encode()), ALL, gaps.append))
    assert gaps == []
    assert Bounds.of(0).candidates > MOST
