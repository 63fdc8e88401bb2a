"""Config files evaluated statically: what is known, what the environment decides, what only the machine knows."""

from __future__ import annotations

import os
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardenctl.formats.gunicorn.conf import evaluate_config
from hardenctl.formats.gunicorn.evaluate import Result
from hardenctl.formats.launch import reader
from hardenctl.formats.launch.model import ServerLaunch
from hardenctl.formats.shell.values import Value
from hardenctl.model.errors import DocumentError
from hardenctl.sources.memory import MemorySnapshot


def result(text: str, name: str = "workers", **environment: str) -> Result:
    """What a name of a config file comes to."""
    scope = {key: Value(value, configurable=True) for key, value in environment.items()}
    return evaluate_config("gunicorn.conf.py", text, scope).names[name].result


@pytest.mark.parametrize(
    ("text", "value", "configurable"),
    [
        pytest.param("workers = -(-7 // 2)", 4, False, id="unary"),
        pytest.param("workers = {'a': 3}['a']", 3, False, id="dictionary"),
        pytest.param("workers = [1, 2, 3][-1]", 3, False, id="subscript"),
        pytest.param("import math\nworkers = math.ceil(2.1)", 3, False, id="math"),
        pytest.param("import os\nworkers = int(os.environ.get('W', 2))", 2, True, id="default"),
        pytest.param("import os\nworkers = os.environ['SET']", "5", True, id="set"),
        pytest.param("import os\nworkers = os.getenv('SET', default='1')", "5", True, id="keyword"),
        pytest.param("import os as o\nworkers = int(o.getenv('W') or 6)", 6, True, id="or"),
        pytest.param(
            "import os\nworkers = 1\nif os.getenv('SET') == '5':\n    workers = 8", 8, True, id="branch-taken"
        ),
        pytest.param("import os\nworkers = 1\nif os.getenv('DEBUG'):\n    workers = 8", 1, True, id="branch-not-taken"),
        pytest.param("import x\nif x.y:\n    workers = 4\nelse:\n    workers = 4", 4, False, id="both-branches-agree"),
        pytest.param("if True:\n    workers = 3\nelse:\n    workers = 1", 3, False, id="decided"),
        pytest.param("with open('x') as f:\n    workers = 3", 3, False, id="with"),
        pytest.param("workers = 'a-b'.replace('-', '').upper()", "AB", False, id="methods"),
        pytest.param("workers = 2 if 1 < 2 else 3", 2, False, id="comparison"),
        pytest.param("def f(n):\n    return n * 2\n\nworkers = f(f(2))", 8, False, id="local-function"),
    ],
)
def test_known_values(text: str, value: object, *, configurable: bool):
    """And whether a variable can change them."""
    found = result(text, SET="5")
    assert (found.value, found.configurable) == (value, configurable)


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        pytest.param("import os\ncores = os.cpu_count()\nworkers = cores * 2 + 1", "os.cpu_count() * 2 + 1", id="cpus"),
        pytest.param("from os import cpu_count as c\nworkers = c() + 1", "os.cpu_count() + 1", id="alias"),
        pytest.param("import os\nworkers = os.environ['NONE']", "os.environ['NONE']", id="required-variable"),
        pytest.param("from settings import workers", None, id="imported"),
        pytest.param("import x\nif x.y:\n    workers = 1\nelse:\n    workers = 2", "1 if x.y else 2", id="undecided"),
        pytest.param("import x\nif x.y:\n    workers = x.z", "x.z", id="perhaps-set"),
        pytest.param("import x\nif x.y:\n    workers = x.z\nelse:\n    workers = 2", "x.z if x.y else 2", id="either"),
        pytest.param("for i in range(3):\n    workers = i", None, id="loop"),
        pytest.param("workers = 'x' * 10 ** 9", "'x' * 10 ** 9", id="power"),
        pytest.param("n = 999999999\nworkers = 'x' * n", "'x' * 999999999", id="huge"),
        pytest.param("workers = '{:999999999}'.format(1)", "'{:999999999}'.format(1)", id="wide-format"),
        pytest.param("workers = f'{1:>9}'", "f'{1:>9}'", id="format-spec"),
        pytest.param("workers = 1 / 0", "1 / 0", id="it-would-raise"),
        pytest.param("a, workers = x()", "x()", id="unpacked"),
        pytest.param("def f(n):\n    return f(n)\n\nworkers = f(1)", None, id="endless"),
        pytest.param("workers = [*x]", None, id="starred"),
        pytest.param("workers = {**x}", "{**x}", id="double-starred"),
        pytest.param("workers = lambda: 1", "lambda: 1", id="lambda"),
        pytest.param("workers = 1 < 2 < 3", "1 < 2 < 3", id="chained"),
    ],
)
def test_values_that_nobody_knows(text: str, expression: str | None):
    """The expression names what they depend on; nothing is run, and nothing explodes."""
    found = result(text)
    assert not found.known
    if expression is not None:
        assert found.source == expression


def test_an_expression_does_not_grow_without_end():
    """Doubling a name sixty times stays small."""
    text = "import os\nx = os.cpu_count()\n" + "x = x + x\n" * 60 + "workers = x\n"
    started = time.perf_counter()
    assert not result(text).known
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    ("text", "opaque"),
    [
        pytest.param("globals().update(x)", True, id="globals"),
        pytest.param("for k in x:\n    globals()[k] = 1", True, id="in-a-loop"),
        pytest.param("from x import *", True, id="star"),
        pytest.param("print('x')", False, id="print"),
    ],
)
def test_names_that_come_from_elsewhere(text: str, *, opaque: bool):
    """Then nothing can be called missing."""
    assert evaluate_config("g.py", text, {}).opaque is opaque


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("a = 1\nb = (", 2, id="syntax"),
        pytest.param("a = " + "(" * 500 + ")" * 500, 1, id="too-many-parentheses"),
        pytest.param("a\0", 0, id="null-byte"),
    ],
)
def test_broken_python_is_an_error(text: str, line: int):
    """With its line, and no traceback."""
    with pytest.raises(DocumentError) as caught:
        evaluate_config("g.py", text, {})
    assert line in (0, caught.value.line)


_ATOMS = st.one_of(st.integers(0, 9).map(str), st.sampled_from(["x", "y", "os.getenv('A', '3')", "True", "'ab'"]))
_EXPRESSIONS = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.builds(
            "({} {} {})".format, inner, st.sampled_from(["+", "-", "*", "//", "and", "or", "<", "==", "in"]), inner
        ),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("{}({})".format, st.sampled_from(["int", "str", "bool", "len", "abs"]), inner),
        st.builds("(not {})".format, inner),
        st.builds("max({}, {})".format, inner, inner),
        st.builds("f'{{{}}}'".format, st.sampled_from(["x", "y"])),
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(expression=_EXPRESSIONS)
def test_static_evaluation_agrees_with_python(expression: str):
    """Where a value is called known, running the file gives the same."""
    text = f"import os\nx = 4\ny = 'z'\nworkers = {expression}\n"
    found = result(text)
    if not found.known:
        return
    scope: dict[str, object] = {"os": os}
    exec(text, scope)  # noqa: S102 - made of the pieces above
    assert scope["workers"] == found.value


def test_kubernetes_containers():
    """References, limits and values from elsewhere; Helm templates are no YAML and no launch line."""
    manifest = """
kind: Deployment
spec:
  template:
    spec:
      containers:
        - name: web
          image: x
          command: ["gunicorn"]
          args: ["-w", "$(WORKERS)", "-t", "$(NOPE)", "a:b"]
          env:
            - {name: WORKERS, value: "6"}
            - {name: WEB_CONCURRENCY, valueFrom: {secretKeyRef: {name: s, key: k}}}
          resources: {limits: {cpu: 500m}}
        - name: sidecar
          image: y
        - name: api
          command: [sh, -c, "gunicorn a:b"]
          resources: {limits: {cpu: many}}
"""
    files = {"k8s/web.yaml": manifest, "chart/web.yaml": "containers: {{ x }\ncommand: [gunicorn]\n"}
    web, api = (each for each in reader.read(MemorySnapshot(files)) if isinstance(each, ServerLaunch))
    assert (web.setting("workers").value, web.setting("workers").configurable) == (6, True)
    assert web.launch.cpus == 0.5
    assert web.launch.container
    assert api.launch.cpus is None
    assert not api.setting("workers").is_set


@pytest.mark.parametrize(
    ("dockerfile", "workers"),
    [
        pytest.param('CMD ["gunicorn", "-w", "4", "--name", "a\\"b", "a:b"]', 4, id="escaped-quote"),
        pytest.param('CMD ["sh", "-c", "echo \\"x\\" && gunicorn -w 4 a:b"]', 4, id="escapes-in-a-script"),
        pytest.param('CMD ["\\u0067unicorn", "-w", "4", "a:b"]', 4, id="unicode-escape"),
        pytest.param('ENTRYPOINT ["gunicorn", "-w", "4", "a:b"]', 4, id="entrypoint-alone"),
        pytest.param('ENTRYPOINT ["/x"]\nCMD gunicorn -w 4 a:b', 4, id="entrypoint-and-shell-command"),
        pytest.param("ENTRYPOINT []\nCMD exec gunicorn -w 4 a:b", 4, id="empty-entrypoint"),
    ],
)
def test_forms_of_cmd_and_entrypoint(dockerfile: str, workers: int):
    """JSON escapes move positions, never values."""
    text = f"FROM x\n{dockerfile}\n"
    (launch,) = (each for each in reader.read(MemorySnapshot({"Dockerfile": text})) if isinstance(each, ServerLaunch))
    found = launch.setting("workers")
    assert found.value == workers
    assert found.value_span is not None
    assert text[found.value_span.start : found.value_span.end] == str(workers)
