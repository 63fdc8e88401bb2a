"""The static verdict on each case of the corpus against what the real middleware does."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hardenctl.detect.config import detect_config
from hardenctl.model.blob import Gap
from hardenctl.model.finding import Confidence, Hit
from hardenctl.model.settings import Settings
from hardenctl.rules.cors import RULES
from hardenctl.sources.memory import MemorySnapshot

CORPUS = Path(__file__).parent.parent / "corpus" / "cors"
CLASSES = {
    "cors-any-origin-credentials": "any+credentials",
    "cors-any-origin": "any",
    "cors-lookalike-origin": "lookalike",
    "cors-null-origin": "null",
    "cors-plaintext-origin": "plaintext",
    "cors-startup-error": "startup",
}


def _load_runner() -> ModuleType:
    spec = importlib.util.spec_from_file_location("cors_truth", CORPUS.parent / "cors_truth.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["cors_truth"] = module
    spec.loader.exec_module(module)
    return module


RUNNER = _load_runner()
CASES = {f"{path.stem}/{case.name}": case for path in sorted(CORPUS.glob("*.txt")) for case in RUNNER.load(path)}


@pytest.fixture(scope="session")
def truth() -> dict[str, Any]:
    """What the real middleware answered, case by case, to the corpus's origins and to those the rules give as proof."""
    evidence = {name: [hit.evidence["origin"] for _, hit in static_hits(name) if hit.evidence] for name in CASES}
    command = [sys.executable, str(CORPUS.parent / "cors_truth.py"), str(CORPUS)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, input=json.dumps(evidence), timeout=120)
    return dict(json.loads(done.stdout))


def real_classes(result: dict[str, Any]) -> set[str]:
    """What is wrong with a case, by who gets in."""
    if result["error"]:
        return {"startup"}
    admitted = result["admitted"]
    if "https://evil.example" in admitted:
        return {"any+credentials" if admitted["https://evil.example"] else "any"}
    classes = {RUNNER.ORIGINS.get(each) or ("lookalike" if "evil" in each else "plaintext") for each in admitted}
    return classes - {"own"}


def static_hits(name: str) -> list[tuple[str, Hit]]:
    """What the rules say of a case."""
    found = list(detect_config(MemorySnapshot(CASES[name].files), RULES, Settings()))
    assert not [each for each in found if isinstance(each, Gap)]
    return [(each[0].id, each[1]) for each in found if not isinstance(each, Gap)]


def static_classes(name: str) -> set[str]:
    """The classes of what the rules say."""
    found = {CLASSES[rule] for rule, _ in static_hits(name) if rule in CLASSES}
    return {"startup"} if "startup" in found else found


@pytest.mark.parametrize("name", CASES)
def test_verdict_agrees_with_the_real_middleware(name: str, truth: dict[str, Any]) -> None:
    """The rules that fire on a case are those that the origins admitted by the running middleware call for."""
    if CASES[name].static == "unresolved":
        assert "cors-unresolved" in {rule for rule, _ in static_hits(name)}
    else:
        assert static_classes(name) == real_classes(truth[name])


def test_recall_and_false_alarms_over_the_corpus(truth: dict[str, Any]) -> None:
    """Of the bad cases at least 95 % are flagged, and at most two good ones are."""
    bad = {name for name in CASES if real_classes(truth[name])}
    flagged = {name for name in CASES if static_classes(name)}
    assert len(CASES) >= 120
    assert len(bad & flagged) / len(bad) >= 0.95
    assert len(flagged - bad) <= 2


def test_nothing_proven_is_wrong(truth: dict[str, Any]) -> None:
    """The attack origin of each proven finding gets in for real."""
    for name in CASES:
        for rule, hit in static_hits(name):
            if hit.confidence is Confidence.PROVEN and hit.evidence:
                assert hit.evidence["origin"] in truth[name]["admitted"], (name, rule)
