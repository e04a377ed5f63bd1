"""From a bound tree to what can be run again and again: SQL, parameters, dependencies."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from sqlglot import exp

from core.interpreter.casts import Mode, convert
from core.interpreter.context import Collected, Context, Finding
from core.interpreter.errors import Refused, SqlError
from core.interpreter.not_supported import NOT_SUPPORTED
from core.interpreter.queries import QueryEmitter
from core.interpreter.rules import check_shape
from core.tsql import types as t
from core.tsql.binding import BoundQuery, bind_expression, bind_query
from core.tsql.errors import LeafError, TsqlError
from core.tsql.leaves import ParsedExpr, ParsedLeaf
from core.tsql.nodes import Expr, Leaf
from core.tsql.schema import ObjectName, Schema, Table
from core.tsql.scope import OutputColumn, Relation
from core.tsql.types import SqlType
from core.tsql.typing import BindError, is_predicate, type_of

if TYPE_CHECKING:
    from core.interpreter.session import Session

_R = TypeVar("_R")


@dataclass(frozen=True)
class Translation:
    """SQL with its parameters, and what it was written for."""

    sql: str
    columns: tuple[OutputColumn, ...]
    collected: Collected
    variables: Mapping[str, SqlType]
    physical: Mapping[tuple[str, str], str]
    extra: Mapping[str, object] = field(default_factory=dict)

    @property
    def parameters(self) -> Mapping[str, Hashable]:
        return self.collected.parameters

    @property
    def findings(self) -> Sequence[Finding]:
        return self.collected.findings

    @property
    def tables(self) -> Mapping[tuple[str, str], Table]:
        return self.collected.tables

    @property
    def is_pure(self) -> bool:
        """Whether equal parameters give equal results, whatever the tables hold."""
        c = self.collected
        return not (c.reads_tables or c.is_volatile or c.materialized)


def parsed_leaf(leaf: Leaf) -> ParsedLeaf:
    """The tree of a leaf, or `Refused` with the parser's reason."""
    parsed = leaf.parsed
    if isinstance(parsed, LeafError):
        raise Refused(parsed.construct, parsed.reason, parsed.line)
    return parsed


def parsed_expression(expr: Expr) -> ParsedExpr:
    parsed = expr.parsed
    if isinstance(parsed, LeafError):
        raise Refused(parsed.construct, parsed.reason, parsed.line)
    return parsed


def repaired(tree: exp.Expr) -> exp.Expr:
    """A copy in which names inside an XML method's query are columns again.

    The parser leaves bare identifiers where a subquery stands before a ``.value()``.
    """
    copy = tree.copy()
    for node in list(copy.find_all(exp.Identifier)):
        parent = node.parent
        if (isinstance(parent, exp.Binary) and not isinstance(parent, exp.Dot)) or (
            isinstance(parent, exp.Anonymous) and node.arg_key == "expressions"
        ):
            node.replace(exp.Column(this=node.copy()))
    return copy


def server_error(error: TsqlError) -> SqlError:
    """A binding error as the server's, raised when the statement is compiled."""
    number = error.number if isinstance(error, BindError) else 102
    variable = re.search(r"'(@[^']+)'", error.message) if number == 208 else None
    if variable is not None:
        return undeclared_table(variable.group(1), error.line)
    found = SqlError(number, error.message, line=error.line)
    if number in (207, 208, 209, 4104, 137, 4121, 195):
        found.aborts_batch = True
    return found


def undeclared_table(name: str, line: int) -> SqlError:
    """Error 1087 for a table variable that is not there."""
    found = SqlError(1087, f'Must declare the table variable "{name}".', severity=15, line=line)
    found.aborts_batch = True
    return found


class Translator:
    """Translates for one session and remembers what it translated."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._known: dict[tuple[int, str], list[tuple[object, Translation]]] = {}

    def context(self) -> Context:
        frame = self.session.frame
        return Context(
            self.session,
            frame.types,
            {name: variable.value for name, variable in frame.variables.items()},
        )

    def bind(self, tree: exp.Expr, outer: Sequence[Relation] = ()) -> BoundQuery:
        """A query bound to the session's tables and variables; raises `SqlError`."""

        check_shape(tree)

        def work(schema: Schema) -> BoundQuery:
            return bind_query(repaired(tree), schema, self.session.frame.types, outer=outer)

        return self._with_catalog(work)

    def bind_value(self, tree: exp.Expr, relations: Sequence[Relation] = ()) -> exp.Expr:
        check_shape(tree)

        def work(schema: Schema) -> exp.Expr:
            return bind_expression(
                repaired(tree), schema, self.session.frame.types, relations=relations
            ).tree

        return self._with_catalog(work)

    def _with_catalog(self, work: Callable[[Schema], _R]) -> _R:
        """Bind; a system view that is named for the first time is made available."""
        for _ in range(6):
            try:
                return work(self.session.schema)
            except BindError as error:
                if error.number != 208 or not self.session.catalog.provide(error.message):
                    self._refuse_foreign(error)
                    raise self._compile_error(error) from error
            except TsqlError as error:
                raise self._compile_error(error) from error
        return work(self.session.schema)

    def _compile_error(self, error: TsqlError) -> SqlError:
        found = server_error(error)
        name = re.match(r"'(\w+)'", found.message) if found.number == 195 else None
        if name is not None and name.group(1).upper() in NOT_SUPPORTED:
            called = name.group(1).upper()
            raise Refused(called, f"the function {called} is not supported", error.line)
        if found.number == 7357:
            raise Refused("another server", found.message, error.line) from error
        found.frame = self.session.frame.number
        return found

    def _refuse_foreign(self, error: BindError) -> None:
        """A table of another database or server is a gap of the reference, not an error 208."""
        match = re.search(r"'(.+)'", error.message) if error.number == 208 else None
        if match is None:
            return
        try:
            name = ObjectName.parse(match.group(1))
        except ValueError:
            return
        if name.server or (name.database and self.session.schema.is_foreign(name)):
            construct = "linked server" if name.server else "another database"
            raise Refused(construct, f"{name} is not in this database", error.line) from error

    # --- remembering ------------------------------------------------------------------------------

    def remembered(
        self, node: object, purpose: str, build: Callable[[], Translation]
    ) -> Translation:
        """The translation of a node, made anew when a table or a type it uses has changed."""
        if not self.session.ansi_warnings:
            purpose += ":no warnings"
        key = (id(node), purpose)
        for _, known in self._known.get(key, ()):
            if self._is_current(known):
                return known
        made = build()
        # The node is kept, so that its id stays its own.
        self._known.setdefault(key, []).append((node, made))
        return made

    def _is_current(self, known: Translation) -> bool:
        stored = self.session.store.stored
        for key, table in known.tables.items():
            found = stored.get(key)
            if found is None or (found.table is not table and found.table != table):
                return False
            if found.physical.name != known.physical.get(key):
                return False
        types = self.session.frame.types
        values = self.session.frame.variables
        for name, value in known.collected.constants.items():
            if name not in values or values[name].value != value:
                return False
        return all(types.get(name) == type_ for name, type_ in known.variables.items())

    def made(
        self,
        context: Context,
        sql: str,
        columns: Sequence[OutputColumn] = (),
        extra: Mapping[str, object] | None = None,
    ) -> Translation:
        """A translation from what a context collected."""
        used = {
            str(source[1]): self.session.frame.types[str(source[1])]
            for source in context.collected.parameters.values()
            if isinstance(source, tuple)
            and source[0] == "variable"
            and source[1] in self.session.frame.types
        }
        stored = self.session.store.stored
        physical = {
            key: stored[key].physical.name for key in context.collected.tables if key in stored
        }
        return Translation(
            sql, tuple(columns), context.collected, used, physical, dict(extra or {})
        )

    # --- expressions ------------------------------------------------------------------------------

    def value(self, expr: Expr, target: SqlType | None) -> Translation:
        """``SELECT value`` converted to `target` (default: its own type)."""

        def build() -> Translation:
            tree = self.bind_value(parsed_expression(expr).tree)
            context = self.context()
            emitter = QueryEmitter(context).expressions
            if is_predicate(tree):
                sql = f"CASE WHEN {emitter.predicate(tree)} THEN 1 ELSE 0 END"
                source = t.INT
            else:
                sql, source = emitter.value(tree), type_of(tree)
            sql = convert(sql, source, target or source, Mode.IMPLICIT)
            return self.made(context, f"SELECT {sql}", (OutputColumn("", target or source),))

        return self.remembered(expr, f"value:{target}", build)

    def condition(self, expr: Expr) -> Translation:
        """``SELECT condition``: true, false or NULL."""

        def build() -> Translation:
            tree = self.bind_value(parsed_expression(expr).tree)
            context = self.context()
            sql = QueryEmitter(context).expressions.predicate(tree)
            return self.made(context, f"SELECT {sql}", (OutputColumn("", t.BIT),))

        return self.remembered(expr, "condition", build)
