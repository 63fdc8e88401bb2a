"""Finds, reads, validates and merges policy files into the one effective `Policy`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hardenctl.model.errors import PolicyError, UsageError
from hardenctl.model.files import read_small, top_of
from hardenctl.model.finding import Severity
from hardenctl.model.glob import rebase
from hardenctl.model.nearest import nearest
from hardenctl.model.pattern import lazy_pattern
from hardenctl.model.record import field, record, replace
from hardenctl.policy import cache
from hardenctl.policy.names import is_known, known_ids, nearest_rule
from hardenctl.policy.plain import from_plain, to_plain
from hardenctl.policy.policy import Policy, default_policy
from hardenctl.policy.presets import PRESETS

MOST = 2**20  # bytes of a policy file: a hundred times what the longest of rules and exceptions need
PYPROJECT = "pyproject.toml"
_GITLEAKS = ("gitleaks.toml", "betterleaks.toml")
FILES = ("hardenctl.toml", "hardenctl.yaml", "hardenctl.yml")
_TABLE = "tool.hardenctl"
# Every way to write the table in TOML: `[tool.hardenctl]`, `[tool]` with a key, `tool = {...}`, dotted or quoted.
_MAYBE_TABLE = lazy_pattern(
    rb"""tool["']?\s*\.\s*["']?hardenctl|^\s*\[\s*["']?tool["']?\s*\]|^\s*["']?tool["']?\s*=""", re.MULTILINE
)


def load_policy(root: Path, config: Path | None = None) -> Policy:
    """The policy that holds for a project.

    It is `config` where one is named, else the policy file in `root` (hardenctl.toml, hardenctl.yaml, or pyproject.toml
    with a table `tool.hardenctl`), else the one of the nearest folder above within the same repository; its globs are
    then rewritten to be relative to `root`. Raises PolicyError that names file and key; two policy files in one folder
    are an error too.
    """
    if config is not None:
        policy = _load(config, _read(config, None), root, None)
        if policy is None:
            shown = _shown(config, root)
            raise PolicyError(f"{shown}: there is no table `{_TABLE}`", help=f"add `[{_TABLE}]` or name another file")
        return policy
    root, top = root.resolve(), top_of(root)
    folder = root
    while True:
        policy = _policy_in(folder, root, top)
        if policy is not None:
            return policy if folder == root else _rebased(policy, root.relative_to(folder).parts)
        if folder == top:
            return default_policy()
        folder = folder.parent


def _policy_in(folder: Path, root: Path, top: Path) -> Policy | None:
    """The policy of the file in this very folder, None where there is none."""
    # What has a policy's name and cannot be read as one is an error: it is never silently no policy.
    found = [(path, _read(path, top)) for name in FILES if os.path.lexists(path := folder / name)]
    pyproject = folder / PYPROJECT
    if os.path.lexists(pyproject):
        # A link to the project's one file elsewhere is usual, and no policy unless it has the table.
        data = _read(pyproject, None if pyproject.is_file() else top)
        # The bytes decide whether it is parsed at all: most runs have no such table, though they may depend on us.
        if b"hardenctl" in data and _MAYBE_TABLE.search(data) and (not found or _has_table(pyproject, data)):
            found.append((pyproject, _read(pyproject, top)))
    if not found:
        return None
    if len(found) > 1:
        names = " and ".join(path.name for path, _ in found)
        raise PolicyError(f"{names}: two policy files in one folder", help="keep one of them, or name it with --config")
    file, data = found[0]
    return _load(file, data, root, top)


def _rebased(policy: Policy, prefix: Sequence[str]) -> Policy:
    """A policy of a folder above, with its globs as they read from the folder that `prefix` leads to."""
    return replace(
        policy,
        exclude=tuple(glob for each in policy.exclude if (glob := rebase(each, prefix))),
        suppressions=tuple(
            replace(each, path=glob) for each in policy.suppressions if (glob := rebase(each.path, prefix))
        ),
    )


def with_overrides(
    policy: Policy,
    *,
    fail_on: str | None = None,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    exclude: Sequence[str] = (),
    no_ignores: bool = False,
    plugins: Sequence[str] = (),
) -> Policy:
    """The policy with what the command line says on top. Raises UsageError for an unknown severity, rule or prefix."""
    changes: dict[str, Any] = {}
    if fail_on is not None:
        words = [*(each.word for each in Severity), "never"]
        if fail_on not in words:
            help_ = nearest(fail_on, words) or f"it is one of {', '.join(words)}"
            raise UsageError(f"--fail-on: `{fail_on}` is no severity", help=help_)
        changes["fail_on"] = None if fail_on == "never" else Severity[fail_on.upper()]
    ids = known_ids() if select or ignore else ()
    for option, selectors in (("select", select), ("ignore", ignore)):
        for each in selectors:
            if not is_known(each, ids):
                raise UsageError(f"--{option}: `{each}` is no rule and no prefix of one", help=nearest_rule(each, ids))
        if selectors:
            changes[option] = (*getattr(policy, option), *selectors)
    if exclude:
        changes["exclude"] = (*policy.exclude, *exclude)
    if no_ignores:
        changes["no_ignores"] = True
    if plugins:
        secrets = policy.settings.secrets
        named = (*secrets.plugins, *(each for each in plugins if each not in secrets.plugins))
        changes["settings"] = replace(policy.settings, secrets=replace(secrets, plugins=named))
    return replace(policy, **changes) if changes else policy


def _load(file: Path, data: bytes, root: Path, top: Path | None) -> Policy | None:
    """The policy of a file, from the cache where nothing changed; None where a pyproject.toml has no table."""
    ids = known_ids()
    shown = _shown(file, root)
    name = cache.key(file, data, ids)
    if (plain := cache.load_entry(name)) is not None:
        try:
            return from_plain(plain, path=shown)
        except (KeyError, ValueError, TypeError, AttributeError):
            pass  # an entry of another shape is as good as none
    table = _table(file, data, shown)
    if table is None:
        return None
    resolver = _Resolver(ids, top)
    policy = from_plain(resolver.resolve(table, file, shown, (file.resolve(),)), path=shown)
    cache.save_entry(name, to_plain(policy), resolver.digests)
    return policy


@record(slots=False, frozen=False)
class _Resolver:
    """Lays policy files over what they extend. `digests` collects the files that were read, for the cache.

    `top` is the project in which the first one was found, None for one that the user named.
    """

    rules: tuple[str, ...]
    top: Path | None
    digests: dict[str, str] = field(default_factory=dict)

    def resolve(self, table: Mapping[str, Any], file: Path, shown: str, chain: tuple[Path, ...]) -> dict[str, Any]:
        """A file's table over what it extends; `chain` is the way here."""
        from hardenctl.policy.schema import validate

        prefix = _TABLE if file.name == PYPROJECT else ""
        own = validate(table, file=shown, prefix=prefix, rules=self.rules).model_dump(by_alias=True, exclude_unset=True)
        merged: dict[str, Any] = {}
        for name in own.get("extends", ()):
            merged = _merge(merged, PRESETS[name] if name in PRESETS else self._extended(name, file, shown, chain))
        merged = _merge(merged, own)
        self._check_allowed(own, merged, shown, prefix)
        return merged

    def _check_allowed(self, own: Mapping[str, Any], merged: Mapping[str, Any], shown: str, prefix: str) -> None:
        """Rules that a file's exceptions name are ours, or custom ones of the file or of what it extends."""
        custom = [each["id"] for each in merged.get("secrets", {}).get("custom", ())]
        for index, allowed in enumerate(own.get("secrets", {}).get("allow", ())):
            for name in allowed.get("rules", ()):
                if name not in custom and not is_known(name.removesuffix("-"), self.rules):
                    key = f"{prefix}.secrets.allow[{index}].rules".removeprefix(".")
                    help_ = nearest_rule(name, (*self.rules, *custom))
                    raise PolicyError(f"{shown}: `{key}`: no rule, prefix or custom id of that name", help=help_)

    def _extended(self, name: str, file: Path, shown: str, chain: tuple[Path, ...]) -> dict[str, Any]:
        key = f"{_TABLE}.extends" if file.name == PYPROJECT else "extends"
        other = file.parent / name
        if not other.is_file():
            help_ = nearest(name, PRESETS) or f"presets are {', '.join(PRESETS)}; a file is relative to {shown}"
            raise PolicyError(f"{shown}: `{key}`: `{name}` is neither a preset nor a file", help=help_)
        resolved = other.resolve()
        if resolved in chain:
            way = " -> ".join(each.name for each in (*chain[chain.index(resolved) :], resolved))
            raise PolicyError(f"{shown}: `{key}`: a file extends itself: {way}", help="remove one of the links")
        data = _read(other, self.top)
        self.digests[str(resolved)] = cache.digest(data)
        if is_gitleaks(other.name):
            return self._translated(other, name, data, (*chain, resolved))
        table = _table(other, data, name)
        if table is None:
            raise PolicyError(f"{shown}: `{key}`: `{name}` has no table `{_TABLE}`", help=f"add `[{_TABLE}]` to it")
        return self.resolve(table, other, name, (*chain, resolved))

    def _translated(self, file: Path, shown: str, data: bytes, chain: tuple[Path, ...]) -> dict[str, Any]:
        """Another tool's rules and allowlists as a policy's, over what that file extends."""
        from hardenctl.policy.gitleaks import extended_path, translate

        document = _table(file, data, shown) or {}
        base: dict[str, Any] = {}
        if path := extended_path(document, shown):
            base = self._extended(path, file, shown, chain)
        return _merge(base, translate(document, shown))


def _merge(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    """`top` over `base`: tables key by key; lists of exceptions and of custom rules add up; all else is replaced."""
    merged = dict(base)
    for key, value in top.items():
        if isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = _merge(merged[key], value)
        elif key in {"exclude", "suppress", "custom", "allow", "notes"}:
            merged[key] = [*merged.get(key, ()), *value]
        else:
            merged[key] = value
    return merged


def is_gitleaks(name: str) -> bool:
    """Whether a file is gitleaks' or betterleaks' by its name."""
    return name.endswith(_GITLEAKS)


def _read(file: Path, top: Path | None) -> bytes:
    """A policy file, found in the project `top` or named by the user."""
    try:
        return read_small(file, top, MOST)
    except OSError as error:
        help_ = "name a readable policy file" if top is None else "put a file there; --config names one from elsewhere"
        raise PolicyError(f"{file}: {error.strerror or 'cannot be read'}", help=help_) from None


def _has_table(file: Path, data: bytes) -> bool:
    return _table(file, data, file.name) is not None


def _table(file: Path, data: bytes, shown: str) -> Mapping[str, Any] | None:
    """The policy table of a file as plain data; None where a pyproject.toml has none."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise PolicyError(f"{shown}: not UTF-8", help="save it as UTF-8") from None
    document = _yaml(text, shown) if file.suffix in {".yaml", ".yml"} else _toml(text, shown)
    if file.name != PYPROJECT:
        return document
    tool = document.get("tool")
    table = tool.get("hardenctl") if isinstance(tool, dict) else None
    if table is None or isinstance(table, dict):
        return table
    raise PolicyError(f"{shown}: `{_TABLE}`: expected a table", help=f"write `[{_TABLE}]`")


def _toml(text: str, shown: str) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # The decoder's message can quote a key, hence only its place.
        place = str(error).rpartition("(at ")[2].rstrip(")")
        raise PolicyError(f"{shown}: not valid TOML at {place}", help="correct the file at that place") from None
    except ValueError:  # Python reads no number of more than 4,300 digits
        raise PolicyError(f"{shown}: not valid TOML: a number is too long", help="no key needs that") from None
    except RecursionError:
        raise PolicyError(f"{shown}: nested too deeply", help="no key needs that") from None


def _yaml(text: str, shown: str) -> dict[str, Any]:
    import yaml

    class Strict(yaml.SafeLoader):
        """The safe loader, for which a key given twice is an error, as in TOML: one of them would not hold."""

        def construct_mapping(self, node: yaml.MappingNode, deep: Any = False) -> Any:  # noqa: FBT002 - as declared
            """As declared."""
            seen = set()
            for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
                if (key.tag, key.value) in seen:
                    raise yaml.constructor.ConstructorError(problem="given twice", problem_mark=key.start_mark)
                seen.add((key.tag, key.value))
            return super().construct_mapping(node, deep)

    try:
        document = yaml.load(text, Strict)  # noqa: S506 - it is a safe one
    except RecursionError:
        raise PolicyError(f"{shown}: nested too deeply", help="no key needs that") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        twice = ": a key is given twice" if error.problem == "given twice" else ""
        raise PolicyError(f"{shown}: not valid YAML{place}{twice}", help="correct the file at that place") from None
    except (yaml.YAMLError, ValueError):
        raise PolicyError(f"{shown}: not valid YAML", help="correct the file") from None
    if document is None:
        return {}
    if not isinstance(document, dict) or not all(isinstance(key, str) for key in document):
        raise PolicyError(f"{shown}: expected a table of keys at the top", help="write `fail-on: medium`, for one")
    return document


def _shown(file: Path, root: Path) -> str:
    """The path as messages show it: relative to the root where it lies below or above it."""
    resolved, top = file.resolve(), root.resolve()
    if resolved.is_relative_to(top):
        return resolved.relative_to(top).as_posix()
    if top.is_relative_to(resolved.parent):
        return "../" * len(top.relative_to(resolved.parent).parts) + resolved.name
    return str(file)
