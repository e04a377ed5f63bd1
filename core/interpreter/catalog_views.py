"""The system views load procedures look into, made from the session when they are named.

Only what exists in the reference is listed, with the columns that are used to test for tables and
columns: ``sys.objects``, ``sys.tables``, ``sys.columns``, ``sys.schemas``, ``sys.procedures``,
``sys.views``, ``sys.indexes`` (always empty), ``INFORMATION_SCHEMA.TABLES`` and ``.COLUMNS``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from core.interpreter.definitions import from_table
from core.interpreter.naming import quoted
from core.tsql import types as t
from core.tsql.schema import Column, ObjectName, Table, TableKind
from core.tsql.types import SqlType

if TYPE_CHECKING:
    from core.interpreter.session import Session
    from core.interpreter.tables import StoredTable

_NAME = t.SYSNAME
_OBJECT: tuple[tuple[str, SqlType], ...] = (
    ("name", _NAME),
    ("object_id", t.INT),
    ("schema_id", t.INT),
    ("type", t.SqlType(t.TypeName.CHAR, length=2)),
    ("type_desc", _NAME),
)
_VIEWS: Mapping[str, tuple[tuple[str, SqlType], ...]] = {
    "sys.objects": _OBJECT,
    "sys.tables": _OBJECT,
    "sys.views": _OBJECT,
    "sys.procedures": _OBJECT,
    "sys.schemas": (("name", _NAME), ("schema_id", t.INT)),
    "sys.columns": (
        ("object_id", t.INT),
        ("name", _NAME),
        ("column_id", t.INT),
        ("is_nullable", t.BIT),
        ("is_identity", t.BIT),
    ),
    "sys.indexes": (
        ("object_id", t.INT),
        ("name", _NAME),
        ("index_id", t.INT),
        ("type_desc", _NAME),
    ),
    "sys.partitions": (
        ("object_id", t.INT),
        ("index_id", t.INT),
        ("partition_number", t.INT),
        ("rows", t.BIGINT),
    ),
    "information_schema.tables": (
        ("TABLE_CATALOG", _NAME),
        ("TABLE_SCHEMA", _NAME),
        ("TABLE_NAME", _NAME),
        ("TABLE_TYPE", t.varchar(10)),
    ),
    "information_schema.columns": (
        ("TABLE_CATALOG", _NAME),
        ("TABLE_SCHEMA", _NAME),
        ("TABLE_NAME", _NAME),
        ("COLUMN_NAME", _NAME),
        ("ORDINAL_POSITION", t.INT),
        ("COLUMN_DEFAULT", t.nvarchar(4000)),
        ("IS_NULLABLE", t.varchar(3)),
        ("DATA_TYPE", _NAME),
    ),
}


class CatalogViews:
    """Creates the tables that stand for system views, and fills them before they are read."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._made: dict[tuple[str, str], str] = {}
        self.ids: dict[tuple[str, str], int] = {}

    def provide(self, message: str) -> bool:
        """Make the system view an error 208 complains about; False when it is none."""
        found = re.search(r"'([^']+)'", message)
        if found is None:
            return False
        parts = found.group(1).lower().split(".")
        name = ".".join(parts[-2:])
        columns = _VIEWS.get(name)
        if columns is None:
            return False
        schema, last = name.split(".")
        object_name = ObjectName(last, schema)
        if object_name.key in self._made:
            return False
        table = Table(object_name, tuple(Column(n, k) for n, k in columns), TableKind.TABLE)
        self.session.store.create(from_table(table))
        self._made[object_name.key] = name
        return True

    def refresh(self, tables: Mapping[tuple[str, str], object]) -> None:
        """Fill the views among `tables` with what exists now."""
        for key in tables:
            name = self._made.get(key)
            if name is None:
                continue
            stored = self.session.store.stored[key]
            self.session.engine.query(f"DELETE FROM {quoted(stored.physical.name)}")
            rows = [list(row) for row in self._rows(name)]
            if rows:
                self.session.store.insert_values(stored, rows)

    def object_id(self, key: tuple[str, str]) -> int:
        """A number for an object, the same for the whole session."""
        return self.ids.setdefault(key, 1_000_000 + len(self.ids))

    def _schemas(self) -> dict[str, int]:
        names = ["dbo", *sorted({key[0] for key in self.session.store.stored if key[0]})]
        names += [key[0] for key in self.session.procedures]
        return {name: number for number, name in enumerate(dict.fromkeys(names), 1)}

    def _tables(self) -> Iterator[StoredTable]:
        for key, stored in self.session.store.stored.items():
            if key not in self._made and not stored.table.name.is_temporary:
                yield stored

    def _rows(self, name: str) -> Iterator[tuple[object, ...]]:
        match name:
            case "sys.tables":
                yield from self._objects(("U",))
            case "sys.views":
                yield from self._objects(("V",))
            case "sys.procedures":
                yield from self._objects(("P",))
            case "sys.objects":
                yield from self._objects(("U", "V", "P"))
            case "sys.schemas":
                yield from self._schemas().items()
            case "sys.columns":
                for stored in self._tables():
                    number = self.object_id(stored.table.name.key)
                    for position, column in enumerate(stored.table.columns, 1):
                        yield (number, column.name, position, column.nullable, column.identity)
            case "sys.partitions":
                for stored in self._tables():
                    count = self.session.engine.query(
                        f"SELECT count(*) FROM {quoted(stored.physical.name)}"
                    )[0][0]
                    yield (self.object_id(stored.table.name.key), 0, 1, count)
            case "information_schema.tables":
                for stored in self._tables():
                    yield (*self._qualified(stored), "BASE TABLE")
            case "information_schema.columns":
                yield from self._information_columns()

    def _qualified(self, stored: StoredTable) -> tuple[str, str, str]:
        name = stored.table.name
        return (self.session.schema.database or "master", name.schema or "dbo", name.name)

    def _information_columns(self) -> Iterator[tuple[object, ...]]:
        for stored in self._tables():
            for position, column in enumerate(stored.table.columns, 1):
                nullable = "YES" if column.nullable else "NO"
                kind = str(column.type.name)
                yield (
                    *self._qualified(stored),
                    column.name,
                    position,
                    column.default,
                    nullable,
                    kind,
                )

    def _objects(self, kinds: tuple[str, ...]) -> Iterator[tuple[object, ...]]:
        schemas = self._schemas()
        found: list[tuple[tuple[str, str], str, str, str]] = []
        found += [(s.table.name.key, s.table.name.name, "U", "USER_TABLE") for s in self._tables()]
        found += [(k, v.name.name, "V", "VIEW") for k, v in self.session.views.items()]
        found += [
            (k, p.name.name, "P", "SQL_STORED_PROCEDURE")
            for k, p in self.session.procedures.items()
        ]
        for key, name, kind, description in found:
            if kind in kinds:
                schema = schemas.get(key[0], 1)
                yield (name, self.object_id(key), schema, kind, description)
