"""Any token of any rule, planted in any language's assignment, is found at its exact line and column, and never shown.

The tokens are made anew for each example (`salted`), so that no rule is right for one sample only. All rules' tokens
stand below each other in one file of each language: a rule must find its own beside all the others.
"""

from __future__ import annotations

import base64
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hardenctl.cli.auditing import make_report
from hardenctl.cli.request import Request
from hardenctl.detect.secrets import detect_secrets, sensitive_spans
from hardenctl.detect.secrets.candidate import is_name
from hardenctl.model.blob import Blob, Provenance
from hardenctl.report.formats import FORMATS, render
from hardenctl.report.style import Look
from hardenctl.rules import fakes
from hardenctl.rules.fakes import FAKES, fill
from hardenctl.rules.secrets import RULES, generic

ALL = frozenset(each.id for each in RULES)
LANGUAGES = {
    "settings.py": '{key} = "{value}"\n',
    "typed.py": "{key}: Final[str] = '{value}'\n",
    "keyword.py": 'client = Client({key}="{value}")\n',
    "lookup.py": 'x = os.getenv("{key}", "{value}")\n',
    "config.js": "const {key} = '{value}';\n",
    "config.ts": 'export const {key}: string = "{value}";\n',
    "App.tsx": "  {key}: `{value}`,\n",
    "App.vue": "  {key}: '{value}',\n",
    "main.go": '\t{key} := "{value}"\n',
    "const.go": "\tconst {key} string = `{value}`\n",
    "map.go": '\t"{key}": "{value}",\n',
    "App.java": '    private static final String {key} = "{value}";\n',
    "App.kt": '    val {key}: String = "{value}"\n',
    "App.scala": '  val {key} = "{value}"\n',
    "build.gradle": "  {key} '{value}'\n",
    "config.rb": "  {key} = '{value}'\n",
    "hash.rb": "  '{key}' => '{value}',\n",
    "env.rb": "  ENV['{key}'] = '{value}'\n",
    "define.php": "define('{key}', '{value}');\n",
    "array.php": "    '{key}' => '{value}',\n",
    "variable.php": "  ${key} = '{value}';\n",
    "lib.rs": 'const {key}: &str = "{value}";\n',
    "Program.cs": '    public const string {key} = @"{value}";\n',
    "App.swift": 'let {key} = "{value}"\n',
    "main.dart": "final {key} = '{value}';\n",
    "main.lua": 'local {key} = "{value}"\n',
    "main.pl": "my ${key} = '{value}';\n",
    "main.c": '#define {key} "{value}"\n',
    "main.cpp": 'std::string {key}{{"{value}"}};\n',
    "main.h": 'static const char *{key} = "{value}";\n',
    "sketch.ino": 'char {key}[] = "{value}";\n',
    "main.clj": '(def {key} "{value}")\n',
    "main.r": '{key} <- "{value}"\n',
    "run.sh": "export {key}='{value}'\n",
    "bare.sh": "{key}={value}\n",
    "flag.sh": "tool --{key} {value} run\n",
    "tight.sh": "tool --{key}={value} run\n",
    "run.fish": "set -gx {key} {value}\n",
    "run.ps1": "$env:{key} = '{value}'\n",
    "run.bat": "set {key}={value}\n",
    "deploy.yaml": "  {key}: {value}\n",
    "quoted.yml": '  {key}: "{value}"\n',
    "below.yml": "  {key}:\n    {value}\n",
    "pod.yaml": "  - name: {key}\n    value: {value}\n",
    "config.json": '  "{key}": "{value}",\n',
    "escaped.json": '  "x": "{{\\"{key}\\": \\"{value}\\"}}",\n',
    "app.toml": '{key} = "{value}"\n',
    "app.ini": "{key} = {value}\n",
    "app.properties": "{key}={value}\n",
    "prod.env": "{key}={value}\n",
    "quoted.env": 'export {key}="{value}"  # a comment\n',
    "web.xml": "  <{key}>{value}</{key}>\n",
    "web.config": '  <add key="{key}" value="{value}" />\n',
    "strings.xml": '  <string name="{key}">{value}</string>\n',
    "Info.plist": "  <key>{key}</key>\n  <string>{value}</string>\n",
    "index.html": '<meta name="{key}" content="{value}">\n',
    "main.tf": '  {key} = "{value}"\n',
    "variables.tf": 'variable "{key}" {{\n  type    = string\n  default = "{value}"\n}}\n',
    "seed.sql": "INSERT INTO settings VALUES ('{key}', '{value}');\n",
    "Dockerfile": "ENV {key}={value}\n",
    "api.dockerfile": "ENV {key} {value}\n",
    "docker-compose.yml": "      {key}: {value}\n",
    "compose.yml": "      - {key}={value}\n",
    "README.md": "Set `{key}={value}` first.\n",
    "manual.rst": "    {key} = '{value}'\n",
    "server.log": "{key}: {value}\n",
    "request.http": "{key}: {value}\n",
    "query.py": 'url = "https://api.example.net/v1?{key}={value}&x=1"\n',
    "work.ipynb": '    "{key} = \\"{value}\\"\\n",\n',
    "CMakeLists.cmake": 'set({key} "{value}")\n',
    "Makefile": "{key} := {value}\n",
    "Jenkinsfile": "  environment {{ {key} = '{value}' }}\n",
    "nginx.conf": '  set ${key} "{value}";\n',
    "app.service": "Environment={key}={value}\n",
}
_STRING = re.compile(r"""["']([^"'\n]*\{\{fake:[\w-]+\}\}[^"'\n]*)["']""")
# Formats that are more than one string: a file, or a part of a document (see `DOCUMENTS`).
WHOLE = {"secret-private-key", "secret-putty-key", "secret-json-web-key", "secret-google-service-account"} | {
    generic.STORED.id,
    generic.HASH.id,
}
PLANTED = [rule for rule in RULES if rule.id not in WHOLE and rule not in generic.BY_OTHERS]
PLANTED.remove(generic.GUESSABLE)  # in env and compose files another rule's business
# A key of Django's may hold an `&`: in a query, nobody can tell where it ends.
NOT_IN_A_QUERY = "secret-django-secret-key"


@contextmanager
def salted(salt: str) -> Iterator[None]:
    """Within it, every made credential is another one."""
    real = fakes.scramble

    def scramble(seed: str, length: int, alphabet: str = fakes.ALPHANUMERIC) -> str:
        return real(f"{salt}/{seed}", length, alphabet)

    with ExitStack() as stack:
        for name, module in list(sys.modules.items()):
            if name.startswith("hardenctl.rules") and getattr(module, "scramble", None) is real:
                stack.enter_context(patch.object(module, "scramble", scramble))
        yield


def carried(rule_id: str) -> str:
    """The string that holds a rule's token: the token itself, or the address or header around it."""
    rule = next(each for each in RULES if each.id == rule_id)
    match = _STRING.search(rule.page.sections["Example"])
    assert match, rule_id
    return match[1]


CARRIED = {rule.id: carried(rule.id) for rule in PLANTED}


def planted(path: str, salt: str) -> tuple[str, list[tuple[str, int, int, bool]]]:
    """A file with all tokens, and of each its rule, its span, and whether only its key tells whose it is."""
    text, tokens = "# é: a first line\n", []
    for rule in PLANTED:
        with salted(salt) if rule.pattern else nullcontext():  # what only the score knows is planted as it is
            token = FAKES[rule.id]()
            if (rule.id == NOT_IN_A_QUERY and path == "query.py") or is_name(token) or token.startswith("-"):
                continue  # letters alone are a word, and what starts with a hyphen is a flag: made so by chance
            line = LANGUAGES[path].format(key=rule.variable, value=fill(CARRIED[rule.id]))
            start = len(text) + line.index(token)
            text += line
            tokens.append((rule.id, start, start + len(token), bool(rule.key) or rule in generic.RULES))
    return text, tokens


@pytest.mark.parametrize("path", LANGUAGES)
@settings(max_examples=2, deadline=None)
@given(salt=st.integers(0, 10**9).map(str))
def test_any_token_is_found_at_its_place_in_any_language(path: str, salt: str):
    """Each token is found by its own rule from its first to its last character, and all of it is masked.

    One that only its key tells is sometimes found as any credential is: where no key is told apart (`data-key`), or
    where chance made it of letters alone.
    """
    text, tokens = planted(path, salt)
    blob = Blob(Provenance(path), text.encode())
    hits = {(hit.span.start, hit.span.end): rule.id for rule, hit in detect_secrets(blob, ALL)}
    spans = sensitive_spans(blob)
    for rule, start, end, keyed in tokens:
        line = text[text.rfind("\n", 0, start) + 1 : text.find("\n", start)]
        assert (start, end) in hits, f"{rule} in {line}"
        assert keyed or hits[start, end] == rule, f"{rule} in {line}"
        assert any(first <= start and end <= last for first, last in spans), f"{rule} in {line}"


DOCUMENTS = {
    "key.pem": "{}\n",
    "deploy.yaml": "tls:\n  key: |\n{indented}\n",
    "settings.py": 'KEY = """\n{}\n"""\n',
    "config.js": "const key = `{}`;\n",
    "main.go": "var key = []byte(`{}`)\n",
    "app.toml": 'key = """\n{}"""\n',
    "config.json": '{{"key": "{escaped}"}}\n',
    "prod.env": 'TLS_KEY="{escaped}"\n',
    "App.java": 'String key = "{escaped}";\n',
    "main.tf": "  key = <<EOT\n{}\nEOT\n",
    "Jenkinsfile": "key = '''{}'''\n",
    "web.xml": "<key>\n{}\n</key>\n",
    "README.md": "```\n{}\n```\n",
}


@pytest.mark.parametrize("path", DOCUMENTS)
@settings(max_examples=5, deadline=None)
@given(salt=st.integers(0, 10**9).map(str))
def test_a_private_key_is_found_whole_in_any_language(path: str, salt: str):
    """Over lines, indented or in one line with escapes: from its first dash to its last, and nothing of it is shown."""
    with salted(salt):
        key = FAKES["secret-private-key"]()
    forms = {"indented": key.replace("\n", "\n    ").join(["    ", ""]), "escaped": key.replace("\n", "\\n")}
    text = "# é\n" + DOCUMENTS[path].format(key, **forms)
    start, end = text.index("-----BEGIN"), text.rindex("-----") + 5
    blob = Blob(Provenance(path), text.encode())
    assert [(rule.id, hit.span.start, hit.span.end) for rule, hit in detect_secrets(blob, ALL)] == [
        ("secret-private-key", start, end)
    ]
    assert any(first <= start and end <= last for first, last in sensitive_spans(blob))


@pytest.mark.parametrize(
    ("path", "wrap"),
    [
        pytest.param("key.json", "{}", id="json"),
        pytest.param("app.py", "KEY = {}", id="python"),
        pytest.param("app.js", "const key = {};", id="javascript"),
        pytest.param("prod.env", "KEY='{}'", id="dotenv"),
        pytest.param("a.yaml", "key: '{}'", id="yaml"),
        pytest.param("a.go", "key := `{}`", id="go"),
    ],
)
@pytest.mark.parametrize("rule_id", ["secret-json-web-key", "secret-google-service-account"])
def test_a_key_in_json_is_found_in_any_language(path: str, wrap: str, rule_id: str):
    """A document's secret member is found where the document is part of a program or a variable."""
    rule = next(each for each in RULES if each.id == rule_id)
    [template] = rule.page.files("Example").values()
    token, text = FAKES[rule_id](), wrap.format(fill(template).strip()) + "\n"
    blob = Blob(Provenance(path), text.encode())
    hits = {(each.id, text[hit.span.start : hit.span.end]) for each, hit in detect_secrets(blob, ALL)}
    assert (rule_id, token) in hits


@given(salt=st.integers(0, 10**9).map(str), turn=st.integers(0, len(LANGUAGES) - 1))
@example(salt="1", turn=0)
@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_output_of_any_format_shows_a_token(tmp_path: Path, salt: str, turn: int):
    """Of all rules' tokens, over all languages, nothing but the first characters is in any report, verbose ones too."""
    folder = tmp_path / f"{salt}-{turn}"
    folder.mkdir()
    paths, texts, tokens = list(LANGUAGES), {}, []
    with salted(salt):
        for number, rule in enumerate(PLANTED):
            path = paths[(number + turn) % len(paths)]
            token = FAKES[rule.id]()
            tokens.append((rule.id, path, token))
            line = LANGUAGES[path].format(key=rule.variable, value=fill(CARRIED[rule.id]))
            texts[path] = texts.get(path, "") + line
        key = FAKES["secret-private-key"]()
    texts["key.pem"] = key + "\n"
    tokens += [("secret-private-key", "key.pem", line) for line in key.splitlines()[1:-1]]
    for path, text in texts.items():
        (folder / path).write_text(text, encoding="utf-8")
    report = make_report(Request(paths=(str(folder),), no_ignores=True))
    assert len(report.findings) >= len(PLANTED)
    for name in FORMATS:
        shown = render(report, name, Look(140, verbose=True))
        for rule_id, path, token in tokens:
            for piece in {token, token[len(token) // 2 :], base64.b64encode(token.encode()).decode().rstrip("=")[:-2]}:
                assert piece not in shown, f"{rule_id} in {path} in {name}"
