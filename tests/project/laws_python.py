"""Laws of Python files as pure checkers: source text in, offenders (line, what) out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from laws import Offence

PYTHON_CLOCKS = {
    "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today",
    "time.time", "time.time_ns", "time.localtime", "time.gmtime", "time.ctime", "time.strftime",
    "pandas.Timestamp.now", "pandas.Timestamp.today", "pandas.Timestamp.utcnow", "pendulum.now", "pendulum.today",
}  # fmt: skip

CODE_RUNNING = frozenset({"pickle", "joblib", "dill", "cloudpickle", "shelve"})


def dotted_uses(tree: ast.AST) -> Iterator[Offence]:
    """Every imported name that the code uses, in full: ``dt.now`` is datetime.datetime.now under its alias."""
    origin: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.split(".")[0]
                origin[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            origin |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    for node in ast.walk(tree):
        parts: list[str] = []
        root: ast.AST = node
        while isinstance(root, ast.Attribute):
            parts.insert(0, root.attr)
            root = root.value
        if isinstance(root, ast.Name) and isinstance(node, ast.Attribute | ast.Name) and root.id in origin:
            yield node.lineno, ".".join([origin[root.id], *parts])


def python_clocks(source: str) -> list[Offence]:
    """Where Python asks what time it is, in its own words or in SQL that it sends. Durations use perf_counter."""
    tree = ast.parse(source)
    uses = [(line, name) for line, name in dotted_uses(tree) if name in PYTHON_CLOCKS]
    strings = [
        (node.lineno, hit.group())
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for hit in re.finditer(r"\bcurrent_(?:date|timestamp)\b|\b(?:now|today)\(\)", node.value)
    ]
    return sorted(uses + strings)


def environment_reads(source: str) -> list[Offence]:
    """Where the environment is read. To set a variable for a library (``os.environ[...] = ...``) reads nothing."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
            node.value = ast.Constant(None)
    names = {"os.environ", "os.getenv", "os.environb"}
    return [(line, name) for line, name in dotted_uses(tree) if name in names]


def imported_modules(source: str) -> list[Offence]:
    """Dotted names that a file imports at any depth; ``from a import b`` gives ``a.b``, for b may be a module."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [(node.lineno, f"{'.' * node.level}{node.module or ''}.{alias.name}") for alias in node.names]
    return found


def code_running_formats(source: str) -> list[Offence]:
    """Imports of modules that run what a file says when they read it: not even tests use them."""
    return [(line, name) for line, name in imported_modules(source) if name.split(".")[0] in CODE_RUNNING]


def import_offences(path: str, source: str) -> list[Offence]:
    """Imports that the file's department may not make."""
    parts = path.split("/")
    department = "/".join(parts[:2]) if parts[0] == "orchestration" and len(parts) > 2 else parts[0]
    banned = set(CODE_RUNNING)
    if department in ("orchestration/extract", "orchestration/release", "orchestration/demo"):
        banned |= {"dagster"}
    if parts[0] in ("ml", "data_quality"):
        banned |= {"dagster", "orchestration"}
    if path != "data_quality/validate.py":
        banned |= {"great_expectations"}
    # dagster_dbt and its like count as dagster.
    tops = [(line, name, name.split(".")[0]) for line, name in imported_modules(source)]
    return [(line, name) for line, name, top in tops if top in banned or top.split("_")[0] in banned & {"dagster"}]


def import_circle(modules: Mapping[str, str]) -> list[str]:
    """A circle of modules (dotted name → source) that import each other, or nothing. Imports in functions count."""
    graph: dict[str, set[str]] = {}
    for module, source in modules.items():
        names = [name for _, name in imported_modules(source)]
        reached = {name if name in modules else name.rpartition(".")[0] for name in names}
        graph[module] = {name for name in reached if name in modules and name != module}
    settled: set[str] = set()

    def walk(module: str, path: list[str]) -> list[str]:
        if module in path:
            return [*path[path.index(module) :], module]
        if module in settled:
            return []
        for following in sorted(graph[module]):
            if circle := walk(following, [*path, module]):
                return circle
        settled.add(module)
        return []

    return next((circle for module in sorted(graph) if (circle := walk(module, []))), [])
