"""How control leaves a block while a program is evaluated."""

from __future__ import annotations

from hardenctl.formats.python.values import Value


class Signal(Exception):  # noqa: N818 - control flow of the evaluated program, no error of ours
    """Something other than the next statement comes next."""


class Returned(Signal):
    """`return`."""

    def __init__(self, value: Value) -> None:
        super().__init__()
        self.value = value


class Broken(Signal):
    """`break`."""


class Continued(Signal):
    """`continue`."""


class Raised(Signal):
    """An exception of the evaluated program; `kind` is its class's name, empty where that is not known."""

    def __init__(self, kind: str = "") -> None:
        super().__init__(kind)
        self.kind = kind


class Exhausted(Signal):
    """The run was cut off."""
