"""Functions that look into the session: OBJECT_ID, DB_NAME, IDENT_CURRENT, CURSOR_STATUS …"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.interpreter.errors import Refused
from core.tsql.schema import ObjectName

if TYPE_CHECKING:
    from core.interpreter.session import Session


def answer(session: Session, name: str, arguments: list[object]) -> object:
    """The value of a function of the session for arguments that are known."""
    match name:
        case "object_id":
            return _object_id(session, arguments)
        case "object_name" | "object_schema_name":
            return _object_name(session, name, arguments)
        case "db_name":
            return session.schema.database or "master"
        case "db_id":
            return _db_id(session, arguments)
        case "schema_name":
            return session.schema.default_schema
        case "schema_id":
            return 1
        case "ident_current":
            stored = session.store.find(ObjectName.parse(str(arguments[0])))
            if stored is None or stored.identity is None:
                return None
            current = stored.identity.current
            return stored.identity.definition.seed if current is None else current
        case "cursor_status":
            return _cursor_status(session, str(arguments[1]))
        case "col_length":
            return _col_length(session, arguments)
        case "session_context":
            return session.context_info.get(str(arguments[0]).lower())
        case "serverproperty":
            return None
    return session.system_value(name)


def _object_id(session: Session, arguments: list[object]) -> object:
    text, kind = arguments[0], arguments[1] if len(arguments) > 1 else None
    if text is None:
        return None
    try:
        name = ObjectName.parse(str(text))
    except ValueError:
        return None
    wanted = str(kind).strip().upper() if kind else None
    if session.schema.is_foreign(name):
        return None
    if session.store.find(name) is not None and wanted in (None, "U", "S"):
        return session.catalog.object_id(name.key)
    for objects, kinds in (
        (session.procedures, ("P",)),
        (session.views, ("V",)),
        (session.functions, ("FN", "IF", "TF")),
        (session.sequences, ("SO",)),
    ):
        if name.key in objects and (wanted is None or wanted in kinds):
            return session.catalog.object_id(name.key)
    return None


def _object_name(session: Session, name: str, arguments: list[object]) -> object:
    number = arguments[0]
    if number == session.system_value("@@procid"):
        module = session.frame.name
        if module is None:
            return None
        schema, _, last = module.rpartition(".")
        return last if name == "object_name" else (schema or "dbo")
    for key, known in session.catalog.ids.items():
        if known == number:
            return key[1] if name == "object_name" else key[0]
    return None


def _db_id(session: Session, arguments: list[object]) -> object:
    own = (session.schema.database or "master").lower()
    return 5 if not arguments or str(arguments[0]).lower() == own else None


def _cursor_status(session: Session, name: str) -> object:
    from core.interpreter.cursors import find_cursor

    cursor = find_cursor(session, name)
    if cursor is None:
        return -3
    if not cursor.is_open:
        return -1
    return 1 if cursor.rows else 0


def _col_length(session: Session, arguments: list[object]) -> object:
    stored = session.store.find(ObjectName.parse(str(arguments[0])))
    column = stored.table.column(str(arguments[1])) if stored else None
    if column is None:
        return None
    length = column.type.length
    if length is None:
        raise Refused("COL_LENGTH", f"COL_LENGTH of {column.type} is not supported")
    return length * 2 if column.type.is_unicode and length > 0 else length
