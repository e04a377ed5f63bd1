"""CREATE, ALTER and DROP of tables and other objects, as far as load procedures use them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from core.interpreter.constraints import verify
from core.interpreter.definitions import (
    Definition,
    Key,
    from_body,
    from_table,
    schema_name,
)
from core.interpreter.errors import Refused, SqlError
from core.interpreter.naming import quoted
from core.interpreter.sequences import altered, created
from core.tsql import nodes
from core.tsql.nodes import IndexAction, IndexStatement
from core.tsql.schema import ObjectName, Table, TableKind
from core.tsql.types import duckdb_storage

if TYPE_CHECKING:
    from core.interpreter.session import Session
    from core.interpreter.tables import StoredTable


def create_table(session: Session, definition: Definition) -> StoredTable:
    """Create a table in the scope it belongs to; error 2714 when the name is taken."""
    name = definition.table.name
    frame = session.frame
    known = session.store.find(name)
    if known is not None:
        if not name.is_temporary or known.owner == frame.number:
            raise SqlError(2714, f"There is already an object named '{name.name}' in the database.")
        frame.hidden.append(known)
    elif session.views.get(name.key) is not None:
        raise SqlError(2714, f"There is already an object named '{name.name}' in the database.")
    owned = name.is_temporary and not name.name.startswith("##")
    if any(column.computed is not None for column in definition.table.columns):
        definition = session.typed(definition)
    stored = session.store.create(definition, frame.number if owned else 0)
    stored.dirty = True
    if owned:
        frame.created.append(stored)
    for savepoint in session.store.savepoints:
        if not name.name.startswith("@"):
            savepoint.created.append(stored)
    return stored


def create(session: Session, node: nodes.CreateTable) -> None:
    """CREATE TABLE, also ``#temp``; CREATE TABLE … AS SELECT."""
    name = schema_name(node.name)
    if session.schema.is_foreign(name):
        raise Refused("another database", f"{name} belongs to another database", node.span.line)
    kind = TableKind.TEMP if name.is_temporary else TableKind.TABLE
    name = ObjectName(name.name) if name.is_temporary else ObjectName(name.name, name.schema)
    if node.query is not None:
        _create_as(session, node, name, kind)
        return
    create_table(session, from_body(name, node.body, session.schema.alias_types, kind))


def _create_as(
    session: Session, node: nodes.CreateTable, name: ObjectName, kind: TableKind
) -> None:
    from core.interpreter.queries import QueryEmitter
    from core.interpreter.translate import parsed_leaf
    from core.tsql.schema import Column

    assert node.query is not None
    query = parsed_leaf(node.query).query
    if query is None:
        raise Refused("CREATE TABLE AS", "there is no query", node.span.line)
    bound = session.translator.bind(query)
    columns = tuple(Column(c.name or "", c.type, c.nullable) for c in bound.columns)
    context = session.translator.context()
    sql = QueryEmitter(context).query(bound.tree)
    translation = session.translator.made(context, sql)
    session.execute(translation, f'CREATE OR REPLACE TEMP TABLE "~into" AS {sql}')
    stored = create_table(session, from_table(Table(name, columns, kind)))
    session.engine.write(f'INSERT INTO {quoted(stored.physical.name)} FROM "~into"')


def drop(session: Session, node: nodes.DropTable) -> None:
    """DROP TABLE; error 3701 when there is none and IF EXISTS is not said."""
    for written in node.names:
        name = schema_name(written)
        stored = session.store.find(name)
        if stored is None:
            if node.if_exists:
                continue
            raise SqlError(
                3701,
                f"Cannot drop the table '{name}', because it does not exist or you do not "
                "have permission.",
                severity=11,
            )
        if session.profile.foreign_keys and _is_referenced(session, stored):
            raise SqlError(
                3726,
                f"Could not drop object '{stored.shown}' because it is referenced by a FOREIGN KEY "
                "constraint.",
            )
        session.store.drop(stored)
        for frame in session.frames:
            if stored in frame.created:
                frame.created.remove(stored)
                _unhide(session, frame, name)


def _unhide(session: Session, frame: object, name: ObjectName) -> None:
    hidden = getattr(frame, "hidden", [])
    for table in list(hidden):
        if table.table.name.key == name.key:
            hidden.remove(table)
            session.store.restore_visible(table)


def truncate(session: Session, name: ObjectName, line: int) -> None:
    """TRUNCATE TABLE: all rows go and the identity starts again."""
    stored = session.store.find(name)
    if stored is None:
        raise SqlError(
            4701,
            f'Cannot find the object "{name.name}" because it does not exist or you do not have '
            "permissions.",
            line=line,
        )
    if session.profile.foreign_keys and _is_referenced(session, stored):
        raise SqlError(
            4712,
            f"Cannot truncate table '{stored.shown}' because it is being referenced by a FOREIGN "
            "KEY constraint.",
        )
    session.store.touch(stored)
    session.engine.query(f"DELETE FROM {quoted(stored.physical.name)}")
    if stored.identity is not None:
        stored.identity.current = None


def _is_referenced(session: Session, stored: StoredTable) -> bool:
    return any(
        key.referenced.key == stored.table.name.key
        for other in session.store.stored.values()
        if other is not stored
        for key in other.definition.foreign_keys
    )


# --- ALTER TABLE, indexes -----------------------------------------------------------------------


def alter(session: Session, node: nodes.AlterTable) -> None:
    """ALTER TABLE: columns and constraints added or dropped; the rest changes no row."""
    name = schema_name(node.name)
    stored = session.stored(name, node.span.line)
    session.store.touch(stored)
    if node.add is not None:
        _add(session, stored, node)
    elif node.drop_columns and node.action == "DROP COLUMN":
        _drop_columns(session, stored, node)
    elif node.alter_column is not None:
        _alter_column(session, stored, node)
    elif node.action in (
        "DROP CONSTRAINT",
        "CHECK",
        "NOCHECK",
        "ENABLE",
        "DISABLE",
        "REBUILD",
        "SET",
    ):
        if node.action == "DROP CONSTRAINT":
            _drop_constraint(session, stored, node)
    elif node.action == "SWITCH":
        _switch(session, stored, node)
    else:
        raise Refused(
            "ALTER TABLE", f"ALTER TABLE … {node.action} is not supported", node.span.line
        )


def _add(session: Session, stored: StoredTable, node: nodes.AlterTable) -> None:
    assert node.add is not None
    old = stored.definition
    added = from_body(old.table.name, node.add, session.schema.alias_types, old.table.kind)
    physical = quoted(stored.physical.name)
    for column in added.table.columns:
        if old.table.column(column.name) is not None:
            raise SqlError(
                2705,
                f"Column names in each table must be unique. Column name '{column.name}' in table "
                f"'{stored.shown}' is specified more than once.",
            )
        if column.computed is not None:
            continue
        session.engine.query(
            f"ALTER TABLE {physical} ADD COLUMN {quoted(column.name)} {duckdb_storage(column.type)}"
        )
        if added.identity is not None and column.identity:
            session.engine.query(
                f"UPDATE {physical} SET {quoted(column.name)} = rowid + {added.identity.seed}"
            )
        elif column.default is not None and not column.nullable:
            from core.interpreter.inserts import default_sql

            context = session.translator.context()
            sql = default_sql(session, context, stored, column)
            values = {n: session.resolve(s) for n, s in context.collected.parameters.items()}
            session.engine.query(f"UPDATE {physical} SET {quoted(column.name)} = {sql}", values)
    columns = list(old.table.columns) + list(added.table.columns)
    defaults = {
        c.columns[0].casefold(): c.expression.text
        for c in node.add.constraints
        if c.kind is nodes.ConstraintKind.DEFAULT and c.columns and c.expression is not None
    }
    columns = [replace(c, default=defaults.get(c.name.casefold(), c.default)) for c in columns]
    keys = (*old.keys, *added.keys)
    table = replace(old.table, columns=tuple(columns), keys=tuple(k.columns for k in keys))
    definition = replace(
        old,
        table=table,
        identity=old.identity or added.identity,
        keys=keys,
        checks=(*old.checks, *added.checks),
        foreign_keys=(*old.foreign_keys, *added.foreign_keys),
    )
    changed = session.store.replace_definition(stored, definition)
    if definition.identity is not None and changed.identity is None:
        from core.interpreter.tables import IdentityState

        changed.identity = IdentityState(definition.identity)
    _swap(session, stored, changed)
    verify(session, changed, "ALTER TABLE")


def _switch(session: Session, stored: StoredTable, node: nodes.AlterTable) -> None:
    """``SWITCH TO target``: all rows move into an empty table; partitions are not known here."""
    words = node.text[node.text.upper().index("SWITCH") :]
    match = re.fullmatch(
        r"SWITCH\s+TO\s+(?P<name>[^\s;]+)[\s;]*(?:WITH\s*\(.*)?", words, re.I | re.S
    )
    if match is None:
        raise Refused(
            "ALTER TABLE SWITCH", "switching a partition is not supported", node.span.line
        )
    target = session.stored(ObjectName.parse(match["name"]), node.span.line)
    session.store.touch(target)
    source, goal = quoted(stored.physical.name), quoted(target.physical.name)
    if session.engine.query(f"SELECT count(*) FROM {goal}")[0][0]:
        raise SqlError(
            4905,
            "ALTER TABLE SWITCH statement failed. The target table "
            f"'{target.shown}' must be empty.",
        )
    session.engine.query(f"INSERT INTO {goal} FROM {source} ORDER BY rowid")
    session.engine.query(f"DELETE FROM {source}")


def _swap(session: Session, old: StoredTable, new: StoredTable) -> None:
    for frame in session.frames:
        frame.created = [new if table is old else table for table in frame.created]


def _drop_columns(session: Session, stored: StoredTable, node: nodes.AlterTable) -> None:
    dropped = {name.casefold() for name in node.drop_columns}
    physical = quoted(stored.physical.name)
    for column in stored.table.columns:
        if column.name.casefold() in dropped and column.computed is None:
            session.engine.query(f"ALTER TABLE {physical} DROP COLUMN {quoted(column.name)}")
    columns = tuple(c for c in stored.table.columns if c.name.casefold() not in dropped)
    keys = tuple(
        k for k in stored.definition.keys if not dropped & {c.casefold() for c in k.columns}
    )
    table = replace(stored.table, columns=columns, keys=tuple(k.columns for k in keys))
    changed = session.store.replace_definition(
        stored, replace(stored.definition, table=table, keys=keys)
    )
    _swap(session, stored, changed)


def _alter_column(session: Session, stored: StoredTable, node: nodes.AlterTable) -> None:
    from core.interpreter.casts import Mode, convert
    from core.interpreter.definitions import type_of_name
    from core.interpreter.inserts import place

    wanted = node.alter_column
    assert wanted is not None
    column = stored.table.column(wanted.name)
    if column is None or wanted.type is None:
        raise SqlError(
            4924,
            f"ALTER TABLE ALTER COLUMN failed because column '{wanted.name}' does "
            f"not exist in table '{stored.table.name.name}'.",
        )
    type_ = type_of_name(wanted.type, session.schema.alias_types, node.span.line)
    physical, name = quoted(stored.physical.name), quoted(column.name)
    value = convert(name, column.type, type_, Mode.ASSIGN, place=place(stored, column))
    session.engine.query(
        f"ALTER TABLE {physical} ALTER COLUMN {name} TYPE {duckdb_storage(type_)} USING {value}"
    )
    nullable = wanted.nullable is not False
    verb = "DROP" if nullable else "SET"
    if nullable != column.nullable:
        session.engine.query(f"ALTER TABLE {physical} ALTER COLUMN {name} {verb} NOT NULL")
    columns = tuple(
        replace(c, type=type_, nullable=nullable) if c is column else c
        for c in stored.table.columns
    )
    table = replace(stored.table, columns=columns)
    changed = session.store.replace_definition(stored, replace(stored.definition, table=table))
    _swap(session, stored, changed)


def _drop_constraint(session: Session, stored: StoredTable, node: nodes.AlterTable) -> None:
    words = {word.strip("[],;").casefold() for word in re.split(r"[\s,]+", node.text)}
    old = stored.definition
    definition = replace(
        old,
        keys=tuple(k for k in old.keys if k.name.casefold() not in words),
        checks=tuple(c for c in old.checks if c.name.casefold() not in words),
        foreign_keys=tuple(f for f in old.foreign_keys if f.name.casefold() not in words),
    )
    table = replace(old.table, keys=tuple(k.columns for k in definition.keys))
    changed = session.store.replace_definition(stored, replace(definition, table=table))
    _swap(session, stored, changed)


def index(session: Session, node: IndexStatement) -> None:
    """CREATE UNIQUE INDEX is a key from now on; other indexes change nothing."""
    if node.action is IndexAction.DROP and node.table is not None and node.name:
        stored = session.store.find(schema_name(node.table))
        if stored is not None:
            keys = tuple(
                k
                for k in stored.definition.keys
                if k.name.casefold() != (node.name or "").casefold()
            )
            stored.definition = replace(stored.definition, keys=keys)
        return
    if node.table is None:
        return
    stored = session.stored(schema_name(node.table), node.span.line)
    if node.action is not IndexAction.CREATE or not node.is_unique or not node.columns:
        return
    if re.search(r"\bWHERE\b", node.text, re.IGNORECASE):
        return
    key = Key(node.columns, "INDEX", node.name or "index")
    stored.definition = replace(stored.definition, keys=(*stored.definition.keys, key))
    try:
        verify(session, stored, "CREATE UNIQUE INDEX")
    except SqlError as error:
        stored.definition = replace(stored.definition, keys=stored.definition.keys[:-1])
        raise SqlError(
            1505,
            f"The CREATE UNIQUE INDEX statement terminated because a duplicate key was found for "
            f"the object name '{stored.shown}' and the index name '{key.name}'. {error.message}",
        ) from error


# --- other objects ------------------------------------------------------------------------------


def other(session: Session, node: nodes.OtherDefinition) -> None:
    """CREATE SCHEMA and the like do nothing; sequences exist; modules can be dropped."""
    kind = node.kind.upper()
    if kind == "CREATE SEQUENCE" and node.name is not None:
        create_sequence(session, node)
        return
    if kind == "ALTER SEQUENCE" and node.name is not None:
        sequence = session.sequence(schema_name(node.name))
        if sequence is None:
            raise SqlError(208, f"Invalid object name '{schema_name(node.name)}'.")
        altered(sequence, node.text)
        return
    if kind.startswith("DROP") and node.name is not None:
        key = schema_name(node.name).key
        for objects in (session.procedures, session.views, session.functions, session.sequences):
            objects.pop(key, None)
        if kind == "DROP VIEW":
            session.store.schema = session.store.schema.without_table(schema_name(node.name))
        return
    if kind.split()[-1] in ("SCHEMA", "STATISTICS", "SYNONYM", "ROLE", "USER", "PARTITION"):
        if kind == "CREATE SYNONYM" and node.name is not None:
            _synonym(session, node)
        return
    raise Refused(kind, f"{kind} is not supported", node.span.line)


def _synonym(session: Session, node: nodes.OtherDefinition) -> None:
    """A synonym is another name for a table, view or procedure of this database."""
    assert node.name is not None
    match = re.search(r"\bFOR\s+(?P<name>[^\s;]+)", node.text, re.IGNORECASE)
    target = ObjectName.parse(match["name"]) if match else None
    if target is None or session.schema.is_foreign(target):
        raise Refused("CREATE SYNONYM", "the synonym leads out of this database", node.span.line)
    key = schema_name(node.name).key
    table = session.schema.table(target)
    if table is not None:
        store = session.store
        store.schema = replace(store.schema, tables={**store.schema.tables, key: table})
    elif target.key in session.procedures:
        session.procedures[key] = session.procedures[target.key]


def create_sequence(session: Session, node: nodes.OtherDefinition) -> None:
    """CREATE SEQUENCE; error 2714 when the name is taken."""
    assert node.name is not None
    name = schema_name(node.name)
    if name.key in session.sequences or session.store.find(name) is not None:
        raise SqlError(2714, f"There is already an object named '{name.name}' in the database.")
    session.sequences[name.key] = created(name, node.text)
