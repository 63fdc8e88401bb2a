"""The score of a candidate: a logistic model whose features and weights are readable data.

`weights.json` is written by `bench/train_credentials.py`; each weight is the log-odds its feature adds.
"""

from __future__ import annotations

import functools
import math
from pathlib import Path


@functools.cache
def weights() -> dict[str, float]:
    """Feature name to log-odds; `bias` is what holds of every candidate."""
    # Beside this module, in the wheel too; importlib.resources would cost a hook run 12 ms.
    import json

    text = Path(__file__).with_name("weights.json").read_text(encoding="utf-8")
    loaded: dict[str, float] = json.loads(text)
    return loaded


@functools.lru_cache(maxsize=4096)
def probability(features: frozenset[str]) -> float:
    """How probable it is that a candidate with these features is a credential, between 0 and 1."""
    table = weights()
    return 1 / (1 + math.exp(-(table["bias"] + sum(table.get(name, 0.0) for name in features))))


def reasons(features: frozenset[str], count: int = 4) -> tuple[str, ...]:
    """The features that spoke most for a candidate, most telling first, with their log-odds."""
    table = weights()
    telling = sorted((name for name in features if table.get(name, 0.0) > 0), key=lambda name: (-table[name], name))
    return tuple(f"{name} (+{table[name]:.1f})" for name in telling[:count])
