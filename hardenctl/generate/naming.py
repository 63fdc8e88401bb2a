"""What a credential's name calls for: one we can make, or one that only its issuer can.

A wrong "we can make it" is worse than a wrong "you must fill it": the first fails at the other end, weeks later.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from hardenctl.generate.credential import RECIPES, Recipe
from hardenctl.rules.secrets.values import is_credential_key, key_words


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# A name with one of these belongs to somebody else's service.
_ISSUERS = _words("""
    airtable akismet algolia aliyun amazon amplitude anthropic apns apple asana atlassian auth0 aws azure bitbucket
    braintree bugsnag circleci cloudflare cloudinary cohere contentful coinbase datadog deepseek digitalocean discord
    docker dockerhub dropbox elevenlabs email facebook fastly fcm figma firebase ftp gcp gcs gemini geoip ghcr github
    gitlab gmail google grafana groq hcaptcha heroku hubspot huggingface imap imgur infura instagram intercom jira kakao
    keycloak ldap line linear linkedin logtail mail mailchimp maileroo mailgun mailjet mapbox maps maxmind messagebird
    microsoft mistral mixpanel netlify newrelic ngrok notion npm oauth oauth2 oidc okta openai openrouter openweather
    openweathermap pagerduty paypal perplexity pinecone plaid plausible postmark posthog proxy pusher pypi quay
    razorpay recaptcha reddit resend riot rollbar s3 saml segment sendgrid sendinblue sentry ses sftp shopify sinch
    slack smtp snowflake sns sonar spaces spotify square ssh stripe supabase tavily telegram tiktok trello turnstile
    twilio twitch twitter upstash vercel vonage wandb wasabi weather wechat whatsapp workos xai yandex youtube zapier
    zendesk zoom client consumer oauth publishable site license licence vendor partner customer
""")
_SIGNING = _words("""
    secret jwt signing sign session cookie csrf app application flask django hmac auth
    token access refresh hash security server master nextauth password
""")
_SIGNS = _words("jwt signing session cookie csrf flask django hmac nextauth")  # whatever else stands in the name
_TOKENS = _words("""
    api access admin internal metrics auth service health healthcheck bearer app cron monitoring static
    setup bootstrap prometheus webhook deploy
""")
_OWN_API_KEYS = _words("internal admin service app master backend worker")
_PASSWORDS = tuple(_words("password passwd passphrase dbpass dbpw"))
_HINTS = (
    (re.compile(r"Fernet\.generate_key"), "fernet"),
    (re.compile(r"openssl\s+rand\s+-hex|token_hex"), "hex"),
    (re.compile(r"get_random_secret_key"), "secret-key"),
    (re.compile(r"openssl\s+rand\s+-base64|token_urlsafe|uuidgen|uuid4"), "token"),
)


def is_credential(key: str) -> bool:
    """Whether a value under this name is meant to be kept secret."""
    return is_credential_key(key) or key_words(key)[-1:] == ("salt",)


def common_prefix(keys: Iterable[str]) -> str:
    """What a project puts before most of its names (`SHOP_`), empty where it doesn't."""
    names = list(keys)
    firsts = Counter(key.partition("_")[0] for key in names if "_" in key)
    first, count = max(firsts.items(), key=lambda each: each[1], default=("", 0))
    stores = {"POSTGRES", "POSTGRESQL", "MYSQL", "MARIADB", "REDIS", "MONGO", "MONGODB", "DB", "DATABASE", "JWT"}
    return f"{first}_" if count >= 4 and count * 2 > len(names) and first not in stores else ""  # noqa: PLR2004 - a habit


def asks_for(comment: str) -> bool:
    """Whether a comment says how to make the value it stands beside."""
    return any(pattern.search(comment) for pattern, _ in _HINTS)


def recipe_for(key: str, comment: str = "") -> Recipe | None:
    """The recipe a name calls for, None where only its issuer can fill it.

    A comment that says how to make the value ("openssl rand -hex 32") decides before the name does.
    """
    words = key_words(key)
    while words and words[-1].isdigit():
        words = words[:-1]
    if not words:
        return None
    *before, last = words
    foreign = _ISSUERS.intersection((*words, *key.lower().split("_")))  # `S3` is two words of a key, and one name
    named = None if foreign else _by_name(before, last)
    for pattern, name in _HINTS:
        if pattern.search(comment):
            return RECIPES["secret-key"] if name == "token" and named is RECIPES["secret-key"] else RECIPES[name]
    return named


def _by_name(before: list[str], last: str) -> Recipe | None:  # noqa: PLR0911 - one case after the other reads best
    squeezed = "".join((*before, last))
    if "fernet" in before or squeezed.endswith("encryptionkey"):
        return RECIPES["fernet"]
    if last.endswith(_PASSWORDS) or last in {"pass", "pwd", "pw"}:
        return RECIPES["db-password"]
    if last == "token":
        return RECIPES["token"] if _TOKENS.issuperset(before) else None
    if before[-1:] == ["api"] and last == "key":
        return RECIPES["token"] if _OWN_API_KEYS.intersection(before) else None
    if last == "key" and before[-1:] in (["access"], ["private"]):
        return None
    if last in {"secret", "salt"}:
        known = _SIGNING.issuperset(before) or _SIGNS.intersection(before)
        return RECIPES["secret-key"] if known else None
    if last == "key":
        return RECIPES["secret-key"] if _SIGNING.intersection(before) else None
    return RECIPES["secret-key"] if last in {"secretkey", "jwtsecret", "appsecret", "cookiesecret"} else None
