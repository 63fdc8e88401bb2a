"""Regular expressions of Go (RE2) as Python's `re` reads them: https://pkg.go.dev/regexp/syntax."""

from __future__ import annotations

import re

_POSIX = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "ascii": r"\x00-\x7f", "blank": r"\t ", "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9", "graph": "!-~", "lower": "a-z", "print": " -~", "punct": r"!-/:-@\[-`{-~", "space": r"\t\n\v\f\r ",
    "upper": "A-Z", "word": r"0-9A-Za-z_", "xdigit": "0-9A-Fa-f",
}  # fmt: skip
_FLAGS = re.compile(r"\(\?([a-zA-Z]*)(?:-([a-zA-Z]+))?([:)])")
_NAME = re.compile(r"\(\?P?<(\w+)>")
_POSIX_CLASS = re.compile(r"\[:(\^?)(\w+):\]")
_HEX = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")
_QUOTED = re.compile(r"\\Q(.*?)(?:\\E|$)", re.DOTALL)
_REPEAT = re.compile(r"\{(\d+)(?:,(\d*))?\}")
_MOST = 1000  # repetitions, Go's own limit


def python_expression(text: str) -> str:
    """The same expression in Python's words. Raises ValueError that says what has no equal there."""
    result = _Translator(text).run()
    try:
        re.compile(result, re.ASCII)
    except (re.error, OverflowError, RecursionError):
        raise ValueError("is no expression that Python's `re` can read") from None
    return result


class _Translator:
    """Reads the expression once. Go's `(?i)` holds to the end of its group, in every alternative: Python's must not."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.out: list[str] = []
        self.opened: list[list[str]] = [[]]  # for each open group, what was opened in it for flags
        self.multiline = [False]

    def run(self) -> str:
        """The translation."""
        while self.at < len(self.text):
            self.step()
        if len(self.opened) > 1:
            raise ValueError("has a group that is not closed")
        self.close_flags()
        return "".join(self.out)

    def step(self) -> None:
        """One piece."""
        char = self.text[self.at]
        if char == "\\":
            self.escape()
        elif char == "[":
            self.klass()
        elif char == "(":
            self.group()
        elif char == ")":
            if len(self.opened) == 1:
                raise ValueError("closes a group that is not open")
            self.close_flags()
            self.opened.pop()
            self.multiline.pop()
            self.put(")")
        elif char == "|":
            flags = self.opened[-1]
            self.put(")" * len(flags) + "|" + "".join(flags))
        elif char == "$":
            self.put("$" if self.multiline[-1] else r"\Z")
        elif char == "{" and not _REPEAT.match(self.text, self.at):
            self.put(r"\{")
        else:
            self.put(char)

    def put(self, text: str, read: int = 1) -> None:
        """Write, and go on behind what was read."""
        self.out.append(text)
        self.at += read

    def close_flags(self) -> None:
        """The groups that flags opened end with the group they stand in."""
        self.out.append(")" * len(self.opened[-1]))
        self.opened[-1].clear()

    def group(self) -> None:
        """`(`, with a name or flags."""
        if name := _NAME.match(self.text, self.at):
            self.open(f"(?P<{name[1]}>", name.end() - self.at)
            return
        flags = _FLAGS.match(self.text, self.at)
        if flags is None:
            if self.text.startswith("(?", self.at):
                raise ValueError(f"has `{self.text[self.at : self.at + 3]}`, which Go has not")
            self.open("(", 1)
            return
        on, off = flags[1], flags[2] or ""
        if set(on + off) - set("ims"):
            raise ValueError("has a flag that Python's `re` has not (`U`: shortest first)")
        start = f"(?{on}{'-' + off if off else ''}:"
        multiline = "m" in on or (self.multiline[-1] and "m" not in off)
        if flags[3] == ":":
            self.open(start, flags.end() - self.at)
            self.multiline[-1] = multiline
            return
        self.multiline[-1] = multiline
        if on or off:
            self.opened[-1].append(start)
            self.out.append(start)
        self.at = flags.end()

    def open(self, text: str, read: int) -> None:
        """A group begins."""
        self.put(text, read)
        self.opened.append([])
        self.multiline.append(self.multiline[-1])

    def escape(self) -> None:
        """A backslash outside a class."""
        if quoted := _QUOTED.match(self.text, self.at):
            self.put(re.escape(quoted[1]), quoted.end() - self.at)
        elif self.text.startswith(r"\z", self.at):
            self.put(r"\Z", 2)
        else:
            self.put(*self.escaped())

    def escaped(self) -> tuple[str, int]:
        """An escape that may stand in a class too, and how long it was."""
        if number := _HEX.match(self.text, self.at):
            return f"\\U{int(number[1], 16):08x}", number.end() - self.at
        following = self.text[self.at + 1 : self.at + 2]
        if not following:
            raise ValueError("ends in a backslash")
        if following in "pPC":
            raise ValueError(f"has `\\{following}`, which Python's `re` has not")
        if following.isalpha() and following not in "abBdDsSwWfnrtvxA":
            raise ValueError(f"has `\\{following}`, which Go has not")
        if following in "<>\"'`@%/:;=,!&~_ -#":
            return re.escape(following), 2
        return f"\\{following}", 2

    def klass(self) -> None:
        """A class: POSIX names in it, and brackets and doubled signs that Python would warn of."""
        start = self.at
        self.put("[")
        if self.text.startswith("^", self.at):
            self.put("^")
        first = True
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == "]" and not first:
                self.put("]")
                return
            if char == "[" and (posix := _POSIX_CLASS.match(self.text, self.at)):
                if posix[1] or posix[2] not in _POSIX:
                    raise ValueError(f"has the class `{posix[0]}`, which Python's `re` has not")
                self.put(_POSIX[posix[2]], len(posix[0]))
            elif char == "\\":
                self.put(*self.escaped())
            elif char in "[]" or (char in "&|~-" and self.text.startswith(char * 2, self.at)):
                self.put(f"\\{char}")
            else:
                self.put(char)
            first = False
        raise ValueError(f"has a class that is not closed, from character {start + 1}")
