"""A `.gitleaks.toml` that a policy extends means what gitleaks takes it to mean."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from hardenctl.detect.look import Wanted
from hardenctl.model.blob import Blob, Gap, Provenance
from hardenctl.model.errors import PolicyError
from hardenctl.policy.gitleaks import translate
from hardenctl.policy.golang import python_expression
from hardenctl.policy.load import load_policy
from hardenctl.policy.plain import from_plain
from hardenctl.rules.fakes import scramble

WORD = scramble("gitleaks config", 16, "abcdefghijkmnpqrstuvwxyz23456789")
OTHER = scramble("gitleaks other", 16, "abcdefghijkmnpqrstuvwxyz23456789")


@pytest.mark.parametrize(
    ("theirs", "text", "matches"),
    [
        pytest.param(r"a(?i)b|c", "aB", ["aB"], id="flag-to-the-end-of-its-group"),
        pytest.param(r"a(?i)b|c", "C", ["C"], id="flag-in-the-next-alternative"),
        pytest.param(r"(?:(?i)a)b", "Ab AB", ["Ab"], id="flag-ends-with-its-group"),
        pytest.param(r"(?i)x(?-i:y)", "Xy XY", ["Xy"], id="flag-taken-back"),
        pytest.param(r"(?-i)x", "xX", ["x"], id="flag-off"),
        pytest.param(r"(?P<n>a)(?<m>b)", "ab", ["ab"], id="names"),
        pytest.param(r"a$", "a\n", [], id="dollar-is-the-end-of-the-text"),
        pytest.param(r"(?m)a$", "a\nb", ["a"], id="dollar-of-a-line"),
        pytest.param(r"(?m:^b$)", "a\nb\nc", ["b"], id="line-in-a-group"),
        pytest.param(r"a\z", "ba", ["a"], id="end"),
        pytest.param(r"[[:alnum:]_]+", "-a1_-", ["a1_"], id="posix-class"),
        pytest.param(r"[^[:space:]]+", "a b", ["a", "b"], id="posix-class-negated-outside"),
        pytest.param(r"\x{41}\x42", "AB", ["AB"], id="hex"),
        pytest.param(r"\Qa.b\E.", "a.bc", ["a.bc"], id="quoted"),
        pytest.param(r"[\[\]a[]+", "x[a]", ["[a]"], id="brackets-in-a-class"),
        pytest.param(r"[]a]+", "x]a", ["]a"], id="first-in-a-class"),
        pytest.param(r"[a&&b|| ~~]+", "&a|", ["&a|"], id="doubled-signs-in-a-class"),
        pytest.param(r"[a-z&&]+--[\w-]+", "a--b-", ["a--b-"], id="hyphens"),
        pytest.param(r"x{a}\"\'", "x{a}\"'", ["x{a}\"'"], id="braces-and-quotes"),
        pytest.param(r"a{2,3}?", "aaa", ["aa"], id="repeat"),
        pytest.param(r"\d+\s\w\b", "1 a", ["1 a"], id="letters"),
    ],
)
def test_expressions(theirs: str, text: str, matches: list[str]) -> None:
    """Go's words in Python's."""
    assert [each[0] for each in re.finditer(python_expression(theirs), text, re.ASCII)] == matches


@pytest.mark.parametrize(
    ("theirs", "what"),
    [
        pytest.param(r"(?U)a", "a flag", id="ungreedy"),
        pytest.param(r"\pL", r"`\p`", id="property"),
        pytest.param(r"[\p{Greek}]", r"`\p`", id="property-in-a-class"),
        pytest.param(r"[[:^alpha:]]", "the class", id="negated-posix"),
        pytest.param(r"(?=a)", "Go has not", id="look-ahead"),
        pytest.param(r"(a", "not closed", id="open-group"),
        pytest.param(r"a)", "not open", id="closed-group"),
        pytest.param(r"[a", "not closed", id="open-class"),
        pytest.param("a\\", "backslash", id="backslash"),
        pytest.param(r"a**", "no expression", id="nothing-to-repeat"),
        pytest.param(r"\y", "Go has not", id="unknown-escape"),
    ],
)
def test_expressions_without_an_equal(theirs: str, what: str) -> None:
    """What cannot be said in Python is said to be so."""
    with pytest.raises(ValueError, match=re.escape(what)):
        python_expression(theirs)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        pytest.param('[[rules]]\nregex = "a"', "rules[0].id", id="no-id"),
        pytest.param('[[rules]]\nid = "a"\nregex = "(?U)a"', "rules[0].regex", id="expression"),
        pytest.param('[[rules]]\nid = "a"\nregex = 3', "rules[0].regex", id="type"),
        pytest.param('[[rules]]\nid = "a"\nregex = "a"\npath = "("', "rules[0].path", id="path"),
        pytest.param('[[rules]]\nid = "a"\nregex = "a"\nentropy = true', "rules[0].entropy", id="bool"),
        pytest.param('[[rules]]\nid = "a"\nregex = "a"\nkeywords = "a"', "rules[0].keywords", id="no-list"),
        pytest.param(
            '[[rules]]\nid = "a"\nregex = "a"\n[[rules.required]]\nid = "b"', "rules[0].required", id="required"
        ),
        pytest.param("rules = 1", "rules", id="no-tables"),
        pytest.param('[allowlist]\nregexes = ["("]', "allowlist.regexes[0]", id="allow-expression"),
        pytest.param('[[allowlists]]\npaths = ["a"]\ncondition = "XOR"', "allowlists[0].condition", id="condition"),
        pytest.param('[[allowlists]]\nregexes = ["a"]\nregexTarget = "file"', "allowlists[0].regexTarget", id="target"),
        pytest.param(
            '[[rules]]\nid = "a"\nregex = "a"\n[[rules.allowlists]]\nwords = ["x"]',
            "rules[0].allowlists[0].words",
            id="key",
        ),
        pytest.param("wat = 1", "wat", id="top"),
        pytest.param("[extend]\npath = 1", "extend.path", id="extend"),
    ],
)
def test_errors_name_the_key(tmp_path: Path, text: str, key: str) -> None:
    """An error names the file and the key in it, and no value."""
    (tmp_path / ".gitleaks.toml").write_text(text)
    (tmp_path / "hardenctl.toml").write_text('extends = ".gitleaks.toml"\n')
    with pytest.raises(PolicyError, match=re.escape(f".gitleaks.toml: `{key}`")):
        load_policy(tmp_path)


def test_what_is_left_out_is_said() -> None:
    """Rules for paths, commits and default rules are not carried over: notes say so, and nothing more is allowed."""
    text = """
        [extend]
        useDefault = true
        [[rules]]
        id = "p12"
        path = '\\.p12$'
        [[allowlists]]
        condition = "AND"
        commits = ["abc"]
        regexes = ["."]
    """
    tables = translate(tomllib.loads(text), ".gitleaks.toml")
    assert tables["secrets"] == {"custom": [], "allow": []}
    assert [each.partition(": ")[2].split(" ")[0] for each in tables["notes"]] == ["our", "rules", "allowed"]


def test_a_file_that_it_extends(tmp_path: Path) -> None:
    """`extend.path` is followed, its rules come first, and a change of either file is seen in spite of the cache."""
    (tmp_path / "hardenctl.toml").write_text('extends = ["team.gitleaks.toml"]\n')
    (tmp_path / "team.gitleaks.toml").write_text(
        '[extend]\npath = "base.gitleaks.toml"\n[[rules]]\nid = "b"\nregex = "bb"\n'
    )
    base = tmp_path / "base.gitleaks.toml"
    base.write_text('[[rules]]\nid = "a"\nregex = "aa"\n')
    assert [each.id for each in load_policy(tmp_path).settings.secrets.custom] == ["a", "b"]
    base.write_text('[[rules]]\nid = "c"\nregex = "cc"\n')
    assert [each.id for each in load_policy(tmp_path).settings.secrets.custom] == ["c", "b"]
    base.write_text('[extend]\npath = "team.gitleaks.toml"\n')
    with pytest.raises(PolicyError, match="extends itself"):
        load_policy(tmp_path)


# Files and configurations over which gitleaks itself is asked.
FILES = {
    "app.py": f'zeta_key = "{WORD}"\nZETA_KEY = "{OTHER}"\nother = "{WORD}"\n',
    "docs/guide.md": f'Use zeta_key = "{WORD}" there\n',
    "conf/prod.ini": f"[x]\nzeta_key={OTHER}\nzeta_key=example{OTHER[7:]}\nlow=zeta_aaaaaaaaaaaaaaaa\n",
}
RULE = """
[[rules]]
id = "zeta"
description = "Zeta key"
regex = '''(?i)zeta_key\\s*=\\s*"?([a-z0-9]{16})"?'''
keywords = ["ZETA"]
"""


@pytest.mark.parametrize(
    "config",
    [
        pytest.param(RULE, id="a-rule"),
        pytest.param(RULE.replace("(?i)", ""), id="case"),
        pytest.param(RULE + "entropy = 3.5\n", id="entropy"),
        pytest.param(RULE + "entropy = 4.5\n", id="high-entropy"),
        pytest.param(RULE + "path = '''\\.py$'''\n", id="path"),
        pytest.param(RULE.replace('["ZETA"]', '["absent"]'), id="keyword"),
        pytest.param(RULE.replace("zeta_key", "(zeta)_(?:key)") + "secretGroup = 2\n", id="group"),
        pytest.param(RULE.replace("zeta_key", "(zeta)?_?(key)"), id="first-group"),
        pytest.param(RULE + "[[rules.allowlists]]\npaths = ['''docs/''']\n", id="rule-path"),
        pytest.param(RULE + f"[[rules.allowlists]]\nregexes = ['''^{WORD[:4]}''']\n", id="rule-secret"),
        pytest.param(RULE + "[[rules.allowlists]]\nregexTarget = 'line'\nregexes = ['''there''']\n", id="rule-line"),
        pytest.param(RULE + "[[rules.allowlists]]\nregexTarget = 'match'\nregexes = ['''^ZETA''']\n", id="rule-match"),
        pytest.param(RULE + "[[rules.allowlists]]\nstopwords = ['EXAMPLE']\n", id="stop-word"),
        pytest.param(
            RULE + f"[[rules.allowlists]]\ncondition = 'AND'\npaths = ['''py$''']\nregexes = ['''{OTHER}''']\n",
            id="and",
        ),
        pytest.param(
            RULE + f"[[rules.allowlists]]\ncondition = 'OR'\npaths = ['''py$''']\nregexes = ['''{OTHER}''']\n", id="or"
        ),
        pytest.param(RULE + "[allowlist]\npaths = ['''^conf/''']\n", id="top-old"),
        pytest.param(RULE + f"[[allowlists]]\nregexes = ['''{WORD}''']\n", id="top-secret"),
        pytest.param(RULE + "[[allowlists]]\ntargetRules = ['zeta']\nstopwords = ['example']\n", id="target-rules"),
        pytest.param(
            RULE
            + "[[rules]]\nid = 'low'\nregex = '''zeta_a+'''\n[[allowlists]]\ntargetRules = ['low']\npaths = ['.']\n",
            id="other-rule-allowed",
        ),
    ],
)
def test_gitleaks_itself_finds_the_same(tmp_path: Path, config: str) -> None:
    """File, line and secret of every finding, as the real gitleaks tells them."""
    gitleaks = shutil.which("gitleaks")
    if gitleaks is None:
        assert not os.environ.get("CI"), "gitleaks is not installed, and CI has to have it"
        pytest.skip("gitleaks is not installed here")
    tree = tmp_path / "tree"
    for name, text in FILES.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    (tmp_path / "c.toml").write_text(config)
    done = subprocess.run(
        [gitleaks, "dir", ".", "--config", str(tmp_path / "c.toml"), "--report-format=json", "--report-path=-",
         "--no-banner", "--exit-code=0", "--log-level=error"],
        cwd=tree, capture_output=True, text=True, check=True,
    )  # fmt: skip
    theirs = sorted((each["File"], each["StartLine"], each["Secret"]) for each in json.loads(done.stdout))
    assert sorted(ours(config)) == theirs


def ours(config: str) -> list[tuple[str, int, str]]:
    """What we find that nothing allows."""
    secrets = from_plain(translate(tomllib.loads(config), "c.toml"), path=None).settings.secrets
    wanted = Wanted(frozenset({"secret-custom"}), secrets.custom, secrets.allow)
    found = []
    for name, text in FILES.items():
        blob = Blob(Provenance(name), text.encode())
        for rule, hit in wanted.hits(blob, _no_gap):
            if wanted.allowed(rule, hit, blob, _no_gap) is None:
                found.append((name, blob.lines.position(hit.span.start).line, hit.secret or ""))
    return found


def _no_gap(gap: Gap) -> None:
    raise AssertionError(gap.reason)
