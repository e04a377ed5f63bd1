"""What one statement's translation needs to know, and what it collects on the way.

`World` is the session's side (tables, views, functions); `Context` belongs to one statement: the
parameters its SQL takes, the tables it depends on, the findings about its meaning.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from sqlglot import exp

from core.interpreter.casts import Mode
from core.interpreter.errors import Refused, SqlError, sql_text
from core.interpreter.naming import once
from core.tsql import types as t
from core.tsql.binding import BoundQuery
from core.tsql.nodes import CreateFunction
from core.tsql.schema import Column, ObjectName, ScalarFunction, Schema, Table, TableFunction
from core.tsql.types import SqlType, duckdb_storage
from core.tsql.typing import line_of

if TYPE_CHECKING:
    from core.interpreter.probes import Probe
    from core.interpreter.routines import MaterializedCall
    from core.interpreter.sequences import SequenceObject


@dataclass(frozen=True)
class Profile:
    """How the server is set up.

    `case_sensitive` is the default collation's view of case; trailing blanks never count.
    `user` is what SUSER_SNAME and the like answer. `foreign_keys` makes error 547 happen.
    """

    case_sensitive: bool = False
    user: str = "dbo"
    foreign_keys: bool = False
    server_name: str = "SERVER"
    date_first: int = 7


@dataclass(frozen=True)
class Physical:
    """The DuckDB table that holds a T-SQL table; `computed` columns are worked out when read."""

    name: str
    table: Table
    computed: tuple[Column, ...] = ()


class World(Protocol):
    """What the session knows of the database."""

    @property
    def schema(self) -> Schema: ...
    @property
    def profile(self) -> Profile: ...
    @property
    def ansi_warnings(self) -> bool: ...
    @property
    def probing(self) -> bool: ...
    def physical(self, name: ObjectName) -> Physical | None: ...
    def view_query(self, name: ObjectName) -> BoundQuery | None: ...
    def function_definition(self, name: ObjectName) -> CreateFunction | None: ...
    def sequence(self, name: ObjectName) -> SequenceObject | None: ...
    def computed_tree(self, table: Table, column: Column) -> exp.Expr: ...
    def constant(self, sql: str, type_: SqlType) -> str: ...


@dataclass(frozen=True)
class Finding:
    """Something about the original that a reader must know: its result is not determined."""

    kind: str
    message: str
    line: int


@dataclass
class Collected:
    """What a translation gathers while it is written."""

    parameters: dict[str, Hashable] = field(default_factory=dict)
    tables: dict[tuple[str, str], Table] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    materialized: list[MaterializedCall] = field(default_factory=list)
    constants: dict[str, object] = field(default_factory=dict)
    probes: list[Probe] = field(default_factory=list)
    places: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    is_volatile: bool = False
    reads_tables: bool = False
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))


class Context:
    """One statement being translated."""

    def __init__(
        self,
        world: World,
        variables: Mapping[str, SqlType],
        values: Mapping[str, object] | None = None,
        collected: Collected | None = None,
        inlined: Mapping[str, str] | None = None,
        depth: int = 0,
    ) -> None:
        self.world = world
        self.variables = variables
        self.values = values or {}
        self.collected = collected or Collected()
        self.inlined: dict[str, str] = dict(inlined or {})
        self.depth = depth
        self.max_recursion = 100
        #: Whether a query counts its rows for NEXT VALUE FOR, and the row of a VALUES list.
        self.numbers_rows = True
        self.row: int | None = None
        self.is_probing = world.probing

    @property
    def profile(self) -> Profile:
        return self.world.profile

    @property
    def assignment(self) -> Mode:
        """How values go into columns: SET ANSI_WARNINGS OFF lets text be cut without a word."""
        return Mode.ASSIGN if self.world.ansi_warnings else Mode.IMPLICIT

    @property
    def case_sensitive(self) -> bool:
        return self.world.profile.case_sensitive

    def child(self, inlined: Mapping[str, str], variables: Mapping[str, SqlType]) -> Context:
        """The context of a function's body: its parameters stand for SQL text."""
        if self.depth > 30:
            raise Refused("function", "functions call each other more than 30 levels deep")
        return Context(self.world, variables, {}, self.collected, inlined, self.depth + 1)

    # --- parameters -------------------------------------------------------------------------------

    def use(self, name: str, source: Hashable) -> None:
        """Note that the SQL takes parameter ``$name``; `source` says where its value comes from."""
        self.collected.parameters[name] = source

    def use_fresh(self, source: Hashable) -> str:
        for name, known in self.collected.parameters.items():
            if known == source:
                return name
        name = f"q{next(self.collected.numbers)}"
        self.collected.parameters[name] = source
        return name

    def system(self, name: str, type_: SqlType) -> str:
        """An ``@@`` function or a function of the session's state, read when the statement runs."""
        parameter = "s_" + name.lstrip("@")
        self.use(parameter, ("system", name))
        return f"CAST(${parameter} AS {duckdb_storage(type_)})"

    def clock(self, type_: SqlType) -> str:
        from core.interpreter.casts import convert

        if type_.name is t.TypeName.DATETIME:
            # Rounded once, by the session.
            self.use("s_now_datetime", ("system", "now_datetime"))
            return "CAST($s_now_datetime AS TIMESTAMP)"
        self.use("s_now", ("system", "now"))
        now = "CAST($s_now AS TIMESTAMP)"
        return convert(now, t.DATETIME2, type_)

    def constant(self, variable: str, line: int) -> int:
        """A variable whose value must be known to write the SQL (a CONVERT style)."""
        value = self.values.get(variable)
        if not isinstance(value, int):
            raise Refused("CONVERT style", f"the style {variable} is not known here", line)
        self.collected.constants[variable] = value
        return value

    def constant_sql(self, sql: str, type_: SqlType) -> str:
        """A converted constant as a plain literal; one that fails keeps failing where it stands."""
        if "(" not in sql:
            return sql
        return self.world.constant(sql, type_)

    def new_id(self) -> str:
        self.collected.is_volatile = True
        return "gen_random_uuid()"

    def next_value(self, node: exp.Expr, order: str) -> str:
        """NEXT VALUE FOR: one value for each row of the query, counted in `order`."""
        from core.interpreter.sequences import value_sql

        self.collected.is_volatile = True
        parts = [part.name for part in node.this.parts]
        name = ObjectName(parts[-1], parts[-2] if len(parts) > 1 else None)
        sequence = self.world.sequence(name)
        if sequence is None:
            raise SqlError(208, f"Invalid object name '{name}'.", line=line_of(node))
        if self.numbers_rows is False:
            raise Refused("NEXT VALUE FOR", "it is not supported in a MERGE", line_of(node))
        parameter = self.use_fresh(("sequence", sequence.name.key))
        row = f"row_number() OVER ({order}) - 1" if self.row is None else str(self.row)
        return value_sql(sequence, parameter, row)

    def place_number(self) -> int:
        """The next number for a place whose outcomes are counted."""
        return next(self.collected.places)

    def find(self, kind: str, message: str, line: int) -> None:
        """Note a finding, once."""
        finding = Finding(kind, message, line)
        if finding not in self.collected.findings:
            self.collected.findings.append(finding)

    # --- tables -----------------------------------------------------------------------------------

    def table(self, name: ObjectName) -> Physical | None:
        found = self.world.physical(name)
        if found is not None:
            self.collected.tables[found.table.name.key] = found.table
            self.collected.reads_tables = True
        return found

    # --- functions --------------------------------------------------------------------------------

    def user_function(
        self,
        function: ScalarFunction,
        arguments: list[tuple[str | None, SqlType]],
        line: int,
    ) -> str:
        """A call of a scalar function of the database.

        A body that is one RETURN is written in place. Any other is run by the interpreter, once for
        each list of arguments: the SQL looks the result up and asks for it where it is not known.
        """
        from core.interpreter.routines import inlined_call

        definition = self.world.function_definition(function.name)
        if definition is None:
            raise Refused("function", f"the text of function {function.name} is not known", line)
        inlined = inlined_call(self, function, definition, arguments, line)
        if inlined is not None:
            return inlined
        key = function.name.key
        name = f"{key[0]}.{key[1]}"
        return self._looked_up(name, [sql for sql, _ in arguments], function.returns)

    def computed(self, name: str, arguments: Sequence[str], returns: SqlType) -> str:
        """A built-in function that Python works out (`core.interpreter.computed`)."""
        return self._looked_up(f"~{name}", arguments, returns)

    def table_result(self, function: TableFunction, arguments: Sequence[str]) -> str:
        """The rows of a table function of the database, as a JSON array of arrays of texts."""
        name = ".".join(function.name.key)
        return self._looked_up(name, arguments, t.nvarchar(t.MAX))

    def _looked_up(self, name: str, arguments: Sequence[str | None], returns: SqlType) -> str:
        """SQL that takes a result from the session's list, or asks for it by an error."""
        self.collected.is_volatile = True
        self.use("f_keys", ("function", "keys"))
        self.use("f_values", ("function", "values"))
        parts = [
            f"coalesce(CAST({sql} AS VARCHAR), chr(2))" if sql is not None else "chr(3)"
            for sql in arguments
        ]
        whole = " || chr(1) || ".join([sql_text(name), *parts])
        return once(
            f"({whole})",
            lambda k: (
                f"CASE WHEN list_contains(CAST($f_keys AS VARCHAR[]), {k}) "
                f"THEN CAST(CAST($f_values AS VARCHAR[])[list_position("
                f"CAST($f_keys AS VARCHAR[]), {k})] AS {duckdb_storage(returns)}) "
                f"ELSE error('~-1~' || {k}) END"
            ),
        )
