"""The system views load procedures look into, made from the session when they are named.

Only what exists in the reference is listed, with the columns that are used to test for tables and
columns: ``sys.objects``, ``sys.tables``, ``sys.columns``, ``sys.schemas``, ``sys.procedures``,
``sys.views``, ``sys.types``, ``sys.sequences``, ``sys.indexes`` (always empty),
``INFORMATION_SCHEMA.TABLES``, ``.COLUMNS`` and ``.ROUTINES``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from core.interpreter.definitions import from_table
from core.interpreter.naming import quoted
from core.tsql import types as t
from core.tsql.nodes import FunctionKind
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
    "sys.sequences": (
        *_OBJECT,
        ("start_value", t.BIGINT),
        ("increment", t.BIGINT),
        ("minimum_value", t.BIGINT),
        ("maximum_value", t.BIGINT),
        ("is_cycling", t.BIT),
        ("current_value", t.BIGINT),
    ),
    "sys.schemas": (("name", _NAME), ("schema_id", t.INT)),
    "sys.columns": (
        ("object_id", t.INT),
        ("name", _NAME),
        ("column_id", t.INT),
        ("is_nullable", t.BIT),
        ("is_identity", t.BIT),
        ("is_computed", t.BIT),
        ("system_type_id", t.TINYINT),
        ("user_type_id", t.INT),
        ("max_length", t.SMALLINT),
        ("precision", t.TINYINT),
        ("scale", t.TINYINT),
    ),
    "sys.types": (
        ("name", _NAME),
        ("system_type_id", t.TINYINT),
        ("user_type_id", t.INT),
        ("schema_id", t.INT),
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
        ("CHARACTER_MAXIMUM_LENGTH", t.INT),
        ("NUMERIC_PRECISION", t.TINYINT),
        ("NUMERIC_SCALE", t.INT),
        ("DATETIME_PRECISION", t.SMALLINT),
    ),
    "information_schema.routines": (
        ("ROUTINE_CATALOG", _NAME),
        ("ROUTINE_SCHEMA", _NAME),
        ("ROUTINE_NAME", _NAME),
        ("ROUTINE_TYPE", t.varchar(20)),
    ),
}


_FUNCTION_KINDS = {
    FunctionKind.SCALAR: ("FN", "SQL_SCALAR_FUNCTION"),
    FunctionKind.INLINE_TABLE: ("IF", "SQL_INLINE_TABLE_VALUED_FUNCTION"),
    FunctionKind.TABLE: ("TF", "SQL_TABLE_VALUED_FUNCTION"),
}
#: ``sys.types``: the numbers of the system types.
_TYPE_IDS = {
    "image": 34,
    "text": 35,
    "uniqueidentifier": 36,
    "date": 40,
    "time": 41,
    "datetime2": 42,
    "datetimeoffset": 43,
    "tinyint": 48,
    "smallint": 52,
    "int": 56,
    "smalldatetime": 58,
    "real": 59,
    "money": 60,
    "datetime": 61,
    "float": 62,
    "sql_variant": 98,
    "ntext": 99,
    "bit": 104,
    "decimal": 106,
    "numeric": 108,
    "smallmoney": 122,
    "bigint": 127,
    "varbinary": 165,
    "varchar": 167,
    "binary": 173,
    "char": 175,
    "timestamp": 189,
    "nvarchar": 231,
    "nchar": 239,
    "xml": 241,
}


def _type_name(type_: SqlType) -> str:
    return "timestamp" if type_.name is t.TypeName.ROWVERSION else str(type_.name)


def _digits(type_: SqlType) -> tuple[int | None, int | None]:
    """Precision and scale as the catalog shows them."""
    if type_.is_decimal or type_.is_integer or type_.is_money:
        exact = t.as_decimal(type_)
        return exact.precision, exact.scale
    if type_.is_approximate:
        return (24 if type_.name is t.TypeName.REAL else 53), None
    if type_.name is t.TypeName.DATETIME:
        return 23, 3
    if type_.is_datetime:
        fine = type_.name not in (t.TypeName.DATE, t.TypeName.SMALLDATETIME)
        return None, (7 if type_.scale is None else type_.scale) if fine else 0
    return None, None


def _bytes(type_: SqlType) -> int:
    """``max_length``: bytes, -1 for (max)."""
    if type_.is_string or type_.is_binary:
        length = t.MAX if type_.length is None else type_.length
        return length * 2 if type_.is_unicode and length > 0 else length
    return {"bit": 1, "tinyint": 1, "smallint": 2, "int": 4, "real": 4, "smallmoney": 4}.get(
        str(type_.name), {"date": 3, "smalldatetime": 4, "decimal": 9}.get(str(type_.name), 8)
    )


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
        makers: dict[str, Callable[[], Iterable[tuple[object, ...]]]] = {
            "sys.tables": lambda: self._objects(("U",)),
            "sys.views": lambda: self._objects(("V",)),
            "sys.procedures": lambda: self._objects(("P",)),
            "sys.objects": lambda: self._objects(("U", "V", "P", "FN", "IF", "TF", "SO")),
            "sys.sequences": self._sequences,
            "sys.schemas": lambda: self._schemas().items(),
            "sys.columns": self._columns,
            "sys.types": lambda: ((n, i, i, 4) for n, i in _TYPE_IDS.items()),
            "sys.partitions": self._partitions,
            "information_schema.tables": self._information_tables,
            "information_schema.columns": self._information_columns,
            "information_schema.routines": self._routines,
        }
        if name in makers:
            yield from makers[name]()

    def _sequences(self) -> Iterator[tuple[object, ...]]:
        for key, sequence in self.session.sequences.items():
            yield (
                sequence.name.name,
                self.object_id(key),
                self._schemas().get(key[0], 1),
                "SO",
                "SEQUENCE_OBJECT",
                sequence.start,
                sequence.step,
                sequence.low,
                sequence.high,
                sequence.cycles,
                sequence.current,
            )

    def _columns(self) -> Iterator[tuple[object, ...]]:
        for stored in self._tables():
            number = self.object_id(stored.table.name.key)
            for position, column in enumerate(stored.table.columns, 1):
                type_id = _TYPE_IDS.get(_type_name(column.type), 0)
                precision, scale = _digits(column.type)
                yield (
                    number,
                    column.name,
                    position,
                    column.nullable,
                    column.identity,
                    column.computed is not None,
                    type_id,
                    type_id,
                    _bytes(column.type),
                    precision or 0,
                    scale or 0,
                )

    def _partitions(self) -> Iterator[tuple[object, ...]]:
        for stored in self._tables():
            count = self.session.engine.query(
                f"SELECT count(*) FROM {quoted(stored.physical.name)}"
            )[0][0]
            yield (self.object_id(stored.table.name.key), 0, 1, count)

    def _information_tables(self) -> Iterator[tuple[object, ...]]:
        for stored in self._tables():
            yield (*self._qualified(stored), "BASE TABLE")
        database = self.session.schema.database or "master"
        for key, view in self.session.views.items():
            yield (database, view.name.schema or key[0], view.name.name, "VIEW")

    def _routines(self) -> Iterator[tuple[object, ...]]:
        database = self.session.schema.database or "master"
        kinds = (
            (self.session.procedures, "PROCEDURE"),
            (self.session.functions, "FUNCTION"),
        )
        for objects, kind in kinds:
            for key, module in objects.items():
                yield (database, key[0], module.name.name, kind)

    def _qualified(self, stored: StoredTable) -> tuple[str, str, str]:
        name = stored.table.name
        return (self.session.schema.database or "master", name.schema or "dbo", name.name)

    def _information_columns(self) -> Iterator[tuple[object, ...]]:
        for stored in self._tables():
            for position, column in enumerate(stored.table.columns, 1):
                precision, scale = _digits(column.type)
                yield (
                    *self._qualified(stored),
                    column.name,
                    position,
                    column.default,
                    "YES" if column.nullable else "NO",
                    _type_name(column.type),
                    column.type.length if column.type.is_string else None,
                    precision if column.type.is_numeric else None,
                    scale if column.type.is_exact else None,
                    scale if column.type.is_datetime else None,
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
        for key, function in self.session.functions.items():
            code, label = _FUNCTION_KINDS[function.kind]
            found.append((key, function.name.name, code, label))
        found += [
            (k, q.name.name, "SO", "SEQUENCE_OBJECT") for k, q in self.session.sequences.items()
        ]
        for key, name, kind, description in found:
            if kind in kinds:
                schema = schemas.get(key[0], 1)
                yield (name, self.object_id(key), schema, kind, description)
