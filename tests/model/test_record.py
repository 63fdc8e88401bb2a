"""Records: data classes made fast. Real data classes are the oracle."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from functools import cached_property
from typing import Any

import pytest

from hardenctl.model.pattern import lazy_pattern
from hardenctl.model.record import field, record, replace


@record(order=True)
class Point:
    """With a default, a hidden field and one made anew."""

    x: int
    y: int = 2
    tags: dict[str, str] = field(default_factory=dict)
    hidden: str = field(default="h", repr=False)


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Twin:
    """The same as a data class."""

    x: int
    y: int = 2
    tags: dict[str, str] = dataclasses.field(default_factory=dict)
    hidden: str = dataclasses.field(default="h", repr=False)


@record(slots=False)
class Base:
    """With a cached property."""

    name: str

    @cached_property
    def long(self) -> str:
        """Worked out once."""
        return self.name * 2


@record(slots=False)
class Derived(Base):
    """With a field of its own behind its base's."""

    size: int = 1


@record(slots=False, frozen=False)
class Counter:
    """That counts."""

    count: int = 0


def outcome(make: Any, *arguments: Any, **named: Any) -> Any:
    """What is made, or the type of the error."""
    try:
        return repr(make(*arguments, **named)).replace("Twin", "Point")
    except TypeError as error:
        return type(error)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        pytest.param((1,), {}, id="defaults"),
        pytest.param((1, 3, {"a": "b"}, "x"), {}, id="by-position"),
        pytest.param((), {"x": 1, "hidden": "q"}, id="by-name"),
        pytest.param((), {}, id="one-is-missing"),
        pytest.param((1, 2, {}, "", 5), {}, id="one-too-many"),
        pytest.param((1,), {"z": 1}, id="no-such-field"),
    ],
)
def test_is_made_as_a_data_class_is(arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
    """The first time and again."""
    expected = outcome(Twin, *arguments, **named)
    assert [outcome(Point, *arguments, **named) for _ in range(2)] == [expected, expected]


def test_compares_and_sorts_by_its_fields() -> None:
    """Equal fields of one class are equal; hashes follow."""
    assert Point(1) == Point(1)
    assert Point(1) != Point(2)
    assert Point(1) != Twin(1)
    assert sorted([Point(2), Point(1, 3), Point(1)], key=lambda each: each) == [Point(1), Point(1, 3), Point(2)]
    assert Point(1) < Point(2) <= Point(2)
    assert Point(2) > Point(1) >= Point(1)
    assert {Base("a"), Base("a"), Derived("a")} == {Base("a"), Derived("a", 1)}
    with pytest.raises(TypeError):
        assert Point(1) < 2  # type: ignore[operator]


def test_defaults_are_not_shared() -> None:
    """A factory is called for each."""
    assert Point(1).tags is not Point(1).tags


def test_cannot_be_changed() -> None:
    """Neither a field nor anything else, with slots or without; unless it says so."""
    for each, name in ((Point(1), "x"), (Point(1), "new"), (Base("a"), "name"), (Derived("a"), "size")):
        with pytest.raises(AttributeError):
            setattr(each, name, 1)
        with pytest.raises(AttributeError):
            delattr(each, name)
    assert not hasattr(Point(1), "__dict__")
    counter = Counter()
    counter.count += 1
    assert counter == Counter(1)
    with pytest.raises(TypeError):
        hash(counter)


def test_cached_properties_and_bases() -> None:
    """A property is worked out once; a base's fields come first."""
    each = Derived("ab")
    assert each.long is each.long
    assert repr(each) == "Derived(name='ab', size=1)"
    match each:
        case Derived(name, size):
            assert (name, size) == ("ab", 1)


@pytest.mark.parametrize("each", [Point(1, 5), Derived("a", 2), Base("b")], ids=repr)
def test_copies(each: Any) -> None:
    """Pickled (workers do), copied and replaced, it is equal; `dataclasses` takes it for one of its own."""
    assert pickle.loads(pickle.dumps(each)) == copy.deepcopy(each) == replace(each) == each  # noqa: S301 - our own
    first = dataclasses.fields(each)[0].name
    changed = replace(each, **{first: 9})
    assert changed == dataclasses.replace(each, **{first: 9}) != each
    assert dataclasses.asdict(changed)[first] == 9
    with pytest.raises(TypeError):
        replace(each, nothing=1)


def test_a_pattern_is_compiled_when_it_is_used() -> None:
    """It is a pattern from then on, for bytes too; a wrong one is an error then."""
    words = lazy_pattern(r"(?P<first>\w)\w*")
    assert [match["first"] for match in words.finditer("ab cd")] == ["a", "c"]
    assert (words.pattern, dict(words.groupindex)) == (r"(?P<first>\w)\w*", {"first": 1})
    assert lazy_pattern(rb"a+").sub(b"b", b"caat") == b"cbt"
    assert not hasattr(words, "nonsense")
    broken = lazy_pattern("(")
    with pytest.raises(Exception, match="missing"):
        broken.search("x")


def test_one_that_is_equal_to_itself_alone() -> None:
    """As a data class with `eq=False`: it may hold what has no hash, and be a key all the same."""

    @record(slots=False, eq=False)
    class Node:
        children: list[str]

    first, second = Node(["a"]), Node(["a"])
    assert first != second
    assert {first: 1, second: 2}[first] == 1
