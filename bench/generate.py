"""Are the alphabets without bias? Chi-square over a million characters of each, against its 1-in-a-million bound.

The peer is `openssl rand`: as many characters of base64 from it get the same test.
"""

from __future__ import annotations

import base64
import math
import secrets
import shutil
import subprocess
import sys
import time
from collections import Counter

from hardenctl.generate.alphabets import ALPHABETS
from hardenctl.generate.credential import LONGEST, RECIPES, generate

CHARACTERS = 1_000_000
Z = 4.75  # standard deviations that a normal variable exceeds once in a million


def bound(size: int) -> float:
    """What chi-square of `size` equally likely characters exceeds once in a million (Wilson and Hilferty, 1931)."""
    freedom = size - 1
    spread = 2 / (9 * freedom)
    return float(freedom * (1 - spread + Z * math.sqrt(spread)) ** 3)


def chi_square(text: str, alphabet: str) -> float:
    """How far the counts are from equal; about the alphabet's size for an unbiased source."""
    expected = len(text) / len(alphabet)
    counts = Counter(text)
    if set(counts) - set(alphabet):
        raise SystemExit("a character that is not of the alphabet")
    return sum((counts[each] - expected) ** 2 for each in alphabet) / expected


def main() -> int:
    """Print a line an alphabet; 1 where one is biased."""
    biased = 0
    for name, alphabet in ALPHABETS.items():
        started = time.perf_counter()
        pieces = [
            generate(RECIPES["token"], alphabet=name, length=LONGEST).value for _ in range(CHARACTERS // LONGEST + 1)
        ]
        text = "".join(pieces)[:CHARACTERS]
        found, limit = chi_square(text, alphabet), bound(len(alphabet))
        biased += found > limit
        print(
            f"{name:<10} {len(alphabet):>3} characters  chi-square {found:7.1f}  bound {limit:7.1f}"
            f"  ratio {found / limit:.2f}  {CHARACTERS / (time.perf_counter() - started) / 1e6:.2f} M/s"
        )
    if program := shutil.which("openssl"):
        done = subprocess.run([program, "rand", str(CHARACTERS * 3 // 4)], capture_output=True, check=True)
        text = base64.b64encode(done.stdout).decode()[:CHARACTERS]
        print(f"openssl rand, base64: chi-square {chi_square(text, ALPHABETS['base64']):.1f}, bound {bound(64):.1f}")
    # The test can fail: the usual mistake, a byte modulo the size, is far beyond the bound.
    alnum = ALPHABETS["alnum"]
    wrong = "".join(alnum[each % len(alnum)] for each in secrets.token_bytes(CHARACTERS))
    print(f"byte % 62, the usual mistake: chi-square {chi_square(wrong, alnum):.1f}, bound {bound(62):.1f}")
    return 1 if biased else 0


if __name__ == "__main__":
    sys.exit(main())
