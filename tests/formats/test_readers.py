"""The table of readers, and that of subjects: light words for what the modules they name say themselves."""

from __future__ import annotations

import importlib

import pytest

from hardenctl.formats import READERS, Reader
from hardenctl.rules.catalogue import RULES, SUBJECTS, Subject
from hardenctl.rules.declare import DocumentRule
from hardenctl.sources.memory import MemorySnapshot


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.module)
def test_a_reader_reads_what_the_table_says(reader: Reader) -> None:
    """Its module names the same documents, and reads them."""
    module = importlib.import_module(reader.module)
    assert reader.documents == tuple(each.__name__ for each in module.DOCUMENTS)
    assert callable(module.read)


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.folder)
def test_a_subject_has_the_rules_the_table_says(subject: Subject) -> None:
    """Their ids start with its words, and they look at its documents, each of which has a reader."""
    rules = subject.rules()
    assert {each.id.partition("-")[0] for each in rules} == set(subject.prefixes)
    looked_at = {each.on.__name__ for each in rules if isinstance(each, DocumentRule)}
    assert looked_at == set(subject.documents)
    assert looked_at <= {document for reader in READERS for document in reader.documents}
    assert bool(looked_at) == all(isinstance(each, DocumentRule) for each in rules)


def test_a_rule_is_found_by_its_id() -> None:
    """By way of its subject; an unknown one is none."""
    assert all(RULES.find(each.id) is each for each in RULES)
    assert RULES.find("cors-nonsense") is RULES.find("nonsense") is None


@pytest.mark.parametrize(
    ("path", "documents"),
    [
        pytest.param("a/b.py", {"CorsSetup"}, id="python"),
        pytest.param("app/settings/production.py", {"CorsSetup", "DjangoSettings"}, id="django"),
        pytest.param("image.png", set(), id="image"),
        pytest.param("deploy/Dockerfile.prod", {"CorsSetup", "ContextCopy", "Dockerfile", "ServerLaunch"}, id="image"),
        pytest.param("docker-compose.yml", {"CorsSetup", "ContextCopy", "ComposeFile", "ServerLaunch"}, id="compose"),
        pytest.param(".env.prod", {"EnvironmentFile", "ContextCopy", "CorsSetup", "ServerLaunch"}, id="env"),
        pytest.param(".gitignore", {"EnvironmentFile", "IgnoreCoverage"}, id="gitignore"),
        pytest.param("README.md", {"Documentation"}, id="guide"),
        pytest.param(".hardenctl/load/normal.json", {"LoadEvidence"}, id="load-result"),
        pytest.param("app/.dockerignore", {"ContextCopy"}, id="dockerignore"),
        pytest.param("start.sh", {"ServerLaunch"}, id="script"),
        pytest.param("gunicorn.conf.py", {"CorsSetup", "ServerLaunch"}, id="gunicorn"),
        pytest.param("nginx/default.conf.template", {"CorsSetup"}, id="nginx"),
    ],
)
def test_what_a_change_of_a_file_concerns(path: str, documents: set[str]) -> None:
    """Only readers that a path can matter to are imported."""
    snapshot = MemorySnapshot({path: ""}, whole=False)
    wanted = (reader for reader in READERS if reader.is_wanted(snapshot, [path]))
    assert {name for reader in wanted for name in reader.documents} == documents
