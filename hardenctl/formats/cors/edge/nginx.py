"""What nginx answers to a request from an origin: its own rewrite phase, maps and inheritance, run on paper.

The rules of the real one, which the tests ask: `add_header` is inherited only by a level that has none of its own; of
several `if` that hold, the last one's headers count; an empty value sends no header; a map looks for equal strings
first, then for regular expressions in their order.
https://nginx.org/en/docs/http/ngx_http_headers_module.html, ngx_http_rewrite_module.html, ngx_http_map_module.html
"""

from __future__ import annotations

import fnmatch
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from hardenctl.formats.cors.acceptance import ALSO_EVIL, EVIL, Acceptance, is_local, mutants
from hardenctl.formats.cors.document import Argument, CorsSetup, Outcome
from hardenctl.formats.cors.edge.syntax import Directive, Word, parse
from hardenctl.formats.cors.edge.where import environment_of, is_static
from hardenctl.formats.cors.headers import CREDENTIALS, HEADERS, METHODS, ORIGIN
from hardenctl.formats.cors.samples import samples
from hardenctl.model.blob import Gap, Snapshot
from hardenctl.model.errors import DocumentError

_ADD = frozenset({"add_header", "more_set_headers"})
_NAMES = {"allow_origins": ORIGIN, "allow_credentials": CREDENTIALS, "allow_methods": METHODS, "allow_headers": HEADERS}
_VARIABLE = re.compile(r"\$\{(\w+)\}|\$(\w+)")
_TEMPLATED = re.compile(r"\$\{([A-Z][A-Z0-9_]*)[^}]*\}|\{\{\s*([\w.]*)[^}]*\}\}")
_ERROR = 400  # status codes from here on carry no header, and nothing to read
_BLOCKS = frozenset({"http", "server", "location", "if", "limit_except"})


def read(snapshot: Snapshot, paths: Sequence[str]) -> Iterator[CorsSetup | Gap]:
    """The set-ups of the configurations in `paths`, and those that include them."""
    files: dict[str, tuple[Directive, ...]] = {}
    for path in [*paths, *_including(snapshot, paths)]:
        blob = snapshot.read(path)
        if blob is None:
            continue
        try:
            files[path] = parse(blob.text, path)
        except DocumentError as error:
            if path in paths:
                yield Gap(path, f"line {error.line}: {error.what}" if error.line else error.what)
    included: set[str] = set()
    trees = {path: _expand(tree, path, files, included, frozenset({path})) for path, tree in files.items()}
    roots = {path: tree for path, tree in trees.items() if path not in included}
    maps = {name: each for tree in roots.values() for name, each in _maps(tree)}
    seen: Counter[tuple[str, str, str]] = Counter()
    for path, tree in roots.items():
        for chain in _chains(tree, (Directive("", (), tree[0].span, tree),) if tree else ()):
            for setup in _setup(chain, maps, path):
                same = (setup.path, setup.name, setup.scope)
                seen[same] += 1
                yield setup if seen[same] == 1 else replace(setup, name=f"{setup.name}#{seen[same]}")


def _including(snapshot: Snapshot, paths: Sequence[str]) -> Iterator[str]:
    """Configurations that include one of these files, so that a snippet is seen where it is used."""
    from hardenctl.formats.cors.edge import DECLARED, concerns

    names = [each.rpartition("/")[2].encode() for each in paths]
    for path in snapshot.paths():
        if path not in paths and concerns(path) and not path.endswith(DECLARED):
            blob = snapshot.read(path)
            if blob is not None and b"include" in blob.data and any(name in blob.data for name in names):
                yield path


def _expand(
    tree: tuple[Directive, ...],
    path: str,
    files: Mapping[str, tuple[Directive, ...]],
    included: set[str],
    inside: frozenset[str],
) -> tuple[Directive, ...]:
    """The tree with the repository's own files in place of their `include`."""
    found: list[Directive] = []
    for each in tree:
        if each.name == "include" and each.args:
            name = each.args[0].text.rpartition("/")[2]
            for other, directives in files.items():
                if other not in inside and fnmatch.fnmatch(other.rpartition("/")[2], name):
                    included.add(other)
                    found.extend(_expand(directives, other, files, included, inside | {other}))
        elif each.block is not None and each.name in _BLOCKS:
            found.append(replace(each, block=_expand(each.block, path, files, included, inside)))
        else:
            found.append(each)
    return tuple(found)


def _maps(tree: tuple[Directive, ...]) -> Iterator[tuple[str, Directive]]:
    for each in tree:
        if each.name == "map" and len(each.args) == 2 and each.block is not None:  # noqa: PLR2004 - from and to
            yield each.args[1].text.lstrip("$"), each
        elif each.name == "http" and each.block is not None:
            yield from _maps(each.block)


def _chains(tree: tuple[Directive, ...], chain: tuple[Directive, ...]) -> Iterator[tuple[Directive, ...]]:
    """Every level that allows an origin itself, or in an `if` of its own, with the levels around it."""
    allowing = [each for each in tree if _header(each) == ORIGIN]
    allowing += [each for one in tree if one.name == "if" for each in one.block or () if _header(each) == ORIGIN]
    if allowing and _reaches(chain[-1]):
        yield chain
    for each in tree:
        if each.block is not None and each.name in _BLOCKS - {"if"}:
            yield from _chains(each.block, (*chain, each))


def _reaches(level: Directive) -> bool:
    """Whether some request gets the headers of a level: it has a level in it that adds none, or room beside them."""
    inner = [each for each in level.block or () if each.name in {"server", "location"}]
    if any(not any(map(_header, each.block or ())) and _reaches(each) for each in inner):
        return True
    whole = any(each.name == "server" or [word.text for word in each.args] == ["/"] for each in inner)
    return not whole


def _header(directive: Directive) -> str:
    """The name of the header that a directive adds; empty for any other directive."""
    if directive.name not in _ADD or not directive.args:
        return ""
    return directive.args[0].text.partition(":")[0].strip().lower()


@dataclass
class _Answer:
    """What one request gets: header to value, None where it is not known; and what could not be decided on the way."""

    headers: dict[str, str | None] = field(default_factory=dict)
    doubts: bool = False
    variables: set[str] = field(default_factory=set)


@dataclass
class _Request:
    """One request from an origin, on its way through the levels of a chain."""

    origin: str
    maps: Mapping[str, Directive]
    answer: _Answer = field(default_factory=_Answer)
    values: dict[str, str | None] = field(default_factory=dict)
    captures: tuple[str, ...] = ()

    def run(self, chain: Sequence[Directive]) -> _Answer:
        """Answer it."""
        last: Directive | None = None
        for level in chain:
            for each in level.block or ():
                if each.name == "set" and len(each.args) == 2:  # noqa: PLR2004 - name and value
                    self.values[each.args[0].text.lstrip("$")] = self.text(each.args[1].text)
                elif each.name == "if" and self.holds(each):
                    last = each
                    for inner in each.block or ():
                        if inner.name == "set" and len(inner.args) == 2:  # noqa: PLR2004 - as above
                            self.values[inner.args[0].text.lstrip("$")] = self.text(inner.args[1].text)
                    if self._ends(each.block or ()):
                        return self.answer
                elif each.name == "return" and self._ends((each,)):
                    return self.answer
        levels = [*chain, *([last] if last is not None else [])]
        adding = next((level for level in reversed(levels) if any(map(_header, level.block or ()))), None)
        for each in adding.block or () if adding is not None else ():
            self._add(each)
        return self.answer

    def _ends(self, block: Sequence[Directive]) -> bool:
        """Whether a block answers with an error: whoever asks reads nothing."""
        codes = [each.args[0].text for each in block if each.name == "return" and each.args]
        return any(code.isdigit() and int(code) >= _ERROR for code in codes)

    def _add(self, directive: Directive) -> None:
        name = _header(directive)
        if name not in _NAMES.values():
            return
        words = [each.text for each in directive.args]
        written = words[0].partition(":")[2].strip() if directive.name == "more_set_headers" else "".join(words[1:2])
        value = self.text(written)
        if value == "":
            return
        before = self.answer.headers.get(name, "")
        # Twice the same header: a browser reads one value with a comma, which is no origin.
        self.answer.headers[name] = value if not before or value is None else f"{before}, {value}"

    def text(self, written: str) -> str | None:
        """What a text with variables comes to; None where that is not known."""
        for found in _TEMPLATED.finditer(written):
            self.answer.variables.add(found[1] or found[2])
        if _TEMPLATED.search(written):
            return None
        parts, at = [], 0
        for match in _VARIABLE.finditer(written):
            value = self._variable(match[1] or match[2])
            if value is None:
                return None
            parts += [written[at : match.start()], value]
            at = match.end()
        return "".join([*parts, written[at:]])

    def _variable(self, name: str) -> str | None:
        if name.isdigit():
            return self.captures[int(name)] if int(name) < len(self.captures) else ""
        if name in self.values:
            return self.values[name]
        if name in self.maps:
            return self._mapped(self.maps[name])
        return {"http_origin": self.origin, "request_method": "GET"}.get(name)

    def _mapped(self, mapping: Directive) -> str | None:
        source = self.text(mapping.args[0].text)
        if source is None:
            return None
        entries = [each for each in mapping.block or () if each.args]
        equal = (each for each in entries if each.name.removeprefix("\\").lower() == source.lower())
        chosen = next((each for each in equal if each.name not in {"default", "include"}), None)
        if chosen is None:
            chosen = next((each for each in entries if each.name[:1] == "~" and self._matches(each.name, source)), None)
        if chosen is None:
            chosen = next((each for each in entries if each.name == "default"), None)
        return self.text(chosen.args[0].text) if chosen is not None else ""

    def _matches(self, pattern: str, source: str) -> bool:
        folded = pattern.startswith("~*")
        try:
            found = re.search(pattern[2:] if folded else pattern[1:], source, re.IGNORECASE if folded else 0)
        except re.error:
            self.answer.doubts = True
            return False
        if found:
            self.captures = (found[0], *(each or "" for each in found.groups()))
        return bool(found)

    def holds(self, condition: Directive) -> bool:
        """Whether an `if` holds; where that is not known it does not, and the answer has a doubt."""
        words = _condition(condition.args)
        left = self.text(words[0]) if words else None
        if left is None or (words and words[0].startswith(("-", "!-"))):
            self.answer.doubts |= _decides(condition)
            return False
        if len(words) == 1:
            return left not in {"", "0"}
        operator, right = words[1], " ".join(words[2:])
        if operator in {"=", "!="}:
            value = self.text(right)
            self.answer.doubts |= value is None and _decides(condition)
            return value is not None and (left == value) == (operator == "=")
        negated = operator.startswith("!")
        return self._matches(operator.lstrip("!") + right, left) != negated


def _condition(words: Sequence[Word]) -> list[str]:
    """The words of `if (...)` without its brackets."""
    texts = [each.text for each in words]
    if texts and texts[0].startswith("("):
        texts[0] = texts[0][1:]
    if texts and texts[-1].endswith(")"):
        texts[-1] = texts[-1][:-1]
    return [each for number, each in enumerate(texts) if each or 0 < number < len(texts) - 1]


def _decides(condition: Directive) -> bool:
    """Whether who gets in hangs on an `if`."""
    return any(each.name in {"set", "return"} or _header(each) == ORIGIN for each in condition.block or ())


def _setup(chain: Sequence[Directive], maps: Mapping[str, Directive], root: str) -> Iterator[CorsSetup]:
    def ask(origin: str) -> _Answer:
        return _Request(origin, maps).run(chain)

    def admits(origin: str) -> bool:
        return ask(origin).headers.get(ORIGIN, "") in {origin, "*"}

    level = chain[-1]
    spans = _spans(level)
    answer = ask(EVIL)
    sent = answer.headers.get(ORIGIN, "")
    wildcard = sent == "*"
    admitted = sorted(each for each in _attackers(chain, maps) if admits(each))
    plain = [each for each in _own(chain, maps) if each.startswith("http://") and _remote(each) and admits(each)]
    credentials = answer.headers.get(CREDENTIALS, "")
    if not (wildcard or sent):  # what those get who are let in
        inside = next(iter([*admitted, *filter(admits, _own(chain, maps))]), EVIL)
        credentials = ask(inside).headers.get(CREDENTIALS, "")
    scope = _scope(chain)
    if is_static(scope) and not credentials:
        return  # fonts and images are anybody's
    open_ended = sent is None or answer.doubts
    outcome = Outcome(
        environment=environment_of(root),
        acceptance=Acceptance(
            "nginx",
            everyone=wildcard or (admits(EVIL) and admits(ALSO_EVIL)),
            literals=tuple(admitted),
            plain=tuple(plain),
        ),
        credentials=None if credentials is None else credentials.lower() == "true" and not wildcard,
        methods=_listed(answer.headers.get(METHODS)),
        headers=_listed(answer.headers.get(HEADERS)),
        variables=frozenset(answer.variables),
        open_ended=open_ended,
        unresolved=open_ended,
    )
    yield CorsSetup(
        path=spans["allow_origins"].span.path,
        library="nginx",
        span=spans["allow_origins"].span,
        arguments=spans,
        outcomes=(outcome,),
        scope=scope,
        name=next((each.args[0].text for one in chain for each in one.each("server_name") if each.args), ""),
    )


def _spans(level: Directive) -> dict[str, Argument]:
    directives = [*(level.block or ()), *(inner for each in level.each("if") for inner in each.block or ())]
    found: dict[str, Argument] = {}
    for each in directives:
        for word, name in _NAMES.items():
            if _header(each) == name:
                found.setdefault(word, Argument(each.span))
    return found


def _scope(chain: Sequence[Directive]) -> str:
    """The location that is covered; empty for all."""
    paths = [" ".join(each.text for each in one.args) for one in chain if one.name == "location"]
    return paths[-1] if paths and paths[-1] not in {"/", "^~ /"} else ""


def _listed(value: str | None) -> tuple[str, ...] | None:
    return tuple(each.strip() for each in value.split(",")) if value else None


def _remote(origin: str) -> bool:
    return not is_local(re.sub(r"^\w+://|:\d+$", "", origin))


def _attackers(chain: Sequence[Directive], maps: Mapping[str, Directive]) -> set[str]:
    """Origins that others can have, made from the ones that the configuration speaks of."""
    own = _own(chain, maps)
    made = {each for seed in own for each in mutants(seed)}
    return {EVIL, ALSO_EVIL, "null", *made} - own


def _own(chain: Sequence[Directive], maps: Mapping[str, Directive]) -> set[str]:
    """The origins that the configuration speaks of, one for each alternative of a regular expression."""
    return {each for written in _patterns(chain, maps) for each in _origins(written)}


def _patterns(chain: Sequence[Directive], maps: Mapping[str, Directive]) -> Iterator[tuple[bool, str]]:
    """Texts that origins are compared with, and whether each is a regular expression."""
    for mapping in maps.values():
        for each in mapping.block or ():
            name = each.name
            yield name[:1] == "~", name.lstrip("~*") if name[:1] == "~" else name.removeprefix("\\")
            yield from ((False, word.text) for word in each.args)
    for level in chain:
        for each in level.block or ():
            if each.name == "if":
                words = _condition(each.args)
                yield "~" in "".join(words[1:2]), " ".join(words[2:])
            for inner in (each, *(each.block or () if each.name == "if" else ())):
                if _header(inner) == ORIGIN or inner.name == "set":
                    yield from ((False, word.text) for word in inner.args[1:])


def _origins(written: tuple[bool, str]) -> Iterator[str]:
    is_pattern, text = written
    for each in samples(text) if is_pattern else [text]:
        if is_pattern and "." in each:  # one of host names alone matches inside an origin of any scheme
            host = re.sub(r"^[a-z]*:?/*", "", each) if "://" in each else each.lstrip("/:")
            yield from (f"https://{host}", f"http://{host}")
        elif "://" in each and "$" not in each:
            yield each
