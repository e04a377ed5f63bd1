"""UPDATE and DELETE: rows found first, then changed.

The new values of an UPDATE are all worked out on the rows as they were. Where a row is matched more
than once with different values, the server's choice is undefined: a finding says so and the first
match (in the order the rows were written) is taken.
https://learn.microsoft.com/en-us/sql/t-sql/queries/update-transact-sql#best-practices
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from core.interpreter import outputs
from core.interpreter.casts import Mode
from core.interpreter.constraints import cascade, verify, verify_references
from core.interpreter.context import Context, Finding
from core.interpreter.cursors import cursor as open_cursor
from core.interpreter.errors import Refused, SqlError
from core.interpreter.inserts import place
from core.interpreter.naming import quoted
from core.interpreter.positioned import Positioned, current_row, limited
from core.interpreter.queries import QueryEmitter
from core.interpreter.sources import ROW_ID, base_table
from core.interpreter.translate import Translation, parsed_leaf
from core.tsql import types as t
from core.tsql.binding import BoundQuery, variable_name
from core.tsql.binding_from import table_name
from core.tsql.leaves import Assignment, ParsedLeaf
from core.tsql.nodes import Leaf
from core.tsql.schema import Column, ObjectName
from core.tsql.scope import Relation

if TYPE_CHECKING:
    from core.interpreter.session import Session
    from core.interpreter.tables import StoredTable

_STAGE = '"~u"'
_VIEW = "~view"


@dataclass(frozen=True)
class Plan:
    """A translated UPDATE or DELETE: its row query, target and assigned columns."""

    translation: Translation
    stored: StoredTable
    columns: tuple[Column, ...]
    variables: tuple[str, ...]
    sources: tuple[Relation, ...]
    several: bool
    order: tuple[str, ...]
    running: bool


def update(session: Session, leaf: Leaf) -> int:
    """Run an UPDATE; how many rows it changed."""
    at = session.positioned(leaf)
    leaf = at.leaf if at is not None else leaf
    parsed = parsed_leaf(leaf)
    plan = _plan(session, leaf, parsed, at)
    stored = plan.stored
    session.probe(plan.translation)
    session.store.touch(stored)
    staged = plan.several or parsed.output is not None or bool(plan.variables)

    def work() -> int:
        if staged:
            count = _stage(session, leaf, plan)
            if plan.running:
                _row_by_row(session, leaf, parsed, at)
            rows = f"SELECT * FROM {_STAGE}"
        else:
            count, rows = -1, plan.translation.sql
        written = _write(session, plan, rows)
        verify(session, stored, "UPDATE")
        cascade(session, stored, "UPDATE")
        verify_references(session, stored, "UPDATE")
        return written if count < 0 else count

    checked = bool(stored.definition.keys or stored.definition.checks) or (
        session.profile.foreign_keys
    )
    count = session.store.atomically(work) if staged or checked else work()
    session.engine.count_rows(count)
    _assign_variables(session, plan)
    if parsed.output is not None:
        _emit(session, leaf, parsed, plan, "UPDATE")
    return count


def _write(session: Session, plan: Plan, rows: str) -> int:
    if not plan.columns:
        return len(session.execute(plan.translation, rows))
    sets = ", ".join(f"{quoted(c.name)} = s.c{n}" for n, c in enumerate(plan.columns, 1))
    name = quoted(plan.stored.physical.name)
    sql = f"UPDATE {name} SET {sets} FROM ({rows}) AS s WHERE {name}.rowid = s.{ROW_ID}"
    found = session.execute(plan.translation, sql, None, plan.stored.full, "UPDATE")
    return int(found[0][0])


def _stage(session: Session, leaf: Leaf, plan: Plan) -> int:
    """The matched rows with their new values, one for each row of the target."""
    rows = plan.translation.sql
    if plan.order:
        rows = f"SELECT * FROM ({rows}) AS z ORDER BY {', '.join((ROW_ID, *plan.order))}"
    session.execute(plan.translation, f"CREATE OR REPLACE TEMP TABLE {_STAGE} AS {rows}")
    total, distinct = session.engine.query(
        f"SELECT count(*), count(DISTINCT {ROW_ID}) FROM {_STAGE}"
    )[0]
    if total == distinct:
        return int(total)
    values = ", ".join(f"c{n}" for n in range(1, len(plan.columns) + 1)) or "1"
    differing = session.engine.query(
        f"SELECT count(*) FROM (SELECT {ROW_ID} FROM (SELECT DISTINCT {ROW_ID}, {values} "
        f"FROM {_STAGE}) GROUP BY {ROW_ID} HAVING count(*) > 1)"
    )[0][0]
    if differing and plan.columns:
        session.find(
            Finding(
                "update_several_matches",
                f"{differing} row(s) of {plan.stored.shown} are matched by several source rows "
                "with different values: which one wins is not determined",
                leaf.span.line,
            )
        )
    session.engine.query(
        f"DELETE FROM {_STAGE} WHERE rowid NOT IN "
        f"(SELECT min(rowid) FROM {_STAGE} GROUP BY {ROW_ID})"
    )
    return int(distinct)


def _assign_variables(session: Session, plan: Plan) -> None:
    if not plan.variables or plan.running:
        return
    first = len(plan.columns) + 1
    items = ", ".join(f"c{first + n}" for n in range(len(plan.variables)))
    rows = session.engine.query(f"SELECT {items} FROM {_STAGE} ORDER BY rowid DESC LIMIT 1")
    if rows:
        for name, value in zip(plan.variables, rows[0], strict=True):
            session.variable(name).value = value


def _refers_to_its_variables(assignments: Sequence[Assignment]) -> bool:
    """``SET @total = @total + q``: each row sees what the row before it left."""
    names = {a.variable.lower() for a in assignments if a.variable}
    return any(
        variable_name(node).lower() in names
        for assignment in assignments
        for node in assignment.value.find_all(exp.Parameter)
    )


def _row_by_row(session: Session, leaf: Leaf, parsed: ParsedLeaf, at: Positioned | None) -> None:
    """The staged rows' values, one row after the other: variables first, then columns.

    In which order the server takes the rows is not determined; here it is the primary key's, or
    that in which they were written, and a finding says so.
    """
    plan = _plan(session, leaf, parsed, at)
    if plan.several:
        raise Refused(
            "UPDATE", "a running variable in an UPDATE of joined rows is not supported", parsed.line
        )
    rows = _rows_in_order(session, plan.stored)
    if len(rows) > 1:
        session.find(
            Finding(
                "update_running_variable",
                f"a variable runs through the rows of {plan.stored.shown}: their order is not "
                "determined",
                leaf.span.line,
            )
        )
    for row in rows:
        _running_row(session, leaf, parsed, at, row)


def _rows_in_order(session: Session, stored: StoredTable) -> list[int]:
    primary = [k for k in stored.definition.keys if k.kind == "PRIMARY KEY"]
    order = ", ".join(f"p.{quoted(name)}" for name in primary[0].columns) if primary else "u.rowid"
    found = session.engine.query(
        f"SELECT u.{ROW_ID} FROM {_STAGE} AS u JOIN {quoted(stored.physical.name)} AS p "
        f"ON p.rowid = u.{ROW_ID} ORDER BY {order}"
    )
    return [int(row[0]) for row in found]


def _running_row(
    session: Session, leaf: Leaf, parsed: ParsedLeaf, at: Positioned | None, row: int
) -> None:
    def values() -> tuple[object, ...]:
        plan = _plan(session, leaf, parsed, at)
        sql = f"SELECT * EXCLUDE ({ROW_ID}) FROM ({plan.translation.sql}) AS r WHERE {ROW_ID} = "
        return tuple(session.execute(plan.translation, f"{sql}{row}")[0])

    columns = [a for a in parsed.assignments if a.column is not None]
    new: dict[int, object] = {}
    position = len(columns)
    for assignment in parsed.assignments:
        if assignment.variable is None:
            continue
        found = values()
        session.variable(assignment.variable).value = found[position]
        if assignment.column is not None:
            new[columns.index(assignment)] = found[columns.index(assignment)]
        position += 1
    last = values()
    new = {n: new.get(n, last[n]) for n in range(len(columns))}
    if new:
        sets = ", ".join(f"c{n + 1} = ?" for n in new)
        session.engine.query(
            f"UPDATE {_STAGE} SET {sets} WHERE {ROW_ID} = {row}", list(new.values())
        )


def delete(session: Session, leaf: Leaf) -> int:
    """Run a DELETE; how many rows it removed."""
    at = session.positioned(leaf)
    leaf = at.leaf if at is not None else leaf
    parsed = parsed_leaf(leaf)
    plan = _plan(session, leaf, parsed, at)
    stored = plan.stored
    session.probe(plan.translation)
    session.store.touch(stored)
    name = quoted(stored.physical.name)
    if parsed.output is not None:
        _stage(session, leaf, plan)
        _emit(session, leaf, parsed, plan, "DELETE")
        rows = f"SELECT {ROW_ID} FROM {_STAGE}"
    else:
        rows = f"SELECT {ROW_ID} FROM ({plan.translation.sql}) AS s"
    sql = f"DELETE FROM {name} WHERE rowid IN ({rows})"

    def work() -> int:
        found = session.execute(plan.translation, sql)
        cascade(session, stored, "DELETE")
        verify_references(session, stored, "DELETE")
        return int(found[0][0])

    count = session.store.atomically(work) if session.profile.foreign_keys else work()
    session.engine.count_rows(count)
    return count


# --- planning ---------------------------------------------------------------------------------


def _plan(session: Session, leaf: Leaf, parsed: ParsedLeaf, at: Positioned | None) -> Plan:
    def build() -> Translation:
        return _planned(session, parsed)

    translation = session.translator.remembered(leaf, "change", build)
    extra = translation.extra
    key = extra["target"]
    stored = session.store.stored[key]  # type: ignore[index]
    if at is not None:
        columns: tuple[Column, ...] = extra["columns"]  # type: ignore[assignment]
        row = current_row(open_cursor(session, at.cursor), stored, columns)
        translation = limited(session, translation, row)
    return Plan(
        translation,
        stored,
        extra["columns"],  # type: ignore[arg-type]
        extra["variables"],  # type: ignore[arg-type]
        extra["sources"],  # type: ignore[arg-type]
        bool(extra["several"]),
        extra["order"],  # type: ignore[arg-type]
        bool(extra["running"]),
    )


def _planned(session: Session, parsed: ParsedLeaf) -> Translation:
    assert parsed.target is not None
    assert isinstance(parsed.query, exp.Select)
    rows = parsed.query.copy()
    target_name = table_name(parsed.target.table)
    alias = parsed.target.alias or target_name.name
    is_view = not parsed.target.is_cte and session.store.find(target_name) is None
    if is_view:
        _view_as_cte(session, rows, target_name, alias)
    assigned = [a for a in parsed.assignments if a.column is not None]
    variables = [a for a in parsed.assignments if a.variable is not None]
    items = [_new_value(a, alias) for a in assigned] + [a.value.copy() for a in variables]
    aliased = [exp.alias_(item, f"~{n}", quoted=True) for n, item in enumerate(items, 1)]
    rows.set("expressions", aliased or [exp.Literal.number(1)])
    bound = session.translator.bind(rows)
    relation = _relation(bound, alias, parsed)
    through = parsed.target.is_cte or is_view
    stored, mapping = _base(session, relation, target_name, assigned, through, bound.tree)
    columns = tuple(_column(session, stored, mapping, a) for a in assigned)
    types = [c.type for c in columns]
    types += [session.variable(a.variable or "").type for a in variables]
    context = session.translator.context()
    modes = [(context.assignment, place(stored, c)) for c in columns]
    modes += [(Mode.IMPLICIT, "")] * len(variables)
    if not aliased:
        types, modes = [t.INT], [(Mode.IMPLICIT, "")]
    context.collected.tables[session.store._key(stored.table.name)] = stored.table
    from core.interpreter.inserts import max_recursion

    context.max_recursion = max_recursion(parsed.options)
    emitter = QueryEmitter(context)
    if through:
        cte = _VIEW if is_view else parsed.target.table.name
        emitter.sources.written_through = (cte.lower(), "")
    node = _target_node(bound, relation)
    extra = [_late_row_id(emitter, node, through)]
    sources = tuple(r for r in bound.relations if r is not relation)
    order = _source_order(emitter, sources)
    extra += [f'{sql} AS "~o{n}"' for n, sql in enumerate(order, 1)]
    if parsed.output is not None:
        extra += _structs(session, stored, relation, sources, mapping, node, emitter, parsed)
    sql = emitter.query(bound.tree, types, extra=extra, modes=modes)
    if parsed.top is not None:
        sql = _with_top(session, context, emitter, parsed, sql)
    details = {
        "target": session.store._key(stored.table.name),
        "columns": columns,
        "variables": tuple(a.variable or "" for a in variables),
        "sources": tuple(Relation(r.alias, r.columns) for r in sources),
        "order": tuple(f'"~o{n}"' for n in range(1, len(order) + 1)),
        "running": _refers_to_its_variables(parsed.assignments),
        "several": len(bound.relations) > 1 or through,
    }
    return session.translator.made(context, sql, (), details)


def _source_order(emitter: QueryEmitter, sources: Sequence[Relation]) -> list[str]:
    """Row ids of the stored source tables: they say which of several matches is the first."""
    found = []
    for source in sources:
        stored = isinstance(source.node, exp.Table) and source.table is not None
        if stored and emitter.context.world.physical(source.table):  # type: ignore[arg-type]
            found.append(emitter.sources.row_id(source.node))  # type: ignore[arg-type]
    return found


def _with_top(
    session: Session, context: Context, emitter: QueryEmitter, parsed: ParsedLeaf, sql: str
) -> str:
    assert parsed.top is not None
    tree = session.translator.bind_value(parsed.top.count)
    if parsed.top.percent:
        share = emitter.expressions.converted(tree, t.FLOAT)
        limit = f"(SELECT CAST(ceil(count(*) * ({share}) / 100.0) AS BIGINT) FROM ({sql}) AS n)"
    else:
        limit = emitter.expressions.converted(tree, t.BIGINT)
    context.find(
        "top_without_order",
        "TOP in an UPDATE or DELETE: which rows are taken is not determined",
        parsed.line,
    )
    return f"SELECT * FROM ({sql}) AS tp LIMIT {limit}"


def _new_value(assignment: Assignment, alias: str) -> exp.Expr:
    """The assigned expression; compound operators are written out."""
    value = assignment.value.copy()
    if isinstance(value, exp.Var) and value.name == "DEFAULT":
        raise Refused("SET … = DEFAULT", "DEFAULT in an UPDATE is not supported", assignment.line)
    if assignment.operator == "=":
        return value
    assert assignment.column is not None
    column = exp.column(assignment.column.name, table=assignment.column.table or alias, quoted=True)
    node = COMPOUND.get(assignment.operator)
    if node is None:
        raise Refused(assignment.operator, "this assignment is not supported", assignment.line)
    return node(this=column, expression=exp.Paren(this=value))


COMPOUND: dict[str, type[exp.Expr]] = {
    "+=": exp.Add,
    "-=": exp.Sub,
    "*=": exp.Mul,
    "/=": exp.Div,
    "%=": exp.Mod,
    "&=": exp.BitwiseAnd,
    "|=": exp.BitwiseOr,
    "^=": exp.BitwiseXor,
}


def _relation(bound: BoundQuery, alias: str, parsed: ParsedLeaf) -> Relation:
    for relation in bound.relations:
        if relation.alias.lower() == alias.lower():
            return relation
    wanted = alias.lower().lstrip("#@")
    for relation in bound.relations:
        if relation.alias.lower().lstrip("#@") == wanted:
            return relation
    raise Refused("target", f"the target {alias} is not in the FROM clause", parsed.line)


def _target_node(bound: BoundQuery, relation: Relation) -> exp.Table:
    node = relation.node
    if not isinstance(node, exp.Table):
        raise Refused("target", "the target of this statement is not a table", 0)
    return node


def _late_row_id(emitter: QueryEmitter, node: exp.Table, through: bool) -> str:
    if through:
        alias = quoted(node.alias or table_name(node).name)
        return f"{alias}.{ROW_ID} AS {ROW_ID}"
    return f"{emitter.sources.row_id(node)} AS {ROW_ID}"


def _base(
    session: Session,
    relation: Relation,
    name: ObjectName,
    assigned: Sequence[Assignment],
    through: bool,
    tree: exp.Expr,
) -> tuple[StoredTable, dict[str, str]]:
    """The stored table behind the target, and its column for each of the target's columns."""
    if not through:
        stored = session.stored(name)
        return stored, {c.name.lower(): c.name for c in stored.table.columns}
    mapping: dict[str, str] = {}
    tables: dict[tuple[str, str], ObjectName] = {}
    wanted = {a.column.name.lower() for a in assigned if a.column is not None}
    for column in relation.columns:
        if column.origin is None or column.name is None:
            continue
        mapping[column.name.lower()] = column.origin.column
        if not wanted or column.name.lower() in wanted:
            tables[column.origin.table.key] = column.origin.table
    if not tables and not wanted:
        # Only computed columns: the table is the one the CTE reads.
        for cte in tree.find_all(exp.CTE):
            base = base_table(cte.this, "") if cte.alias.lower() == name.name.lower() else None
            if base is not None:
                return session.stored(table_name(base)), mapping
    if len(tables) != 1:
        raise SqlError(
            4405,
            f"View or function '{name}' is not updatable because the modification affects multiple "
            "base tables.",
        )
    return session.stored(next(iter(tables.values()))), mapping


def _column(
    session: Session, stored: StoredTable, mapping: dict[str, str], assignment: Assignment
) -> Column:
    assert assignment.column is not None
    name = assignment.column.name
    column = stored.table.column(mapping.get(name.lower(), name))
    if column is None:
        error = SqlError(207, f"Invalid column name '{name}'.", line=assignment.line)
        error.frame = session.frame.number
        error.aborts_batch = True
        raise error
    if column.identity and stored.identity is not None:
        raise SqlError(8102, f"Cannot update identity column '{column.name}'.")
    if column.computed is not None:
        raise SqlError(
            271,
            f'The column "{column.name}" cannot be modified because it is either a computed column '
            "or is the result of a UNION operator.",
        )
    return column


def _view_as_cte(session: Session, rows: exp.Select, name: ObjectName, alias: str) -> None:
    """A view that is written becomes a CTE with the view's query, in place."""
    from core.tsql.errors import LeafError

    view = session.views.get(name.key)
    if view is None:
        session.stored(name)
        return
    parsed = view.query.parsed
    if isinstance(parsed, LeafError) or parsed.query is None:
        raise Refused("view", f"the view {name} cannot be read", 0)
    table = session.schema.table(name)
    names = [exp.to_identifier(c.name, quoted=True) for c in table.columns] if table else []
    cte = exp.CTE(
        this=parsed.query.copy(),
        alias=exp.TableAlias(this=exp.to_identifier(_VIEW, quoted=True), columns=names),
    )
    with_ = rows.args.get("with_")
    if with_ is None:
        rows.set("with_", exp.With(expressions=[cte]))
    else:
        with_.expressions.insert(0, cte)
    for node in rows.find_all(exp.Table):
        if table_name(node).key == name.key and (node.alias or node.name).lower() == alias.lower():
            node.set("this", exp.to_identifier(_VIEW, quoted=True))
            node.set("db", None)
            node.set("catalog", None)
            if not node.alias:
                node.set("alias", exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))


# --- OUTPUT -----------------------------------------------------------------------------------


def _structs(
    session: Session,
    stored: StoredTable,
    relation: Relation,
    sources: Sequence[Relation],
    mapping: dict[str, str],
    node: exp.Table,
    emitter: QueryEmitter,
    parsed: ParsedLeaf,
) -> list[str]:
    """The rows as they were, and what the clause uses of the other relations."""
    assert parsed.output is not None
    del mapping, node, emitter
    alias = quoted(relation.alias)
    columns = outputs.table_columns(stored.table)
    values = [f"{alias}.{quoted(c.name or '')}" for c in columns]
    parts = [f"{outputs.struct(columns, values)} AS deleted"]
    for source in sources:
        if outputs.mentions(parsed.output, source.alias):
            held = [c for c in source.columns if c.name]
            cells = [f"{quoted(source.alias)}.{quoted(c.name or '')}" for c in held]
            parts.append(f"{outputs.struct(held, cells)} AS {quoted(source.alias)}")
    return parts


def _emit(session: Session, leaf: Leaf, parsed: ParsedLeaf, plan: Plan, action: str) -> None:
    assert parsed.output is not None
    columns = outputs.table_columns(plan.stored.table)
    context = session.translator.context()
    source = QueryEmitter(context).sources.physical(plan.stored.physical)
    row_id = "rowid" if not plan.stored.physical.computed else ROW_ID
    after = outputs.struct(columns, [f"p.{quoted(c.name or '')}" for c in columns])
    if action == "DELETE":
        after = outputs.null_struct(columns)
    staged = (
        f"SELECT u.* EXCLUDE ({ROW_ID}), {after} AS inserted, '{action}' AS \"$action\" "
        f"FROM {_STAGE} AS u JOIN {source} AS p ON p.{row_id} = u.{ROW_ID} ORDER BY u.rowid"
    )
    emitted = outputs.emit(session, parsed.output, plan.stored.table, plan.sources, staged, leaf)
    outputs.deliver(session, parsed.output, emitted)
