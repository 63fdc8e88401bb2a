"""How Compose merges a service with what it extends or overrides: mappings deeply, some lists by adding up."""

from __future__ import annotations

from hardenctl.formats.yaml import Mapping, Node, Sequence

# Lists that add up; `command`, `entrypoint`, healthcheck tests and the like are replaced.
_ADDED = frozenset(
    (
        "ports",
        "expose",
        "external_links",
        "dns",
        "dns_search",
        "tmpfs",
        "cap_add",
        "cap_drop",
        "security_opt",
        "devices",
        "env_file",
        "volumes",
        "configs",
        "secrets",
        "group_add",
        "extra_hosts",
        "device_cgroup_rules",
        "profiles",
    )
)
# Either a list of `name=value` or a mapping.
_NAMED = frozenset(("environment", "labels", "args", "annotations", "sysctls"))


def merge_service(base: Mapping, override: Mapping) -> Mapping:
    """The service `override` makes of `base`; every part keeps the span of the file it comes from."""
    entries = {key.text: (key, value) for key, value in base}
    for key, value in override:
        name = key.text
        if value.tag == "!reset":
            entries.pop(name, None)
        elif value.tag == "!override" or name not in entries:
            entries[name] = (key, value)
        else:
            entries[name] = (key, _merged(name, entries[name][1], value))
    return Mapping(override.span, tuple(entries.values()), override.tag)


def _merged(name: str, base: Node, override: Node) -> Node:
    if name in _NAMED:
        return Sequence(override.span, (*_as_list(base), *_as_list(override)))
    if isinstance(base, Mapping) and isinstance(override, Mapping):
        return merge_service(base, override)
    if name in _ADDED and not isinstance(base, Mapping) and not isinstance(override, Mapping):
        return Sequence(override.span, (*_list(base), *_list(override)))
    return override


def _list(node: Node) -> tuple[Node, ...]:
    return node.items if isinstance(node, Sequence) else (node,)


def _as_list(node: Node) -> tuple[Node, ...]:
    """Both forms of `environment`: one-entry mappings stand for `name: value`."""
    if isinstance(node, Mapping):
        return tuple(Mapping(node.span, (entry,)) for entry in node)
    return node.items if isinstance(node, Sequence) else ()
