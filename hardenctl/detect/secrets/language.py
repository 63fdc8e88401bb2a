"""What kind of file a path names, as far as credentials care: who quotes strings, and who only tells or tests."""

from __future__ import annotations

import enum
import functools

from hardenctl.formats.paths import is_env_file
from hardenctl.model.pattern import lazy_pattern


class Quoting(enum.Enum):
    """How a language writes a string."""

    BARE = "bare"  # `key: value` without quotes is a string: YAML, dotenv, INI, shell, properties
    PROSE = "prose"  # documents and logs: a bare value may be one, among sentences
    QUOTED = "quoted"  # only a quoted string is a string: programming languages, JSON


class Setting(enum.Flag):
    """Where a file stands. Several may hold."""

    NONE = 0
    TEST = enum.auto()
    EXAMPLE = enum.auto()
    DOCUMENT = enum.auto()
    GENERATED = enum.auto()  # lock files, bundles, snapshots of hashes
    TRANSLATION = enum.auto()
    CI = enum.auto()  # what only a pipeline's own throw-away services read


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_BARE = _words("""
    yml yaml env ini cfg conf config cnf properties toml sh bash zsh fish bat cmd envrc service npmrc pypirc netrc
    pgpass htpasswd dockercfg mk dockerfile containerfile j2 template tmpl tpl sample example dist local production
    staging development testing prod dev ci travis docker token key secret secrets credentials hcl tfvars http rest list
    plist reg inf ldif
""")
_PROSE = _words("md mdx markdown rst txt adoc asciidoc log out text org tex csv tsv eml cast ipynb")
_BARE_NAMES = _words("makefile dockerfile containerfile procfile vagrantfile jenkinsfile crontab")


def _part_of_path(words: str) -> str:
    return rf"(?:^|[/_.-])(?:{words})(?:[/_.-]|$)"


_LOCKS = (
    r"package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?|poetry\.lock|pdm\.lock|uv\.lock"
    r"|pipfile\.lock|composer\.lock|gemfile\.lock|cargo\.lock|go\.sum|flake\.lock|mix\.lock|pubspec\.lock"
    r"|packages\.lock\.json|podfile\.lock|\.secrets\.baseline|\.hardenctl-baseline\.json|conda-lock\.yml|deno\.lock"
    r"|gradle\.lockfile|verification-metadata\.xml|requirements.*\.lock"
)
# What a front end's build or somebody else wrote: `vendor.bundle.dev.js`, `main-CA4_OjGq.js`, `echarts.128204f2.js`.
# The last is told from words (`app-settings.js`, `res.sendFile.js`) by a digit or capitals as no name has them.
_BUNDLES = r"\.(?:bundle|umd|esm|iife|chunk|worker)(?:\.\w+)?\.[mc]?js$"
_DIGEST = lazy_pattern(
    r"[-.](?:(?=[\w-]{0,9}\d)(?!(?i:[a-z]+)\d{0,3}\.)|(?=[\w-]{0,8}[A-Z]{2}[\w-]{0,7}[a-z][A-Z]))[\w-]{8,10}"
    r"\.(?:[mc]?js|css)$"
)
_VENDORED = r"(?:^|/)(?:vendors?|third[_-]party|bower_components|site-packages|pdfjs)/"
# Each is looked for in a folder, with its last `/`, and in a file's name, lowered: IGNORECASE takes twice the time.
_SETTINGS = {
    Setting.TEST: _part_of_path("tests?|testing|specs?|__tests__|testdata|fixtures?|cassettes|mocks?|e2e|conftest"),
    Setting.EXAMPLE: _part_of_path("examples?|samples?|demos?|dist|templates?|tutorials?|snippets?"),
    Setting.DOCUMENT: r"(?:^|/)(?:docs?(?:_src)?|documentation|handbook|wiki|man)/"
    r"|\.(?:mdx?|markdown|rst|adoc|asciidoc)$"
    r"|^(?:readme|changelog|changes|history|news)[^/]*$",
    Setting.CI: r"(?:^|/)\.?(?:ci|github|gitlab|circleci|buildkite|travis|azure-pipelines)[/.]|(?:^|[._-])ci\.\w{1,5}$",
    Setting.GENERATED: rf"^(?:{_LOCKS})$|{_BUNDLES}"
    r"|\.(?:min\.(?:js|css)|map|svg|lock|sum|po|pot|wasm|pyc|tsbuildinfo)$"
    r"|(?:^|/)(?:node_modules|\.git)/",
    Setting.TRANSLATION: r"(?:^|/)(?:locales?|i18n|l10n|lang|langs|languages|translations?|nls|messages)(?:/|[._-])"
    r"|^(?:en|de|fr|es|ru|zh|ja|ko|pt|it)(?:[-_][a-z]{2})?\.(?:json|ya?ml|js|ts|php)$"
    r"|\.(?:po|pot|xliff?|arb|strings)$",
}
_EXPRESSIONS = {flag: lazy_pattern(expression) for flag, expression in _SETTINGS.items()}
_VENDOR = lazy_pattern(_VENDORED)
_SCRIPTS = (".js", ".mjs", ".cjs", ".css")


@functools.lru_cache(maxsize=1024)
def quoting(path: str) -> Quoting:
    """How the file's language writes strings, by its name; a name without a suffix is taken for configuration."""
    name = path.rpartition("/")[2].lower()
    suffix = name.rpartition(".")[2] if "." in name else ""
    if (
        not suffix
        or suffix in _BARE
        or name.rfind(".") == 0
        or name.startswith((".env", "env."))
        or name in _BARE_NAMES
        or is_env_file(path)
    ):
        return Quoting.BARE
    return Quoting.PROSE if suffix in _PROSE else Quoting.QUOTED


@functools.lru_cache(maxsize=1024)
def setting(path: str) -> Setting:
    """Where the file stands, by its path."""
    folder, slash, name = path.rpartition("/")
    where, vendored = _of_folder(folder.lower() + slash)
    found = where | _of_text(name.lower())
    if name.lower().endswith(_SCRIPTS) and (vendored or _DIGEST.search(name)):
        found |= Setting.GENERATED
    return found


@functools.lru_cache(maxsize=256)
def _of_folder(folder: str) -> tuple[Setting, bool]:
    """What holds of all files in a folder, and whether somebody else wrote them: of files in one there are many."""
    return _of_text(folder), bool(_VENDOR.search(folder))


def _of_text(text: str) -> Setting:
    found = Setting.NONE
    for flag, expression in _EXPRESSIONS.items():
        if expression.search(text):
            found |= flag
    return found
