"""Trains the weights of the credential score and says how good they are on repositories they have not seen.

usage: python bench/train_credentials.py SHARED [--raw FOLDER] [--write] [--without-words]

SHARED holds `data/credential-lines-dev.jsonl.gz`, FOLDER the same documents with their real values, as
`raw_credentials.py` makes them. A logistic regression with an L2 penalty, fitted by gradient descent in plain Python:
a few minutes. The figures printed come from five-fold cross-validation by repository: the first
part of a path names it. `--without-words` does without everything that knows words in values: the features made of
word lists and of the rarity of letters, and the lists of weak and placeholder words that refuse a value outright. Real
values in this data were replaced by random ones of the same shape while weak ones were not, so words know the answer
better here than on real code: weights are therefore trained on both, and the figures are printed for each. `--write`
writes `weights.json`.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import random
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hardenctl.detect.secrets import features as feature_module
from hardenctl.detect.secrets import guessable, pipeline, score
from hardenctl.detect.secrets.candidate import Candidate
from hardenctl.detect.secrets.features import features
from hardenctl.model.blob import Blob, Provenance
from hardenctl.rules.secrets import values

WEIGHTS = Path(pipeline.__file__).with_name("weights.json")
PENALTY = 10.0
UNLABELLED = 0.3  # what a candidate on an unlabelled line weighs: probably, not surely, no credential
SMALLEST = 0.05  # weights below change nothing
FOLDS = 5

Lines = set[tuple[str, int]]


@dataclass(frozen=True)
class Example:
    """A candidate with its label: 1 a credential, 0 none."""

    group: str
    line: tuple[str, int]
    names: tuple[str, ...]
    label: int
    weight: float
    labelled: bool


@dataclass
class Data:
    """All examples, and what is settled without the score: lines found or wrongly reported by format."""

    examples: list[Example]
    found: Lines
    wrong: Lines
    stray: Lines
    true: Lines


def load(shared: Path, *, words: bool) -> Data:
    """Run the pipeline up to the score over the labelled documents."""
    data = Data([], set(), set(), set(), set())
    with gzip.open(shared / "data" / "credential-lines-dev.jsonl.gz", "rt", encoding="utf8") as lines:
        for line in lines:
            _add(data, json.loads(line), words=words)
    return data


def _add(data: Data, document: dict[str, Any], *, words: bool) -> None:
    blob = Blob(Provenance(document["path"]), document["text"].encode())
    kinds: dict[int, set[str]] = {}
    for label in document["labels"]:
        for number in range(label["line_start"], label["line_end"] + 1):
            kinds.setdefault(number, set()).add(label["label"])
        if label["label"] == "secret":
            data.true.add((blob.path, label["line_start"]))
    text = blob.text
    for result in pipeline.weighed(blob):
        start = result.start if isinstance(result, Candidate) else result.span.start
        line = (blob.path, blob.lines.position(start).line)
        kind = kinds.get(line[1], set())
        if "identifier" in kind and "secret" not in kind:
            continue
        if not isinstance(result, Candidate):
            (data.found if "secret" in kind else data.wrong if kind else data.stray).add(line)
            continue
        names = tuple(sorted(features(result, text, blob.path)))
        if not words:
            names = tuple(name for name in names if not name.startswith(("letters:", "words:")))
        label = int("secret" in kind and _is_value(document, result, line[1], blob))
        weight = 1.0 if kind else UNLABELLED
        data.examples.append(Example(blob.path.split("/")[0], line, names, label, weight, bool(kind)))


def _is_value(document: dict[str, Any], candidate: Candidate, line: int, blob: Blob) -> bool:
    """Whether a candidate is the labelled value itself and not its neighbour on the line."""
    offset = blob.lines.offset(line)
    for label in document["labels"]:
        if label["label"] == "secret" and label["line_start"] <= line <= label["line_end"]:
            first, last = label["value_start"], label["value_end"]
            if first is None or first < 0 or last is None or label["line_start"] != label["line_end"]:
                return True
            if candidate.start < offset + last and offset + first < candidate.end:
                return True
    return False


def fit(examples: Sequence[Example], rounds: int = 220) -> dict[str, float]:
    """Weights by full-batch gradient descent with a step per feature (Adagrad); deterministic."""
    table: dict[str, float] = {"bias": 0.0}
    size: dict[str, float] = {}
    for _ in range(rounds):
        gradient: dict[str, float] = {name: PENALTY * value for name, value in table.items() if name != "bias"}
        for each in examples:
            error = each.weight * (_chance(table, each.names) - each.label)
            for name in ("bias", *each.names):
                gradient[name] = gradient.get(name, 0.0) + error
        for name, slope in gradient.items():
            size[name] = size.get(name, 1e-9) + slope * slope
            table[name] = table.get(name, 0.0) - 0.5 * slope / math.sqrt(size[name])
    return table


def _chance(table: dict[str, float], names: Iterable[str]) -> float:
    return 1 / (1 + math.exp(-(table["bias"] + sum(table.get(name, 0.0) for name in names))))


@contextmanager
def no_words() -> Iterator[None]:
    """Within it, nothing knows a word in a value; what keys are called stays known."""
    none: frozenset[str] = frozenset()
    lists = ("WEAK_WORDS", "WEAK_VALUES", "PLACEHOLDER_WORDS", "_LONG_WORDS", "_ADMITTED")
    with ExitStack() as stack:
        for name in lists:
            stack.enter_context(patch.object(values, name, none))
        stack.enter_context(patch.object(feature_module, "WEAK_WORDS", none))
        forget()
        yield
    forget()


def forget() -> None:
    """Drop every answer that is kept and hangs on words or weights."""
    own = values._made_of_words, pipeline._speaks_against, pipeline._are_nothing  # noqa: SLF001 - their answers change
    own += feature_module._of_words, feature_module._own, guessable._guesses  # noqa: SLF001 - as above
    for cached in (values.is_placeholder, values.weakness, score.probability, *own):
        cached.cache_clear()


def folds(*sets: Data) -> Iterator[tuple[frozenset[str], dict[str, float]]]:
    """Each fifth of the repositories, with the weights that the other four give."""
    examples = [each for data in sets for each in data.examples]
    groups = sorted({each.group for each in examples})
    random.Random(1).shuffle(groups)  # noqa: S311 - the same folds every time
    for fold in range(FOLDS):
        held = frozenset(groups[fold::FOLDS])
        yield held, fit([each for each in examples if each.group not in held])


def cross_validate(*sets: Data) -> list[str]:
    """Precision, recall and F1 (labelled, strict) of repositories that were left out of the training, a set each."""
    lines = [(set(data.found), set(data.wrong), set(data.stray)) for data in sets]
    for held, table in folds(*sets):
        for data, (found, wrong, stray) in zip(sets, lines, strict=True):
            for each in data.examples:
                if each.group in held and _chance(table, each.names) >= pipeline.BELIEVED:
                    (found if each.label else wrong if each.labelled else stray).add(each.line)
    return [_told(data, *each) for data, each in zip(sets, lines, strict=True)]


def _told(data: Data, found: Lines, wrong: Lines, stray: Lines) -> str:
    hit, false = len(found & data.true), len(wrong - found - data.true)
    unlabelled, missed = len(stray - found - data.true), len(data.true - found)
    return f"labelled {_figures(hit, false, missed)}   strict {_figures(hit, false + unlabelled, missed)}"


def _figures(hit: int, false: int, missed: int) -> str:
    precision, recall = hit / max(1, hit + false), hit / max(1, hit + missed)
    return f"P {precision:.3f} R {recall:.3f} F1 {2 * precision * recall / max(1e-9, precision + recall):.3f}"


def main() -> int:
    """Load, cross-validate, and write the weights if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shared", type=Path)
    parser.add_argument("--raw", type=Path, help="the same documents with their real values")
    parser.add_argument("--write", action="store_true", help="write the weights")
    parser.add_argument("--without-words", action="store_true")
    options = parser.parse_args()
    pipeline.matcher().budget = 0
    folders = [each for each in (options.shared, options.raw) if each]
    with no_words() if options.without_words else nullcontext():
        sets = [load(each, words=not options.without_words) for each in folders]
    for name, data, told in zip(("obfuscated", "raw"), sets, cross_validate(*sets), strict=False):
        credentials = sum(each.label for each in data.examples)
        print(f"{name}: {len(data.examples)} candidates, {credentials} of them credentials; ", end="")
        print(f"{len(data.found)} lines found by format alone; cross-validated by repository: {told}")
    if options.write:
        table = fit([each for data in sets for each in data.examples])
        kept = {name: round(value, 2) for name, value in sorted(table.items()) if abs(value) >= SMALLEST}
        WEIGHTS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
        print(f"{len(kept)} weights written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
