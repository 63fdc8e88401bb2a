"""Policy files: what they may say, and what an error says."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hardenctl.generate.platforms import PLATFORMS
from hardenctl.model.errors import PolicyError, UsageError
from hardenctl.model.finding import Severity
from hardenctl.model.glob import rebase
from hardenctl.policy import cache, load
from hardenctl.policy.load import load_policy, with_overrides
from hardenctl.policy.names import PLATFORM_NAMES
from hardenctl.policy.plain import from_plain, to_plain
from hardenctl.policy.policy import Policy, Suppression

IDS = ("compose-latest-tag", "compose-published-port", "gunicorn-timeout-unset", "cors-any-origin", "secret-jwt")

CONTRACT = """
[tool.hardenctl]
extends = ["standard"]          # a preset or a file
fail-on = "high"
exclude = ["vendor/**"]
rules = { "compose-latest-tag" = "off", "gunicorn-timeout-unset" = "medium" }
[tool.hardenctl.cors]
origins = ["https://app.example.com"]
methods = ["GET"]
headers = ["Content-Type"]
wildcard-environments = ["development", "test"]
[tool.hardenctl.gunicorn]
workers = "max(2, cpu * 2)"
timeout = 90
[tool.hardenctl.secrets]
rotation-days = 30
minimum-bits = 256
[tool.hardenctl.load]
targets = { p95 = "250ms", rps = 400, error-rate = "0.5%", cpu = "60%" }
hosts = ["staging.example.com"]
[[tool.hardenctl.suppress]]
rule = "compose-published-port"
path = "docker-compose.dev.yml"
reason = "developers connect from the host"
expires = 2027-03-31
"""

YAML = """
extends: standard
fail-on: high
exclude: ["vendor/**"]
rules: {compose-latest-tag: off, gunicorn-timeout-unset: medium}
cors: {origins: ["https://app.example.com"], methods: [GET], headers: [Content-Type],
       wildcard-environments: [development, test]}
gunicorn: {workers: "max(2, cpu * 2)", timeout: 90}
secrets: {rotation-days: 30, minimum-bits: 256}
load: {targets: {p95: 0.25s, rps: 400.0, error-rate: 0.005, cpu: 0.6}, hosts: [staging.example.com]}
suppress:
  - {rule: compose-published-port, path: docker-compose.dev.yml,
     reason: developers connect from the host, expires: 2027-03-31}
"""


@pytest.fixture(autouse=True)
def rules_and_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """These rules and a cache of its own, so that no test depends on another or on the rules of the day."""
    monkeypatch.setattr(load, "known_ids", lambda: IDS)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def project(root: Path, **files: str) -> Path:
    """A folder with these files; `__` in a keyword stands for the dot of its suffix."""
    root.mkdir(exist_ok=True)
    for name, text in files.items():
        root.joinpath(name.replace("__", ".")).write_text(text, encoding="utf-8")
    return root


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({"pyproject__toml": CONTRACT}, id="pyproject"),
        pytest.param(
            {"hardenctl__toml": CONTRACT.replace("tool.hardenctl.", "").replace("[tool.hardenctl]", "")}, id="toml"
        ),
        pytest.param({"hardenctl__yaml": YAML}, id="yaml"),
        pytest.param({"hardenctl__yml": "\ufeff" + YAML}, id="yml-with-byte-order-mark"),
    ],
)
def test_every_key_of_every_kind_of_file(files: dict[str, str], tmp_path: Path):
    """The same keys in each of the three places make the same policy, read fresh and from the cache."""
    root = project(tmp_path / "p", **files)
    for _ in range(2):
        policy = load_policy(root)
        assert policy.fail_on is Severity.HIGH
        assert policy.exclude == ("vendor/**",)
        assert dict(policy.rules) == {"compose-latest-tag": None, "gunicorn-timeout-unset": Severity.MEDIUM}
        assert policy.settings.cors.origins == ("https://app.example.com",)
        assert policy.settings.cors.methods == ("GET",)
        assert policy.settings.cors.headers == ("Content-Type",)
        assert policy.settings.cors.wildcard_environments == ("development", "test")
        assert (policy.settings.gunicorn.workers, policy.settings.gunicorn.timeout) == ("max(2, cpu * 2)", 90)
        assert (policy.settings.secrets.rotation_days, policy.settings.secrets.minimum_bits) == (30, 256)
        assert policy.settings.load.p95_ms == pytest.approx(250)
        assert policy.settings.load.rps == pytest.approx(400)
        assert policy.settings.load.error_rate == pytest.approx(0.005)
        assert policy.settings.load.cpu == pytest.approx(0.6)
        assert policy.settings.load.hosts == ("staging.example.com",)
        assert policy.suppressions == (
            Suppression(
                "compose-published-port",
                "developers connect from the host",
                "docker-compose.dev.yml",
                dt.date(2027, 3, 31),
            ),
        )
        assert policy.path == next(iter(files)).replace("__", ".")


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({}, id="no-file"),
        pytest.param({"pyproject__toml": "[project]\nname = 'x'\n"}, id="no-mention"),
        pytest.param({"pyproject__toml": "[project]\ndependencies = ['hardenctl']\n"}, id="a-mention-but-no-table"),
        pytest.param({"pyproject__toml": "tool = 1\n# hardenctl\n"}, id="tool-is-no-table"),
        pytest.param({"pyproject__toml": "[project\n"}, id="broken-but-not-ours"),
    ],
)
def test_without_a_policy_the_defaults_hold(files: dict[str, str], tmp_path: Path):
    """No policy table means the defaults, whatever else the folder holds."""
    assert load_policy(project(tmp_path / "p", **files)) == Policy()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[tool.hardenctl]\nfail-on = 'low'", id="table"),
        pytest.param("[ tool . hardenctl ]\nfail-on = 'low'", id="spaces"),
        pytest.param("[tool.'hardenctl']\nfail-on = 'low'", id="quoted"),
        pytest.param('["tool"."hardenctl"]\nfail-on = "low"', id="all-quoted"),
        pytest.param("[tool]\nhardenctl = { fail-on = 'low' }", id="inline"),
        pytest.param("[tool]\nhardenctl.fail-on = 'low'", id="dotted-key"),
        pytest.param("tool.hardenctl.fail-on = 'low'", id="dotted-from-the-top"),
        pytest.param("tool = { hardenctl = { fail-on = 'low' } }", id="inline-from-the-top"),
    ],
)
def test_every_way_to_write_the_table(text: str, tmp_path: Path):
    """TOML has many ways to write one table; none is overlooked."""
    assert load_policy(project(tmp_path / "p", pyproject__toml=text)).fail_on is Severity.LOW


def test_an_empty_file_is_the_defaults(tmp_path: Path):
    """An empty YAML or TOML file is a policy that says nothing."""
    for name in ("hardenctl__yaml", "hardenctl__toml"):
        root = project(tmp_path / name, **{name: "# later\n"})
        assert load_policy(root) == Policy(path=name.replace("__", "."))


@pytest.mark.parametrize(
    ("text", "what", "help_"),
    [
        pytest.param("zzz = []", "`zzz`: no such key", "its keys are extends, fail-on", id="unknown-top-key"),
        pytest.param("fail_on = 'low'", "`fail_on`: no such key", "did you mean `fail-on`?", id="snake-case"),
        pytest.param("[cors]\norgins = []", "`cors.orgins`: no such key", "did you mean `origins`?", id="nested"),
        pytest.param("origins = []", "`origins`: no such key", "did you mean `cors.origins`?", id="wrong-table"),
        pytest.param("[load]\ntargets = { p99 = 1 }", "`load.targets.p99`", "its keys are p95, rps", id="deep"),
        pytest.param("fail-on = 'hihg'", "`fail-on`: expected 'info'", "did you mean `high`?", id="severity"),
        pytest.param("fail-on = 3", "`fail-on`: expected 'info'", "", id="severity-of-wrong-type"),
        pytest.param("exclude = 'a'", "`exclude`: expected a list", "", id="no-list"),
        pytest.param("exclude = [1]", "`exclude[0]`: expected a string", "", id="no-string"),
        pytest.param("exclude = ['[z-a]']", "`exclude[0]`: expected a glob", "", id="bad-glob"),
        pytest.param("exclude = ['']", "`exclude[0]`: expected a glob", "", id="empty-glob"),
        pytest.param("cors = 1", "`cors`: expected a table", "", id="no-table"),
        pytest.param("rules = ['x']", "`rules`: expected a table", "", id="rules-no-table"),
        pytest.param("gunicorn = { timeout = '9' }", "`gunicorn.timeout`: expected a whole number", "", id="no-int"),
        pytest.param("gunicorn = { timeout = true }", "`gunicorn.timeout`: expected a whole", "", id="bool-is-no-int"),
        pytest.param("gunicorn = { timeout = 0 }", "`gunicorn.timeout`: expected a number above 0", "", id="zero"),
        pytest.param("gunicorn = { workers = 'os.system()' }", "an expression of `cpu`", "", id="workers-attribute"),
        pytest.param("gunicorn = { workers = 'cpu / 0' }", "an expression of `cpu`", "", id="workers-zero-division"),
        pytest.param("gunicorn = { workers = '9**9**9**9' }", "an expression of `cpu`", "", id="workers-power"),
        pytest.param("gunicorn = { workers = '9999 * 9999 * cpu' }", "an expression of `cpu`", "", id="workers-huge"),
        pytest.param("gunicorn = { workers = 'cpu - 1' }", "a worker at least", "", id="workers-none"),
        pytest.param(
            "secrets = { targets = { a = { platform = 'valt' } } }", "no platform", "`vault`", id="target-platform"
        ),
        pytest.param(
            "secrets = { targets = { github = { platform = 'vault' } } }", "a platform's own name", "", id="target-name"
        ),
        pytest.param(
            "secrets = { allow = [{ reason = 'x', rules = ['cors-any-orign'], paths = ['a'] }] }",
            "`secrets.allow[0].rules`", "`cors-any-origin`", id="allow-rule",
        ),
        pytest.param("gunicorn = { workers = 'cpu *' }", "an expression of `cpu`", "", id="workers-syntax"),
        pytest.param("gunicorn = { workers = 'eval(cpu)' }", "an expression of `cpu`", "", id="workers-function"),
        pytest.param("gunicorn = { workers = '\"x\" * cpu' }", "an expression of `cpu`", "", id="workers-string"),
        pytest.param("load = { targets = { rps = '5' } }", "`load.targets.rps`: expected a number", "", id="no-number"),
        pytest.param("load = { targets = { p95 = '300' } }", "expected a duration", "", id="no-unit"),
        pytest.param("load = { targets = { p95 = -1 } }", "expected a duration", "", id="negative"),
        pytest.param("load = { targets = { cpu = 70 } }", "expected a percentage", "", id="cpu-70"),
        pytest.param("load = { targets = { cpu = true } }", "expected a percentage", "", id="cpu-true"),
        pytest.param("rules = { compose-latst-tag = 'off' }", "no rule or prefix", "`compose-latest-tag`?", id="rule"),
        pytest.param("rules = { zzz = 'off' }", "no rule or prefix", "`hardenctl rules`", id="rule-far-off"),
        pytest.param("rules = { comp = 'off' }", "no rule or prefix", "", id="no-word-boundary"),
        pytest.param("rules = { compose = 'never' }", "`rules.compose`: expected 'off'", "", id="level"),
        pytest.param("rules = { compose = true }", "`rules.compose`: expected 'off'", "", id="level-true"),
        pytest.param("[[suppress]]\nrule = 'compose'", "`suppress[0].reason`: is missing", "", id="no-reason"),
        pytest.param("[[suppress]]\nrule = 'compose'\nreason = ' '", "expected a reason", "", id="empty-reason"),
        pytest.param("[[suppress]]\nrule = 'nope'\nreason = 'x'", "`suppress[0].rule`: no", "", id="suppress-rule"),
        pytest.param("[[suppress]]\nrule='cors'\nreason='x'\npaths='y'", "suppress[0].paths", "`path`?", id="inner"),
        pytest.param("[[suppress]]\nrule='cors'\nreason='x'\nexpires='soon'", "expected a date", "", id="date"),
        pytest.param("[[suppress]]\nrule='cors'\nreason='x'\nexpires=7", "expected a date", "", id="date-number"),
        pytest.param("extends = ['strct']", "neither a preset nor a file", "did you mean `strict`?", id="preset"),
        pytest.param("extends = ['other.toml']", "neither a preset nor a file", "presets are", id="file"),
        pytest.param("extends = ['hardenctl.toml']", "extends itself", "", id="extends-itself"),
        pytest.param("a = = 1", "not valid TOML at line 1, column 5", "", id="broken"),
        pytest.param("a = 1\nb = 2", "2 problems\n`a`: no such key", "", id="all-problems-are-named"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_file_and_key(text: str, what: str, help_: str, tmp_path: Path):
    """A wrong key or value is an error that names file, key, what was expected, and the nearest right word."""
    with pytest.raises(PolicyError) as caught:
        load_policy(project(tmp_path / "p", hardenctl__toml=text))
    assert caught.value.what.startswith("hardenctl.toml: ")
    assert what in caught.value.what
    assert help_ in caught.value.help


def test_a_key_in_pyproject_is_named_in_full(tmp_path: Path):
    """In pyproject.toml the key starts with the table's name, in the suggestion too."""
    with pytest.raises(PolicyError, match=r"pyproject.toml: `tool.hardenctl.orgins`"):
        load_policy(project(tmp_path / "p", pyproject__toml="[tool.hardenctl]\norgins = []"))
    with pytest.raises(PolicyError) as caught:
        load_policy(project(tmp_path / "p", pyproject__toml="[tool.hardenctl]\norigins = []"))
    assert "`tool.hardenctl.cors.origins`" in caught.value.help


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        pytest.param("hardenctl.yaml", "a: [", "not valid YAML at line 1", id="yaml"),
        pytest.param(
            "hardenctl.yaml", "fail-on: high\nfail-on: low", "line 2, column 1: a key is given twice", id="yaml-twice"
        ),
        pytest.param("hardenctl.yaml", "[" * 9999 + "]" * 9999, "nested too deeply", id="yaml-deep"),
        pytest.param("hardenctl.toml", "a = " + "[" * 9999 + "]" * 9999, "nested too deeply", id="toml-deep"),
        pytest.param("hardenctl.yaml", "a: \x07", "not valid YAML", id="yaml-control-character"),
        pytest.param("hardenctl.yaml", "- a", "expected a table of keys", id="yaml-list"),
        pytest.param("hardenctl.yaml", "1: a", "expected a table of keys", id="yaml-number-as-key"),
        pytest.param("hardenctl.yaml", "a: 2026-13-45", "not valid YAML", id="yaml-impossible-date"),
        pytest.param("pyproject.toml", "tool.hardenctl = 1", "`tool.hardenctl`: expected a table", id="no-table"),
        pytest.param("pyproject.toml", "[tool.hardenctl\n", "not valid TOML at line 1", id="toml"),
    ],
)
def test_a_file_that_is_no_policy(name: str, text: str, what: str, tmp_path: Path):
    """A file that doesn't parse, or isn't a table, is an error with its place."""
    with pytest.raises(PolicyError) as caught:
        load_policy(project(tmp_path / "p", **{name.replace(".", "__"): text}))
    assert caught.value.what.startswith(f"{name}: ")
    assert what in caught.value.what


def test_no_message_quotes_a_value(tmp_path: Path):
    """A secret pasted into a policy file is in no error message."""
    value = "hunter" + "2hunter2"
    for text in (f"fail-on = '{value}'", f"exclude = '{value}'", f"cors = '{value}'", f"x = '{value}' '"):
        with pytest.raises(PolicyError) as caught:
            load_policy(project(tmp_path / "p", hardenctl__toml=text))
        assert value not in caught.value.what + caught.value.help


def test_not_utf8(tmp_path: Path):
    """A file in another encoding is an error, not a guess."""
    project(tmp_path / "p").joinpath("hardenctl.toml").write_bytes(b"\xff\xfea\x00")
    with pytest.raises(PolicyError, match="not UTF-8"):
        load_policy(tmp_path / "p")


@pytest.mark.parametrize(
    ("files", "names"),
    [
        pytest.param({"hardenctl__toml": "", "hardenctl__yaml": ""}, "hardenctl.toml and hardenctl.yaml", id="two-own"),
        pytest.param(
            {"hardenctl__yml": "", "pyproject__toml": "[tool.hardenctl]"}, "hardenctl.yml and pyproject.toml", id="both"
        ),
    ],
)
def test_two_policy_files_are_an_error(files: dict[str, str], names: str, tmp_path: Path):
    """Two files at once are an error that names both."""
    with pytest.raises(PolicyError, match=names):
        load_policy(project(tmp_path / "p", **files))


def test_a_named_file_is_used_alone(tmp_path: Path):
    """--config wins over what lies in the folder, and a pyproject.toml without the table is then an error."""
    root = project(tmp_path / "p", hardenctl__toml="fail-on = 'low'", ci__toml="fail-on = 'never'", pyproject__toml="")
    assert load_policy(root, root / "ci.toml").fail_on is None
    with pytest.raises(PolicyError, match=r"no table `tool\.hardenctl`"):
        load_policy(root, root / "pyproject.toml")
    with pytest.raises(PolicyError, match="No such file"):
        load_policy(root, root / "missing.toml")
    outside = project(tmp_path / "q", shared__toml="fail-on = 'low'")
    assert load_policy(root, outside / "shared.toml").path == str(outside / "shared.toml")


def test_extends_adds_and_overrides(tmp_path: Path):
    """Later files win key by key; `exclude` and `suppress` add up; a preset and a file of another kind may mix."""
    root = project(
        tmp_path / "p",
        base__yaml="fail-on: critical\nexclude: [a]\ncors: {origins: [x], methods: [GET]}\nrules: {cors: low}\n"
        "suppress: [{rule: cors, reason: base}]",
        hardenctl__toml="extends = ['strict', 'base.yaml']\nexclude = ['b']\ncors = { origins = ['y'] }\n"
        "rules = { compose = 'off' }\nsuppress = [{ rule = 'secret', reason = 'own' }]",
    )
    policy = load_policy(root)
    assert policy.fail_on is Severity.CRITICAL
    assert policy.exclude == ("a", "b")
    assert policy.settings.cors.origins == ("y",)
    assert policy.settings.cors.methods == ("GET",)
    assert policy.settings.cors.wildcard_environments == ()
    assert dict(policy.rules) == {"cors": Severity.LOW, "compose": None}
    assert [each.reason for each in policy.suppressions] == ["base", "own"]
    assert policy.extends == ("strict", "base.yaml")


def test_the_policy_of_the_repository_holds_in_its_folders(tmp_path: Path):
    """A folder without a policy takes the nearest one above within the repository, globs read from there."""
    root = project(
        tmp_path / "p",
        hardenctl__toml="exclude = ['vendor', 'api/gen/**', '*/tmp', 'web/**', 'api/**/x']\n"
        "suppress = [{rule='cors', reason='r', path='api/main.py'}, {rule='cors', reason='r', path='web/a.py'}]",
    )
    inner = root / "api" / "v1"
    inner.mkdir(parents=True)
    assert load_policy(root / "api") == Policy(), "without a repository nothing above is looked at"
    (root / ".git").mkdir()
    policy = load_policy(root / "api")
    assert policy.exclude == ("vendor", "gen/**", "tmp", "**/x")
    assert [each.path for each in policy.suppressions] == ["main.py"]
    assert policy.path == "../hardenctl.toml"
    assert load_policy(inner).exclude == ("vendor", "**/x")
    project(root / "api", hardenctl__toml="extends = ['../hardenctl.toml']\nfail-on = 'low'")
    assert load_policy(inner).path == "../hardenctl.toml"
    assert load_policy(inner).fail_on is Severity.LOW


@pytest.mark.parametrize(
    ("pattern", "prefix", "expected"),
    [
        pytest.param("vendor", ["vendor"], "**", id="a-bare-name-that-is-the-folder"),
        pytest.param("vendor", ["a"], "vendor", id="a-bare-name-is-found-anywhere"),
        pytest.param("a/b", ["a", "b", "c"], "**", id="inside-what-is-matched"),
        pytest.param("a/b", ["a"], "b", id="one-part"),
        pytest.param("**/b", ["a"], "**/b", id="any-depth"),
        pytest.param("b/c", ["a"], None, id="elsewhere"),
    ],
)
def test_rebase(pattern: str, prefix: list[str], expected: str | None):
    """A glob read from a folder further down matches the same files."""
    assert rebase(pattern, prefix) == expected


def test_extends_in_circles(tmp_path: Path):
    """A cycle over several files is an error that shows the way round."""
    root = project(tmp_path / "p", hardenctl__toml="extends = ['a.toml']", a__toml="extends = ['hardenctl.toml']")
    with pytest.raises(PolicyError, match=r"hardenctl.toml -> a.toml -> hardenctl.toml"):
        load_policy(root)


def test_an_extended_pyproject_needs_the_table(tmp_path: Path):
    """Extending another project's pyproject.toml takes its table, which has to be there."""
    root = project(tmp_path / "p", hardenctl__toml="extends = ['pyproject.toml']", pyproject__toml="[project]")
    with pytest.raises(PolicyError, match=r"`pyproject\.toml` has no table"):
        load_policy(root)


class TestCache:
    """The cache answers only for files that haven't changed, and is never believed when torn."""

    def entry(self) -> Path:
        """The one entry there is."""
        (entry,) = (cache.cache_home() / "policy").glob("*.json")
        return entry

    def test_is_used_while_nothing_changed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        """The second load validates nothing."""
        root = project(tmp_path / "p", hardenctl__toml="fail-on = 'low'")
        first = load_policy(root)
        monkeypatch.setattr("hardenctl.policy.load._Resolver.resolve", None)
        assert load_policy(root) == first

    def test_notices_a_change_of_an_extended_file(self, tmp_path: Path):
        """A change in a file that is only extended counts, and so does its removal."""
        root = project(tmp_path / "p", hardenctl__toml="extends = ['a.toml']", a__toml="fail-on = 'low'")
        assert load_policy(root).fail_on is Severity.LOW
        project(root, a__toml="fail-on = 'high'")
        assert load_policy(root).fail_on is Severity.HIGH
        (root / "a.toml").unlink()
        with pytest.raises(PolicyError, match="neither a preset nor a file"):
            load_policy(root)

    def test_notices_other_rules(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        """A rule that is gone makes a policy that names it wrong, cached or not."""
        root = project(tmp_path / "p", hardenctl__toml="rules = { secret-jwt = 'low' }")
        load_policy(root)
        monkeypatch.setattr(load, "known_ids", lambda: ("cors-any-origin",))
        with pytest.raises(PolicyError, match="no rule or prefix"):
            load_policy(root)

    @pytest.mark.parametrize(
        "torn",
        [
            pytest.param("", id="empty"),
            pytest.param("{", id="cut"),
            pytest.param("[]", id="list"),
            pytest.param('{"files": {}, "policy": 1}', id="no-table"),
            pytest.param('{"files": {}, "policy": {"fail-on": "x"}}', id="unknown-severity"),
            pytest.param('{"files": {}, "policy": {"cors": {"x": 1}}}', id="unknown-setting"),
            pytest.param('{"files": {}, "policy": {"suppress": 1}}', id="wrong-type"),
        ],
    )
    def test_torn_entries_are_ignored(self, torn: str, tmp_path: Path):
        """An entry that is damaged is replaced, not believed."""
        root = project(tmp_path / "p", hardenctl__toml="fail-on = 'low'")
        load_policy(root)
        self.entry().write_text(torn)
        assert load_policy(root).fail_on is Severity.LOW
        assert json.loads(self.entry().read_text())["policy"]["fail-on"] == "low"

    def test_a_cache_that_cannot_be_written_is_no_error(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        """A file where the cache folder should be stops nothing."""
        tmp_path.joinpath("blocked").write_text("")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "blocked"))
        assert load_policy(project(tmp_path / "p", hardenctl__toml="fail-on = 'low'")).fail_on is Severity.LOW

    def test_failing_to_finish_an_entry_leaves_nothing_behind(self, monkeypatch: pytest.MonkeyPatch):
        """A failed rename leaves no temporary file."""

        def fail(*_: Any) -> None:
            raise OSError

        monkeypatch.setattr(Path, "replace", fail)
        cache.save_entry("x", {}, {})
        assert list((cache.cache_home() / "policy").iterdir()) == []

    def test_old_entries_go(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        """The cache holds a bounded number of entries."""
        monkeypatch.setattr(cache, "KEEP", 2)
        for number in range(1, 5):
            load_policy(project(tmp_path / "p", hardenctl__toml=f"gunicorn = {{ timeout = {number} }}"))
        assert len(list((cache.cache_home() / "policy").iterdir())) == 2

    @pytest.mark.parametrize(
        ("platform", "expected"),
        [
            pytest.param("linux", ".cache/hardenctl", id="linux"),
            pytest.param("darwin", "Library/Caches/hardenctl", id="mac"),
            pytest.param("win32", "AppData/Local/hardenctl/cache", id="windows"),
        ],
    )
    def test_home(self, platform: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        """Each system's own place, without the variable that moves it."""
        monkeypatch.delenv("XDG_CACHE_HOME")
        monkeypatch.delenv("LOCALAPPDATA", raising=False)
        monkeypatch.setattr(sys, "platform", platform)
        monkeypatch.setattr(Path, "home", lambda: tmp_path)
        assert cache.cache_home() == tmp_path / expected


HEAVY = "('pydantic', 'yaml', 'tomllib', 'git', 'typer', 'rich', 'jinja2', 'detect_secrets', 'locust')"
PROBE = """
import sys
before = set(sys.modules)  # what measures coverage loads tomllib itself
from pathlib import Path
from hardenctl.policy.load import load_policy
load_policy(Path(sys.argv[1]))
print([name for name in %s if name in set(sys.modules) - before])
"""


@pytest.mark.parametrize(
    ("files", "first"),
    [
        pytest.param({}, "[]", id="no-policy"),
        pytest.param({"pyproject__toml": "[project]\nname = 'x'\n"}, "[]", id="a-pyproject-of-others"),
        pytest.param({"pyproject__toml": "[project]\ndependencies = ['hardenctl']\n"}, "[]", id="a-dependency"),
        pytest.param({"hardenctl__yaml": "fail-on: low\n"}, "['pydantic', 'yaml']", id="a-policy"),
    ],
)
def test_the_fast_path_loads_nothing_heavy(files: dict[str, str], first: str, tmp_path: Path):
    """Without a policy, or with one that is cached, neither pydantic nor a parser is imported."""
    root = project(tmp_path / "p", **files)
    for expected in (first, "[]"):
        done = subprocess.run(
            [sys.executable, "-c", PROBE % HEAVY, str(root)], capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == expected


class TestOverrides:
    """The command line on top of the policy."""

    def test_what_is_not_given_stays(self):
        """Without options it is the very same policy."""
        policy = Policy(fail_on=Severity.LOW)
        assert with_overrides(policy) is policy

    def test_what_is_given_is_laid_on_top(self):
        """Lists add to the policy's own; the gate is replaced."""
        policy = with_overrides(
            Policy(exclude=("a",)), fail_on="never", select=["cors"], ignore=["compose"], exclude=["b"], no_ignores=True
        )
        assert policy == Policy(
            fail_on=None, exclude=("a", "b"), select=("cors",), ignore=("compose",), no_ignores=True
        )
        assert with_overrides(policy, fail_on="critical").fail_on is Severity.CRITICAL

    @pytest.mark.parametrize(
        ("options", "what", "help_"),
        [
            pytest.param({"fail_on": "hihg"}, "--fail-on: `hihg` is no severity", "did you mean `high`?", id="fail-on"),
            pytest.param({"fail_on": "7"}, "--fail-on", "it is one of info,", id="fail-on-far"),
            pytest.param({"select": ["cros"]}, "--select: `cros` is no rule", "did you mean `cors`?", id="select"),
            pytest.param({"ignore": [""]}, "--ignore: `` is no rule", "hardenctl rules", id="ignore"),
        ],
    )
    def test_unknown_words(self, options: dict[str, Any], what: str, help_: str):
        """An unknown severity or rule is an error with the nearest word."""
        with pytest.raises(UsageError) as caught:
            with_overrides(Policy(), **options)
        assert what in caught.value.what
        assert help_ in caught.value.help


def test_plain_data_comes_back_the_same(tmp_path: Path):
    """What the cache keeps is the whole policy, through JSON."""
    policy = load_policy(project(tmp_path / "p", pyproject__toml=CONTRACT))
    assert from_plain(json.loads(json.dumps(to_plain(policy))), path=policy.path) == policy


def test_exceptions_name_custom_rules(tmp_path: Path) -> None:
    """Those of the file itself and of what it extends, and rules or the start of some."""
    (tmp_path / "base.toml").write_text("[[secrets.custom]]\nid = 'theirs'\npattern = 'x[0-9]{9}'\n")
    (tmp_path / "hardenctl.toml").write_text(
        "extends = ['base.toml']\n[[secrets.custom]]\nid = 'ours'\npattern = 'y[0-9]{9}'\n"
        "[[secrets.allow]]\nreason = 'tests'\npaths = ['t/**']\nrules = ['ours', 'theirs', 'secret-', 'secret']\n"
    )
    assert load_policy(tmp_path).settings.secrets.allow[0].rules == ("ours", "theirs", "secret-", "secret")


@pytest.mark.parametrize("formula", ["4", "max(1, cpu // 2)", "int(cpu * 1.5)", "round(cpu / 2 + 1)", "-(-cpu // 1)"])
def test_formulas_of_workers(tmp_path: Path, formula: str) -> None:
    """What comes to a number of workers for any number of CPUs is taken as it is written."""
    (tmp_path / "hardenctl.toml").write_text(f"gunicorn = {{ workers = '{formula}' }}")
    assert load_policy(tmp_path).settings.gunicorn.workers == formula


def test_the_names_of_platforms_are_those_there_are() -> None:
    """The policy knows them by name, without the programs that deliver."""
    assert tuple(PLATFORMS) == PLATFORM_NAMES
