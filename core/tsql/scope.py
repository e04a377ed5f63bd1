"""Names in a query: the relations of a FROM clause, and where a column name leads.

SQL Server's rules: a name is looked up in the innermost query first and then outwards; inside one
query it must be unique among the relations; comparison ignores case. A name found in an outer query
while an inner relation has the same alias would, written out qualified, be captured by the inner
one: such inner relations are noted and renamed at the end (:meth:`Scope.resolve`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from core.tsql.schema import ObjectName
from core.tsql.types import SqlType
from core.tsql.typing import BindError, line_of


@dataclass(frozen=True)
class Origin:
    """Where a column's values come from, when it is a column of a table as it is."""

    table: ObjectName
    column: str

    def __deepcopy__(self, memo: object) -> Origin:
        return self


@dataclass(frozen=True)
class OutputColumn:
    """One column of a rowset: a relation in FROM, a CTE, or the result of a query.

    ``name`` is None for an expression without an alias.
    """

    name: str | None
    type: SqlType
    nullable: bool = True
    origin: Origin | None = None


@dataclass(eq=False)
class Relation:
    """One relation of a FROM clause under the name its query knows it by.

    ``node`` is the tree that carries the alias; ``table`` the schema's object behind it, if any.
    """

    alias: str
    columns: tuple[OutputColumn, ...]
    node: exp.Expr | None = None
    table: ObjectName | None = None
    references: list[exp.Column] = field(default_factory=list)
    must_rename: bool = False

    def find(self, name: str) -> OutputColumn | None:
        """The column of that name in any case."""
        wanted = name.lower()
        for column in self.columns:
            if column.name is not None and column.name.lower() == wanted:
                return column
        return None

    def answers_to(self, column: exp.Column) -> bool:
        """Whether a qualified column names this relation, by alias or by the table's name."""
        if column.table.lower() != self.alias.lower():
            return False
        schema, database = column.db, column.catalog
        if not schema:
            return True
        if self.table is None:
            return False
        if database and self.table.database and database.lower() != self.table.database.lower():
            return False
        return schema.lower() == (self.table.schema or "dbo").lower()


@dataclass(eq=False)
class Scope:
    """The relations one query can see, and the query around it."""

    parent: Scope | None = None
    relations: list[Relation] = field(default_factory=list)
    aggregates_allowed: bool = False

    def add(self, relation: Relation) -> None:
        """Add a relation; error 1011 or 1013 when its name is taken in this FROM clause."""
        for other in self.relations:
            if other.alias.lower() == relation.alias.lower():
                same = relation.table is None or other.table is None
                if same or (relation.table and other.table and _same_table(relation, other)):
                    raise BindError(
                        1013 if relation.table else 1011,
                        f"The name '{relation.alias}' is given to two relations of one FROM "
                        "clause; they need different correlation names.",
                        line=line_of(relation.node) if relation.node is not None else 1,
                    )
        self.relations.append(relation)

    def resolve(self, column: exp.Column) -> tuple[Relation, OutputColumn, int]:
        """The relation and column a name means, and how many queries outwards it was found.

        Raises :class:`BindError` 207 (invalid column), 209 (ambiguous), 4104 (unknown qualifier).
        """
        passed: list[Relation] = []
        depth = 0
        scope: Scope | None = self
        qualifier_known = False
        while scope is not None:
            candidates = [r for r in scope.relations if not column.table or r.answers_to(column)]
            qualifier_known = qualifier_known or (bool(column.table) and bool(candidates))
            found = [(r, c) for r in candidates if (c := r.find(column.name)) is not None]
            if len(found) > 1:
                raise BindError(
                    209, f"Ambiguous column name '{column.name}'.", line=line_of(column)
                )
            if found:
                relation, output = found[0]
                for inner in passed:
                    if inner.alias.lower() == relation.alias.lower():
                        inner.must_rename = True
                return relation, output, depth
            if column.table and candidates:
                # The qualifier is bound here: SQL Server does not look further out for it.
                break
            passed.extend(scope.relations)
            scope = scope.parent
            depth += 1
        if column.table and not qualifier_known:
            written = ".".join(part.name for part in column.parts)
            raise BindError(
                4104,
                f'The multi-part identifier "{written}" could not be bound.',
                line=line_of(column),
            )
        raise BindError(207, f"Invalid column name '{column.name}'.", line=line_of(column))

    def visible(self, qualifier: exp.Column | None = None) -> Sequence[Relation]:
        """The relations a ``*`` (or ``alias.*``) of this query expands to, in FROM order."""
        if qualifier is None:
            return self.relations
        return [relation for relation in self.relations if relation.answers_to(qualifier)]


def _same_table(left: Relation, right: Relation) -> bool:
    assert left.table is not None
    assert right.table is not None
    return left.table.key == right.table.key
