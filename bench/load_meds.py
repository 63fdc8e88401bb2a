"""The built-in scenarios at full scale, and 500 requests/s held, against examples/meds under gunicorn on loopback.

    python bench/load_meds.py [held] [normal] [spike] [peak] [stress] [--markdown FILE] [--html FOLDER]

`held` is the open model: 500 arrivals a second of the mixed create, read, update and delete requests for 60 s after a
warm-up of 10 s. Service and generator share the machine's cores, so a verdict of fail or inconclusive is a result: it
says what this machine holds. About 25 minutes for all of it.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MEDS = Path(__file__).parents[1] / "examples" / "meds"
SCENARIOS = ("normal", "spike", "peak", "stress")
HELD = ("--rate", "500", "--users", "500", "--run-time", "70s", "--warm-up", "10s", "--gate", "p95<300ms")
HELD_GATES = ("--gate", "error_rate<0.1%", "--gate", "rps>=495")


def main() -> None:
    """Run and print a line each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", default=["held", *SCENARIOS])
    parser.add_argument("--html", type=Path, help="a folder for the reports")
    parser.add_argument("--run-time", help="as 10m: all stages of the scenarios in this time, with all their users")
    options = parser.parse_args()
    print("| run | verdict | requests | errors | requests/s | p50 | p95 | p99 | service CPU | generator CPU | said |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for name in options.what:
        with tempfile.TemporaryDirectory() as folder, service(Path(folder)) as (url, pid):
            shorter = ("--run-time", options.run_time) if options.run_time else ()
            size = (*HELD, *HELD_GATES) if name == "held" else shorter
            document = load(Path(folder), url, pid, "normal" if name == "held" else name, options.html, *size)
        print(line(name, document), flush=True)


@contextmanager
def service(folder: Path, app: str = "main:app", **more: str) -> Iterator[tuple[str, int]]:
    """Meds on a free port, with two workers: its URL and gunicorn's process id. `app` may be one of this folder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    environment = {
        **os.environ,
        "MEDS_SECRET_KEY": secrets.token_hex(),
        "MEDS_DATABASE": str(folder / "meds.db"),
        "MEDS_BIND": address,
        "MEDS_HASH_COST": "256",
        "WEB_CONCURRENCY": "2",
        "PYTHONPATH": str(Path(__file__).parent),
        **more,
    }
    command = [sys.executable, "-m", "gunicorn", "--no-control-socket", app]
    process = subprocess.Popen(command, cwd=MEDS, env=environment, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"http://{address}/health", timeout=2).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://{address}", process.pid
    finally:
        process.terminate()
        process.wait(timeout=30)


def load(folder: Path, url: str, pid: int, scenario: str, html: Path | None, *size: str) -> dict[str, Any]:
    """A run's document."""
    output = folder / "load.json"
    command = [sys.executable, "-m", "hardenctl", "load", "run", "--no-evidence", "--no-progress", "--host", url]
    command += ["--scenario", scenario, "--file", str(MEDS / "load.yaml"), "--target-pid", str(pid), *size]
    command += ["--output", f"json={output}"]
    if html:
        command += ["--output", f"html={html / scenario}.html"]
    environment = {**os.environ, "MEDS_LOAD_PASSWORD": secrets.token_urlsafe()}
    with (folder / "said").open("wb") as said:
        code = subprocess.run(command, env=environment, stdout=said, check=False).returncode
    if not output.exists():
        sys.exit(f"{scenario}: no result, exit {code}: {(folder / 'said').read_text(encoding='utf-8')[-2000:]}")
    document: dict[str, Any] = json.loads(output.read_text(encoding="utf-8"))
    return document


def line(name: str, document: dict[str, Any]) -> str:
    """A row of the table."""
    metrics, generator = document["metrics"], document["generator"]
    latency = " | ".join(f"{metrics['latency_ms'][each] or 0:.0f} ms" for each in ("p50", "p95", "p99"))
    kinds = [f"{count} x {kind}" for kind, count in metrics["errors"].items()]
    said = "; ".join([*document["reasons"], *([document["aborted"]] if document["aborted"] else []), *kinds])
    if document["model"] == "open":
        said = f"{generator['dropped_arrivals']} dropped arrivals; headroom {generator['headroom']:.0%}; {said}"
    if document["held_users"] is not None:
        said = f"held {document['held_users']} users; {said}"
    return (
        f"| {name} | {document['verdict']} | {metrics['requests']:,} | {metrics['failures']:,} | {metrics['rps']:.0f} "
        f"| {latency} | {document['cpu'] or 0:.0%} | {generator['cpu_mean']:.0%} (most {generator['cpu_max']:.0%}) "
        f"| {said.strip('; ')} |"
    )


if __name__ == "__main__":
    main()
