"""The project as the T-SQL front end sees it: tables, views and functions as a ``Schema``.

Columns and types come from the catalog; what the catalog does not hold (defaults, computed
columns, identity seeds, collations, unique constraints) comes from ``ddl/tables.sql``. Where the
two disagree the catalog wins and the difference is in :attr:`Warehouse.problems`.

A project has thousands of tables and a procedure uses a few: :meth:`Warehouse.schema_for` gives
the part of the database that some texts can name, through views, functions and called procedures,
and reads only that.
"""

from __future__ import annotations

import re
import threading
import weakref
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from core.project.catalog import CatalogTable
from core.project.catalog import Column as CatalogColumn
from core.project.codes import ProjectError
from core.project.names import QualifiedName
from core.project.project import MigrationProject
from core.tsql.errors import TsqlError
from core.tsql.nodes import (
    AlterTable,
    ColumnDefinition,
    ConstraintKind,
    CreateFunction,
    CreateTable,
    CreateType,
    CreateView,
    IndexStatement,
    Node,
    TableBody,
    walk,
)
from core.tsql.nodes import ObjectName as NameNode
from core.tsql.parser import parse_script
from core.tsql.schema import Column, ObjectName, Schema, Table, TableKind
from core.tsql.types import SQL_VARIANT, SqlType, UnknownTypeError, parse_type
from core.warehouse_routines import Routine, with_routines

_WORD = re.compile(r"[\w@$#]+")
_QUOTED = re.compile(r'\[((?:[^\]]|\]\])+)\]|"((?:[^"]|"")+)"')
_ALTER = re.compile(r"\bALTER\s+TABLE\b|\bCREATE\s+(?:\w+\s+){0,2}INDEX\b", re.IGNORECASE)
_CREATE_TYPE = re.compile(r"\bCREATE\s+TYPE\b", re.IGNORECASE)


@dataclass(frozen=True)
class IdentityColumn:
    """The column of a table that the server numbers, with its first number and its step."""

    column: str
    seed: int = 1
    increment: int = 1


@dataclass
class _Details:
    """What the DDL adds to a table's columns."""

    columns: list[ColumnDefinition] = field(default_factory=list)
    defaults: dict[str, str] = field(default_factory=dict)
    keys: list[tuple[str, ...]] = field(default_factory=list)
    primary_key: frozenset[str] = frozenset()

    def column(self, name: str) -> ColumnDefinition | None:
        wanted = name.casefold()
        return next((c for c in self.columns if c.name.casefold() == wanted), None)


class Warehouse:
    """The source database of a migration project, read on demand and remembered."""

    def __init__(self, project: MigrationProject) -> None:
        self.project = project
        self.problems: list[str] = []
        """What could not be read or does not agree, one sentence each, without repetition."""
        self._tables: dict[str, Table | None] = {}
        self._details: dict[str, _Details] = {}

    # -- what a text can name -----------------------------------------------------------------

    def schema_for(self, *texts: str) -> Schema:
        """The schema of everything that ``texts`` can name, directly or through other objects.

        Names are looked for everywhere, also in strings (dynamic SQL), so the schema may hold
        more than is used; it never holds less.
        """
        reachable = self.reachable(texts)
        tables = (self.table(item) for item in sorted(reachable) if item in self._table_ids)
        schema = Schema.of(
            (table for table in tables if table is not None),
            database=self.database,
            alias_types=self.alias_types,
        )
        return self._with_routines(schema, reachable)

    @cached_property
    def database(self) -> str | None:
        """The database's own name, by which three-part names may call it."""
        try:
            return self.project.manifest.source_database or None
        except ProjectError:
            return None

    @cached_property
    def _table_ids(self) -> frozenset[str]:
        return frozenset(self.project.tables())

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        """Object name without schema, lower case, to the ids of objects called so."""
        found: dict[str, list[str]] = defaultdict(list)
        for item_id in self._table_ids:
            found[self.project.name_of(item_id).name.lower()].append(item_id)
        routines = (self.project.views, self.project.functions, self.project.procedures)
        for definitions in routines:
            for item_id, definition in definitions.items():
                found[definition.name.name.lower()].append(item_id)
        return dict(found)

    def reachable(self, texts: Iterable[str]) -> set[str]:
        """Ids of every table and routine that ``texts`` can name, directly or through others."""
        reached: set[str] = set()
        waiting = list(texts)
        while waiting:
            for word in names_in(waiting.pop()):
                for item_id in self._by_name.get(word, ()):
                    if item_id not in reached:
                        reached.add(item_id)
                        waiting += self._texts_of(item_id)
        return reached

    def _texts_of(self, item_id: str) -> Iterator[str]:
        project = self.project
        for definitions in (project.views, project.functions, project.procedures):
            if item_id in definitions:
                yield definitions[item_id].text

    # -- tables -------------------------------------------------------------------------------

    def table(self, item_id: str) -> Table | None:
        """A table by its item id; ``None`` when neither catalog nor DDL gives its columns."""
        if item_id not in self._tables:
            self._tables[item_id] = self._build_table(item_id)
        return self._tables[item_id]

    def identity_of(self, item_id: str) -> IdentityColumn | None:
        """The identity column of a table, with its seed; ``None`` when it has none."""
        details = self.details_of(item_id)
        catalog = self._catalog(item_id)
        for column in details.columns:
            if column.identity is not None:
                identity = column.identity
                return IdentityColumn(column.name, identity.seed, identity.increment)
        if catalog is None:
            return None
        for listed in catalog.auto_increment_columns:
            return IdentityColumn(listed.column, listed.seed, listed.increment)
        return next((IdentityColumn(name) for name in catalog.identity_columns), None)

    def _build_table(self, item_id: str) -> Table | None:
        catalog = self._catalog(item_id)
        details = self.details_of(item_id)
        name = catalog.qualified if catalog else self.project.name_of(item_id)
        columns = self._columns(name, catalog, details)
        if not columns:
            return None
        primary = _primary_key(catalog, details)
        keys = list(details.keys)
        if catalog is not None:
            declared = (*catalog.primary_keys, *catalog.unique_indexes)
            keys = [constraint.columns for constraint in declared] + keys
        return Table(
            ObjectName(name.name, name.schema or None),
            tuple(
                replace(column, nullable=False) if column.name.casefold() in primary else column
                for column in columns
            ),
            keys=_distinct(keys),
        )

    def _columns(
        self, name: QualifiedName, catalog: CatalogTable | None, details: _Details
    ) -> tuple[Column, ...]:
        if catalog is None or not catalog.columns:
            return tuple(self._column(name, None, column, details) for column in details.columns)
        defined = {column.name.casefold(): column for column in details.columns}
        listed = {column.name.casefold(): column for column in catalog.columns}
        if defined and listed.keys() < defined.keys():
            # The catalog left out some (often computed ones): the DDL has all, in order.
            order = list(defined)
        else:
            order = list(listed)
            if defined and listed.keys() != defined.keys():
                self._problem(f"catalog and ddl/tables.sql list different columns of {name}")
        return tuple(
            self._column(name, listed.get(key), defined.get(key), details) for key in order
        )

    def _column(
        self,
        table: QualifiedName,
        listed: CatalogColumn | None,
        defined: ColumnDefinition | None,
        details: _Details,
    ) -> Column:
        name = listed.name if listed else defined.name if defined else ""
        nullable = _nullable(listed, defined)
        default = details.defaults.get(name.casefold()) or (listed.default if listed else None)
        identity = bool(listed and listed.is_identity) or bool(defined and defined.identity)
        computed = defined.computed.text if defined and defined.computed else None
        return Column(
            name,
            self._type(table, name, listed, defined),
            nullable=nullable and not identity,
            identity=identity,
            default=default,
            computed=computed,
            collation=defined.collation if defined else None,
        )

    def _type(
        self,
        table: QualifiedName,
        name: str,
        listed: CatalogColumn | None,
        defined: ColumnDefinition | None,
    ) -> SqlType:
        spelled = listed.sql_type if listed else None
        written = defined.type.text if defined and defined.type else None
        found = [
            type_ for text in (spelled, written) if text and (type_ := self._parsed_type(text))
        ]
        if len(found) == 2 and found[0] != found[1]:
            self._problem(
                f"{table} column {name} is {found[0]} in the catalog and {found[1]} in "
                "ddl/tables.sql; the catalog is used"
            )
        if found:
            return found[0]
        if spelled or written:
            self._problem(
                f"{table} column {name} has the type {spelled or written}, which is not known; it "
                "is taken for sql_variant"
            )
        return SQL_VARIANT

    def _parsed_type(self, text: str) -> SqlType | None:
        try:
            return parse_type(text, aliases=self.alias_types)
        except UnknownTypeError:
            return None

    def _catalog(self, item_id: str) -> CatalogTable | None:
        if not self.project.has_catalog_file(item_id):
            return None
        try:
            return self.project.table(item_id)
        except ProjectError as error:
            self._problem(error.diagnostic.message.rstrip("."))
            return None

    def _problem(self, sentence: str) -> None:
        if sentence not in self.problems:
            self.problems.append(sentence)

    # -- DDL ----------------------------------------------------------------------------------

    def details_of(self, item_id: str) -> _Details:
        """What ``ddl/tables.sql`` says about a table, later ``ALTER TABLE`` included."""
        if item_id not in self._details:
            details = _Details()
            for text in self._ddl_texts(item_id):
                for node in _nodes(text):
                    _take_details(details, node, item_id)
            self._details[item_id] = details
        return self._details[item_id]

    def _ddl_texts(self, item_id: str) -> Iterator[str]:
        definition = self.project.table_definitions.get(item_id)
        if definition is not None:
            yield definition.text
        name = self.project.name_of(item_id).name.lower()
        seen = definition.text if definition is not None else ""
        for text in self._alterations.get(name, ()):
            if text not in seen:
                yield text

    @cached_property
    def _alterations(self) -> dict[str, list[str]]:
        """Object name to the batches of ``ddl/tables.sql`` that alter or index tables."""
        found: dict[str, list[str]] = defaultdict(list)
        for _, batch in self.project.ddl_batches("tables"):
            if not _ALTER.search(batch.text):
                continue
            for word in names_in(batch.text):
                found[word].append(batch.text)
        return dict(found)

    @cached_property
    def alias_types(self) -> Mapping[str, SqlType]:
        """User-defined types by lower-case name, with and without schema."""
        found: dict[str, SqlType] = {}
        for kind in ("types", "tables", "procedures"):
            for _, batch in self.project.ddl_batches(kind):
                if not _CREATE_TYPE.search(batch.text):
                    continue
                for node in _nodes(batch.text):
                    if isinstance(node, CreateType) and node.base is not None:
                        try:
                            base = parse_type(node.base.text)
                        except UnknownTypeError:
                            continue
                        found[node.name.name.lower()] = base
                        found[str(node.name).lower()] = base
        return found

    # -- views and functions ------------------------------------------------------------------

    def _with_routines(self, schema: Schema, reachable: set[str]) -> Schema:
        routines: dict[str, Routine] = {}
        for item_id in sorted(reachable):
            for definitions in (self.project.views, self.project.functions):
                if item_id in definitions:
                    routines.update(_routine(item_id, definitions[item_id].text))
        complete, failures = with_routines(schema, routines)
        for item_id, reason in failures.items():
            listed = self._listed_view(item_id)
            if listed is not None:
                complete = complete.with_table(listed)
            else:
                self._problem(f"the columns of {item_id} are not known: {reason.rstrip('.')}")
        return complete

    def _listed_view(self, item_id: str) -> Table | None:
        """A view whose definition is not understood, from the columns of its catalog file."""
        try:
            entry = self.project.view_catalog(item_id)
        except ProjectError as error:
            self._problem(error.diagnostic.message.rstrip("."))
            return None
        if entry is None or not entry.columns or item_id not in self.project.views:
            return None
        name = entry.qualified
        columns = tuple(self._column(name, column, None, _Details()) for column in entry.columns)
        return Table(ObjectName(name.name, name.schema or None), columns, TableKind.VIEW)


_houses: weakref.WeakKeyDictionary[MigrationProject, Warehouse] = weakref.WeakKeyDictionary()
_opening = threading.Lock()


def warehouse_of(project: MigrationProject) -> Warehouse:
    """The one warehouse of an open project: what was read for one procedure serves the next.

    Its tables are remembered without a lock, so use it from one thread at a time.
    """
    with _opening:
        house = _houses.get(project)
        if house is None:
            house = _houses[project] = Warehouse(project)
        return house


def _routine(item_id: str, text: str) -> dict[str, Routine]:
    for node in _nodes(text):
        if isinstance(node, CreateView | CreateFunction):
            return {item_id: node}
    return {}


def _nodes(text: str) -> Iterator[Node]:
    try:
        yield from walk(parse_script(text))
    except TsqlError:
        return


def names_in(text: str) -> set[str]:
    """Every word and quoted name of a text, lower case; also those inside strings."""
    words = {word.lower() for word in _WORD.findall(text)}
    for bracketed, quoted in _QUOTED.findall(text):
        words.add((bracketed.replace("]]", "]") or quoted.replace('""', '"')).lower())
    return words


def _take_details(details: _Details, node: Node, item_id: str) -> None:
    match node:
        case CreateTable(name=name, body=body) if _names(name, item_id):
            details.columns = list(body.columns)
            _take_constraints(details, body)
        case AlterTable(name=name, add=TableBody() as body) if _names(name, item_id):
            details.columns += [c for c in body.columns if details.column(c.name) is None]
            _take_constraints(details, body)
        case AlterTable(name=name) if _names(name, item_id):
            dropped = {column.casefold() for column in node.drop_columns}
            details.columns = [c for c in details.columns if c.name.casefold() not in dropped]
        case IndexStatement(table=NameNode() as name, is_unique=True) if _names(name, item_id):
            # A filtered index says nothing about the rows outside of its filter.
            if node.columns and not re.search(r"\bWHERE\b", node.text, re.IGNORECASE):
                details.keys.append(node.columns)


def _names(name: NameNode, item_id: str) -> bool:
    return f"{name.schema or 'dbo'}.{name.name}".lower() == item_id


def _keys_of(body: TableBody) -> list[tuple[str, ...]]:
    primary = [body.primary_key] if body.primary_key else []
    single = [(column.name,) for column in body.columns if column.unique]
    unique = [c.columns for c in body.constraints if c.kind is ConstraintKind.UNIQUE]
    return primary + single + unique


def _take_constraints(details: _Details, body: TableBody) -> None:
    details.keys += _keys_of(body)
    if body.primary_key:
        details.primary_key = frozenset(name.casefold() for name in body.primary_key)
    for column in body.columns:
        if column.default is not None:
            details.defaults[column.name.casefold()] = column.default.text
    for constraint in body.constraints:
        if constraint.kind is ConstraintKind.DEFAULT and constraint.expression is not None:
            for name in constraint.columns:
                details.defaults[name.casefold()] = constraint.expression.text


def _nullable(listed: CatalogColumn | None, defined: ColumnDefinition | None) -> bool:
    """The catalog's word; the DDL's where the catalog says nothing; NULL allowed else."""
    if listed is not None and "is_nullable" in listed.model_fields_set:
        return listed.is_nullable
    if defined is not None and (defined.nullable is False or defined.primary_key):
        return False
    return listed.is_nullable if listed is not None else True


def _primary_key(catalog: CatalogTable | None, details: _Details) -> frozenset[str]:
    """Columns of the declared primary key: they are NOT NULL whatever is said of them."""
    if catalog is not None and catalog.primary_keys:
        return frozenset(name.casefold() for name in catalog.primary_keys[0].columns)
    return details.primary_key


def _distinct(keys: Iterable[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    found: dict[tuple[str, ...], tuple[str, ...]] = {}
    for key in keys:
        if key:
            found.setdefault(tuple(name.casefold() for name in key), key)
    return tuple(found.values())
