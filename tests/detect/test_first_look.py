"""The first look: it says "nothing" only where the pipeline does, and needs no rule to say so."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardenctl.detect.secrets.first import FORMATS, FirstLook, formats, holds_nothing, may_be_kept, table
from hardenctl.detect.secrets.pipeline import detect, matcher
from hardenctl.detect.secrets.stores import stored
from hardenctl.model.blob import Blob, Provenance
from hardenctl.rules.fakes import fill, scramble
from hardenctl.rules.secrets import RULES
from hardenctl.rules.secrets.declare import SecretRule

IDS = frozenset(each.id for each in RULES)
PIECES = [
    *(each.sample() for each in RULES),
    *(
        "password",
        "SECRET_KEY",
        "token",
        "Bearer",
        "Basic",
        "--password",
        "--user",
        "ENV",
        "-u",
        "set",
        "identified by",
    ),
    *("=", ": ", " := ", '"', "'", "(", "\n", " ", "://", "@", "user:", "é", "İ", "\\", "-----BEGIN", " KEY-----"),
    *("def f() -> int:", "path", "-", "->", "x", "9", "hunter", "\0", "auth:$apr1$", scramble("first", 24)),
    *("kind: Secret\n", "data:\n  password: aHVudGVyMjAyNjA=\n", "stringData:\n  DB_PASSWORD: hunter20260\n"),
]
PATHS = [
    "a.py",
    "README.md",
    "Dockerfile",
    ".pgpass",
    ".netrc",
    "x.SQL",
    "k8s/secret.yaml",
    "htpasswd",
    "master.key",
    "a",
]


def _blob(text: str, path: str = "a.py") -> Blob:
    return Blob(Provenance(path), text.encode("utf-8", "surrogatepass"))


@given(pieces=st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=8), path=st.sampled_from(PATHS))
def test_it_never_says_nothing_where_there_is_something(pieces: list[str], path: str):
    """The pipeline, which looks with all rules, is its oracle."""
    blob = _blob("".join(pieces), path)
    if holds_nothing(blob):
        assert not list(detect(blob, IDS))


@given(pieces=st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=8))
def test_it_says_nothing_where_the_matcher_does(pieces: list[str]):
    """It is the matcher's own question, no guess: for a file that isn't kept for credentials both agree."""
    blob = _blob("".join(pieces))
    if b"\0" not in blob.data:
        match = matcher().match(blob.text, blob.utf8)
        assert holds_nothing(blob) is not bool(match.rules or match.anchors)


@pytest.mark.parametrize("rule", [each for each in RULES if each.pattern], ids=lambda each: each.id)
def test_every_format_takes_a_closer_look(rule: SecretRule):
    """The example of any rule's page is the pipeline's."""
    assert not holds_nothing(_blob(fill(rule.page.text)))


def test_the_table_is_the_rules():
    """What `make docs` generated is what the rules say, each in one line."""
    assert FORMATS.read_text(encoding="utf-8") == table(RULES)
    assert len(formats()) == len(matcher().rules)
    assert all(row.count("\t") == len(rule.keywords) for row, rule in zip(formats(), matcher().rules, strict=True))


@given(path=st.sampled_from(PATHS) | st.text(max_size=8), text=st.sampled_from(PIECES))
def test_what_is_kept_for_credentials_is_told_by_its_name(path: str, text: str):
    """Nothing is stored in a file whose name says nothing."""
    if not may_be_kept(path, text):
        assert not list(stored(text, path))


def test_it_is_for_the_first_small_files():
    """Where the pipeline is loaded, or much is looked at, it has nothing to save."""
    code = (
        "import sys\n"
        "from hardenctl.detect.secrets.first import FirstLook\n"
        "from hardenctl.model.blob import Blob, Provenance\n"
        "blob = Blob(Provenance('a.py'), b'x = 1\\n' * 10)\n"
        "first = FirstLook(budget=120)\n"
        "assert [first.is_enough(blob) for _ in range(3)] == [True, True, False]\n"
        "assert not any(name.startswith('hardenctl.rules.secrets') for name in sys.modules)\n"
        "import hardenctl.detect.secrets.pipeline\n"
        "assert not FirstLook().is_enough(blob)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    assert not FirstLook().is_enough(_blob("x = 1\n"))
