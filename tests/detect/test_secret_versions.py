"""What was parsed of one version of a file is known of the next: the answer is that of a process that knows nothing."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hardenctl.detect.secrets import detect_secrets
from hardenctl.detect.secrets.assign import Memo
from hardenctl.model.blob import Blob, Provenance
from hardenctl.rules.fakes import scramble
from hardenctl.rules.secrets import RULES

ALL = frozenset(each.id for each in RULES)
VALUE = scramble("versions", 24)
LONG = scramble("versions-long", 1500)
# What stands in files: credentials in shapes that look far ahead or back, what makes them none, and plain lines.
PIECES = (
    f'DB_PASSWORD = "{VALUE}"\n',
    f"password: {VALUE}\n",
    "password:\n",
    f"  {VALUE}\n",
    f'api_key = os.environ.get(\n    "API_KEY",\n    "{VALUE}",\n)\n',
    'api_key = os.environ.get("API_KEY",\n',
    f'"{VALUE}")\n',
    'SECRET_KEY = """\n',
    '"""\n',
    "TOKEN = `\n",
    "`\n",
    f"{VALUE}\n",
    "DbPassword:\n  Type: String\n  NoEcho: true\n",
    "  Description: what it is for\n",
    f"  Default: {VALUE}\n",
    f"mysql -u root -p{VALUE} shop\n",
    f'login(\n    "ada",\n    "{VALUE}",\n)\n',
    'login("ada",\n',
    "# an example: ",
    "\n",
    "\n\n\n\n\n",
    "    ",
    "value = compute(1, 2)\n",
    "for each in names: yield each.strip()\n",
    "def f(x):\n    return x + 1\n" * 6,
    "x = '" + "lorem ipsum " * 40 + "'\n",
    f"secret = '{LONG}'\n",
    "key = '" + "a b " * 300 + "\n",
    "password = kafka7\n",
    "io.kafka7.server\n",
)
PATHS = ("app.py", "settings.yml", "deploy.sh", "notes.md", "main.go", "a.json")


def found(text: str, path: str, memo: Memo | None) -> list[tuple[str, int, int, str | None]]:
    """Every hit, and what was left out."""
    blob, gaps = Blob(Provenance(path), text.encode()), list[str]()
    hits = detect_secrets(blob, ALL, lambda gap: gaps.append(gap.reason), (), memo)
    return [(rule.id, hit.span.start, hit.span.end, hit.secret) for rule, hit in hits] + [
        (reason, 0, 0, None) for reason in gaps
    ]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_versions_are_parsed_as_if_each_were_the_first(data: st.DataObject) -> None:
    """Whatever the edits, and however the versions of two files take turns."""
    pieces = data.draw(st.lists(st.sampled_from(PIECES), min_size=1, max_size=40))
    memo, paths = Memo(), data.draw(st.lists(st.sampled_from(PATHS), min_size=1, max_size=2))
    for _ in range(data.draw(st.integers(2, 8))):
        at = data.draw(st.integers(0, len(pieces)))
        gone = data.draw(st.integers(0, 2))
        pieces[at : at + gone] = data.draw(st.lists(st.sampled_from(PIECES), max_size=2))
        text = "".join(pieces)
        for path in paths:
            assert found(text, path, memo) == found(text, path, None)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("opened", "closing"),
    [
        ('password = """', f'{VALUE}"""'),
        ("password = '''", f"{VALUE}'''"),
        ("password = `", f"{VALUE}`"),
        ("password = get('PASSWORD',", f'"{VALUE}")'),
        ("password:", f"  {VALUE}"),
        ("DbPassword:", f"  Type: String\n  Default: {VALUE}"),
    ],
)
@pytest.mark.parametrize("between", [0, 1, 11, 12, 13, 40, 700])
@pytest.mark.parametrize("line", ["\n", "word\n", "    lorem ipsum dolor sit amet, consectetur adipiscing\n"])
def test_a_value_that_ends_far_below_is_seen_when_it_comes(
    path: str, opened: str, closing: str, between: int, line: str
) -> None:
    """The first version's value never ends, the second's does, and nothing near the anchor says which it is."""
    start, memo = "line = 1\n" * 60 + opened + "\n" + line * between, Memo()
    for end in ("", f"{closing}\n", "end = 2\n"):
        text = start + end + "end = 1\n" * 200
        assert found(text, path, memo) == found(text, path, None)


def test_the_memo_is_used() -> None:
    """Else the others would prove nothing."""
    text = "".join(f'password_{number} = "{VALUE}"  # {number}\n' for number in range(200))
    memo = Memo()
    first = found(text, "app.py", memo)
    assert len(first) == 200
    assert len(memo) > 100
    assert found(text + "end = 1\n", "app.py", memo) == first
