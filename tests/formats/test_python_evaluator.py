"""The evaluator against Python itself: programs of the constructs it follows come to what `exec` makes of them."""

# ruff: noqa: E501 - one program a line reads as a table

from __future__ import annotations

import os
import sys
import types
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardenctl.formats.cors.sink import CorsSink
from hardenctl.formats.python.interest import Interest
from hardenctl.formats.python.interpreter import Interpreter
from hardenctl.formats.python.project import Project
from hardenctl.formats.python.signals import Signal
from hardenctl.formats.python.values import Unknown, Url, Value, all_variables, plain
from hardenctl.formats.python.world import RUNS, Choices, Reads, World, explore
from hardenctl.sources.memory import MemorySnapshot


def evaluate(
    files: Mapping[str, str], environment: Mapping[str, str] | None = None, choices: Choices | None = None
) -> Value:
    """What `result` of main.py is in a world."""
    project = Project(MemorySnapshot(files))
    world = World("", dict(environment or {}))
    run = Interpreter(project, world, choices or Choices({}), Reads(), CorsSink(), Interest({"result"}))
    module = project.parse("main.py")
    assert module is not None
    scope = run.module(module)
    return run.of_module(module, "result") if "result" in scope.names else Value(Unknown("missing"))


def execute(source: str, environment: Mapping[str, str]) -> Any:
    """What Python makes of it."""
    saved = dict(os.environ)
    os.environ.update(environment)
    try:
        namespace: dict[str, Any] = {"__name__": "__main__"}
        exec(compile(source, "main.py", "exec"), namespace)  # noqa: S102 - the oracle
        return namespace["result"]
    finally:
        os.environ.clear()
        os.environ.update(saved)


def normal(value: Any) -> Any:
    """Lists and tuples alike, sets in order: what the evaluator does not tell apart."""
    if isinstance(value, (list, tuple)):
        return [normal(each) for each in value]
    if isinstance(value, (set, frozenset)):
        return sorted(normal(each) for each in value)
    if isinstance(value, dict):
        return {key: normal(each) for key, each in value.items()}
    return value


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("result = ['a', *('b', 'c')] + ['d']", id="list-building"),
        pytest.param("x = []\nx.append('a')\nx.extend(['b'])\nx += ['c']\nx.insert(0, 'z')\nresult = x", id="mutation"),
        pytest.param("x = ['a', 'b']\ny = x\ny.append('c')\ny.remove('a')\nresult = x", id="aliasing"),
        pytest.param("x = ['a', 'b']\nlast = x.pop()\nx.clear()\nresult = (last, x, x.copy())", id="pop-and-clear"),
        pytest.param("result = [x.strip() for x in 'a, b,,c'.split(',') if x.strip()]", id="split-and-strip"),
        pytest.param("result = [f'{s}://{h}' for h in ('a', 'b') for s in ('http', 'https')]", id="nested-loops"),
        pytest.param("result = {k: v for k, v in {'a': 1, 'b': 2}.items()}", id="dict-comprehension"),
        pytest.param("d = {'a': 1}\nd['b'] = 2\nd.update(c=3)\nresult = {**d, 'd': 4, **{'e': 5}}", id="dictionaries"),
        pytest.param("d = {'a': 1}\nresult = [d.get('b', 2), d.setdefault('c', 3), list(d), list(d.values())]", id="get"),
        pytest.param("result = 'x' if 1 > 2 else 'y' if not [] else 'z'", id="conditional"),
        pytest.param("result = [None or 'a', '' or 'b', 'c' and 'd', 0 and 1, 'x' in 'xyz', 'q' not in ['a']]", id="logic"),
        pytest.param("def f(a, b='2', *c, d, **e):\n    return [a, b, c, d, e]\nresult = f('1', d='4', z='5')", id="parameters"),
        pytest.param("def f(n):\n    return 1 if n == 0 else n * f(n - 1)\nresult = f(5)", id="recursion"),
        pytest.param("def f():\n    for x in 'ab':\n        yield x + '!'\nresult = list(f())", id="generator"),
        pytest.param("def outer():\n    seen = []\n    def inner(x):\n        seen.append(x)\n    inner('a')\n    return seen\nresult = outer()", id="closure"),
        pytest.param("x = 'a'\ndef f():\n    global x\n    x = 'b'\nf()\nresult = x", id="global"),
        pytest.param("def f():\n    x = 1\n    def g():\n        nonlocal x\n        x = 2\n    g()\n    return x\nresult = f()", id="nonlocal"),
        pytest.param("result = []\nfor x in range(0):\n    pass\nfor x in ['a', 'b', 'c']:\n    if x == 'b':\n        continue\n    result.append(x)\nelse:\n    result.append('end')", id="continue"),
        pytest.param("result = []\nfor x in 'abc':\n    if x == 'b':\n        break\n    result.append(x)\nelse:\n    result.append('end')", id="break"),
        pytest.param("n = 3\nresult = []\nwhile n:\n    result.append(n)\n    n -= 1", id="while"),
        pytest.param("import json\ntry:\n    result = json.loads('nope')\nexcept ValueError:\n    result = 'bad'\nfinally:\n    done = 1", id="try"),
        pytest.param("try:\n    raise KeyError('x')\nexcept (ValueError, LookupError) as error:\n    result = 'caught'", id="raise"),
        pytest.param("try:\n    result = {'a': 1}['b']\nexcept KeyError:\n    result = 'missing'\nelse:\n    result = 'there'", id="key-error"),
        pytest.param("import json\nresult = json.loads('[\"a\", {\"b\": null}]')", id="json"),
        pytest.param("import ast\nresult = ast.literal_eval(\"['a']\")", id="literal-eval"),
        pytest.param("class A:\n    x = ['a']\n    def get(self):\n        return self.x\nclass B(A):\n    y = 'b'\nb = B()\nb.z = 'c'\nresult = [b.get(), B.y, b.z]", id="classes"),
        pytest.param("class A:\n    def __init__(self, x):\n        self.x = x\n    @property\n    def p(self):\n        return self.x + '!'\n    @classmethod\n    def make(cls):\n        return cls('m')\n    @staticmethod\n    def s(v):\n        return v\nresult = [A('a').p, A.make().p, A.s('s'), A('q').s('t')]", id="methods"),
        pytest.param("from dataclasses import dataclass, field\n@dataclass\nclass D:\n    a: str\n    b: list = field(default_factory=list)\n    c: str = 'c'\nd = D('x', c='y')\nresult = [d.a, d.b, d.c]", id="dataclass"),
        pytest.param("from functools import partial\ndef f(a, b, c='3'):\n    return [a, b, c]\nresult = partial(f, '1', c='4')('2')", id="partial"),
        pytest.param("match 'b':\n    case 'a':\n        result = 1\n    case 'b' | 'c' as found if found:\n        result = 2\n    case _:\n        result = 3", id="match"),
        pytest.param("result = 'nothing'\nmatch None:\n    case None:\n        result = 'none'", id="match-none"),
        pytest.param("a, (b, c) = 'x', ('y', 'z')\nresult = [c, b, a]", id="unpacking"),
        pytest.param("result = list(map(str.strip, [' a ', 'b '])) + list(filter(None, ['', 'c']))", id="map-filter"),
        pytest.param("result = [len('abc'), bool([]), int('3'), str(4), any([0, 1]), all([1, 0]), isinstance('a', (list, str))]", id="builtins"),
        pytest.param("result = [list(enumerate('ab')), list(zip('ab', [1, 2])), sorted({'a'}), tuple(['x'])]", id="iteration"),
        pytest.param("result = ['a.b'.replace('.', '-'), 'ab'.upper(), '{}!'.format('x'), ','.join(['a', 'b']), 'abc'[1:], 'abc'[-1], '%s' % 'q']", id="strings"),
        pytest.param("import re\nresult = [bool(re.match('a.c', 'abcd')), bool(re.fullmatch('a', 'ab')), bool(re.compile('b').search('abc'))]", id="patterns"),
        pytest.param("from urllib.parse import urlparse\nresult = [urlparse('https://a.example:8/x').hostname, urlparse('http://b').scheme]", id="urls"),
        pytest.param("with open(__file__ if False else '/dev/null') as handle:\n    result = 'inside'", id="with"),
        pytest.param("x = (n := 5) + 1\nresult = [x, n]", id="walrus"),
        pytest.param("f = lambda a, b=2: [a, b]\nresult = f(1)", id="lambda"),
        pytest.param("result = [-1, 7 // 2, 2 * 3, 7 % 4, 'ab' * 2, [1] + [2], 1 < 2 < 3, {'a'} | {'b'} == {'a', 'b'}]", id="arithmetic"),
        pytest.param("x = 'a'\ndel x\nx = 'b'\nresult = getattr(x, 'nope', 'default') if False else x", id="delete"),
        pytest.param("def f():\n    raise ValueError\ntry:\n    f()\nexcept KeyError:\n    result = 'wrong'\nexcept Exception:\n    result = 'right'", id="handlers-in-order"),
        pytest.param("result = 'a'\ntry:\n    try:\n        raise TypeError\n    finally:\n        result = 'b'\nexcept TypeError:\n    result += 'c'", id="finally"),
        pytest.param("x: list = ['a']\ny: int\nresult = x", id="annotations"),
        pytest.param("result = [x for x in range(0)] or ['empty']", id="empty-or"),
        pytest.param("n = 0\nresult = []\nwhile True:\n    n += 1\n    if n == 2:\n        continue\n    if n > 3:\n        break\n    result.append(n)", id="while-true"),
        pytest.param("class A:\n    def __init__(self, x, *, y='d'):\n        self.x, self.y = x, y\na = A(**{'x': 'q'})\na.x += '!'\nresult = [a.x, a.y, isinstance(a.x, int), getattr(a, 'z', 'none')]", id="attributes"),
        pytest.param("from enum import Enum\nclass E(str, Enum):\n    A = 'a'\nresult = [E.A.value, E('a') == E.A, E.A == 'a']", id="enumeration"),
        pytest.param("import copy\nfrom typing import cast\nfrom itertools import chain\nresult = [cast('str', 'x'), copy.copy(['y']), list(chain(['a'], ['b']))]", id="pass-through"),
        pytest.param("from fnmatch import fnmatch\nresult = [fnmatch('a.example', '*.example'), 'b'.encode().decode(), 'x' == None, None is None]", id="fnmatch"),
        pytest.param("d = dict(a=1, **{'b': 2})\nresult = [d.pop('a'), d.copy(), list(d.keys()), {'a': 1} | {'c': 3}]", id="dict-methods"),
        pytest.param("import re\ntry:\n    re.match('(', 'x')\nexcept re.error:\n    result = 'broken'", id="broken-pattern"),
        pytest.param("x = {'a'}\nx.add('b')\nx.discard('z')\nresult = sorted(x.union(['c']))", id="sets"),
        pytest.param("from types import SimpleNamespace\nresult = SimpleNamespace(a=['x']).a", id="namespace"),
    ],
)  # fmt: skip
def test_constructs_agree_with_execution(source: str) -> None:
    """Each construct comes to what Python makes of it."""
    assert normal(plain(evaluate({"main.py": source}))) == normal(execute(source, {}))


@pytest.mark.parametrize("environment", [{}, {"X": "a,b"}, {"X": ""}, {"X": "*", "ENV": "production", "DEBUG": "1"}])
@pytest.mark.parametrize(
    "source",
    [
        "import os\nresult = os.getenv('X', '*').split(',')",
        "from os import environ, getenv as g\nresult = [environ.get('X'), g('Y', 'z')]",
        "import os\nresult = os.environ.get('X') or 'none'",
        "import os\nresult = 'X' in os.environ",
        "import os\nresult = ['a']\nif os.getenv('ENV') == 'production':\n    result.append('p')\nelif os.getenv('DEBUG', '0') in ('1', 'true'):\n    result.append('d')",
        "import os\ntry:\n    result = int(os.getenv('DEBUG', '0'))\nexcept ValueError:\n    result = -1",
    ],
)  # fmt: skip
def test_environment_is_read_as_python_reads_it(source: str, environment: dict[str, str]) -> None:
    """Reads with and without defaults agree with `os`, set, empty and unset."""
    assert normal(plain(evaluate({"main.py": source}, environment))) == normal(execute(source, environment))


NAMES = st.sampled_from(["a", "b", "c"])
TEXTS = st.sampled_from(["'*'", "'x,y'", "''", "'https://a.example'", "os.getenv('V', 'd,e')", "os.getenv('W', '')"])


@st.composite
def programs(draw: st.DrawFn) -> str:
    """Small programs that build lists under conditions on the environment."""
    lines = ["import os", "a, b, c = [], ['x'], ['y', '*']"]
    for _ in range(draw(st.integers(1, 7))):
        name, other, text = draw(NAMES), draw(NAMES), draw(TEXTS)
        statement = draw(
            st.sampled_from(
                [
                    f"{name} = {other} + [{text}]",
                    f"{name}.append({text})",
                    f"{name}.extend({text}.split(','))",
                    f"{name} += [*{other}]",
                    f"{name} = [each.strip() for each in {text}.split(',') if each]",
                    f"{name} = {other} if {text} else [{text}]",
                    f"{name} = sorted({other}) or [{text}]",
                    f"{name} = list({other})",
                    f"{name} = (lambda q=[{text}]: q + {other})()",
                    f"for each in list({other}):\n    {name}.append(each + '!')",
                    f"if {text} in {other}:\n    {name} = [{text}]\nelse:\n    {name}.insert(0, {text})",
                    f"if os.getenv('ENV', 'dev') == 'prod' and not {other}:\n    {name}.append('p')",
                    f"try:\n    {name}.remove({text})\nexcept ValueError:\n    {name} = {name}[:1]",
                ]
            )
        )
        lines.append(statement)
    return "\n".join([*lines, "result = [a, b, c]"])


@settings(max_examples=150, deadline=None)
@given(programs(), st.sampled_from([{}, {"ENV": "prod"}, {"V": "*", "W": "w"}]))
def test_random_programs_agree_with_execution(source: str, environment: dict[str, str]) -> None:
    """Whatever is put together from the constructs, the evaluator and Python come to the same lists."""
    assert normal(plain(evaluate({"main.py": source}, environment))) == execute(source, environment)


SETTINGS = (
    "from typing import Annotated, Any\n"
    "from pydantic import AnyHttpUrl, BeforeValidator, AliasChoices, Field, computed_field, field_validator\n"
    "from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict\n\n"
    "def split(v: Any):\n    if isinstance(v, str) and not v.startswith('['):\n"
    "        return [i.strip() for i in v.split(',')]\n    return v\n\n"
)


@pytest.mark.parametrize(
    ("fields", "expression", "environment", "wanted"),
    [
        pytest.param("    origins: list[str] = ['*']", "s.origins", {}, ["*"], id="default"),
        pytest.param("    origins: list[str] = ['*']", "s.origins", {"ORIGINS": '["a"]'}, ["a"], id="json"),
        pytest.param("    origins: str = '*'", "s.origins", {"origins": "a"}, "a", id="lower-case-variable"),
        pytest.param(
            "    origins: Annotated[list[str] | str, BeforeValidator(split)] = []",
            "s.origins", {"ORIGINS": "a, b"}, ["a", "b"], id="before-validator",
        ),
        pytest.param(
            "    origins: Annotated[list[str], NoDecode] = []\n"
            "    @field_validator('origins', mode='before')\n    @classmethod\n"
            "    def parse(cls, v):\n        return v.split(';')",
            "s.origins", {"ORIGINS": "a;b"}, ["a", "b"], id="no-decode",
        ),
        pytest.param(
            "    model_config = SettingsConfigDict(env_prefix='APP_')\n    origins: str = '*'",
            "s.origins", {"APP_ORIGINS": "a", "ORIGINS": "b"}, "a", id="prefix",
        ),
        pytest.param(
            "    class Config:\n        env_prefix = 'APP_'\n    origins: str = '*'",
            "s.origins", {"APP_ORIGINS": "a"}, "a", id="prefix-in-a-class",
        ),
        pytest.param(
            "    origins: str = Field(default='*', validation_alias=AliasChoices('CORS', 'CORS_ORIGINS'))",
            "s.origins", {"CORS_ORIGINS": "a"}, "a", id="alias-choices",
        ),
        pytest.param("    origins: str = Field('*', alias='CORS')", "s.origins", {"CORS": "a"}, "a", id="alias"),
        pytest.param("    debug: bool = False", "s.debug", {"DEBUG": "off"}, False, id="boolean"),
        pytest.param(
            "    origins: list[AnyHttpUrl] = ['https://a.example']", "[str(o) for o in s.origins]", {},
            ["https://a.example/"], id="url-gets-a-slash",
        ),
        pytest.param(
            "    origins: list[AnyHttpUrl] = ['https://a.example']", "[str(o).rstrip('/') for o in s.origins]", {},
            ["https://a.example"], id="slash-taken-off",
        ),
        pytest.param(
            "    host: str = 'a'\n    @computed_field\n    @property\n    def all(self) -> list[str]:\n"
            "        return [self.host, 'b']",
            "s.all", {"HOST": "h"}, ["h", "b"], id="computed-field",
        ),
        pytest.param(
            "    origins: list[str] = Field(default_factory=lambda: ['*'])", "s.origins", {}, ["*"], id="factory"
        ),
    ],
)  # fmt: skip
def test_pydantic_settings(fields: str, expression: str, environment: dict[str, str], wanted: object) -> None:
    """Settings fields come from their variables as pydantic-settings reads them (tried against 2.x by hand)."""
    source = f"{SETTINGS}class S(BaseSettings):\n{fields}\n\ns = S()\nresult = {expression}\n"
    value = evaluate({"main.py": source}, environment)
    assert plain(value) == wanted
    assert all_variables(value)


@pytest.mark.parametrize(
    ("source", "environment", "wanted"),
    [
        ("from decouple import config, Csv\nresult = config('X', default='a, b', cast=Csv())", {}, ["a", "b"]),
        ("from decouple import config\nresult = config('X', default=False, cast=bool)", {"X": "yes"}, True),
        ("from decouple import config\nresult = config('X', cast=lambda v: v.split('|'))", {"X": "a|b"}, ["a", "b"]),
        ("import environ\nenv = environ.Env(X=(list, ['*']))\nresult = env('X')", {}, ["*"]),
        ("import environ\nenv = environ.Env(X=(list, ['*']))\nresult = env('X')", {"X": "a,b"}, ["a", "b"]),
        ("import environ\nenv = environ.Env()\nresult = env.bool('X', default=True)", {"X": "0"}, False),
        ("import environ\nenv = environ.Env()\nresult = env.list('X', default=['d'])", {"X": "a, b"}, ["a", "b"]),
        ("from environs import Env\nenv = Env()\nresult = env.list('X', 'a,b')", {}, ["a", "b"]),
        ("from environs import Env\nenv = Env()\nresult = env.json('X')", {"X": '["q"]'}, ["q"]),
        (
            "from starlette.config import Config\nfrom starlette.datastructures import CommaSeparatedStrings as C\nconfig = Config()\nresult = config('X', cast=C, default='a,b')",
            {},
            ["a", "b"],
        ),
    ],
)
def test_libraries_that_read_the_environment(source: str, environment: dict[str, str], wanted: object) -> None:
    """decouple, django-environ, environs and starlette give the value in the type that is asked for."""
    value = evaluate({"main.py": source}, environment)
    assert normal(plain(value)) == wanted
    assert all_variables(value) == {"X"}


def test_imports_between_modules() -> None:
    """Relative, absolute, aliased, star and submodule imports find the project's modules."""
    files = {
        "main.py": "from app.core import config as c\nfrom app import origins\nimport app.core.config\n"
        "from app.star import *\nfrom .missing import x\nresult = 0\n",
        "app/__init__.py": "from .core.config import ORIGINS as origins\n",
        "app/core/__init__.py": "",
        "app/core/config.py": "import json\nORIGINS = ['a']\n",
        "app/star.py": "STAR = 'star'\n_HIDDEN = 1\n",
    }
    files["main.py"] = (
        files["main.py"]
        .replace("from .missing import x\n", "")
        .replace("result = 0", "result = [c.ORIGINS, origins, app.core.config.ORIGINS, STAR]")
    )
    assert plain(evaluate(files)) == [["a"], ["a"], ["a"], "star"]


def test_a_missing_relative_module_can_be_caught() -> None:
    """`from .local import *` of an uncommitted file raises ImportError, as it does where the file is not there."""
    source = "result = 1\ntry:\n    from .local_settings import *\nexcept ImportError:\n    result = 2\n"
    assert plain(evaluate({"main.py": source})) == 2


def test_a_name_of_the_standard_library_is_not_ours() -> None:
    """`import json` never means a module of the project that happens to be called so."""
    assert plain(evaluate({"main.py": "import json\nresult = json.loads('1')", "app/json.py": "loads = None"})) == 1


def test_undecided_branches_are_followed_both_ways_and_agree() -> None:
    """A condition nobody can know gives two runs, and the same condition goes the same way within each."""
    source = (
        "from somewhere import flag\nresult = []\nif flag:\n    result.append('a')\nelse:\n    result.append('b')\n"
        "if not flag:\n    result.append('c')\n"
    )
    seen: list[Any] = []
    complete = explore(lambda choices: seen.append(plain(evaluate({"main.py": source}, None, choices))))
    assert complete
    assert sorted(seen) == [["a"], ["b", "c"]]


@pytest.mark.parametrize(
    "source",
    [
        "result = undefined_name",
        "import numpy\nresult = numpy.array([1]).tolist()",
        "def f():\n    return f()\nresult = f()",
        "while True:\n    pass\nresult = [].nothing",
        "result = 'a' * 10 ** 9",
        "result = 1 / 0",
        "result = {}[[]]",
        "result = [x async for x in y]",
    ],
)
def test_what_is_beyond_the_evaluator_is_unknown(source: str) -> None:
    """Endless loops, deep recursion and plain errors end in an unknown value, not in a crash or a hang."""
    with pytest.raises(LookupError):
        plain(evaluate({"main.py": source}))


def test_a_run_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that does too much is given up."""
    monkeypatch.setattr("hardenctl.formats.python.interpreter.STEPS", 50)
    with pytest.raises(Signal):
        evaluate({"main.py": "result = [x + y for x in range(9) for y in 'abcdefghijklmnopqrstuvwxyz' for z in 'abc']"})


def test_an_url_object_is_no_string() -> None:
    """A URL of pydantic 2 handed on as it is never equals an origin."""
    source = SETTINGS + "class S(BaseSettings):\n    origin: AnyHttpUrl = 'https://a.example'\nresult = S().origin\n"
    assert evaluate({"main.py": source}).data == Url("https://a.example/")


def test_the_evaluator_never_runs_the_code() -> None:
    """Evaluating a module has no effect of that module."""
    module = types.ModuleType("hardenctl_never_imported")
    evaluate({"main.py": "import sys\nsys.modules['hardenctl_never_imported'] = 1\nresult = 1"})
    assert module.__name__ not in sys.modules


@pytest.mark.parametrize(
    ("branches", "runs", "complete"),
    [
        pytest.param(0, 1, True, id="none"),
        pytest.param(3, 8, True, id="few"),
        pytest.param(5000, RUNS, False, id="many"),
    ],
)
def test_branches_are_followed_as_far_as_runs_go(branches: int, runs: int, complete: bool) -> None:  # noqa: FBT001
    """Each combination once, up to a number of runs; thousands of branches are counted no further than that."""
    ways: list[tuple[bool, ...]] = []

    def run(choices: Choices) -> None:
        ways.append(tuple(choices.choose(f"branch {each}") for each in range(branches)))

    assert explore(run) is complete
    assert len(ways) == len(set(ways)) == runs
