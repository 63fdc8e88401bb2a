"""How passwords and sessions are kept."""

from __future__ import annotations

from collections.abc import Iterator

from hardenctl.formats.django.document import DjangoSettings, Way
from hardenctl.model.finding import Hit, Severity, advice
from hardenctl.rules.declare import rule
from hardenctl.rules.django.ruling import everywhere, tell

_FAST = ("MD5", "SHA1", "Crypt", "Plain")


@rule("django-fast-password-hasher", on=DjangoSettings, severity=Severity.HIGH)
def fast_password_hasher(settings: DjangoSettings) -> Iterator[Hit]:
    """Passwords are kept under a hash that is made for speed.

    ## Why is this bad?
    Whoever gets hold of the user table tries thousands of millions of passwords a second. Tests use such hashes to be
    quick; the first entry is the one that new passwords get.

    ## Example
    ```python title="config/settings.py"
    ROOT_URLCONF = "config.urls"
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    ```

    ## Use instead
    Put a slow one first; old hashes are renewed when their users log in.
    ```python title="config/settings.py"
    ROOT_URLCONF = "config.urls"
    PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        "django.contrib.auth.hashers.MD5PasswordHasher",
    ]
    ```

    ## References
    - https://docs.djangoproject.com/en/stable/topics/auth/passwords/
    """

    def fast(way: Way) -> bool:
        setting = way.get("PASSWORD_HASHERS")
        first = (
            setting.entries[0].rpartition(".")[2] if setting is not None and setting.known and setting.entries else ""
        )
        return any(word in first for word in _FAST) and "PBKDF2" not in first

    way = everywhere(settings, fast)
    if way is not None:
        setting = way["PASSWORD_HASHERS"]
        yield tell(
            settings,
            setting,
            f"new passwords are kept under `{setting.entries[0].rpartition('.')[2]}`, which is made for speed",
            "PASSWORD_HASHERS",
            fix=advice("Put `django.contrib.auth.hashers.PBKDF2PasswordHasher` first"),
        )


@rule("django-no-password-validators", on=DjangoSettings, severity=Severity.LOW)
def no_password_validators(settings: DjangoSettings) -> Iterator[Hit]:
    """Users may choose any password.

    ## Why is this bad?
    The list of validators is emptied, so that `1` is as good a password as any other.

    ## Example
    ```python title="config/settings.py"
    ROOT_URLCONF = "config.urls"
    AUTH_PASSWORD_VALIDATORS = []
    ```

    ## Use instead
    Ask for a length, and refuse what is common.
    ```python title="config/settings.py"
    ROOT_URLCONF = "config.urls"
    AUTH_PASSWORD_VALIDATORS = [
        {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
        {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    ]
    ```

    ## References
    - https://docs.djangoproject.com/en/stable/topics/auth/passwords/#password-validation
    """
    name = "AUTH_PASSWORD_VALIDATORS"

    def empty(way: Way) -> bool:
        setting = way.get(name)
        return setting is not None and setting.known and setting.data in ([], ())

    way = everywhere(settings, empty)
    if way is not None:
        yield tell(
            settings,
            way[name],
            f"`{name}` is empty: users may choose any password",
            name,
            fix=advice("List at least a minimum length and `CommonPasswordValidator`"),
        )


@rule("django-pickled-sessions", on=DjangoSettings, severity=Severity.MEDIUM)
def pickled_sessions(settings: DjangoSettings) -> Iterator[Hit]:
    """Sessions are stored as pickles.

    ## Why is this bad?
    Loading a pickle runs whatever its maker wrote into it: whoever gets hold of `SECRET_KEY`, or of the store that
    sessions are kept in, runs code on the server.

    ## Example
    ```python title="config/settings.py"
    ROOT_URLCONF = "config.urls"
    SESSION_SERIALIZER = "django.contrib.sessions.serializers.PickleSerializer"
    ```

    ## Use instead
    Keep what JSON can hold.
    ```python title="config/settings.py"
    ROOT_URLCONF = "config.urls"
    SESSION_SERIALIZER = "django.contrib.sessions.serializers.JSONSerializer"
    ```

    ## References
    - https://docs.djangoproject.com/en/stable/topics/http/sessions/#session-serialization
    """
    name = "SESSION_SERIALIZER"

    def pickled(way: Way) -> bool:
        setting = way.get(name)
        return setting is not None and isinstance(setting.data, str) and "pickle" in setting.data.lower()

    way = everywhere(settings, pickled)
    if way is not None:
        yield tell(
            settings,
            way[name],
            "sessions are stored as pickles: what can write one runs code here",
            name,
            fix=advice("Use `django.contrib.sessions.serializers.JSONSerializer`"),
        )


RULES = (fast_password_hasher, no_password_validators, pickled_sessions)
