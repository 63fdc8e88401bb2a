from __future__ import annotations

import io
from urllib.parse import unquote, urlsplit

import pytest
from dotenv import dotenv_values
from hypothesis import given, settings
from hypothesis import strategies as st

from hardenctl.generate.accounts import Url
from hardenctl.generate.env import Filled, fill
from hardenctl.model.errors import DocumentError, UsageError
from hardenctl.rules.fakes import scramble
from hardenctl.rules.secrets.values import ValueClass, classify_value

LIVE = scramble("live", 24)
OTHER = scramble("other", 24)


def read(filled: Filled) -> dict[str, str | None]:
    """The file as python-dotenv reads it."""
    return dict(dotenv_values(stream=io.StringIO(filled.text)))


def test_template_becomes_a_file() -> None:
    """Credentials are made, settings copied, foreign ones named, and nothing else in the file changes."""
    filled = fill(
        "# The app\nENVIRONMENT=production\nSECRET_KEY=change-me  # signs\n\n"
        'export JWT_SECRET="your-secret"\nOPENAI_API_KEY=\nTOKEN_MINUTES=60\n',
        None,
    )
    values = read(filled)
    lines = filled.text.splitlines()
    assert lines[:2] == ["# The app", "ENVIRONMENT=production"]
    assert lines[2] == f"SECRET_KEY={values['SECRET_KEY']}  # signs"
    assert lines[4] == f'export JWT_SECRET="{values["JWT_SECRET"]}"'
    assert values["OPENAI_API_KEY"] == ""
    assert list(filled.generated) == ["SECRET_KEY", "JWT_SECRET"]
    assert filled.copied == ("ENVIRONMENT", "TOKEN_MINUTES")
    assert filled.missing == {"OPENAI_API_KEY": "only its issuer can make it"}
    assert filled.check == {}
    assert values["SECRET_KEY"] != values["JWT_SECRET"]


@pytest.mark.parametrize(
    "value",
    ["", "change-me", "<your-key>", "secret", "dev-secret-key", "12345678", "xxxxxxxx", LIVE],
    ids=["empty", "placeholder", "form", "weak", "weak words", "digits", "crosses", "live: everybody has read it"],
)
def test_template_values_are_known_to_everybody(value: str) -> None:
    """Whatever stands in a template, the file gets a credential of its own."""
    made = read(fill(f"SECRET_KEY={value}\n", None))["SECRET_KEY"]
    assert made is not None
    assert len(made) == 64
    assert classify_value("SECRET_KEY", made) is ValueClass.LIVE


def test_representation_holds_no_value() -> None:
    """A filled file can be logged or stand in a traceback."""
    filled = fill("SECRET_KEY=\nDB_PASSWORD=\n", None)
    assert not [value for value in read(filled).values() if value and value in repr(filled)]


@pytest.mark.parametrize(
    ("template", "user", "rest"),
    [
        pytest.param(
            "POSTGRES_USER=app\nPOSTGRES_PASSWORD=\nDATABASE_URL=postgresql://app:change-me@db:5432/app\n",
            "app",
            "@db:5432/app",
            id="the usual three",
        ),
        pytest.param(
            "DATABASE_URL=postgresql+asyncpg://user:password@db/mydb\nPOSTGRES_USER=app\nPOSTGRES_PASSWORD=x\n"
            "POSTGRES_DB=shop\n",
            "app",
            "@db/shop",
            id="placeholders for user and database",
        ),
        pytest.param(
            "DB_USER=app\nDB_PASSWORD=\nDB_HOST=pg.internal\nDB_PORT=6432\nDB_NAME=shop\n"
            "DATABASE_URL=postgresql://user:password@host/dbname\n",
            "app",
            "@pg.internal:6432/shop",
            id="put together from all parts",
        ),
        pytest.param(
            "DB_USER=app\nDB_PASSWORD=\nDB_HOST=pg.internal\nDB_NAME=shop\nDATABASE_URL=\n",
            "app",
            "@pg.internal/shop",
            id="an empty URL",
        ),
        pytest.param(
            "MYSQL_USER=app\nMYSQL_PASSWORD=\nMYSQL_ROOT_PASSWORD=\nDATABASE_URL=mysql+pymysql://app:pw@db:3306/app?charset=utf8mb4\n",
            "app",
            "@db:3306/app?charset=utf8mb4",
            id="mysql, and its root is another account",
        ),
        pytest.param(
            "REDIS_PASSWORD=\nREDIS_URL=redis://redis:6379/0\n",
            "",
            "@redis:6379/0",
            id="a Redis with a password needs one in its URL",
        ),
        pytest.param(
            "MONGO_INITDB_ROOT_USERNAME=root\nMONGO_INITDB_ROOT_PASSWORD=\nMONGO_URL=mongodb://root:x@a:1,b:2/app\n",
            "root",
            "@a:1,b:2/app",
            id="several hosts",
        ),
        pytest.param(
            "RABBITMQ_DEFAULT_USER=app\nRABBITMQ_DEFAULT_PASS=\nCELERY_BROKER_URL=amqp://app:guest@mq:5672//\n",
            "app",
            "@mq:5672//",
            id="rabbit",
        ),
        pytest.param(
            "POSTGRES_USER=a b@c\nPOSTGRES_PASSWORD=\nDATABASE_URL=postgresql://user:pass@db/app\n",
            "a b@c",
            "@db/app",
            id="percent-encoding",
        ),
    ],
)
def test_urls_agree_with_their_parts(template: str, user: str, rest: str) -> None:
    """The password in a URL is the one the server is set up with; scheme, options and the rest stay."""
    filled = fill(template, None)
    values = read(filled)
    url_key = next(key for key in values if key.endswith("_URL"))
    password_key = next(key for key in values if key.endswith(("PASSWORD", "PASS")) and "MYSQL_ROOT" not in key)
    url = Url.parse(str(values[url_key]))
    assert url is not None
    assert (url.user or "", url.password) == (user, values[password_key])
    assert str(values[url_key]).endswith(rest)
    assert url_key in filled.assembled
    assert not filled.missing
    if "MYSQL_ROOT_PASSWORD" in values:
        assert values["MYSQL_ROOT_PASSWORD"] not in {values["MYSQL_PASSWORD"], ""}


def test_one_account_has_one_password() -> None:
    """What the server is set up with and what the service logs in with are the same; another user's is another."""
    values = read(
        fill(
            "POSTGRES_USER=app\nPOSTGRES_PASSWORD=\nDB_USER=app\nDB_PASSWORD=\nPGPASSWORD=\n"
            "REPORT_URL=postgresql://report:x@db/app\nDATABASE_URL=postgresql://app:x@db/app\n",
            None,
        )
    )
    assert values["POSTGRES_PASSWORD"] == values["DB_PASSWORD"] == values["PGPASSWORD"]
    assert str(values["POSTGRES_PASSWORD"]) in str(values["DATABASE_URL"])
    assert str(values["POSTGRES_PASSWORD"]) not in str(values["REPORT_URL"])


def test_a_projects_prefix_is_no_issuer() -> None:
    """What stands before most names is the project's own: `SHOP_API_TOKEN` is made, and accounts still agree."""
    filled = fill(
        "SHOP_ENV=production\nSHOP_API_TOKEN=\nSHOP_TINYBIRD_API_TOKEN=\nSHOP_POSTGRES_USER=app\nSHOP_POSTGRES_PWD=\n"
        "SHOP_DATABASE_URL=postgresql://app:x@db/app\nOTHER=1\n",
        None,
    )
    values = read(filled)
    assert list(filled.generated) == ["SHOP_API_TOKEN", "SHOP_POSTGRES_PWD"]
    assert list(filled.missing) == ["SHOP_TINYBIRD_API_TOKEN"]
    assert values["SHOP_DATABASE_URL"] == f"postgresql://app:{values['SHOP_POSTGRES_PWD']}@db/app"


@pytest.mark.parametrize(
    "line",
    [
        "DATABASE_URL=postgresql://${POSTGRES_USER}:${POSTGRES_PASSWORD}@db/app",
        "DATABASE_URL=sqlite:///./app.db",
        "REDIS_URL=redis://localhost:6379/0",
        "SECRET_KEY=${OTHER}",
        "WEBHOOK_URL=https://example.org/hook",
        "PASSWORD_MIN_LENGTH=12",
        "PUBLIC_KEY=",
    ],
)
def test_left_alone(line: str) -> None:
    """References, URLs without credentials and statements about credentials are copied as they stand."""
    filled = fill(line + "\n", None)
    assert filled.text == line + "\n"
    assert not filled.generated


@pytest.mark.parametrize(
    ("line", "key"),
    [
        pytest.param("SENTRY_DSN=https://abc@o1.ingest.sentry.io/2", "SENTRY_DSN", id="a DSN everybody has read"),
        pytest.param("SENTRY_DSN=", "SENTRY_DSN", id="an empty DSN"),
        pytest.param("PROXY_URL=http://user:password@proxy:3128", "PROXY_URL", id="somebody's proxy"),
        pytest.param("DATABASE_URL=", "DATABASE_URL", id="a database nobody describes"),
        pytest.param("DATABASE_URL=postgresql://user:pass@host/db", "DATABASE_URL", id="no host to be found"),
        pytest.param("REDIS_PASSWORD=\nREDIS_URL=", "REDIS_URL", id="half a URL is worse than none"),
        pytest.param("DOMAIN=your-domain.com", "DOMAIN", id="a setting that is a placeholder"),
    ],
)
def test_people_must_fill(line: str, key: str) -> None:
    """What cannot be known is named."""
    assert list(fill(line + "\n", None).missing) == ([key] if key else [])


def test_host_from_compose() -> None:
    """A URL that doesn't say where the server is gets the compose service's name."""
    filled = fill("DATABASE_URL=postgresql://app:x@host:5432/app\n", None, hosts={"postgres": "store"})
    assert str(read(filled)["DATABASE_URL"]).endswith("@store:5432/app")
    assert not filled.missing


@pytest.mark.parametrize(
    ("line", "why"),
    [
        pytest.param("ENVIRONMENT=development", "looks like development", id="environment"),
        pytest.param("DEBUG=True", "looks like development", id="debug"),
        pytest.param("CORS_ORIGINS=http://localhost:3000", "looks like development", id="localhost"),
        pytest.param("CORS_ORIGINS=*", "looks like development", id="wildcard"),
        pytest.param("APP_NAME=My App", "`sh` reads it differently; put it in quotes", id="a blank without quotes"),
        pytest.param('APP_NAME="My App"', None, id="a blank in quotes"),
        pytest.param("ENVIRONMENT=production", None, id="production"),
    ],
)
def test_settings_to_check(line: str, why: str | None) -> None:
    """Settings are copied, and what looks wrong in production is named."""
    filled = fill(line + "\n", None)
    assert filled.text == line + "\n"
    assert list(filled.check.values()) == ([why] if why else [])


def test_empty_value_with_a_recipe_beside_it() -> None:
    """A comment that says how to make a value is followed for any name, above it or behind it."""
    filled = fill(
        "# openssl rand -hex 32\nPEPPER=\nOTHER= # openssl rand -hex 32\n\n# openssl rand -hex 32\n\nC=\n", None
    )
    assert list(filled.generated) == ["PEPPER", "OTHER"]


def test_present_values_stay() -> None:
    """A second run changes nothing but what is still open, and keys the template doesn't know stay."""
    present = f"SECRET_KEY={LIVE}\nADMIN_PASSWORD=weak\nJWT_SECRET=change-me\nEXTRA=1"
    filled = fill("# Signs\nSECRET_KEY=\n\n# About tokens\nAPI_TOKEN=\nADMIN_PASSWORD=\nJWT_SECRET=\n", present)
    values = read(filled)
    assert (values["SECRET_KEY"], values["ADMIN_PASSWORD"], values["EXTRA"]) == (LIVE, "weak", "1")
    assert set(filled.generated) == {"JWT_SECRET", "API_TOKEN"}
    assert set(filled.kept) == {"SECRET_KEY", "ADMIN_PASSWORD"}
    assert "\n# About tokens\nAPI_TOKEN=" in filled.text
    assert "# Signs" not in filled.text
    assert fill("# About tokens\nAPI_TOKEN=\n", filled.text).text == filled.text


def test_present_url_knows_the_password() -> None:
    """A password key added later gets the password the service logs in with already."""
    present = f"DATABASE_URL=postgresql://app:{LIVE}@db/app\n"
    filled = fill("POSTGRES_USER=app\nPOSTGRES_PASSWORD=\n", present)
    assert read(filled)["POSTGRES_PASSWORD"] == LIVE
    assert filled.assembled == ("POSTGRES_PASSWORD",)


def test_rotation_takes_followers_along() -> None:
    """Rotating a password changes what logs in with it, and nothing else."""
    present = (
        f"POSTGRES_USER=app\nPOSTGRES_PASSWORD={LIVE}\nDATABASE_URL=postgresql://app:{LIVE}@db/app\n"
        f"REPORT_URL=postgresql://report:{OTHER}@db/app\nSECRET_KEY={OTHER}\n"
    )
    for key in ("POSTGRES_PASSWORD", "DATABASE_URL"):
        filled = fill("", present, rotate=[key])
        values = read(filled)
        assert values["POSTGRES_PASSWORD"] not in {LIVE, OTHER, ""}
        assert urlsplit(str(values["DATABASE_URL"])).password == values["POSTGRES_PASSWORD"]
        assert OTHER in str(values["REPORT_URL"])
        assert values["SECRET_KEY"] == OTHER
        assert LIVE not in filled.text


@pytest.mark.parametrize(
    ("key", "what"),
    [
        pytest.param("SECRET_KYE", "no `SECRET_KYE` to rotate", id="misspelt"),
        pytest.param("LOG_LEVEL", "is no credential", id="a setting"),
        pytest.param("OPENAI_API_KEY", "issued by somebody else", id="an issued one"),
        pytest.param("PROXY_URL", "issued by somebody else", id="an issued URL"),
    ],
)
def test_rotation_refusals(key: str, what: str) -> None:
    """What cannot be rotated is an error, not a silent nothing."""
    present = (
        f"SECRET_KEY={LIVE}\nLOG_LEVEL=info\nOPENAI_API_KEY={OTHER}\nPROXY_URL=http://u:{OTHER}@proxy.internal:3128\n"
    )
    with pytest.raises(UsageError, match=what) as caught:
        fill("", present, rotate=[key])
    assert LIVE not in caught.value.what + caught.value.help


def test_assign() -> None:
    """`--set` changes settings, adds new ones, and takes no credential: others could read it in the process list."""
    filled = fill("ENVIRONMENT=development # which\n", None, assign={"ENVIRONMENT": "production", "NEW": "a b"})
    assert filled.text == "ENVIRONMENT=production # which\nNEW='a b'\n"
    assert not filled.check
    assert (filled.given, filled.copied) == (("ENVIRONMENT", "NEW"), ())
    assert not fill("DOMAIN=your-domain.com\n", None, assign={"DOMAIN": "shop.example"}).missing
    # What was given once stays given: the tutorial's `app.example.com` is no placeholder when it runs again.
    first = fill(
        "ORIGIN=http://localhost:3000\nDOMAIN=your-domain.com\n", None, assign={"ORIGIN": "https://a.example.com"}
    )
    assert list(fill("ORIGIN=http://localhost:3000\nDOMAIN=your-domain.com\n", first.text).missing) == ["DOMAIN"]
    with pytest.raises(UsageError, match="is a credential") as caught:
        fill("", None, assign={"SECRET_KEY": LIVE})
    assert LIVE not in caught.value.what + caught.value.help


def test_broken_template() -> None:
    """A template with a line that loaders drop is an error."""
    with pytest.raises(DocumentError, match="template:1"):
        fill("KEY='open\n", None, name="template")


KEYS = st.sampled_from(
    [
        "SECRET_KEY", "JWT_SECRET", "POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB", "DB_PASSWORD", "DB_HOST",
        "DATABASE_URL", "REDIS_URL", "REDIS_PASSWORD", "OPENAI_API_KEY", "SENTRY_DSN", "DEBUG", "APP_NAME",
        "CELERY_BROKER_URL", "MYSQL_ROOT_PASSWORD", "API_TOKEN",
    ]
)  # fmt: skip
VALUES = st.sampled_from(
    [
        "", "change-me", '""', "''", '"change-me"', "'secret'", "postgres", "12345", "app", "my app", "${SECRET_KEY}",
        "postgresql://user:password@host:5432/db", "postgresql://app:x@db/app?a=1&b=2", "redis://redis:6379/0",
        "redis://:x@r", "mysql://root@db/x", "http://", "://", "localhost", "a#b", "a # b", "$HOME", "😀", LIVE,
        "sqlite:///x.db", "amqp://guest:guest@mq//",
    ]
)  # fmt: skip
LINES = st.one_of(
    st.builds(
        "{}{}={}{}".format, st.sampled_from(["", "export ", "  "]), KEYS, VALUES, st.sampled_from(["", " # why"])
    ),
    st.sampled_from(["", "# comment", "# openssl rand -hex 32", "BARE", "EXTRA=1"]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(LINES, max_size=12), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_any_template(lines: list[str], newline: str, ends: bool) -> None:  # noqa: FBT001 - a draw
    """Whatever stands in a template: settings keep their bytes, and a second run changes nothing."""
    template = newline.join(lines) + (newline if ends else "")
    filled = fill(template, None)
    before, after = (dotenv_values(stream=io.StringIO(text), interpolate=False) for text in (template, filled.text))
    assert list(before) == list(after)
    changed = {key for key in before if before[key] != after[key]}
    assert changed <= set(filled.generated) | set(filled.assembled)
    assert filled.text.count(newline) == template.count(newline)
    again = fill(template, filled.text)
    assert again.text == filled.text
    assert not again.generated
    told = {*filled.generated, *filled.assembled, *filled.copied, *filled.missing, *filled.kept}
    assert told <= set(before)


@given(st.text(min_size=1).filter(lambda text: "\r" not in text), st.text(min_size=1))
def test_url_parts_survive(user: str, password: str) -> None:
    """Any user and password go through a URL and back, for us and for the standard library."""
    try:
        (user + password).encode()
    except UnicodeEncodeError:
        return
    text = str(Url("postgresql", user, password, "db:5432", "/app", "?sslmode=require"))
    parsed, split = Url.parse(text), urlsplit(text)
    assert parsed is not None
    assert (parsed.user, parsed.password, parsed.hosts) == (user, password, "db:5432")
    assert (unquote(split.username or ""), unquote(split.password or "")) == (user, password)
    assert (split.hostname, split.port, split.path, split.query) == ("db", 5432, "/app", "sslmode=require")
