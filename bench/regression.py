"""Does `load compare` tell a regression from noise? On real runs, and on 10,000 pairs with the noise seen in them.

    python bench/regression.py FOLDER... [--collect BLOCKS] [--simulated N]

`--collect` makes the runs first and keeps those that are there: in each block two of a service as it is and one of the
same service slowed by 30 %, 20 s measured each at 100 arrivals a second (examples/meds behind a database that takes its
time, under gunicorn on loopback; 23 blocks are 69 runs, about 30 minutes). What else the machine does is the noise.
Several folders are sequences of their own: two that were collected at once, each on a processor, take half the time.

A pair is a run and the baseline of the five unslowed runs before it, as `load run --baseline` has it. A/A pairs are
those whose run is unslowed: each that fails is a false alarm. The simulated ones are made of the unslowed runs' own
moments. Limits: 6 % false alarms at most, 90 % of the slowed found.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import random
import statistics
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from load_meds import load, service

from hardenctl.load.baseline import to_run
from hardenctl.load.compare import calm, compare, shift

Sequence = list[tuple[bool, dict[str, Any]]]  # whether a run was slowed, and its result; in the order they were made

BASELINE = 5
SLOWED = 0.3
FALSE_ALARMS, FOUND = 0.06, 0.90
SIZE = ("--rate", "100", "--users", "100", "--run-time", "22s", "--warm-up", "2s", "--gate", "p95<1s")


def main() -> None:
    """Collect, judge, simulate; exit 1 where a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--collect", type=int, default=0, metavar="BLOCKS")
    parser.add_argument("--simulated", type=int, default=10_000, metavar="N")
    options = parser.parse_args()
    for block in range(options.collect):
        for number, slowed in enumerate((0.0, 0.0, SLOWED)):
            path = options.folders[0] / f"{block:03}-{number}-{'slowed' if slowed else 'as-it-is'}.json"
            if not path.exists():
                one_run(path, slowed)
    sequences = [[read(path) for path in sorted(folder.glob("*.json"))] for folder in options.folders]
    sys.exit(not (real(sequences) & simulated(sequences, options.simulated)))


def read(path: Path) -> tuple[bool, dict[str, Any]]:
    """A kept run: whether it was slowed, and its result."""
    return "slowed" in path.name, json.loads(path.read_text(encoding="utf-8"))


def one_run(path: Path, slowed: float) -> None:
    """Make a run and keep its result."""
    with tempfile.TemporaryDirectory() as folder, service(Path(folder), "slowed_meds:app", SLOWED=str(slowed)) as found:
        document = load(Path(folder), *found, "normal", None, *SIZE)
    path.write_text(json.dumps(document), encoding="utf-8")


def real(sequences: list[Sequence]) -> bool:
    """Judge each run by the five unslowed ones before it; whether the limits hold."""
    verdicts: dict[bool, Counter[str]] = {False: Counter(), True: Counter()}
    calms: dict[bool, list[float]] = {False: [], True: []}
    for runs in sequences:
        before: list[dict[str, Any]] = []
        for slowed, document in runs:
            run = to_run(document)
            calms[slowed].append(run["calm"]["p95_ms"])
            if len(before) == BASELINE:
                verdicts[slowed][compare("before", before, [run])["verdict"]] += 1
            if not slowed:
                before = [*before, run][-BASELINE:]
    rise = statistics.median(calms[True]) / statistics.median(calms[False]) - 1
    print(f"real runs of 20 s: {len(calms[False])} as it is, {len(calms[True])} slowed (median calm p95 {rise:+.1%})")
    return report("real", verdicts[False], verdicts[True])


def simulated(sequences: list[Sequence], pairs: int) -> bool:
    """The same with runs made of the real ones; whether the limits hold.

    Six runs that followed each other, so that their drift stays, each made anew by drawing its stretches of two seconds
    with replacement; the sixth is the one to judge, as it is and 30 % slower.
    """
    timelines = [[document["timeline"] for slowed, document in runs if not slowed] for runs in sequences]
    windows = [each[at : at + BASELINE + 1] for each in timelines for at in range(len(each) - BASELINE)]
    steps = [
        abs(math.log(two[0] / one[0]))
        for each in timelines
        for one, two in itertools.pairwise(filter(None, map(calm, each)))
    ]
    typical, most = statistics.median(steps), max(steps)
    print(f"noise: from run to run the calm p95 changed by {typical:.1%} (median), {most:.0%} at most")
    chance = random.Random(2026)  # noqa: S311 - a simulation
    verdicts: list[Counter[str]] = [Counter(), Counter()]
    for _ in range(pairs):
        made = [redrawn(timeline, chance) for timeline in chance.choice(windows)]
        uneven = made[-1][1] / statistics.median(each[1] for each in made[:-1])
        logs = [math.log(each[0]) for each in made]
        for verdict, rise in zip(verdicts, (0.0, math.log(1 + SLOWED)), strict=True):
            outcome = shift(logs[:-1], [logs[-1] + rise], uneven=uneven).outcome
            verdict[{"worse": "fail", "unknown": "inconclusive"}.get(outcome, "pass")] += 1
    return report("simulated", *verdicts)


def redrawn(timeline: list[dict[str, Any]], chance: random.Random) -> tuple[float, float]:
    """Another run of the same moments: its calm p95 and how uneven it is."""
    points = [point for point in timeline if point["measured"] and point["p95"]]
    stretches = [points[start : start + 4] for start in range(0, len(points) - 3, 4)]
    found = calm([point for each in chance.choices(stretches, k=len(stretches)) for point in each])
    assert found is not None  # noqa: S101 - the runs are long enough
    return found


def report(kind: str, same: Counter[str], slowed: Counter[str]) -> bool:
    """Two lines of counts; whether both limits hold."""
    false, found = same["fail"] / max(1, same.total()), slowed["fail"] / max(1, slowed.total())
    for what, counts, share, limit in (
        ("A/A pairs", same, f"{false:.1%} false alarms", f"limit {FALSE_ALARMS:.0%}"),
        ("slowed pairs", slowed, f"{found:.1%} found", f"limit {FOUND:.0%}"),
    ):
        verdicts = ", ".join(f"{counts[each]:,} {each}" for each in ("pass", "fail", "inconclusive"))
        print(f"{kind:<10} {counts.total():>6,} {what:<13} {verdicts:<48} {share} ({limit})")
    return false <= FALSE_ALARMS and found >= FOUND


if __name__ == "__main__":
    main()
