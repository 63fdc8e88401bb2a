"""What needs no second look: whatever is called clean, the whole scan finds nothing in."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardenctl.detect.secrets import detect_secrets
from hardenctl.detect.secrets.repeats import Repeats, around, difference, line_end
from hardenctl.model.blob import Blob, Provenance
from hardenctl.rules.fakes import ALPHANUMERIC, scramble
from hardenctl.rules.secrets import RULES

ALL = frozenset(each.id for each in RULES)
VALUE = scramble("repeats", 40, ALPHANUMERIC)
PARTS = st.sampled_from(
    [
        "secret_key = ",
        "password: ",
        "api_key,",
        "name: TOKEN\n  value: ",
        "get('token',\n    default=",
        "SecretStr(\n    ",
        "auth_token = (",
        '"' + VALUE + '"',
        "'" + VALUE + "'",
        VALUE,
        "`",
        '"""',
        "\n",
        "\n",
        "\n    ",
        "x = 1\n",
        "def auth(self):\n",
        "é",
        " " * 30,
        "padding\n" * 120,
    ]
)
PATHS = st.sampled_from(["a.py", "b.yml", "c.md", ".env", "d.json"])


def blob(text: bytes | str, path: str = "a.py") -> Blob:
    """A blob of a text."""
    return Blob(Provenance(path), text.encode() if isinstance(text, str) else text)


@settings(deadline=None, max_examples=300)
@given(path=PATHS, parts=st.lists(PARTS, max_size=14), edits=st.lists(st.tuples(st.integers(0, 14), PARTS), max_size=6))
def test_what_is_called_clean_is(path: str, parts: list[str], edits: list[tuple[int, str]]) -> None:
    """Over random versions of one file, nothing is called clean in which the whole scan finds something."""
    repeats = Repeats(ALL)
    for at, part in [(0, ""), *edits]:
        parts = [*parts[:at], part, *parts[at + 1 :]]
        version = blob("".join(parts), path)
        if repeats.is_clean(version):
            assert not list(detect_secrets(version, ALL))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("password =\nx = 1\n", 'password =\n"{}"\n', id="a value on the next line"),
        pytest.param("key: A\nvalue: b\n", "name: SECRET_TOKEN\nvalue: {}\n", id="a name above its value"),
        pytest.param("token = `\n`\n", "token = `{}`\n", id="backticks"),
        pytest.param("get_secret(\n    x)\n", "token = SecretStr(\n    '{}')\n", id="a call"),
        pytest.param("a = 1\n" * 900, "a = 1\n" * 500 + "api_key = '{}'\n" + "a = 1\n" * 400, id="in the middle"),
        pytest.param("x\n", "# ghp" + "_{}\n", id="a known format"),
    ],
)
def test_a_new_secret_is_not_called_clean(before: str, after: str) -> None:
    """What a version brings is seen, however it is spread over lines; the same version twice too."""
    repeats = Repeats(ALL)
    repeats.is_clean(blob(before, "a.yml"))
    dirty = blob(after.replace("{}", VALUE[:36]), "a.yml")
    assert list(detect_secrets(dirty, ALL))
    assert not repeats.is_clean(dirty)
    assert not repeats.is_clean(dirty)


def test_clean_versions_are_called_clean() -> None:
    """The point of it: ordinary code is clean, the first time and with a change."""
    repeats = Repeats(ALL)
    text = "def authorize(session, key):\n    return session[key]\n" * 50
    assert repeats.is_clean(blob(text))
    assert repeats.is_clean(blob(text.replace("return", "yield", 1)))
    assert not repeats.is_clean(blob(b"\xffkey = 1"))


@given(old=st.binary(max_size=600), new=st.binary(max_size=600), common=st.binary(max_size=600))
def test_the_difference_of_two_versions(old: bytes, new: bytes, common: bytes) -> None:
    """Outside the stretch, both are the same; what is around it is at least it."""
    for one, two in ((old, new), (common + old + common, common + new + common), (old + common, common)):
        start, end = difference(one, two)
        assert two[:start] == one[:start]
        assert two[end:] == one[len(one) - len(two) + end :] or end == len(two)
        low, high = around(two, start, end)
        assert low <= start <= end <= high


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        pytest.param("key = 1\nx", "key = 1", id="a line that ends"),
        pytest.param("key =\nx", "key =\n", id="one that could go on and does not"),
        pytest.param('key =\n  "x"\ny', 'key =\n  "x"', id="one that goes on"),
        pytest.param("f(key,\n y", "f(key,\n", id="an argument of another kind"),
        pytest.param("key(\nx", "key(\nx", id="an open bracket, to the end of the text"),
        pytest.param("key = `\nx`", None, id="a string over lines"),
        pytest.param('key = """x', None, id="a long string"),
        pytest.param("key (\n(\n(\n(\n(", None, id="too many lines"),
        pytest.param("key" + "x" * 9000, None, id="a very long line"),
    ],
)
def test_where_a_line_ends(text: str, taken: str | None) -> None:
    """A line is taken with those on which its value can be."""
    data = text.encode()
    end = line_end(data, 0, 2)
    assert (data[:end].decode() if end >= 0 else None) == taken
