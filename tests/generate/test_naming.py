from __future__ import annotations

import pytest

from hardenctl.generate.naming import is_credential, recipe_for


@pytest.mark.parametrize(
    ("key", "recipe"),
    [
        pytest.param("SECRET_KEY", "secret-key", id="the common one"),
        pytest.param("DJANGO_SECRET_KEY", "secret-key", id="with the framework"),
        pytest.param("JWT_SECRET", "secret-key", id="JWT"),
        pytest.param("JWT_SECRET_KEY", "secret-key", id="JWT, longer"),
        pytest.param("REFRESH_TOKEN_SECRET", "secret-key", id="refresh tokens"),
        pytest.param("SESSION_SECRET", "secret-key", id="sessions"),
        pytest.param("NEXTAUTH_SECRET", "secret-key", id="NextAuth"),
        pytest.param("APP_KEY", "secret-key", id="app key"),
        pytest.param("SECURITY_PASSWORD_SALT", "secret-key", id="Flask-Security's salt"),
        pytest.param("SECRET", "secret-key", id="bare"),
        pytest.param("SECRET_KEY_2", "secret-key", id="numbered"),
        pytest.param("POSTGRES_PASSWORD", "db-password", id="postgres"),
        pytest.param("MYSQL_ROOT_PASSWORD", "db-password", id="mysql root"),
        pytest.param("PGPASSWORD", "db-password", id="libpq's"),
        pytest.param("DB_PASS", "db-password", id="short"),
        pytest.param("ADMIN_PASSWORD", "db-password", id="admin"),
        pytest.param("FLOWER_PASSWORD", "db-password", id="some own service"),
        pytest.param("RABBITMQ_DEFAULT_PASS", "db-password", id="rabbit"),
        pytest.param("API_TOKEN", "token", id="own token"),
        pytest.param("METRICS_TOKEN", "token", id="metrics"),
        pytest.param("INTERNAL_API_KEY", "token", id="own API key"),
        pytest.param("FERNET_KEY", "fernet", id="fernet"),
        pytest.param("AIRFLOW__CORE__FERNET_KEY", "fernet", id="airflow"),
        pytest.param("FIELD_ENCRYPTION_KEY", "fernet", id="field encryption"),
        pytest.param("STRIPE_SECRET_KEY", None, id="stripe"),
        pytest.param("AWS_SECRET_ACCESS_KEY", None, id="aws"),
        pytest.param("S3_SECRET_KEY", None, id="a digit in the issuer's name"),
        pytest.param("S3_ACCESS_KEY", None, id="access keys come in pairs"),
        pytest.param("OPENAI_API_KEY", None, id="openai"),
        pytest.param("GOOGLE_CLIENT_SECRET", None, id="oauth client"),
        pytest.param("AUTH0_SECRET", None, id="auth0"),
        pytest.param("SMTP_PASSWORD", None, id="mail account"),
        pytest.param("EMAIL_HOST_PASSWORD", None, id="Django's mail account"),
        pytest.param("TELEGRAM_BOT_TOKEN", None, id="bot"),
        pytest.param("FOO_TOKEN", None, id="a token of who knows whom"),
        pytest.param("API_KEY", None, id="an API key of who knows whom"),
        pytest.param("WIDGET_API_KEY", None, id="an unknown issuer"),
        pytest.param("JWT_PRIVATE_KEY", None, id="half of a pair"),
        pytest.param("FACEBOOK_APP_SECRET", None, id="an app secret that is issued"),
        pytest.param("TINYBIRD_API_TOKEN", None, id="an issuer nobody listed"),
        pytest.param("WIDGET_APP_SECRET", None, id="an app of who knows whom"),
        pytest.param("SHOP_JWT_SECRET", "secret-key", id="JWT of a project"),
        pytest.param("SHOP_SECRET_KEY", "secret-key", id="secret key of a project"),
        pytest.param("WEATHER_SECRET", None, id="a secret of who knows whom"),
        pytest.param("123", None, id="no word at all"),
    ],
)
def test_names(key: str, recipe: str | None) -> None:
    """A name says what to make; what somebody else issues, or might, is left to people."""
    found = recipe_for(key)
    assert (found.name if found else None) == recipe


@pytest.mark.parametrize(
    ("comment", "recipe"),
    [
        pytest.param("# openssl rand -hex 32", "hex", id="hex"),
        pytest.param("# python -c 'import secrets; print(secrets.token_urlsafe(32))'", "token", id="urlsafe"),
        pytest.param("# Fernet.generate_key()", "fernet", id="fernet"),
        pytest.param("# from django ... import get_random_secret_key", "secret-key", id="django"),
    ],
)
def test_comment_decides(comment: str, recipe: str) -> None:
    """A comment that says how to make the value is followed, even for a name that says nothing."""
    found = recipe_for("WIDGET_API_KEY", comment)
    assert found is not None
    assert found.name == recipe


def test_comment_does_not_weaken_a_signing_key() -> None:
    """`openssl rand -base64` beside SECRET_KEY still makes a signing key."""
    found = recipe_for("SECRET_KEY", "# openssl rand -base64 24")
    assert found is not None
    assert found.name == "secret-key"


@pytest.mark.parametrize(
    ("key", "expected"),
    [("PASSWORD_SALT", True), ("DATABASE_URL", True), ("TOKEN_MINUTES", False), ("LOG_LEVEL", False)],
)
def test_is_credential(key: str, expected: bool) -> None:  # noqa: FBT001 - a table
    """Salts count as credentials here; statements about credentials do not."""
    assert is_credential(key) is expected
