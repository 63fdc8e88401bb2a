"""The matcher: two engines, one answer; the compiled database's cache."""

from __future__ import annotations

import builtins
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardenctl.detect.secrets import cache, matcher
from hardenctl.detect.secrets.matcher import Anchor, HyperscanEngine, Matcher, ReEngine, hyperscan_engine
from hardenctl.detect.secrets.pipeline import matcher as shared
from hardenctl.rules.fakes import scramble
from hardenctl.rules.secrets import RULES

pytest.importorskip("hyperscan", reason="hyperscan has no wheel for this platform; `re` is then the only engine")

PIECES = [
    *(each.sample() for each in RULES),
    *("password", "SECRET_KEY", "api-key", "token", "Authorization", "Bearer", "Basic", "--password", "ENV", "-u"),
    *(
        "=",
        ": ",
        " := ",
        "=>",
        '"',
        "'",
        "(",
        ")",
        ",",
        "\n",
        " ",
        "://",
        "@",
        "user:",
        "value",
        "é",
        "İ",
        "\u017f",
        "\\",
    ),
    *("pin", "Pin", "PIN", "api", "API", "Conn", "ection", "keys", "Key", "KEY", "S", "code", "access_", "A", "a"),
    *("login", "hmac.new", "jwt.", "encode", "[", "{", "\r\n", "\t", "\n  ", "default", "new ", "!", "?", "|", "<-"),
    *("name: DB_PASSWORD", "identified by ", "-----BEGIN", " KEY-----", "x", "9", "hunter", "_", "-", "."),
]


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> tuple[ReEngine, HyperscanEngine]:
    """Both engines over all rules."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        rules = shared().rules
        return ReEngine(rules), hyperscan_engine(rules)


@settings(max_examples=400, deadline=None)
@given(text=st.lists(st.sampled_from(PIECES) | st.text(max_size=6), max_size=30).map("".join))
def test_both_engines_say_the_same(engines: tuple[ReEngine, HyperscanEngine], text: str):
    """Which rules match and where anchors end is the same with hyperscan and with `re`, for any text."""
    data = text.encode("utf-8", "surrogatepass")
    first, second = (engine.match(text, data) for engine in engines)
    assert first.rules == second.rules
    assert first.anchors == second.anchors


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        pytest.param('password = "', Anchor.ASSIGN, id="assignment"),
        pytest.param("tool --api-token abc", Anchor.FLAG, id="flag"),
        pytest.param("x://a:b@", Anchor.USERINFO, id="userinfo"),
        pytest.param("Bearer abcdefg", Anchor.SCHEME, id="scheme"),
        pytest.param("name: DB_PASSWORD\n  value:", Anchor.PAIR, id="pair"),
        pytest.param("-----BEGIN RSA PRIVATE " + "KEY-----", Anchor.ARMOUR, id="armour"),
    ],
)
def test_an_anchor_is_its_last_character(engines: tuple[ReEngine, HyperscanEngine], text: str, kind: Anchor):
    """The parsers start from a character offset, also behind letters of several bytes."""
    for prefix in ("", "é\n"):
        whole = prefix + text
        for engine in engines:
            anchors = engine.match(whole, whole.encode()).anchors
            assert kind in {anchor for _, anchor in anchors}
            assert max(offset for offset, anchor in anchors if anchor is kind) < len(whole)


def test_a_small_input_is_left_to_re():
    """One staged file is not worth loading hyperscan for; a tree is."""
    small = Matcher(shared().rules, budget=1000)
    small.match("x" * 500)
    assert isinstance(small.engine, ReEngine)
    small.match("x" * 600)
    assert isinstance(small.engine, HyperscanEngine)


def test_re_takes_over_where_hyperscan_is_missing(monkeypatch: pytest.MonkeyPatch):
    """Without the package the findings are those of `re`, and it is asked for only once."""
    asked: list[str] = []
    original = builtins.__import__

    def without(name: str, *arguments: Any, **named: Any) -> Any:
        if name == "hyperscan":
            asked.append(name)
            raise ImportError(name)
        return original(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    alone = Matcher(shared().rules, budget=0)
    token = next(each for each in RULES if each.id == "secret-github-token").sample()
    for _ in range(2):
        assert [rule.id for rule in alone.match(f"x = '{token}'").rules] == ["secret-github-token"]
    assert asked == ["hyperscan"]


def test_importing_the_room_loads_no_hyperscan():
    """The start-up path pays for hyperscan only when there is much to scan."""
    code = "import sys, hardenctl.detect.secrets.pipeline; print('hyperscan' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


EXPRESSIONS = [("abc[0-9]", 0), ("xyz", 8)]


def scan(database: Any) -> list[int]:
    """The ids that match a probe."""
    seen: list[int] = []
    database.scan(b"abc1 xyz", match_event_handler=lambda expression, *_: seen.append(expression))
    return sorted(seen)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "hardenctl"


def test_a_database_is_compiled_once(home: Path, monkeypatch: pytest.MonkeyPatch):
    """The second time it is read from the cache."""
    assert scan(cache.database(EXPRESSIONS)) == [0, 1]
    [file] = home.iterdir()
    monkeypatch.setattr(cache, "_sealed", lambda *_: pytest.fail("compiled again"))
    assert scan(cache.database(EXPRESSIONS)) == [0, 1]
    assert [*home.iterdir()] == [file]


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda whole: whole[: len(whole) // 2], id="torn"),
        pytest.param(lambda whole: whole[:-1] + bytes([whole[-1] ^ 1]), id="one-bit"),
        pytest.param(lambda _: b"", id="empty"),
        pytest.param(lambda whole: b"hello" + whole, id="foreign"),
    ],
)
def test_a_damaged_cache_is_built_anew(home: Path, damage: Any):
    """A file that is not whole is neither used nor an error; a whole one takes its place."""
    cache.database(EXPRESSIONS)
    [file] = home.iterdir()
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    assert scan(cache.database(EXPRESSIONS)) == [0, 1]
    assert file.read_bytes() == whole


def test_other_rules_have_another_cache(home: Path):
    """The file is named after what it was compiled from."""
    cache.database(EXPRESSIONS)
    cache.database([*EXPRESSIONS, ("more", 0)])
    assert len([*home.iterdir()]) == 2


def test_many_at_once_leave_one_whole_file(home: Path):
    """Writers do not see each other's half-written files, and none is left behind."""
    with ThreadPoolExecutor(6) as pool:
        assert [*pool.map(lambda _: scan(cache.database(EXPRESSIONS)), range(6))] == [[0, 1]] * 6
    assert len([*home.iterdir()]) == 1


def test_a_cache_that_cannot_be_written_only_costs_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A file where the folder should be: compiled, used, and nothing said."""
    (tmp_path / "hardenctl").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert scan(cache.database(EXPRESSIONS)) == [0, 1]


def test_a_write_that_fails_leaves_nothing(home: Path, monkeypatch: pytest.MonkeyPatch):
    """A full disk leaves no temporary file."""

    def full(self: Path, target: Path) -> None:
        del self, target
        raise OSError("no space left")

    monkeypatch.setattr(Path, "replace", full)
    assert scan(cache.database(EXPRESSIONS)) == [0, 1]
    assert [*home.iterdir()] == []


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        pytest.param("linux", {"XDG_CACHE_HOME": "/x"}, "/x/hardenctl", id="xdg"),
        pytest.param("linux", {}, "~/.cache/hardenctl", id="linux"),
        pytest.param("darwin", {}, "~/Library/Caches/hardenctl", id="macos"),
        pytest.param("win32", {"LOCALAPPDATA": "/l"}, "/l/hardenctl/cache", id="windows"),
    ],
)
def test_where_the_cache_is(platform: str, variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch):
    """Each platform's own place, unless XDG says otherwise."""
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(cache.sys, "platform", platform)
    assert cache.cache_home() == Path(expected).expanduser()


def test_the_cache_file_is_private(home: Path):
    """Nobody else can put a database there for us to load."""
    cache.database(EXPRESSIONS)
    [file] = home.iterdir()
    if sys.platform != "win32":
        assert not file.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def test_the_processor_is_part_of_the_name(monkeypatch: pytest.MonkeyPatch):
    """A database compiled for one processor is not loaded on another."""
    monkeypatch.setattr(cache, "_processor", lambda: "one")
    first = cache.digest(EXPRESSIONS, "1")
    monkeypatch.setattr(cache, "_processor", lambda: "two")
    assert cache.digest(EXPRESSIONS, "1") != first
    assert len(scramble("x", 100)) < matcher.SMALL
