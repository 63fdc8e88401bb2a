"""The positioned YAML model."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from hardenctl.formats.yaml import Mapping, Scalar, load_yaml, plain, walk
from hardenctl.model.errors import DocumentError


def top(text: str) -> Mapping:
    """The first document, a mapping."""
    (node, *_) = load_yaml(text, "f.yml")
    assert isinstance(node, Mapping)
    return node


@pytest.mark.parametrize(
    ("text", "source"),
    [
        pytest.param("a: b", "b", id="plain"),
        pytest.param("a: 'it''s'", "'it''s'", id="single-quoted"),
        pytest.param('a: "b"  # c', '"b"', id="double-quoted-before-a-comment"),
        pytest.param("é😀: 1\na: ü", "ü", id="non-ascii"),
        pytest.param("z: 1\r\na: b\r\n", "b", id="crlf"),
        pytest.param("a: &x b", "b", id="anchor-is-no-part"),
        pytest.param("a: !reset b", "b", id="tag-is-no-part"),
        pytest.param("a: [b, c]", "[b, c]", id="flow-list"),
        pytest.param("a:\n  - b\n  - c\n\nz: 1", "- b\n  - c", id="block-list-without-what-follows"),
        pytest.param("a: |\n  b\n  c\nz: 1", "|\n  b\n  c", id="literal-block"),
        pytest.param("\ufeffa: b", "b", id="byte-order-mark"),
    ],
)
def test_a_value_knows_its_span(text: str, source: str):
    """Spans count characters of the text, whatever is in it."""
    node = top(text).get("a")
    assert node is not None
    assert text[node.span.start : node.span.end] == source


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("gunicorn -w 4", id="plain"),
        pytest.param("'gunicorn -w 4'", id="single-quoted"),
        pytest.param('"gunicorn \\"-w\\" 4"', id="escapes"),
        pytest.param("|\n    gunicorn\n    -w 4\n", id="literal"),
        pytest.param(">-\n    gunicorn\n    -w 4\n      x", id="folded"),
        pytest.param("gunicorn\n    -w   4", id="plain-over-lines"),
        pytest.param("'it''s -w 4'", id="doubled-quote"),
        pytest.param("|\n    a\tb\n    \t-w\tc", id="tabs"),
        pytest.param("a\u00a0b -w 4", id="a-space-that-does-not-break"),
    ],
)
def test_every_character_of_a_scalar_knows_its_place(value: str):
    """Also where folding, indentation and escapes make text and source differ."""
    text = f"é: 1\na: {value}\n"
    scalar = top(text).get("a")
    assert isinstance(scalar, Scalar)
    strand = scalar.strand
    shown = "".join(text[place] for place in strand.places[:-1])
    assert [a for a in shown if not a.isspace()] == [a for a in scalar.text if not a.isspace()]
    start = scalar.text.index("-w")
    span = strand.span(start, start + 2)
    assert text[span.start : span.end] == "-w"


@pytest.mark.parametrize("escaped", ["\\u00e9", "\\x41", "\\U0001f600", "\\t", "\\\\u", "\\\n  \\xe9"])
def test_what_is_behind_an_escape_knows_its_place(escaped: str):
    """However many digits it has."""
    text = f'a: "{escaped} -w {escaped}-x"\n'
    scalar = top(text).get("a")
    assert isinstance(scalar, Scalar)
    for word in ("-w", "-x"):
        span = scalar.strand.span(scalar.text.index(word), scalar.text.index(word) + 2)
        assert text[span.start : span.end] == word


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("yes", "yes", id="yes-is-text"),
        pytest.param("22:22", "22:22", id="no-sexagesimal"),
        pytest.param("0x1f", 31, id="hex"),
        pytest.param("0o17", 15, id="octal"),
        pytest.param("true", True, id="bool"),
        pytest.param("~", None, id="null"),
        pytest.param("1.5", 1.5, id="float"),
        pytest.param("'1'", "1", id="quoted-number"),
        pytest.param("!!str 1", "1", id="tagged"),
        pytest.param("2026-01-01", "2026-01-01", id="no-dates"),
    ],
)
def test_plain_scalars_follow_the_core_schema(text: str, value: object):
    """As Compose and Kubernetes read them."""
    assert plain(top(f"a: {text}").get("a")) == value


def test_merge_keys_and_anchors_are_resolved():
    """`<<` gives what the mapping itself doesn't have, an earlier source before a later one."""
    node = top("x: &x {a: 1, b: 2}\ny: &y {b: 3, c: 4}\nz:\n  <<: [*x, *y]\n  a: 9\nw: *x\n")
    assert plain(node.get("z")) == {"b": 2, "c": 4, "a": 9}
    assert plain(node.get("w")) == {"a": 1, "b": 2}


def test_duplicates_are_known_and_the_last_counts():
    """PyYAML and Compose differ here; the model keeps both."""
    node = top("a: 1\nb: 2\na: 3\n")
    assert node.text("a") == "3"
    assert [key.text for key in node.duplicates] == ["a"]


def test_lookups_of_what_is_not_there():
    """A path through a scalar or a missing key is None, and an empty mapping where a mapping is wanted."""
    node = top("a: {b: 1}\nc: d\n")
    assert node.get("a", "b", "c") is None
    assert node.get("x", "y") is None
    assert node.text("a") is None
    assert len(list(node.mapping("c"))) == 0
    assert "a" in node
    assert node.key("a") is not None
    assert node.key("q") is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("a: [", 2, id="unclosed"),
        pytest.param("a: b\n c: d", 2, id="indentation"),
        pytest.param("a: *b", 1, id="undefined-alias"),
        pytest.param("x: 1\na: &a [*a]", 2, id="alias-of-itself"),
        pytest.param("x: 1\na: \x01", 2, id="control-character"),
        pytest.param("[" * 100_000, 1, id="deep-nesting"),
        pytest.param("a" * 5_000_001, 0, id="too-large"),
    ],
)
def test_broken_yaml_is_an_error_with_its_line(text: str, line: int):
    """Never a crash, however deep or strange."""
    with pytest.raises(DocumentError) as caught:
        load_yaml(text, "f.yml")
    assert caught.value.line == line


@pytest.mark.parametrize("loader", ["CSafeLoader", "SafeLoader"])
@pytest.mark.parametrize(
    "text", ["password: *hunter2", "password: !hunter2!x", "p: &hunter2 [*hunter2]", "p: %hunter2"]
)
def test_an_error_quotes_nothing(text: str, loader: str, monkeypatch: pytest.MonkeyPatch):
    """A password that lacks its quotes can read as an alias or a tag: no message repeats it."""
    monkeypatch.setattr(yaml, "CSafeLoader", getattr(yaml, loader))
    with pytest.raises(DocumentError) as caught:
        load_yaml(text, "f.yml")
    assert "hunter2" not in caught.value.what


def test_merge_keys_that_copy_too_much_are_refused():
    """A small file could fill the memory: each merge copies the entries."""
    many = ", ".join(f"k{n}: v" for n in range(1000))
    uses = "\n".join(f"m{n}: {{<<: *x}}" for n in range(1000))
    with pytest.raises(DocumentError, match="merge keys copy more than"):
        load_yaml(f"x: &x {{{many}}}\n{uses}\n", "f.yml")


def test_a_billion_laughs_stay_small():
    """Aliases share one node, and walking sees each once."""
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60)]
    node = top("\n".join(lines))
    assert len(list(walk(node))) < 300
    assert plain(node)["a1"] == [["x", "x"], ["x", "x"]]


def test_several_documents():
    """Each `---` begins another, with anchors of its own."""
    assert len(load_yaml("a: 1\n---\nb: 2\n", "f.yml")) == 2
    assert load_yaml("", "f.yml") == ()


_TREES = st.recursive(
    st.one_of(st.booleans(), st.integers(-999, 999), st.text("abc é😀'\"#:-{}[]|>&*!%@`\\", max_size=12)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text("abcé", min_size=1), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(tree=_TREES, flow=st.booleans())
def test_what_pyyaml_writes_is_read_back(tree: object, *, flow: bool):
    """Any tree survives, in block and flow style."""
    text = yaml.safe_dump({"root": tree}, default_flow_style=flow, allow_unicode=True)
    assert plain(top(text).get("root")) == tree
