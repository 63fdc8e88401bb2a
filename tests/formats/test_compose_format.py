"""Compose files: which files are, their services, and how they merge."""

from __future__ import annotations

import pytest

from hardenctl.formats.compose import ComposeFile, Service, compose_files, is_development, is_production
from hardenctl.formats.paths import is_compose
from hardenctl.model.blob import Gap
from hardenctl.sources.memory import MemorySnapshot


def files(texts: dict[str, str]) -> dict[str, ComposeFile]:
    """The compose files by path."""
    found = compose_files(MemorySnapshot(texts))
    return {each.path: each for each in found if isinstance(each, ComposeFile)}


def service(text: str, name: str = "web") -> Service:
    """One service of one file."""
    found = files({"compose.yml": text})["compose.yml"].service(name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("docker-compose.yml", True, id="classic"),
        pytest.param("compose.yaml", True, id="new"),
        pytest.param("deploy/docker-compose.prod.yml", True, id="production-in-a-folder"),
        pytest.param("compose.prod.yaml", True, id="new-production"),
        pytest.param("docker-compose-prod.yml", True, id="dashed"),
        pytest.param("prod.docker-compose.yml", True, id="prefixed"),
        pytest.param(".github/workflows/docker-compose.yml", False, id="a-workflow"),
        pytest.param(".gitlab/ci/compose.yml", False, id="gitlab"),
        pytest.param("decompose.yml", False, id="another-word"),
        pytest.param("docker-compose.yml.j2", False, id="a-template"),
    ],
)
def test_which_files_are_compose_files(path: str, *, expected: bool):
    """By name, in any folder but those of CI."""
    assert is_compose(path) is expected


@pytest.mark.parametrize(
    ("name", "development", "production"),
    [
        pytest.param("docker-compose.yml", False, False, id="neither"),
        pytest.param("docker-compose.dev.yml", True, False, id="dev"),
        pytest.param("docker-compose.override.yml", True, False, id="override"),
        pytest.param("docker-compose-developer.yml", True, False, id="developer"),
        pytest.param("tests/docker-compose.yml", True, False, id="folder"),
        pytest.param("docker-compose.prod.yml", False, True, id="prod"),
        pytest.param("examples/production/compose.yml", False, True, id="production-wins"),
        pytest.param("devices/compose.yml", False, False, id="part-of-a-word"),
    ],
)
def test_what_a_name_says(name: str, *, development: bool, production: bool):
    """Words count, not parts of them."""
    assert (is_development(name), is_production(name)) == (development, production)


def test_a_comment_at_the_top_says_development():
    """People say it there when the name does not."""
    text = "# This file is for the **development** setup.\nservices: {web: {image: x}}\n"
    assert files({"compose.yml": text})["compose.yml"].development
    for comment in ("Our service", "Do not use, not for development", "This is not for testing"):
        assert not files({"compose.yml": f"# {comment}\nservices: {{web: {{image: x}}}}\n"})["compose.yml"].development
    assert not files({"compose.yml": "# Our service\nservices: {web: {image: x}}\n"})["compose.yml"].development


def test_other_yaml_of_that_name_is_no_compose_file_and_broken_yaml_is_a_gap():
    """A gap says where; a file without services is nobody's."""
    found = [*compose_files(MemorySnapshot({"compose.yml": "services:\n\t- x", "a/compose.yml": "jobs: {}"}))]
    assert len(found) == 1
    assert isinstance(found[0], Gap)
    assert "line 2" in found[0].reason


@pytest.mark.parametrize("services", [" 3", "\n- web", " [web]"])
def test_services_that_compose_would_refuse_are_a_gap(services: str):
    """`services` that is no mapping is nothing to look into, and no file without findings; an empty one is."""
    [gap] = compose_files(MemorySnapshot({"compose.yml": f"name: x\nservices:{services}\n"}))
    assert isinstance(gap, Gap)
    assert "`services` is no mapping" in gap.reason
    assert [*compose_files(MemorySnapshot({"compose.yml": "services:\n"}))] == []


def test_a_template_of_a_compose_file_is_read():
    """Jinja markup that YAML can't take is passed over, positions kept."""
    text = "services:\n  {% if x %}\n  web:\n    image: {{ image }}:{% if y %}1{% endif %}\n  {% endif %}\n"
    found = files({"compose.yml": text})["compose.yml"].service("web")
    assert found is not None
    assert found.image is not None
    assert text[found.image.span.start : found.image.span.end].startswith("{{ image }}")
    text = "volumes:\n  {% if x %}{{ name }}_data: {}{% endif %}\nservices:\n  web:\n    image: x\n"
    assert files({"compose.yml": text})["compose.yml"].service("web") is not None


@pytest.mark.parametrize(
    "form",
    [
        pytest.param("{A: '1', B: two, C: }", id="mapping"),
        pytest.param("['A=1', B=two, C]", id="list"),
    ],
)
def test_both_forms_of_environment(form: str):
    """Name, value and place of each; a name alone is passed through."""
    text = f"services:\n  web:\n    image: x\n    environment: {form}\n"
    found = service(text).environment
    assert [(each.name, each.value) for each in found] == [("A", "1"), ("B", "two"), ("C", None)]
    assert [text[each.span.start : each.span.end] for each in found[:2]] == ["1", "two"]
    assert [text[each.key_span.start : each.key_span.end] for each in found] == ["A", "B", "C"]


@pytest.mark.parametrize(
    ("port", "published", "target", "host", "local"),
    [
        pytest.param('"5432:5432"', "5432", "5432", None, False, id="short"),
        pytest.param('"127.0.0.1:1:2"', "1", "2", "127.0.0.1", True, id="loopback"),
        pytest.param('"[::1]:3:4/udp"', "3", "4", "::1", True, id="ipv6-and-protocol"),
        pytest.param("80", None, "80", None, False, id="target-alone"),
        pytest.param('"${PORT:-1}:5"', "${PORT:-1}", "5", None, False, id="variable-with-default"),
        pytest.param('"${HOST:-127.0.0.1}:1:5"', "1", "5", "${HOST:-127.0.0.1}", True, id="host-by-default"),
        pytest.param("{target: 80, published: 8080, host_ip: 127.0.0.1}", "8080", "80", "127.0.0.1", True, id="long"),
        pytest.param("22:22", "22", "22", None, False, id="no-sexagesimal"),
    ],
)
def test_ports(port: str, published: str | None, target: str, host: str | None, *, local: bool):
    """Short and long form, as Compose splits them."""
    (found,) = service(f"services: {{web: {{image: x, ports: [{port}]}}}}").ports
    assert (found.published, found.target, found.host, found.is_local) == (published, target, host, local)


def test_volumes_build_and_env_files():
    """Paths are relative to the audited root."""
    text = """
services:
  web:
    build: {context: ./back, dockerfile: docker/Dockerfile, target: prod}
    env_file: [.env, {path: ../x.env, required: false}]
    volumes: [".:/app:ro", data:/data, /anon, {type: bind, source: /a, target: /b, read_only: true}]
  other: {build: ./back}
  remote: {build: https://example.com/x.git}
"""
    file = files({"deploy/compose.yml": text})["deploy/compose.yml"]
    web, other, remote = file.services
    assert [(each.path, each.required) for each in web.env_files] == [("deploy/.env", True), ("x.env", False)]
    assert [(v.source, v.target, v.read_only) for v in web.volumes] == [
        (".", "/app", True),
        ("data", "/data", False),
        (None, "/anon", False),
        ("/a", "/b", True),
    ]
    assert web.build is not None
    assert (web.build.context, web.build.dockerfile, web.build.target) == (
        "deploy/back",
        "deploy/back/docker/Dockerfile",
        "prod",
    )
    assert other.build is not None
    assert other.build.dockerfile == "deploy/back/Dockerfile"
    assert remote.build is not None
    assert remote.build.context is None


def test_an_override_file_is_merged_with_its_base():
    """Environment by name, lists added, commands replaced, `!reset` and `!override` as they say."""
    found = files(
        {
            "docker-compose.yml": "services: {web: {image: x, command: a, ports: ['1:1'], environment: {A: 1, B: 2}}}",
            "docker-compose.prod.yml": "services:\n  web:\n    command: b\n    ports: !override ['2:2']\n"
            "    environment: [A=9]\n    privileged: !reset null\n",
        }
    )
    web = found["docker-compose.prod.yml"].service("web")
    assert web is not None
    assert web.node.text("command") == "b"
    assert web.image is not None
    assert [(each.name, each.value) for each in web.environment] == [("A", "9"), ("B", "2")]
    assert [each.name for each in web.own_environment] == ["A"]
    assert [each.published for each in web.ports] == ["2"]


def test_a_complete_file_stands_alone():
    """A file whose services have images of their own overrides nothing."""
    found = files(
        {
            "docker-compose.yml": "services: {web: {image: x, environment: {A: 1}}}",
            "docker-compose.prod.yml": "services: {web: {image: y}}",
        }
    )
    web = found["docker-compose.prod.yml"].service("web")
    assert web is not None
    assert web.environment == ()


def test_extends_within_and_across_files():
    """What is extended lies below, and a circle ends."""
    found = files(
        {
            "base/compose.yml": "services: {app: {image: x, environment: {A: 1}, env_file: .env}}",
            "compose.yml": "services:\n  web: {extends: {file: base/compose.yml, service: app}, environment: {B: 2}}\n"
            "  two: {extends: web, command: c}\n  loop: {extends: loop, image: z}\n",
        }
    )["compose.yml"]
    two, loop = found.service("two"), found.service("loop")
    assert two is not None
    assert loop is not None
    assert {each.name for each in two.environment} == {"A", "B"}
    assert [each.path for each in two.env_files] == ["base/.env"]
    assert loop.image is not None


def test_profiles_and_names_tell_of_development():
    """A service that only a dev profile starts is no part of production."""
    assert service("services: {web: {image: x, profiles: [dev]}}").development
    assert service("services: {web: {build: {context: ., target: development_build}}}").development
    assert not service("services: {web: {build: {context: ., target: runtime}}}").development
    assert not service("services: {web: {build: {context: ., target: '${TARGET:-dev}'}}}").development
    assert not service("services: {web: {image: x}}").development
