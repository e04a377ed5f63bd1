"""What a table demands of its rows after a write: keys, checks, foreign keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.interpreter.context import Context
from core.interpreter.definitions import Check, ForeignKey, Key
from core.interpreter.errors import SqlError
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
    values = {name: session.resolve(s) for name, s in context.collected.parameters.items()}
    found = session.engine.query(
        f"SELECT 1 FROM {source} AS c WHERE NOT ({condition}) LIMIT 1", values
    )
    if found:
        raise SqlError(
            547,
            f'The {verb} statement conflicted with the CHECK constraint "{check.name}". The '
            f'conflict occurred in database "{_database(session)}", table "{stored.shown}".',
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
    targets = key.referenced_columns or (
        other.definition.keys[0].columns if other.definition.keys else ()
    )
    pairs = []
    for mine, theirs in zip(key.columns, targets, strict=False):
        column = stored.table.column(mine)
        if column is None:
            return
        strict = session.profile.case_sensitive
        a = fold(f"a.{quoted(mine)}", column.type, strict)
        b = fold(f"b.{quoted(theirs)}", column.type, strict)
        pairs.append((f"a.{quoted(mine)} IS NOT NULL", f"{a} = {b}"))
    filled = " AND ".join(first for first, _ in pairs)
    same = " AND ".join(second for _, second in pairs)
    found = session.engine.query(
        f"SELECT 1 FROM {quoted(stored.physical.name)} AS a WHERE {filled} AND NOT EXISTS "
        f"(SELECT 1 FROM {quoted(other.physical.name)} AS b WHERE {same}) LIMIT 1"
    )
    if found:
        raise SqlError(
            547,
            f'The {verb} statement conflicted with the {kind} constraint "{key.name}". The '
            f'conflict occurred in database "{_database(session)}", table "{other.shown}".',
        )
