from __future__ import annotations

import io
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from hardenctl.generate import dotenv
from hardenctl.generate.alphabets import ALPHABETS
from hardenctl.generate.credential import RECIPES, generate
from hardenctl.model.errors import DocumentError, UsageError


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("KEY=\n", "KEY=new\n", id="empty"),
        pytest.param("KEY=old", "KEY=new", id="no line break at the end"),
        pytest.param("KEY=old\r\nB=1\r\n", "KEY=new\r\nB=1\r\n", id="CRLF stays"),
        pytest.param("export KEY=old # why\n", "export KEY=new # why\n", id="export and comment stay"),
        pytest.param("KEY= # why\n", "KEY=new # why\n", id="comment behind an empty value"),
        pytest.param("KEY=#old\n", "KEY=new\n", id="a hash that belongs to the value"),
        pytest.param("KEY=a#b  #c\n", "KEY=new  #c\n", id="a hash inside the value"),
        pytest.param('KEY="old"# why\n', 'KEY="new"# why\n', id="double quotes stay"),
        pytest.param("KEY='o # ld'  # why\n", "KEY='new'  # why\n", id="single quotes stay"),
        pytest.param('KEY="two\nlines"\nB=1\n', 'KEY="new"\nB=1\n', id="a value of two lines"),
        pytest.param("KEY = old\n", "KEY=new\n", id="blanks around the sign go: no shell takes them"),
        pytest.param("\n\n  KEY=old\n", "\n\n  KEY=new\n", id="blank lines and indent stay"),
        pytest.param("KEY\nB=1\n", "KEY=new\nB=1\n", id="a bare name"),
        pytest.param("export KEY # why\n", "export KEY=new # why\n", id="a bare exported name"),
        pytest.param("KEY=a\nB=1\nKEY=b\n", "KEY=new\nB=1\nKEY=new\n", id="all places of a repeated key"),
        pytest.param("B=1\n", "B=1\nKEY=new\n", id="a missing key goes to the end"),
        pytest.param("B=1", "B=1\nKEY=new\n", id="a missing key gets a line of its own"),
        pytest.param("", "KEY=new\n", id="an empty file"),
        pytest.param("\ufeffKEY=old\n", "\ufeffKEY=new\n", id="a byte order mark stays"),
        pytest.param("# KEY=old\n", "# KEY=old\nKEY=new\n", id="a commented-out key is a comment"),
    ],
)
def test_set_value(before: str, after: str) -> None:
    """Only the value changes; comments, order, quotes and line ends stay."""
    text = dotenv.join(dotenv.set_value(dotenv.parse(before, ".env"), "KEY", "new"))
    assert text == after
    assert dotenv_values(stream=io.StringIO(text.removeprefix("\ufeff")))["KEY"] == "new"


@given(st.text(alphabet="AB=\"'# \n\r\\$x{}", max_size=40))
def test_parsing_loses_nothing(text: str) -> None:
    """Whatever python-dotenv can read is put together again as it was."""
    try:
        entries = dotenv.parse(text, ".env")
    except DocumentError:
        return
    assert dotenv.join(entries) == text


def test_unreadable_line_is_named_without_its_text() -> None:
    """A line that loaders drop is an error with its number, and its text (a credential, perhaps) isn't shown."""
    with pytest.raises(DocumentError, match=r"\.env:2: ") as caught:
        dotenv.parse("A=1\nB='hush\n", ".env")
    assert "hush" not in caught.value.what + caught.value.help


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A B", "A=B", "Ä"])
def test_names(name: str) -> None:
    """What no shell takes for a variable's name is refused."""
    with pytest.raises(UsageError, match="cannot be the name"):
        dotenv.set_value([], name, "x")


@pytest.mark.parametrize("value", ["it's", "a\nb", "back\\slash's"])
def test_values_nobody_agrees_on(value: str) -> None:
    """A value that python-dotenv, Compose and sh would read differently is refused, not written."""
    with pytest.raises(UsageError, match="read differently") as caught:
        dotenv.quote(value)
    assert value not in caught.value.what


def read_with_compose(text: str, key: str) -> str:
    """Compose's documented reading: single quotes are literal, else `$` expands and ` #` starts a comment."""
    written = next(line.partition("=")[2] for line in text.splitlines() if line.removeprefix("export ").startswith(key))
    if written.startswith("'"):
        return written[1 : written.index("'", 1)]
    assert "$" not in written
    assert "\\" not in written
    if written.startswith('"'):
        return written[1 : written.index('"', 1)]
    return re.split(r"\s#", written)[0].strip()


def read_with_sh(text: str, key: str, folder: Path) -> str:
    """What a POSIX shell has after sourcing the file."""
    (folder / "file.env").write_text(text, encoding="utf-8", newline="")
    script = f'. ./file.env; printf %s "${key}"'
    return subprocess.run(["sh", "-c", script], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.mark.skipif(shutil.which("sh") is None, reason="no POSIX shell here")
@pytest.mark.parametrize("line", ["KEY=", 'KEY=""', "KEY=''", "export KEY=old # comment", "KEY = x"])
@pytest.mark.parametrize("alphabet", sorted(set(ALPHABETS) - {"printable"}))
def test_round_trips(alphabet: str, line: str, tmp_path: Path) -> None:
    """What is written is read back by python-dotenv, Compose and sh, whatever the quotes in the template."""
    for _ in range(5):
        value = generate(RECIPES["token"], alphabet=alphabet, bits=300).value
        text = dotenv.join(dotenv.set_value(dotenv.parse(f"A=1\n{line}\nB=2\n", ".env"), "KEY", value))
        assert dotenv_values(stream=io.StringIO(text)) == {"A": "1", "KEY": value, "B": "2"}
        assert read_with_compose(text, "KEY") == value
        assert read_with_sh(text, "KEY", tmp_path) == value


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="'\\\r\n", exclude_categories=["Cs", "Cc"])))
def test_any_quotable_value_survives(value: str) -> None:
    """Spaces, dollars, hashes and umlauts survive python-dotenv and Compose."""
    text = f"KEY={dotenv.quote(value)}\n"
    assert dotenv_values(stream=io.StringIO(text))["KEY"] == value
