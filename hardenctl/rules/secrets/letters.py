"""How much a run of letters looks like language: the cost of each pair of letters, in bits.

Measured over the distinct words of public Python and web projects; bits are rounded and capped at 9. English words and
names of products cost about 4 bits a letter, random letters 5 and more. A soft signal among others: short words of
other languages and abbreviations look random too.
"""

from __future__ import annotations

import functools
import itertools

_TO = "abcdefghijklmnopqrstuvwxyz$"  # `^` is the start of a word, `$` its end
_ROWS = {
    "^": "453445554765455474345669889",
    "a": "954597585963539593436678674",
    "b": "366737884693683784463999694",
    "c": "396839934945992895735999794",
    "d": "477628793896885896585889791",
    "e": "574366697994538683348675893",
    "f": "487934782984883794654999593",
    "g": "487838554996745894675999791",
    "h": "289929993996773995655999693",
    "i": "464545599984524595449597955",
    "j": "399729774979693579493659994",
    "k": "479627753975664795365969682",
    "l": "387527893984783899555799493",
    "m": "258827893996583399675999694",
    "n": "484446384977765898436699793",
    "o": "665586696964425593554558884",
    "p": "388738764993883493545999694",
    "q": "577799975994977977561979993",
    "r": "376527693966563796445789593",
    "s": "595837954976785588435879792",
    "t": "386828852996894894455989593",
    "u": "544647595984438493339899885",
    "v": "287819892996784797887998994",
    "w": "278837943977944994469979793",
    "x": "593738863986677399638996792",
    "y": "586759795996556497467979771",
    "z": "379919753998673988895979873",
}
_COST = {first + second: int(row[at]) for first, row in _ROWS.items() for at, second in enumerate(_TO)}


@functools.lru_cache(maxsize=65536)
def cost(word: str) -> float:
    """Mean bits a letter of one run of lower-case ASCII letters."""
    framed = f"^{word}$"
    return sum(_COST.get(first + second, 9) for first, second in itertools.pairwise(framed)) / (len(framed) - 1)
