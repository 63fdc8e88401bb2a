"""How true and how dear the load generator's figures are, beside the server's own log and bare Locust.

    python bench/load.py [--seconds N] [--rate N]

Truth: a server sleeps for delays it draws from a log-normal distribution and logs each; p50, p95 and p99 of an open
model run are compared with that log, and with what bare Locust prints of the same server. A freeze of one second at
constant rate is compared with what arrivals must have waited. Cost: CPU per request, beside bare Locust's
FastHttpUser doing the same. POSIX only: it reads rusage.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

PERCENTILES = ("p50", "p95", "p99")
LOCUSTFILE = """
from locust import FastHttpUser, constant, task
class Me(FastHttpUser):
    wait_time = constant(%s)
    @task
    def ask(self):
        self.client.get("/")
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--rate", type=int, default=300)
    options = parser.parse_args()
    truth(options.seconds, options.rate)
    freeze(max(10, options.seconds), 50)
    cost(options.seconds)


def truth(seconds: int, rate: int) -> None:
    """Percentiles of an open-model run beside the delays the server logged."""
    with tempfile.TemporaryDirectory() as folder:
        target = Target(slow=True)
        document, _ = hardenctl(folder, target.url, seconds, "--rate", str(rate), "--users", "1000")
        delays = sorted(target.end())
        target = Target(slow=True)
        rows, _ = locust(folder, target.url, seconds, users=rate // 10, wait=0.05)
        theirs_truth = sorted(target.end())
        ours = document["metrics"]["latency_ms"]
        print(
            f"truth: {document['metrics']['requests']:,} requests at {rate}/s; dropped arrivals "
            f"{document['generator']['dropped_arrivals']}"
        )
        print(f"{'':<6}{'server':>10}{'hardenctl':>11}{'error':>8}    {'server':>8}{'locust':>9}{'error':>8}")
        for name in PERCENTILES:
            true, other = at(delays, name), at(theirs_truth, name)
            printed = histogram_at(rows, name)
            print(
                f"{name:<6}{true:>8.1f}ms{ours[name]:>9.1f}ms{ours[name] / true - 1:>8.1%}    "
                f"{other:>6.1f}ms{printed:>7.0f}ms{printed / other - 1:>8.1%}"
            )


def freeze(seconds: int, rate: int) -> None:
    """A second's stall at constant rate: what arrivals must wait is known."""
    with tempfile.TemporaryDirectory() as folder:
        target = Target(freeze_at=seconds / 2)
        document, _ = hardenctl(folder, target.url, seconds, "--rate", str(rate), "--users", "1000")
        target.end()
        counted = document["metrics"]["requests"]
        waits = sorted([0.0] * (counted - rate) + [1000 * (1 - each / rate) for each in range(rate)])
        print(f"\nfreeze of 1 s at {rate}/s: ", end="")
        print(
            ", ".join(
                f"{name} {document['metrics']['latency_ms'][name]:.0f} ms of {at(waits, name):.0f}"
                for name in PERCENTILES[1:]
            )
        )


def cost(seconds: int) -> None:
    """CPU per request of both generators at the same load: what a long run costs more than a short one."""
    with tempfile.TemporaryDirectory() as folder:
        scenario = Path(folder) / "fast.yaml"
        scenario.write_text("think-time: 10ms..10ms\nendpoints: [{path: /}]\n", encoding="utf-8")
        options = ("--file", str(scenario), "--users", "10", "--spawn-rate", "10")
        figures = {}
        for name in ("hardenctl", "locust"):
            runs = []
            for each in (3, seconds + 3):
                target = Target()
                if name == "hardenctl":
                    _, spent = hardenctl(folder, target.url, each, *options)
                else:
                    _, spent = locust(folder, target.url, each, users=10, wait=0.01)
                runs.append((spent, len(target.end())))
            (less, fewer), (more, many) = runs
            figures[name] = (more - less) / (many - fewer)
        shown = ", ".join(f"{name} {each * 1e6:.0f} us" for name, each in figures.items())
        print(f"\ncost per request: {shown}; ratio {figures['hardenctl'] / figures['locust']:.2f}")


def hardenctl(folder: str, url: str, seconds: int, *options: str) -> tuple[dict[str, Any], float]:
    """A run's document and the CPU seconds of all its processes."""
    output = Path(folder) / "load.json"
    spent = children()
    subprocess.run(
        [
            sys.executable,
            "-m",
            "hardenctl",
            "load",
            "run",
            "--no-evidence",
            "--host",
            url,
            "--run-time",
            f"{seconds}s",
            "--no-progress",
            "--warm-up",
            "1ms",
            "--gate",
            "p50<10s",
            *options,
            "--output",
            f"json={output}",
        ],
        check=False,
        stdout=subprocess.DEVNULL,
    )
    return json.loads(output.read_text(encoding="utf-8")), children() - spent


def locust(folder: str, url: str, seconds: int, *, users: int, wait: float) -> tuple[list[dict[str, Any]], float]:
    """Bare Locust's JSON and the CPU seconds it took."""
    file = Path(folder) / "bare.py"
    file.write_text(LOCUSTFILE % wait, encoding="utf-8")
    spent = children()
    result = subprocess.run(
        [
            sys.executable,
            "-m",
            "locust",
            "-f",
            str(file),
            f"--host={url}",
            f"--users={users}",
            f"--spawn-rate={users}",
            f"--run-time={seconds}s",
            "--headless",
            "--json",
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(result.stdout), children() - spent


def children() -> float:
    """CPU seconds of the children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def at(values: list[float], name: str) -> float:
    """A percentile of a sorted list."""
    return values[min(len(values) - 1, int(len(values) * int(name[1:]) / 100))]


def histogram_at(rows: list[dict[str, Any]], name: str) -> float:
    """A percentile of Locust's own histogram."""
    counts = sorted((float(key), count) for key, count in rows[0]["response_times"].items())
    left = sum(count for _, count in counts) * int(name[1:]) / 100
    for value, count in counts:
        left -= count
        if left <= 0:
            return value
    return counts[-1][0]


class Target:
    """A server in a process of its own. `end` stops it and gives the delays it added, in milliseconds."""

    def __init__(self, *, slow: bool = False, freeze_at: float | None = None) -> None:
        ours, theirs = multiprocessing.Pipe()
        self.pipe = ours
        self.process = multiprocessing.Process(target=serve, args=(theirs, slow, freeze_at), daemon=True)
        self.process.start()
        self.url = f"http://127.0.0.1:{ours.recv()}"

    def end(self) -> list[float]:
        """Stop serving."""
        self.pipe.send("end")
        delays: list[float] = self.pipe.recv()
        self.process.join()
        return delays


def serve(pipe: Connection, slow: bool, freeze_at: float | None) -> None:  # noqa: FBT001 - a process's arguments
    """Answer every request after a delay, and log the delay."""
    asyncio.run(_serve(pipe, slow=slow, freeze_at=freeze_at))
    os._exit(0)


async def _serve(pipe: Connection, *, slow: bool, freeze_at: float | None) -> None:
    delays: list[float] = []
    first: list[float] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionError):
                return
            if b"openapi.json" not in head:
                began = time.perf_counter()
                first.append(began) if not first else None
                if freeze_at is not None and first[0] >= 0 and began - first[0] > freeze_at:
                    first[0] = float("inf")
                    time.sleep(1)  # noqa: ASYNC251 - the freeze
                if slow:
                    await asyncio.sleep(random.lognormvariate(3, 0.6) / 1000)
                delays.append((time.perf_counter() - began) * 1000)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    pipe.send(server.sockets[0].getsockname()[1])
    await asyncio.get_running_loop().run_in_executor(None, pipe.recv)
    pipe.send(delays)


if __name__ == "__main__":
    main()
