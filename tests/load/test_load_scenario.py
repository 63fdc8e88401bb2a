import pytest

from hardenctl.load.builtin import BUILTIN, builtin
from hardenctl.load.duration import parse_duration, show_duration
from hardenctl.load.scenario import Scenario, Stage
from hardenctl.model.errors import UsageError


def test_the_built_in_scenarios() -> None:
    """They are the founding story's: users, spawn rate and time."""
    stages = {each.name: [(one.users, one.spawn_rate, one.seconds) for one in each.stages] for each in BUILTIN}
    assert stages["normal"] == [(50, 5, 300)]
    assert stages["peak"] == [(500, 25, 600)]
    assert [(users, seconds) for users, _, seconds in stages["stress"]] == [(n, 120) for n in range(100, 1001, 100)]
    assert stages["soak"] == [(100, 5, 3600)]
    before, during, after = builtin("spike").stages
    assert (before.users, during.users, after.users) == (50, 500, 50)
    assert (during.users - before.users) / during.spawn_rate <= 10
    assert during.seconds - 10 == 60
    assert after.seconds == 120
    assert during.rapid == 450
    assert [each.name for each in BUILTIN if each.carries_rate] == ["peak"]


def test_an_unknown_scenario_suggests_one() -> None:
    """A typo leads to the right name."""
    with pytest.raises(UsageError) as caught:
        builtin("sptike")
    assert "did you mean `spike`" in caught.value.help


@pytest.mark.parametrize(
    ("name", "size", "expected"),
    [
        pytest.param("normal", {"users": 10}, [(10, 1, 300)], id="users"),
        pytest.param("normal", {"spawn_rate": 50}, [(50, 50, 300)], id="spawn-rate"),
        pytest.param("normal", {"seconds": 3}, [(50, 5, 3)], id="run-time"),
        pytest.param("peak", {"scale": 0.1}, [(50, 2.5, 600)], id="scale"),
        pytest.param("normal", {"scale": 0.001}, [(1, 0.1, 300)], id="never-less-than-one-user"),
        pytest.param("spike", {"users": 50, "seconds": 25}, [(5, 1, 6), (50, 4.5, 7), (5, 4.5, 12)], id="proportions"),
    ],
)
def test_sizes(name: str, size: dict[str, float], expected: list[tuple[float, ...]]) -> None:
    """The shape stays, the size changes."""
    resized = builtin(name).resized(**size)  # type: ignore[arg-type]
    assert [(each.users, each.spawn_rate, each.seconds) for each in resized.stages] == expected


def test_the_rush_of_a_small_spike() -> None:
    """Scaled down, a spike still has its rapid users, and ordinary ones besides."""
    stage = builtin("spike").resized(scale=0.04).stages[1]
    assert (stage.users, stage.rapid) == (20, 18)


def test_a_rate_makes_an_open_model() -> None:
    """--rate replaces the stages with one of arrivals that lasts as long."""
    resized = builtin("spike").resized(rate=200)
    assert resized.open_model
    assert (resized.stages[0].rate, resized.seconds) == (200, 250)


@pytest.mark.parametrize(
    "stage",
    [
        pytest.param(Stage(60, 10_001), id="too-many-users"),
        pytest.param(Stage(60, 10, rate=10_001), id="too-fast"),
        pytest.param(Stage(24 * 3600 + 1, 10), id="too-long"),
        pytest.param(Stage(0, 10), id="no-time"),
        pytest.param(Stage(60, 0), id="no-users"),
        pytest.param(Stage(60, 10, 0), id="no-spawn-rate"),
        pytest.param(Stage(60, 10, rate=-1), id="negative-rate"),
        pytest.param(Stage(60, 10, rate=0), id="no-rate"),
        pytest.param(Stage(60, 10, float("nan")), id="a-spawn-rate-that-is-no-number"),
        pytest.param(Stage(float("nan"), 10), id="a-time-that-is-no-number"),
    ],
)
def test_hard_caps(stage: Stage) -> None:
    """What is beyond the caps, or nothing at all, is refused."""
    with pytest.raises(UsageError):
        Scenario("x", "", (stage,)).check_caps()


@pytest.mark.parametrize(
    ("text", "seconds", "shown"),
    [
        pytest.param("500ms", 0.5, "0.5 s", id="milliseconds"),
        pytest.param("30s", 30, "30 s", id="seconds"),
        pytest.param("5m", 300, "5 m", id="minutes"),
        pytest.param("1h30m", 5400, "1 h 30 m", id="hours-and-minutes"),
        pytest.param("2.5 m", 150, "2 m 30 s", id="fraction"),
    ],
)
def test_durations(text: str, seconds: float, shown: str) -> None:
    """Durations are read and shown as people write them."""
    assert parse_duration(text) == seconds
    assert show_duration(seconds) == shown


@pytest.mark.parametrize("text", ["", "30", "5 minutes", "m5", "-5s"])
def test_what_is_no_duration(text: str) -> None:
    """A number without a unit is ambiguous, so it is refused."""
    with pytest.raises(UsageError, match="is no duration"):
        parse_duration(text)
