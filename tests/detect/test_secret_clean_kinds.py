"""Kinds of file that are full of random strings and hold no credential: none of them raises anything."""

from __future__ import annotations

import base64
import hashlib

import pytest

from hardenctl.detect.secrets import detect_secrets
from hardenctl.detect.secrets.language import Setting, setting
from hardenctl.model.blob import Blob, Provenance
from hardenctl.rules.fakes import scramble
from hardenctl.rules.secrets import RULES

ALL = frozenset(each.id for each in RULES)
HEX = "0123456789abcdef"
SHA1, SHA256, SHA512 = (scramble(f"hash{size}", size, HEX) for size in (40, 64, 128))
MD5 = scramble("md5", 32, HEX)
SRI = "sha512-" + base64.b64encode(hashlib.sha512(b"a").digest()).decode()
H1 = "h1:" + base64.b64encode(hashlib.sha256(b"b").digest()).decode()
UUID = "-".join(scramble(f"uuid{size}", size, HEX) for size in (8, 4, 4, 4, 12))
BODY = "MIID" + base64.b64encode(scramble("certificate", 600).encode()).decode()
LINES = "\n".join(BODY[at : at + 64] for at in range(0, len(BODY), 64))


def pem(kind: str) -> str:
    """A block of public material."""
    return f"-----BEGIN {kind}-----\n{LINES}\n-----END {kind}-----\n"


def found(path: str, text: str) -> list[tuple[str, str]]:
    """Rule and value of each hit."""
    return [(rule.id, str(hit.secret)) for rule, hit in detect_secrets(Blob(Provenance(path), text.encode()), ALL)]


LOCKS = {
    "package-lock.json": f'{{"packages": {{"node_modules/jsonwebtoken": {{"version": "9.0.2", "integrity": "{SRI}"}},'
    f' "node_modules/token": {{"resolved": "https://registry.npmjs.org/token/-/token-1.0.0.tgz#{SHA1}"}}}}}}',
    "npm-shrinkwrap.json": f'{{"dependencies": {{"secret": {{"integrity": "{SRI}"}}}}}}',
    "yarn.lock": f'token@^1.0.0:\n  version "1.0.0"\n  resolved "https://r.io/token.tgz#{SHA1}"\n  integrity {SRI}\n',
    "pnpm-lock.yaml": f"packages:\n  /passport-jwt/4.0.1:\n    resolution: {{integrity: {SRI}}}\n",
    "bun.lock": f'{{"packages": {{"token": ["token@1.0.0", "", {{}}, "{SRI}"]}}}}',
    "deno.lock": f'{{"remote": {{"https://deno.land/x/token.ts": "{SHA256}"}}}}',
    "poetry.lock": f'[[package]]\nname = "pyjwt"\nfiles = [{{file = "PyJWT.whl", hash = "sha256:{SHA256}"}}]\n'
    f'[metadata]\ncontent-hash = "{SHA256}"\n',
    "pdm.lock": f'[metadata]\ncontent_hash = "sha256:{SHA256}"\n',
    "uv.lock": f'[[package]]\nsdist = {{ url = "https://f.io/token.tar.gz", hash = "sha256:{SHA256}" }}',
    "Pipfile.lock": f'{{"default": {{"passlib": {{"hashes": ["sha256:{SHA256}"]}}}}}}',
    "requirements.txt": f"passlib==1.7.4 \\\n    --hash=sha256:{SHA256}\n",
    "requirements-dev.lock": f"secretstorage==3.3.3 --hash=sha256:{SHA256}\n",
    "conda-lock.yml": f"- name: keyring\n  hash:\n    md5: {MD5}\n    sha256: {SHA256}\n",
    "composer.lock": f'{{"content-hash": "{MD5}", "packages": [{{"name": "firebase/php-jwt",'
    f' "source": {{"reference": "{SHA1}"}}, "dist": {{"shasum": "{SHA1}"}}}}]}}',
    "Gemfile.lock": f"GIT\n  remote: git://x.io/token\n  revision: {SHA1}\nCHECKSUMS\n  jwt (2.7) sha256={SHA256}",
    "Cargo.lock": f'[[package]]\nname = "secrecy"\nchecksum = "{SHA256}"\n',
    "go.sum": f"github.com/golang-jwt/jwt/v5 v5.2.0 {H1}\ngithub.com/golang-jwt/jwt/v5 v5.2.0/go.mod {H1}\n",
    "flake.lock": f'{{"nodes": {{"secrets": {{"locked": {{"narHash": "{SRI}", "rev": "{SHA1}"}}}}}}}}',
    "mix.lock": f'"jose": {{:hex, :jose, "1.11.6", "{SHA256}", [:mix], [], "hexpm", "{SHA256}"}},',
    "pubspec.lock": f'packages:\n  jwt:\n    description:\n      sha256: "{SHA256}"\n',
    "packages.lock.json": f'{{"Microsoft.IdentityModel.Tokens": {{"contentHash": "{SRI[7:]}"}}}}',
    "Podfile.lock": f"SPEC CHECKSUMS:\n  KeychainAccess: {SHA1}\nPODFILE CHECKSUM: {SHA1}\n",
    "Package.resolved": f'{{"identity": "jwt-kit", "state": {{"revision": "{SHA1}", "version": "4.13.0"}}}}',
    "gradle.lockfile": "com.auth0:java-jwt:4.4.0=compileClasspath\n",
    "gradle/verification-metadata.xml": f'<artifact name="java-jwt.jar"><sha256 value="{SHA256}"/></artifact>',
    ".terraform.lock.hcl": f'provider "vault" {{\n  hashes = [\n    "{H1}",\n    "zh:{SHA256}",\n  ]\n}}\n',
    "Chart.lock": f"dependencies:\n- name: vault\n  version: 0.25.0\ndigest: sha256:{SHA256}\n",
    "buf.lock": f"deps:\n  - remote: buf.build\n    commit: {MD5}\n    digest: shake256:{SHA512}\n",
    "MODULE.bazel.lock": f'{{"registryFileHashes": {{"https://bcr.bazel.build/token/MODULE.bazel": "{SHA256}"}}}}',
    "Manifest.toml": f'[[deps.JWTs]]\ngit-tree-sha1 = "{SHA1}"\nuuid = "{UUID}"\n',
    "renv.lock": f'{{"Packages": {{"jose": {{"Version": "1.2.0", "Hash": "{MD5}"}}}}}}',
    "stack.yaml.lock": f"- completed:\n    hackage: jose-0.11@sha256:{SHA256},1234\n",
    "rebar.lock": f'{{pkg_hash,[{{<<"jose">>, <<"{SHA256.upper()}">>}}]}}.\n',
    "shrinkwrap.yaml": f"packages:\n  /token/1.0.0:\n    resolution:\n      integrity: {SRI}\n",
}
OTHERS = {
    "static/app.min.js": f'!function(e){{var token="{scramble("t", 24)}",pass:"{scramble("p", 16)}";e.key="{MD5}"}}()',
    "dist/main.3f2a9c1b.js": f'e.secret="{scramble("m", 32)}",t.apiKey=n("{MD5}")',
    "app.bundle.js": f'var a={{"token":"{scramble("b", 40)}"}};',
    "app.js.map": f'{{"mappings":"AAAA,SAASA,{scramble("map", 200)}","names":["password","token"]}}',
    "logo.svg": f'<image href="data:image/png;base64,{BODY}"/>',
    "style.css": f"@font-face{{src:url(data:font/woff2;base64,{BODY})}}.password-key{{color:#1a7f37}}",
    "index.html": f'<script src="https://cdn.io/jwt.js" integrity="{SRI}" crossorigin="anonymous"></script>',
    "page.html": f'<link rel="stylesheet" href="token.css" integrity="{SRI}"><div id="token-{MD5}"></div>',
    "picture.html": f'<img alt="password" src="data:image/png;base64,{BODY}">',
    "SHA256SUMS": f"{SHA256}  secrets-1.0.tar.gz\n{SHA256}  token.whl\n",
    "checksums.txt": f"{SHA512}  password-manager.deb\n",
    "formula.rb": f'url "https://x.io/vault.zip"\nsha256 "{SHA256}"\n',
    "PKGBUILD": f"source=(token.tar.gz)\nsha256sums=('{SHA256}')\n",
    "default.nix": f'fetchurl {{ url = "https://x.io/keys.tgz"; sha256 = "{SHA256}"; }}',
    "BUILD.bazel": f'http_file(name = "keys", sha256 = "{SHA256}")',
    "Dockerfile": f"FROM vault@sha256:{SHA256}\nARG KEY_SHA256={SHA256}\n",
    "action.yml": f"- uses: actions/create-github-app-token@{SHA1} # v1.11.0\n",
    ".pre-commit-config.yaml": f"- repo: https://github.com/a/detect-secrets\n  rev: {SHA1}\n",
    "manifest.json": f'{{"token.js": "token-{MD5}.js", "etag": "{MD5}", "commit": "{SHA1}"}}',
    "kustomization.yaml": f"images:\n- name: keycloak\n  digest: sha256:{SHA256}\n",
    "snapshot.json": f'{{"contentHash": "{SHA256}", "id": "{UUID}", "token_hash": "{SHA256}"}}',
    "ids.yml": f"tenant_id: {UUID}\nclient_id: {UUID}\nkey_id: {UUID}\n",
    "server.crt": pem("CERTIFICATE"),
    "ca-bundle.pem": pem("CERTIFICATE") * 3,
    "request.csr": pem("CERTIFICATE REQUEST"),
    "public.pem": pem("PUBLIC KEY"),
    "dhparam.pem": pem("DH PARAMETERS"),
    "crl.pem": pem("X509 CRL"),
    "release.asc": "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n" + LINES + "\n=AbCd\n-----END PGP PUBLIC KEY BLOCK-----\n",
    "file.sig": "-----BEGIN PGP SIGNATURE-----\n\n" + LINES + "\n-----END PGP SIGNATURE-----\n",
    "id_ed25519.pub": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + scramble("ssh", 43) + " ada@host\n",
    "known_hosts": "github.com ssh-rsa AAAAB3NzaC1yc2EAAAADAQAB" + scramble("known", 300) + "\n",
    "authorized_keys": "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY" + scramble("auth", 90) + " ada\n",
    "tls-secret.yaml": "kind: ConfigMap\ndata:\n  ca.crt: " + base64.b64encode(pem("CERTIFICATE").encode()).decode(),
    "jwks.json": f'{{"keys": [{{"kty": "RSA", "kid": "{MD5}", "e": "AQAB", "n": "{scramble("n", 342)}"}}]}}',
    "locale/fr/LC_MESSAGES/django.po": 'msgid "Password"\nmsgstr "Mot de passe"\nmsgid "Token"\nmsgstr "Jeton"\n',
    "locales/it/auth.json": '{"password": {"label": "Password", "enter": "Inserisci la password", "new": "Cambia"}}',
    "locales/de.json": '{"password": "Passwort", "new": "Neues", "apiKey": "API-Schlüssel", "token": "2FA Kode"}',
    "config/locales/es.yml": 'es:\n  password: "Contraseña"\n  token: Ficha de acceso\n  secret: Secreto\n',
    "i18n/messages_it.properties": "login.password=Parola d'ordine\nerror.token=Gettone scaduto\n",
    "res/values-pl/strings.xml": '<string name="password">Hasło</string><string name="api_key">Klucz API</string>',
    "Base.lproj/Localizable.strings": '"password" = "パスワード";\n"secret.hint" = "秘密の質問";\n',
    "lang/ru.php": "'password' => 'Пароль', 'token_mismatch' => 'Неверный токен',",
    "app_nl.arb": '{"passwordLabel": "Wachtwoord", "tokenExpired": "Uw sessie is verlopen"}',
    "translations/pt_BR.xliff": "<source>Password</source><target>Senha</target>",
    "vectors/sha2.json": f'[{{"input": "", "sha256": "{SHA256}"}}, {{"input": "abc", "digest": "{SHA512}"}}]',
    "testdata/sha3.rsp": f"Len = 8\nMsg = cc\nMD = {SHA256}\n",
    "testdata/md5.txt": f"abc {MD5}\nmessage digest {MD5}\n",
    "tests/vectors/base64.json": f'{{"plain": "foobar", "encoded": "{base64.b64encode(b"foobar").decode()}"}}',
    "blocks.json": f'{{"hash": "0x{SHA256}", "parentHash": "0x{SHA256}", "transactionsRoot": "0x{SHA256}"}}',
}


@pytest.mark.parametrize("path", LOCKS)
def test_lock_files_raise_nothing(path: str):
    """Integrity hashes, revisions and packages that are called token or secret: of every ecosystem's lock file."""
    assert found(path, LOCKS[path]) == []
    assert found(f"services/api/{path}", LOCKS[path]) == []


@pytest.mark.parametrize("path", OTHERS)
def test_public_and_generated_files_raise_nothing(path: str):
    """Bundles, embedded images, checksums, certificates, public keys, translations and test vectors of hashes."""
    assert found(path, OTHERS[path]) == []


@pytest.mark.parametrize("path", ["yarn.lock", "package-lock.json", "poetry.lock", "composer.lock", "Gemfile.lock"])
def test_a_password_in_a_lock_files_address_is_found(path: str):
    """A private registry's password is written into lock files: there it is no hash."""
    value = scramble("registry", 24)
    text = f'resolved "https://ada:{value}@npm.example.net/token.tgz#{SHA1}"\n'
    assert found(path, text) == [("secret-url-credentials", value)]


@pytest.mark.parametrize(
    ("name", "generated"),
    [
        pytest.param("main-CA4_OjGq.js", True, id="vite"),
        pytest.param("echarts.128204f2.js", True, id="webpack"),
        pytest.param("index-DQXZqWvn.css", True, id="no-digit"),
        pytest.param("app-settings.js", False, id="word"),
        pytest.param("res.sendFile.js", False, id="camel-case"),
        pytest.param("auth-helpers2.mjs", False, id="numbered-word"),
        pytest.param("user.constants.js", False, id="nine-letters"),
    ],
)
def test_a_bundle_is_told_from_a_name_of_two_words(name: str, *, generated: bool):
    """What a build wrote has a digest in its name; a module called `app-settings` is looked at."""
    assert (Setting.GENERATED in setting(f"web/src/{name}")) is generated
    assert bool(found(f"web/src/{name}", f'const apiToken = "{scramble("module", 40)}";\n')) is not generated
