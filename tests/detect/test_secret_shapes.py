"""Which assignments are credentials and which only look like it: one row a shape."""

from __future__ import annotations

import base64

import pytest

from hardenctl.detect.secrets import detect_secrets, sensitive_spans
from hardenctl.model.blob import Blob, Provenance
from hardenctl.model.finding import Confidence, Severity
from hardenctl.rules.fakes import scramble
from hardenctl.rules.secrets import RULES

ALL = frozenset(each.id for each in RULES)
VALUE = scramble("shapes", 24)
WORD = scramble("word", 11, "bcdfghjklmnpqrtvwxz")
BASIC = base64.b64encode(f"ada:{VALUE}".encode()).decode()


def found(text: str, path: str = "settings.py") -> list[tuple[str, str]]:
    """Rule and value of each hit."""
    blob = Blob(Provenance(path), text.encode())
    return [(rule.id, str(hit.secret)) for rule, hit in detect_secrets(blob, ALL)]


ASSIGNMENT = "secret-generic-assignment"
TRUE_SHAPES = [
    pytest.param("app.py", 'DB_PASSWORD = "{}"', ASSIGNMENT, id="python-double-quotes"),
    pytest.param("app.py", "db_password: str = '{}'", ASSIGNMENT, id="python-annotated"),
    pytest.param("app.py", 'password = SecretStr("{}")', ASSIGNMENT, id="python-wrapped-in-a-call"),
    pytest.param("app.py", 'os.getenv("DB_PASSWORD", "{}")', ASSIGNMENT, id="default-of-a-look-up"),
    pytest.param("app.py", 'SECRET = os.environ.get("X_Y") or "{}"', ASSIGNMENT, id="fallback-after-or"),
    pytest.param("app.py", 'config["api_key"] = b"{}"', ASSIGNMENT, id="python-subscript-and-bytes"),
    pytest.param("app.py", 'client.set_auth_token("{}")', ASSIGNMENT, id="setter"),
    pytest.param("app.py", 'd.setdefault("client_secret", "{}")', ASSIGNMENT, id="key-and-value-arguments"),
    pytest.param("app.py", 'TOKENS = dict(access_token=["{}"])', ASSIGNMENT, id="first-of-a-list"),
    pytest.param("app.py", 'assert password == "{}"', ASSIGNMENT, id="comparison"),
    pytest.param("app.py", 'dsn = "host=db user=app password={} sslmode=require"', ASSIGNMENT, id="libpq-string"),
    pytest.param("app.cs", 'var c = "Server=db;User Id=app;Password={};Encrypt=true";', ASSIGNMENT, id="ado-net"),
    pytest.param("app.go", 'password := "{}"', ASSIGNMENT, id="go-short-declaration"),
    pytest.param(
        "a_test.go", "var c = `\nhost: x\ndefault-token: {}\nport: 1\n`", ASSIGNMENT, id="yaml-in-a-go-string"
    ),
    pytest.param("a.json", '{{"kty": "oct", "alg": "A256CTR", "k": "{}"}}', "secret-json-web-key", id="symmetric-jwk"),
    pytest.param("app.go", 'key := []byte("{}")\nsecretKey := []byte("{}")', ASSIGNMENT, id="go-bytes"),
    pytest.param("app.js", "const apiKey = '{}';", ASSIGNMENT, id="javascript"),
    pytest.param("app.js", "password: process.env.DB_PW || '{}',", ASSIGNMENT, id="javascript-fallback"),
    pytest.param("app.rb", "'password' => '{}'", ASSIGNMENT, id="ruby-hash-rocket"),
    pytest.param("app.php", "define('DB_PASSWORD', '{}');", ASSIGNMENT, id="php-define"),
    pytest.param("App.java", 'private static final String API_SECRET = "{}";', ASSIGNMENT, id="java-constant"),
    pytest.param("App.kt", 'val clientSecret: String = "{}"', ASSIGNMENT, id="kotlin-typed"),
    pytest.param("a.json", '{{"client_secret": "{}"}}', ASSIGNMENT, id="json"),
    pytest.param("a.py", 'body = "{{\\"api_token\\":\\"{}\\"}}"', ASSIGNMENT, id="json-within-a-string"),
    pytest.param("a.xml", "<password>{}</password>", ASSIGNMENT, id="xml-element"),
    pytest.param("a.xml", '<db user="app" password="{}"/>', ASSIGNMENT, id="xml-attribute"),
    pytest.param("web.config", '<add key="ApiSecret" value="{}" />', ASSIGNMENT, id="name-and-value-attributes"),
    pytest.param("a.yaml", "password: {}", ASSIGNMENT, id="yaml-bare"),
    pytest.param("a.yaml", "env:\n  - name: DB_PASSWORD\n    value: {}\n", ASSIGNMENT, id="kubernetes-env"),
    pytest.param("compose.yml", "    - DB_PASSWORD={}", ASSIGNMENT, id="compose-list"),
    pytest.param(".env", "API_TOKEN={}", ASSIGNMENT, id="dotenv"),
    pytest.param(".env", "export API_TOKEN={}  # live", ASSIGNMENT, id="dotenv-comment"),
    pytest.param("a.ini", "password = {}", ASSIGNMENT, id="ini"),
    pytest.param("a.toml", 'secret_key = "{}"', ASSIGNMENT, id="toml"),
    pytest.param("Dockerfile", "ENV API_TOKEN {}", ASSIGNMENT, id="dockerfile-env-with-a-space"),
    pytest.param("a.sh", "mysql --password={} app", ASSIGNMENT, id="flag-with-equals"),
    pytest.param("a.sh", "tool --api-token {} run", ASSIGNMENT, id="flag-with-a-space"),
    pytest.param("a.sh", "curl -u ada:{} https://x.io", ASSIGNMENT, id="curl-user"),
    pytest.param("a.sql", "ALTER ROLE app PASSWORD '{}';", ASSIGNMENT, id="sql-password"),
    pytest.param("a.sql", "CREATE USER app IDENTIFIED BY '{}';", ASSIGNMENT, id="sql-identified-by"),
    pytest.param("a.py", 'url = "https://x.io/v1?api_key={}&limit=3"', ASSIGNMENT, id="query-string"),
    pytest.param("a.go", 'key, _ := hex.DecodeString("{}")\nauthKey = "{}"', ASSIGNMENT, id="decoded-constant"),
    pytest.param("a.yaml", "headers:\n  auth_code: {}", ASSIGNMENT, id="authorization-code"),
    pytest.param("a.yaml", "headers:\n  - x-app-token:{}\n", ASSIGNMENT, id="header-in-a-list"),
    pytest.param("a.sh", "tool --password \\\n    {} \\\n    run", ASSIGNMENT, id="flag-whose-line-goes-on-below"),
    pytest.param("a.rb", "# config.pepper = '{}'", ASSIGNMENT, id="pepper"),
    pytest.param("a.js", "assert(body.password !== '{}', 'must not be visible');", ASSIGNMENT, id="compared-not-equal"),
    pytest.param("a.md", "- **Password**: {}", ASSIGNMENT, id="bold-key"),
    pytest.param("a.md", "users: [{{nkey:{}}}]", ASSIGNMENT, id="tight-in-braces"),
    pytest.param("a.py", "key = unhexlify('{}')\nsecret_key = bytes.fromhex('{}')", ASSIGNMENT, id="decoded-by-a-call"),
    pytest.param("a.php", "'password_confirmation' => '{}'", ASSIGNMENT, id="typed-again"),
    pytest.param("a.py", '"password2": "{}"', ASSIGNMENT, id="numbered-key"),
    pytest.param("a.travis", "JWT_SECRET={}", ASSIGNMENT, id="environment-of-a-pipeline"),
    pytest.param("a.py", "U = 'ftp://dbuser:{}@host:23'", "secret-url-credentials", id="user-of-an-address"),
    pytest.param(
        "a.rb", '"POST /\\r\\nAuthorization: Basic {}\\r\\n"', "secret-bearer-token", id="opaque-basic-header"
    ),
    pytest.param("a.py", 'token = (\n    "{}"\n)\nsecret_key = \\\n    "{}"', ASSIGNMENT, id="value-on-the-next-line"),
    pytest.param("README.md", "Sign in with `password: {}`", ASSIGNMENT, id="prose"),
    pytest.param("a.py", 'URL = "postgresql://app:{}@db:5432/app"', "secret-url-credentials", id="url-userinfo"),
    pytest.param("a.py", 'h = {{"Authorization": "Bearer {}"}}', "secret-bearer-token", id="bearer-header"),
    pytest.param("a.sh", "curl -H 'Authorization: Bearer {}' https://x.io", "secret-bearer-token", id="curl-header"),
]


@pytest.mark.parametrize(("path", "template", "rule"), TRUE_SHAPES)
def test_a_credential_is_found_at_its_exact_place(path: str, template: str, rule: str):
    """The span of the hit is the value and nothing else, in each way to write an assignment."""
    text = "# first line\n" + template.format(*[VALUE] * template.count("{}")) + "\n"
    blob = Blob(Provenance(path), text.encode())
    hits = [(each.id, text[hit.span.start : hit.span.end]) for each, hit in detect_secrets(blob, ALL)]
    assert (rule, VALUE) in hits


@pytest.mark.parametrize(("path", "template", "rule"), TRUE_SHAPES)
def test_what_is_found_is_masked_and_unnamed(path: str, template: str, rule: str):
    """Each value that is found lies in a sensitive span, and no text of the hit holds it."""
    del rule
    text = template.format(*[VALUE] * template.count("{}"))
    blob = Blob(Provenance(path), text.encode())
    hidden = "".join(
        " " if any(start <= at < end for start, end in sensitive_spans(blob)) else each for at, each in enumerate(text)
    )
    assert VALUE not in hidden
    for _, hit in detect_secrets(blob, ALL):
        told = " ".join([hit.message, hit.identity, *hit.why, *hit.evidence.values(), hit.fix.title if hit.fix else ""])
        assert VALUE[4:] not in told
        assert VALUE not in repr(hit)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        pytest.param("a.py", 'PASSWORD_KEY = "password_key"', id="key-names-mapped-to-key-names"),
        pytest.param("a.py", 'password = forms.CharField(label="Password")', id="form-label"),
        pytest.param("locale/de.json", '{"password": "Passwort eingeben"}', id="translation"),
        pytest.param("lang/af-ZA.json", '{"new-password": "Nuwe wagwoord", "token": "Teken"}', id="translated-words"),
        pytest.param("a.yml", "token_issuer: https://id.example.org/realms/main", id="address"),
        pytest.param("a.py", 'jwt_signature = "HS256"', id="algorithm"),
        pytest.param("a.py", 'password = password.encode("latin1")', id="encoding"),
        pytest.param("a.yml", "auth: user.profile.token", id="attribute-in-yaml"),
        pytest.param("a.py", 'html = "<b>Password:</b>"; token = "<b>Token qz81</b>"', id="markup"),
        pytest.param("a.py", 'api_token_url = "qz81mk2x"', id="key-about-a-credential"),
        pytest.param("a.py", 'shipping_code = "qz81mk2xw9"', id="code-that-opens-nothing"),
        pytest.param("a.py", 'secret = "¡¿…!?#$%"', id="punctuation"),
        pytest.param("a.py", 'COLOURS = {"pass": "#1a7f37"}', id="colour"),
        pytest.param("a.yml", "password_locale: de_DE", id="locale"),
        pytest.param("a.css", "--md-primary-fg-color--darker-than-before: red", id="css-variable"),
        pytest.param("a.py", 'TOKEN_BACKEND = "app.auth.tokens.SignedTokenBackend"', id="class-path"),
        pytest.param("a.yml", "private_key: /etc/ssl/private/server.key", id="file-name"),
        pytest.param("a.sh", 'PASSWORD="$(cat /run/secrets/db)"', id="shell-substitution"),
        pytest.param("a.sh", 'PGPASSWORD="${DB_PASSWORD}" psql', id="shell-variable"),
        pytest.param("a.py", "secret = parsed", id="bare-identifier"),
        pytest.param("a.py", "password=user.password, token=token", id="keyword-arguments"),
        pytest.param("a.js", "token: this.props.token,", id="bare-attribute"),
        pytest.param("a.py", "auth_token = None", id="none"),
        pytest.param("a.yml", "use_password: true", id="switch"),
        pytest.param("a.py", 'TOKEN_TYPE = "ACCESS_TOKEN_TYPE"', id="enum-constant"),
        pytest.param("a.json", '{"integrity": "sha512-' + scramble("i", 86) + '=="}', id="integrity-hash"),
        pytest.param("package-lock.json", '{"token": "' + VALUE + '"}', id="lock-file"),
        pytest.param("a.py", 'password_hash = "$2b$12$' + scramble("h", 53) + '"', id="password-hash"),
        pytest.param(
            "a.json", '{"url": "https://x.example/{z}?access_token=pk.ey' + "J" + VALUE + '"}', id="public-map-token"
        ),
        pytest.param("a.py", 'STRIPE_KEY = "pk_' + "live_" + VALUE + '"', id="publishable-key"),
        pytest.param("id.pub", "ssh-rsa AAAAB3NzaC1yc2E" + scramble("p", 300) + " ada@host", id="public-key"),
        pytest.param("a.pem", "-----BEGIN CERTIFICATE-----\nMIIB" + scramble("c", 200), id="certificate"),
        pytest.param("compose.yml", "POSTGRES_PASSWORD: postgres", id="weak-literal"),
        pytest.param(".env.example", "SECRET_KEY=changethis", id="placeholder"),
        pytest.param(".env.example", "API_KEY=<your-api-key>", id="placeholder-in-brackets"),
        pytest.param("compose.yml", "POSTGRES_USER: mealie\nPOSTGRES_PASSWORD: mealie", id="the-users-name"),
        pytest.param("a.py", 'URL = "postgres://user:password@host/db"', id="documented-url"),
        pytest.param("a.py", 'URL = f"postgres://{user}:{password}@{host}/db"', id="url-built-of-variables"),
        pytest.param("a.yml", "token: ${{ secrets.GITHUB_TOKEN }}", id="github-actions-secret"),
        pytest.param("a.tf", 'password = "${var.password}"', id="terraform-variable"),
        pytest.param("a.css", ".COLOR_PINK { color: #e91e63 }", id="letters-within-a-word"),
        pytest.param("a.py", 'x = "-----BEGIN ' + 'RSA PRIVATE KEY-----"', id="header-of-a-key-alone"),
        pytest.param("a.md", "Set the password to something you can remember.", id="sentence"),
        pytest.param("a.py", 'KEY = "AKIAIOSFODNN7' + 'EXAMPLE"', id="documented-key"),
        pytest.param("a.js", 'fetch("https://unpkg.com:443/@scope/pkg@1.2.3/x.js")', id="port-and-a-scope"),
        pytest.param("a.md", "http://x.io:8080/users/@ada", id="port-and-a-handle"),
        pytest.param("a.html", '<input type="password" name="password" placeholder="Password">', id="form-field"),
        pytest.param("a.py", 'headers = {"Authorization": f"Bearer {token}"}', id="header-with-a-variable"),
        pytest.param("a.py", 'raise ValueError("token: unexpected value")', id="error-message"),
        pytest.param(
            "a.css", "--md-primary-fg-color: red; --md-accent-fg-color--transparent: #0004", id="css-variables"
        ),
        pytest.param("a.py", 'ok = verify_password("qz81mk2x", "$2b$12$' + scramble("h", 53) + '")', id="compared"),
        pytest.param("test_a.py", 'self.assertTrue(u.verify_password("xyzzy"))', id="asserted"),
        pytest.param("test_a.py", 'assert base64encode("qz81mk2x") == "cXo4MW1rMng="', id="encoder"),
        pytest.param("test_a.py", 'assert base64decode("cXo4MW1rMng=") == x', id="decoder-of-text"),
        pytest.param("a.py", 'dsn=str(settings.get_postgres_dsn("asyncpg"))', id="getter"),
        pytest.param("a.py", '{"password": {"type": "string", "title": "Database password"}}', id="form-descriptor"),
        pytest.param("setup.cfg", "per-file-ignores =\n    authentication.py: D103,D104", id="lint-setting"),
        pytest.param("a.json", '{"key": "author", "value": "Ada", "type": "string"}', id="postman-variable"),
        pytest.param("a.js", 'var c = ["printf","pwd","readlink","token","sleep"];', id="list-of-words"),
        pytest.param("static/vendor.bundle.dev.js", 'var token = "' + VALUE + '"', id="vendored-bundle"),
        pytest.param("assets/main-CA4_OjGq.js", 'var token = "' + VALUE + '"', id="hashed-bundle"),
        pytest.param("a.js", "'secret':'\\u3299\\ufe0f',", id="escaped-emoji"),
        pytest.param("a.js", "use_password: '密码至少需要有8个字符'", id="sentence-without-blanks"),
        pytest.param("a.ts", "export type ColorToken = keyof typeof colors", id="type-alias"),
        pytest.param("package.json", '{"@nuxtjs/auth": "5.0.0-1667386184.dfbbb54"}', id="version"),
        pytest.param("a.js", "var KEY_OTHER = '([^\\\\:= \\\\t]|\\\\\\\\.)+';", id="regular-expression"),
        pytest.param("a.sh", 'TOKEN=$(jq -r --arg h "$HOST" \'', id="command-over-lines"),
        pytest.param("a.md", "- [ ] Type checking pass (`uv run task lint`)", id="word-before-a-bracket"),
        pytest.param("a.md", "* `password`: algunos de los próximos capítulos", id="prose-after-a-key"),
        pytest.param("a.md", "mit einem Token zuzugreifen", id="prose-after-token"),
        pytest.param("a.md", "![x](https://x.io/badge.svg?token=VK6OUPJ3TY)", id="badge"),
        pytest.param("a.md", "unique_key: a6c7b0a8a66bed0df66abfdab3c77736861703ee", id="key-of-a-row"),
        pytest.param("a.json", '{"enum": ["pass", "fail", "inconclusive"]}', id="enumeration"),
        pytest.param("a.py", 'a = ["POSTGRES_PASSWORD", "--alternate"]', id="flag-after-a-name"),
        pytest.param("a.py", 'text = f\'password = "{make("last", 24)}"\'', id="call-in-a-format-string"),
        pytest.param("a.py", 'secret("e2b-api-key", "E2B API key")', id="name-of-a-kind"),
        pytest.param("a.py", 'token=("secret_", "ntn_")', id="prefixes"),
        pytest.param("a.py", "# Authorization: Bearer dead" + "beef12346", id="hexadecimal-joke"),
        pytest.param("a.js", "token = state.push('blockquote_open', 'blockquote', 1)", id="pushed"),
        pytest.param("a.yml", 'KEY: "1x0000000000000000000000000000000AA"', id="published-dummy"),
        pytest.param(
            "a.php", "const CARD_AUTH_OK = '4222000006' . '285344'; $card->token = '42220000062' ;", id="card-number"
        ),
        pytest.param("a.java", 'CARD_AUTH_FAILED_V2_2("4222000002144131"),', id="card-number-as-argument"),
        pytest.param("a.json", '{"access.token.lifespan": "32140800"}', id="number-of-seconds"),
        pytest.param("a.java", 'card.setPinBlock("' + scramble("pin", 32, "0123456789ABCDEF") + '");', id="pin-block"),
        pytest.param("a.json", '{"key": "b932e36f-5017-3001-94fa-69e23d85db9a"}', id="identifier-under-key"),
        pytest.param("a.json", '{"token": "card_pIQJKMs93GsCc9vLSLevbw"}', id="payment-object"),
        pytest.param("a.xml", "<authCode>GSOFTZ</authCode>", id="approval-of-a-payment"),
        pytest.param("a.xml", "<apiVersion>xml-4.2</apiVersion>", id="version-of-an-api"),
        pytest.param("a.rb", "'command=SALE&password=[FILTERED]&station=WEB'", id="filtered-in-a-query"),
        pytest.param("a.md", "-H 'Authorization: Bearer zAzsx1sk..'", id="rest-left-out"),
        pytest.param(
            "a.md",
            "https://x.io/?auth="
            + base64.b64encode(b"Basic " + base64.b64encode(b"testuser:fakepassword")).decode().rstrip("="),
            id="weak-header-in-base64",
        ),
        pytest.param("a.py", 'r = {"paging_token": "now123"}', id="guessable-and-no-password"),
        pytest.param("a.py", 'x = {"last_authenticated": "2019-04-15T04:19:00+00:00"}', id="time"),
        pytest.param("a.sql", "create table t (\n  token LONGVARBINARY,\n)", id="column-type"),
        pytest.param(
            "a.sln",
            'Project("{9A19103F-16F7-4668-BE54-9A1E7A4F7556}") = "A.OAuth.X", "src\\A.OAuth.X\\A.OAuth.X.csproj",'
            ' "{6BC54AC2-5273-417E-B7E5-E1B2B2A0A0D1}"',
            id="visual-studio-project",
        ),
        pytest.param(
            "a.swift", 'let vm = key("JACkaKsm2Rd6TNJwH4UB7G6tHrWUATJPTgNNnRVsg4ip")', id="account-in-base-58"
        ),
        pytest.param("a.php", "new RedirectUriValidator('urn:ietf:wg:oauth:2.0:oob');", id="urn"),
        pytest.param("a.rb", "imap.authenticate('XOAUTH2', user, password)", id="mechanism"),
        pytest.param("a.php", "'password' => 'require|length:6,16',", id="validation"),
        pytest.param(
            "a.env", "GRAYLOG_SHA256_PASSWORD=" + scramble("d", 64, "0123456789abcdef"), id="digest-by-its-key"
        ),
        pytest.param("a.py", 'client_signature = "' + scramble("s", 40, "0123456789abcdef") + '"', id="signature"),
        pytest.param("a.php", "$credentials = $xml->createElement('Credentials');", id="element-made"),
        pytest.param(
            "a.c", "/*\n * First pass: compare a (assumed nonnegative) with m.\n */", id="sentence-in-a-comment"
        ),
        pytest.param("a.yml", "access_token: DMS_" + base64.b64encode(b"access_token").decode(), id="prefix-and-words"),
        pytest.param(
            "a.js", "id_token: 'ey" + "J0eXAiOiJKV1QifQ.ey" + "JoZXkiOiJoaSJ9.signature'", id="signed-by-a-word"
        ),
        pytest.param("a.php", "'secret' => '" + scramble("m", 29, "0123456789abcdef") + "xxx'", id="masked-end"),
        pytest.param("a.java", "* privateKey: MIxxx893B2pg" + "gd1r95T8k2QxxxxbD6mXskn", id="masked-within"),
        pytest.param("a.kt", 'authorizationCode = "4uth0r1z4t10nC0d3"', id="its-key-in-disguise"),
        pytest.param("a.go", 'h := "x-auth-key:0987654321"', id="digits-downwards"),
        pytest.param("a.sh", 'PRETTY_PASS="\\e[32m✔ \\e[0m"', id="colour-of-a-terminal"),
        pytest.param("a.md", "`new_session_path' for Omniauth::SessionsController:0x0000000630f628", id="pointer"),
        pytest.param("a.json", '{"nonce": "' + scramble("n", 64, "0123456789abcdef") + '"}', id="nonce"),
        pytest.param("a.json", '{"signatureValue": "' + scramble("s", 342) + '=="}', id="signature-value"),
        pytest.param("a.json", '{"hashedPassword": "' + scramble("h", 128, "0123456789abcdef") + '"}', id="hashed"),
        pytest.param("a.js", "passwordPolicy: { password: '[a-zA-Z0-9' }", id="range-of-an-expression"),
        pytest.param("a.json", '{"encryptedKey": "' + scramble("e", 128, "0123456789abcdef") + '"}', id="encrypted"),
        pytest.param("a.cs", 'string OAuthClientId = "' + scramble("c", 20) + '";', id="client-id"),
        pytest.param("a.sh", "Passwd=`echo $line|awk '{print $2}'`", id="command-in-backticks"),
        pytest.param("a.py", "connect(auth='ntlm')", id="mechanism-by-its-name"),
        pytest.param(
            "compose.yml", "KAFKA_SSL_KEY_CREDENTIALS: kafka1_sslkey_creds", id="name-of-a-file-of-credentials"
        ),
        pytest.param("a.rb", "'UMversion=2.9&UMauthCode=TM1E74&UMrefNum=133134926'", id="approval-of-a-payment"),
        pytest.param("a.md", "https://x.example/cgi?action=announce&key=1490190158&version=1", id="number-in-a-query"),
        pytest.param("a.hpp", "* by default (pass '-spir-std=X.Y' in options)", id="option"),
        pytest.param("a.yml", "apt_key_id: '" + scramble("f", 40, "0123456789ABCDEF") + "'", id="fingerprint"),
        pytest.param("a.py", 'TestUser.get_social_auth("vend", "shop-b:7").user', id="asked-for"),
        pytest.param("a.js", "totpSecret: 'JBSWY3DP" + "EHPK3PXP'", id="published-seed"),
        pytest.param(
            "a.sh", "-H 'Authorization: Basic " + base64.b64encode(b"Aladdin:open sesame").decode() + "'", id="rfc-7617"
        ),
    ],
)
def test_what_is_no_credential(path: str, text: str):
    """None of the shapes that false alarms are made of is reported."""
    assert found(text, path) == []


@pytest.mark.parametrize(
    ("path", "text", "severity"),
    [
        pytest.param(".ci/compose.yml", "COOKIE_SECRET: {}", Severity.MEDIUM, id="pipeline"),
        pytest.param("settings/ci.py", 'SECRET_KEY = "{}"', Severity.MEDIUM, id="settings-for-a-pipeline"),
        pytest.param("app.py", 'Field(examples=["{}"], password="{}")', Severity.HIGH, id="example-of-something-else"),
        pytest.param("app.py", "# for example, client_secret={}", Severity.LOW, id="for-example"),
    ],
)
def test_what_surrounds_a_value_decides_how_bad_it_is(path: str, text: str, severity: Severity):
    """What a pipeline's own services use is milder than what production reads, and an example is low."""
    blob = Blob(Provenance(path), text.format(VALUE, VALUE).encode())
    hits = list(detect_secrets(blob, ALL))
    assert [hit.severity or rule.severity for rule, hit in hits[-1:]] == [severity]


def test_an_unescaped_slash_hides_no_password():
    """A URL that no client can read holds its password all the same."""
    value = VALUE[:9] + "/" + VALUE[9:]
    assert found(f'URL = "postgresql://app:{value}@db:5432/app"') == [("secret-url-credentials", value)]


def test_a_basic_header_may_have_a_key_for_a_user():
    """Some services take their key as the user, without a password."""
    value = base64.b64encode(f"sk_test_{VALUE}:".encode()).decode()
    assert found(f'curl -H "Authorization: Basic {value}" https://x.io', "a.sh") == [("secret-basic-auth", value)]
    empty = base64.b64encode(b"user:").decode()
    assert found(f'curl -H "Authorization: Basic {empty}" https://x.io', "a.sh") == []


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        pytest.param(
            "a.md", "$ curl --form password={} http://localhost/login", "tqqdzepd", id="word-before-an-address"
        ),
        pytest.param("a.yml", "password: {}", "25" + "28903", id="seven-digits"),
        pytest.param("a.yml", "MYSQL_PASSWORD: {}", "xq" + "dk", id="four-letters"),
        pytest.param("a.cs", 'const string clientSecret = "{}";', "0C61707" + "A2A04", id="letters-among-digits"),
        pytest.param("a.py", "U = 'ftp://user:{}@host:23'", "kjis" + "kyls", id="password-after-user"),
        pytest.param("a.java", 'b = "{{ \\"access_token\\":\\"{}\\"";', "H56QR50MIYTW6\\/EP8DPU", id="escaped-slash"),
    ],
)
def test_short_values_are_told_from_words(path: str, text: str, value: str):
    """What no list holds is no word, however short; an address is no sentence, a user is no name of its password."""
    assert [each for _, each in found(text.format(value), path)] == [value]


HEXADECIMAL = scramble("hexadecimal", 32, "0123456789abcdef")


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        pytest.param(".env", "LOB_KEY=", "test_" + HEXADECIMAL, id="key-for-tests"),
        pytest.param("a.yml", "key: ", "sk_" + HEXADECIMAL, id="labelled"),
        pytest.param("a.go", '"tenant_access_token": ', "t-" + HEXADECIMAL, id="short-label"),
        pytest.param("a.go", "//SetAppAuthToken(", HEXADECIMAL, id="commented-out"),
        pytest.param("a.json", '"password": ', "Gr4f" + "anaCl0udAdm" + "1n2024#", id="disguised-words"),
        pytest.param(
            "a.go",
            "secret, err := base64.StdEncoding.DecodeString(",
            base64.b64encode(HEXADECIMAL.encode()).decode(),
            id="encoded-twice",
        ),
    ],
)
def test_digits_and_labels_make_no_word(path: str, key: str, value: str):
    """A random value stays one behind its provider's label, in hexadecimal digits, or in disguise."""
    text = f"{key}{value}\n" if path == ".env" else f'{key}"{value}"\n'
    assert found(text, path) == [(ASSIGNMENT, value)]


def test_a_word_in_a_long_token_is_chance():
    """Base64 has marks in it: between two of them any four letters turn up."""
    value = scramble("long", 150) + "/BLAh/" + scramble("tail", 150)
    assert found(f'API_TOKEN = "{value}"') == [(ASSIGNMENT, value)]


def test_a_number_and_a_bar_are_part_of_a_token():
    """As Facebook writes the tokens of an application."""
    value = f"743453711936127|1.{VALUE}"
    text = f'String body = "access_token={value}&expires_in=5108";'
    assert found(text, "a.java") == [(ASSIGNMENT, value)]


def test_a_basic_header_is_decoded():
    """The value of a Basic header is reported once, and a guessable password in one as that."""
    assert found(f'h = "Authorization: Basic {BASIC}"') == [("secret-basic-auth", BASIC)]
    weak = base64.b64encode(b"admin:" + b"admin").decode()
    assert found(f'h = "Authorization: Basic {weak}"') == [("secret-guessable", weak)]


def encoded(text: str) -> str:
    """A text in base64."""
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("path", "text", "value"),
    [
        pytest.param("settings.py", 'DB_PASSWORD = "letmein123"', "letmein123", id="word-and-a-count"),
        pytest.param("a.yml", "password: litemall123456", "litemall123456", id="name-and-a-count"),
        pytest.param("a.yml", "password: S0mething-Secret", "S0mething-Secret", id="words"),
        pytest.param("a.py", 'login(username="ada", password="asdfg")', "asdfg", id="row-of-a-keyboard"),
        pytest.param(
            "a.yml", "image: acmeware/web:5\nenv:\n  DB_PASSWORD: acmeware", "acmeware", id="name-of-an-image"
        ),
        pytest.param("a.yml", "db: io.acmeware.Kafka\nDB_PASSWORD: acmeware", "acmeware", id="name-of-a-package"),
        pytest.param("a.yml", f"postgresql-password: {encoded('db-password')}", encoded("db-password"), id="base64"),
        pytest.param("a.json", f'{{"secret": "{encoded("secret")}"}}', encoded("secret"), id="word-in-base64"),
        pytest.param("a.yml", "password: shopizer001", "shopizer001", id="name-and-a-number"),
        pytest.param("a.md", "-e MYSQL_PASSWORD=jira_123456", "jira_123456", id="name-mark-and-count"),
        pytest.param(
            "a.go", f'x := "Basic {encoded("sword:sword_secret")}"', encoded("sword:sword_secret"), id="users-own-name"
        ),
    ],
)
def test_a_guessable_credential_is_told_as_one(path: str, text: str, value: str):
    """It opens a door all the same, but it is no more than possible and never fails a gate by itself."""
    blob = Blob(Provenance(path), text.encode())
    [(rule, hit)] = detect_secrets(blob, ALL)
    assert (rule.id, hit.secret) == ("secret-guessable", value)
    assert (rule.severity if hit.severity is None else hit.severity) is Severity.LOW
    assert hit.confidence is Confidence.POSSIBLE


@pytest.mark.parametrize("path", [".env", "compose.yml", "Dockerfile", ".github/workflows/test.yml"])
def test_a_guessable_credential_is_no_leak_where_another_rule_tells_it_or_nothing_keeps_it(path: str):
    """`*-weak-credential` are about these files; what a workflow starts for its tests is thrown away with it."""
    text = "ENV DB_PASSWORD=letmein123" if path == "Dockerfile" else "DB_PASSWORD=letmein123"
    assert found(text if path in {".env", "Dockerfile"} else "DB_PASSWORD: letmein123", path) == []


def test_a_weak_literal_is_masked_though_it_is_no_finding():
    """What no rule reports is still not shown: a guessable password in a code frame is a password."""
    blob = Blob(Provenance("compose.yml"), b"POSTGRES_PASSWORD: postgres\n")
    assert sensitive_spans(blob) == [(19, 27)]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("POSTGRES_PASSWORD: ${POSTGRES_PASSWORD}\n", id="variable"),
        pytest.param("API_KEY: <your-api-key>\n", id="placeholder"),
        pytest.param("PORT: 8000\nHOST: db\n", id="plain-settings"),
        pytest.param("with:\n  persist-credentials: false\n", id="switch"),
    ],
)
def test_what_is_no_credential_is_not_masked(text: str):
    """A frame stays readable: references, placeholders and plain settings are shown."""
    assert sensitive_spans(Blob(Provenance("compose.yml"), text.encode())) == []


@pytest.mark.parametrize(
    ("path", "severity", "confidence"),
    [
        pytest.param("app/settings.py", Severity.HIGH, Confidence.LIKELY, id="source"),
        pytest.param("tests/test_app.py", Severity.LOW, Confidence.POSSIBLE, id="test"),
        pytest.param("docs/install.md", Severity.LOW, Confidence.POSSIBLE, id="document"),
    ],
)
def test_where_a_file_stands_decides_how_bad_it_is(path: str, severity: Severity, confidence: Confidence):
    """A random value under a credential's name is likely and severe where the application reads it, else possible."""
    blob = Blob(Provenance(path), f'DB_PASSWORD = "{VALUE}"'.encode())
    [(rule, hit)] = detect_secrets(blob, ALL)
    assert (hit.severity or rule.severity, hit.confidence) == (severity, confidence)


def test_a_short_word_is_only_possible():
    """Eleven random letters may be a name: reported, but low."""
    blob = Blob(Provenance("a.py"), f'password = "{WORD}"'.encode())
    [(_, hit)] = detect_secrets(blob, ALL)
    assert (hit.severity, hit.confidence) == (Severity.LOW, Confidence.POSSIBLE)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_offsets_count_characters_in_any_encoding(encoding: str):
    """The span is right behind letters of several bytes, in UTF-8, UTF-16 and Latin-1 files."""
    text = f'# Schlüssel für Zoë: "é"\nDB_PASSWORD = "{VALUE}"\n'
    blob = Blob(Provenance("a.py"), text.encode(encoding))
    [(_, hit)] = detect_secrets(blob, ALL)
    assert blob.text[hit.span.start : hit.span.end] == VALUE


def test_binary_files_are_left_alone():
    """A file git calls binary holds no text to read."""
    blob = Blob(Provenance("a.bin"), b"\0\0" + f'password = "{VALUE}"'.encode())
    assert list(detect_secrets(blob, ALL)) == []
    assert sensitive_spans(blob) == []


def test_only_the_rules_asked_for_answer():
    """A rule that is switched off finds nothing."""
    blob = Blob(Provenance("a.py"), f'DB_PASSWORD = "{VALUE}"'.encode())
    assert list(detect_secrets(blob, ALL - {ASSIGNMENT})) == []


def test_a_hit_says_why():
    """The probability and the features that spoke for it are there for --verbose."""
    blob = Blob(Provenance("a.py"), f'DB_PASSWORD = "{VALUE}"'.encode())
    [(_, hit)] = detect_secrets(blob, ALL)
    assert hit.why[0].startswith("probability ")
    assert any(reason.startswith("key:") for reason in hit.why)


@pytest.mark.parametrize(
    ("path", "template"),
    [
        pytest.param("a.py", 'client.set_password(\n    "{}"\n)\n', id="argument-on-the-next-line"),
        pytest.param("a.py", 'os.environ.get(\n    "API_KEY",\n    "{}",\n)\n', id="default-on-a-line-of-its-own"),
        pytest.param("a.py", 'API_TOKEN = (\n    "{}"\n)\n', id="bracket"),
        pytest.param("a.py", 'login(\n    "ada",\n    "{}",\n)\n', id="second-argument"),
        pytest.param("a.js", 'const token =\n  "{}";\n', id="after-the-operator"),
        pytest.param("a.java", 'put("password",\n    "{}");\n', id="value-of-a-pair"),
        pytest.param("a.yml", "password:\n  {}\nuser: ada\n", id="yaml-below"),
        pytest.param("a.yml", "password: >-\n  {}\n", id="yaml-block"),
        pytest.param(".env", "A=1\nDB_PASSWORD={}\nB=2\n", id="dotenv"),
        pytest.param(".netrc", "machine x\nlogin ada\npassword {}\n", id="netrc"),
        pytest.param("a.csv", "user,password\nada,{}\n", id="csv"),
        pytest.param("a.md", "| user | password |\n|---|---|\n| ada | {} |\n", id="table"),
        pytest.param("a.xml", "<password>\n  {}\n</password>\n", id="element"),
        pytest.param("a.sh", "chpasswd <<EOF\nada:{}\nEOF\n", id="here-document"),
    ],
)
def test_windows_line_ends_hide_nothing(path: str, template: str) -> None:
    """The value is the same, to its last character, where lines end as they do on Windows."""
    text = template.format(VALUE)
    assert [value for _, value in found(text, path)] == [VALUE]
    assert found(text.replace("\n", "\r\n"), path) == found(text, path)
