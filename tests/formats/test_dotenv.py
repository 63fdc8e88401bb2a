"""Env files: what they are called, and what they hold. python-dotenv is the oracle of values."""

from __future__ import annotations

import io

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from hardenctl.formats.dotenv import Entry, parse_dotenv
from hardenctl.formats.paths import environment_of, is_env_file, is_example
from hardenctl.model.text import Lines

PIECES = st.sampled_from(
    ["KEY", "export ", "A_B", "=", " = ", "'", '"', "\\", "\\n", "\\'", "#", " # note", "\n", "\r\n", "\r", " ", "\t",
     "value", "p@ss#1", "é", "${X}", "\u2028", "'quoted key'", "\ufeff"]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=24).map("".join)


@given(TEXTS)
def test_values_are_python_dotenvs(text: str) -> None:
    """Whatever the file looks like, keys and values are what python-dotenv gives an application."""
    assert parse_dotenv(".env", text).values == dict(dotenv_values(stream=io.StringIO(text), interpolate=False))


@given(TEXTS)
def test_spans_lie_where_the_text_is(text: str) -> None:
    """A key's span holds the key, a bare value's span the value, and the line number is the key's."""
    lines = Lines(text)
    for entry in parse_dotenv(".env", text).entries:
        assert text[entry.key_span.start : entry.key_span.end] == entry.key
        assert entry.line == lines.position(entry.key_span.start).line
        if not entry.quote:
            assert text[entry.value_span.start : entry.value_span.end] == (entry.value or "")
        elif "\\" not in text[entry.value_span.start : entry.value_span.end]:
            assert text[entry.value_span.start : entry.value_span.end] == entry.value


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("A=1", ("A", "1", "", False, ""), id="bare"),
        pytest.param("export A=1", ("A", "1", "", True, ""), id="export"),
        pytest.param("A = 1 # why", ("A", "1", "", False, "why"), id="comment"),
        pytest.param("A='x # y' # z", ("A", "x # y", "'", False, "z"), id="hash-in-quotes"),
        pytest.param('A="x\\ny"', ("A", "x\ny", '"', False, ""), id="escape"),
        pytest.param("A= # nothing", ("A", "", "", False, "nothing"), id="comment-instead-of-value"),
        pytest.param("A", ("A", None, "", False, ""), id="no-value"),
        pytest.param("A=x#y", ("A", "x#y", "", False, ""), id="hash-in-value"),
    ],
)
def test_entry(line: str, expected: tuple[object, ...]) -> None:
    """Each way to write an assignment is understood."""
    (entry,) = parse_dotenv(".env", line).entries
    assert (entry.key, entry.value, entry.quote, entry.export, entry.comment) == expected


def test_a_line_that_cannot_be_parsed_is_kept() -> None:
    """An open quote hides nothing: Docker reads that line, and so do we. Applications don't see it."""
    document = parse_dotenv(".env", 'A=1\nTOKEN="abc\n')
    assert [(entry.key, entry.value, entry.broken) for entry in document.entries] == [
        ("A", "1", False),
        ("TOKEN", '"abc', True),
    ]
    assert document.values == {"A": "1"}


def test_a_multiline_value_is_one_entry() -> None:
    """A quoted value runs over lines, and the next key is on its own line."""
    first, second = parse_dotenv(".env", 'A="1\n2"\nB=3\n').entries
    assert (first.value, first.line, second.line) == ("1\n2", 1, 3)
    assert isinstance(second, Entry)


def test_commented_keys_are_documented() -> None:
    """A key in a commented-out line counts as documented, prose doesn't."""
    document = parse_dotenv(".env.example", "A=1\n# B=2\n#export C=3\n# D is great\n")
    assert document.documented == {"A", "B", "C"}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (".env", True),
        (".env.prod", True),
        ("deploy/.env.production.local", True),
        ("prod.env", True),
        (".env-staging", True),
        (".env.example", True),
        (".env.bak", True),
        (".ENV", True),
        ("env.example", True),
        ("prod.env.sample", True),
        ("dotenv.sample", True),
        (".envs/.production/.django", True),
        ("0123456789012345678901234567890123456789:/.env.prod", True),
        (".envrc", False),
        ("env.py", False),
        (".env.js", False),
        (".env.vault", False),
        (".env.enc", False),
        (".envs/README.md", False),
        ("src/environment.py", False),
        ("environment", False),
        ("env/lib/x", False),
        ("my.environment", False),
        ("docs/env_example.md", False),
    ],
)
def test_which_files_are_env_files(path: str, expected: bool) -> None:  # noqa: FBT001
    """Names decide: dotfiles, suffixes, examples and `.envs` folders are in; code and encrypted files are out."""
    assert is_env_file(path) is expected


@pytest.mark.parametrize(
    ("path", "example", "environment"),
    [
        (".env", False, None),
        (".env.example", True, None),
        (".env.prod", False, "production"),
        ("prod.env", False, "production"),
        (".env.production.sample", True, "production"),
        (".envs/.production/.django", False, "production"),
        (".env.local", False, "development"),
        ("deploy/staging/.env", False, "staging"),
        (".env.test", False, "test"),
        ("tests/fixtures/.env", False, "test"),
        (".env.dist", True, None),
    ],
)
def test_what_a_name_says(path: str, example: bool, environment: str | None) -> None:  # noqa: FBT001
    """Examples are told by name, and so is the environment, by its folders too."""
    assert (is_example(path), environment_of(path)) == (example, environment)
