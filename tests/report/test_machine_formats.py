"""Formats for programs: JSON and its schema, SARIF, GitLab, GitHub, JUnit."""

from __future__ import annotations

import json
import os
import threading
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import report_samples as samples

from hardenctl.load.outputs import check_outputs
from hardenctl.model.blob import SourceKind, Target
from hardenctl.model.errors import UsageError
from hardenctl.model.finding import Mark
from hardenctl.model.report import Report, Scanned, Score, Status
from hardenctl.report.formats import FORMATS, render, split_output, split_outputs, write_file
from hardenctl.report.schema import json_schema
from hardenctl.report.style import Look

EVERY = [
    pytest.param(samples.everything, id="everything"),
    pytest.param(samples.report, id="nothing-found"),
    pytest.param(samples.hostile, id="hostile-names"),
]


def _load(report: Report, name: str) -> Any:
    return json.loads(render(report, name, Look()))


@pytest.mark.parametrize("sample", EVERY)
def test_json_is_what_its_schema_says(sample: Callable[[], Report]) -> None:
    """Every report validates, and the schema itself is a valid one."""
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(_load(sample(), "json"), schema)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param(("verdict",), "maybe", id="unknown-verdict"),
        pytest.param(("surplus",), 1, id="surplus-key"),
        pytest.param(("findings", 0, "line"), 0, id="line-from-zero"),
        pytest.param(("findings", 0, "frame"), "text", id="surplus-key-in-a-finding"),
        pytest.param(("score", "overall"), 11, id="score-over-ten"),
    ],
)
def test_schema_refuses_what_is_wrong(path: tuple[Any, ...], value: object) -> None:
    """The schema is closed: it notices keys and values that the contract doesn't have."""
    data = _load(samples.everything(), "json")
    target = data
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, json_schema())


def test_json_of_the_contract() -> None:
    """The keys stand as the contract writes them; history and compose keys are null elsewhere."""
    data = _load(samples.everything(), "json")
    assert list(data) == [
        "schema_version", "tool", "target", "verdict", "score", "findings", "servers", "gaps", "scanned",
        "elapsed_seconds",
    ]  # fmt: skip
    cors, old = data["findings"][0], next(each for each in data["findings"] if each["path"] == "config/old.env")
    assert (cors["commit"], cors["occurrences"], cors["services"]) == (None, None, None)
    assert cors["evidence"] == {"origin": "https://evil.example"}
    assert old["occurrences"] == {"commits": 3, "paths": ["config/old.env", "config/prod.env"], "in_head": False}
    assert data["servers"][0]["effective"]["threads"] == {
        "value": None,
        "expression": "multiprocessing.cpu_count()",
        "path": "gunicorn.conf.py",
        "line": 3,
        "origin": "config file",
    }
    assert {each["status"] for each in data["findings"]} == {"open", "suppressed", "baselined"}


def test_json_lines_has_one_finding_a_line() -> None:
    """Each line is one of the findings of the whole report."""
    report = samples.everything()
    lines = render(report, "json-lines", Look()).splitlines()
    assert [json.loads(line) for line in lines] == _load(report, "json")["findings"]


@pytest.mark.parametrize("sample", EVERY)
@pytest.mark.parametrize("name", FORMATS)
def test_no_format_sends_control_characters(sample: Callable[[], Report], name: str) -> None:
    """A hostile file name reaches no terminal raw, in any format."""
    text = render(sample(), name, Look(80, verbose=True))
    assert all(line.isprintable() for line in text.split("\n"))


def test_sarif_is_what_github_reads() -> None:
    """Rule metadata, regions, levels, unique hashes, suppressions and gaps are there."""
    report = samples.everything()
    run = _load(report, "sarif")["runs"][0]
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    assert rules["cors-any-origin-credentials"]["properties"]["security-severity"] == "9.5"
    assert rules["cors-any-origin-credentials"]["properties"]["precision"] == "very-high"
    assert rules["gunicorn-timeout-unset"]["defaultConfiguration"]["level"] == "note"
    assert all(rule["help"]["markdown"] and rule["shortDescription"]["text"] for rule in rules.values())
    first = run["results"][0]
    assert first["locations"][0]["physicalLocation"]["region"] == {
        "startLine": 31, "startColumn": 1, "endLine": 36, "endColumn": 2,
    }  # fmt: skip
    assert first["relatedLocations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "app/settings.py"
    hashes = [result["partialFingerprints"]["primaryLocationLineHash"] for result in run["results"]]
    assert len(set(hashes)) == len(hashes)
    assert [result["suppressions"][0]["kind"] for result in run["results"] if "suppressions" in result] == [
        "external",
        "external",
    ]
    assert not run["invocations"][0]["executionSuccessful"]
    assert [each["level"] for each in run["invocations"][0]["toolExecutionNotifications"]] == ["error", "error", "note"]


def test_sarif_of_an_inline_mark_and_an_unknown_rule() -> None:
    """A comment in the source is a suppression in the source; a rule without a page still has an entry."""
    marked = samples.finding("other-rule", marks=(Mark(("other-rule",), "ok", 12),))
    report = samples.report(samples.judged(marked, Status.SUPPRESSED, "ok"))
    run = _load(report, "sarif")["runs"][0]
    assert run["results"][0]["suppressions"] == [{"kind": "inSource", "justification": "ok"}]
    assert "help" not in run["tool"]["driver"]["rules"][0]


@pytest.mark.parametrize("name", ["sarif", "gitlab"])
def test_the_same_secret_twice_has_two_hashes(name: str) -> None:
    """Platforms want one fingerprint an entry, though ours is one for a secret wherever it stands."""
    twice = [samples.judged(samples.finding(path=path, fingerprint="same")) for path in ("a", "b")]
    text = render(samples.report(*twice), name, Look())
    data = json.loads(text)
    if name == "gitlab":
        assert [entry["fingerprint"] for entry in data] == ["same", "same-2"]
    else:
        hashes = [result["partialFingerprints"] for result in data["runs"][0]["results"]]
        assert hashes == [{"primaryLocationLineHash": "same:1"}, {"primaryLocationLineHash": "same:2"}]


def test_gitlab_entries() -> None:
    """Severities are GitLab's; gaps are entries too; what is set aside is none."""
    data = _load(samples.everything(), "gitlab")
    assert [entry["severity"] for entry in data].count("blocker") == 1
    assert [entry["check_name"] for entry in data].count("gap") == 2
    assert not any(entry["location"]["path"] in {"legacy.py", "tests/fixtures.py"} for entry in data)
    assert len({entry["fingerprint"] for entry in data}) == len(data)


@pytest.mark.parametrize(
    ("root", "path"),
    [
        pytest.param(".", "app/settings.py", id="here"),
        pytest.param("services/web", "services/web/app/settings.py", id="a-folder-below"),
        pytest.param("../other", "app/settings.py", id="elsewhere"),
        pytest.param("/srv/app", "app/settings.py", id="absolute"),
    ],
)
def test_platforms_get_paths_from_where_hardenctl_ran(root: str, path: str) -> None:
    """Auditing a folder of a repository annotates the repository's paths."""
    report = samples.report(samples.judged(samples.finding()), target=Target(root, SourceKind.WORKTREE))
    assert f"file={path}," in render(report, "github", Look())
    result = _load(report, "sarif")["runs"][0]["results"][0]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == path
    assert _load(report, "gitlab")[0]["location"]["path"] == path


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        pytest.param("caf\\xe9.py", "caf%E9.py", id="latin-1"),
        pytest.param("café.py", "caf%C3%A9.py", id="utf-8"),
        pytest.param("a\\x41.py", "a%5Cx41.py", id="no-escape-of-ours"),
    ],
)
def test_a_sarif_uri_has_the_names_bytes(path: str, uri: str) -> None:
    """A name that is no UTF-8 is shown with escapes, and addressed by its bytes."""
    report = samples.report(samples.judged(samples.finding(path=path)))
    result = _load(report, "sarif")["runs"][0]["results"][0]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


@pytest.mark.parametrize("outputs", [("json=a", "sarif=a"), ("json=a", "json=./a")])
def test_one_report_replaces_no_other(outputs: tuple[str, ...]) -> None:
    """Two reports in one file are an error: the first would be lost without a word."""
    with pytest.raises(UsageError, match="twice"):
        split_outputs(outputs)
    with pytest.raises(UsageError, match="twice"):
        check_outputs([each.replace("sarif", "html") for each in outputs])
    assert len(split_outputs(("json=a", "json=b"))) == 2


def test_junit_counts_agree_with_its_cases() -> None:
    """The file is well-formed also with hostile names, and its counts are those of its cases."""
    for report in (samples.everything(), samples.hostile(), samples.report()):
        suite = ET.fromstring(render(report, "junit", Look()).encode())[0]  # noqa: S314 - our own output
        for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.attrib[count]) == len(suite.findall(f"testcase/{tag}"))
        assert int(suite.attrib["tests"]) == len(suite.findall("testcase"))


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in {"json-lines", "gitlab"}])
def test_what_was_left_out_is_said(name: str) -> None:
    """Wherever a format has room for more than findings, it says what nobody looked at on purpose."""
    text = render(samples.everything(), name, Look())
    assert "3 binary" in text or _load(samples.everything(), name)["scanned"]["left_out"] == {"binary": 3}
    nothing = replace(samples.everything(), scanned=Scanned(files=1))
    assert "left out" not in render(nothing, name, Look()).lower()


def test_github_escapes_what_its_commands_read() -> None:
    """Percent signs, colons and commas in a file's name cannot end a property."""
    report = samples.report(samples.judged(samples.finding(path="a,line=9::b%.py", message="100 %")))
    assert render(report, "github", Look()).startswith("::error file=a%2Cline=9%3A%3Ab%25.py,")
    assert "::100 %25." in render(report, "github", Look())


def test_no_gate_and_no_score() -> None:
    """Without a gate nothing is a failure; a score of nothing is said to be none."""
    report = replace(samples.everything(), fail_on=None, score=Score(None, {}))
    assert "<failure" not in render(report, "junit", Look())
    assert "Readiness" not in render(report, "markdown", Look())
    assert _load(report, "json")["score"]["overall"] is None


def test_output_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """A report replaces the old file; where it cannot be written, that is said and nothing is left behind."""
    target = tmp_path / "report.json"
    target.write_text("old")
    write_file(samples.everything(), "json", target)
    assert json.loads(target.read_text())["schema_version"] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]
    with pytest.raises(UsageError, match="cannot write"):
        write_file(samples.everything(), "json", tmp_path / "missing" / "report.json")
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match="cannot write"):
        write_file(samples.everything(), "json", tmp_path / "folder")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "report.json"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("json", "names no file", id="no-file"),
        pytest.param("json=", "names no file", id="empty-file"),
        pytest.param("pdf=x", "no format `pdf`", id="unknown-format"),
    ],
)
def test_bad_outputs_are_usage_errors(text: str, words: str) -> None:
    """`--output` says what is wrong with it."""
    with pytest.raises(UsageError, match=words):
        split_output(text)


def test_a_file_name_may_hold_an_equals_sign() -> None:
    """Only the first `=` divides format and file."""
    assert split_output("sarif=a=b") == ("sarif", Path("a=b"))


def test_a_pipe_is_written_and_not_replaced(tmp_path: Path) -> None:
    """`--output json=/dev/stdout` and named pipes are written to, not renamed over."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    write_file(samples.report(), "json", pipe)
    reader.join(10)
    assert json.loads(read[0])["verdict"] == "pass"
    assert pipe.is_fifo()


def test_a_failed_write_leaves_the_old_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the last step fails the old file is whole and no temporary one stays."""
    target = tmp_path / "report.json"
    target.write_text("old")

    def refuse(self: Path, other: Path) -> Path:
        raise OSError(28, f"no space for {self} as {other}")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(UsageError, match="cannot write"):
        write_file(samples.report(), "json", target)
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]
