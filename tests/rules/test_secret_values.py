"""Which keys name credentials, and what a value is under its key."""

from __future__ import annotations

import pytest

from hardenctl.rules.fakes import scramble
from hardenctl.rules.secrets.values import ValueClass, classify_value, is_credential_key

RANDOM = scramble("values", 20)


NAMES_A_CREDENTIAL = """
    DB_PASSWORD SECRET_KEY apiKey DATABASE_URL SQLALCHEMY_DATABASE_URI SENTRY_DSN AWS_SECRET_ACCESS_KEY
    github_token jwtSecret REDIS_URL POSTGRES_PASSWORD FIRST_SUPERUSER_PASSWORD django_secret_key
    stripe.api_key client-secret PGPASSWORD MYSQL_ROOT_PASSWORD EMAIL_HOST_PASSWORD CELERY_BROKER_URL
    JWT_SECRET_KEY ENCRYPTION_KEY SESSION_SECRET AZURE_STORAGE_CONNECTION_STRING db.pass pwd smtp_pass
    spring.datasource.password RABBITMQ_DEFAULT_PASS keystorePassword DB_PASSWORD_2 ALLOWED_API_KEYS
"""
SPEAKS_ABOUT_ONE = """
    PUBLIC_KEY TOKEN_EXPIRE_MINUTES ACCESS_TOKEN_EXPIRE_MINUTES PASSWORD_MIN_LENGTH SECRET_NAME
    FORGOT_PASSWORD primary_key foreignKey PORT DB_HOST POSTGRES_USER next_page_token csrf_token MAX_TOKENS
    TOKEN_URL password_hashers PASSWORD_RESET_TIMEOUT key cache_key keyboard compass bypass author monkey
    tokenizer STRIPE_PUBLISHABLE_KEY secretName BACKEND_URL AWS_ACCESS_KEY_ID POSTGRES_PASSWORD_FILE
    has_password reset_password USE_TOKEN HTTP_URL show_password tokens auth authorization
"""


@pytest.mark.parametrize("key", NAMES_A_CREDENTIAL.split())
def test_keys_that_name_a_credential(key: str):
    """Each of these holds a credential in some real project's settings."""
    assert is_credential_key(key)


@pytest.mark.parametrize("key", SPEAKS_ABOUT_ONE.split())
def test_keys_that_only_speak_about_one(key: str):
    """Names around credentials (their length, file, form, public half) are no credential's name."""
    assert not is_credential_key(key)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        pytest.param("POSTGRES_PASSWORD", "postgres", ValueClass.WEAK, id="the-products-own-name"),
        pytest.param("DB_PASSWORD", "root" + "123", ValueClass.WEAK, id="word-and-digits"),
        pytest.param("DB_PASSWORD", "P@ss" + "w0rd", ValueClass.WEAK, id="leet"),
        pytest.param("DB_PASSWORD", "super" + "secret", ValueClass.WEAK, id="words-in-a-row"),
        pytest.param("DB_PASSWORD", "qwerty" + "123", ValueClass.WEAK, id="keyboard-walk"),
        pytest.param("DB_PASSWORD", "12345678", ValueClass.WEAK, id="digits-in-order"),
        pytest.param("DB_PASSWORD", "x7Q", ValueClass.WEAK, id="too-short"),
        pytest.param("SECRET_KEY", "changethis", ValueClass.PLACEHOLDER, id="changethis"),
        pytest.param("API_KEY", "<your-key>", ValueClass.PLACEHOLDER, id="angle-brackets"),
        pytest.param("API_KEY", "your-api-key-here", ValueClass.PLACEHOLDER, id="your-here"),
        pytest.param("API_KEY", "YOUR_KEY", ValueClass.PLACEHOLDER, id="your-in-capitals"),
        pytest.param("API_KEY", "YourKey", ValueClass.PLACEHOLDER, id="your-as-a-title"),
        pytest.param("API_KEY", "yoUr" + "ErrTB3" + RANDOM, ValueClass.LIVE, id="your-by-chance"),
        pytest.param("API_KEY", "xxxxxxxxxxxx", ValueClass.PLACEHOLDER, id="repeated-x"),
        pytest.param("API_KEY", "***", ValueClass.PLACEHOLDER, id="stars"),
        pytest.param("API_KEY", "TODO", ValueClass.PLACEHOLDER, id="todo"),
        pytest.param("API_KEY", "AKIAIOSFODNN7" + "EXAMPLE", ValueClass.PLACEHOLDER, id="documented-example"),
        pytest.param("DB_PASSWORD", "${DB_PASSWORD}", ValueClass.REFERENCE, id="braced-variable"),
        pytest.param("DB_PASSWORD", "$DB_PASSWORD", ValueClass.REFERENCE, id="bare-variable"),
        pytest.param("DB_PASSWORD", "${X:?must be set}", ValueClass.REFERENCE, id="required-variable"),
        pytest.param("DB_PASSWORD", "${X:-postgres}", ValueClass.WEAK, id="weak-default"),
        pytest.param("DB_PASSWORD", "${X:-" + RANDOM + "}", ValueClass.LIVE, id="live-default"),
        pytest.param("DB_PASSWORD", "{{ vault.db }}", ValueClass.REFERENCE, id="template"),
        pytest.param("DB_PASSWORD", "$(cat /run/x)", ValueClass.REFERENCE, id="command"),
        pytest.param("DB_PASSWORD", "%(password)s", ValueClass.REFERENCE, id="interpolation"),
        pytest.param("DB_PASSWORD", "/run/secrets/db", ValueClass.REFERENCE, id="mounted-secret"),
        pytest.param("DB_PASSWORD", "op://vault/item/field", ValueClass.REFERENCE, id="one-password"),
        pytest.param("DB_PASSWORD", "", ValueClass.EMPTY, id="empty"),
        pytest.param("DB_PASSWORD", '""', ValueClass.EMPTY, id="quoted-empty"),
        pytest.param("DB_PASSWORD", "null", ValueClass.EMPTY, id="null"),
        pytest.param("DB_PASSWORD", "true", ValueClass.PLAIN, id="switch-under-a-credential-key"),
        pytest.param("PORT", "8000", ValueClass.PLAIN, id="port"),
        pytest.param("DB_HOST", RANDOM, ValueClass.PLAIN, id="key-that-names-no-credential"),
        pytest.param("SECRET_KEY", "x" * 5000, ValueClass.PLAIN, id="too-long-for-a-credential"),
        pytest.param("DJANGO_REDIS_URL", "redis:6379", ValueClass.PLAIN, id="host-and-port-for-a-url"),
        pytest.param("REDIS_URL", "cache.internal:6379/0", ValueClass.PLAIN, id="host-port-and-number-for-a-url"),
        pytest.param("REDIS_PASSWORD", "redis:6379", ValueClass.WEAK, id="a-password-like-host-and-port"),
        pytest.param("REDIS_URL", "redis://localhost:6379/0", ValueClass.PLAIN, id="url-without-userinfo"),
        pytest.param("REDIS_URL", "redis://:" + RANDOM + "@cache:6379/0", ValueClass.LIVE, id="password-only-userinfo"),
        pytest.param("DATABASE_URL", "postgres://app:" + RANDOM + "@db/x", ValueClass.LIVE, id="live-userinfo"),
        pytest.param("DATABASE_URL", "postgres://app:app@db/x", ValueClass.WEAK, id="password-is-the-user"),
        pytest.param("DATABASE_URL", "postgres://user:password@host/x", ValueClass.PLACEHOLDER, id="user-password"),
        pytest.param("DATABASE_URL", "postgres://app:@db/x", ValueClass.EMPTY, id="empty-userinfo"),
        pytest.param("DATABASE_URL", "postgres://app:${PW}@db/x", ValueClass.REFERENCE, id="variable-userinfo"),
        pytest.param("ANYTHING", "ghp_" + scramble("v", 36), ValueClass.LIVE, id="provider-format-under-any-key"),
        pytest.param("DB_PASSWORD", RANDOM, ValueClass.LIVE, id="random"),
        pytest.param("DATABASE_URL", "postgresql://ada@db/app", ValueClass.PLAIN, id="url-with-a-user-alone"),
        pytest.param("POLAR_POSTGRES_PWD", "polar", ValueClass.WEAK, id="short-word"),
        pytest.param("ECLAIR_PASS", "eclair" + "pw", ValueClass.WEAK, id="the-services-name-and-a-tail"),
        pytest.param("POLAR_MINIO_PWD", "polar" + "polar", ValueClass.WEAK, id="a-name-twice"),
        pytest.param("SECRET_KEY", "insecure_key_for_dev", ValueClass.WEAK, id="says-that-it-is-insecure"),
        pytest.param("API_TOKEN", "OTHER_TOKEN", ValueClass.PLACEHOLDER, id="name-of-another-variable"),
        pytest.param("API_TOKEN", "__UNSET__", ValueClass.PLACEHOLDER, id="dunder-unset"),
        pytest.param("API_TOKEN", "*** REPLACE ***", ValueClass.PLACEHOLDER, id="starred"),
        pytest.param("API_TOKEN", "!!!SET X!!!", ValueClass.PLACEHOLDER, id="shouted"),
        pytest.param("TURNSTILE_SECRET", "1x" + "0" * 31 + "AA", ValueClass.PLACEHOLDER, id="vendors-test-key"),
        pytest.param("PLAN_SECRET", "UNSAFESTRING" + "USECUSTOMSECRETKEY", ValueClass.WEAK, id="shouted-words"),
        pytest.param("TM_SECRET", "s0m3l0ngr4nd0m" + "str1ng-b3cr34tiv3", ValueClass.WEAK, id="words-in-disguise"),
        pytest.param("DB_PASSWORD", "'" + RANDOM + "'", ValueClass.LIVE, id="quoted-random"),
        pytest.param("DB_PASSWORD", scramble("short", 8, "adgyz6q"), ValueClass.LIVE, id="short-but-not-guessable"),
    ],
)
def test_value_classes(key: str, value: str, expected: ValueClass):
    """One value, one class."""
    assert classify_value(key, value) is expected
