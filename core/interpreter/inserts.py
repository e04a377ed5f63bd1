"""INSERT in all its forms, and SELECT … INTO."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from core.interpreter import outputs
from core.interpreter.casts import Mode, convert
from core.interpreter.constraints import is_numbered, verify
from core.interpreter.context import Context
from core.interpreter.definitions import Identity, from_table
from core.interpreter.errors import Refused, SqlError
from core.interpreter.naming import quoted
from core.interpreter.queries import QueryEmitter
from core.interpreter.translate import Translation, parsed_leaf
from core.tsql import types as t
from core.tsql.binding import BoundQuery
from core.tsql.binding_from import table_name
from core.tsql.leaves import ParsedLeaf, Top
from core.tsql.nodes import Leaf
from core.tsql.schema import Column, ObjectName, Table, TableKind
from core.tsql.scope import OutputColumn
from core.tsql.types import duckdb_storage
from core.tsql.typing import type_of

if TYPE_CHECKING:
    from core.interpreter.session import Session
    from core.interpreter.tables import StoredTable

START = "i_start"
_NESTED = "__nested_dml__"


@dataclass(frozen=True)
class _Target:
    """The columns an INSERT fills, in the order of its source."""

    stored: StoredTable
    listed: tuple[Column, ...]
    has_list: bool


def insert(session: Session, leaf: Leaf) -> int:
    """Run an INSERT; how many rows it put in."""
    parsed = parsed_leaf(leaf)
    assert parsed.target is not None
    if parsed.nested is not None:
        return _with_nested(session, leaf, parsed)
    name = table_name(parsed.target.table)
    stored = session.store.find(name)
    if stored is None:
        return _through_view(session, leaf, parsed, name)
    return _insert_into(session, leaf, parsed, stored, parsed.target.columns)


def _insert_into(
    session: Session,
    leaf: Leaf,
    parsed: ParsedLeaf,
    stored: StoredTable,
    columns: Sequence[str],
) -> int:
    if parsed.query is None:
        return _insert_defaults(session, leaf, parsed, stored)
    target = _target(session, stored, columns)

    def build() -> Translation:
        query = _with_defaults(session, parsed.query, target.listed)
        bound = session.translator.bind(query)
        outputs.refuse_mismatch(
            len(target.listed),
            len(bound.columns),
            target.has_list,
            values=isinstance(query, exp.Values),
        )
        context = session.translator.context()
        context.collected.tables[session.store._key(stored.table.name)] = stored.table
        context.max_recursion = max_recursion(parsed.options)
        source = source_sql(context, bound, target.listed, stored)
        if parsed.top is not None:
            source = _with_top(session, context, parsed.top, source)
        return session.translator.made(context, full_rows(session, context, target, source))

    mode = "on" if _explicit(session, stored) else "off"
    translation = session.translator.remembered(leaf, f"insert:{mode}", build)
    return _apply(session, leaf, parsed, target, translation)


def max_recursion(options: Sequence[str]) -> int:
    """The limit in ``OPTION (MAXRECURSION n)``, 100 without one."""
    for option in options:
        words = option.upper().split()
        if words and words[0] == "MAXRECURSION":
            limit = words[-1].strip("=() ")
            if not limit.isdecimal():
                raise SqlError(102, f"Incorrect syntax near '{limit}'.", severity=15)
            return int(limit)
    return 100


def _target(session: Session, stored: StoredTable, columns: Sequence[str]) -> _Target:
    """Which columns are filled; errors 207, 544, 545, 8101, 271, 264."""
    table = stored.table
    explicit = _explicit(session, stored)
    if not columns:
        if explicit and stored.identity is not None:
            raise SqlError(
                8101,
                f"An explicit value for the identity column in table '{stored.shown}' can only be "
                "specified when a column list is used and IDENTITY_INSERT is ON.",
            )
        listed = tuple(
            c for c in table.columns if c.computed is None and not (c.identity and stored.identity)
        )
        return _Target(stored, listed, False)
    found = []
    for name in columns:
        column = table.column(name)
        if column is None:
            error = SqlError(207, f"Invalid column name '{name}'.")
            error.frame = session.frame.number
            raise error
        if column in found:
            raise SqlError(264, f"The column name '{name}' is specified more than once.")
        if column.computed is not None:
            raise SqlError(
                271,
                f'The column "{name}" cannot be modified because it is either a computed column or '
                "is the result of a UNION operator.",
            )
        if column.identity and stored.identity and not explicit:
            raise SqlError(
                544,
                f"Cannot insert explicit value for identity column in table "
                f"'{table.name.name}' when IDENTITY_INSERT is set to OFF.",
            )
        found.append(column)
    if explicit and not any(c.identity for c in found):
        raise SqlError(
            545,
            f"Explicit value must be specified for identity column in table '{table.name.name}' "
            "either when IDENTITY_INSERT is set to ON or when a replication user is inserting into "
            "a NOT FOR REPLICATION identity column.",
        )
    return _Target(stored, tuple(found), True)


def _explicit(session: Session, stored: StoredTable) -> bool:
    return session.identity_insert == stored.table.name.key and stored.identity is not None


def _with_defaults(
    session: Session, query: exp.Query | exp.Values | None, listed: Sequence[Column]
) -> exp.Expr:
    """The word DEFAULT in VALUES replaced by the column's default."""
    assert query is not None
    if not isinstance(query, exp.Values):
        return query
    copy = query.copy()
    for row in copy.expressions:
        cells = row.expressions if isinstance(row, exp.Tuple) else [row]
        for index, cell in enumerate(cells):
            is_word = isinstance(cell, exp.Var | exp.Column) and cell.name.upper() == "DEFAULT"
            if is_word and index < len(listed):
                default = listed[index].default
                tree = session.expression_of(default) if default else exp.Null()
                cell.replace(tree.copy())
    return copy


def place(stored: StoredTable, column: Column) -> str:
    """How error 2628 names a column."""
    return f"table '{stored.full}', column '{column.name}'"


def source_sql(
    context: Context,
    bound: BoundQuery,
    columns: Sequence[Column],
    stored: StoredTable,
) -> str:
    """The source query with its columns converted as for an assignment."""
    emitter = QueryEmitter(context)
    types = [c.type for c in columns]
    if isinstance(bound.tree, exp.Select | exp.Values):
        modes = [(context.assignment, place(stored, c)) for c in columns]
        text = emitter.query(bound.tree, types, modes=modes)
    else:
        inner, mode = emitter.query(bound.tree), context.assignment
        items = ", ".join(
            f"{convert(f'x.c{n}', own.type, c.type, mode, place=place(stored, c))} AS c{n}"
            for n, (own, c) in enumerate(zip(bound.columns, columns, strict=True), 1)
        )
        text = f"SELECT {items} FROM ({inner}) AS x"
    return text


def _with_top(session: Session, context: Context, top: Top, text: str) -> str:
    if top.percent:
        raise Refused("TOP PERCENT", "INSERT TOP (n) PERCENT is not supported")
    tree = session.translator.bind_value(top.count)
    count = QueryEmitter(context).expressions.converted(tree, t.BIGINT)
    return f"SELECT * FROM ({text}) AS tp LIMIT {count}"


def full_rows(session: Session, context: Context, target: _Target, source: str) -> str:
    """Rows of the whole table from rows of the listed columns: identity, defaults, NULLs."""
    stored = target.stored
    positions = {c.name: n for n, c in enumerate(target.listed, 1)}
    parts = []
    for column in stored.columns:
        if column.name in positions:
            parts.append(f"s.c{positions[column.name]} AS {quoted(column.name)}")
        elif column.identity and stored.identity is not None:
            step = stored.identity.definition.increment
            number = f"CAST($i_start AS BIGINT) + {step} * (row_number() OVER () - 1)"
            storage = duckdb_storage(column.type)
            parts.append(f"CAST({number} AS {storage}) AS {quoted(column.name)}")
        else:
            parts.append(
                f"{default_sql(session, context, stored, column)} AS {quoted(column.name)}"
            )
    return f"SELECT {', '.join(parts)} FROM ({source}) AS s"


def default_sql(session: Session, context: Context, stored: StoredTable, column: Column) -> str:
    """The value of a column no INSERT mentions."""
    if column.default is None:
        if column.type.name is t.TypeName.ROWVERSION:
            return "encode(printf('%08d', row_number() OVER ()))"
        return f"CAST(NULL AS {duckdb_storage(column.type)})"
    tree = session.translator.bind_value(session.expression_of(column.default))
    sql = QueryEmitter(context).expressions.value(tree)
    return convert(sql, type_of(tree), column.type, Mode.ASSIGN, place=place(stored, column))


def _apply(
    session: Session, leaf: Leaf, parsed: ParsedLeaf, target: _Target, translation: Translation
) -> int:
    stored = target.stored
    if parsed.output is None:
        return write_rows(session, stored, translation, translation.sql)
    stage = f'CREATE OR REPLACE TEMP TABLE "~ins" AS {translation.sql}'
    start = stored.identity.next if stored.identity else 0
    session.execute(translation, stage, {START: start}, stored.full)
    count = write_rows(session, stored, translation, 'SELECT * FROM "~ins"')
    columns = outputs.table_columns(stored.table)
    values = [_staged_value(stored, c.name or "") for c in columns]
    staged = (
        f"SELECT {outputs.struct(columns, values)} AS inserted, "
        f'{outputs.null_struct(columns)} AS deleted, \'INSERT\' AS "$action" FROM "~ins" AS p'
    )
    emitted = outputs.emit(session, parsed.output, stored.table, (), staged, leaf)
    outputs.deliver(session, parsed.output, emitted)
    return count


def _staged_value(stored: StoredTable, name: str) -> str:
    column = stored.table.column(name)
    if column is not None and column.computed is not None:
        raise Refused("OUTPUT", f"OUTPUT of the computed column {name} is not supported")
    return f"p.{quoted(name)}"


def write_rows(session: Session, stored: StoredTable, translation: Translation, select: str) -> int:
    """Insert finished rows; constraints are checked, the identity counter moves."""
    identity = stored.identity
    explicit = _explicit(session, stored)
    session.probe(translation)
    session.store.touch(stored)
    start = identity.next if identity is not None else 0
    sql = f"INSERT INTO {quoted(stored.physical.name)} {select}"

    def work() -> int:
        rows = session.execute(translation, sql, {START: start}, stored.full)
        verify(session, stored, "INSERT", numbered)
        return int(rows[0][0])

    # A key that is the identity column cannot be there twice when the server numbers the rows.
    numbered = identity.definition.column if identity is not None and not explicit else None
    needs_check = (
        any(not is_numbered(key, numbered) for key in stored.definition.keys)
        or stored.definition.checks
        or (session.profile.foreign_keys and stored.definition.foreign_keys)
    )
    try:
        if needs_check:
            count = session.store.atomically(work)
        else:
            count = int(session.execute(translation, sql, {START: start}, stored.full)[0][0])
    except SqlError:
        if identity is not None and not explicit:
            # The number was given out before the row was refused: it is lost.
            identity.taken(1)
        raise
    session.engine.count_rows(count)
    _move_identity(session, stored, count, explicit)
    return count


def _move_identity(session: Session, stored: StoredTable, count: int, explicit: bool) -> None:
    identity = stored.identity
    if identity is None or not count:
        return
    if explicit:
        name = quoted(identity.definition.column)
        function = "max" if identity.definition.increment > 0 else "min"
        value = session.engine.query(
            f"SELECT {function}({name}), last({name}) FROM {quoted(stored.physical.name)}"
        )[0]
        session.store.seen(identity, int(value[0]))
        last: object = value[1]
    else:
        identity.taken(count)
        last = identity.current
    session.identity = last
    session.frame.scope_identity = last


def insert_rows(
    session: Session,
    stored: StoredTable,
    columns: Sequence[str],
    types: Sequence[OutputColumn],
    rows: Sequence[Sequence[object]],
) -> int:
    """Insert rows that are at hand (of an OUTPUT clause or of INSERT … EXEC)."""
    target = _target(session, stored, columns)
    if not rows:
        return 0
    outputs.refuse_mismatch(len(target.listed), len(types), target.has_list)
    storage = ", ".join(f"c{n} {duckdb_storage(c.type)}" for n, c in enumerate(types, 1))
    session.engine.query(f'CREATE OR REPLACE TEMP TABLE "~given" ({storage})')
    marks = "(" + ", ".join(["?"] * len(types)) + ")"
    size = max(1, 900 // max(1, len(types)))
    for start in range(0, len(rows), size):
        chunk = rows[start : start + size]
        session.engine.query(
            'INSERT INTO "~given" VALUES ' + ", ".join([marks] * len(chunk)),
            [value for row in chunk for value in row],
        )
    context = session.translator.context()
    items = ", ".join(
        f"{convert(f'x.c{n}', own.type, c.type, Mode.ASSIGN, place=place(stored, c))} AS c{n}"
        for n, (own, c) in enumerate(zip(types, target.listed, strict=True), 1)
    )
    source = f'SELECT {items} FROM "~given" AS x ORDER BY x.rowid'
    sql = full_rows(session, context, target, source)
    return write_rows(session, stored, session.translator.made(context, sql), sql)


def _insert_defaults(session: Session, leaf: Leaf, parsed: ParsedLeaf, stored: StoredTable) -> int:
    """INSERT … DEFAULT VALUES."""
    target = _Target(stored, (), True)
    context = session.translator.context()
    sql = full_rows(session, context, target, "SELECT 1 AS c0")
    return _apply(session, leaf, parsed, target, session.translator.made(context, sql))


def _through_view(session: Session, leaf: Leaf, parsed: ParsedLeaf, name: ObjectName) -> int:
    """INSERT into a view of one table writes that table."""
    view = session.view_query(name)
    if view is None:
        session.stored(name, leaf.span.line)
        raise AssertionError
    bases = {c.origin.table.key: c.origin.table for c in view.columns if c.origin is not None}
    if len(bases) != 1 or isinstance(view.tree, exp.SetOperation):
        raise SqlError(
            4405,
            f"View or function '{name}' is not updatable because the modification affects multiple "
            "base tables.",
        )
    table = session.schema.table(name)
    assert table is not None
    shown = {c.name.lower(): o for c, o in zip(table.columns, view.columns, strict=True)}
    assert parsed.target is not None
    wanted = parsed.target.columns or tuple(c.name for c in table.columns)
    columns = []
    for column in wanted:
        found = shown.get(column.lower())
        if found is None:
            raise SqlError(207, f"Invalid column name '{column}'.")
        if found.origin is None:
            raise SqlError(
                4406,
                f"Update or insert of view or function '{name}' failed because it contains a "
                "derived or constant field.",
            )
        columns.append(found.origin.column)
    stored = session.stored(next(iter(bases.values())))
    return _insert_into(session, leaf, parsed, stored, tuple(columns))


def _with_nested(session: Session, leaf: Leaf, parsed: ParsedLeaf) -> int:
    """INSERT … SELECT FROM (MERGE … OUTPUT …) AS x: the inner statement runs first."""
    from dataclasses import replace

    from core.interpreter.merges import merge_output

    nested = parsed.nested
    assert nested is not None
    emitted = merge_output(session, nested, leaf)
    columns = tuple(Column(c.name or f"c{n}", c.type) for n, c in enumerate(emitted.columns, 1))
    alias_columns = _nested_names(parsed)
    if alias_columns:
        columns = tuple(
            Column(name, c.type) for name, c in zip(alias_columns, columns, strict=True)
        )
    table = Table(ObjectName(_NESTED), columns, TableKind.TEMP)
    stored = session.store.create(from_table(table))
    try:
        if emitted.rows:
            session.store.insert_values(stored, emitted.rows)
        plain = replace(parsed, nested=None)
        assert plain.target is not None
        target = session.stored(table_name(plain.target.table))
        return _insert_into(session, leaf, plain, target, plain.target.columns)
    finally:
        session.store.drop(stored)


def _nested_names(parsed: ParsedLeaf) -> list[str]:
    assert parsed.query is not None
    for node in parsed.query.find_all(exp.Table):
        if node.name == _NESTED:
            alias = node.args.get("alias")
            return [c.name for c in alias.columns] if isinstance(alias, exp.TableAlias) else []
    return []


# --- SELECT … INTO ----------------------------------------------------------------------------


def select_into(session: Session, leaf: Leaf) -> int:
    """Create a table from a query and fill it; error 2714 when it exists already."""
    parsed = parsed_leaf(leaf)
    assert parsed.target is not None
    assert parsed.query is not None
    name = table_name(parsed.target.table)
    if name.is_temporary:
        hidden = session.store.find(name)
        if hidden is not None and hidden.owner == session.frame.number:
            raise _exists(name)
    elif session.store.find(name) is not None or session.views.get(name.key):
        raise _exists(name)
    bound = session.translator.bind(parsed.query)
    columns = []
    identity: Identity | None = None
    for number, column in enumerate(bound.columns, 1):
        if not column.name:
            raise SqlError(
                1038,
                "An object or column name is missing or empty. For SELECT INTO statements, verify "
                "each column has a name.",
                severity=15,
            )
        type_ = t.INT if column.type.is_null else column.type
        inherited = _identity_of(session, bound, number - 1)
        if inherited is not None and identity is None:
            identity = Identity(column.name, inherited.seed, inherited.increment)
        columns.append(Column(column.name, type_, column.nullable, identity=inherited is not None))
    if name.is_temporary:
        name = ObjectName(name.name)
        kind = TableKind.TEMP
    else:
        kind = TableKind.TABLE
    table = Table(ObjectName(name.name, name.schema), tuple(columns), kind)
    from core.interpreter.ddl import create_table

    context = session.translator.context()
    context.max_recursion = max_recursion(parsed.options)
    definition = from_table(table, identity)
    types = [c.type for c in columns]
    sql = QueryEmitter(context).query(bound.tree, types)
    translation = session.translator.made(context, sql)
    rows_sql = f'CREATE OR REPLACE TEMP TABLE "~into" AS {sql}'
    session.execute(translation, rows_sql)
    stored = create_table(session, definition)
    items = ", ".join(f"s.c{n}" for n in range(1, len(columns) + 1))
    count = session.engine.write(
        f'INSERT INTO {quoted(stored.physical.name)} SELECT {items} FROM "~into" AS s'
    )
    stored.dirty = True
    if stored.identity is not None and count:
        _move_explicit(session, stored)
    return count


def _move_explicit(session: Session, stored: StoredTable) -> None:
    assert stored.identity is not None
    name = quoted(stored.identity.definition.column)
    value: Any = session.engine.query(f"SELECT max({name}) FROM {quoted(stored.physical.name)}")[0][
        0
    ]
    if value is not None:
        session.store.seen(stored.identity, int(value))


def _identity_of(session: Session, bound: BoundQuery, index: int) -> Identity | None:
    """SELECT INTO keeps the identity property of a plain column of a one-table query."""
    if not isinstance(bound.tree, exp.Select) or bound.tree.args.get("joins"):
        return None
    if bound.tree.args.get("group") or bound.tree.args.get("distinct"):
        return None
    if index >= len(bound.tree.expressions):
        return None
    projection = bound.tree.expressions[index]
    inner = projection.this if isinstance(projection, exp.Alias) else projection
    origin = bound.columns[index].origin
    if origin is None or not isinstance(inner, exp.Column):
        return None
    stored = session.store.find(origin.table)
    if stored is None or stored.identity is None:
        return None
    same = stored.identity.definition.column.lower() == origin.column.lower()
    return stored.identity.definition if same else None


def _exists(name: ObjectName) -> SqlError:
    return SqlError(
        2714, f"There is already an object named '{name.name}' in the database.", severity=16
    )
