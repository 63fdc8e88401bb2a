"""The globs of policy files."""

from __future__ import annotations

import pytest

from hardenctl.model.glob import glob_match


@pytest.mark.parametrize(
    ("path", "pattern", "expected"),
    [
        pytest.param("vendor/a/b.py", "vendor/**", True, id="folder-and-all-below"),
        pytest.param("src/vendor/a.py", "vendor/**", False, id="a-pattern-with-a-slash-is-rooted"),
        pytest.param("src/vendor/a.py", "**/vendor/**", True, id="any-depth"),
        pytest.param("vendor/a.py", "**/vendor/**", True, id="any-depth-includes-none"),
        pytest.param("a/b/c.min.js", "*.min.js", True, id="a-bare-name-matches-anywhere"),
        pytest.param("docker-compose.dev.yml", "docker-compose.dev.yml", True, id="plain-name"),
        pytest.param("src/a/b.py", "src", True, id="a-folder-matches-what-is-in-it"),
        pytest.param("src/a/b.py", "src/", True, id="trailing-slash"),
        pytest.param("srcs/b.py", "src", False, id="no-prefix-match"),
        pytest.param("src/b.py", "src/*.py", True, id="star-within-a-folder"),
        pytest.param("src/a/b.py", "src/*.py", False, id="star-does-not-cross"),
        pytest.param("a1.py", "a?.py", True, id="question-mark"),
        pytest.param("ab.py", "a[0-9].py", False, id="class"),
        pytest.param("ab.py", "a[!0-9].py", True, id="negated-class"),
        pytest.param("a.b", "a+b", False, id="regex-characters-are-plain"),
        pytest.param("src/b.py", "./src/b.py", True, id="leading-dot-slash"),
    ],
)
def test_glob_match(path: str, pattern: str, expected: bool) -> None:  # noqa: FBT001 - a table's column
    """A glob matches as users of ignore files expect."""
    assert glob_match(path, pattern) is expected
