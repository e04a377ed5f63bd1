"""What a table name means at a point of the execution, and a table's content as one relation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sqlglot import exp

from core.compiler import trees
from core.compiler.align import typed_null
from core.compiler.naming import snake
from core.compiler.options import CompileOptions, ModelInput
from core.compiler.registry import Relations
from core.compiler.relations import Relation, RelationKind, reader_of
from core.compiler.result import Refused, Unsupported
from core.compiler.state import Group, GroupKind, State, TableState
from core.tsql.schema import ObjectName, Table, TableKind, foreign_key
from core.tsql.types import TypeName


def table_key(name: ObjectName, default_schema: str = "dbo") -> str:
    """``schema.table`` in lower case; a temp table's key is its own name."""
    if name.is_temporary:
        return name.name.lower()
    parts = [name.schema or default_schema, name.name]
    return ".".join(part.lower() for part in parts)


@dataclass
class Tables:
    """Finds tables: permanent ones in the schema, others in the state."""

    relations: Relations
    options: CompileOptions
    target: str
    final_versions: Mapping[str, int] | None = None
    _groups: dict[str, tuple[TableState, tuple[Group, ...]]] = field(default_factory=dict)

    def key(self, name: ObjectName) -> str:
        """The key under which a table's state is kept."""
        schema = self.relations.schema
        if not name.is_temporary and schema.is_foreign(name):
            prefix, last = foreign_key(name)
            return f"{prefix}.{last}"
        return table_key(name, schema.default_schema)

    def state_of(self, name: ObjectName, state: State, line: int) -> TableState:
        """The state of a table about to be written. Raises `Refused` for what cannot be."""
        key = self.key(name)
        found = state.tables.get(key)
        if found is not None:
            return found
        if name.is_temporary:
            raise Refused(
                f"the temporary table {name.name} is not created here", "temp table", line
            )
        table = self.relations.schema.table(name)
        if table is None:
            raise Refused(
                f"the columns of {name} are not known: there is no CREATE TABLE or catalog entry",
                "unknown table",
                line,
            )
        if table.kind is TableKind.VIEW:
            raise Refused(f"{name} is a view that is written through", "write through a view", line)
        base = Group(self.base(key, table), GroupKind.BASE)
        return TableState(table, (base,))

    def base(self, key: str, table: Table) -> Relation:
        """The rows a permanent table held before the procedure ran."""
        hint = snake(table.name.name)
        if key == self.target:
            return self.relations.imported(key, table, f"existing_{hint}", RelationKind.EXISTING)
        if self._has_own_model(key) and (self.final_versions or {}).get(key):
            return self.relations.imported(key, table, hint, RelationKind.PRIOR)
        return self._final(key, table)

    def _final(self, key: str, table: Table) -> Relation:
        """A table as dbt finds it when the model runs."""
        hint = snake(table.name.name)
        found = self.options.relation(key)
        if isinstance(found, ModelInput) and not hint:
            hint = snake(found.model)
        return self.relations.imported(key, table, hint)

    def _has_own_model(self, key: str) -> bool:
        return key != self.target and isinstance(self.options.relation(key), ModelInput)

    def read(self, key: str, state: TableState, line: int) -> Relation:
        """What a query sees of a table this procedure writes.

        Another target that has a model of its own is read through ``ref()`` once it is complete:
        dbt builds it first, so its ref() is its *final* content. Before that only a table that
        is built from nothing can be read; its prior content is not there any more.
        """
        if self.final_versions is None or not self._has_own_model(key) or state.poison is not None:
            return self.content(state, line)
        if state.version == self.final_versions.get(key):
            return self._final(key, state.table)
        content = self.content(state, line)
        self.check_available(content, line)
        return content

    def check_available(self, relation: Relation, line: int = 0) -> None:
        """Refuse what needs rows that another target's model has replaced by then."""
        found = reader_of(relation, RelationKind.PRIOR)
        if found is not None:
            reader, prior = found
            raise Refused(
                f"what {'.'.join(prior.spelled)} held before the procedure is needed, and a model "
                "of its own builds it: ref() shows what it holds afterwards",
                "reads another target half-way",
                line or reader.origin.first_line,
            )

    def prior(self, state: TableState) -> Relation | None:
        """The rows a permanent table held before the procedure, or None for a temporary one."""
        if state.table.name.is_temporary:
            return None
        return self.base(self.key(state.table.name), state.table)

    def content(self, state: TableState, line: int) -> Relation:
        """All rows of a table as one relation. Raises `Refused` when they are not known."""
        if state.poison is not None:
            why = state.poison
            raise Refused(
                f"what {state.table.name} holds is not known: {why.reason}", why.construct, why.line
            )
        groups = state.groups
        if not groups:
            return self.empty(state.table)
        if len(groups) == 1:
            return groups[0].relation
        made = self._union(state, groups)
        self._groups[made.id] = (state, groups)
        return made

    def narrowed(self, relation: Relation, fixed: Mapping[str, str]) -> Relation:
        """A table's content without the groups that cannot hold ``column = literal``.

        A read with ``is_current = 1`` does not look at rows that were just expired.
        """
        found = self._groups.get(relation.id)
        if found is None:
            return relation
        state, groups = found
        kept = tuple(
            group
            for group in groups
            if not any(
                name in group.constants and _differ(state.table, name, group.constants[name], value)
                for name, value in fixed.items()
            )
        )
        if len(kept) == len(groups) or not kept:
            return relation
        return kept[0].relation if len(kept) == 1 else self._union(state, kept)

    def _union(self, state: TableState, groups: tuple[Group, ...]) -> Relation:
        queries = [trees.select([exp.Star()], group.relation.ref()) for group in groups]
        hint = snake(state.table.name.name)
        if any(group.kind is not GroupKind.NEW for group in groups):
            hint = f"current_{hint}"
        else:
            hint = f"all_{hint}"
        return self.relations.query(trees.union_all(queries), hint)

    def empty(self, table: Table) -> Relation:
        """No rows, with a table's columns."""
        items = [trees.alias(typed_null(column.type), column.name) for column in table.columns]
        query = exp.Select(expressions=items)
        query.set(
            "where", exp.Where(this=exp.EQ(this=trees.one(), expression=exp.Literal.number(0)))
        )
        return self.relations.query(query, f"no_{snake(table.name.name)}")


def _differ(table: Table, name: str, held: str, wanted: str) -> bool:
    """Whether two literals cannot be equal in a column, however they are converted."""
    column = table.column(name)
    if column is None:
        return False
    if held.isdecimal() and wanted.isdecimal() and column.type.is_exact:
        numbers = [int(held), int(wanted)]
        if column.type.name is TypeName.BIT:
            numbers = [min(number, 1) for number in numbers]
        return numbers[0] != numbers[1]
    texts = [text.removeprefix("N") for text in (held, wanted)]
    if column.type.is_string and all(text.startswith("'") for text in texts):
        first, second = (text[1:-1].rstrip(" ").casefold() for text in texts)
        return first != second
    return False


def merged(state: TableState, content: Relation) -> TableState:
    """The state with all rows in one group: what is left when a statement looks across groups.

    Rows of the prior content can then no longer be told apart, so the model has to emit them all.
    """
    if len(state.groups) == 1:
        return state
    prior = any(group.kind is not GroupKind.NEW for group in state.groups)
    return replace(
        state,
        groups=(Group(content, GroupKind.NEW),),
        deleted=state.deleted or prior,
        upsert=None,
    )


def poison_all(state: State, why: Unsupported) -> None:
    """Note that anything may have changed."""
    if state.poison is None:
        state.poison = why
