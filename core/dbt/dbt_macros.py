"""How a warm dbt calls macros: templates compiled once, no ceremony around each call.

A unit test calls some 300 macros, mostly to write ``cast('x' as type)`` for each value of its
fixtures. Each function here puts something cheaper with the same result in the place of one
piece of dbt-core 1.11; ``core.dbt.dbt_tuning`` applies them to that version and to no other.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_KEPT_TEMPLATES = 256
_WRITTEN = frozenset({str, int, float, bool})
"""Types of values whose text in SQL is what ``str`` makes of them."""


def compile_templates_once() -> None:
    """dbt compiles a model's text twice for each of its unit tests: keep what was compiled.

    The code depends on the text and the kind of environment alone.
    """
    from dbt_common.clients.jinja import MacroFuzzEnvironment

    compiling = MacroFuzzEnvironment.compile
    compiled: dict[tuple[type, str], Any] = {}

    def compile_(self: Any, source: Any, *args: Any, **named: Any) -> Any:
        if not isinstance(source, str) or args or named:
            return compiling(self, source, *args, **named)
        key = (type(self), source)
        if key not in compiled:
            if len(compiled) >= _KEPT_TEMPLATES:
                compiled.clear()
            compiled[key] = compiling(self, source)
        return compiled[key]

    MacroFuzzEnvironment.compile = compile_


class LateNames(dict[str, Any]):
    """A dictionary that makes some of its values when they are first asked for.

    Whoever asks for all of it (a loop, a copy) gets all of it.
    """

    def __init__(self, names: Mapping[str, Any], make: Callable[[str], Any]) -> None:
        super().__init__()
        self.late = names
        self.make = make

    def __missing__(self, name: str) -> Any:
        if name not in self.late:
            raise KeyError(name)
        value = self[name] = self.make(name)
        return value

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or name in self.late

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]
        except KeyError:
            return default

    def __bool__(self) -> bool:
        return bool(self.late) or super().__len__() > 0

    def _whole(self) -> LateNames:
        for name in self.late:
            self[name]
        return self

    def __iter__(self) -> Iterator[str]:
        return super(LateNames, self._whole()).__iter__()

    def __len__(self) -> int:
        return super(LateNames, self._whole()).__len__()

    def keys(self) -> Any:
        return super(LateNames, self._whole()).keys()

    def values(self) -> Any:
        return super(LateNames, self._whole()).values()

    def items(self) -> Any:
        return super(LateNames, self._whole()).items()

    def copy(self) -> dict[str, Any]:
        return super(LateNames, self._whole()).copy()


def bind_macros_when_called() -> None:
    """Each of some 80 contexts of a verification binds 500 macros to itself, to call a few."""
    from dbt.clients.jinja import MacroGenerator
    from dbt.context.macros import MacroNamespace
    from dbt.context.manifest import ManifestContext

    general = ManifestContext.to_dict

    def _build_namespace(self: Any) -> Any:
        builder = self._get_namespace_builder()
        by_package = self.manifest.get_macros_by_package()
        macros: dict[str, Any] = {}
        for package in reversed(builder.internal_package_names_order):
            macros.update(by_package.get(package, {}))

        def bound(name: str) -> Any:
            return MacroGenerator(macros[name], context, builder.node, builder.thread_ctx)

        internal = LateNames(macros, bound)
        self._ctx = context = LateNames(macros, internal.__getitem__)
        for package, found in by_package.items():
            if package not in builder.internal_package_names:
                builder.add_macros(found.values(), context)
        return MacroNamespace(builder.globals, builder.locals, internal, builder.packages)

    def to_dict(self: Any) -> Any:
        namespace, context = self.namespace, self._ctx
        if type(namespace) is not MacroNamespace or not isinstance(context, LateNames):
            return general(self)
        super(ManifestContext, self).to_dict()
        for name in context.late.keys() & dict.keys(context):
            context[name] = namespace.global_project_namespace[name]
        local, root, packages, dbt, _ = namespace._search_order()
        for names in (dbt, packages, root, local):
            context.update(names)
        return context

    ManifestContext._build_namespace = _build_namespace
    ManifestContext.to_dict = to_dict


def list_modules_once() -> None:
    """Every context lists ``pytz``, ``datetime``, ``re`` and ``itertools`` anew."""
    from dbt.context import base

    modules = base.get_context_modules()
    base.get_context_modules = lambda: {name: dict(found) for name, found in modules.items()}


def call_macros_directly() -> None:
    """A call goes through three context managers and makes the macro from its template anew.

    A macro's template holds nothing but the macro, so that what is made from it can be kept.
    """
    from dbt.clients.jinja import MacroGenerator
    from dbt_common.clients import jinja
    from jinja2.exceptions import TemplateRuntimeError

    general = MacroGenerator.__call__

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        stack = self.stack
        if stack is None or self.context is None or not stack.call_stack:
            return general(self, *args, **kwargs)
        shortcut = _shortcuts.get(self.macro.unique_id)
        if shortcut is not None:
            found = shortcut(*args, **kwargs)
            if found is not NotImplemented:
                return found
        stack.call_stack.append(self.macro.unique_id)
        try:
            made = self.__dict__.get("made") or self.__dict__.setdefault("made", self.get_macro())
            try:
                return made(*args, **kwargs)
            except jinja.MacroReturn as returned:
                return returned.value
            except (TypeError, TemplateRuntimeError) as error:
                raise jinja.CaughtMacroErrorWithNodeError(exc=error, node=self.macro) from error
            except jinja.CompilationError as error:
                error.stack.append(self.macro)
                raise
        finally:
            stack.call_stack.pop()

    MacroGenerator.__call__ = call


_shortcuts: dict[str, Callable[..., Any]] = {}
"""Macros of dbt that are called as Python functions, by unique id; ``NotImplemented`` from one
means: call the macro."""


@contextlib.contextmanager
def fixtures_cast_in_python() -> Iterator[None]:
    """Write the casts of unit test fixtures in Python instead of in Jinja.

    Only for a project that overrides none of dbt's macros for it, as our mini-project.
    """
    _shortcuts.update(
        {"macro.dbt.safe_cast": safe_cast, "macro.dbt.format_row": format_row},
    )
    try:
        yield
    finally:
        _shortcuts.clear()


def safe_cast(*args: Any, **named: Any) -> Any:
    """What dbt's macro ``safe_cast`` writes on DuckDB, blanks included."""
    if len(args) != 2 or named or not all(type(a) in _WRITTEN for a in args):
        return NotImplemented
    return f"\n    \n    cast({args[0]} as {args[1]})\n"


def format_row(*args: Any, **named: Any) -> Any:
    """What dbt's macro ``format_row`` returns on DuckDB; whatever is unusual is left to it."""
    if len(args) != 2 or named or not all(isinstance(a, Mapping) for a in args):
        return NotImplemented
    row, types = args
    formatted: dict[str, str] = {}
    for name, value in row.items():
        folded = str(name).lower()
        type_ = types.get(folded)
        if not isinstance(type_, str):
            return NotImplemented
        if isinstance(value, str):
            if "varying" in type_:
                type_ = type_.split("(")[0]
            value = "'" + value.replace("'", "''") + "'"
        elif value is None:
            value = "null"
        cast = safe_cast(value, type_)
        if cast is NotImplemented:
            return cast
        formatted[folded] = cast
    return formatted


@contextlib.contextmanager
def macro_contexts_kept() -> Iterator[None]:
    """Let the adapter use one context for all its calls of a macro.

    It makes a new one, with all macros bound, to look up columns and to drop a table.
    """
    from dbt.adapters.base.impl import BaseAdapter

    setting = BaseAdapter.set_macro_context_generator

    def set_macro_context_generator(self: Any, generate: Callable[..., dict[str, Any]]) -> None:
        kept: dict[tuple[str, int, str | None], tuple[Any, dict[str, Any]]] = {}

        def once(macro: Any, config: Any, manifest: Any, package: str | None) -> dict[str, Any]:
            key = (macro.unique_id, id(manifest), package)
            if key not in kept:
                kept[key] = (manifest, generate(macro, config, manifest, package))
            return kept[key][1]

        setting(self, once)

    BaseAdapter.set_macro_context_generator = set_macro_context_generator
    try:
        yield
    finally:
        BaseAdapter.set_macro_context_generator = setting
