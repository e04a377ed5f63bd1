"""Relations: the immutable queries that table states are made of. One relation, one CTE.

A relation's query is a *T-SQL* tree whose tables are other relations (``rel__.r7``) or nothing
else; it is translated when it is created, so its columns have names and types and a query that
means nothing cannot exist. Composition happens in T-SQL and translation in one place
(`core.compiler.translate`), which keeps the meaning of an expression out of the algebra.

Relations are hash-consed: the same query is the same relation, which is common-subexpression
elimination for free.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from sqlglot import exp

from core.tsql.schema import Column, ObjectName, Table

REL = "rel__"
"""The schema under which relations are known to the type checker."""


class RelationKind(StrEnum):
    IMPORT = "import"
    """A table outside the model: ``select * from {{ source() }}`` or ``{{ ref() }}``."""
    EXISTING = "existing"
    """The prior content of the model's own table: ``{{ this }}``, empty on the first run."""
    PRIOR = "prior"
    """What another target, built by a model of its own, held before the procedure: never there
    when the model runs, so nothing that is emitted may read it."""
    QUERY = "query"
    ALIGNMENT = "alignment"
    """Rows of one relation converted to a table's columns and types."""


_WITHOUT_QUERY = (RelationKind.IMPORT, RelationKind.EXISTING, RelationKind.PRIOR)


@dataclass(frozen=True)
class Origin:
    """Where a relation comes from in the procedure: inclusive lines and the comments above."""

    first_line: int = 0
    last_line: int = 0
    comments: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Relation:
    """One query with its columns. `query` is None for imports, which have `source` instead.

    ``duckdb`` is the translated query. ``hint`` is the name the CTE would like to have.
    ``keys`` are column sets known to be unique in it (lower case). For an import, ``source`` is
    the table's key and ``spelled`` its schema and name as the catalog writes them.
    """

    id: str
    kind: RelationKind
    columns: tuple[Column, ...]
    hint: str
    query: exp.Expr | None = None
    duckdb: exp.Expr | None = None
    source: str = ""
    spelled: tuple[str, str] = ("", "")
    origin: Origin = field(default_factory=Origin)
    inputs: tuple[Relation, ...] = ()
    keys: tuple[frozenset[str], ...] = ()
    recursive: bool = False

    def __post_init__(self) -> None:
        if (self.query is None) != (self.kind in _WITHOUT_QUERY):
            raise ValueError(f"relation {self.id}: only an import is without a query")
        names = [column.name.lower() for column in self.columns]
        if len(set(names)) != len(names):
            raise ValueError(f"relation {self.id}: two columns of one name")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column | None:
        wanted = name.lower()
        return next((c for c in self.columns if c.name.lower() == wanted), None)

    def table(self) -> Table:
        """This relation as the type checker sees it."""
        keys = tuple(tuple(sorted(key)) for key in self.keys)
        return Table(ObjectName(self.id, REL), self.columns, keys=keys)

    def ref(self, alias: str | None = None) -> exp.Table:
        """A FROM item that reads this relation."""
        node = exp.Table(this=exp.to_identifier(self.id), db=exp.to_identifier(REL))
        if alias:
            node.set("alias", exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))
        return node

    def is_unique_on(self, columns: set[str]) -> bool:
        """Whether two rows can never agree on all of `columns` (lower case)."""
        return any(key <= columns for key in self.keys)


def reaches(relation: Relation, wanted: RelationKind) -> bool:
    """Whether a relation reads, directly or through others, an import of a kind."""
    return reader_of(relation, wanted) is not None


def reader_of(relation: Relation, wanted: RelationKind) -> tuple[Relation, Relation] | None:
    """The first import of a kind that a relation reads, directly or through others, and its reader.

    The reader is the import itself where nothing is between.
    """
    seen: set[str] = set()
    pending = [(relation, relation)]
    while pending:
        reader, current = pending.pop()
        if current.id in seen:
            continue
        seen.add(current.id)
        if current.kind is wanted:
            return reader, current
        pending.extend((current, found) for found in current.inputs)
    return None
