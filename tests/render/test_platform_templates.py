"""GitLab's CI, Kubernetes, alerts and the deployment guide: confined, filled from facts, and run where they can be."""

import shlex
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from hardenctl.formats.project import ProjectFacts
from hardenctl.render import render

SHOP = ProjectFacts(
    name="my-shop", framework="fastapi", database="postgres", cache="redis", service="api", port=9000, health="/health"
)


def kubernetes(facts: ProjectFacts) -> dict[str, dict[str, Any]]:
    """The manifests by kind."""
    return {each["kind"]: each for each in yaml.safe_load_all(render("k8s", facts))}


def test_the_gitlab_job_runs(make_repository: Callable[..., Any]) -> None:
    """Its audit command works as written, and leaves every artifact that the job hands over."""
    job = yaml.safe_load(render("gitlab-ci", SHOP))["hardenctl"]
    repository = make_repository({"README.md": "# Shop\n"})
    (command,) = job["script"]
    words = shlex.split(command)
    assert words[0] == "hardenctl"
    done = subprocess.run([sys.executable, "-m", *words], cwd=repository.root, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    for path in (*job["artifacts"]["paths"], *job["artifacts"]["reports"].values()):
        assert (repository.root / path).stat().st_size > 0, path


def test_the_pod_is_confined() -> None:
    """What the restricted Pod Security Standard asks for, limits, probes, and no credential in the file."""
    pod = kubernetes(SHOP)["Deployment"]["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert set(container["resources"]["limits"]) == {"cpu", "memory"}
    assert container["envFrom"] == [{"secretRef": {"name": "my-shop-env"}}]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"] == {"path": "/health", "port": "http"}
    assert pod["terminationGracePeriodSeconds"] > 30 + 5  # gunicorn's grace, and the pause before it


def test_selectors_find_the_pods() -> None:
    """Service, policy, budget and autoscaler mean the deployment's pods."""
    parts = kubernetes(SHOP)
    labels = parts["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert parts["Service"]["spec"]["selector"] == labels
    assert parts["Deployment"]["spec"]["selector"]["matchLabels"] == labels
    assert parts["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == labels
    assert parts["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels
    assert parts["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"] == parts["Deployment"]["metadata"]["name"]


def test_sqlite_is_one_pod_with_a_volume() -> None:
    """A second pod would have another database."""
    parts = kubernetes(ProjectFacts(database="sqlite"))
    assert parts["Deployment"]["spec"]["replicas"] == 1
    assert parts["Deployment"]["spec"]["strategy"]["type"] == "Recreate"
    assert "PersistentVolumeClaim" in parts
    assert "HorizontalPodAutoscaler" not in parts


@pytest.mark.parametrize(
    ("facts", "extra"),
    [
        pytest.param(
            SHOP, {"DatabaseConnectionsHigh", "DatabaseQueriesSlow", "CacheHitRateLow", "CacheEvicts"}, id="all"
        ),
        pytest.param(ProjectFacts(database="mysql"), {"DatabaseConnectionsHigh"}, id="mysql"),
        pytest.param(ProjectFacts(), set(), id="neither"),
    ],
)
def test_alerts(facts: ProjectFacts, extra: set[str]) -> None:
    """Percentiles, 5xx, 4xx, CPU, memory, database and cache, each with a level, and one for what is not measured."""
    (group,) = yaml.safe_load(render("monitoring", facts))["groups"]
    alerts = {each["alert"]: each for each in group["rules"] if "alert" in each}
    usual = {"LatencyHigh", "LatencyVeryHigh", "ErrorsHigh", "ErrorsVeryHigh", "ClientErrorsJump"}
    assert set(alerts) == usual | {"CpuHigh", "MemoryHigh", "Down", "NotMeasured"} | extra
    for alert in alerts.values():
        assert alert["labels"]["severity"] in {"warning", "critical"}
        assert alert["annotations"]["summary"]
        assert alert["expr"].count("(") == alert["expr"].count(")")
    assert alerts["LatencyHigh"]["expr"].endswith("> 0.3")
    assert alerts["CpuHigh"]["expr"].endswith("> 0.7")


def test_the_guide_is_about_this_service() -> None:
    """Application, port, health check and the commands with them."""
    text = render("docs", SHOP)
    for words in ("`main:app`", "port 9000", "http://127.0.0.1:9000/health", "postgres", "## Roll back", "## Secrets"):
        assert words in text
