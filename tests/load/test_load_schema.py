from pathlib import Path

import pytest

from hardenctl.load.scenario import Authentication, Endpoint, Stage
from hardenctl.load.schema import read_scenario
from hardenctl.model.errors import HardenctlError

MEDS = Path(__file__).parents[2] / "examples" / "meds" / "load.yaml"


def write(folder: Path, text: str) -> Path:
    """A scenario file."""
    path = folder / "checkout.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_whole_file(tmp_path: Path) -> None:
    """Every key is read, in kebab-case."""
    scenario = read_scenario(
        write(
            tmp_path,
            """
summary: The till.
stages:
  - {users: 5, spawn-rate: 2, duration: 1m}
  - {users: 50, spawn-rate: 20, duration: 30s, rapid: 40}
targets: [p95<250ms, "p99{pay}<1s"]
think-time: 100ms..2s
warm-up: 5s
timeout: 10s
verify-tls: false
by-stage: true
authentication: {token-env: SHOP_TOKEN, header: X-Auth, scheme: ""}
endpoints:
  - {name: pay, method: POST, path: /pay, weight: 3, json: {amount: 1}, status: [201], save: {payment: data.id}}
  - {path: "/payments/{payment}", contains: paid, consumes: true, headers: {X-Trace: "{uuid}"}}
  - {method: POST, path: /form, form: {a: b}}
""",
        )
    )
    assert scenario.name == "checkout"
    assert scenario.stages == (Stage(60, 5, 2), Stage(30, 50, 20, 40))
    assert scenario.targets == ("p95<250ms", "p99{pay}<1s")
    assert (scenario.think, scenario.warm_up, scenario.timeout) == ((0.1, 2.0), 5.0, 10.0)
    assert (scenario.verify_tls, scenario.by_stage) == (False, True)
    assert scenario.authentication == Authentication(token_env="SHOP_TOKEN", header="X-Auth", scheme="")  # noqa: S106 - the variable
    pay, paid, form = scenario.endpoints
    assert pay == Endpoint("pay", "POST", "/pay", 3, {"amount": 1}, status=(201,), save={"payment": "data.id"})
    assert (paid.name, paid.contains, paid.consumes) == ("GET /payments/{payment}", "paid", True)
    assert form.form == {"a": "b"}


def test_what_a_file_leaves_out(tmp_path: Path) -> None:
    """The load comes from the scenario that a file extends, normal if it names none."""
    assert read_scenario(write(tmp_path, "extends: peak")).carries_rate
    assert read_scenario(write(tmp_path, "")).stages == (Stage(300, 50, 5),)
    assert read_scenario(write(tmp_path, "stages: [{rate: 100, duration: 10s}]")).stages[0].users == 200
    assert read_scenario(write(tmp_path, "stages: [{arrival-rate: 100, duration: 10s}]")).stages[0].rate == 100
    assert read_scenario(write(tmp_path, "abort: [p95<5s, error_rate<50%]")).abort == ("p95<5s", "error_rate<50%")


def test_the_example_of_meds() -> None:
    """The example's file has the story's three tasks, full CRUD, a login and the analytics."""
    scenario = read_scenario(MEDS)
    names = {each.name for each in scenario.endpoints}
    assert {"create an item", "view reminders", "log an entry", "analytics"} < names
    assert {each.method for each in scenario.endpoints} == {"GET", "POST", "PUT", "DELETE"}
    assert scenario.authentication is not None
    assert scenario.authentication.login is not None


PASSWORD = "pass" + "word"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("stagse: []", "no key `stagse`.*did you mean `stages`", id="misspelt-key"),
        pytest.param("stages: [{users: 5, durations: 5s}]", "durations`.*did you mean `duration`", id="nested-key"),
        pytest.param("endpoints: [{path: /, wait: 1}]", "wait`.*", id="unknown-key-of-an-endpoint"),
        pytest.param("stages: [{users: 5, duration: 60}]", "needs a unit", id="no-unit"),
        pytest.param("stages: [{users: 5, duration: soon}]", "write it as 30s", id="no-duration"),
        pytest.param("stages: [{duration: 60s}]", "needs `users`", id="no-load"),
        pytest.param("stages: [{users: 1, duration: 1s}, {rate: 1, duration: 1s}]", "mix users and rates", id="models"),
        pytest.param("targets: [p95<300]", "no gate", id="bad-gate"),
        pytest.param("targets: ['p95<" + "9" * 400 + "ms']", "no gate", id="a-gate-that-every-run-passes"),
        pytest.param("targets: []", "at least 1", id="no-gates"),
        pytest.param("think-time: 5", "200ms..1s", id="think-time"),
        pytest.param("extends: nrmal", "no scenario `nrmal`", id="unknown-base"),
        pytest.param("endpoints: [{path: items}]", "endpoints.0.path", id="relative-path"),
        pytest.param("endpoints: [{path: /}, {path: /}]", "two endpoints are called", id="same-name-twice"),
        pytest.param("authentication: {header: X}", "either `token-env` or `login`", id="no-way-to-log-in"),
        pytest.param("a: [", "is no YAML at line", id="broken-yaml"),
        pytest.param("- 1", "the file`: expected keys with values", id="a-list"),
        pytest.param("a: " + "[" * 20_000, "is no YAML", id="too-deep"),
        pytest.param("a: 2026-99-99", "is no YAML", id="a-date-that-is-none"),
    ],
)
def test_what_is_wrong(tmp_path: Path, text: str, words: str) -> None:
    """A mistake is named by its key, with the nearest right one."""
    with pytest.raises(HardenctlError) as caught:
        read_scenario(write(tmp_path, text))
    import re

    assert re.search(words, f"{caught.value.what} {caught.value.help}")


@pytest.mark.parametrize("part", ["json: {user: a, %s: %s}", "form: {%s: %s}", "json: [{deep: {%s: %s}}]"])
def test_no_credential_in_the_file(tmp_path: Path, part: str) -> None:
    """A credential that is written out is refused, and its value isn't repeated."""
    value = "hunter" + "22222"
    file = write(tmp_path, "endpoints: [{path: /login, method: POST, " + part % (PASSWORD, value) + "}]")
    with pytest.raises(HardenctlError, match=f"`{PASSWORD}` is written out") as caught:
        read_scenario(file)
    assert value not in caught.value.what + caught.value.help
    fine = write(tmp_path, "endpoints: [{path: /login, method: POST, " + part % (PASSWORD, "$SHOP") + "}]")
    assert read_scenario(fine).endpoints


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A missing file is a usage error."""
    with pytest.raises(HardenctlError, match="cannot be read"):
        read_scenario(tmp_path / "none.yaml")
