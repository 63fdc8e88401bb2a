"""Shell words, what their variables come to, and the commands of a script."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardenctl.formats.shell.script import parse_commands
from hardenctl.formats.shell.values import Value, resolve, resolve_words
from hardenctl.formats.shell.words import Dialect, Operator, Word, compose_word, literal_word, split_words
from hardenctl.formats.strand import Strand

SCOPE = {
    "SET": Value("4", configurable=True),
    "FIXED": Value("7"),
    "UNKNOWN": Value(None, configurable=True, expression="$X"),
}


def words(text: str, dialect: Dialect = Dialect.SHELL) -> list[Word]:
    """The words of a text."""
    return [token for token in split_words(Strand.of("f", text), dialect) if isinstance(token, Word)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a 'b c' \"d e\" f\\ g", ["a", "b c", "d e", "f g"], id="quotes"),
        pytest.param("a\\\n  b", ["a", "b"], id="continued-line"),
        pytest.param("a # b\nc", ["a", "c"], id="comment"),
        pytest.param("a#b", ["a#b"], id="no-comment-within-a-word"),
        pytest.param("--x=\"a b\"'c'", ["--x=a bc"], id="glued-quotes"),
        pytest.param('"a\\"b\\c"', ['a"b\\c'], id="escapes-in-double-quotes"),
        pytest.param("cat <<EOF\nno words\nEOF\nb", ["cat", "b"], id="heredoc"),
        pytest.param("'unclosed", ["unclosed"], id="unclosed"),
    ],
)
def test_words(text: str, expected: list[str]):
    """As a POSIX shell splits them."""
    assert [word.literal for word in words(text)] == expected


def test_operators_stand_between_words():
    """A line break separates as `;` does."""
    found = split_words(Strand.of("f", "a && b | c; d\ne 2>&1 > f"))
    assert [each.text for each in found if isinstance(each, Operator)] == ["&&", "|", ";", ";", ">&", ">"]


@settings(deadline=None)
@given(st.lists(st.text("ab '\"\\$x;&#é", min_size=1, max_size=6), max_size=5))
def test_what_shlex_quotes_is_read_back(parts: list[str]):
    """Quoting any words and splitting them gives the words again."""
    assert [word.literal for word in words(shlex.join(parts))] == parts


@settings(deadline=None)
@given(st.text("ab $'\"\\`{}()<>|&;#\n\r\t=-:", max_size=30))
def test_no_text_crashes_the_lexer(text: str):
    """Whatever is thrown at it, all spans lie in the text."""
    for dialect in Dialect:
        for word in split_words(Strand.of("f", text), dialect):
            assert 0 <= word.span.start <= word.span.end <= len(text)
    list(parse_commands(Strand.of("f", text)))


@pytest.mark.parametrize(
    ("text", "value", "configurable"),
    [
        pytest.param("x$SET", "x4", True, id="known"),
        pytest.param("${FIXED}", "7", False, id="assigned-in-the-script"),
        pytest.param("${NONE:-5}", "5", True, id="default"),
        pytest.param("${SET:-5}", "4", True, id="set-over-default"),
        pytest.param("${NONE:-${SET:-1}}", "4", True, id="nested-default"),
        pytest.param("${NONE:=6}", "6", True, id="assigning-default"),
        pytest.param("$NONE", None, True, id="unknown"),
        pytest.param("${UNKNOWN:-5}", None, True, id="set-elsewhere-to-who-knows"),
        pytest.param("${NONE:?must}", None, True, id="required"),
        pytest.param("${NONE:+x}", "", True, id="alternative-of-unset"),
        pytest.param("$(nproc)", None, False, id="command"),
        pytest.param("$((2 * 2 + 1))", "5", False, id="arithmetic"),
        pytest.param("$((SET * 2))", "8", True, id="arithmetic-of-a-variable"),
        pytest.param("$((1 / 0))", None, False, id="division-by-zero"),
        pytest.param("'$SET'", "$SET", False, id="single-quotes"),
        pytest.param("\\$SET", "$SET", False, id="escaped"),
        pytest.param("`nproc`", None, False, id="backticks"),
    ],
)
def test_values(text: str, value: str | None, *, configurable: bool):
    """What the repository says a word comes to, and whether the environment can change it."""
    found = resolve(words(text)[0], SCOPE)
    assert (found.text, found.configurable) == (value, configurable)


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        pytest.param("$(nproc)", True, id="nproc"),
        pytest.param("$((2 * $(nproc) + 1))", True, id="arithmetic"),
        pytest.param("$(getconf _NPROCESSORS_ONLN)", True, id="getconf"),
        pytest.param("$(cat x)", False, id="something-else"),
    ],
)
def test_counting_cpus_is_seen(text: str, *, counts: bool):
    """The number of CPUs of the host, in whatever way it is asked for."""
    assert resolve(words(text)[0], {}).counts_cpus is counts


def test_an_unquoted_variable_splits_into_words():
    """Quoted it stays one, empty it is none."""
    scope = {"A": Value("-w 4"), "E": Value("")}
    found = resolve_words(words('x $A "$A" $E y'), scope)
    assert [value.text for _, value in found] == ["x", "-w", "4", "-w 4", "y"]


def test_compose_puts_variables_in_everywhere_and_knows_no_operators():
    """`$$` is a dollar for the container's shell."""
    found = words("sh -c 'a $$X && ${Y:-b}'", Dialect.COMPOSE)
    assert [resolve(word, {}).text for word in found] == ["sh", "-c", "a $X && b"]
    assert compose_word(Strand.of("f", "a b $$c")).literal == "a b $c"
    assert literal_word(Strand.of("f", "$HOME")).literal == "$HOME"


SCRIPT = """
#!/bin/sh
WORKERS=${WORKERS:-4}
: "${PORT:=8000}"
export NAME="a b" OTHER=c
LIST=x
LIST+=y
if [ "$DEBUG" = 1 ]; then
  first
  MODE=debug
elif [ -n "$X" ]; then second
else
  third
fi
case "$1" in
  dev) fourth ;;
  *) fifth ;;
esac
for i in 1 2; do sixth; done
A=1 seventh $A $WORKERS $PORT "$NAME" $LIST $MODE
[ "$ENV" = prod ] && eighth
last > out 2>&1
"""


def test_commands_with_their_conditions_and_variables():
    """Tests, branches and loops are seen; assignments hold from where they stand."""
    commands = {command.words[0].source: command for command in parse_commands(Strand.of("f", SCRIPT))}
    assert "DEBUG" in commands["first"].conditions[0]
    assert commands["second"].conditions[0].startswith("else")
    assert commands["third"].conditions[0].startswith("else")
    assert "dev" in commands["fourth"].conditions[0]
    assert commands["fifth"].conditions[0].startswith("case")
    assert commands["sixth"].conditions
    assert "ENV" in commands["eighth"].conditions[0]
    assert commands["last"].conditions == ()
    assert [word.source for word in commands["last"].words] == ["last"]
    seventh = commands["seventh"]
    assert seventh.conditions == ()
    values = [value for _, value in resolve_words(list(seventh.words), seventh.scope)]
    assert [value.text for value in values] == ["seventh", "1", "4", "8000", "a b", "xy", "debug"]
    assert [value.configurable for value in values] == [False, False, True, True, False, False, True]
