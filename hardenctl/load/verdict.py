"""From what was measured to a verdict: failed beats inconclusive, inconclusive beats passed."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from hardenctl.load.gates import Gate, GateResult, Outcome, judge_gate
from hardenctl.load.run import Run

PASSED, FAILED, INCONCLUSIVE, INTERRUPTED = 0, 1, 3, 130
_NOT_THE_GENERATOR_S = {"error_rate", "cpu", "memory_drift"}  # what a saturated generator doesn't make worse


@dataclass(frozen=True, slots=True)
class Result:
    """A judged run. `reasons` say why it did not simply pass; `held` is the last stage's users that kept all gates."""

    run: Run
    gates: tuple[GateResult, ...]
    verdict: Outcome
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    held: int | None = None

    @property
    def exit_code(self) -> int:
        """The contract's: 0 passed, 1 failed, 3 inconclusive, 130 interrupted."""
        if self.run.interrupted:
            return INTERRUPTED
        return {Outcome.PASS: PASSED, Outcome.FAIL: FAILED}.get(self.verdict, INCONCLUSIVE)


def conclude(run: Run) -> Result:
    """Judge a run."""
    gates = tuple(_judge(gate, run) for gate in run.plan.gates)
    failures, doubts = _failures(run), _doubts(run)
    failures += [f"{each.gate} was missed" for each in gates if each.outcome is Outcome.FAIL]
    doubts += [f"{each.gate}: {each.reason}" for each in gates if each.outcome is Outcome.INCONCLUSIVE]
    if failures:
        verdict = Outcome.FAIL
    elif doubts or all(each.outcome is Outcome.NOT_MEASURED for each in gates):
        verdict = Outcome.INCONCLUSIVE
    else:
        verdict = Outcome.PASS
    notes = [*run.plan.notes]
    notes += [
        f"worker {each.name} joined late, after {each.joined:.0f} s" for each in run.workers.values() if each.joined
    ]
    notes += [f"{each.gate} was not measured: {each.reason}" for each in gates if each.outcome is Outcome.NOT_MEASURED]
    reasons = failures or doubts
    return Result(run, gates, verdict, tuple(reasons), tuple(notes), _held(run) if run.plan.scenario.by_stage else None)


def _judge(gate: Gate, run: Run) -> GateResult:
    result = judge_gate(gate, run.whole)
    watched = gate.metric == "cpu" or (gate.metric == "memory_drift" and result.outcome is not Outcome.FAIL)
    if watched and run.watch_problem:
        return dataclasses.replace(result, outcome=Outcome.INCONCLUSIVE, reason=run.watch_problem)
    if run.plan.scenario.by_stage and result.outcome is not Outcome.FAIL:
        for stage, window in zip(run.plan.scenario.stages, run.stages, strict=False):
            part = judge_gate(gate, window)
            if part.outcome is Outcome.FAIL:
                result = dataclasses.replace(part, reason=f"at {stage.users} users: {part.reason}")
                break
    if result.outcome is Outcome.FAIL and run.generator.saturated and gate.metric not in _NOT_THE_GENERATOR_S:
        return dataclasses.replace(
            result, outcome=Outcome.INCONCLUSIVE, reason="the generator was saturated and measured itself"
        )
    return result


def _failures(run: Run) -> list[str]:
    series = run.whole.overall
    found = []
    if series.total and not series.ok:
        kinds = sorted(series.errors, key=lambda kind: -series.errors[kind])
        found.append(f"no successful request at all ({', '.join(kinds[:3])})")
    if run.aborted:
        found.append(f"stopped early: {run.aborted}")
    return found


def _doubts(run: Run) -> list[str]:
    doubts = []
    if not run.whole.overall.total:
        warm = f"; {run.warm_requests:,} in the warm-up don't count" if run.warm_requests else ""
        doubts.append(f"no request at all was measured{warm}")
    if run.generator.saturated:
        doubts.append(
            f"the generator was saturated ({run.generator.mean_cpu:.0%} of a CPU, event loop up to "
            f"{run.generator.worst * 1000:.0f} ms late): use --processes, or another machine"
        )
    lost = [each for each in run.workers.values() if each.lost is not None]
    if lost:
        when = ", ".join(f"{each.name} after {each.lost:.0f} s" for each in lost)
        doubts.append(f"{len(lost)} of {len(run.workers)} workers were lost, with what they had not told yet: {when}")
    if run.generator.dropped:
        doubts.append(f"{run.generator.dropped:,} arrivals were dropped because all users were busy: raise --users")
    if run.interrupted:
        doubts.append("the run was interrupted")
    return doubts


def _held(run: Run) -> int:
    """The users of the last stage before one that missed a gate; 0 where the first did."""
    held = 0
    for stage, window in zip(run.plan.scenario.stages, run.stages, strict=False):
        if not window.seconds and not window.overall.total:
            continue  # the warm-up took it whole
        if not window.overall.ok or any(judge_gate(each, window).outcome is Outcome.FAIL for each in run.plan.gates):
            break
        held = stage.users
    return held
