"""The Python modules of a snapshot: found by dotted name, parsed on demand, once."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from collections.abc import Iterable, Iterator
from functools import cached_property

from hardenctl.model.blob import Blob, Gap, Snapshot
from hardenctl.model.errors import DocumentError
from hardenctl.model.record import field, record
from hardenctl.model.text import Span

_SETTINGS = re.compile(r"""DJANGO_SETTINGS_MODULE["']\s*(?:,|\]\s*=)\s*["']([\w.]+)["']""")
_OURS = ".".join(map(str, sys.version_info[:2]))  # newer syntax is none to it
LARGEST = 1_000_000  # bytes; a bigger module is generated data


@record(slots=False, frozen=False, eq=False)
class Module:
    """A parsed module. `name` is its dotted name from the root of the snapshot."""

    blob: Blob
    tree: ast.Module
    name: str

    @property
    def path(self) -> str:
        """The file."""
        return self.blob.path

    @cached_property
    def package(self) -> str:
        """The dotted name relative imports start from."""
        return self.name if self.path.endswith("__init__.py") else self.name.rpartition(".")[0]

    def span(self, node: ast.AST) -> Span:
        """Where a node stands."""
        lines = self.blob.lines
        return Span(
            self.path,
            lines.offset_utf8(node.lineno, node.col_offset),  # type: ignore[attr-defined]
            lines.offset_utf8(node.end_lineno, node.end_col_offset),  # type: ignore[attr-defined]
        )


@record(slots=False, frozen=False, eq=False)
class Project:
    """Finds and parses modules. Nothing is read that nobody asks for."""

    snapshot: Snapshot
    _modules: dict[str, Module | None] = field(default_factory=dict)

    @cached_property
    def paths(self) -> frozenset[str]:
        """The Python files."""
        return frozenset(path for path in self.snapshot.paths() if path.endswith(".py"))

    @cached_property
    def _exact(self) -> dict[str, str]:
        """Dotted path from the root to file."""
        return {dotted(path): path for path in self.paths}

    @cached_property
    def _packages(self) -> frozenset[str]:
        """All folders that hold modules, as dotted paths."""
        return frozenset(name[:index] for name in self._exact for index in range(len(name)) if name[index] == ".")

    @cached_property
    def _suffixes(self) -> dict[str, list[str]]:
        """Dotted name to files, from each folder that can stand on the import path: `app.core` below `backend/` too."""
        found: dict[str, list[str]] = {}
        inits = {path.removesuffix("__init__.py") for path in self.paths if path.endswith("__init__.py")}
        for path in sorted(self.paths, key=lambda path: (path.count("/"), path)):
            folders = path.split("/")[:-1]
            for start in range(len(folders) + 1):
                prefix = "".join(f"{each}/" for each in folders[:start])
                if prefix in inits:
                    continue  # a package's own folder is not on the import path
                name = dotted(path[len(prefix) :])
                if not (start and name.split(".")[0] in sys.stdlib_module_names):
                    found.setdefault(name, []).append(path)
        return found

    @cached_property
    def django_settings(self) -> Module | None:
        """The module that `DJANGO_SETTINGS_MODULE` names in `asgi.py`, `wsgi.py` or `manage.py`."""
        entries = [path for path in self.paths if path.rpartition("/")[2] in {"asgi.py", "wsgi.py", "manage.py"}]
        for path in sorted(entries, key=lambda path: (path.count("/"), path.endswith("manage.py"), path)):
            blob = self.snapshot.read(path)
            match = _SETTINGS.search(blob.text) if blob is not None else None
            if match is not None and (found := self.find(match[1])) is not None:
                return found
        return None

    def parse(self, path: str) -> Module | None:
        """The module at a path, None where there is none or its syntax is broken (see `syntax_error`)."""
        if path not in self._modules:
            blob = self.snapshot.read(path)
            self._modules[path] = None
            if blob is not None and len(blob.data) <= LARGEST:
                try:
                    self._modules[path] = Module(blob, parse(blob.text), dotted(path))
                except DocumentError:
                    return None
        return self._modules[path]

    def find(self, name: str, importer: Module | None = None, *, exact: bool = False) -> Module | None:
        """The module that `import name` means, nearest to the importing one; None where it is not ours.

        `exact` names are full paths from the root: what a relative import comes to.
        """
        if exact:
            return self.parse(self._exact[name]) if name in self._exact else None
        candidates = self._suffixes.get(name, ())
        if not candidates:
            return None
        near = importer.path if importer else ""
        return self.parse(max(candidates, key=lambda path: (_shared(path, near), -path.count("/"))))

    def knows(self, name: str) -> bool:
        """Whether a dotted path from the root is a module or a folder of modules."""
        return name in self._exact or name in self._packages


def parse(text: str) -> ast.Module:
    """The syntax tree. Raises DocumentError with the line of a syntax error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the audited code's own warnings (invalid escapes) are not ours
        try:
            return ast.parse(text.lstrip("\ufeff"))
        except SyntaxError as error:
            raise DocumentError(
                f"syntax error to Python {_OURS}, which runs hardenctl", line=error.lineno or 0
            ) from None
        except (ValueError, RecursionError, MemoryError):
            raise DocumentError("cannot be parsed as Python") from None


def unparsable(path: str, text: str) -> Iterator[Gap]:
    """Why a module that matters is not parsed."""
    try:
        parse(text)
    except DocumentError as error:
        yield Gap(path, f"line {error.line}: {error.what}" if error.line else error.what)
    else:
        yield Gap(path, "too large to be read as Python")


def dotted(path: str) -> str:
    """The dotted name of a file: `app/core/__init__.py` is `app.core`."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _shared(path: str, other: str) -> int:
    """How many leading folders two paths share."""
    count = 0
    for mine, theirs in zip(path.split("/")[:-1], other.split("/")[:-1], strict=False):
        if mine != theirs:
            break
        count += 1
    return count


def names_in(nodes: Iterable[ast.AST]) -> set[str]:
    """All names, attributes and keywords below nodes."""
    found: set[str] = set()
    for top in nodes:
        for node in ast.walk(top):
            if isinstance(node, ast.Name):
                found.add(node.id)
            elif isinstance(node, ast.Attribute):
                found.add(node.attr)
            elif isinstance(node, ast.alias):
                found.add(node.name.rpartition(".")[2])
    return found
