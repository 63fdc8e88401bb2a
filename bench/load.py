"""How true and how dear the load generator's figures are, beside the server's own log, hey and bare Locust.

    python bench/load.py [--requests N] [--rate N] [truth] [freeze] [cost]

Truth: a server sleeps for delays drawn from a log-normal distribution (median 60 ms, p99 190 ms) and logs what passed
between a request read and its answer written; each tool's p50, p95 and p99 are compared with the log of the very
requests it made. A freeze of one second at constant rate is compared with what arrivals must have waited. Cost: CPU per
request, beside bare Locust's FastHttpUser doing the same. Where there are two cores, the server has the first and the
tools have the second. POSIX only: it reads rusage.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

PERCENTILES = ("p50", "p95", "p99")
USERS = 100  # of the closed tools: each makes a hundredth of the rate
LOCUSTFILE = """
from locust import FastHttpUser, constant, constant_throughput, task
class Me(FastHttpUser):
    wait_time = %s
    @task
    def ask(self):
        self.client.get("/")
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", default=["truth", "freeze", "cost"])
    parser.add_argument("--requests", type=int, default=51_000)
    parser.add_argument("--rate", type=int, default=600)
    options = parser.parse_args()
    if "truth" in options.what:
        truth(options.requests // options.rate, options.rate)
    if "freeze" in options.what:
        freeze(10, 100)
    if "cost" in options.what:
        cost(15)


def truth(seconds: int, rate: int) -> None:
    """Percentiles beside the delays the server logged, one tool after the other."""
    print(f"truth: {rate} requests/s for {seconds} s{'':<12}" + "".join(f"{name:>24}" for name in PERCENTILES))
    with tempfile.TemporaryDirectory() as folder:
        target = Target(slow=True)
        document, _ = hardenctl(folder, target.url, seconds, "--rate", str(rate), "--users", "1000")
        dropped = document["generator"]["dropped_arrivals"]
        beside("hardenctl", document["metrics"]["latency_ms"], target.end(), f"; {dropped} dropped arrivals")
        target = Target(slow=True)
        wait = f"constant_throughput({rate / USERS})"
        rows, _ = locust(folder, target.url, seconds, users=USERS, wait=wait)
        beside("locust", {name: histogram_at(rows, name) for name in PERCENTILES}, target.end())
        if shutil.which("hey"):
            target = Target(slow=True)
            beside("hey", hey(target.url, seconds, rate), target.end())


def beside(tool: str, figures: dict[str, float], logged: list[float], more: str = "") -> None:
    """One line: what the tool says of what the server logged."""
    logged.sort()
    print(f"{tool:<12}{len(logged):>7,} requests{'':<20}", end="")
    for name in PERCENTILES:
        true = at(logged, name)
        print(f"{figures[name]:>9.1f}/{true:>6.1f}ms{figures[name] / true - 1:>+7.1%}", end="")
    print(more, flush=True)


def freeze(seconds: int, rate: int) -> None:
    """A second's stall at constant rate: what arrivals must wait is known."""
    with tempfile.TemporaryDirectory() as folder:
        target = Target(freeze_at=seconds / 2)
        document, _ = hardenctl(folder, target.url, seconds, "--rate", str(rate), "--users", "1000")
        target.end()
        target = Target(freeze_at=seconds / 2)
        rows, _ = locust(folder, target.url, seconds, users=10, wait=f"constant_throughput({rate / 10})")
        target.end()
        counted = document["metrics"]["requests"]
        waits = sorted([0.0] * (counted - rate) + [1000 * (1 - each / rate) for each in range(rate)])
        for name in PERCENTILES[1:]:
            figure, true = document["metrics"]["latency_ms"][name], at(waits, name)
            print(
                f"freeze of 1 s at {rate}/s for {seconds} s: {name} {true:.0f} ms; hardenctl {figure:.0f} "
                f"({figure / true - 1:+.1%}), bare locust {histogram_at(rows, name):.0f}",
                flush=True,
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
                    _, spent = locust(folder, target.url, each, users=10, wait="constant(0.01)")
                runs.append((spent, len(target.end())))
            (less, fewer), (more, many) = runs
            figures[name] = (more - less) / (many - fewer)
        shown = ", ".join(f"{name} {each * 1e6:.0f} us" for name, each in figures.items())
        print(f"\ncost per request: {shown}; ratio {figures['hardenctl'] / figures['locust']:.2f}")


def hardenctl(folder: str, url: str, seconds: int, *options: str) -> tuple[dict[str, Any], float]:
    """A run's document and the CPU seconds of all its processes."""
    output = Path(folder) / "load.json"
    spent = children()
    command = [sys.executable, "-m", "hardenctl", "load", "run", "--no-evidence", "--no-progress", "--host", url]
    command += ["--run-time", f"{seconds}s", "--warm-up", "1ms", "--gate", "p50<10s", *options]
    subprocess.run(pinned([*command, "--output", f"json={output}"]), check=False, stdout=subprocess.DEVNULL)
    return json.loads(output.read_text(encoding="utf-8")), children() - spent


def locust(folder: str, url: str, seconds: int, *, users: int, wait: str) -> tuple[list[dict[str, Any]], float]:
    """Bare Locust's JSON and the CPU seconds it took."""
    file = Path(folder) / "bare.py"
    file.write_text(LOCUSTFILE % wait, encoding="utf-8")
    spent = children()
    command = [sys.executable, "-m", "locust", "-f", str(file), f"--host={url}", f"--users={users}"]
    command += [f"--spawn-rate={users}", f"--run-time={seconds}s", "--headless", "--json"]
    result = subprocess.run(pinned(command), check=True, capture_output=True, text=True)
    return json.loads(result.stdout), children() - spent


def hey(url: str, seconds: int, rate: int) -> dict[str, float]:
    """What hey prints."""
    each = rate / USERS
    command = ["hey", "-n", str(rate * seconds), "-c", str(USERS), "-q", f"{each}", url]
    printed = subprocess.run(pinned(command), check=True, capture_output=True, text=True).stdout
    return {f"p{number}": float(value) * 1000 for number, value in re.findall(r"(\d+)%+ in ([\d.]+) secs", printed)}


def pinned(command: list[str]) -> list[str]:
    """A command on the second core."""
    return ["taskset", "--cpu-list", "1", *command] if len(os.sched_getaffinity(0)) > 1 else command


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
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[:1])
    asyncio.run(_serve(pipe, slow=slow, freeze_at=freeze_at))
    os._exit(0)


async def _serve(pipe: Connection, *, slow: bool, freeze_at: float | None) -> None:
    loop = asyncio.get_running_loop()
    delays: list[float] = []
    frozen: list[float] = []  # when it is time to freeze

    class Answers(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport: Any = transport
            self.head = b""

        def data_received(self, data: bytes) -> None:
            self.head += data
            if not self.head.endswith(b"\r\n\r\n"):
                return
            began = time.perf_counter()
            head, self.head = self.head, b""
            if b"openapi.json" in head:
                self.transport.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                return
            if freeze_at is not None:
                if not frozen:
                    frozen.append(began + freeze_at)
                elif began > frozen[0]:
                    frozen[0] = float("inf")
                    time.sleep(1)
            if slow:
                loop.call_later(random.lognormvariate(4.094, 0.5) / 1000, self.answer, began)
            else:
                self.answer(began)

        def answer(self, began: float) -> None:
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            delays.append((time.perf_counter() - began) * 1000)

    server = await loop.create_server(Answers, "127.0.0.1", 0, backlog=1000)
    pipe.send(server.sockets[0].getsockname()[1])
    await loop.run_in_executor(None, pipe.recv)
    pipe.send(delays)


if __name__ == "__main__":
    main()
