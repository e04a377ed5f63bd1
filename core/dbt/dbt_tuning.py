"""Sparing a warm dbt work that it repeats in every invocation and that changes no result.

Measured with dbt-core 1.11: for each unit test dbt wraps some 500 macros several times, asks the
database for the same columns again, and builds a message for each of hundreds of debug events
nobody reads. Each function here replaces one such piece by one that does the same with less. They
touch dbt's internals, so they apply to the version they were written for and to no other: with
any other dbt, verification is slower and otherwise the same.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import re
from collections.abc import Iterator
from typing import Any

KNOWN_VERSION = "1.11."
READ_DEBUG_EVENTS = frozenset({"SQLQuery"})
"""Debug events we listen to: the SQL that replay records."""


def tune() -> None:
    """Apply everything that lasts for the life of the process, before dbt is first used."""
    from dbt import mp_context

    if "fork" in multiprocessing.get_all_start_methods():
        # Locks of the spawn context have names that a killed worker would leave behind.
        mp_context._MP_CONTEXT = multiprocessing.get_context("fork")
    from dbt.version import __version__

    if str(__version__).startswith(KNOWN_VERSION):
        _find_plugins_once()
        _merge_macros_by_dictionary()
        _skip_unread_debug_events()
        _reuse_type_testers()
        _add_fixtures_without_parsing()


def _find_plugins_once() -> None:
    """dbt looks through every folder of the import path for plugins, each time."""
    from dbt.plugins.manager import PluginManager

    found = PluginManager.get_prefixed_modules()
    PluginManager.get_prefixed_modules = classmethod(lambda cls: found)


def _merge_macros_by_dictionary() -> None:
    """A context takes its macros over one by one; whole dictionaries give the same result."""
    from dbt.clients.jinja import MacroGenerator
    from dbt.context import macros
    from dbt.context.base import BaseContext
    from dbt.context.manifest import ManifestContext

    general = ManifestContext.to_dict
    checked = macros.MacroNamespaceBuilder.add_macros

    def to_dict(self: Any) -> dict[str, Any]:
        namespace = self.namespace
        if type(namespace) is not macros.MacroNamespace:
            return dict(general(self))
        merged: dict[str, Any] = super(ManifestContext, self).to_dict()
        for names in reversed(list(namespace._search_order())):
            merged.update(names)
        return merged

    def add_macros(self: Any, found: Any, context: dict[str, Any]) -> None:
        found = list(found)
        package = found[0].package_name if found else ""
        if package not in self.internal_package_names or package in self.internal_packages:
            checked(self, found, context)
            return
        node, stack = self.node, self.thread_ctx
        self.internal_packages[package] = {
            macro.name: MacroGenerator(macro, context, node, stack) for macro in found
        }

    assert issubclass(ManifestContext, BaseContext)
    ManifestContext.to_dict = to_dict
    macros.MacroNamespaceBuilder.add_macros = add_macros


def _skip_unread_debug_events() -> None:
    """Nothing logs here, and of the debug events we read one kind: the others stay empty."""
    from dbt_common.events import base_types
    from dbt_common.events.base_types import BaseEvent, DebugLevel, EventLevel
    from dbt_common.events.event_manager import EventManager

    make, fire = BaseEvent.__init__, EventManager.fire_event

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        name = type(self).__name__
        if not isinstance(self, DebugLevel) or name in READ_DEBUG_EVENTS:
            make(self, *args, **kwargs)
            return
        message = getattr(self.PROTO_TYPES_MODULE, name, None)
        if message is None:
            make(self, *args, **kwargs)
        else:
            self.pb_msg = message()

    def fire_event(self: Any, event: Any, level: Any = None, *args: Any, **kwargs: Any) -> None:
        debug = (level or event.level_tag()) == EventLevel.DEBUG
        if not debug or type(event).__name__ in READ_DEBUG_EVENTS:
            fire(self, event, level, *args, **kwargs)

    assert base_types.BaseEvent is BaseEvent
    BaseEvent.__init__ = __init__
    EventManager.fire_event = fire_event


def _reuse_type_testers() -> None:
    """A new set of column type testers is built for every result table."""
    from functools import lru_cache

    from dbt_common.clients import agate_helper

    build = lru_cache(maxsize=64)(agate_helper.build_type_tester)

    def reused(text_columns: Any, string_null_values: Any = ("null", "")) -> Any:
        return build(tuple(text_columns), tuple(string_null_values or ()))

    agate_helper.build_type_tester = reused


_LEADING_WITH = re.compile(
    r"(?:\s|--[^\n]*\n|/\*(?:[^*]|\*(?!/))*\*/)*with\b(?:\s+recursive\b)?", re.IGNORECASE
)


def _add_fixtures_without_parsing() -> None:
    """dbt parses a whole model to find the ``with`` behind which its fixtures go.

    Where the text starts with it, there it is; any other text is left to dbt.
    """
    from dbt import compilation

    parsing = compilation.inject_ctes_into_sql

    def inject_ctes_into_sql(sql: str, ctes: list[Any]) -> str:
        start = _LEADING_WITH.match(sql) if ctes else None
        if start is None:
            return str(parsing(sql, ctes))
        added = ", ".join(cte.sql for cte in ctes)
        return f"{sql[: start.end()]}{added}, {sql[start.end() :]}"

    compilation.inject_ctes_into_sql = inject_ctes_into_sql


@contextlib.contextmanager
def columns_looked_up_once() -> Iterator[None]:
    """Let dbt ask for a relation's columns once in a ``dbt test`` instead of for every fixture.

    Tests change no relation, and the question is a quarter of what a unit test costs.
    """
    from dbt.adapters.duckdb.impl import DuckDBAdapter

    original = DuckDBAdapter.get_columns_in_relation
    known: dict[str, list[Any]] = {}

    def remembered(adapter: Any, relation: Any) -> list[Any]:
        key = str(relation)
        if key not in known:
            known[key] = original(adapter, relation)
        return list(known[key])

    remembered.__dict__.update(original.__dict__)  # what makes it callable from Jinja
    DuckDBAdapter.get_columns_in_relation = remembered
    try:
        yield
    finally:
        DuckDBAdapter.get_columns_in_relation = original


@contextlib.contextmanager
def manifest_kept(keep: Any) -> Iterator[None]:
    """Hand the manifest that an invocation parses to ``keep``, for the invocations after it."""
    from dbt.cli import requires

    original = requires.parse_manifest

    def parse_manifest(*args: Any, **kwargs: Any) -> Any:
        manifest = original(*args, **kwargs)
        keep(manifest)
        return manifest

    requires.parse_manifest = parse_manifest
    try:
        yield
    finally:
        requires.parse_manifest = original
