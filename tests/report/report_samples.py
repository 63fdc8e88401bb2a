"""Reports that show every part of the output, with rules of their own so that other rooms' words don't change them."""

from __future__ import annotations

from dataclasses import replace

from hardenctl.model.blob import Commit, Gap, SourceKind, Target
from hardenctl.model.finding import (
    Applicability,
    Category,
    Confidence,
    Finding,
    Fix,
    FrameLine,
    Location,
    Occurrences,
    RelatedLocation,
    Replace,
    Severity,
    advice,
)
from hardenctl.model.report import JudgedFinding, Report, Scanned, Score, Server, Setting, Status, Verdict
from hardenctl.model.text import Span
from hardenctl.rules.declare import Rule
from hardenctl.rules.page import Page


def _rule(rule: str, severity: Severity, title: str, why: str, remedy: str) -> Rule:
    page = f"{title}.\n\n## Why is this bad?\n{why}\n\n## Use instead\n{remedy}\n"
    return Rule(rule, severity, Category.SECURITY, Page.of(page))


RULES = {
    rule.id: rule
    for rule in (
        _rule(
            "cors-any-origin-credentials",
            Severity.CRITICAL,
            "Any website may read this service with its visitors' cookies",
            "Every website a signed-in user visits can read and change that user's data.",
            "Name the origins that need it.",
        ),
        _rule(
            "secret-generic-assignment",
            Severity.HIGH,
            "A credential is written in the code",
            "Everyone who can read the repository, now or later, has it.",
            "Read it from the environment.",
        ),
        _rule(
            "compose-published-port",
            Severity.MEDIUM,
            "A database port is published",
            "Whoever reaches the host can try passwords.",
            "Remove the `ports` entry: services of one project reach each other without it.",
        ),
        _rule(
            "gunicorn-timeout-unset",
            Severity.LOW,
            "The worker timeout is gunicorn's default of 30 seconds",
            "A slow request is killed at half a minute.",
            "Set it to 120.",
        ),
    )
}


def frame(*lines: str, first: int, caret: tuple[int, int], at: int = 1) -> tuple[FrameLine, ...]:
    """Frame lines with one that has the caret."""
    return tuple(FrameLine(first + index, text, caret if index == at else None) for index, text in enumerate(lines))


def finding(  # noqa: D103
    rule: str = "secret-generic-assignment",
    path: str = "app/settings.py",
    line: int = 12,
    *,
    severity: Severity = Severity.HIGH,
    message: str = "`SECRET_KEY` is written in the code",
    **more: object,
) -> Finding:
    values: dict[str, object] = {
        "confidence": Confidence.LIKELY,
        "category": Category.SECURITY,
        "location": Location(path, line, 14, line, 24),
        "fingerprint": f"{rule}:{path}:{line}",
        "frame": frame("DEBUG = False", 'SECRET_KEY = "••••••••"', "", first=line - 1, caret=(13, 23)),
        **more,
    }
    return Finding(rule=rule, severity=severity, message=message, **values)  # type: ignore[arg-type]


def judged(each: Finding, status: Status = Status.OPEN, reason: str = "") -> JudgedFinding:
    """The finding as policy would leave it."""
    return JudgedFinding(each, status, each.severity, reason)


def report(*findings: JudgedFinding, **changes: object) -> Report:
    """A small report; `changes` replace its fields."""
    fail = any(each.status is Status.OPEN and each.severity >= Severity.MEDIUM for each in findings)
    base = Report(
        target=Target(".", SourceKind.WORKTREE, "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"),
        findings=findings,
        gaps=(),
        scanned=Scanned(files=42, bytes=123_456, blobs=42, skipped={"binary": 3}),
        score=Score(7.4, {Category.SECURITY: 4.1, Category.PERFORMANCE: 8.0, Category.DOCUMENTATION: None}),
        verdict=Verdict.FAIL if fail else Verdict.PASS,
        fail_on=Severity.MEDIUM,
        elapsed_seconds=0.21,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def everything() -> Report:
    """One of each: proven, likely, related, services, history, folded repeats, suppressed, gaps, servers."""
    span = Span("main.py", 0, 1)
    cors = finding(
        "cors-any-origin-credentials",
        "app/main.py",
        31,
        severity=Severity.CRITICAL,
        confidence=Confidence.PROVEN,
        message="any website may send requests with the visitor's cookies and read the answers: "
        '`allow_origins=["*"]` with `allow_credentials=True` answers with the very origin that asked',
        location=Location("app/main.py", 31, 1, 36, 2),
        frame=(
            FrameLine(30, "app = FastAPI()"),
            FrameLine(31, "app.add_middleware(", (0, 19)),
            FrameLine(32, "    CORSMiddleware,", (4, 19)),
            FrameLine(33, '    allow_origins=["*"],', (4, 24)),
            FrameLine(34, "    allow_credentials=True,", (4, 27)),
            FrameLine(35, '    allow_methods=["*"],', (4, 24)),
            FrameLine(36, ")", (0, 1)),
        ),
        evidence={"origin": "https://evil.example"},
        related=(RelatedLocation(Location("app/settings.py", 9, 1, 9, 20), "the value comes from here"),),
        fix=Fix("Name the origins in `CORS_ORIGINS` and read them", (Replace(span, ""),), Applicability.UNSAFE),
    )
    keys = [finding(line=line, why=("name `SECRET_KEY`", "4.2 bits a character")) for line in (12, 40, 41, 57, 90, 133)]
    port = finding(
        "compose-published-port",
        "docker-compose.prod.yml",
        12,
        severity=Severity.MEDIUM,
        message="port 5432 of `db` is published on every interface",
        location=Location("docker-compose.prod.yml", 12, 9, 12, 20),
        frame=frame("    ports:", '      - "5432:5432"', "    volumes:", first=11, caret=(8, 19)),
        services=("db",),
        fix=Fix("Remove the published port", (Replace(span, ""),), Applicability.SAFE),
    )
    timeout = finding(
        "gunicorn-timeout-unset",
        "docker-compose.prod.yml",
        4,
        severity=Severity.LOW,
        message="gunicorn's `timeout` is not set: 30 seconds",
        location=Location("docker-compose.prod.yml", 4, 14, 4, 42),
        frame=frame("  web:", "    command: gunicorn -w 4 main:app", first=3, caret=(13, 35)),
        services=("web",),
        fix=advice("Set `--timeout 120`"),
    )
    old = finding(
        path="config/old.env",
        line=3,
        message="`STRIPE_KEY` holds a live Stripe key (sk_live_…)",
        frame=frame("DEBUG=0", "STRIPE_KEY=••••••••", first=2, caret=(11, 19)),
        commit=Commit("9f8e7d6c5b4a39281706f5e4d3c2b1a098765432", "Ada <ada@example.com>", "2025-03-04T05:06:07+00:00"),
        occurrences=Occurrences(3, ("config/old.env", "config/prod.env"), in_head=False),
    )
    hidden = judged(finding(path="tests/fixtures.py", line=2), Status.SUPPRESSED, "made up for the tests")
    accepted = judged(finding(path="legacy.py", line=2), Status.BASELINED, "in the baseline")
    server = Server(
        "docker-compose.prod.yml",
        4,
        "web",
        "gunicorn",
        ("gunicorn", "-w", "4", "main:app"),
        {
            "workers": Setting(4, "docker-compose.prod.yml", 4, "command line"),
            "threads": Setting(None, "gunicorn.conf.py", 3, "config file", "multiprocessing.cpu_count()"),
        },
    )
    return report(
        *(judged(each) for each in (cors, *keys, port, timeout, old)),
        hidden,
        accepted,
        gaps=(Gap("app/broken.py", "not valid Python: line 7"), Gap("dump.sql", "larger than 50 MB: 118 MB")),
        servers=(server,),
        notes=("the policy of pyproject.toml holds",),
    )


def hostile() -> Report:
    """File names, messages and lines that try to steer the terminal, and East Asian text under a caret."""
    escape = "\x1b[31m\x1b]0;owned\x07"
    return report(
        judged(
            finding(
                path=f"a{escape}/\u202eyp.exe",
                line=10,
                message=f"name with {escape} and \u2066bidi\u2069",
                frame=frame(f"before {escape}", '数据库密码 = "••••••••"  # \u202e', "x" * 160, first=9, caret=(8, 18)),
            )
        ),
        gaps=(Gap(f"b{escape}", f"c{escape}"),),
    )
