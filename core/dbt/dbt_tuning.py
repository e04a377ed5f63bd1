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

from core.dbt import dbt_macros

KNOWN_VERSION = "1.11."
READ_DEBUG_EVENT = "SQLQuery"
"""The debug event we listen to while a run is recorded: the SQL that dbt sends."""


def tune() -> None:
    """Apply everything that lasts for the life of the process, before dbt is first used."""
    from dbt import mp_context

    if "fork" in multiprocessing.get_all_start_methods():
        # Locks of the spawn context have names that a killed worker would leave behind.
        mp_context._MP_CONTEXT = multiprocessing.get_context("fork")
    from dbt.version import __version__

    if str(__version__).startswith(KNOWN_VERSION):
        dbt_macros.compile_templates_once()
        dbt_macros.bind_macros_when_called()
        dbt_macros.list_modules_once()
        dbt_macros.call_macros_directly()
        _find_plugins_once()
        _skip_unread_debug_events()
        _reuse_type_testers()
        _add_fixtures_without_parsing()
        _write_no_compiled_files()
        _accept_same_rows_without_a_diff()


def _find_plugins_once() -> None:
    """dbt looks through every folder of the import path for plugins, each time."""
    from dbt.plugins.manager import PluginManager

    found = PluginManager.get_prefixed_modules()
    PluginManager.get_prefixed_modules = classmethod(lambda cls: found)


_read: set[str] = set()


@contextlib.contextmanager
def queries_heard() -> Iterator[None]:
    """Let dbt tell the SQL it sends; it costs a message for each statement."""
    _read.add(READ_DEBUG_EVENT)
    try:
        yield
    finally:
        _read.clear()


def _skip_unread_debug_events() -> None:
    """Nothing logs here, and of the debug events we read one kind at times: others stay empty."""
    from dbt_common.events import base_types
    from dbt_common.events.base_types import BaseEvent, DebugLevel, EventLevel
    from dbt_common.events.event_manager import EventManager

    make, fire = BaseEvent.__init__, EventManager.fire_event

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        name = type(self).__name__
        if not isinstance(self, DebugLevel) or name in _read:
            make(self, *args, **kwargs)
            return
        message = getattr(self.PROTO_TYPES_MODULE, name, None)
        if message is None:
            make(self, *args, **kwargs)
        else:
            self.pb_msg = message()

    def fire_event(self: Any, event: Any, level: Any = None, *args: Any, **kwargs: Any) -> None:
        debug = (level or event.level_tag()) == EventLevel.DEBUG
        if not debug or type(event).__name__ in _read:
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
        return f"{sql[: start.end()]} {added}, {sql[start.end() :].removeprefix(' ')}"

    compilation.inject_ctes_into_sql = inject_ctes_into_sql


def _write_no_compiled_files() -> None:
    """dbt writes the SQL of every node and every fixture to a file; we have it in the node."""
    from dbt.contracts.graph.nodes import ParsedNode

    ParsedNode.write_node = lambda self, project_root, compiled_path, compiled_code: None


def _accept_same_rows_without_a_diff() -> None:
    """dbt aligns and renders expected and actual rows to see whether they differ.

    Where they are written alike, cell by cell, there is nothing to align.
    """
    from dbt.task import test

    aligned = test.TestRunner._get_daff_diff

    class Same:
        """A diff of tables that are the same."""

        def hasDifference(self) -> bool:  # noqa: N802 - daff's name
            return False

    def _get_daff_diff(self: Any, expected: Any, actual: Any, ordered: bool = False) -> Any:
        tables = [repr(test.list_rows_from_table(t, sort=True)) for t in (expected, actual)]
        return Same() if tables[0] == tables[1] else aligned(self, expected, actual, ordered)

    test.TestRunner._get_daff_diff = _get_daff_diff


@contextlib.contextmanager
def fast_tests() -> Iterator[None]:
    """What is spared in a ``dbt test`` of a mini-project, which overrides none of dbt's macros."""
    from dbt.version import __version__

    if not str(__version__).startswith(KNOWN_VERSION):
        yield
        return
    with (
        columns_looked_up_once(),
        dbt_macros.macro_contexts_kept(),
        dbt_macros.fixtures_cast_in_python(),
    ):
        yield


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
