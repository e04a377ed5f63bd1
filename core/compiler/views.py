"""What a table name in a query means: state, view, or import."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from core.compiler.relations import Origin, Relation
from core.compiler.result import Refused
from core.compiler.state import State
from core.compiler.tables import Tables
from core.tsql import nodes
from core.tsql.errors import LeafError, TsqlError
from core.tsql.parser import parse_script
from core.tsql.schema import ObjectName, TableKind

if TYPE_CHECKING:
    from core.compiler.binder import Binder

Resolver = Callable[[ObjectName, State, int], Relation]


def resolver(tables: Tables, binder: Callable[[], Binder]) -> Resolver:
    """The function by which a `Binder` finds the relation behind a name."""

    def resolve(name: ObjectName, state: State, line: int) -> Relation:
        if state.poison is not None:
            why = state.poison
            raise Refused(why.reason, why.construct, why.line)
        key = tables.key(name)
        if key in state.tables:
            return tables.read(key, state.tables[key], line)
        if name.name.startswith("@"):
            raise Refused(
                f"the rows of the table parameter {name.name} come from the caller",
                "table parameter",
                line,
            )
        if name.is_temporary:
            raise Refused(
                f"the temporary table {name.name} is not created in this procedure",
                "temp table from outside",
                line,
            )
        if name.server:
            raise Refused(f"{name} is on a linked server", "linked server", line)
        table = tables.relations.schema.table(name)
        if not tables.relations.schema.is_foreign(name):
            text = tables.options.view(key)
            if text is not None and (table is None or table.kind is TableKind.VIEW):
                return _view(text, name, state, binder(), line)
        if table is None:
            raise Refused(
                f"the columns of {name} are not known: there is no CREATE TABLE or catalog entry "
                "for it",
                "unknown table",
                line,
            )
        found = tables.base(key, table)
        tables.check_available(found, line)
        return found

    return resolve


def _view(text: str, name: ObjectName, state: State, binder: Binder, line: int) -> Relation:
    """A view's query in the current state."""
    from core.compiler.binder import Context

    try:
        script = parse_script(text)
    except TsqlError as error:
        raise Refused(f"the view {name}: {error.message}", "view", line) from None
    view = next((s for s in script.statements if isinstance(s, nodes.CreateView)), None)
    if view is None:
        raise Refused(f"the text of the view {name} holds no CREATE VIEW", "view", line)
    parsed = view.query.parsed
    if isinstance(parsed, LeafError) or parsed.query is None:
        reason = parsed.reason if isinstance(parsed, LeafError) else "no query"
        raise Refused(f"the view {name}: {reason}", "view", line)
    if state.variables:
        inner = State(tables=state.tables, poison=state.poison)
    else:
        inner = state
    context = Context(inner, {}, Origin(line, line))
    query = parsed.query.copy()
    order = query.args.get("order")
    if order is not None and query.args.get("limit") is None:
        query.set("order", None)
    try:
        if view.columns:
            with_ = query.args.get("with_")
            bound = binder.query(query, context)
            del with_
            return binder.renamed(bound, list(view.columns), name.name, context.origin)
        return binder.relation(query, context, name.name)
    except Refused as refusal:
        raise Refused(f"the view {name}: {refusal.reason}", refusal.construct, line) from None
