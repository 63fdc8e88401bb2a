"""The compose and Dockerfile rules on files as people write them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from hardenctl.detect.config import detect_config
from hardenctl.model.blob import Gap
from hardenctl.model.finding import Hit, Replace
from hardenctl.model.report import Server
from hardenctl.model.settings import Settings
from hardenctl.rules import compose, dockerfile
from hardenctl.rules.declare import Rule
from hardenctl.rules.fakes import scramble
from hardenctl.sources.memory import MemorySnapshot

MISSING = {"compose-memory-limit-unset", "compose-new-privileges", "compose-restart-unset", "compose-latest-tag"}
LIVE = scramble("compose", 32)


def hits(files: dict[str, str], rules: Sequence[Rule]) -> list[tuple[Rule, Hit]]:
    """What the rules say; a gap fails the test."""
    results = [*detect_config(MemorySnapshot(files), rules, Settings())]
    assert not [each for each in results if isinstance(each, Gap)]
    return [each for each in results if not isinstance(each, Gap | Server)]


def severities(files: dict[str, str], rules: Sequence[Rule]) -> dict[str, str]:
    """Rule to severity."""
    found = hits(files, rules)
    return {rule.id: (rule.severity if hit.severity is None else hit.severity).word for rule, hit in found}


def service(body: str, path: str = "compose.yml") -> dict[str, str]:
    """A file of one service."""
    return {path: f"services:\n  web: {{image: 'x:1', {body}}}\n"}


COMPOSE = [rule for rule in compose.RULES if rule.id not in MISSING]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param(service("ports: ['8000:8000']"), {}, id="a-web-port"),
        pytest.param(service("ports: ['5432:5432']"), {"compose-published-port": "medium"}, id="a-known-port"),
        pytest.param(service("ports: ['127.0.0.1:5432:5432']"), {}, id="loopback"),
        pytest.param(service("ports: ['5432']"), {"compose-published-port": "low"}, id="a-random-port"),
        pytest.param(
            service("ports: ['5432:5432']", "compose.prod.yml"), {"compose-published-port": "high"}, id="production"
        ),
        pytest.param(
            service("ports: ['5432:5432']", "compose.dev.yml"), {"compose-published-port": "low"}, id="development"
        ),
        pytest.param(
            {"compose.yml": "services: {mq: {image: 'rabbitmq:4', ports: ['15672:15672']}}"},
            {"compose-published-port": "medium"},
            id="management-of-a-broker",
        ),
        pytest.param(
            {"compose.yml": "services: {pg: {image: 'prom/postgres-exporter:1', ports: ['9187:9187']}}"},
            {},
            id="an-exporter",
        ),
        pytest.param(
            service("environment: {POSTGRES_PASSWORD: postgres}"),
            {"compose-weak-credential": "medium"},
            id="weak-password",
        ),
        pytest.param(
            service("environment: ['POSTGRES_PASSWORD=changeme']", "compose.prod.yml"),
            {"compose-weak-credential": "high"},
            id="placeholder-in-production",
        ),
        pytest.param(
            service("environment: {DB_PASSWORD: '${DB_PASSWORD:-postgres}'}"),
            {"compose-weak-credential": "medium"},
            id="default",
        ),
        pytest.param(
            service("environment: {DB_PASSWORD: '${DB_PASSWORD:-changeme}'}"),
            {"compose-weak-credential": "medium"},
            id="default-placeholder",
        ),
        pytest.param(
            service("environment: {POSTGRES_USER: fief, POSTGRES_PASSWORD: fiefpassword}"),
            {"compose-weak-credential": "medium"},
            id="its-users-name-and-a-word",
        ),
        pytest.param(
            service("environment: {MONGO_USERNAME: wger, MONGO_PASSWORD: '${MONGO_PASSWORD:-wger-wger}'}"),
            {"compose-weak-credential": "medium"},
            id="its-users-name-twice",
        ),
        pytest.param(
            service("environment: {xpack.security.enabled: 'false'}, ports: ['9200:9200']"),
            {"compose-authentication-disabled": "medium", "compose-published-port": "medium"},
            id="elasticsearch-without-security",
        ),
        pytest.param(
            service("command: redis-server --protected-mode no"),
            {"compose-authentication-disabled": "medium"},
            id="redis-without-protection",
        ),
        pytest.param(
            service("command: [redis-server, --protected-mode, 'no', --requirepass, $PASSWORD]"),
            {},
            id="redis-with-a-password",
        ),
        pytest.param(
            service("network_mode: host, ports: ['127.0.0.1:5432:5432']"),
            {"compose-published-port": "medium", "compose-host-namespace": "medium"},
            id="the-hosts-network-makes-nothing-of-an-address",
        ),
        pytest.param(service("environment: {DB_PASSWORD: '${DB_PASSWORD:?}'}"), {}, id="required"),
        pytest.param(
            service("environment: {POSTGRES_PASSWORD: paperless, POSTGRES_USER: paperless}"),
            {"compose-weak-credential": "medium"},
            id="its-users-name",
        ),
        pytest.param(
            service("environment: {POSTGRES_PASSWORD: paperless, POSTGRES_USER: other}"), {}, id="another-name"
        ),
        pytest.param(service(f"environment: {{DB_PASSWORD: {LIVE}}}"), {}, id="a-live-one-is-the-secret-scans"),
        pytest.param(
            service("environment: {DATABASE_URL: 'postgresql://postgres@db/app'}"), {}, id="no-password-in-a-url"
        ),
        pytest.param(
            service("environment: {DATABASE_URL: 'postgresql://app:app@db/app'}"),
            {"compose-weak-credential": "medium"},
            id="password-in-a-url",
        ),
        pytest.param(
            service("command: redis-server --requirepass redis123"),
            {"compose-inline-credential": "medium"},
            id="in-a-command",
        ),
        pytest.param(
            service("command: [redis-server, --requirepass, redis123]"),
            {"compose-inline-credential": "medium"},
            id="in-a-list",
        ),
        pytest.param(service("command: redis-server --requirepass $PASSWORD"), {}, id="variable-in-a-command"),
        pytest.param(
            service("build: {context: ., args: {DB_PASSWORD: postgres}}"),
            {"compose-inline-credential": "medium"},
            id="argument",
        ),
        pytest.param(
            service("build: {context: ., args: ['DB_PASSWORD=postgres']}"),
            {"compose-inline-credential": "medium"},
            id="argument-list",
        ),
        pytest.param(
            service("environment: {POSTGRES_HOST_AUTH_METHOD: trust}"),
            {"compose-authentication-disabled": "medium"},
            id="trust",
        ),
        pytest.param(service("privileged: true"), {"compose-privileged": "high"}, id="privileged"),
        pytest.param(service("privileged: false"), {}, id="not-privileged"),
        pytest.param(
            service("volumes: ['/var/run/docker.sock:/s:ro']"), {"compose-docker-socket": "high"}, id="socket"
        ),
        pytest.param(
            {"compose.yml": "services: {t: {image: 'traefik:3', volumes: ['/var/run/docker.sock:/s:ro']}}"},
            {"compose-docker-socket": "low"},
            id="socket-of-a-tool",
        ),
        pytest.param(service("network_mode: host"), {"compose-host-namespace": "medium"}, id="host-network"),
        pytest.param(service("pid: host"), {"compose-host-namespace": "medium"}, id="host-pid"),
        pytest.param(service("cap_add: [SYS_ADMIN]"), {"compose-dangerous-capability": "medium"}, id="capability"),
        pytest.param(service("cap_add: [NET_BIND_SERVICE]"), {}, id="harmless-capability"),
        pytest.param(service("volumes: ['/:/host']"), {"compose-sensitive-mount": "medium"}, id="root-mounted"),
        pytest.param(service("volumes: ['/etc/localtime:/etc/localtime:ro']"), {}, id="one-file"),
        pytest.param(
            service("security_opt: ['seccomp:unconfined']"),
            {"compose-security-profile-disabled": "medium"},
            id="seccomp",
        ),
    ],
)
def test_compose(files: dict[str, str], expected: dict[str, str]):
    """Each rule where it applies, as severe as the file is near production."""
    assert severities(files, COMPOSE) == expected


def test_one_finding_covers_all_services_of_a_file():
    """The worst is shown, the others are related; a further service makes it another finding."""
    text = (
        "services:\n  a: {image: 'postgres:1', ports: ['5432:5432']}\n  b: {image: 'redis:1', ports: ['6379:6379']}\n"
    )
    ((_, hit),) = hits({"compose.yml": text}, [compose.published_port])
    assert hit.services == ("a", "b")
    assert [each.message for each in hit.related] == ["b"]
    assert hit.identity == "a,b"
    assert hit.fix is not None
    assert all(isinstance(edit, Replace) and edit.text == "127.0.0.1:" for edit in hit.fix.edits)
    assert len(hit.fix.edits) == 2


@pytest.mark.parametrize(
    ("written", "bound"),
    [
        pytest.param("'5432:5432'", "'127.0.0.1:5432:5432'", id="short"),
        pytest.param("5432", "127.0.0.1::5432", id="any-port-of-the-host"),
        pytest.param("0.0.0.0:5433:5432", "127.0.0.1:5433:5432", id="all-said"),
        pytest.param("'[::]:5433:5432'", "'127.0.0.1:5433:5432'", id="all-of-ipv6"),
        pytest.param('"${PORT:-5433}:5432/tcp"', '"127.0.0.1:${PORT:-5433}:5432/tcp"', id="a-variable-port"),
        pytest.param("'${BIND:-0.0.0.0}:5433:5432'", None, id="a-variable-address"),
        pytest.param("{target: 5432, published: '5433'}", None, id="long"),
    ],
)
def test_each_port_is_bound_by_itself(written: str, bound: str | None):
    """One that has to be left to a person keeps no other from being fixed; what was fixed is found no more."""
    text = "services:\n  a: {image: 'redis:1', ports: ['6379:6379']}\n"
    text += f"  b:\n    image: postgres:1\n    ports:\n      - {written}\n"
    ((_, hit),) = hits({"compose.yml": text}, [compose.published_port])
    assert hit.fix is not None
    for edit in sorted(hit.fix.edits, key=lambda each: each.span.start, reverse=True):  # type: ignore[union-attr]
        assert isinstance(edit, Replace)
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    assert f"      - {bound or written}\n" in text
    assert "'127.0.0.1:6379:6379'" in text
    left = [each.services for _, each in hits({"compose.yml": text}, [compose.published_port])]
    assert left == ([] if bound else [("b",)])
    assert ("the others by hand: 5432" in hit.fix.title) is (bound is None)


def test_a_port_on_the_hosts_network_has_no_edit():
    """An address before it would hide the finding and bind nothing."""
    ((_, hit),) = hits(service("network_mode: host, ports: ['5432:5432']"), [compose.published_port])
    assert hit.fix is not None
    assert not hit.fix.edits
    assert "network_mode" in hit.message


def test_a_message_says_what_each_service_does():
    """What is wrong stands beside those it is wrong with, the worst first."""
    text = (
        "services:\n  a: {image: 'redis:1', ports: ['6379']}\n  b: {image: 'postgres:1', ports: ['5432:5432']}\n"
        "  c: {image: 'redis:1', ports: ['6380:6379']}\n"
    )
    ((_, hit),) = hits({"compose.yml": text}, [compose.published_port])
    assert hit.message.endswith("on all interfaces: port 5432 (b), 6379 (a, c)")


@pytest.mark.parametrize(
    ("image", "words"),
    [
        pytest.param("python:3", "the container runs as root", id="known"),
        pytest.param("corp/base:3", "runs as root unless corp/base:3 sets another user", id="unknown"),
    ],
)
def test_who_runs_it_is_no_guess(image: str, words: str):
    """Only an image whose user is known is said to be root's."""
    ((_, hit),) = hits({"Dockerfile": f'FROM {image}\nCMD ["x"]\n'}, [dockerfile.user_root])
    assert hit.message.endswith(words)


def test_many_services_are_counted():
    """A message stays one line."""
    text = "services:\n" + "".join(f"  s{n}: {{image: x}}\n" for n in range(7))
    ((_, hit),) = hits({"compose.yml": text}, [compose.latest_tag])
    assert "s0, s1, s2, s3 and 3 more" in hit.message


def test_no_message_holds_a_value():
    """Names of variables, never what they are set to."""
    value = "hunter" + "2"
    files = service(f"environment: {{DB_PASSWORD: {value}}}, command: redis-server --requirepass {value}")
    assert len(hits(files, COMPOSE)) == 2
    assert not any(value in str(hit) for _, hit in hits(files, COMPOSE))


@pytest.mark.parametrize(
    ("image", "flagged"),
    [
        pytest.param("redis", True, id="no-tag"),
        pytest.param("redis:latest", True, id="latest"),
        pytest.param("redis:8", False, id="a-version"),
        pytest.param("registry:5000/redis", True, id="port-of-a-registry"),
        pytest.param("redis@sha256:" + "0" * 64, False, id="digest"),
        pytest.param("redis:${TAG:-latest}", True, id="default-of-a-variable"),
        pytest.param("redis:${TAG}", False, id="variable"),
        pytest.param("${IMAGE}", False, id="variable-image"),
    ],
)
def test_latest(image: str, *, flagged: bool):
    """A tag that stays the same, or a digest."""
    found = hits({"compose.yml": f"services: {{c: {{image: '{image}'}}}}"}, [compose.latest_tag])
    assert bool(found) is flagged


def test_what_is_missing_is_not_asked_of_development_and_jobs():
    """Information only, and only where it matters."""
    rules = [compose.restart_unset]
    assert severities({"compose.yml": "services: {web: {image: x}}"}, rules) == {"compose-restart-unset": "info"}
    assert severities({"compose.dev.yml": "services: {web: {image: x}}"}, rules) == {}
    assert severities({"compose.yml": "services: {migrate: {image: x}}"}, rules) == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "FROM python:3\nCMD ['x']", {"dockerfile-user-root": "medium", "dockerfile-shell-form": "low"}, id="root"
        ),
        pytest.param('FROM python:3\nUSER app\nCMD ["x"]', {}, id="user"),
        pytest.param(
            'FROM python:3\nUSER app\nUSER root\nCMD ["x"]', {"dockerfile-user-root": "medium"}, id="back-to-root"
        ),
        pytest.param('FROM python:3\nARG U=app\nUSER $U\nCMD ["x"]', {}, id="variable-user"),
        pytest.param('FROM bitnami/python:3\nCMD ["x"]', {"dockerfile-user-root": "low"}, id="who-knows-its-user"),
        pytest.param("FROM python:3\nRUN x", {"dockerfile-user-root": "low"}, id="starts-nothing"),
        pytest.param(
            'FROM python:3\nRUN apt install gosu\nCMD ["x"]', {"dockerfile-user-root": "low"}, id="steps-down"
        ),
        pytest.param('FROM python\nUSER a\nCMD ["x"]', {"dockerfile-latest-tag": "low"}, id="no-tag"),
        pytest.param('FROM python:3 AS b\nFROM b\nUSER a\nCMD ["x"]', {}, id="a-stage-has-no-tag"),
        pytest.param("FROM python:3\nUSER a\nCMD exec x", {}, id="shell-form-with-exec"),
        pytest.param(
            "FROM python:3\nENV DB_PASSWORD=postgres\nUSER a", {"dockerfile-credential-in-env": "medium"}, id="weak-env"
        ),
        pytest.param(
            "FROM python:3\nARG DB_PASSWORD=postgres\nUSER a",
            {"dockerfile-credential-in-env": "low"},
            id="weak-argument",
        ),
        pytest.param(
            "FROM python:3 AS b\nENV DB_PASSWORD=postgres\nFROM python:3\nUSER a",
            {"dockerfile-credential-in-env": "low"},
            id="weak-env-of-a-build-stage",
        ),
        pytest.param('FROM x/distroless/python3:nonroot\nCMD ["x"]', {}, id="distroless-nonroot"),
        pytest.param('FROM nginxinc/nginx-unprivileged:1\nCMD ["x"]', {}, id="unprivileged"),
        pytest.param('FROM cgr.dev/chainguard/python:1\nCMD ["x"]', {}, id="chainguard"),
        pytest.param(
            'FROM cgr.dev/chainguard/python:1\nUSER root\nCMD ["x"]',
            {"dockerfile-user-root": "medium"},
            id="chainguard-back-to-root",
        ),
        *(
            pytest.param(
                f"FROM python:3\nENV {pair}\nUSER a", {"dockerfile-credential-in-env": "medium"}, id=f"asks-{pair}"
            )
            for pair in (
                "DB_PASSWORD=changeme",
                "SECRET_KEY=CHANGE-ME",
                "JWT_SECRET=your-secret-key",
                'SECRET_KEY="change-me-in-production"',
            )
        ),
        pytest.param(
            "FROM python:3\nARG API_TOKEN=change-me\nUSER a", {"dockerfile-credential-in-env": "low"}, id="asking-arg"
        ),
        pytest.param(
            "FROM python:3\nENV SECRET_KEY=dummy-for-build\nUSER a",
            {"dockerfile-credential-in-env": "low"},
            id="dummy-env",
        ),
        pytest.param("FROM python:3\nARG SECRET_KEY=dummy-for-build\nUSER a", {}, id="dummy-argument"),
        pytest.param(
            "FROM python:3 AS b\nENV SECRET_KEY=dummy-for-build\nFROM python:3\nUSER a", {}, id="dummy-of-a-build-stage"
        ),
        pytest.param(
            'FROM python:3 AS b\nFROM scratch\nCOPY --from=b / /\nCMD ["/init"]',
            {"dockerfile-user-root": "medium"},
            id="scratch-has-no-other-user",
        ),
        pytest.param(
            'FROM python:3\nUSER a\nCMD [ {% if x %}"poetry", "run", {% endif %}"web" ]',
            {},
            id="a-template-of-a-command",
        ),
        pytest.param("FROM python:3\nCOPY .env.prod /x\nUSER a", {"dockerfile-env-copied": "medium"}, id="env-copied"),
        pytest.param("FROM python:3\nCOPY .env.example /x\nUSER a", {}, id="example-copied"),
        pytest.param("FROM python:3\nCOPY --from=x .env /x\nUSER a", {}, id="env-of-another-stage"),
        pytest.param("FROM python:3\nADD https://a.b/c /c\nUSER a", {"dockerfile-add-url": "low"}, id="add-url"),
        pytest.param(
            "FROM python:3\nRUN curl https://a.b | bash\nUSER a", {"dockerfile-piped-download": "low"}, id="piped"
        ),
    ],
)
def test_dockerfile(text: str, expected: dict[str, str]):
    """Each rule where it applies."""
    assert severities({"Dockerfile": text + "\n"}, dockerfile.RULES) == expected


@pytest.mark.parametrize(
    ("image", "command"),
    [
        pytest.param("python:3.13-slim", "useradd --system app", id="debian"),
        pytest.param("python:3.13-alpine", "adduser -S app", id="alpine-has-no-useradd"),
    ],
)
def test_the_advice_names_a_command_of_the_image(image: str, command: str):
    """A command that the image doesn't have would break the build."""
    ((_, hit),) = hits({"Dockerfile": f"FROM {image}\nCMD x\n"}, [dockerfile.user_root])
    assert hit.fix is not None
    assert f"`RUN {command}`" in hit.fix.title


def test_an_entrypoint_script_that_steps_down_is_read():
    """The script is the project's own; an image for development is low too."""
    text = 'FROM python:3\nCOPY run.sh /\nENTRYPOINT ["/run.sh"]\nCMD ["x"]\n'
    stepping = {"Dockerfile": text, "docker/run.sh": 'exec setpriv --reuid=1 "$@"\n'}
    assert severities(stepping, [dockerfile.user_root]) == {"dockerfile-user-root": "low"}
    assert severities({"Dockerfile": text}, [dockerfile.user_root]) == {"dockerfile-user-root": "medium"}
    assert severities({"Dockerfile.dev": text}, [dockerfile.user_root]) == {"dockerfile-user-root": "low"}


def test_a_file_beside_its_production_twin_is_for_development():
    """`Dockerfile` and `docker-compose.yml` beside complete `.prod` ones are what developers use."""
    weak = "services: {db: {image: 'postgres:1', environment: {POSTGRES_PASSWORD: postgres}}}"
    files = {
        "docker-compose.yml": weak,
        "docker-compose.prod.yml": "services: {db: {image: 'postgres:1'}}",
        "Dockerfile": 'FROM python:3\nCMD ["x"]\n',
        "Dockerfile.prod": 'FROM python:3\nUSER app\nCMD ["x"]\n',
    }
    rules = [compose.weak_credential, dockerfile.user_root]
    assert severities(files, rules) == {"compose-weak-credential": "low", "dockerfile-user-root": "low"}
    overriding = {**files, "docker-compose.prod.yml": "services: {db: {restart: always}}"}
    assert severities(overriding, rules)["compose-weak-credential"] == "medium"


def test_what_a_template_fills_in_is_no_password():
    """An expression of a template stands for a value that is not there yet, as a variable does."""
    expression = "{{cookiecutter.password}}"
    text = "services:\n  proxy:\n    image: nginx:1\n    ports:\n      - {{port}}:80\n"  # no YAML as it stands
    text += f"  db:\n    image: postgres:17\n    environment:\n      POSTGRES_PASSWORD: {expression}\n"
    text += f"  web:\n    image: x:1\n    environment:\n      DATABASE_URL: 'postgresql://app:{expression}@db/app'\n"
    found = severities({"docker-compose.yml": text}, compose.RULES)
    assert "compose-weak-credential" not in found
    assert "compose-restart-unset" in found
