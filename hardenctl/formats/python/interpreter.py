"""One run of the evaluator in one world: modules, scopes, names, attributes and calls."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from hardenctl.formats.python import expressions, library, settings, statements
from hardenctl.formats.python.interest import Interest
from hardenctl.formats.python.project import Module, Project
from hardenctl.formats.python.signals import Exhausted, Returned, Signal
from hardenctl.formats.python.values import (
    NOT,
    REQUEST,
    Bound,
    Class,
    External,
    Function,
    Instance,
    Lazy,
    Origin,
    Scope,
    Unknown,
    Url,
    Value,
    all_variables,
    is_set,
    unknown,
)
from hardenctl.formats.python.world import Choices, Reads, World

DEEPEST = 24  # calls within calls
STEPS = 400_000  # expressions of one run; a run past it is cut off

ENUMS = ("Enum", "StrEnum", "IntEnum", "Flag", "IntFlag")
PASSES_THROUGH = frozenset({"value", "real"})


@dataclass(frozen=True)
class Call:
    """A call as a sink sees it. `name` is the dotted name of the callee, `.method` where its object is not known."""

    name: str
    node: ast.Call
    scope: Scope
    owner: Value | None
    args: tuple[Value, ...]
    keywords: Mapping[str, Value]
    open_ended: bool = False  # `**unknown`: there may be more keywords


class Sink(Protocol):
    """What an analysis wants to see of a run."""

    def wants(self, name: str, node: ast.Call | None = None) -> bool:
        """Whether calls of this callee matter, so that their arguments are worth evaluating."""
        ...

    def call(self, run: Interpreter, call: Call) -> Value | None:
        """See a call; a value to use as its result, or None to leave that to the evaluator."""
        ...

    def assign(self, run: Interpreter, target: ast.expr, value: Value, scope: Scope) -> None:
        """See an assignment to an attribute or item."""
        ...

    def item(self, owner: Value, key: Value) -> Value | None:
        """See `owner[key]`; a value to use for it, or None to leave that to the evaluator."""
        ...


@dataclass
class Interpreter:
    """Evaluates modules of a project. Branches that do not touch `interest` are not followed both ways."""

    project: Project
    world: World
    choices: Choices
    reads: Reads
    sink: Sink
    interest: Interest
    scopes: dict[str, Scope] = field(default_factory=dict)
    functions: list[Function] = field(default_factory=list)
    called: set[ast.AST] = field(default_factory=set)
    instances: list[Value] = field(default_factory=list)
    errors: list[tuple[str, Value]] = field(default_factory=list)  # what stops the application from starting
    under: frozenset[str] = frozenset()  # the variables that the branches around the current statement hang on
    refused: frozenset[str] = frozenset()  # the variables of which a value stops the start, as code that raises says
    decided_by: frozenset[str] = frozenset()  # the variables that branches of the current call were decided by
    trying: int = 0  # `try` blocks around the current statement
    calm: bool = False  # within a statement that does not matter
    crashed: bool = False  # a module could not be imported in this world: the application would not start
    passed_over: bool = False  # an undecided branch of the current call that returns was not followed
    steps: int = 0
    answering: bool = False  # a request is being answered: what is computed from it is kept apart
    leaning: bool = True  # what those count as
    doubts: list[Unknown] = field(default_factory=list)  # undecided values that hang on the request
    calling: list[Function] = field(default_factory=list)

    def module(self, module: Module) -> Scope:
        """The scope of a module after it ran; run the first time it is asked for."""
        scope = self.scopes.get(module.path)
        if scope is None:
            scope = self.scopes[module.path] = Scope(module)
            outside, self.calm = self.calm, False
            around, self.under = self.under, frozenset()
            scope.names["__name__"] = Value(module.name)
            self.interest.learn(module)
            try:
                self.block(module.tree.body, scope)
            except Exhausted:
                raise
            except Signal:
                self.crashed = True  # what was bound until then counts
            finally:
                self.calm, self.under = outside, around
        return scope

    def expression(self, node: ast.expr, scope: Scope) -> Value:
        """The value of an expression."""
        return expressions.expression(self, node, scope)

    def block(self, body: Sequence[ast.stmt], scope: Scope) -> None:
        """Carry out statements."""
        statements.block(self, body, scope)

    def assign_to(self, target: ast.expr, value: Value, scope: Scope, origin: Origin | None = None) -> None:
        """Bind a target: a name, an attribute, an item, or a pattern of them."""
        if not self.under <= value.variables:
            value = Value(value.data, value.variables | self.under, value.span)
        statements.assign_to(self, target, value, scope, origin)

    def step(self) -> None:
        """Count an expression. Raises Exhausted where a run goes on for too long."""
        self.steps += 1
        if self.steps > STEPS:
            raise Exhausted

    # -- environment ---------------------------------------------------------------------------------------------

    def variable(self, name: str, default: Value | None = None) -> Value | None:
        """An environment variable in this world: its value, else the default. None where it has neither."""
        seen = self.reads.defaults.setdefault(name, set())
        if default is not None and isinstance(default.data, (str, bool, int)):
            seen.add(str(default.data))
        variables = frozenset({name})
        if name in self.world.variables:
            value = self.world.variables[name]
            known = Value(value, variables, self.world.spans.get(name))
            return unknown(f"${name}", variables) if value is None else known
        if default is None:
            self.reads.required.add(name)
            return None
        return Value(default.data, default.variables | variables, default.span)

    def compare_seen(self, left: Value, right: Value) -> None:
        """Remember which constants a variable is compared with: they name the environments."""
        words = [right] if isinstance(right.data, str) else right.data if isinstance(right.data, (list, tuple)) else []
        for name in left.variables & self.reads.defaults.keys():
            for word in words:
                if isinstance(word.data, str) and word.data and not word.variables:
                    self.reads.compared.setdefault(name, set()).add(word.data)

    # -- names and attributes ------------------------------------------------------------------------------------

    def resolve_import(self, name: str, importer: Module | None = None) -> Value:
        """What `import name` gives."""
        found = self.project.find(name, importer)
        return Value(found) if found else Value(External(name))

    def force(self, lazy: Lazy) -> Value:
        """What `from module import name` gives."""
        found = self.project.find(lazy.module, lazy.importer, exact=lazy.exact)
        if found is not None:
            return self.of_module(found, lazy.name)
        submodule = self.project.find(f"{lazy.module}.{lazy.name}", lazy.importer, exact=lazy.exact)
        return Value(submodule) if submodule else Value(External(f"{lazy.module}.{lazy.name}"))

    def of_module(self, module: Module, name: str) -> Value:
        """A name of a module: what it binds, else a submodule."""
        value = self.module(module).names.get(name)
        if value is not None and isinstance(value.data, Lazy):
            same = self.project.find(value.data.module, value.data.importer, exact=value.data.exact)
            if same is not module or value.data.name != name:
                value = self.force(value.data)
                self.module(module).names[name] = value
            else:
                value = None
        if value is None:
            submodule = self.project.find(f"{module.name}.{name}", exact=True)
            value = Value(submodule) if submodule else unknown(f"{module.path}:{name}")
        return value

    def attribute(self, owner: Value, name: str) -> Value:
        """`owner.name`."""
        data = owner.data
        if isinstance(data, Module):
            return self.of_module(data, name)
        if isinstance(data, Instance):
            return self._of_instance(owner, data, name)
        if isinstance(data, Class):
            return self._of_class(owner, data, name)
        if isinstance(data, Unknown):
            return unknown(f"{data.key}.{name}", owner.variables)
        return self._of_data(owner, name)

    def _of_data(self, owner: Value, name: str) -> Value:
        data = owner.data
        if isinstance(data, External) and data.name == "django.conf.settings" and self.project.django_settings:
            return self.of_module(self.project.django_settings, name)
        if isinstance(data, External) and data.owner is None:
            return self.resolve_import(f"{data.name}.{name}")
        if data is None and owner.variables:  # of a variable that must be set, then: None has no such thing
            return unknown(f"${','.join(sorted(owner.variables))}.{name}", owner.variables)
        if name in PASSES_THROUGH and isinstance(data, (str, int)):
            return owner  # an enumeration's member stands for its value
        if isinstance(data, Url) and name == "host":
            return Value(re.sub(r"^\w+://|[:/].*$", "", data.text), owner.variables)
        return Value(External(f"{type(data).__name__}.{name}", owner), owner.variables)

    def _of_instance(self, owner: Value, data: Instance, name: str) -> Value:
        if name in data.attributes:
            return settings.value_of(self, data, name)
        if isinstance(data.cls, External):
            return library.external_attribute(owner, data, name)
        found = data.cls.find(name)
        if found is None:
            return unknown(f"{data.cls.node.name}.{name}")
        if isinstance(found.data, Function):
            if any(each.endswith(("property", "hybrid_property")) for each in found.data.decorators):
                result = self.invoke(found.data, [owner], {})
                if any("cached" in each for each in found.data.decorators):
                    data.attributes[name] = result
                return result
            return Value(found.data) if "staticmethod" in found.data.decorators else Value(Bound(found.data, owner))
        return found

    def _of_class(self, owner: Value, data: Class, name: str) -> Value:
        found = data.find(name)
        if found is None:
            return unknown(f"{data.node.name}.{name}")
        if isinstance(found.data, Function) and "classmethod" in found.data.decorators:
            return Value(Bound(found.data, owner))
        return found

    # -- calls ---------------------------------------------------------------------------------------------------

    def invoke(self, function: Function, args: Sequence[Value], keywords: Mapping[str, Value]) -> Value:
        """The result of a project's function; of a generator, the list of what it yields."""
        node = function.node
        self.called.add(node)
        if len(self.calling) >= DEEPEST:
            return unknown(f"deep:{function.name}")
        scope = Scope(function.scope.module, function.scope)
        self._parameters(function, scope, list(args), dict(keywords))
        self.calling.append(function)
        outside, self.decided_by = self.decided_by, frozenset()
        earlier, self.passed_over = self.passed_over, False
        around, self.under = self.under, frozenset()
        result = Value(None)
        try:
            if isinstance(node, ast.Lambda):
                result = self.expression(node.body, scope)
            else:
                self.block(node.body, scope)
                result = scope.names.get("yield", result)
                if self.passed_over and result.data is None:  # it returns from a branch that was not followed
                    result = unknown(f"{function.name}() of {function.scope.module.path}")
        except Returned as returned:
            result = returned.value
        finally:
            self.calling.pop()
            self.passed_over = earlier
            self.under = around
            inside, self.decided_by = self.decided_by, outside | self.decided_by
        return Value(result.data, result.variables | inside, result.span) if inside else result

    def _parameters(self, function: Function, scope: Scope, args: list[Value], keywords: dict[str, Value]) -> None:
        """Bind parameters: what was given, else the default, else what the annotation promises, else unknown."""
        spec = function.node.args
        positional = [*spec.posonlyargs, *spec.args]
        defaults: dict[str, ast.expr] = {
            each.arg: value
            for each, value in zip(positional[len(positional) - len(spec.defaults) :], spec.defaults, strict=True)
        }
        defaults |= {each.arg: value for each, value in zip(spec.kwonlyargs, spec.kw_defaults, strict=True) if value}
        for each in [*positional, *spec.kwonlyargs]:
            if each in positional and args:
                value = args.pop(0)
            elif each.arg in keywords:
                value = keywords.pop(each.arg)
            elif each.arg in defaults:
                value = self.expression(defaults[each.arg], function.scope)
                if value.data is None or isinstance(value.data, (External, Instance)):
                    value = self._injected(each, function.scope) or value
            else:
                value = self._injected(each, function.scope) or unknown(f"{function.name}({each.arg})")
            scope.names[each.arg] = value
        if spec.vararg:
            scope.names[spec.vararg.arg] = Value(args)
        if spec.kwarg:
            scope.names[spec.kwarg.arg] = Value(dict(keywords))

    def _injected(self, parameter: ast.arg, scope: Scope) -> Value | None:
        """An instance for a parameter whose annotation names one of the project's settings classes."""
        if parameter.annotation is None:
            return None
        for node in ast.walk(parameter.annotation):
            if isinstance(node, ast.Name):
                value = self.expression(node, scope)
                if isinstance(value.data, Class) and settings.is_settings(value.data):
                    return self.instantiate(value, [], {})
        return None

    def instantiate(self, cls: Value, args: Sequence[Value], keywords: Mapping[str, Value]) -> Value:
        """A new object of a project's class."""
        data = cls.data
        if data.derives(*ENUMS):
            return args[0] if args else unknown(data.node.name)
        instance = Value(Instance(data))
        for earlier in self.instances:  # settings read the same environment each time: one object will do
            if earlier.data.cls is data and not args and not keywords and settings.is_settings(data):
                return earlier
        self.instances.append(instance)
        initialise = data.find("__init__")
        if initialise is not None and isinstance(initialise.data, Function):
            self.invoke(initialise.data, [instance, *args], keywords)
        else:
            settings.fill(self, instance, list(args), dict(keywords))
        return instance

    def apply(self, callee: Value, args: Sequence[Value], keywords: Mapping[str, Value], key: str) -> Value:
        """Call a value."""
        data = callee.data
        if isinstance(data, Function):
            return self.invoke(data, args, keywords)
        if isinstance(data, Bound):
            return self.invoke(data.function, [data.owner, *args], keywords)
        if isinstance(data, Class):
            return self.instantiate(callee, args, keywords)
        if isinstance(data, External):
            result = library.call(self, data, list(args), dict(keywords))
            if result is not None:
                return result
            short = data.name.rpartition(".")[2]
            if short[:1].isupper():
                return Value(Instance(External(data.name), dict(keywords)))
        used = callee.variables.union(*map(all_variables, args), *map(all_variables, keywords.values()))
        return unknown(key, used)

    def truth(self, value: Value) -> bool:
        """Whether a value counts as true; on an unknown, the way this world goes."""
        self.decided_by |= value.variables
        key = _undecided(value)
        if key is not None:
            positive = key.removeprefix(NOT)
            if REQUEST in value.variables:  # not followed both ways: whether this request is let in is not known
                self.doubts.append(Unknown(positive))
                return (positive == key) == self.leaning
            chosen = self.choices.taken.get(positive, True) if self.calm else self.choices.choose(positive)
            return chosen == (positive == key)
        data = value.data
        if isinstance(data, Unknown):
            return True  # the text of a variable that must be set
        return isinstance(data, (External, Instance, Class, Function, Bound, Module, Url, Lazy)) or bool(data)


def _undecided(value: Value) -> str | None:
    """The key of a value that may be true or false; None where it is one or the other."""
    data = value.data
    if isinstance(data, (list, tuple)) and len(data) == 1 and isinstance(data[0].data, Unknown):
        data = data[0].data  # all there may be in it
    if isinstance(data, Unknown):
        return None if is_set(data) else data.key
    if isinstance(data, External) and data.owner is None and not data.name.startswith("builtins."):
        return data.name
    return None
