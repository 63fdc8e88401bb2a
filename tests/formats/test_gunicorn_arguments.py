"""The option table and the parser of command lines against the installed gunicorn."""

from __future__ import annotations

import contextlib
import io
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardenctl.formats.gunicorn.arguments import find_option, parse_arguments
from hardenctl.formats.gunicorn.options import OPTIONS, REMOVED_WORKERS, WORKERS, Kind
from hardenctl.formats.shell.values import Value
from hardenctl.formats.shell.words import literal_word
from hardenctl.formats.strand import Strand

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="gunicorn does not run on Windows")
MACHINE = {"chdir", "user", "group", "ssl_version", "cert_reqs", "control_socket", "config"}
MACHINE |= {"secure_scheme_headers", "logconfig_dict"}


def parse(words: list[str]):
    """Our reading of a command line given as words."""
    return parse_arguments([(literal_word(Strand.of("x", word)), Value(word)) for word in words])


def test_the_table_is_gunicorns_own():
    """Names, flags and defaults are those of the installed gunicorn."""
    from gunicorn.config import KNOWN_SETTINGS

    theirs = {each.name: tuple(each.cli or ()) for each in KNOWN_SETTINGS}
    assert {option.name: option.flags for option in OPTIONS} == theirs
    defaults = {each.name: each().get() for each in KNOWN_SETTINGS if each.name not in MACHINE}
    ours = {
        option.name: list(option.default) if isinstance(option.default, tuple) else option.default
        for option in OPTIONS
        if option.name not in MACHINE and option.kind is not Kind.HOOK
    }
    assert ours == {name: defaults[name] for name in ours}


def test_worker_classes_are_gunicorns_own():
    """The bundled ones are there and the removed ones are not."""
    from gunicorn.workers import SUPPORTED_WORKERS

    assert set(SUPPORTED_WORKERS) == WORKERS
    assert not REMOVED_WORKERS & set(SUPPORTED_WORKERS)


@pytest.mark.parametrize(
    ("flag", "name"),
    [
        pytest.param("--workers", "workers", id="exact"),
        pytest.param("--worker-cl", "worker_class", id="unique-prefix"),
        pytest.param("--max-requests", "max_requests", id="exact-though-a-prefix"),
        pytest.param("--work", None, id="ambiguous"),
        pytest.param("--nothing", None, id="unknown"),
        pytest.param("-x", None, id="unknown-short"),
        pytest.param("--error-log", "errorlog", id="prefix-of-one-option"),
    ],
)
def test_an_option_is_found_by_a_unique_prefix(flag: str, name: str | None):
    """Long options may be cut short where nothing else begins so."""
    option, problem = find_option(flag)
    assert (option.name if option else None) == name
    assert bool(problem) is (name is None)


def test_spans_cover_flag_and_value():
    """A fix can replace the value, or all of it."""
    text = "--workers 4 -t120"
    words = [Strand.of("f", text, 0, 9), Strand.of("f", text, 10, 11), Strand.of("f", text, 12, 17)]
    found = parse_arguments([(literal_word(word), Value(word.text)) for word in words]).settings
    workers, timeout = found["workers"], found["timeout"]
    assert (workers.span.start, workers.span.end) == (0, 11)
    assert (workers.value_span.start, workers.value_span.end) == (10, 11)
    assert workers.flag_span is not None
    assert (workers.flag_span.start, workers.flag_span.end) == (0, 9)
    assert (timeout.value_span.start, timeout.value_span.end) == (14, 17)
    assert timeout.flag_span is None


def _gunicorn(words: list[str]) -> dict[str, object] | None:
    from gunicorn.config import Config

    try:
        with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
            found = vars(Config().parser().parse_args(words))
    except SystemExit:
        return None
    return {name: value for name, value in found.items() if value is not None and name != "args"}


_INTEGERS = [
    option for option in OPTIONS if option.kind is Kind.INTEGER and option.flags and option.name not in MACHINE
]
_PIECES = st.one_of(
    st.builds(
        lambda option, value, glue: glue(option.flags[-1], value),
        st.sampled_from(_INTEGERS),
        st.integers(0, 99).map(str),
        st.sampled_from([lambda flag, value: [flag, value], lambda flag, value: [f"{flag}={value}"]]),
    ),
    st.builds(lambda value: [f"-w{value}"], st.integers(0, 99)),
    st.builds(lambda value: ["-b", value], st.sampled_from([":1", "0.0.0.0:2", "unix:/x"])),
    st.sampled_from([["--reload"], ["--preload"], ["-R"], ["-D"], ["-RD"], ["-Rw", "3"], ["--no-sendfile"]]),
    st.sampled_from([["--max-requests-j=5"], ["--grace", "4"], ["--work", "1"], ["--nope"], ["-t", "-k", "x"]]),
)


@settings(max_examples=60, deadline=None)
@given(pieces=st.lists(_PIECES, max_size=4))
def test_any_command_line_is_parsed_as_argparse_does(pieces: list[list[str]]):
    """Whatever options are put together, the result is gunicorn's, or both refuse."""
    words = [word for piece in pieces for word in piece] + ["app:app"]
    theirs, ours = _gunicorn(words), parse(words)
    refused = ours.errors or any(each.error for each in ours.settings.values())
    assert (theirs is None) == bool(refused)
    if theirs is not None:
        assert {name: _plain(each.value) for name, each in ours.settings.items()} == theirs


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
