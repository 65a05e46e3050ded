"""Who may import whom, and what may not be written at all."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("protocols", "smpc")

# What each package may import beside itself and the standard library. The arrow is smpc -> protocols.
MAY_IMPORT = {
    "protocols": {"numpy", "cryptography", "nacl.bindings"},
    "smpc": {
        "protocols", "numpy", "cryptography", "zmq", "msgpack", "pydantic", "pyarrow", "scipy.special",
        "click", "rich", "jinja2", "sklearn.datasets", "sklearn.linear_model",
    },
}  # fmt: skip
# What one module alone may import, inside functions: it has to do without.
OPTIONAL = {"protocols.compiled": {"numba", "llvmlite.binding"}}
IMPORTED_AS = {"pyzmq": "zmq", "pynacl": "nacl", "scikit-learn": "sklearn"}

# Code in data, randomness that is none, settings that no manifest shows: nowhere, under any spelling.
BANNED_IMPORTS = {"pickle", "marshal", "shelve", "random", "numpy.random", "dill", "cloudpickle", "joblib"}
BANNED_NAMES = {"eval", "exec", "__import__"}
BANNED_ATTRIBUTES = {"numpy.random", "send_pyobj", "recv_pyobj", "environ", "environb", "getenv"}

# What asks the operating system for randomness (modules, calls), and the modules of ours that may.
ENTROPY_IMPORTS = {"secrets", "uuid"}
ENTROPY_CALLS = {"os.urandom", "os.getrandom", "X25519PrivateKey.generate", "AESGCM.generate_key"}
MAY_DRAW = {
    "protocols.prg": {"secrets"},
    "smpc.identity": {"X25519PrivateKey.generate"},
}

# Modules that take longer to import than a `smpc --help` should.
HEAVY = {"pyarrow", "scipy", "sklearn", "rich", "jinja2", "pandas", "numba", "llvmlite"}


def test_protocols_know_nothing_of_the_system() -> None:
    assert not [name for module in modules("protocols") for name in imports(module) if root(name) == "smpc"]


# Reading the code


@cache
def modules(package: str) -> dict[str, ast.Module]:
    """Every module of a package by its dotted name."""
    trees = {}
    for path in sorted((ROOT / package).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        trees[name] = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return trees


def tree(module: str) -> ast.Module:
    return modules(root(module))[module]


def root(name: str) -> str:
    return name.partition(".")[0]


def imports(module: str) -> Iterator[str]:
    """What a module imports anywhere, in functions and for types too; `from a import b` is a.b."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import in line {node.lineno}"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def dotted(node: ast.AST) -> str:
    """`a.b.c` for such an expression, with np spelled out; the empty string for any other."""
    if isinstance(node, ast.Name):
        return {"np": "numpy"}.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return ""


def within(name: str, parents: set[str]) -> bool:
    return any(name == parent or name.startswith(f"{parent}.") for parent in parents)


def ends(name: str, ending: str) -> bool:
    return name == ending or name.endswith(f".{ending}")


def expressions(module: str) -> set[str]:
    """Every dotted expression of a module, and its imports: `from os import urandom` counts as os.urandom."""
    return {dotted(node) for node in ast.walk(tree(module))} | set(imports(module))


def owned(name: str) -> str:
    """The module of ours that importing `name` runs: `smpc.wire.encode` is smpc.wire."""
    while name not in modules(root(name)):
        name = name.rpartition(".")[0]
    return name


ALL = [module for package in PACKAGES for module in modules(package)]


# Rules for imports


@pytest.mark.parametrize("module", ALL)
def test_imports_are_among_the_allowed(module: str) -> None:
    package = root(module)
    others = {name for name in imports(module) if root(name) not in sys.stdlib_module_names | {package}}
    assert not {name for name in others if not within(name, MAY_IMPORT[package] | OPTIONAL.get(module, set()))}


def test_no_circles_not_even_inside_functions() -> None:
    graph = {module: {owned(name) for name in imports(module) if root(name) in PACKAGES} - {module} for module in ALL}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


def test_every_dependency_is_declared_and_used() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {line.split(">=")[0] for line in project["dependencies"]}
    assert [line.split(">=")[0] for line in project["optional-dependencies"]["fast"]] == ["numba"]  # brings llvmlite
    used = {root(name) for module in ALL for name in imports(module)}
    allowed = {root(name) for names in MAY_IMPORT.values() for name in names} - set(PACKAGES)
    assert {IMPORTED_AS.get(name, name) for name in declared} == allowed
    assert allowed <= used


@pytest.mark.parametrize("module", ["smpc", "smpc.cli"])
def test_heavy_imports_wait_until_they_are_needed(module: str) -> None:
    program = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stdout.split())


# Rules for what is written


@pytest.mark.parametrize("module", ALL)
def test_nothing_banned(module: str) -> None:
    found = expressions(module)
    assert not {name for name in imports(module) if within(name, BANNED_IMPORTS)}
    assert not found & BANNED_NAMES
    assert not {name for name in found for banned in BANNED_ATTRIBUTES if ends(name, banned)}


@pytest.mark.parametrize("module", ALL)
def test_randomness_has_one_source(module: str) -> None:
    modules_used = {source for source in ENTROPY_IMPORTS for name in imports(module) if within(name, {source})}
    calls = {source for source in ENTROPY_CALLS for name in expressions(module) if ends(name, source)}
    assert modules_used | calls == MAY_DRAW.get(module, set())


@pytest.mark.parametrize("module", list(modules("protocols")))
def test_public_functions_say_what_they_do(module: str) -> None:
    functions = [node for node in tree(module).body if isinstance(node, ast.FunctionDef)]
    assert not [f.name for f in functions if not f.name.startswith("_") and not ast.get_docstring(f)]


@pytest.mark.parametrize("module", ALL)
def test_every_module_says_what_it_is(module: str) -> None:
    assert ast.get_docstring(tree(module))


def test_files_are_small() -> None:
    files = [path for name in (*PACKAGES, "tests", "examples", "docker") for path in (ROOT / name).rglob("*.py")]
    assert not [path.name for path in files if len(path.read_text(encoding="utf-8").splitlines()) > 400]


# The reader itself


def test_the_reader_sees_what_it_must() -> None:
    assert {"protocols.prg", "protocols.ring", "smpc.config"} <= set(ALL)
    assert "secrets" in set(imports("protocols.prg"))
    assert owned("protocols.ring.RingArray") == "protocols.ring"
    assert dotted(ast.parse("np.random.default_rng", mode="eval").body) == "numpy.random.default_rng"
