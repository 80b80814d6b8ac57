"""The house rules that no off-the-shelf linter knows, each a small walk over one file's syntax tree.

A rule says in its message what to do instead. It judges text, so it can be fooled: it is there against slips, and the
import contracts of pyproject.toml and the laws stand behind it. Exceptions are written in allowed.toml with a reason.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

Hits = Iterator[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Source:
    """One file of the package: its path below src/casemate, and its tree."""

    path: str
    tree: ast.Module

    @property
    def room(self) -> str:
        return self.path.split("/")[0].removesuffix(".py")


@dataclass(frozen=True, slots=True)
class Rule:
    """A name for allowed.toml, what to do instead, and the walk."""

    name: str
    teaches: str
    find: Callable[[Source], Hits]


@dataclass(frozen=True, slots=True)
class Finding:
    rule: str
    path: str
    line: int
    told: str


def judge(source: Source, rules: Iterable[Rule]) -> list[Finding]:
    """Everything that the rules say of one file."""
    return [
        Finding(rule.name, source.path, line, f"{source.path}:{line}: {what}. {rule.teaches}")
        for rule in rules
        for line, what in rule.find(source)
    ]


def dotted(node: ast.expr) -> str:
    """`a.b.c` of a name or attribute chain; a chain that starts in a call or subscript begins with `?`."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return "?"


def calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    """Each call with the real dotted name of what it calls: `from time import time as t` is seen through."""
    names = aliases(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            head, dot, rest = dotted(node.func).partition(".")
            yield node, names.get(head, head) + dot + rest


def aliases(tree: ast.AST) -> dict[str, str]:
    """Local name -> imported dotted name."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return found


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Each absolute import: line and dotted module (`from a import b` gives `a.b`)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def within(name: str, modules: Iterable[str]) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in modules)


# ---- the rules ----------------------------------------------------------------------------------------------------

NOW = {
    "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today",
    "time.time", "time.time_ns", "time.localtime", "time.gmtime", "time.ctime",
}  # fmt: skip


def _asks_the_time(source: Source) -> Hits:
    if source.room != "clock":
        for node, name in calls(source.tree):
            if name in NOW:
                yield node.lineno, f"{name}()"


ADAPTERS = {"engines", "cells", "cli", "wiring"}
MACHINE = (
    "socket",
    "subprocess",
    "ssl",
    "http.client",
    "urllib.request",
    "multiprocessing",
    "ctypes",
    "sqlite3",
    "apsw",
)
OPENS = {
    "open", "io.open", "os.open", "os.system", "os.popen", "os.fork", "asyncio.open_connection", "asyncio.start_server",
    "asyncio.open_unix_connection", "asyncio.start_unix_server", "asyncio.create_subprocess_exec",
    "asyncio.create_subprocess_shell",
}  # fmt: skip
WRITES = {"write_text", "write_bytes", "mkdir", "unlink", "rmdir", "touch", "symlink_to", "hardlink_to"}


def _touches_the_machine(source: Source) -> Hits:
    if source.room in ADAPTERS:
        return
    for line, module in imports(source.tree):
        if within(module, MACHINE):
            yield line, f"imports {module}"
    for node, name in calls(source.tree):
        if name in OPENS or name.startswith(("os.exec", "os.spawn")):
            yield node.lineno, f"{name}()"
        elif isinstance(node.func, ast.Attribute) and node.func.attr in WRITES:
            yield node.lineno, f".{node.func.attr}() on a path"


UNSAFE_FORMATS = ("pickle", "_pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "joblib")


def _unpickles(source: Source) -> Hits:
    for line, module in imports(source.tree):
        if within(module, UNSAFE_FORMATS):
            yield line, f"imports {module}"
    for node, name in calls(source.tree):
        for keyword in node.keywords:
            if keyword.arg == "allow_pickle" and not (
                isinstance(keyword.value, ast.Constant) and keyword.value.value is False
            ):
                yield node.lineno, f"{name}(allow_pickle=...)"


def _runs_text(source: Source) -> Hits:
    for node, name in calls(source.tree):
        if name in {"eval", "exec", "compile", "__import__", "builtins.eval", "builtins.exec"}:
            yield node.lineno, f"{name}()"


CORE = {"labels", "policy", "errors"}


def _leans_on_strangers(source: Source) -> Hits:
    if source.room in CORE:
        for line, module in imports(source.tree):
            if module.split(".")[0] not in sys.stdlib_module_names | {"casemate"}:
                yield line, f"imports {module}"


def _shells_out(source: Source) -> Hits:
    for node, name in calls(source.tree):
        if name in {
            "os.system",
            "os.popen",
            "asyncio.create_subprocess_shell",
            "subprocess.getoutput",
            "subprocess.getstatusoutput",
        }:
            yield node.lineno, f"{name}()"
        for keyword in node.keywords:
            if keyword.arg == "shell" and not (
                isinstance(keyword.value, ast.Constant) and keyword.value.value is False
            ):
                yield node.lineno, f"{name}(shell=...)"


def _hides_a_function_in_an_envelope(source: Source) -> Hits:
    outer = {
        node.name
        for node in source.tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    } | set(aliases(source.tree))
    nested = _nested_functions(source.tree)
    for node, name in calls(source.tree):
        given = _given_function(node, name)
        if given is None:
            continue
        if isinstance(given, ast.Name):
            if given.id in nested or given.id not in outer:
                yield node.lineno, f"{name}() is given {given.id}, which is not a module-level function"
        elif not (isinstance(given, ast.Attribute) and dotted(given).split(".")[0] in outer):
            yield node.lineno, f"{name}() is given {ast.unparse(given)[:40]}"


def _given_function(node: ast.Call, name: str) -> ast.expr | None:
    """The function argument of Labelled.map(f) or combine(a, b, f); None for any other call."""
    if isinstance(node.func, ast.Attribute) and node.func.attr == "map" and len(node.args) == 1:
        return node.args[0]
    if name.rpartition(".")[2] == "combine" and (len(node.args) == 3 or any(word.arg == "f" for word in node.keywords)):
        return node.args[2] if len(node.args) == 3 else next(word.value for word in node.keywords if word.arg == "f")
    return None


def _nested_functions(tree: ast.Module) -> set[str]:
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {
        inner.name
        for outer in functions
        for inner in ast.walk(outer)
        if inner is not outer and isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef)
    }


LOGGERS = {"log", "_log", "logger", "_logger", "LOG", "LOGGER", "logging"}
LEVELS = {"debug", "info", "warning", "error", "critical", "log", "exception", "fatal", "warn"}
HARMLESS = {
    "slug", "status", "exit", "pid", "port", "role", "name", "seconds", "count", "signal", "code", "loop", "engine",
    "version", "folder", "language", "capacity", "errno", "attempt", "every", "size",
}  # fmt: skip


def _logs_a_payload(source: Source) -> Hits:
    for node, name in calls(source.tree):
        *_, receiver, method = ["", *dotted(node.func).split(".")]
        if receiver not in LOGGERS or method not in LEVELS:
            continue
        if method == "exception" or any(word.arg in {"exc_info", "stack_info"} for word in node.keywords):
            yield node.lineno, f"{name}() writes a traceback"
        words, *values = node.args[1:] if method == "log" else node.args or [ast.Constant("")]
        if not (isinstance(words, ast.Constant) and isinstance(words.value, str)):
            yield node.lineno, f"{name}() with a text that is built, not constant"
        for value in values:
            if not isinstance(value, ast.Constant) and dotted(value).split(".")[-1] not in HARMLESS:
                yield node.lineno, f"{name}() with {ast.unparse(value)[:40]}"


RULES = (
    Rule(
        "clock",
        "Take the time from the Clock that you were given; only casemate.clock asks the machine.",
        _asks_the_time,
    ),
    Rule(
        "machine",
        "Files, sockets and processes belong to engines, cells, cli and wiring: declare a port beside what needs it.",
        _touches_the_machine,
    ),
    Rule("pickle", "Reading such bytes can run them: use msgspec, or numpy with allow_pickle=False.", _unpickles),
    Rule("eval", "Text is never run: write a table from names to functions.", _runs_text),
    Rule(
        "core",
        "labels, policy and errors stand on the standard library alone, so that they can be proved.",
        _leans_on_strangers,
    ),
    Rule("shell", "Pass a list of arguments: a shell reads what users wrote.", _shells_out),
    Rule(
        "envelope",
        "What runs inside Labelled is a named module-level function without closure: gather what it needs first.",
        _hides_a_function_in_an_envelope,
    ),
    Rule(
        "log",
        "Logs carry no label: write a constant sentence and harmless facts (slug, pid, port ...), never content.",
        _logs_a_payload,
    ),
)
