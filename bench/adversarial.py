"""What a megabyte of hostile text costs the secret pipeline: no input may take more than a second.

usage: python bench/adversarial.py [--size=BYTES]

Prints CPU seconds of finding and of masking for each corpus. The exit status is 1 where one takes more than a second
for each million bytes.
"""

from __future__ import annotations

import argparse
import base64
import sys
import time
from collections.abc import Callable, Iterator

from hardenctl.detect.secrets import detect_secrets, sensitive_spans
from hardenctl.detect.secrets.pipeline import matcher
from hardenctl.model.blob import Blob, Provenance
from hardenctl.rules.fakes import scramble
from hardenctl.rules.secrets import RULES

LIMIT = 1.0  # CPU seconds for a million bytes


def corpora(size: int) -> Iterator[tuple[str, str, str]]:
    """Name, path and text of each corpus."""

    def repeated(piece: str) -> str:
        return piece * (size // len(piece))

    def made(make: Callable[[int], str]) -> str:
        return "".join(make(number) for number in range(size // len(make(10_000))))

    head = "-----BEGIN RSA PRIVATE " + "KEY-----\n"
    yield "one long line", "a.yml", repeated("x")
    yield "nested quotes", "a.yml", repeated('"\'`\\"')
    yield "escaped quotes", "a.yml", 'key="' + repeated('\\"')
    yield "assignments within each other", "a.yml", repeated("password=")
    yield "keys without values", "a.yml", repeated("key=\n")
    yield "short assignments", "a.yml", made(lambda number: f"pw{number}: a{number}\n")
    yield "short quoted assignments", "a.yml", made(lambda number: f"k{number}_key = 'v{number}zq'\n")
    yield "many tokens", "a.json", made(lambda number: f'"token":"{scramble(str(number), 26)}",')
    yield "many provider tokens", "a.txt", made(lambda number: "ghp" + f"_{scramble(str(number), 36)} ")
    yield "many headers", "a.txt", made(lambda number: f"Bearer {scramble(str(number), 22)} ")
    yield "many hex keys", ".env", made(lambda number: f"api_key={scramble(str(number), 32, '0123456789abcdef')}\n")
    yield "one value many times", "a.json", repeated(f'{{"password": "{scramble("one", 13)}"}},')
    yield "long values", "a.yml", made(lambda number: f'secret="{scramble(str(number), 5900)}" ')
    yield "URLs", "a.yml", made(lambda number: f"db://a{number}:{scramble(str(number), 12)}@h.io ")
    yield "base64 bomb", "a.yml", repeated(f'secret="{base64.b64encode(b"A" * 3000).decode()}"\n')
    yield "base64 within base64", "a.yml", repeated(f'secret="{_wrapped("A" * 400, 6)}"\n')
    yield "percent escapes", "a.yml", repeated('secret="%41%42%43%44%45%46%47%48%49%4a" ')
    yield "key headers", "a.pem", repeated(head)
    yield "keys never closed", "a.pem", repeated(head + "A" * 64 + "\n" + "B" * 64 + "\n")
    yield "half a JSON Web Key", "a.json", repeated('"kty" "d" : ')
    yield "Kubernetes Secret", "k8s.yaml", "kind: Secret\ndata:\n" + repeated("  password: cGFzc3dvcmQxMjM=\n")
    yield "password hashes", "a.sql", repeated("$2" + "y$12$" + "a" * 53 + "\n")


def _wrapped(text: str, times: int) -> str:
    for _ in range(times):
        text = base64.b64encode(text.encode()).decode()
    return text


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1_000_000)
    size = parser.parse_args().size
    rules = frozenset(each.id for each in RULES)
    matcher().budget = 0  # as in any larger audit: hyperscan from the first file on
    list(detect_secrets(Blob(Provenance("warm-up.env"), b"A_TOKEN=1\n"), rules))
    slowest = 0.0
    for name, path, text in corpora(size):
        blob = Blob(Provenance(path), text.encode())
        costs = []
        for run in (lambda blob: [*detect_secrets(blob, rules)], sensitive_spans):
            started = time.process_time()
            run(blob)
            costs.append((time.process_time() - started) * 1e6 / len(blob.data))
        slowest = max(slowest, *costs)
        print(f"{name:32} {len(blob.data) / 1e6:5.2f} MB   finding {costs[0]:5.2f} s/MB   masking {costs[1]:5.2f} s/MB")
    print(f"slowest: {slowest:.2f} s/MB; at most {LIMIT} allowed")
    return int(slowest > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
