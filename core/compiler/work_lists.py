"""Loops over a list of work that take one key after another off it until none is left.

    SELECT @id = MIN(Id) FROM #todo            WHILE EXISTS (SELECT * FROM #todo)
    WHILE @id IS NOT NULL                      BEGIN
    BEGIN                                          SELECT TOP 1 @id = Id FROM #todo ORDER BY Id
        …                                          …
        DELETE #todo WHERE Id = @id                DELETE #todo WHERE Id = @id
        SELECT @id = MIN(Id) FROM #todo        END
    END

(the first also with ``MIN(Id) … WHERE Id > @id`` and without the DELETE). Each runs its body once
for every key of the list, as `core.compiler.row_loops` does for a cursor's rows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlglot import exp

from core.compiler import trees
from core.compiler.effects import effects_of
from core.compiler.registry import fingerprint
from core.compiler.relations import Relation
from core.compiler.result import Refused
from core.compiler.row_loops import RowLoop
from core.compiler.state import Group, GroupKind, State
from core.compiler.variables import assigned, variable_name
from core.compiler.variables_exec import closed
from core.tsql import nodes
from core.tsql.binding_from import table_name
from core.tsql.errors import LeafError
from core.tsql.leaves import ParsedLeaf
from core.tsql.nodes import LeafKind
from core.tsql.schema import ObjectName

if TYPE_CHECKING:
    from core.compiler.executor import Executor


@dataclass(frozen=True)
class Taken:
    """``SELECT @v = column, … FROM list``: what is taken, by variable (lower case)."""

    table: ObjectName
    columns: tuple[tuple[str, str], ...]
    is_smallest: bool = False
    """MIN of the one column."""
    above: str | None = None
    """The variable after whose value the next is looked for."""


@dataclass(frozen=True)
class WorkList:
    """A loop over a work list: what it takes, and what it does with each row."""

    taken: Taken
    key: tuple[str, str]
    body: Sequence[nodes.Statement]
    deletes: bool


def work_list(
    ex: Executor, node: nodes.While, body: Sequence[nodes.Statement], state: State
) -> WorkList | None:
    """The work list a loop goes through, or None where it is another kind of loop."""
    condition = node.condition.parsed
    if isinstance(condition, LeafError) or len(body) < 2:
        return None
    tree = trees.unwrapped(condition.tree)
    variable = _not_null(tree)
    if variable is not None:
        taken = _taken(body[-1])
        if taken is None or not taken.is_smallest or taken.columns[0][0] != variable:
            return None
        if not _was_smallest(ex, node, body[-1], taken, state):
            return None
        key = taken.columns[0]
        if taken.above is not None:
            return WorkList(taken, key, body[:-1], False) if taken.above == variable else None
        return _with_delete(taken, body[:-1], [key])
    table = _has_rows(tree)
    taken = _taken(body[0])
    if table is None or taken is None or taken.above is not None or table.key != taken.table.key:
        return None
    return _with_delete(taken, body[1:], taken.columns)


def _with_delete(
    taken: Taken, rest: Sequence[nodes.Statement], keys: Sequence[tuple[str, str]]
) -> WorkList | None:
    """The work list when ``DELETE list WHERE key = @key`` is among the statements."""
    for position, statement in enumerate(rest):
        key = _deleted(statement, taken.table, keys)
        if key is not None:
            return WorkList(taken, key, [*rest[:position], *rest[position + 1 :]], True)
    return None


def run(ex: Executor, node: nodes.While, listed: WorkList, state: State) -> None:
    """Run the body for every key of the list; what was taken off it is gone. Raises `Refused`."""
    taken = listed.taken
    list_key = ex.tables.key(taken.table)
    found = ex.tables.state_of(taken.table, state, ex.line(node))
    content = ex.tables.content(found, ex.line(node))
    for statement in listed.body if listed.deletes else ():
        for inner in nodes.statements(statement):
            if _mentions(inner, taken.table):
                raise Refused("a loop uses its work list for something else", "WHILE")
    if list_key in {ex.tables.key(name) for name in effects_of(listed.body).tables}:
        raise Refused("a loop changes its work list", "WHILE")
    rows = _rows(ex, listed, content, node)
    columns = {}
    for name, _ in taken.columns:
        known = state.variables.get(name)
        if known is None:
            raise Refused(f"the variable {name} is not declared", "undeclared variable")
        columns[name] = (_own(name), known.type)
    RowLoop(ex, node, columns, cursor_reads=frozenset([list_key])).run(listed.body, rows, state)
    if listed.deletes:
        key = trees.column(listed.key[1])
        left = trees.select([exp.Star()], content.ref(), exp.Is(this=key, expression=exp.Null()))
        kept = ex.relations.query(left, f"left_{content.hint}", ex.origin(node))
        state.tables[list_key] = replace(
            found,
            groups=(Group(kept, GroupKind.NEW),),
            written=True,
            upsert=None,
            deleted=True,
        )


def _own(variable: str) -> str:
    return f"loop_{variable.lstrip('@')}"


def _rows(ex: Executor, listed: WorkList, content: Relation, node: nodes.While) -> Relation:
    """One row for every key, the taken columns under names of their own."""
    column = listed.key[1]
    unique = content.is_unique_on({column.lower()})
    if not unique and len(listed.taken.columns) > 1:
        raise Refused("a work list may have several rows of one key", "WHILE")
    items = [trees.alias(trees.column(c), _own(name)) for name, c in listed.taken.columns]
    some = exp.Not(this=exp.Is(this=trees.column(column), expression=exp.Null()))
    query = trees.select(items, content.ref(), some)
    if not unique:
        query.set("distinct", exp.Distinct())
    return ex.relations.query(query, f"{content.hint}_keys", ex.origin(node))


# --- recognizing ----------------------------------------------------------------------------------


def _not_null(tree: exp.Expr) -> str | None:
    """The variable of ``@id IS NOT NULL``."""
    if not isinstance(tree, exp.Not):
        return None
    inner = trees.unwrapped(tree.this)
    if isinstance(inner, exp.Is) and isinstance(inner.expression, exp.Null):
        return variable_name(inner.this)
    return None


def _has_rows(tree: exp.Expr) -> ObjectName | None:
    """The table of ``EXISTS (SELECT … FROM t)`` or ``(SELECT COUNT(*) FROM t) > 0``."""
    query: exp.Expr | None = None
    if isinstance(tree, exp.Exists):
        query = trees.unwrapped(tree.this)
    elif isinstance(tree, exp.GT | exp.NEQ) and trees.unwrapped(tree.expression).sql() == "0":
        query = trees.unwrapped(tree.this)
        inner = query.this if isinstance(query, exp.Subquery) else query
        items = inner.expressions if isinstance(inner, exp.Select) else []
        call = items[0].unalias() if len(items) == 1 else None
        if not (isinstance(call, exp.Anonymous) and call.name.upper() == "COUNT"):
            return None
        if [item.sql() for item in call.expressions] not in (["*"], ["1"]):
            return None
    if isinstance(query, exp.Subquery):
        query = query.this
    return _only_table(query)


def _only_table(query: exp.Expr | None, *, with_where: bool = False) -> ObjectName | None:
    """The table of a query that reads all of it (`with_where`: perhaps filtered)."""
    if not isinstance(query, exp.Select):
        return None
    others = ["joins", "group", "having", "laterals", "with_"]
    if any(query.args.get(k) for k in (others if with_where else [*others, "where"])):
        return None
    source = query.args.get("from_")
    if source is None or not isinstance(source.this, exp.Table) or source.this.args.get("joins"):
        return None
    return table_name(source.this)


def _taken(statement: nodes.Statement) -> Taken | None:
    """What one statement takes from a list, see `Taken`."""
    names: list[str]
    match statement:
        case nodes.SelectAssign():
            leaf = statement.leaf.parsed
            if isinstance(leaf, LeafError) or any(a.operator != "=" for a in leaf.assignments):
                return None
            query: exp.Expr | None = leaf.query
            names = [(a.variable or "").lower() for a in leaf.assignments]
            values = [trees.unwrapped(a.value) for a in leaf.assignments]
        case nodes.SetVariable() if statement.operator == "=" and statement.value is not None:
            parsed = statement.value.parsed
            if isinstance(parsed, LeafError):
                return None
            query = trees.unwrapped(parsed.tree)
            query = query.this if isinstance(query, exp.Subquery) else query
            if not isinstance(query, exp.Select):
                return None
            names = [statement.name.lower()]
            values = [trees.unwrapped(item.unalias()) for item in query.expressions]
        case _:
            return None
    table = _only_table(query, with_where=True)
    if table is None or len(names) != len(values) or query is None:
        return None
    return _taken_from(table, names, values, query)


def _taken_from(
    table: ObjectName, names: list[str], values: list[exp.Expr], query: exp.Expr
) -> Taken | None:
    where = query.args.get("where")
    limit = query.args.get("limit")
    value = values[0]
    if isinstance(value, exp.Anonymous) and value.name.upper() == "MIN" and len(values) == 1:
        column = trees.unwrapped(value.expressions[0])
        if limit is not None or not isinstance(column, exp.Column):
            return None
        above = None
        if where is not None:
            test = trees.unwrapped(where.this)
            if not isinstance(test, exp.GT) or not isinstance(test.this, exp.Column):
                return None
            above = variable_name(test.expression)
            if above is None or test.this.name.lower() != column.name.lower():
                return None
        return Taken(table, ((names[0], column.name),), True, above)
    if where is not None or limit is None or limit.expression.sql() != "1":
        return None
    columns = [v.name for v in values if isinstance(v, exp.Column)]
    if len(columns) != len(values) or len(set(names)) != len(names):
        return None
    return Taken(table, tuple(zip(names, columns, strict=True)))


def _deleted(
    statement: nodes.Statement, table: ObjectName, keys: Sequence[tuple[str, str]]
) -> tuple[str, str] | None:
    """The key of ``DELETE list WHERE key = @key``, or None for any other statement."""
    if not isinstance(statement, nodes.Leaf) or statement.kind is not LeafKind.DELETE:
        return None
    parsed = statement.parsed
    if not isinstance(parsed, ParsedLeaf) or parsed.target is None or parsed.top or parsed.output:
        return None
    if parsed.target.is_cte or table_name(parsed.target.table).key != table.key:
        return None
    if _only_table(parsed.query, with_where=True) is None or parsed.query is None:
        return None
    where = parsed.query.args.get("where")
    test = trees.unwrapped(where.this) if where is not None else None
    if not isinstance(test, exp.EQ):
        return None
    for one, other in ((test.this, test.expression), (test.expression, test.this)):
        one, other = trees.unwrapped(one), trees.unwrapped(other)
        for name, column in keys:
            if (
                isinstance(one, exp.Column)
                and one.name.lower() == column.lower()
                and variable_name(other) == name
            ):
                return name, column
    return None


def _mentions(statement: nodes.Statement, table: ObjectName) -> bool:
    """Whether a statement's text has the table's name anywhere."""
    name = re.compile(rf"(?<!\w){re.escape(table.name)}(?!\w)", re.IGNORECASE)
    texts = (getattr(node, "text", "") for node in nodes.walk(statement))
    return any(name.search(text) for text in texts if isinstance(text, str))


def _was_smallest(
    ex: Executor, node: nodes.While, last: nodes.Statement, taken: Taken, state: State
) -> bool:
    """Whether the variable holds the list's smallest key when the loop begins."""
    name = taken.columns[0][0]
    known = state.variables.get(name)
    if known is None or known.expression is None:
        return False
    query = _query_of(last)
    item = query.expressions[0].unalias().copy()
    smallest = trees.select([item], query.args["from_"].this.copy())
    try:
        value = closed(ex, exp.Subquery(this=smallest), ex.context(node, state), name)
    except Refused:
        return False
    expected = assigned(value, known.type).expression
    return expected is not None and fingerprint(expected) == fingerprint(known.expression)


def _query_of(statement: nodes.Statement) -> exp.Expr:
    """The query of a statement that `_taken` understood."""
    if isinstance(statement, nodes.SelectAssign):
        assert isinstance(statement.leaf.parsed, ParsedLeaf)
        assert statement.leaf.parsed.query is not None
        return statement.leaf.parsed.query
    assert isinstance(statement, nodes.SetVariable)
    assert statement.value is not None
    assert not isinstance(statement.value.parsed, LeafError)
    query = trees.unwrapped(statement.value.parsed.tree)
    return query.this if isinstance(query, exp.Subquery) else query
