"""What a table demands of its rows after a write: keys, checks, foreign keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.interpreter.context import Context
from core.interpreter.definitions import Check, ForeignKey, Key
from core.interpreter.errors import Refused, SqlError
from core.interpreter.expressions import fold
from core.interpreter.naming import quoted
from core.interpreter.queries import QueryEmitter
from core.tsql.binding import bind_expression
from core.tsql.scope import OutputColumn, Relation

if TYPE_CHECKING:
    from core.interpreter.session import Session
    from core.interpreter.tables import StoredTable


def is_numbered(key: Key, column: str | None) -> bool:
    """Whether a key is just the column the server numbers."""
    return column is not None and [c.lower() for c in key.columns] == [column.lower()]


def verify(session: Session, stored: StoredTable, verb: str, numbered: str | None = None) -> None:
    """Raise what the server raises for rows that must not be there (2627, 2601, 547).

    `numbered` is an identity column whose values the server has just given out.
    """
    session.store.check_keys(
        stored, [k for k in stored.definition.keys if is_numbered(k, numbered)]
    )
    for check in stored.definition.checks:
        _check(session, stored, check, verb)
    if session.profile.foreign_keys:
        for key in stored.definition.foreign_keys:
            _foreign_key(session, stored, key, verb)


def verify_references(session: Session, stored: StoredTable, verb: str) -> None:
    """Error 547 when rows of other tables still point to what was deleted or changed."""
    if not session.profile.foreign_keys:
        return
    for other in list(session.store.stored.values()):
        for key in other.definition.foreign_keys:
            if key.referenced.key == stored.table.name.key:
                _foreign_key(session, other, key, verb, "REFERENCE")


def cascade(session: Session, stored: StoredTable, verb: str) -> None:
    """ON DELETE and ON UPDATE: rows that lost what they refer to go, or their columns are emptied.

    Called inside the write. An UPDATE that cascades is refused: which row became which is not known
    here.
    """
    if not session.profile.foreign_keys:
        return
    for other in list(session.store.stored.values()):
        for key in other.definition.foreign_keys:
            action = key.on_delete if verb == "DELETE" else key.on_update
            if key.referenced.key != stored.table.name.key or not action:
                continue
            orphans = _orphans(session, other, key, stored)
            if not session.engine.query(f"SELECT 1 FROM ({orphans}) AS o LIMIT 1"):
                continue
            if verb != "DELETE":
                raise Refused("ON UPDATE", f"ON UPDATE {action} is not supported")
            session.store.touch(other)
            _settle(session, other, key, action, orphans)
            if action == "CASCADE":
                cascade(session, other, verb)


def _settle(
    session: Session, other: StoredTable, key: ForeignKey, action: str, orphans: str
) -> None:
    name = quoted(other.physical.name)
    if action == "CASCADE":
        session.engine.query(f"DELETE FROM {name} WHERE rowid IN ({orphans})")
        return
    sets = []
    for column_name in key.columns:
        column = other.table.column(column_name)
        value = None
        if action == "SET DEFAULT" and column is not None:
            value = session.store.default_of(other, column)
        sets.append((f"{quoted(column_name)} = ?", value))
    session.engine.query(
        f"UPDATE {name} SET {', '.join(text for text, _ in sets)} WHERE rowid IN ({orphans})",
        [value for _, value in sets],
        other.full,
        "UPDATE",
    )


def _database(session: Session) -> str:
    return session.schema.database or "master"


def _check(session: Session, stored: StoredTable, check: Check, verb: str) -> None:
    columns = tuple(OutputColumn(c.name, c.type) for c in stored.table.columns)
    tree = bind_expression(
        session.condition_of(check.text), session.schema, relations=[Relation("c", columns)]
    ).tree
    context = Context(session, {})
    emitter = QueryEmitter(context)
    condition = emitter.expressions.predicate(tree)
    source = emitter.sources.physical(stored.physical)
    found = session.run(
        session.translator.made(
            context, f"SELECT 1 FROM {source} AS c WHERE NOT ({condition}) LIMIT 1"
        )
    )
    if found:
        raise SqlError(
            547,
            f'The {verb} statement conflicted with the CHECK constraint "{check.name}". The '
            f'conflict occurred in database "{_database(session)}", table "{stored.shown}"'
            + (f", column '{check.column}'." if check.column else "."),
        )


def _targets(key: ForeignKey, other: StoredTable) -> tuple[str, ...]:
    if key.referenced_columns:
        return key.referenced_columns
    return other.definition.keys[0].columns if other.definition.keys else ()


def _orphans(session: Session, stored: StoredTable, key: ForeignKey, other: StoredTable) -> str:
    """The row ids of rows that refer to nothing, as SQL; empty when the columns are not known."""
    pairs = []
    for mine, theirs in zip(key.columns, _targets(key, other), strict=False):
        column = stored.table.column(mine)
        if column is None:
            return ""
        strict = session.profile.case_sensitive
        a = fold(f"a.{quoted(mine)}", column.type, strict)
        b = fold(f"b.{quoted(theirs)}", column.type, strict)
        pairs.append((f"a.{quoted(mine)} IS NOT NULL", f"{a} = {b}"))
    if not pairs:
        return ""
    filled = " AND ".join(first for first, _ in pairs)
    same = " AND ".join(second for _, second in pairs)
    return (
        f"SELECT a.rowid FROM {quoted(stored.physical.name)} AS a WHERE {filled} AND NOT EXISTS "
        f"(SELECT 1 FROM {quoted(other.physical.name)} AS b WHERE {same})"
    )


def _foreign_key(
    session: Session,
    stored: StoredTable,
    key: ForeignKey,
    verb: str,
    kind: str = "FOREIGN KEY",
) -> None:
    other = session.store.find(key.referenced)
    if other is None:
        return
    targets = _targets(key, other)
    orphans = _orphans(session, stored, key, other)
    found = orphans and session.engine.query(f"SELECT 1 FROM ({orphans}) AS o LIMIT 1")
    if found:
        # The conflict is in the other table: the referenced one, or the one that refers.
        place, columns = (stored, key.columns) if kind == "REFERENCE" else (other, targets)
        named = "SAME TABLE " if other is stored else ""
        raise SqlError(
            547,
            f'The {verb} statement conflicted with the {kind} {named}constraint "{key.name}". The '
            f'conflict occurred in database "{_database(session)}", table "{place.shown}"'
            + (f", column '{columns[0]}'." if len(columns) == 1 else "."),
        )
