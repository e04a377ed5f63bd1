"""What binding needs to know of a database: tables, views, functions, and their columns.

A :class:`Schema` is a value. Whoever knows the database (the project's catalog, the interpreter's
session, the compiler's table states) builds one and hands it to ``binding``; a statement that
creates a table gives a new Schema with :meth:`Schema.with_table`. Names are found the way SQL
Server finds them: case-insensitively, with the default schema (``dbo``) when none is written, and
with the database's own name in front or not. ``#temp`` tables and ``@table`` variables are tables
whose name begins with ``#`` or ``@`` and have no schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from core.tsql.types import SqlType


@dataclass(frozen=True, slots=True)
class ObjectName:
    """A possibly qualified name, parts as written, without brackets; compare by :attr:`key`."""

    name: str
    schema: str | None = None
    database: str | None = None
    server: str | None = None

    @classmethod
    def parse(cls, text: str) -> ObjectName:
        """The name in ``[db].[dbo].[t]``, ``db..t``, ``t`` or ``#t``.

        Raises ValueError when the text is not one to four dotted parts.
        """
        parts = [part.strip() for part in _PART.findall(text.strip())]
        if not 1 <= len(parts) <= 4 or not parts[-1]:
            raise ValueError(f"'{text}' is not an object name")
        names = [_unquoted(part) or None for part in parts]
        name = names[-1]
        assert name is not None
        padded = [None] * (4 - len(names)) + names
        return cls(name, padded[2], padded[1], padded[0])

    @property
    def is_temporary(self) -> bool:
        """A ``#temp`` table or an ``@table`` variable."""
        return self.name.startswith(("#", "@"))

    @property
    def key(self) -> tuple[str, str]:
        """(schema, name) case-folded: equal keys are the same object of one database."""
        if self.is_temporary:
            return "", self.name.lower()
        return (self.schema or "dbo").lower(), self.name.lower()

    def __str__(self) -> str:
        parts = [self.server, self.database, self.schema, self.name]
        while parts and parts[0] is None:
            parts.pop(0)
        return ".".join(part or "" for part in parts)


_PART = re.compile(
    r"(?:^|(?<=\.))\s*(\[(?:[^\]]|\]\])*\]|\"(?:[^\"]|\"\")*\"|[^.\[\]\"]*)\s*(?=\.|$)"
)


def _unquoted(part: str) -> str:
    if part.startswith("[") and part.endswith("]"):
        return part[1:-1].replace("]]", "]")
    if part.startswith('"') and part.endswith('"') and len(part) > 1:
        return part[1:-1].replace('""', '"')
    return part


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table, view or rowset."""

    name: str
    type: SqlType
    nullable: bool = True
    identity: bool = False
    """The server numbers it; an INSERT does not name it (unless IDENTITY_INSERT is on)."""
    default: str | None = None
    """The DEFAULT expression as T-SQL text."""
    computed: str | None = None
    """The computed column's expression as T-SQL text; such a column cannot be written."""
    collation: str | None = None


class TableKind(StrEnum):
    """What stands behind a name in FROM."""

    TABLE = "table"
    VIEW = "view"
    TEMP = "temp"
    VARIABLE = "variable"


@dataclass(frozen=True, slots=True)
class Table:
    """A table or view with its columns in order."""

    name: ObjectName
    columns: tuple[Column, ...]
    kind: TableKind = TableKind.TABLE
    keys: tuple[tuple[str, ...], ...] = ()
    """Column names of the primary key (first) and of the unique constraints."""

    def column(self, name: str) -> Column | None:
        """The column of that name in any case, or None."""
        wanted = name.lower()
        for column in self.columns:
            if column.name.lower() == wanted:
                return column
        return None


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a user-defined function; ``name`` has its ``@``."""

    name: str
    type: SqlType


@dataclass(frozen=True, slots=True)
class ScalarFunction:
    """A user-defined scalar function."""

    name: ObjectName
    parameters: tuple[Parameter, ...]
    returns: SqlType


@dataclass(frozen=True, slots=True)
class TableFunction:
    """A user-defined table-valued function, inline or not."""

    name: ObjectName
    parameters: tuple[Parameter, ...]
    columns: tuple[Column, ...]


Function = ScalarFunction | TableFunction
Key = tuple[str, str]


@dataclass(frozen=True)
class Schema:
    """The tables, views and functions a statement can name.

    ``database`` is the name under which the database refers to itself in three-part names; a
    name with another database or a server is never found (:meth:`is_foreign` tells them apart).
    """

    database: str | None = None
    default_schema: str = "dbo"
    tables: Mapping[Key, Table] = field(default_factory=dict)
    functions: Mapping[Key, Function] = field(default_factory=dict)
    alias_types: Mapping[str, SqlType] = field(default_factory=dict)
    """User-defined type names, lower case, with their base type."""

    @classmethod
    def of(
        cls,
        tables: Iterable[Table] = (),
        functions: Iterable[Function] = (),
        *,
        database: str | None = None,
        alias_types: Mapping[str, SqlType] | None = None,
    ) -> Schema:
        """A schema holding the given objects (the later of two of the same name wins)."""
        return cls(
            database=database,
            tables={table.name.key: table for table in tables},
            functions={function.name.key: function for function in functions},
            alias_types=dict(alias_types or {}),
        )

    def is_foreign(self, name: ObjectName) -> bool:
        """Whether a name points to another database or a linked server."""
        if name.server:
            return True
        if not name.database or name.is_temporary or name.database.lower() == "tempdb":
            return False
        return not self.database or name.database.lower() != self.database.lower()

    def table(self, name: ObjectName) -> Table | None:
        """The table, view, temp table or table variable a name denotes, or None."""
        if self.is_foreign(name):
            # A caller may have put the other database's table in under its full name.
            return self.tables.get(foreign_key(name))
        return self.tables.get(self._key(name))

    def function(self, name: ObjectName) -> Function | None:
        """The user-defined function a name denotes, or None."""
        if self.is_foreign(name):
            return None
        return self.functions.get(self._key(name))

    def with_table(self, table: Table) -> Schema:
        """This schema with one table added or replaced."""
        foreign = self.is_foreign(table.name)
        key = foreign_key(table.name) if foreign else self._key(table.name)
        return replace(self, tables={**self.tables, key: table})

    def without_table(self, name: ObjectName) -> Schema:
        """This schema with one table removed, if it was there."""
        key = foreign_key(name) if self.is_foreign(name) else self._key(name)
        return replace(self, tables={k: v for k, v in self.tables.items() if k != key})

    def _key(self, name: ObjectName) -> Key:
        if name.is_temporary or name.schema:
            return name.key
        return self.default_schema.lower(), name.name.lower()


def foreign_key(name: ObjectName) -> Key:
    """The key of a table of another database: its qualifiers joined, then its name."""
    schema = (name.schema or "dbo").lower()
    prefix = ".".join(part.lower() for part in (name.server, name.database) if part)
    return f"{prefix}.{schema}", name.name.lower()
