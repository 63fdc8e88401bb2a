"""The platforms: each one's program, how it takes a value by standard input, and what it can name.

Every command line here was read off the program itself or off the page named beside it. A program that only takes a
value through an editor is given one that writes it (`editor`); a platform whose program takes none has its API asked by
curl, whose whole request is on standard input.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hardenctl.model.errors import ToolError, UsageError
from hardenctl.model.files import read_small

# For programs that want a file: the pipe under its own name. Nothing is on disk, so nothing is left there.
PIPE = "/dev/stdin"


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a value goes: `key` at a platform, in one of its environments; `Platform.environment` says what that is."""

    platform: str
    key: str
    environment: str = ""

    def __str__(self) -> str:
        """For the preview: names, never values."""
        return f"{self.platform}: {self.key}" + (f" in {self.environment}" if self.environment else "")


def _whole(_: Destination, value: str, __: str) -> str:
    return value


def _nothing(_: Destination) -> str:
    return ""


def _lines(text: str, _: Destination) -> list[str]:
    return text.split("\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """A platform's program.

    `ready` asks whether it is logged in, `deliver` takes `payload(destination, value, fetched)` on standard input,
    where `fetched` is what `fetch` printed before. `names` reads key names out of what `present` printed. `asked` is
    what `ready` and `present` get on standard input.
    """

    program: str
    log_in: str
    ready: Callable[[Destination], list[str]]
    deliver: Callable[[Destination], list[str]]
    present: Callable[[Destination], list[str]]
    names: Callable[[str, Destination], list[str]] = _lines
    fetch: Callable[[Destination], list[str]] | None = None
    payload: Callable[[Destination, str, str], str] = _whole
    asked: Callable[[Destination], str] = _nothing
    editor: bool = False  # the value goes through an editor that the program starts
    key: re.Pattern[str]
    key_help: str
    environment: str  # what `--environment` names
    asks_environment: bool = False  # there is no usual one
    lists_by_key: bool = False  # a key has to say whose names are asked for


def _option(name: str, value: str) -> list[str]:
    return [f"{name}={value}"] if value else []


def _split(key: str) -> tuple[str, str]:
    """`shop/SECRET_KEY`: the thing, and the key in it."""
    thing, _, name = key.rpartition("/")
    return thing, name


def _json(text: str, program: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        raise ToolError(
            f"`{program}` printed something else than JSON", help="is it the platform's own, and recent?"
        ) from None


def _mapping(text: str, program: str) -> dict[str, object]:
    data = _json(text, program)
    if not isinstance(data, dict):
        raise ToolError(f"`{program}` printed JSON of another shape", help="is it the platform's own, and recent?")
    return data


def _rows(data: object) -> list[dict[str, object]]:
    return [each for each in data if isinstance(each, dict)] if isinstance(data, list) else []


def _manifest(destination: Destination, value: str, _: str) -> str:
    """A Kubernetes Secret with one key. Keys that others own in the same Secret stay: the apply is server-side."""
    name, key = _split(destination.key)
    data = {key: base64.b64encode(value.encode()).decode()}
    return json.dumps(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "type": "Opaque", "data": data}
    )


_COMPONENTS = ("services", "workers", "jobs", "functions", "static_sites")


def _app_spec(destination: Destination, value: str, fetched: str) -> str:
    """An App Platform spec with one variable set: where components have it, there; else for the whole app."""
    spec = _mapping(fetched, "doctl")
    holders = [each for name in _COMPONENTS for each in _rows(spec.get(name))]
    places = [row for each in (spec, *holders) for row in _rows(each.get("envs")) if row.get("key") == destination.key]
    if not places:
        row: dict[str, object] = {"key": destination.key, "scope": "RUN_TIME"}
        envs = spec.setdefault("envs", [])
        if not isinstance(envs, list):
            raise ToolError("`doctl` printed a spec of another shape", help="is it recent?")
        envs.append(row)
        places = [row]
    for row in places:
        row["type"], row["value"] = "SECRET", value
    return json.dumps(spec)


def _app_names(text: str, _: Destination) -> list[str]:
    spec = _mapping(text, "doctl")
    holders = [spec, *(each for name in _COMPONENTS for each in _rows(spec.get(name)))]
    return [str(row["key"]) for each in holders for row in _rows(each.get("envs")) if "key" in row]


def _item(destination: Destination, value: str, fetched: str) -> str:
    """A 1Password item with one field set. A LOGIN is refused: its passkey does not survive the way through JSON."""
    item, name = _mapping(fetched, "op"), _split(destination.key)[1]
    if item.get("category") == "LOGIN":
        raise UsageError(
            "a 1Password LOGIN item loses its passkey when its JSON is sent back",
            help="use an item of another category",
        )
    fields = item.setdefault("fields", [])
    if not isinstance(fields, list):
        raise ToolError("`op` printed an item of another shape", help="is it version 2?")
    row = next((each for each in _rows(fields) if name in {each.get("label"), each.get("id")}), None)
    if row is None:
        row = {"id": name, "label": name, "type": "CONCEALED"}
        fields.append(row)
    row["value"] = value
    return json.dumps(item)


def _import_line(destination: Destination, value: str, _: str) -> str:
    """What `flyctl secrets import` reads: NAME=VALUE, or lines between triple quotes."""
    if value != value.strip(" ") or "\r" in value or '"' in value:
        raise UsageError("flyctl would change a value with quotes or blanks around it", help="choose another alphabet")
    quotes = '"""' if "\n" in value else ""
    return f"{destination.key}={quotes}{value}{quotes}\n"


def _encrypted_names(text: str, destination: Destination) -> list[str]:
    """The keys of an encrypted file: SOPS leaves them readable."""
    del text
    import yaml

    try:
        written = read_small(Path(destination.environment)).decode("utf-8")
        data = yaml.safe_load(written) if not destination.environment.endswith(".env") else None
    except (OSError, ValueError, RecursionError, yaml.YAMLError):
        raise ToolError(f"`{destination.environment}` cannot be read", help="name the encrypted file") from None
    if isinstance(data, dict):
        return [str(key) for key in data if key != "sops"]
    return [
        line.partition("=")[0] for line in written.splitlines() if "=" in line and not line.startswith(("sops_", "#"))
    ]


def _edited(destination: Destination, value: str, fetched: str) -> str:
    """What the editor writes. The program drops a line break at the end that the old value has not."""
    if fetched.strip("\r\n") == "":
        raise UsageError(
            f"the app has no variable {destination.key}",
            help=f"make it first: `heroku config:set {destination.key}=later --app {destination.environment}`",
        )
    old = fetched.removesuffix("\n").removesuffix("\r")
    return value + ("\n" if value.endswith("\n") and not old.endswith("\n") else "")


def _render(destination: Destination, resource: str = "", *more: str) -> str:
    """A request to Render's API as curl's configuration file: the key is in no argument either.

    RENDER_API_KEY and RENDER_HOST are what Render's own program takes: https://render.com/docs/cli
    """
    token = os.environ.get("RENDER_API_KEY", "")
    if not token:
        raise ToolError("RENDER_API_KEY is not set", help="make an API key in Render's account settings")
    host = os.environ.get("RENDER_HOST", "https://api.render.com/v1/").rstrip("/")
    lines = [
        f"url = {_quoted(f'{host}/services/{destination.environment}{resource}')}",
        f"header = {_quoted(f'Authorization: Bearer {token}')}",
        *more,
    ]
    return "\n".join(lines) + "\n"


def _render_variable(destination: Destination, value: str, _: str) -> str:
    return _render(
        destination,
        f"/env-vars/{destination.key}",
        'request = "PUT"',
        'header = "Content-Type: application/json"',
        f"data-raw = {_quoted(json.dumps({'value': value}))}",
    )


def _quoted(text: str) -> str:
    """A string of curl's configuration file."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


_RENDER_PAGE = 100  # the most rows that one answer has


def _render_names(text: str, _: Destination) -> list[str]:
    rows = _rows(_json(text, "curl"))
    if len(rows) >= _RENDER_PAGE:
        raise ToolError("the service has more variables than one answer names", help="look at Render's dashboard")
    return [str(inner.get("key")) for row in rows if isinstance(inner := row.get("envVar"), dict)]


_CURL = ["--disable", "--silent", "--show-error", "--fail", "--config", "-"]
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_VARIABLE_HELP = "letters, digits and `_`"
_KUBERNETES_NAMES = (
    '{{range .items}}{{$n := .metadata.name}}{{range $k, $v := .data}}{{$n}}/{{$k}}{{"\\n"}}{{end}}{{end}}'
)

PLATFORMS: Mapping[str, Platform] = {
    # gh secret set --help, gh secret list --help (2.23.0)
    "github": Platform(
        program="gh",
        log_in="gh auth login",
        ready=lambda _: ["auth", "status"],
        deliver=lambda to: ["secret", "set", to.key, *_option("--env", to.environment)],
        present=lambda to: ["secret", "list", *_option("--env", to.environment)],
        names=lambda text, _: [line.split("\t")[0] for line in text.splitlines()],
        key=_VARIABLE,
        key_help=_VARIABLE_HELP,
        environment="deployment environment",
    ),
    # https://docs.railway.com/cli/variable
    "railway": Platform(
        program="railway",
        log_in="railway login",
        ready=lambda _: ["whoami"],
        deliver=lambda to: ["variable", "set", to.key, "--stdin", *_option("--environment", to.environment)],
        present=lambda to: ["variable", "list", "--json", *_option("--environment", to.environment)],
        names=lambda text, _: list(_mapping(text, "railway")),
        key=_VARIABLE,
        key_help=_VARIABLE_HELP,
        environment="environment",
    ),
    # https://cloud.google.com/sdk/gcloud/reference/secrets/versions/add
    "gcp": Platform(
        program="gcloud",
        log_in="gcloud auth login",
        ready=lambda _: ["auth", "print-access-token", "--quiet"],
        deliver=lambda to: [
            "secrets", "versions", "add", to.key, "--data-file=-", *_option("--project", to.environment)
        ],
        present=lambda to: ["secrets", "list", "--format=value(name)", *_option("--project", to.environment)],
        key=re.compile(r"[A-Za-z0-9_-]{1,255}"),
        key_help="letters, digits, `-` and `_`",
        environment="project",
    ),
    # https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-parameters-file.html
    "aws": Platform(
        program="aws",
        log_in="aws sso login",
        ready=lambda to: ["sts", "get-caller-identity", *_option("--profile", to.environment)],
        deliver=lambda to: [
            "secretsmanager", "put-secret-value", "--secret-id", to.key, "--secret-string", f"file://{PIPE}",
            *_option("--profile", to.environment),
        ],
        present=lambda to: [
            "secretsmanager", "list-secrets", "--query", "SecretList[].Name", "--output", "json",
            *_option("--profile", to.environment),
        ],
        names=lambda text, _: list(map(str, names)) if isinstance(names := _json(text, "aws"), list) else [],
        key=re.compile(r"[A-Za-z0-9/_+=.@:][A-Za-z0-9/_+=.@:-]{0,511}"),
        key_help="the secret's name or ARN; it has to be there (`aws secretsmanager create-secret`)",
        environment="profile",
    ),
    # https://docs.digitalocean.com/reference/doctl/reference/apps/update/ and .../apps/spec/get/
    "digitalocean": Platform(
        program="doctl",
        log_in="doctl auth init",
        ready=lambda to: ["apps", "get", to.environment, "--format=ID"],
        fetch=lambda to: ["apps", "spec", "get", to.environment, "--format=json"],
        deliver=lambda to: ["apps", "update", to.environment, "--spec=-", "--format=ID"],
        payload=_app_spec,
        present=lambda to: ["apps", "spec", "get", to.environment, "--format=json"],
        names=_app_names,
        key=_VARIABLE,
        key_help=_VARIABLE_HELP,
        environment="app's id",
        asks_environment=True,
    ),
    # Field managers: https://kubernetes.io/docs/reference/using-api/server-side-apply/
    "kubernetes": Platform(
        program="kubectl",
        log_in="kubectl config use-context NAME",
        ready=lambda to: ["auth", "can-i", "patch", "secrets", *_option("--namespace", to.environment)],
        # One field manager a key: server-side apply removes what the same manager applied before and leaves out now.
        deliver=lambda to: [
            "apply", "--server-side", f"--field-manager=hardenctl-{_split(to.key)[1]}",
            *_option("--namespace", to.environment), "--filename=-",
        ],
        payload=_manifest,
        present=lambda to: [
            "get", "secrets", *_option("--namespace", to.environment), f"--output=go-template={_KUBERNETES_NAMES}"
        ],
        key=re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?/[A-Za-z0-9._-]+"),
        key_help="SECRET/KEY, such as shop/SECRET_KEY",
        environment="namespace",
    ),
    # https://developer.hashicorp.com/vault/docs/commands/kv/patch; names without values:
    # https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2#read-secret-subkeys
    "vault": Platform(
        program="vault",
        log_in="vault login",
        ready=lambda _: ["token", "lookup", "-format=json"],
        deliver=lambda to: [
            "kv", "patch", *_option("-namespace", to.environment), f"-mount={to.key.partition('/')[0]}",
            _split(to.key)[0].partition("/")[2], f"{_split(to.key)[1]}=-",
        ],
        present=lambda to: [
            "read", *_option("-namespace", to.environment), "-format=json",
            "{}/subkeys/{}".format(*_split(to.key)[0].partition("/")[::2]),
        ],
        names=lambda text, _: list(_section(_mapping(text, "vault"), "data", "subkeys")),
        key=re.compile(r"[A-Za-z0-9_.]+(/[A-Za-z0-9_.][A-Za-z0-9_.-]*)+/[A-Za-z_][A-Za-z0-9_]*"),
        key_help="MOUNT/PATH/KEY, such as secret/shop/SECRET_KEY; the path has to be there (`vault kv put`)",
        environment="namespace",
        lists_by_key=True,
    ),
    # https://fly.io/docs/flyctl/secrets-import/
    "flyio": Platform(
        program="flyctl",
        log_in="flyctl auth login",
        ready=lambda _: ["auth", "whoami"],
        deliver=lambda to: ["secrets", "import", "--detach", *_option("--app", to.environment)],
        payload=_import_line,
        present=lambda to: ["secrets", "list", "--json", *_option("--app", to.environment)],
        names=lambda text, _: [str(row.get("name", row.get("Name"))) for row in _rows(_json(text, "flyctl"))],
        key=_VARIABLE,
        key_help=_VARIABLE_HELP,
        environment="app",
    ),
    # https://docs.doppler.com/docs/setting-secrets; doppler secrets set --help (3.77.1)
    "doppler": Platform(
        program="doppler",
        log_in="doppler login",
        ready=lambda _: ["me", "--json"],
        deliver=lambda to: [
            "secrets", "set", to.key, "--no-interactive", "--silent", *_option("--config", to.environment)
        ],
        present=lambda to: ["secrets", "--only-names", "--json", *_option("--config", to.environment)],
        names=lambda text, _: list(_mapping(text, "doppler")),
        key=re.compile(r"[A-Z_][A-Z0-9_]*"),
        key_help="capital letters, digits and `_`",
        environment="config",
    ),
    # https://developer.1password.com/docs/cli/reference/management-commands/item (item edit: piped input)
    "onepassword": Platform(
        program="op",
        log_in="op signin",
        ready=lambda _: ["whoami"],
        fetch=lambda to: ["item", "get", _split(to.key)[0], "--format=json", *_option("--vault", to.environment)],
        deliver=lambda to: ["item", "edit", _split(to.key)[0], "--format=json", *_option("--vault", to.environment)],
        payload=_item,
        present=lambda to: ["item", "get", _split(to.key)[0], "--format=json", *_option("--vault", to.environment)],
        names=lambda text, _: [str(row.get("label")) for row in _rows(_mapping(text, "op").get("fields"))],
        key=re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]*/[A-Za-z0-9][A-Za-z0-9 ._-]*"),
        key_help="ITEM/FIELD, such as shop/SECRET_KEY; the item has to be there",
        environment="vault",
        lists_by_key=True,
    ),
    # sops set --value-file: https://github.com/getsops/sops/pull/1876 (3.11)
    "sops": Platform(
        program="sops",
        log_in="sops updatekeys FILE",
        ready=lambda to: ["filestatus", to.environment],
        deliver=lambda to: ["set", "--value-file", to.environment, f'["{to.key}"]', PIPE],
        payload=lambda _, value, __: json.dumps(value),
        present=lambda to: ["filestatus", to.environment],
        names=_encrypted_names,
        key=_VARIABLE,
        key_help=_VARIABLE_HELP,
        environment="encrypted file",
        asks_environment=True,
    ),
    # docker secret create --help (28.2.2)
    "docker-secret": Platform(
        program="docker",
        log_in="docker swarm init",
        ready=lambda to: [*_option("--context", to.environment), "secret", "ls", "--quiet"],
        deliver=lambda to: [*_option("--context", to.environment), "secret", "create", to.key, "-"],
        present=lambda to: [*_option("--context", to.environment), "secret", "ls", "--format={{.Name}}"],
        key=re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,62}[A-Za-z0-9])?"),
        key_help="a new name: Docker's secrets cannot be changed",
        environment="Docker context",
    ),
    # heroku config:edit --help, and its source: a variable that is there, through $VISUAL (11.10.0)
    "heroku": Platform(
        program="heroku",
        log_in="heroku login",
        ready=lambda to: ["config", "--json", "--app", to.environment],
        fetch=lambda to: ["config:get", to.key, "--app", to.environment],
        deliver=lambda to: ["config:edit", to.key, "--app", to.environment],
        payload=_edited,
        editor=True,
        present=lambda to: ["config", "--json", "--app", to.environment],
        names=lambda text, _: list(_mapping(text, "heroku")),
        key=_VARIABLE,
        key_help=f"{_VARIABLE_HELP}; it has to be there (`heroku config:set NAME=later`)",
        environment="app",
        asks_environment=True,
    ),
    # https://api-docs.render.com/reference/update-env-var; Render's own program sets none of a service that is there
    "render": Platform(
        program="curl",
        log_in="export RENDER_API_KEY=...",
        ready=lambda _: _CURL,
        asked=lambda to: _render(to, "/env-vars?limit=100"),
        deliver=lambda _: _CURL,
        payload=_render_variable,
        present=lambda _: _CURL,
        names=_render_names,
        key=_VARIABLE,
        key_help=_VARIABLE_HELP,
        environment="service's id",
        asks_environment=True,
    ),
}  # fmt: skip


def _section(data: dict[str, object], *path: str) -> dict[str, object]:
    for name in path:
        inner = data.get(name)
        data = inner if isinstance(inner, dict) else {}
    return data
