"""Servers that a Python program starts itself: `uvicorn.run(...)`, `app.run(debug=True)`, and commands it hands on.

`python main.py` as a container's command makes what stands behind `if __name__ == "__main__"` the launch line. A call
that nothing is seen to start is a developer's: a launch line to be listed, and none to be judged.
"""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Collection, Iterator, Mapping, Sequence

from hardenctl.formats import SERVER_WORDS
from hardenctl.formats.effective import CODE, Effective
from hardenctl.formats.gunicorn.conf import module_scope
from hardenctl.formats.gunicorn.evaluate import NOTHING, Result, evaluate
from hardenctl.formats.launch.find import Setting, is_development_test, launches_in_argv
from hardenctl.formats.launch.image import host_paths
from hardenctl.formats.launch.model import Launch
from hardenctl.formats.launch.program import mentions_server
from hardenctl.formats.python.project import parse
from hardenctl.formats.shell.values import Value
from hardenctl.formats.shell.words import Word, literal_word
from hardenctl.formats.strand import Strand
from hardenctl.model.blob import Gap, Snapshot
from hardenctl.model.errors import DocumentError
from hardenctl.model.pattern import lazy_pattern
from hardenctl.model.record import record, replace
from hardenctl.model.text import Lines, Span

DEEPEST = 6  # calls of the project's own functions within each other
_SERVERS = {
    "uvicorn.run": "uvicorn",
    "uvicorn.main.run": "uvicorn",
    "uvicorn.Config": "uvicorn",
    "hypercorn.asyncio.serve": "hypercorn",
    "hypercorn.trio.serve": "hypercorn",
    "hypercorn.run.run": "hypercorn",
    "granian.Granian": "granian",
    "granian.server.Granian": "granian",
}
_DEVELOPMENT = frozenset(
    ("flask.Flask", "flask.app.Flask", "quart.Quart", "quart.app.Quart", "dash.Dash", "connexion.FlaskApp")
)
_STARTS_SERVER = lazy_pattern(
    r"\[\s*[\"'](?:uv|poetry|gunicorn|uvicorn|hypercorn|granian|uwsgi)[\"']\s*,"
    r"|\b(?:uvicorn|uv)\.(?:run|main\.run|Config)\(|\bhypercorn\.\w|\bGranian\("
    r"|\bfrom (?:uvicorn|hypercorn)\b[\w.]* import|(?:app|application|server)\.run\("
)
_STARTS_PROGRAMS = lazy_pattern(r"\bsubprocess\b|\bos\.(?:exec|spawn|posix_spawn)\w*\(|\bexecv")
_HANDED = lazy_pattern(r"""\.add_command\(\s*(uvicorn)\.main\s*(?:,\s*(?:name\s*=\s*)?["']([\w-]+)["'])?""")
_TESTS = lazy_pattern(r"(?:^|/)(?:tests?|testing)/|(?:^|/)(?:test_[^/]*|[^/]*_test|conftest)\.py$")
_EXAMPLES = lazy_pattern(r"(?:^|/)(?:examples?|samples?|docs?|fixtures|vendor|third_party|node_modules|site-packages)/")
_NAMES = {"limit_max_requests": "max_requests", "address": "host", "blocking_threads": "threads"}
_KEPT = frozenset(
    """
    workers host port reload debug forwarded_allow_ips proxy_headers timeout_keep_alive limit_concurrency max_requests
    backlog uds loop root_path threads interface
    """.split()  # noqa: SIM905 - a list of names
)


def installed_commands(snapshot: Snapshot) -> dict[str, str]:
    """The commands that the project's own packages install, each as `MODULE:FUNCTION`."""
    import tomllib

    found: dict[str, str] = {}
    for path in snapshot.paths():
        blob = snapshot.read(path) if posixpath.basename(path) == "pyproject.toml" else None
        if blob is None or "scripts]" not in blob.text:
            continue
        try:
            data = tomllib.loads(blob.text)
        except ValueError:
            continue  # said where the file is looked at for its own sake
        poetry = (data.get("tool") or {}).get("poetry") or {}
        for table in ((data.get("project") or {}).get("scripts"), poetry.get("scripts")):
            for name, target in table.items() if isinstance(table, dict) else ():
                if isinstance(target, str) and ":" in target:
                    found.setdefault(name, target.partition("[")[0].strip())
    return found


def handed_commands(snapshot: Snapshot, commands: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Servers that the project's own commands offer as subcommands: command to the subcommand's name to the server.

    A click application can take uvicorn's whole command line in: `cli.add_command(uvicorn.main, name="start")`.
    """
    found: dict[str, dict[str, str]] = {}
    for command, target in commands.items():
        name = target.partition(":")[0].replace(".", "/")
        for path in (each for folder in ("", "src/") for each in (f"{folder}{name}.py", f"{folder}{name}/__init__.py")):
            blob = snapshot.read(path)
            for match in _HANDED.finditer(blob.text) if blob else ():
                found.setdefault(command, {})[match[2] or "main"] = match[1]
    return found


def unstarted_launches(snapshot: Snapshot, seen: Collection[Span]) -> Iterator[Launch | Gap]:
    """Calls that start a server, in files that nothing in the repository is seen to start: a developer's own.

    A file that names such a call and is no Python, a template of one too, is a gap: it may be what runs in production.
    """
    for path in snapshot.paths():
        if not path.endswith(".py") or _TESTS.search(path):
            continue
        blob = snapshot.read(path)
        if blob is not None and any(map(blob.data.__contains__, SERVER_WORDS)) and _STARTS_SERVER.search(blob.text):
            folders = tuple(dict.fromkeys(("", posixpath.dirname(path))))
            setting = Setting("python", path, folders=folders, development=True, doubtful=True)
            program = _Program(snapshot, setting)
            yield from (each for each in program.anywhere(path) if each.span not in seen)
            yield from () if _EXAMPLES.search(path) else program.gaps.values()


def program_launches(snapshot: Snapshot, target: str, setting: Setting) -> Iterator[Launch | Gap]:
    """The servers that a Python program starts, in the environment of what starts it."""
    module, colon, function = target.partition(":")
    wanted = f"-m {module}" if colon else target
    path = next((each for each in _places(setting, wanted) if snapshot.read(each)), None)
    if path is not None:
        program = _Program(snapshot, setting)
        yield from program.main(path, function)
        yield from program.gaps.values()


def _places(setting: Setting, target: str) -> Iterator[str]:
    """Where in the repository the program may lie."""
    if target.startswith("-m "):
        module = target.removeprefix("-m ").replace(".", "/")
        names = [f"{module}.py", f"{module}/__main__.py", f"{module}/__init__.py"]
        names += [f"src/{each}" for each in names]
    else:
        names = [target, f"{target.rstrip('/')}/__main__.py"]
    for name in names:
        if posixpath.isabs(name):
            if setting.image:
                yield from host_paths(*setting.image, name)
            parts = name.strip("/").split("/")  # a script copied under another name: the longest end there is
            yield from ("/".join(parts[index:]) for index in range(1, len(parts)))
            continue
        for folder in setting.folders:
            yield posixpath.normpath(posixpath.join(folder, name))
        if setting.image:
            inside = posixpath.normpath(posixpath.join(setting.image[0].workdir, name))
            yield from host_paths(*setting.image, inside)


@record(slots=False, eq=False)
class _Module:
    """A parsed file of the project and what its names stand for."""

    path: str
    text: str
    lines: Lines
    body: list[ast.stmt]
    scope: dict[str, Result]

    def span(self, node: ast.expr) -> Span:
        start = self.lines.offset_utf8(node.lineno, node.col_offset)
        end = self.lines.offset_utf8(node.end_lineno or node.lineno, node.end_col_offset or 0)
        return Span(self.path, start, end)

    def dotted(self, node: ast.expr) -> str:
        """`uvicorn.run` of `uv.run` after `import uvicorn as uv`; empty for anything but names."""
        if isinstance(node, ast.Attribute):
            before = self.dotted(node.value)
            return f"{before}.{node.attr}" if before else ""
        if isinstance(node, ast.Name):
            known = self.scope.get(node.id)
            return known.name if known is not None and known.kind == "module" else node.id
        return ""


class _Program:
    """Follows a program from its top through the functions of the project it calls."""

    def __init__(self, snapshot: Snapshot, setting: Setting) -> None:
        self.snapshot, self.setting = snapshot, setting
        self.modules: dict[str, _Module | None] = {}
        self.seen: set[tuple[str, str]] = set()
        self.gaps: dict[str, Gap] = {}

    def main(self, path: str, function: str = "") -> Iterator[Launch]:
        """From the top of a file, or from one function of it."""
        module = self.module(path)
        if module is not None and function:
            yield from self.into(module, function, self.setting, 0)
        elif module is not None:
            yield from self.body(module, module.body, self.setting, 0)

    def anywhere(self, path: str) -> Iterator[Launch]:
        """Every call and command of a file that starts a server, whatever calls it."""
        module = self.module(path)
        if module is None:
            return
        for node in ast.walk(ast.Module(module.body, [])):
            if isinstance(node, ast.List):
                yield from self.command(module, node, self.setting)
            elif isinstance(node, ast.Call) and (found := self.server(module, node, self.setting)) is not None:
                yield found

    def command(self, module: _Module, node: ast.List, setting: Setting) -> Iterator[Launch]:
        """`["gunicorn", "-w", "4", "app:app"]`, in a file that starts other programs."""
        if not _STARTS_PROGRAMS.search(module.text) or not mentions_server(ast.unparse(node)):
            return
        argv = [self.word(module, each) for each in node.elts]
        if any((value.text or "").startswith("-") or ":" in (value.text or "") for _, value in argv):
            own = replace(setting, kind="python", path=module.path, home=None)
            yield from launches_in_argv(argv, own, module.span(node), literal=True)

    def word(self, module: _Module, node: ast.expr) -> tuple[Word, Value]:
        """An argument of a command; unknown where it is no string."""
        strand = self.strand(module, node)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if strand.text[:1] in "\"'" and strand.text[1:-1] == node.value:
                strand = strand.cut(1, len(strand.text) - 1)  # without its quotes
            return literal_word(strand), Value(node.value)
        return literal_word(strand), Value(None, configurable=True, expression=strand.text)

    def module(self, path: str) -> _Module | None:
        if path not in self.modules:
            self.modules[path] = self.parse(path)
        return self.modules[path]

    def parse(self, path: str) -> _Module | None:
        blob = self.snapshot.read(path)
        if blob is None or not path.endswith(".py"):
            return None
        try:
            tree = parse(blob.text)
        except DocumentError as error:
            # Of files that start no server, nothing is missed here.
            if _STARTS_SERVER.search(blob.text) and not _TESTS.search(path):
                self.gaps[path] = Gap(path, f"line {error.line}: {error.what}" if error.line else error.what)
            return None
        scope = module_scope(path, tree, blob.lines, self.setting.scope)
        return _Module(path, blob.text, blob.lines, tree.body, scope)

    def body(self, module: _Module, body: Sequence[ast.stmt], setting: Setting, depth: int) -> Iterator[Launch]:
        """What statements start, branches that the environment decides included."""
        for node in body:
            if isinstance(node, ast.If):
                for part, inner in self.branches(module, node, setting):
                    yield from self.body(module, part, inner, depth)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                continue
            else:
                for field in ("body", "orelse", "finalbody"):
                    inner_body = getattr(node, field, None)
                    if isinstance(inner_body, list):
                        yield from self.body(module, inner_body, setting, depth)
                for each in ast.walk(node) if not hasattr(node, "body") else ():
                    if isinstance(each, ast.Call):
                        yield from self.call(module, each, setting, depth)
                    elif isinstance(each, ast.List):
                        yield from self.command(module, each, setting)

    def branches(self, module: _Module, node: ast.If, setting: Setting) -> Iterator[tuple[Sequence[ast.stmt], Setting]]:
        test = ast.unparse(node.test)
        if "__name__" in test:
            yield (node.body, setting)
            return
        result = evaluate(node.test, module.scope, setting.scope)
        if result.known and not result.configurable:
            yield (node.body if result.value else node.orelse, setting)
            return
        for part, condition in ((node.body, test), (node.orelse, f"else {test}")):
            development = setting.development or is_development_test(condition)
            yield part, replace(setting, development=development, doubtful=True)

    def call(self, module: _Module, call: ast.Call, setting: Setting, depth: int) -> Iterator[Launch]:
        found = self.server(module, call, setting)
        if found is not None:
            yield found
        elif depth < DEEPEST:
            yield from self.into(module, module.dotted(call.func), setting, depth)

    def server(self, module: _Module, call: ast.Call, setting: Setting) -> Launch | None:
        """The server that this very call starts."""
        dotted, function = module.dotted(call.func), call.func
        if dotted in _SERVERS:
            return self.launch(module, call, _SERVERS[dotted], dotted, setting)
        if isinstance(function, ast.Attribute) and function.attr == "run" and self.is_flask(module, function.value):
            return self.launch(module, call, "app.run()", ast.unparse(function), setting)
        return None

    def into(self, module: _Module, dotted: str, setting: Setting, depth: int) -> Iterator[Launch]:
        """Into a function of the project."""
        found = self.function(module, dotted)
        if found is None or (key := (found[0].path, found[1].name)) in self.seen:
            return
        self.seen.add(key)
        yield from self.body(found[0], found[1].body, setting, depth + 1)

    def function(self, module: _Module, dotted: str) -> tuple[_Module, ast.FunctionDef | ast.AsyncFunctionDef] | None:
        known = module.scope.get(dotted)
        if known is not None and isinstance(known.body, ast.FunctionDef | ast.AsyncFunctionDef):
            return module, known.body
        owner, _, name = dotted.rpartition(".")
        other = self.imported(module, owner) if owner else None
        target = other.scope.get(name) if other else None
        if other is not None and target is not None and isinstance(target.body, ast.FunctionDef | ast.AsyncFunctionDef):
            return other, target.body
        return None

    def imported(self, module: _Module, dotted: str) -> _Module | None:
        """The file of a module of the project, beside the importing one or from the root of what is started."""
        relative = dotted.removeprefix("None").strip(".").replace(".", "/")
        here = posixpath.dirname(module.path)
        for folder in dict.fromkeys((here, posixpath.dirname(here), *self.setting.folders, "", "src")):
            for name in (f"{relative}.py", f"{relative}/__init__.py") if relative else ():
                path = posixpath.normpath(posixpath.join(folder, name))
                if self.snapshot.read(path) is not None:
                    return self.module(path)
        return None

    def is_flask(self, module: _Module, node: ast.expr) -> bool:
        """Whether an object is an application whose `run` is a development server: made here, or imported."""
        if isinstance(node, ast.Call):  # `create_app().run()`
            return self.makes_flask(module, module.dotted(node.func))
        if isinstance(node, ast.Name) and (made_here := _set_around(module, node)):
            return any(isinstance(each, ast.Call) and self.is_flask(module, each) for each in made_here)
        known = module.scope.get(node.id) if isinstance(node, ast.Name) else None
        if known is None or known.kind != "module":
            made = known.expression if known is not None else None
            return isinstance(made, ast.Call) and self.makes_flask(module, module.dotted(made.func))
        owner, _, name = known.name.rpartition(".")
        other = self.imported(module, owner) if owner else None
        return other is not None and other is not module and self.is_flask(other, ast.Name(name, ast.Load()))

    def makes_flask(self, module: _Module, dotted: str) -> bool:
        """Whether a call makes such an application: as its class, a class of the project below it, or a factory."""
        if self.is_flask_class(module, dotted):
            return True
        found = self.function(module, dotted)
        calls = (each for each in ast.walk(found[1]) if isinstance(each, ast.Call)) if found else ()
        return found is not None and any(self.is_flask_class(found[0], found[0].dotted(each.func)) for each in calls)

    def is_flask_class(self, module: _Module, dotted: str) -> bool:
        """Whether a name is such a class, or one that the file derives from it."""
        derived = (each for each in module.body if isinstance(each, ast.ClassDef) and each.name == dotted)
        return dotted in _DEVELOPMENT or any(
            module.dotted(base) in _DEVELOPMENT for each in derived for base in each.bases
        )

    def launch(self, module: _Module, call: ast.Call, server: str, name: str, setting: Setting) -> Launch:
        given = {}
        for keyword in call.keywords:
            known = _NAMES.get(keyword.arg or "", keyword.arg or "")
            if known in _KEPT and not (known == "reload" and name.endswith("Config")):  # only `run` heeds it
                result = evaluate(keyword.value, module.scope, setting.scope)
                given[known] = _effective(known, result, module, keyword)
        shown = [(literal_word(self.strand(module, call.func)), Value(name))]
        if call.args and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str):
            shown.append((literal_word(self.strand(module, call.args[0])), Value(call.args[0].value)))
        return Launch(
            path=module.path,
            span=module.span(call),
            server=server,
            words=tuple(shown),
            arguments=1,
            scope=setting.scope,
            folders=setting.folders,
            kind="python",
            container=setting.container,
            development=setting.development,
            service=setting.service,
            image=setting.image,
            doubtful=setting.doubtful,
            cpus=setting.cpus,
            memory=setting.memory,
            read_only=setting.read_only,
            given=given,
        )

    def strand(self, module: _Module, node: ast.expr) -> Strand:
        span = module.span(node)
        return Strand.of(module.path, module.text, span.start, span.end)


def _set_around(module: _Module, name: ast.Name) -> list[ast.expr]:
    """What the functions around a name set it to: there it is no name of the module."""
    line = getattr(name, "lineno", 0)
    return [
        each.value
        for function in ast.walk(ast.Module(module.body, []))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        and function.lineno <= line <= (function.end_lineno or 0)
        for each in ast.walk(function)
        if isinstance(each, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == name.id for target in each.targets)
    ]


def _effective(name: str, result: Result, module: _Module, keyword: ast.keyword) -> Effective:
    value_span = module.span(keyword.value)
    start = module.lines.offset_utf8(keyword.lineno, keyword.col_offset)
    value = None if result.value is NOTHING else result.value
    if name == "forwarded_allow_ips" and isinstance(value, str):
        value = tuple(part.strip() for part in value.split(",") if part.strip())
    return Effective(
        value,
        result.known,
        Span(module.path, start, value_span.end),
        value_span,
        CODE,
        result.source,
        configurable=result.configurable,
        counts_cpus=result.counts_cpus,
    )
