"""The session: what the server keeps between statements, and access to everything in it."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlglot import exp

from core.interpreter.catalog_views import CatalogViews
from core.interpreter.context import Finding, Physical, Profile
from core.interpreter.coverage import Coverage
from core.interpreter.definitions import Definition
from core.interpreter.engine import Engine
from core.interpreter.errors import Refused, SqlError, sql_text
from core.interpreter.positioned import Positioned, positioned
from core.interpreter.sequences import SequenceObject
from core.interpreter.state import DEFAULT_CLOCK, Frame, ResultSet, Sink, Variable
from core.interpreter.tables import FunctionNeeded, StoredTable, TableStore
from core.interpreter.translate import Translation, Translator, parsed_leaf, undeclared_table
from core.tsql.binding import BoundQuery, bind_query
from core.tsql.nodes import CreateFunction, CreateProcedure, CreateView, Leaf, TableBody
from core.tsql.parser import parse_script
from core.tsql.schema import Column, ObjectName, Schema, Table
from core.tsql.types import SqlType, duckdb_storage
from core.tsql.typing import type_of

Key = tuple[str, str]
_MAX_CALLS = 10_000
_TOO_MANY_CALLS = "a function is called with too many different arguments"


class Session:
    """One connection's state; the interpreter's modules read and write it."""

    def __init__(
        self, engine: Engine, schema: Schema, profile: Profile, *, probing: bool = False
    ) -> None:
        self.engine = engine
        self._probing = probing
        self._profile = profile
        self.store = TableStore(engine, schema, profile)
        self.store.default_of = self.default_value
        self.store.call_function = self.call_function
        self.translator = Translator(self)
        self.catalog = CatalogViews(self)
        self.procedures: dict[Key, CreateProcedure] = {}
        self.functions: dict[Key, CreateFunction] = {}
        self.views: dict[Key, CreateView] = {}
        self.table_types: dict[Key, TableBody] = {}
        self.sequences: dict[Key, SequenceObject] = {}
        self.coverage = Coverage()
        self.findings: list[Finding] = []
        self._positioned: dict[int, tuple[Leaf, Positioned | None]] = {}
        self._views_bound: dict[int, tuple[object, Schema, BoundQuery]] = {}
        self._defaults: dict[str, exp.Expr] = {}
        self._scalars: dict[tuple[str, tuple[object, ...]], object] = {}
        self._function_results: dict[str, object] = {}
        self._constants: dict[str, str] = {}
        self._is_seeded = False
        self._probed: set[int] = set()
        self.seed = 0
        self.clock: dt.datetime = DEFAULT_CLOCK
        self.reset_state()

    def reset_state(self) -> None:
        """Back to a fresh connection; tables stay."""
        self.frames: list[Frame] = [Frame(None, 0)]
        self.frame_numbers = 0
        self.sink = Sink()
        self.rowcount = 0
        self.error_number = 0
        self.identity: object = None
        self.fetch_status = 0
        self.cursor_rows = 0
        self.trancount = 0
        self.doomed = False
        self.xact_abort = False
        self.nocount = False
        self._ansi_warnings = True
        self.arithabort = True
        self.identity_insert: Key | None = None
        self.date_first = self._profile.date_first
        self.caught: list[SqlError] = []
        self.try_depth = 0
        self.global_cursors: dict[str, Any] = {}
        self.random = random.Random(self.seed)
        self.findings.clear()
        self.context_info: dict[str, object] = {}
        self._is_seeded = False

    # --- world ------------------------------------------------------------------------------------

    @property
    def schema(self) -> Schema:
        return self.store.schema

    @property
    def profile(self) -> Profile:
        return self._profile

    @property
    def probing(self) -> bool:
        """Whether predicates are counted for coverage (`Reference(full_coverage=True)`)."""
        return self._probing

    @property
    def ansi_warnings(self) -> bool:
        return self._ansi_warnings

    @ansi_warnings.setter
    def ansi_warnings(self, on: bool) -> None:
        self._ansi_warnings = on

    @property
    def frame(self) -> Frame:
        return self.frames[-1]

    def physical(self, name: ObjectName) -> Physical | None:
        stored = self.store.find(name)
        return stored.physical if stored is not None else None

    def view_query(self, name: ObjectName) -> BoundQuery | None:
        table = self.schema.table(name)
        view = self.views.get(table.name.key if table else name.key)
        if view is None:
            return None
        known = self._views_bound.get(id(view))
        if known is not None and known[1] is self.schema:
            return known[2]
        parsed = parsed_leaf(view.query)
        if parsed.query is None:
            raise Refused("view", f"the view {name} has no query", view.span.line)
        bound = bind_query(parsed.query, self.schema)
        self._views_bound[id(view)] = (view, self.schema, bound)
        return bound

    def function_definition(self, name: ObjectName) -> CreateFunction | None:
        return self.functions.get(name.key)

    def sequence(self, name: ObjectName) -> SequenceObject | None:
        return self.sequences.get(name.key)

    def typed(self, definition: Definition) -> Definition:
        """A definition whose computed columns have the types of their expressions."""
        columns = []
        for column in definition.table.columns:
            if column.computed is not None:
                tree = self.computed_tree(definition.table, column)
                column = replace(column, type=type_of(tree))
            columns.append(column)
        return replace(definition, table=replace(definition.table, columns=tuple(columns)))

    def computed_tree(self, table: Table, column: Column) -> exp.Expr:
        """A computed column's expression, bound to its table under the alias ``b``."""
        from core.tsql.binding import bind_expression
        from core.tsql.scope import OutputColumn, Relation

        tree = self.expression_of(column.computed or "NULL")
        others = tuple(OutputColumn(c.name, c.type) for c in table.columns if c.computed is None)
        return bind_expression(tree, self.schema, relations=[Relation("b", others)]).tree

    def expression_of(self, text: str) -> exp.Expr:
        """The unbound tree of an expression kept as text (a default, a computed column)."""
        known = self._defaults.get(text)
        if known is None:
            script = parse_script(f"SELECT {text}")
            statement = script.statements[0] if script.statements else None
            leaf = getattr(statement, "leaf", statement)
            query = parsed_leaf(leaf).query  # type: ignore[arg-type]
            if not isinstance(query, exp.Select) or len(query.expressions) != 1:
                raise Refused("expression", f"{text!r} is not an expression")
            known = query.expressions[0]
            self._defaults[text] = known
        return known

    def condition_of(self, text: str) -> exp.Expr:
        """The unbound tree of a condition kept as text (a CHECK constraint)."""
        known = self._defaults.get("?" + text)
        if known is None:
            tree = self.expression_of(f"CASE WHEN {text} THEN 1 END")
            known = tree.args["ifs"][0].this
            self._defaults["?" + text] = known
        return known

    def default_value(self, stored: StoredTable, column: Column) -> object:
        """The value of a column's default, for rows that are loaded without it."""
        if column.default is None:
            return None
        from core.interpreter.inserts import default_sql

        context = self.translator.context()
        sql = default_sql(self, context, stored, column)
        return self.scalar(self.translator.made(context, f"SELECT {sql}"))

    # --- values -----------------------------------------------------------------------------------

    def variable(self, name: str, line: int = 0) -> Variable:
        found = self.frame.variables.get(name.lower())
        if found is None:
            raise SqlError(137, f'Must declare the scalar variable "{name}".', line=line)
        return found

    def system_value(self, name: str) -> object:
        """The value of an ``@@`` function or of a function of the session's state."""
        reader = _SYSTEM.get(name.lower())
        if reader is None:
            raise Refused(name, f"{name} is not supported")
        return reader(self)

    def positioned(self, leaf: Leaf) -> Positioned | None:
        """The parts of a ``WHERE CURRENT OF``, the same ones each time; None for other changes."""
        known = self._positioned.get(id(leaf))
        if known is None:
            # The leaf is kept, so that its id stays its own.
            known = self._positioned[id(leaf)] = (leaf, positioned(leaf))
        return known[1]

    def resolve(self, source: Hashable) -> object:
        """The value of one parameter of a translation."""
        assert isinstance(source, tuple)
        match source:
            case ("variable", str(name)):
                return self.variable(name).value
            case ("system", str(name)):
                return self.system_value(name)
            case ("ask", str(name), tuple(arguments)):
                from core.interpreter.questions import answer

                return answer(self, name, [self._argument(a) for a in arguments])
            case ("sequence", key):
                return self.sequences[key].state()
            case ("function", "keys"):
                return list(self._function_results)
            case ("function", "values"):
                return [None if v is None else str(v) for v in self._function_results.values()]
        raise Refused("parameter", f"{source} is not understood")

    def _argument(self, argument: tuple[str, Any]) -> object:
        kind, value = argument
        if kind == "literal":
            return value
        if kind == "variable":
            if value.startswith("@@"):
                return self.system_value(value)
            return self.variable(value).value
        if kind == "concat":
            parts = [self._argument(part) for part in value]
            return None if any(p is None for p in parts) else "".join(str(p) for p in parts)
        from core.interpreter.questions import answer

        return answer(self, value, [])

    def constant(self, sql: str, type_: SqlType) -> str:
        """SQL of a constant, computed once: a literal of its storage type."""
        known = self._constants.get(sql)
        if known is None:
            try:
                rows = self.engine.query(f"SELECT CAST({sql} AS VARCHAR)")
                value = rows[0][0]
                text = "NULL" if value is None else sql_text(str(value))
                known = f"CAST({text} AS {duckdb_storage(type_)})"
                if type_.is_binary:
                    known = sql
            except (SqlError, Refused):
                known = sql
            self._constants[sql] = known
        return known

    # --- running SQL ------------------------------------------------------------------------------

    def run(
        self, translation: Translation, parameters: Mapping[str, object] | None = None
    ) -> list[tuple[Any, ...]]:
        """The rows of a translation with the session's present values."""
        return self.execute(translation, translation.sql, parameters)

    def execute(
        self,
        translation: Translation,
        sql: str,
        parameters: Mapping[str, object] | None = None,
        table: str | None = None,
        verb: str = "INSERT",
    ) -> list[tuple[Any, ...]]:
        """Run `sql`, which takes the parameters of `translation`.

        Calls of user functions whose results are not known yet are made on the way.
        """
        self.prepare(translation)
        for _ in range(_MAX_CALLS):
            values = {name: self.resolve(src) for name, src in translation.parameters.items()}
            values.update(parameters or {})
            used = {k: v for k, v in values.items() if f"${k}" in sql}
            try:
                rows = self.engine.query(sql, used, table, verb)
                self._take_numbers(translation, sql, rows)
                return rows
            except SqlError as error:
                if error.number != -1:
                    raise
                if self.store.is_writing:
                    # The engine's transaction has failed: the write starts over with the result.
                    raise FunctionNeeded(error.message) from error
                self.call_function(error.message)
        raise Refused("function", _TOO_MANY_CALLS)

    def _take_numbers(
        self, translation: Translation, sql: str, rows: Sequence[tuple[Any, ...]]
    ) -> None:
        """Move the sequences a query took values from by its rows."""
        for name, source in translation.parameters.items():
            taken = isinstance(source, tuple) and source[0] == "sequence"
            if taken and f"${name}" in sql:
                reads = sql.lstrip().upper().startswith(("SELECT", "WITH"))
                count = len(rows) if reads else int(rows[0][0])
                self.sequences[source[1]].taken += count  # type: ignore[index]

    def prepare(self, translation: Translation) -> None:
        """What must be there before a translation can run: catalog views, table functions."""
        if translation.collected.is_volatile and not self._is_seeded:
            self.engine.query(f"SELECT setseed({(self.seed % 1000) / 1000})")
            self._is_seeded = True
        for finding in translation.findings:
            self.find(finding)
        self.catalog.refresh(translation.tables)
        self.probe(translation)
        if translation.collected.materialized:
            from core.interpreter.function_calls import materialize

            for call in translation.collected.materialized:
                materialize(self, translation, call)

    def probe(self, translation: Translation) -> None:
        """Count how the predicates of a translation come out, once for each execution.

        Not inside of a write: a probe that fails would end its transaction.
        """
        probes = translation.collected.probes
        if not probes or self.store.is_writing or id(probes) in self._probed:
            return
        from core.interpreter.probes import run_probes

        self._probed.add(id(probes))
        run_probes(self, translation)

    def new_statement(self) -> None:
        """A statement begins: nothing is counted, no function was called for it yet."""
        self._probed.clear()
        self._function_results = {}

    def call_function(self, key: str) -> None:
        """Call a function for arguments a query asked for, and remember its result."""
        from core.interpreter.computed import compute, is_computed

        if is_computed(key):
            self._function_results[key] = compute(key)
            return
        from core.interpreter.function_calls import scalar_result

        kept, probed = self._function_results, self._probed
        if len(kept) >= _MAX_CALLS:
            raise Refused("function", _TOO_MANY_CALLS)
        self._function_results, self._probed = {}, set()
        try:
            result = scalar_result(self, key)
        finally:
            self._function_results, self._probed = kept, probed
        self._function_results[key] = result

    def scalar(self, translation: Translation) -> object:
        """The single value of a translation; pure ones are computed once for the same inputs."""
        if not translation.is_pure:
            rows = self.run(translation)
            return rows[0][0] if rows else None
        inputs = tuple(self.resolve(s) for s in translation.parameters.values())
        key = (translation.sql, tuple((type(v), v) for v in inputs))
        if key in self._scalars:
            return self._scalars[key]
        rows = self.run(translation)
        if len(self._scalars) > 50_000:
            self._scalars.clear()
        value = rows[0][0] if rows else None
        self._scalars[key] = value
        return value

    # --- results ----------------------------------------------------------------------------------

    def find(self, finding: Finding) -> None:
        if finding not in self.findings:
            self.findings.append(finding)

    def say(self, message: str) -> None:
        self.sink.messages.append(message)

    def give(self, result: ResultSet) -> None:
        self.sink.result_sets.append(result)

    def stored(self, name: ObjectName, line: int = 0) -> StoredTable:
        """The table a name denotes; error 208 when there is none."""
        found = self.store.find(name)
        if found is None and name.name.startswith("@"):
            raise undeclared_table(name.name, line)
        if found is None:
            error = SqlError(208, f"Invalid object name '{name}'.", line=line)
            error.frame = self.frame.number
            raise error
        return found


def _caught(read: str) -> Any:
    def value(session: Session) -> object:
        return getattr(session.caught[-1], read) if session.caught else None

    return value


def _datetime(moment: dt.datetime) -> dt.datetime:
    """A moment rounded to 1/300 second (``data-types/datetime-transact-sql``)."""
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    micro = (moment - midnight) // dt.timedelta(microseconds=1)
    thirds = (micro * 3 + 5000) // 10000
    return midnight + dt.timedelta(milliseconds=(thirds * 10 + 1) // 3)


def _error_line(session: Session) -> object:
    if not session.caught:
        return None
    error = session.caught[-1]
    return error.line - (error.lines_before or 0)


def _xact_state(session: Session) -> object:
    if session.trancount == 0:
        return 0
    return -1 if session.doomed else 1


_SYSTEM: dict[str, Any] = {
    "@@rowcount": lambda s: s.rowcount,
    "rowcount_big": lambda s: s.rowcount,
    "@@error": lambda s: s.error_number,
    "@@identity": lambda s: s.identity,
    "scope_identity": lambda s: s.frame.scope_identity,
    "@@trancount": lambda s: s.trancount,
    "@@fetch_status": lambda s: s.fetch_status,
    "@@nestlevel": lambda s: len(s.frames) - 1,
    "@@procid": lambda s: 1 + len(s.frames),
    "@@spid": lambda s: 51,
    "@@datefirst": lambda s: s.date_first,
    "@@servername": lambda s: s.profile.server_name,
    "@@version": lambda s: "Microsoft SQL Server 2022 (reference)",
    "@@language": lambda s: "us_english",
    "@@cursor_rows": lambda s: s.cursor_rows,
    "@@options": lambda s: 5496,
    "@@max_precision": lambda s: 38,
    "now": lambda s: s.clock,
    "now_datetime": lambda s: _datetime(s.clock),
    "rand": lambda s: s.random.random(),
    "xact_state": _xact_state,
    "error_number": _caught("number"),
    "error_severity": _caught("severity"),
    "error_state": _caught("state"),
    "error_line": _error_line,
    "error_message": _caught("message"),
    # With its schema, as SQL Server 2017 and later answer.
    "error_procedure": _caught("procedure"),
}
