"""What a project says of credentials itself: rules, exceptions, plugins."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardenctl.cli.app import run
from hardenctl.detect import _plugins
from hardenctl.detect._plugins import load_plugins
from hardenctl.detect.look import Looked, Wanted
from hardenctl.detect.secrets import custom, detect_secrets, sensitive_spans
from hardenctl.detect.secrets.custom import Words
from hardenctl.detect.stamp import Stamper
from hardenctl.fix import unified
from hardenctl.fix.model import Change, Proposal
from hardenctl.model.blob import Blob, Gap, Provenance
from hardenctl.model.errors import PolicyError, UsageError
from hardenctl.model.settings import AllowedSecret, CustomSecret
from hardenctl.policy.load import load_policy
from hardenctl.policy.plain import from_plain, to_plain
from hardenctl.rules.fakes import FAKES, scramble

VALUE = scramble("custom secret", 20, "abcdefghijkmnpqrstuvwxyz23456789")
TOKEN = f"acme_{VALUE}"
ACME = CustomSecret(id="acme", pattern=r"\bacme_[0-9a-z]{20}\b", keywords=("ACME_",))
IDS = frozenset({"secret-custom"})


def blob(text: str, path: str = "a.py") -> Blob:
    """A file."""
    return Blob(Provenance(path), text.encode())


def spans(text: str, *custom: CustomSecret, path: str = "a.py") -> list[str]:
    """What the project's own rules find."""
    return [text[hit.span.start : hit.span.end] for _, hit in detect_secrets(blob(text, path), IDS, custom=custom)]


@pytest.mark.parametrize(
    ("custom", "text", "found"),
    [
        pytest.param(ACME, f"x = '{TOKEN}'", [TOKEN], id="whole-match"),
        pytest.param(ACME, f"é = '{TOKEN}' # {TOKEN}", [TOKEN, TOKEN], id="twice-after-wide-characters"),
        pytest.param(ACME, f"x = 'acme_{VALUE}9'", [], id="no-match"),
        pytest.param(CustomSecret("a", rf"acme_({VALUE})"), TOKEN, [VALUE], id="first-group"),
        pytest.param(CustomSecret("a", rf"(acme)_({VALUE})", group=2), TOKEN, [VALUE], id="numbered-group"),
        pytest.param(CustomSecret("a", rf"(acme)_(?P<secret>{VALUE})"), TOKEN, [VALUE], id="named-group"),
        pytest.param(
            CustomSecret("a", rf"(?P<secret>zeta)|acme_({VALUE})"), TOKEN, [VALUE], id="named-group-not-there"
        ),
        pytest.param(CustomSecret("a", rf"(zeta)?acme_({VALUE})"), TOKEN, [VALUE], id="first-that-took-part"),
        pytest.param(CustomSecret("a", "acme_[a-z0-9]+", keywords=("zeta",)), TOKEN, [], id="keyword-absent"),
        pytest.param(
            CustomSecret("a", r"(?i)ключ = (\w+)", keywords=("Ключ",)), f"КЛЮЧ = {VALUE}", [VALUE], id="not-ascii"
        ),
        pytest.param(CustomSecret("a", "acme_[a-z0-9]+", entropy=4.9), TOKEN, [], id="too-little-entropy"),
        pytest.param(CustomSecret("a", "acme_[a-z0-9]+", entropy=3), TOKEN, [TOKEN], id="enough-entropy"),
        pytest.param(CustomSecret("a", "acme_[a-z0-9]+", paths=("*.js",)), TOKEN, [], id="another-path"),
        pytest.param(CustomSecret("a", "acme_[a-z0-9]+", paths=("*.py",)), TOKEN, [TOKEN], id="path"),
        pytest.param(CustomSecret("a", "acme_[a-z0-9]+", path_pattern=r"\.js$"), TOKEN, [], id="path-expression"),
        pytest.param(CustomSecret("a", "(?s)BEGIN.*?END"), "x\nBEGIN\nq\nEND\n", ["BEGIN\nq\nEND"], id="lines"),
        pytest.param(CustomSecret("a", "acme_(x*)"), "acme_ acme_xx", ["acme_", "xx"], id="empty-group"),
    ],
)
def test_a_rule_of_ones_own(custom: CustomSecret, text: str, found: list[str]) -> None:
    """The credential's very place."""
    assert spans(text, custom) == found


def test_a_known_format_is_told_by_its_own_rule() -> None:
    """What a provider's rule knows better stays its own."""
    token = FAKES["secret-github-token"]()
    own = CustomSecret("any", r"gh[a-z]_\w+")
    ids = [rule.id for rule, _ in detect_secrets(blob(f"x = '{token}'"), frozenset(FAKES) | IDS, custom=(own,))]
    assert ids == ["secret-github-token"]


@pytest.mark.parametrize(
    ("allow", "counts"),
    [
        pytest.param(AllowedSecret("r", paths=("a.py",)), False, id="path"),
        pytest.param(AllowedSecret("r", paths=("b.py",)), True, id="another-path"),
        pytest.param(AllowedSecret("r", path_patterns=(r"\.py$",)), False, id="path-expression"),
        pytest.param(AllowedSecret("r", patterns=("^acme_",)), False, id="secret"),
        pytest.param(AllowedSecret("r", patterns=("= 'acme",)), True, id="not-in-the-secret"),
        pytest.param(AllowedSecret("r", patterns=("= 'acme",), target="line"), False, id="line"),
        pytest.param(AllowedSecret("r", patterns=("next",), target="line"), True, id="another-line"),
        pytest.param(AllowedSecret("r", patterns=(f"^{TOKEN}$",), target="match"), False, id="match"),
        pytest.param(AllowedSecret("r", words=(VALUE[3:9].upper(),)), False, id="word"),
        pytest.param(AllowedSecret("r", rules=("acme",), words=("acme",)), False, id="own-rule"),
        pytest.param(AllowedSecret("r", rules=("secret-custom",), words=("acme",)), False, id="rule"),
        pytest.param(AllowedSecret("r", rules=("secret",), words=("acme",)), False, id="prefix"),
        pytest.param(AllowedSecret("r", rules=("ac",), words=("acme",)), True, id="no-prefix-at-a-word"),
        pytest.param(AllowedSecret("r", paths=("a.py",), words=("zeta",), all_of=True), True, id="not-all"),
        pytest.param(AllowedSecret("r", paths=("a.py",), words=("acme",), all_of=True), False, id="all"),
        pytest.param(AllowedSecret("r", paths=("b.py",), words=("acme",)), False, id="one-of-two"),
        pytest.param(AllowedSecret("r"), True, id="says-nothing"),
    ],
)
def test_what_is_allowed(allow: AllowedSecret, *, counts: bool) -> None:
    """Conditions are met or not; the reason is the policy's."""
    wanted = Wanted(IDS, (ACME,), (allow,))
    file = blob(f"x = '{TOKEN}'\nnext = 1\n")
    ((rule, hit),) = wanted.hits(file, _no_gap)
    assert (wanted.allowed(rule, hit, file, _no_gap) is None) is counts


def _no_gap(gap: Gap) -> None:
    raise AssertionError(gap.reason)


POLICY = """
[[secrets.custom]]
id = "acme"
description = "Acme token"
pattern = '\\bacme_[0-9a-z]{20}\\b'
keywords = ["acme_"]
severity = "critical"
[[secrets.allow]]
reason = "the one of the documentation"
paths = ["docs/**"]
"""


def test_an_audit_with_ones_own_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """The finding counts with its own severity; what is allowed is told as set aside; no value is in any output."""
    (tmp_path / "hardenctl.toml").write_text(POLICY)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/a.md").write_text(f"use {TOKEN}\n")
    (tmp_path / "a.py").write_text(f"client({TOKEN[:0]}'{TOKEN}')\nPASSWORD = 'hunter2hunter3'\n")
    monkeypatch.chdir(tmp_path)
    printed = []
    for form in ("json", "sarif", "full", "markdown", "html", "junit", "github"):
        assert run(["audit", "--format", form, "--verbose", "--jobs", "2"]) == 1
        printed.append(capsys.readouterr().out)
    assert not [form for form in printed if VALUE in form]
    own = [each for each in json.loads(printed[0])["findings"] if each["rule"] == "secret-custom"]
    assert sorted((each["path"], each["severity"], each["status"]) for each in own) == [
        ("a.py", "critical", "open"),
        ("docs/a.md", "critical", "suppressed"),
    ]
    assert "suppressed: the one of the documentation" in printed[2]


def test_an_exception_of_a_rule_is_no_other_rules() -> None:
    """The id of a custom rule stands for that one alone, also where it looks like a prefix of others."""
    rules = tuple(CustomSecret(name, rf"{name}_[a-z]{{8}}") for name in ("secret", "secret-key", "acme"))
    wanted = Wanted(IDS, rules, (AllowedSecret("r", rules=("secret",), words=("_",)),))
    file = blob("a = 'secret_abcdefgh'\nb = 'secret-key_abcdefgh'\nc = 'acme_abcdefgh'\n")
    counts = [
        hit.evidence["rule"]
        for rule, hit in wanted.hits(file, _no_gap)
        if wanted.allowed(rule, hit, file, _no_gap) is None
    ]
    assert counts == ["secret-key", "acme"]


def test_decoys_do_not_hide_a_match() -> None:
    """What is not random enough is not counted; more than are told is a gap."""
    custom = (CustomSecret("a", "acme_[a-z0-9]{20}", entropy=3),)
    text = f"acme_{'a' * 20}\n" * 600 + f"{TOKEN}\n"
    gaps: list[str] = []
    assert len(list(Wanted(IDS, custom).hits(blob(text), _no_gap))) == 1
    list(Wanted(IDS, custom).hits(blob(f"{TOKEN}\n" * 600), lambda gap: gaps.append(gap.reason)))
    assert any("more than 500" in each for each in gaps)


def test_no_neighbour_shows_it() -> None:
    """Frames and diffs mask what only the project's own rules know."""
    text = f"client('{TOKEN}')\n"
    file = blob(text)
    assert not any(text[start:end] == TOKEN for start, end in sensitive_spans(file))
    assert any(text[start:end] == TOKEN for start, end in sensitive_spans(file, (ACME,)))
    change = Change("a.py", f"{text}a = 1\n".encode(), f"{text}a = 2\n".encode())
    assert VALUE not in unified(Proposal(Path(), (change,), custom=(ACME,)))


@given(
    words=st.lists(st.text("abcAB_-.$[(", min_size=1, max_size=4), min_size=1, max_size=6, unique_by=str.lower),
    text=st.text("abcAB_-.$[(é\n", max_size=60),
)
def test_both_ways_to_look_for_words_agree(words: list[str], text: str) -> None:
    """Hyperscan and Python find the same words."""
    lowered = tuple(each.lower() for each in words)
    assert Words(lowered, budget=0).present(text) == Words(lowered, budget=10_000).present(text)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="Windows has no such timer")
def test_an_expression_that_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """It finds nothing and is a gap; its neighbours are found, and nothing of its file is shown."""
    monkeypatch.setattr(custom, "PATIENCE", 0.05)
    endless = CustomSecret("endless", r"(a+)+$")
    text = f"{'a' * 40}!\nx = '{TOKEN}'\n"
    for _ in range(custom.TRIES + 2):
        gaps: list[Gap] = []
        hits = list(detect_secrets(blob(text), IDS, gaps.append, (endless, ACME)))
        assert [hit.evidence for _, hit in hits] == [{"rule": "acme"}]
        assert [gap.reason for gap in gaps] == [
            "the policy's rule `endless` takes too long: nothing was looked for with it"
        ]
    assert (0, len(text)) in sensitive_spans(blob(text), (endless,))
    allow = (AllowedSecret("reason", patterns=(r"(a+)+$",), target="line"),)
    one = blob(f"{'a' * 40} x = '{TOKEN}'\n")
    looked = Looked()
    looked.look(one, lambda: Wanted(IDS, (ACME,), allow), Stamper(b"salt"))
    assert [each.marks for each in looked.findings] == [()]
    assert [gap.reason for gap in looked.gaps] == ["an exception of the policy takes too long: what it is about counts"]


def test_hundreds_of_rules_over_a_large_file() -> None:
    """Past the first bytes hyperscan looks for the words."""
    many = tuple(
        CustomSecret(f"r{number}", rf"word{number}_[a-z]{{8}}", keywords=(f"word{number}_",)) for number in range(300)
    )
    text = "x = 1\n" * 20_000 + "y = word299_abcdefgh\n"
    assert spans(text, *many) == ["word299_abcdefgh"]
    assert spans(text, *many) == ["word299_abcdefgh"]


@pytest.mark.parametrize(
    ("table", "key"),
    [
        pytest.param('[[secrets.custom]]\npattern = "a"', "secrets.custom[0].id", id="no-id"),
        pytest.param('[[secrets.custom]]\nid = "a b"\npattern = "a"', "secrets.custom[0].id", id="id"),
        pytest.param('[[secrets.custom]]\nid = "a"\npattern = "(a"', "secrets.custom[0].pattern", id="expression"),
        pytest.param('[[secrets.custom]]\nid = "a"\npattern = "a*"', "secrets.custom[0].pattern", id="matches-nothing"),
        pytest.param('[[secrets.custom]]\nid = "a"\npattern = "a"\ngroup = 1', "secrets.custom[0]", id="no-such-group"),
        pytest.param(
            '[[secrets.custom]]\nid = "a"\npattern = "a"\nentropy = -1', "secrets.custom[0].entropy", id="entropy"
        ),
        pytest.param(
            '[[secrets.custom]]\nid = "a"\npattern = "a"\nkeyword = []', "secrets.custom[0].keyword", id="key"
        ),
        pytest.param(
            '[[secrets.custom]]\nid = "a"\npattern = "a"\npaths = ["[z-a]"]', "secrets.custom[0].paths[0]", id="glob"
        ),
        pytest.param('[[secrets.allow]]\nwords = ["a"]', "secrets.allow[0].reason", id="no-reason"),
        pytest.param('[[secrets.allow]]\nreason = "a"', "secrets.allow[0]", id="no-condition"),
        pytest.param('[[secrets.allow]]\nreason = "a"\npatterns = ["("]', "secrets.allow[0].patterns[0]", id="allow"),
        pytest.param('[secrets]\nplugins = ["./own.py"]', "secrets.plugins[0]", id="a-policy-runs-no-file"),
    ],
)
def test_errors_name_the_key(tmp_path: Path, table: str, key: str) -> None:
    """An error of the policy names file and key."""
    (tmp_path / "hardenctl.toml").write_text(table + "\n")
    with pytest.raises(PolicyError, match=re.escape(f"hardenctl.toml: `{key}`")):
        load_policy(tmp_path)


def test_a_policy_survives_its_cache(tmp_path: Path) -> None:
    """What is read back is what was validated."""
    (tmp_path / "hardenctl.toml").write_text(POLICY)
    policy = load_policy(tmp_path)
    assert from_plain(json.loads(json.dumps(to_plain(policy))), path=policy.path) == policy
    assert load_policy(tmp_path) == policy
    assert policy.settings.secrets.custom[0].severity == "critical"


PLUGIN = '''
import re
from detect_secrets.plugins.base import RegexBasedDetector

class AcmeDetector(RegexBasedDetector):
    """Ours."""

    secret_type = "Acme"
    denylist = (re.compile(r"acme_[0-9a-z]{20}"),)
'''


def plugged(text: str, *plugins: str) -> tuple[list[tuple[str, str]], list[str]]:
    """Rule and text of what is found, and gaps."""
    gaps: list[str] = []
    wanted = Wanted(frozenset({"secret-generic-assignment", "secret-plugin"}), plugins=plugins)
    hits = wanted.hits(blob(text), lambda gap: gaps.append(gap.reason))
    return [(rule.id, text[hit.span.start : hit.span.end]) for rule, hit in hits], gaps


def test_plugins_of_theirs_and_ones_own(tmp_path: Path) -> None:
    """Both run on candidate lines; what we found ourselves is told once, as ours."""
    own = tmp_path / "own.py"
    own.write_text(PLUGIN)
    secret = scramble("for a plugin", 40)
    text = f"api_key = '{secret}'\ntoken: acme_{VALUE}\n"
    found, gaps = plugged(text, "KeywordDetector", str(own))
    assert found == [("secret-generic-assignment", secret), ("secret-plugin", TOKEN)]
    assert gaps == []


def test_plugins_are_a_rule_like_others() -> None:
    """What is not selected is not run."""
    wanted = Wanted(frozenset({"secret-generic-assignment"}), plugins=("NoSuchPlugin",))
    assert list(wanted.hits(blob(f"token: acme_{VALUE}\n"), _no_gap)) == []


def test_a_plugin_that_crashes_is_a_gap(tmp_path: Path) -> None:
    """The others still look, and what we found stays."""
    own = tmp_path / "crash.py"
    own.write_text(PLUGIN.replace("denylist =", "def analyze_line(self, **_): raise KeyError('x')\n    denylist ="))
    secret = scramble("for a plugin", 40)
    found, gaps = plugged(f"api_key = '{secret}'\n", str(own))
    assert found == [("secret-generic-assignment", secret)]
    assert gaps == ["the plugin AcmeDetector crashed: KeyError"]


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="Windows has no such timer")
def test_a_plugin_that_never_ends_is_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own `except` does not keep us waiting."""
    monkeypatch.setattr(_plugins, "PATIENCE", 0.05)
    own = tmp_path / "endless.py"
    endless = """
    def analyze_line(self, **_):
        try:
            while True: ...
        except Exception:
            while True: ...
    denylist ="""
    own.write_text(PLUGIN.replace("denylist =", endless.strip()))
    assert plugged("api_key = 'x'\n", str(own))[1] == ["the plugin AcmeDetector takes too long"]


def test_a_plugin_of_ones_own_sees_what_its_expressions_match(tmp_path: Path) -> None:
    """No word of credentials is needed on the line."""
    own = tmp_path / "own.py"
    own.write_text(PLUGIN.replace('"acme_', '"^acme_'))
    assert plugged(f"x = 1\n{TOKEN}\nand {TOKEN}\n", str(own)) == ([("secret-plugin", TOKEN)], [])


def test_plugins_see_all_of_a_long_line(tmp_path: Path) -> None:
    """In pieces that share their ends: what stands across two is in one of them."""
    own = tmp_path / "own.py"
    own.write_text(PLUGIN)
    for before in (0, 9_470, 9_990, 10_000, 40_000):
        line = "x" * before + f" {TOKEN} " + "x" * 20_000
        assert plugged(f"api_key = '{line}'\n", str(own)) == ([("secret-plugin", TOKEN)], [])


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        pytest.param("KeywordDetectr", None, "did you mean `KeywordDetector`", id="misspelt"),
        pytest.param("absent.py", None, "no such file", id="no-file"),
        pytest.param("exits.py", "raise SystemExit(0)\n", "cannot be run", id="exits"),
        pytest.param("broken.py", "import nothing_of_that_name\n", "cannot be run", id="broken"),
        pytest.param("empty.py", "x = 1\n", "holds no plugin", id="empty"),
        pytest.param(
            "picky.py", PLUGIN + "    def __init__(self, needed): ...\n", "cannot be made", id="needs-arguments"
        ),
    ],
)
def test_plugins_that_cannot_run(  # noqa: PLR0917 - a table
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, name: str, text: str | None, what: str
) -> None:
    """A clear error before anything is looked at."""
    monkeypatch.chdir(tmp_path)
    if text is not None:
        Path(name).write_text(text)
    load_plugins.cache_clear()
    assert run(["audit", "--plugin", name]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert what in printed.err
    with pytest.raises(UsageError):
        load_plugins((name,))
