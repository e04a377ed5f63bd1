"""The tables of the reference: created from definitions, loaded, checked, restored.

Every T-SQL table is one DuckDB table whose columns have the storage types. Keys and checks are
verified after a write, inside the same DuckDB transaction, because DuckDB's own indexes compare
text by code point. A T-SQL transaction is not a DuckDB transaction (which an error would end): the
tables it writes are copied before their first change and put back by ROLLBACK.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from core.interpreter.context import Physical, Profile
from core.interpreter.definitions import Definition, Identity, Key
from core.interpreter.engine import Engine
from core.interpreter.errors import SqlError
from core.interpreter.expressions import fold
from core.interpreter.naming import physical_name, quoted
from core.interpreter.values import coerced
from core.tsql.schema import Column, ObjectName, Schema, Table
from core.tsql.types import duckdb_storage

_T = TypeVar("_T")


class FunctionNeeded(Exception):  # noqa: N818 - control flow
    """A write needs the result of a function for `key`; it is rolled back and done again."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


@dataclass
class IdentityState:
    """The counter of an identity column; it is never rolled back."""

    definition: Identity
    current: int | None = None

    @property
    def next(self) -> int:
        if self.current is None:
            return self.definition.seed
        return self.current + self.definition.increment

    def taken(self, count: int) -> None:
        if count:
            self.current = self.next + (count - 1) * self.definition.increment


@dataclass
class StoredTable:
    """A table that exists, with its counter and its place in DuckDB."""

    definition: Definition
    physical: Physical
    identity: IdentityState | None
    owner: int = 0
    dirty: bool = False
    database: str = "master"

    @property
    def table(self) -> Table:
        return self.definition.table

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that are stored: computed ones are not."""
        return tuple(c for c in self.table.columns if c.computed is None)

    @property
    def shown(self) -> str:
        """The name as error messages show it."""
        name = self.table.name
        return name.name if name.is_temporary else f"{name.schema or 'dbo'}.{name.name}"

    @property
    def full(self) -> str:
        """The name as errors 515 and 2628 show it, with the database."""
        name = self.table.name
        if name.name.startswith("@"):
            return name.name
        return f"tempdb.dbo.{name.name}" if name.is_temporary else f"{self.database}.{self.shown}"


class TableStore:
    """All tables of one session; the schema names exactly the tables that exist."""

    def __init__(self, engine: Engine, schema: Schema, profile: Profile) -> None:
        self.engine = engine
        self.schema = schema
        self.profile = profile
        self.stored: dict[tuple[str, str], StoredTable] = {}
        self.savepoints: list[Savepoint] = []
        #: A write with its checks is under way: the engine's transaction is open.
        self.is_writing = False
        self.default_of: Callable[[StoredTable, Column], object] = lambda stored, column: None
        """The value of a column that a loaded row leaves out; set by the session."""
        self.call_function: Callable[[str], None] = lambda key: None
        """Makes the result of a function known, by the key a query asked with; set likewise."""
        self._names: set[str] = set()

    # --- finding ----------------------------------------------------------------------------------

    def find(self, name: ObjectName) -> StoredTable | None:
        """The table a name denotes, as the schema resolves it."""
        table = self.schema.table(name)
        return None if table is None else self.stored.get(self._key(table.name))

    def _key(self, name: ObjectName) -> tuple[str, str]:
        if self.schema.is_foreign(name):
            from core.tsql.schema import foreign_key

            return foreign_key(name)
        return name.key

    # --- creating ---------------------------------------------------------------------------------

    def create(self, definition: Definition, owner: int = 0) -> StoredTable:
        """Create an empty table; the caller has checked that the name is free."""
        table = definition.table
        name = self._free_name(physical_name(table.name))
        computed = tuple(c for c in table.columns if c.computed is not None)
        columns = ", ".join(
            f"{quoted(c.name)} {duckdb_storage(c.type)}{'' if c.nullable else ' NOT NULL'}"
            for c in table.columns
            if c.computed is None
        )
        self.engine.query(f"CREATE TABLE {quoted(name)} ({columns})")
        self._names.add(name)
        identity = IdentityState(definition.identity) if definition.identity else None
        found = StoredTable(definition, Physical(name, table, computed), identity, owner)
        found.database = self.schema.database or found.database
        self.stored[self._key(table.name)] = found
        self.schema = self.schema.with_table(table)
        return found

    def _free_name(self, wanted: str) -> str:
        name, number = wanted, 2
        while name in self._names:
            name, number = f"{wanted}~{number}", number + 1
        return name

    def drop(self, stored: StoredTable) -> None:
        key = self._key(stored.table.name)
        for savepoint in self.savepoints:
            savepoint.dropped(stored)
        if not any(s.keeps(stored) for s in self.savepoints):
            self.engine.query(f"DROP TABLE {quoted(stored.physical.name)}")
            self._names.discard(stored.physical.name)
        if self.stored.get(key) is stored:
            del self.stored[key]
            self.schema = self.schema.without_table(stored.table.name)

    def replace_definition(self, stored: StoredTable, definition: Definition) -> StoredTable:
        """A table whose columns changed (ALTER TABLE); rows stay where they are."""
        computed = tuple(c for c in definition.table.columns if c.computed is not None)
        found = StoredTable(
            definition,
            Physical(stored.physical.name, definition.table, computed),
            stored.identity,
            stored.owner,
            dirty=True,
            database=stored.database,
        )
        self.stored[self._key(definition.table.name)] = found
        self.schema = self.schema.with_table(definition.table)
        return found

    def restore_visible(self, table: StoredTable) -> None:
        """Make a hidden table (of an outer scope) the one its name denotes."""
        self.stored[self._key(table.table.name)] = table
        self.schema = self.schema.with_table(table.table)

    # --- rows -------------------------------------------------------------------------------------

    def load(self, stored: StoredTable, rows: Iterable[Mapping[str, object]]) -> int:
        """Put rows into a table as they are given: absent columns get default, identity or NULL.

        Values may be texts as found in files (dates, numbers, true/false).
        """
        columns = stored.columns
        names = {c.name.casefold(): n for n, c in enumerate(columns)}
        wanted: list[list[object]] = []
        for row in rows:
            cells: list[object] = [_ABSENT] * len(columns)
            for name, value in row.items():
                position = names.get(str(name).casefold())
                if position is not None:
                    cells[position] = coerced(value, columns[position].type)
            wanted.append(cells)
        if not wanted:
            return 0
        self._complete(stored, columns, wanted)
        self.insert_values(stored, wanted)
        stored.dirty = True
        return len(wanted)

    def _complete(
        self, stored: StoredTable, columns: Sequence[Column], rows: list[list[object]]
    ) -> None:
        identity = stored.identity
        for position, column in enumerate(columns):
            is_identity = identity is not None and column.identity
            for row in rows:
                if is_identity and identity is not None:
                    if row[position] in (_ABSENT, None):
                        row[position] = identity.next
                        identity.taken(1)
                    elif isinstance(row[position], int):
                        self.seen(identity, int(str(row[position])))
                elif row[position] is _ABSENT:
                    row[position] = self.default_of(stored, column)

    @staticmethod
    def seen(identity: IdentityState, value: int) -> None:
        """An explicit identity value moves the counter when it is beyond it."""
        current = identity.current
        ahead = current is None or (
            value > current if identity.definition.increment > 0 else value < current
        )
        if ahead:
            identity.current = value

    def insert_values(self, stored: StoredTable, rows: Sequence[Sequence[object]]) -> None:
        """Rows of Python values in column order, in chunks."""
        columns = stored.columns
        marks = "(" + ", ".join("?" * len(columns)) + ")"
        size = max(1, 900 // max(1, len(columns)))
        for start in range(0, len(rows), size):
            chunk = rows[start : start + size]
            sql = f"INSERT INTO {quoted(stored.physical.name)} VALUES " + ", ".join(
                [marks] * len(chunk)
            )
            self.engine.query(sql, [value for row in chunk for value in row], stored.full)

    def rows(self, stored: StoredTable) -> list[tuple[Any, ...]]:
        """All rows in the order they were written, stored columns only."""
        columns = ", ".join(quoted(c.name) for c in stored.columns)
        return self.engine.query(
            f"SELECT {columns} FROM {quoted(stored.physical.name)} ORDER BY rowid"
        )

    def clear(self, stored: StoredTable) -> None:
        """Empty a table and start its counter again."""
        self.engine.query(f"DELETE FROM {quoted(stored.physical.name)}")
        if stored.identity is not None:
            stored.identity.current = None
        stored.dirty = False

    # --- writing ----------------------------------------------------------------------------------

    def atomically(self, work: Callable[[], _T]) -> _T:
        """Run a write and its checks as one: all of it or nothing.

        `work` is run again when it needs the result of a function that is not known yet.
        """
        while True:
            try:
                return self._once(work)
            except FunctionNeeded as needed:
                self.call_function(needed.key)

    def _once(self, work: Callable[[], _T]) -> _T:
        self.engine.query("BEGIN")
        self.is_writing = True
        try:
            result = work()
        except BaseException:
            self.engine.connection.execute("ROLLBACK")
            raise
        finally:
            self.is_writing = False
        self.engine.query("COMMIT")
        return result

    def touch(self, stored: StoredTable) -> None:
        """A table is about to be written: open transactions keep a copy of it."""
        stored.dirty = True
        if stored.table.name.name.startswith("@"):
            # Table variables are not part of transactions.
            return
        for savepoint in self.savepoints:
            savepoint.keep(self, stored)

    def check_keys(self, stored: StoredTable, skipped: Sequence[Key] = ()) -> None:
        """Errors 2627 and 2601 for keys that are there twice."""
        for key in stored.definition.keys:
            if key in skipped:
                continue
            folded = [self._folded(stored, name) for name in key.columns]
            shown = ", ".join(f"min({quoted(name)})" for name in key.columns)
            rows = self.engine.query(
                f"SELECT {shown} FROM {quoted(stored.physical.name)} "
                f"GROUP BY {', '.join(folded)} HAVING count(*) > 1 LIMIT 1"
            )
            if rows:
                raise _duplicate(stored, key, rows[0])

    def _folded(self, stored: StoredTable, name: str) -> str:
        column = stored.table.column(name)
        sql = quoted(name)
        return sql if column is None else fold(sql, column.type, self.profile.case_sensitive)

    # --- transactions -----------------------------------------------------------------------------

    def begin(self, name: str | None = None) -> None:
        self.savepoints.append(Savepoint(name))

    def forget(self) -> None:
        """The outermost transaction is committed: its copies are not needed any more."""
        for savepoint in self.savepoints:
            savepoint.release(self)
        self.savepoints.clear()

    def rollback(self, position: int = 0) -> None:
        """Put back what was written since savepoint `position`; the savepoint itself stays open."""
        for savepoint in reversed(self.savepoints[position:]):
            savepoint.restore(self)
            savepoint.release(self)
        del self.savepoints[position:]


class _Absent:
    """A column that a loaded row does not mention."""


_ABSENT = _Absent()


@dataclass
class Savepoint:
    """Copies of the tables written since some moment, and the tables created or dropped since."""

    name: str | None = None
    copies: dict[str, tuple[StoredTable, str]] = field(default_factory=dict)
    created: list[StoredTable] = field(default_factory=list)
    removed: list[StoredTable] = field(default_factory=list)

    def keep(self, store: TableStore, stored: StoredTable) -> None:
        name = stored.physical.name
        if name in self.copies or stored in self.created:
            return
        copy = f"~copy{id(self)}~{name}"
        store.engine.query(f"CREATE TABLE {quoted(copy)} AS FROM {quoted(name)} ORDER BY rowid")
        self.copies[name] = (stored, copy)

    def keeps(self, stored: StoredTable) -> bool:
        return any(table is stored for table in self.removed)

    def dropped(self, stored: StoredTable) -> None:
        if stored in self.created:
            self.created.remove(stored)
        else:
            self.removed.append(stored)

    def restore(self, store: TableStore) -> None:
        for stored in list(self.created):
            if store.stored.get(store._key(stored.table.name)) is stored:
                saved, store.savepoints = store.savepoints, []
                store.drop(stored)
                store.savepoints = saved
        for stored in self.removed:
            store.restore_visible(stored)
        for name, (stored, copy) in self.copies.items():
            store.engine.query(f"DELETE FROM {quoted(name)}")
            store.engine.query(f"INSERT INTO {quoted(name)} FROM {quoted(copy)}")
            stored.dirty = True
        self.removed.clear()

    def release(self, store: TableStore) -> None:
        for _, copy in self.copies.values():
            store.engine.query(f"DROP TABLE IF EXISTS {quoted(copy)}")
        for stored in self.removed:
            store.engine.query(f"DROP TABLE IF EXISTS {quoted(stored.physical.name)}")
        self.copies.clear()
        self.removed.clear()


def _duplicate(stored: StoredTable, key: Key, values: Sequence[object]) -> SqlError:
    shown = ", ".join("<NULL>" if value is None else str(value) for value in values)
    if key.kind == "INDEX":
        return SqlError(
            2601,
            f"Cannot insert duplicate key row in object '{stored.shown}' with unique index "
            f"'{key.name}'. The duplicate key value is ({shown}).",
            severity=14,
        )
    return SqlError(
        2627,
        f"Violation of {key.kind} constraint '{key.name}'. Cannot insert duplicate key in object "
        f"'{stored.shown}'. The duplicate key value is ({shown}).",
        severity=14,
    )
