"""MariaDB and Redis for real: the new password opens the server, the old one does not, and nobody saw either."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from dotenv import dotenv_values
from servers import Running, mariadb, redis

from hardenctl.cli.app import run
from hardenctl.model.errors import SourceError, ToolError
from hardenctl.rotate import rotation
from hardenctl.rotate.mariadb import MariaDB, account, literal, native_hash
from hardenctl.rotate.redis import Redis
from hardenctl.rules.fakes import scramble

pytestmark = pytest.mark.slow

OLD = scramble("old password of a service", 24)
ENV = Path(".env.production")


@pytest.fixture(scope="module")
def maria() -> Iterator[Running]:
    """One MariaDB for all."""
    with mariadb() as running:
        yield running


@pytest.fixture(scope="module")
def cache() -> Iterator[Running]:
    """One Redis for all."""
    with redis() as running:
        yield running


@pytest.fixture
def project(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """A project whose file opens the server that the test asks for."""
    name = request.param
    server: Running = request.getfixturevalue(name)
    monkeypatch.chdir(tmp_path)
    for key, value in server.environment.items():
        monkeypatch.setenv(key, value)
    if name == "maria":
        server.run(
            f"CREATE USER app@'127.0.0.1' IDENTIFIED BY '{OLD}'; CREATE USER app@'10.0.0.%' IDENTIFIED BY '{OLD}';"
        )
        ENV.write_text(f"MYSQL_PASSWORD={OLD}\nDATABASE_URL=mysql" + f"://app:{OLD}@127.0.0.1:{server.port}/shop\n")
    else:
        server.run(f"ACL SETUSER app on >{OLD} ~* +@all\nCONFIG REWRITE\n")
        ENV.write_text(f"REDIS_PASSWORD={OLD}\nREDIS_URL=redis" + f"://app:{OLD}@127.0.0.1:{server.port}/0\n")
    yield server
    if name == "maria":
        server.run("DROP USER app@'127.0.0.1'; DROP USER app@'10.0.0.%';")
    else:
        server.run("ACL DELUSER app\nCONFIG REWRITE\n")


def key_of(project: Running) -> str:
    """The key that the project's file has."""
    return "REDIS_PASSWORD" if "REDIS_HOST" in project.environment else "MYSQL_PASSWORD"


def opens(project: Running, password: str) -> bool:
    """Whether a password opens the server for the service's user."""
    done = project.run("PING\n" if key_of(project) == "REDIS_PASSWORD" else "SELECT 'PONG';", "app", password)
    return "PONG" in done.stdout


both = pytest.mark.parametrize("project", ["maria", "cache"], indirect=True)


@both
def test_rotate(project: Running, capsys: pytest.CaptureFixture[str]) -> None:
    """File and URL agree on the new password, and no log of the server holds it."""
    assert opens(project, OLD)
    assert run(["rotate", key_of(project), "--write", str(ENV), "--apply", "--yes"]) == 0
    values = dotenv_values(ENV)
    new = values[key_of(project)] or ""
    assert all(new in (value or "") and OLD not in (value or "") for value in values.values())
    assert opens(project, new)
    assert not opens(project, OLD)
    printed = capsys.readouterr()
    logs = "".join(each.read_text(errors="replace") for each in project.folder.iterdir() if each.is_file())
    assert new not in printed.out + printed.err + logs
    # once more, where the ledger says that it is
    assert run(["rotate", key_of(project), "--apply", "--yes"]) == 0
    assert not opens(project, new)
    assert opens(project, dotenv_values(ENV)[key_of(project)] or "")


@both
def test_roll_back(project: Running, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """When the delivery fails the old password opens the server, and the file is as it was."""
    before = ENV.read_bytes()
    given: list[str] = []

    def write(path: Path, text: str) -> None:
        if not given:
            given.append(dotenv_values_of(text)[key_of(project)])
            raise SourceError("the disk is full", help="try again")
        path.write_text(text)

    monkeypatch.setattr(rotation, "write_private", write)
    assert run(["rotate", key_of(project), "--write", str(ENV), "--apply", "--yes"]) == 2
    assert "the disk is full; everything is as it was" in capsys.readouterr().err
    assert ENV.read_bytes() == before
    assert opens(project, OLD)
    assert not opens(project, given[0])


def dotenv_values_of(text: str) -> dict[str, str]:
    """The values of a text, without a file."""
    return dict(line.split("=", 1) for line in text.splitlines())


@pytest.mark.parametrize("project", ["cache"], indirect=True)
def test_redis_refuses_nobody(project: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the new password is on its way, both open the server."""
    seen: list[tuple[bool, bool]] = []

    def write(path: Path, text: str) -> None:
        path.write_text(text)
        seen.append((opens(project, OLD), opens(project, dotenv_values_of(text)["REDIS_PASSWORD"])))

    monkeypatch.setattr(rotation, "write_private", write)
    assert run(["rotate", "REDIS_PASSWORD", "--write", str(ENV), "--apply", "--yes"]) == 0
    assert seen == [(True, True)]
    assert not opens(project, OLD)


@pytest.mark.parametrize("project", ["cache"], indirect=True)
def test_redis_keeps_it_over_a_restart(project: Running) -> None:
    """The server's own configuration file has the new password's hash, and no longer the old one's."""
    import hashlib

    assert run(["rotate", "REDIS_PASSWORD", "--write", str(ENV), "--apply", "--yes"]) == 0
    kept = (project.folder / "redis.conf").read_text()
    new = dotenv_values(ENV)["REDIS_PASSWORD"] or ""
    assert hashlib.sha256(new.encode()).hexdigest() in kept
    assert hashlib.sha256(OLD.encode()).hexdigest() not in kept


@both
@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        pytest.param(["--role", "nobody"], "no user `nobody`", id="no-such-user"),
        pytest.param(["--alternate"], "--alternate is for PostgreSQL", id="alternate"),
    ],
)
def test_refusals(project: Running, capsys: pytest.CaptureFixture[str], arguments: list[str], what: str) -> None:
    """What cannot be is refused before anything changes."""
    assert run(["rotate", key_of(project), "--write", str(ENV), "--apply", "--yes", *arguments]) == 2
    assert what in capsys.readouterr().err
    assert opens(project, OLD)


@both
def test_no_connection(project: Running, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is not there is an error that says where the connection comes from."""
    name = "REDIS_PORT" if "REDIS_HOST" in project.environment else "MYSQL_TCP_PORT"
    monkeypatch.setenv(name, "1")
    assert run(["rotate", key_of(project), "--write", str(ENV), "--apply", "--yes"]) == 2
    assert name in capsys.readouterr().err
    assert opens(project, OLD)


@both
def test_wrong_administrator(
    project: Running, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may not change users is told so; nothing changes."""
    monkeypatch.setenv(project.secret, OLD + "x")
    assert run(["rotate", key_of(project), "--write", str(ENV), "--apply", "--yes"]) == 2
    assert OLD not in capsys.readouterr().err
    assert opens(project, OLD)


@pytest.mark.parametrize("project", ["maria"], indirect=True)
def test_half_a_change_is_put_back(
    project: Running, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the account of a later host cannot be changed, those of the earlier hosts have their old password again."""
    project.run(f"CREATE USER app@'zz.example' IDENTIFIED BY '{OLD}';")
    before, real = ENV.read_bytes(), MariaDB.run
    batches: list[str] = []

    def run_without_the_last(self: MariaDB, statements: str) -> str:
        if statements.startswith("ALTER") and not batches:
            project.run("DROP USER app@'zz.example';")
            assert statements.count("ALTER USER") == 3
        if statements.startswith("ALTER"):
            batches.append(statements)
        return real(self, statements)

    monkeypatch.setattr(MariaDB, "run", run_without_the_last)
    assert run(["rotate", "MYSQL_PASSWORD", "--write", str(ENV), "--apply", "--yes"]) == 2
    assert len(batches) == 2
    assert native_hash(OLD) in batches[1]
    assert ENV.read_bytes() == before
    assert opens(project, OLD)
    assert OLD not in capsys.readouterr().err


@pytest.mark.parametrize("project", ["maria"], indirect=True)
def test_the_hash_is_the_servers_own(project: Running) -> None:
    """What we send is what `PASSWORD()` gives."""
    assert project.run(f"SELECT PASSWORD('{OLD}');").stdout.strip() == native_hash(OLD)


@pytest.mark.parametrize("project", ["maria"], indirect=True)
@pytest.mark.parametrize("name", ["plain", "a`b", "a'b", "a\\b", "ä ö; DROP TABLE x"])
def test_quoting(project: Running, name: str) -> None:
    """Names and strings arrive as they are, whatever is in them."""
    project.run(f"CREATE USER {account(name, 'h')};")
    count = f"SELECT COUNT(*) FROM mysql.user WHERE user = {literal(name)};"  # noqa: S608 - what is tested
    assert project.run(count).stdout.strip() == "1"
    project.run(f"DROP USER {account(name, 'h')};")


@pytest.mark.parametrize("project", ["maria"], indirect=True)
def test_a_user_without_a_password_of_that_kind(project: Running, capsys: pytest.CaptureFixture[str]) -> None:
    """A user whom the system vouches for is left alone."""
    project.run("CREATE USER sock@localhost IDENTIFIED VIA unix_socket;")
    assert run(["rotate", "MYSQL_PASSWORD", "--write", str(ENV), "--apply", "--yes", "--role", "sock"]) == 2
    assert "not log in with a password of MariaDB's usual kind" in capsys.readouterr().err
    project.run("DROP USER sock@localhost;")


def test_a_redis_that_forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no file keeps the users, a restart would bring the old password back: refused."""
    answers = {"ACL GETUSER": "passwords\nx\n", "CONFIG GET": "aclfile\n\n", "INFO": "config_file:\r\n"}
    monkeypatch.setattr(
        Redis, "run", lambda _, command: next(text for start, text in answers.items() if command.startswith(start))
    )
    with pytest.raises(ToolError, match="keeps its users nowhere"):
        Redis().prepare("default")
