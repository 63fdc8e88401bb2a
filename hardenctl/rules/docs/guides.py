"""What a service should say about itself. Libraries are left alone."""

from __future__ import annotations

from collections.abc import Iterator

from hardenctl.formats.paths import DEPLOYMENT, ENV_EXAMPLE, PERFORMANCE, README, SECRETS
from hardenctl.formats.project_docs import Documentation
from hardenctl.model.finding import Applicability, Category, Fix, Hit, Related, Render, Severity, advice
from hardenctl.model.text import Span
from hardenctl.rules.declare import rule


@rule("docs-no-readme", on=Documentation, severity=Severity.LOW, category=Category.DOCUMENTATION)
def no_readme(documentation: Documentation) -> Iterator[Hit]:
    """The service has no README.

    ## Why is this bad?
    Whoever has to run or repair the service starts at its README. Without one they start by guessing.

    ## Example
    ```dockerfile title="Dockerfile"
    FROM python:3.12-slim
    CMD ["gunicorn", "main:app"]
    ```

    ## Use instead
    A README that says what the service is, how to run it and where its guides are.

    ```dockerfile title="Dockerfile"
    FROM python:3.12-slim
    CMD ["gunicorn", "main:app"]
    ```

    ```markdown title="README.md"
    # Orders

    Takes orders and hands them to the warehouse. Run it with `docker compose up`.
    ```
    """
    if documentation.service and not (documentation.readme and documentation.readme.text.strip()):
        where = documentation.readme.path if documentation.readme else README
        what = "is empty" if documentation.readme else "is missing"
        yield _hit(documentation, where, f"{where} {what}", advice(f"Write {where}: what it is, and how to run it"))


@rule("docs-no-env-example", on=Documentation, severity=Severity.LOW, category=Category.DOCUMENTATION)
def no_env_example(documentation: Documentation) -> Iterator[Hit]:
    """The service reads its environment, and no example shows what it needs.

    ## Why is this bad?
    A variable that nobody wrote down is found when a deployment fails. Without an example file, the real one is copied
    from machine to machine, credentials included.

    ## Example
    ```python title="main.py"
    import os

    from fastapi import FastAPI

    app = FastAPI(debug=os.environ.get("DEBUG") == "1")
    ```

    ## Use instead
    A `.env.example` with every variable and no value worth stealing, or a section on the variables in the README.

    ```python title="main.py"
    import os

    from fastapi import FastAPI

    app = FastAPI(debug=os.environ.get("DEBUG") == "1")
    ```

    ```dotenv title=".env.example"
    # 1 shows tracebacks to everyone: only for development
    DEBUG=0
    ```

    ## Fix safety
    Safe: a new file that nothing reads. Look through it before you commit it.

    ## References
    - https://12factor.net/config
    """
    if documentation.service and documentation.environment and not documentation.example:
        if documentation.lists_variables:
            return
        fix = Fix(f"Write {ENV_EXAMPLE}", (Render("env-example", ENV_EXAMPLE),), Applicability.SAFE)
        message = f"{documentation.environment} reads the environment, and there is no {ENV_EXAMPLE}"
        yield _hit(documentation, ENV_EXAMPLE, message, fix)


@rule("docs-no-deployment-guide", on=Documentation, severity=Severity.LOW, category=Category.DOCUMENTATION)
def no_deployment_guide(documentation: Documentation) -> Iterator[Hit]:
    """Nothing says how the service is deployed.

    ## Why is this bad?
    A deployment that only one person knows can't be repeated, reviewed or rolled back by anyone else.

    ## Example
    ```procfile title="Procfile"
    web: gunicorn main:app
    ```

    ```markdown title="README.md"
    # Orders
    ```

    ## Use instead
    A guide, or a section of the README, with the steps to deploy, to check and to roll back.

    ```procfile title="Procfile"
    web: gunicorn main:app
    ```

    ```markdown title="docs/DEPLOYMENT.md"
    # Deployment

    1. Push a tag; CI builds the image.
    2. `hardenctl preflight --url https://orders.example.com`
    ```
    """
    if documentation.service and not documentation.covers(r"deploy|production|hosting|self-host|kubernetes|helm"):
        remedy = advice(f"Write {DEPLOYMENT}: how to deploy, to check and to roll back")
        yield _hit(documentation, DEPLOYMENT, "no guide says how the service is deployed", remedy)


@rule("docs-no-secrets-guide", on=Documentation, severity=Severity.LOW, category=Category.DOCUMENTATION)
def no_secrets_guide(documentation: Documentation) -> Iterator[Hit]:
    """Nothing says where the service's credentials live and how they are replaced.

    ## Why is this bad?
    When a credential leaks, minutes count: who can replace it, where, and what has to restart must be written down.

    ## Example
    ```python title="main.py"
    import os

    from flask import Flask

    app = Flask(__name__)
    app.config["SECRET_KEY"] = os.environ["SECRET_KEY"]
    ```

    ## Use instead
    A guide, or a section of the README, that says where each credential lives, how it is made and how it is rotated.

    ```python title="main.py"
    import os

    from flask import Flask

    app = Flask(__name__)
    app.config["SECRET_KEY"] = os.environ["SECRET_KEY"]
    ```

    ```markdown title="docs/SECRETS_MANAGEMENT.md"
    # Secrets

    `SECRET_KEY` lives in the platform's variables; `hardenctl generate secret-key` makes a new one. Rotate it yearly.
    ```
    """
    if documentation.service and documentation.environment and not documentation.covers(
        r"secret|credential|rotat(?:e|ion)|vault|api[\s_-]*keys?|password"
    ):  # fmt: skip
        remedy = advice(f"Write {SECRETS}: where each credential lives and how it is replaced")
        yield _hit(documentation, SECRETS, "no guide says where credentials live and how they are replaced", remedy)


@rule("docs-no-performance-baseline", on=Documentation, severity=Severity.INFO, category=Category.DOCUMENTATION)
def no_performance_baseline(documentation: Documentation) -> Iterator[Hit]:
    """Load results are on file, and nothing says how they came about.

    ## Why is this bad?
    Figures that nobody can repeat don't tell whether a change made the service slower.
    Without any result, `load-no-evidence` speaks instead.

    ## Example
    ```procfile title="Procfile"
    web: gunicorn main:app
    ```

    ```json title=".hardenctl/load/normal.json"
    {"schema_version": 1, "kind": "load-evidence", "scenario": "normal", "verdict": "pass",
     "date": "2026-01-31T10:00:00+00:00", "requests": 4711, "failures": 0,
     "gates": [{"gate": "p95<300ms", "target": 300, "value": 180, "outcome": "pass"}]}
    ```

    ## Use instead
    A load test that anyone can repeat, or a guide that says what was measured, and on what.

    ```procfile title="Procfile"
    web: gunicorn main:app
    ```

    ```json title=".hardenctl/load/normal.json"
    {"schema_version": 1, "kind": "load-evidence", "scenario": "normal", "verdict": "pass",
     "date": "2026-01-31T10:00:00+00:00", "requests": 4711, "failures": 0,
     "gates": [{"gate": "p95<300ms", "target": 300, "value": 180, "outcome": "pass"}]}
    ```

    ```markdown title="docs/PERFORMANCE_BENCHMARKING.md"
    # Performance

    4 workers, 2 CPUs: 500 requests a second at p95 180 ms (`hardenctl load run --scenario normal`).
    ```
    """
    if (
        documentation.service
        and documentation.load_results
        and not documentation.load_tests
        and not documentation.covers(r"performance|benchmark|load[\s_-]*test|capacity|latency|throughput")
    ):
        remedy = advice(f"Write {PERFORMANCE}: what was measured, on what machine, and how to repeat it")
        yield _hit(documentation, PERFORMANCE, "nothing says how the stored load results came about", remedy)


def _hit(documentation: Documentation, path: str, message: str, fix: Fix) -> Hit:
    shows = Related(Span(documentation.service or path, 0, 0), "what shows that this is a service")
    return Hit(Span(path, 0, 0), message, fix=fix, related=(shows,))
