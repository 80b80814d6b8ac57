"""A line of the product's own source, broken where it stands: everybody who holds the function has the broken one."""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from types import CodeType, FunctionType
from typing import Any


@dataclass(frozen=True, slots=True)
class Edit:
    """`where` is "package.module:Class.function"; `old` stands in its source once, and `new` in its place."""

    where: str
    old: str
    new: str

    @property
    def room(self) -> str:
        """The room whose rule is broken."""
        return self.where.split(".")[1]

    def __call__(self) -> Any:
        return self._broken()

    @contextmanager
    def _broken(self) -> Iterator[None]:
        function = self.function()
        right, function.__code__ = function.__code__, self.code()
        try:
            yield
        finally:
            function.__code__ = right

    def function(self) -> FunctionType:
        """The function itself, under whatever decorates it."""
        module, _, path = self.where.partition(":")
        *owners, name = path.split(".")
        owner: Any = functools.reduce(getattr, owners, import_module(module))
        found = inspect.getattr_static(owner, name)
        for wrapper in ("fget", "func", "__wrapped__"):  # property, cached_property; cache, classmethod, staticmethod
            found = getattr(found, wrapper, found)
        if not isinstance(found, FunctionType):
            raise TypeError(f"{self.where} is no function")
        return found

    def code(self) -> CodeType:
        """The function with the line broken. LookupError where the line is not there, or there twice."""
        function = self.function()
        source = textwrap.dedent(inspect.getsource(function))
        if source.count(self.old) != 1:
            raise LookupError(f"{self.where} holds {self.old!r} {source.count(self.old)} times")
        (tree,) = ast.parse(source.replace(self.old, self.new)).body
        assert isinstance(tree, ast.FunctionDef | ast.AsyncFunctionDef)
        tree.decorator_list.clear()
        ast.increment_lineno(tree, function.__code__.co_firstlineno - 1)
        names: dict[str, Any] = {}
        annotated = ast.parse("from __future__ import annotations").body
        exec(compile(ast.Module([*annotated, tree], []), function.__code__.co_filename, "exec"), names)
        return names[tree.name].__code__
