"""Dockerfiles: instructions as BuildKit splits them, stages, and what a container gets."""

from __future__ import annotations

import pytest

from hardenctl.formats.dockerfile import Dockerfile, parse_dockerfile
from hardenctl.formats.launch.image import host_folders, host_paths
from hardenctl.formats.paths import is_dockerfile


def parse(text: str) -> Dockerfile:
    """A Dockerfile that has a FROM."""
    found = parse_dockerfile("Dockerfile", text)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("Dockerfile", True, id="plain"),
        pytest.param("docker/Dockerfile.prod", True, id="suffix"),
        pytest.param("web.Dockerfile", True, id="prefix"),
        pytest.param("fly.dockerfile", True, id="lower-case"),
        pytest.param("Containerfile", True, id="podman"),
        pytest.param("Dockerfile.dockerignore", False, id="its-ignore-file"),
        pytest.param("dockerfile.py", False, id="code"),
        pytest.param("Dockerfile.j2", False, id="template"),
    ],
)
def test_which_files_are_dockerfiles(path: str, *, expected: bool):
    """By name, in any folder."""
    assert is_dockerfile(path) is expected


@pytest.mark.parametrize(
    ("text", "keywords"),
    [
        pytest.param("FROM x\nRUN a \\\n  b\nUSER u", "FROM RUN USER", id="continuation"),
        pytest.param("FROM x\nRUN a \\\n# comment\n\n  b\nUSER u", "FROM RUN USER", id="comment-within"),
        pytest.param("FROM x\nRUN <<EOF\nUSER no\nEOF\nUSER u", "FROM RUN USER", id="heredoc"),
        pytest.param("FROM x\nRUN <<-'END' cat\n\tUSER no\n\tEND\nUSER u", "FROM RUN USER", id="dashed-quoted-heredoc"),
        pytest.param("FROM x\nCOPY <<A <<B /d\nx\nA\ny\nB\nUSER u", "FROM COPY USER", id="two-heredocs"),
        pytest.param("FROM x\nRUN <<EOF\nUSER u", "FROM RUN USER", id="heredoc-without-end-is-none"),
        pytest.param("FROM x\nRUN cat <<< word\nUSER u", "FROM RUN USER", id="here-string"),
        pytest.param("# escape=`\nFROM x\nRUN a `\n b\nUSER u", "FROM RUN USER", id="escape-directive"),
        pytest.param("from x\r\nrun a \\\r\n b\r\nuser u\r\n", "FROM RUN USER", id="crlf-and-lower-case"),
        pytest.param("FROM x\nONBUILD RUN a\nUSER u", "FROM ONBUILD USER", id="onbuild"),
    ],
)
def test_instructions(text: str, keywords: str):
    """Nothing is lost after a heredoc, and nothing within one is an instruction."""
    assert [each.keyword for each in parse(text).instructions] == keywords.split()


def test_an_exec_form_knows_the_span_of_each_word():
    """Over continued lines too; broken JSON is the shell form."""
    text = 'FROM x\nCMD ["gunicorn", "-w", \\\n     "4"]\n'
    items = parse(text).final.command
    assert items is not None
    assert items.items is not None
    assert [text[each.span.start : each.span.end] for each in items.items] == ["gunicorn", "-w", "4"]
    broken = parse("FROM x\nCMD ['gunicorn']\n").final.command
    assert broken is not None
    assert broken.items is None


def test_environment_and_working_folder_are_inherited():
    """A stage sees what the stages below it set, with ARG values put in."""
    text = (
        "ARG V=3.13\nFROM python:${V} AS base\nARG HOME=/srv\nENV A=1 B='x y' C=\"z\"\nENV D legacy form\n"
        "WORKDIR $HOME\nFROM base AS prod\nENV A=2\nWORKDIR app\nUSER app\n"
    )
    document = parse(text)
    stage = document.stage("prod")
    assert stage.lineage[0].image == "python:3.13"
    assert {name: item.text for name, item in stage.environment.items()} == {
        "A": "2",
        "B": "x y",
        "C": "z",
        "D": "legacy form",
    }
    assert stage.workdir == "/srv/app"
    assert stage.user is not None
    assert document.stage("nothing") is document.final


def test_an_entrypoint_drops_the_command_it_inherits():
    """As Docker does; a command of its own stays."""
    text = 'FROM x AS a\nCMD ["b"]\nFROM a AS c\nENTRYPOINT ["d"]\nFROM a AS e\nENTRYPOINT ["d"]\nCMD ["f"]\nFROM a\n'
    document = parse(text)
    assert document.stage("c").command is None
    assert document.stage("e").command is not None
    assert document.final.command is not None


def test_a_file_without_from_is_no_dockerfile():
    """Some other text of that name."""
    assert parse_dockerfile("Dockerfile", "hello\n") is None
    assert parse_dockerfile("Dockerfile", "") is None


@pytest.mark.parametrize(
    ("copies", "inside", "expected"),
    [
        pytest.param("COPY . .", "/app/gunicorn.conf.py", "ctx/gunicorn.conf.py", id="everything"),
        pytest.param("COPY backend /app", "/app/gunicorn.conf.py", "ctx/backend/gunicorn.conf.py", id="a-folder"),
        pytest.param("COPY --chown=a:b ./conf/g.py /etc/g.py", "/etc/g.py", "ctx/conf/g.py", id="a-file"),
        pytest.param("COPY docker/g.py /gunicorn/", "/gunicorn/g.py", "ctx/docker/g.py", id="into-a-folder"),
        pytest.param("COPY --from=builder . .", "/app/g.py", None, id="from-another-stage"),
        pytest.param("COPY src/app /app/app", "/app", "ctx/src", id="a-part-of-it"),
    ],
)
def test_where_a_path_of_the_container_comes_from(copies: str, inside: str, expected: str | None):
    """By the COPY and ADD that put it there."""
    stage = parse(f"FROM x\nWORKDIR /app\n{copies}\n").final
    assert next(host_paths(stage, "ctx", inside), None) == expected


def test_the_working_folder_comes_from_the_latest_copy():
    """Several copies may fill it."""
    stage = parse("FROM x\nWORKDIR /app\nCOPY requirements.txt .\nCOPY backend .\n").final
    assert host_folders(stage, "")[0] == "backend"
