"""MERGE: updated, deleted, unchanged and inserted rows, each a group.

The source is matched against every group of the target. Two WHEN MATCHED branches take the rows
in order: the second only gets what the condition of the first does not select.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sqlglot import ErrorLevel, exp

from core.compiler import trees
from core.compiler.align import aligned, assigned_value, default_of, needs_cast
from core.compiler.binder import Binder, Context
from core.compiler.inserts import Inserter, listed_columns
from core.compiler.keys import conjuncts
from core.compiler.naming import snake
from core.compiler.relations import REL, Relation
from core.compiler.result import Assumption, AssumptionKind, Refused
from core.compiler.state import Group, GroupKind, TableState, Upsert
from core.compiler.tables import Tables
from core.compiler.updates import Updater
from core.tsql.leaves import MergeAction, MergeMatch, MergeWhen, ParsedLeaf
from core.tsql.schema import Column
from core.tsql.types import SqlType


@dataclass
class Branch:
    """What one WHEN branch did to one group: the FROM and WHERE it took, for OUTPUT."""

    action: str
    query: exp.Select
    values: dict[str, exp.Expr]
    target_alias: str | None


@dataclass
class Merger:
    """Executes one MERGE."""

    binder: Binder
    tables: Tables
    inserter: Inserter
    updater: Updater
    assumptions: list[Assumption] = field(default_factory=list)
    branches: list[Branch] = field(default_factory=list)

    def merge(self, state: TableState, parsed: ParsedLeaf, context: Context) -> TableState:
        """The state after the MERGE."""
        merge, target = parsed.merge, parsed.target
        assert merge is not None
        assert target is not None
        if parsed.ctes is not None:
            context = self.binder.with_ctes(parsed.ctes, context, raw=True)
        alias = target.alias or target.table.name
        source = self._source(merge.source, context)
        source_alias = source.alias_or_name
        relation = self.binder.relations[source.name] if source.db == REL else None
        on = self.binder.expression(merge.on, context)
        before = state
        self._assume_unique(state, relation, on, source_alias, alias, context, merge.whens)
        content = self.tables.content(state, context.origin.first_line)
        self._check_names(content, source, on, alias)
        groups: list[Group] = []
        lost = False
        for group in state.groups:
            made, loses = self._matched(state, group, merge.whens, source, on, alias, context)
            groups += made
            lost = lost or (loses and group.kind is not GroupKind.NEW)
        result = replace(
            state, groups=tuple(groups), written=True, upsert=None, deleted=state.deleted or lost
        )
        for when in merge.whens:
            if when.match is MergeMatch.NOT_MATCHED:
                result = self._inserted(result, content, when, source, on, alias, context)
        upsert = self._upsert(before, result, merge.whens, source, on, alias, context)
        return replace(result, upsert=upsert)

    def _check_names(self, content: Relation, source: exp.Table, on: exp.Expr, alias: str) -> None:
        """Refuse an ON with a name that both sides have: moved into EXISTS it would find one."""
        if all(column.table for column in trees.columns_in(on)):
            return
        join = exp.Join(this=source.copy(), on=on.copy(), kind="INNER")
        items = [trees.alias(trees.one(), "one")]
        self.binder.relations.query(trees.select(items, content.ref(alias), None, [join]), "check")

    def _source(self, source: exp.Expr, context: Context) -> exp.Table:
        """The source as a relation with its alias."""
        item = self.binder.expression(source, context, tables=False)
        bound = self.binder._item(item, context)
        if isinstance(bound, exp.Table) and bound.db == REL:
            return bound
        name = bound.alias_or_name or "source"
        inner = self.binder.relations.query(trees.select([exp.Star()], bound), name, context.origin)
        return inner.ref(name)

    def _assume_unique(
        self,
        state: TableState,
        relation: Relation | None,
        on: exp.Expr,
        source_alias: str,
        alias: str,
        context: Context,
        whens: Sequence[MergeWhen],
    ) -> None:
        """Error 8672: no target row may match two source rows. Assumed where not proven."""
        if all(when.match is not MergeMatch.MATCHED for when in whens):
            return
        columns = sorted(equated(on, source_alias, alias, relation, state))
        if relation is not None and relation.is_unique_on(set(columns)):
            return
        self.assumptions.append(
            Assumption(
                AssumptionKind.UNIQUE if columns else AssumptionKind.OTHER,
                f"the source of MERGE {state.table.name} has one row per "
                f"{', '.join(columns) or 'matched target row'} (SQL Server raises error 8672 "
                "otherwise)",
                relation=relation.source if relation is not None else "",
                columns=tuple(columns),
                line=context.origin.first_line,
            )
        )

    # --- the target's rows --------------------------------------------------------------------

    def _matched(
        self,
        state: TableState,
        group: Group,
        whens: Sequence[MergeWhen],
        source: exp.Table,
        on: exp.Expr,
        alias: str,
        context: Context,
    ) -> tuple[list[Group], bool]:
        """The groups one group splits into, and whether rows of it are deleted."""
        groups: list[Group] = []
        touched: list[exp.Expr] = []
        loses = False
        all_updated = False
        name = snake(state.table.name.name)
        earlier: list[exp.Expr] = []
        for when in whens:
            if when.match is not MergeMatch.MATCHED:
                continue
            condition = self._condition(when, context)
            where = trees.all_of([*(trees.is_not_true(e.copy()) for e in earlier), condition])
            join = exp.Join(this=source.copy(), on=on.copy(), kind="INNER")
            if when.action is MergeAction.UPDATE:
                groups.append(self._updated(state, group, when, join, where, alias, context))
            else:
                loses = True
                self._note("DELETE", group, join, where, {}, alias)
            touched.append(trees.all_of([on.copy(), where]) or on.copy())
            earlier.append(condition if condition is not None else exp.true())
            if condition is None:
                touched = [on.copy()]
                all_updated = True
                break
        exists_source = trees.exists(trees.select([trees.one()], source.copy(), on.copy()))
        others, more_loss, left = self._unmatched(state, group, whens, source, on, alias, context)
        groups += others
        loses = loses or more_loss
        if all_updated and left is not None and left == exists_source:
            return groups, loses
        stays: list[exp.Expr] = [
            exp.Not(
                this=trees.exists(
                    trees.select([trees.one()], source.copy(), trees.all_of([part.copy()]))
                )
            )
            for part in touched
        ]
        if left is not None:
            stays.append(left)
        if not stays:
            groups.append(group)
            return groups, loses
        updates = all(
            when.action is MergeAction.UPDATE
            for when in whens
            if when.match is not MergeMatch.NOT_MATCHED
        )
        if updates:
            values = {
                a.column.name.lower(): a.value for w in whens for a in w.assignments if a.column
            }
            changed = [made.relation for made in groups]
            by_key = self.updater._kept(state, group.relation, changed, values, context)
            if by_key is not None:
                groups.append(replace(group, relation=by_key))
                return groups, loses
        query = trees.select([exp.Star()], group.relation.ref(alias), trees.all_of(stays))
        kept = self.binder.relations.query(query, f"unchanged_{name}", context.origin)
        groups.append(replace(group, relation=kept))
        return groups, loses

    def _condition(self, when: MergeWhen, context: Context) -> exp.Expr | None:
        if when.condition is None:
            return None
        return self.binder.expression(when.condition, context)

    def _updated(
        self,
        state: TableState,
        group: Group,
        when: MergeWhen,
        join: exp.Join,
        where: exp.Expr | None,
        alias: str,
        context: Context,
    ) -> Group:
        values = self.updater.assignments(when.assignments, context, alias, state)
        items = [
            trees.alias(assigned_value(values[c.name.lower()], c), c.name)
            if c.name.lower() in values
            else trees.column(c.name, alias)
            for c in state.table.columns
        ]
        query = trees.select(items, group.relation.ref(alias), where, [join])
        hint = self.updater.changed_hint(state, values)
        rows = self.updater._stored(state, query, hint, context)
        self._note("UPDATE", group, join, where, values, alias)
        return self.updater._changed(group, rows, values)

    def _note(
        self,
        action: str,
        group: Group,
        join: exp.Join | None,
        where: exp.Expr | None,
        values: dict[str, exp.Expr],
        alias: str,
    ) -> None:
        joins = [join.copy()] if join is not None else []
        query = trees.select(
            [exp.Star()],
            group.relation.ref(alias),
            where.copy() if where is not None else None,
            joins,
        )
        self.branches.append(Branch(action, query, values, alias))

    def _unmatched(
        self,
        state: TableState,
        group: Group,
        whens: Sequence[MergeWhen],
        source: exp.Table,
        on: exp.Expr,
        alias: str,
        context: Context,
    ) -> tuple[list[Group], bool, exp.Expr | None]:
        """WHEN NOT MATCHED BY SOURCE: changed groups, whether rows go, and who is left alone.

        The last part is None when no such branch exists (then every unmatched row stays).
        """
        branches = [w for w in whens if w.match is MergeMatch.NOT_MATCHED_BY_SOURCE]
        if not branches:
            return [], False, None
        groups: list[Group] = []
        loses = False
        alone = trees.select([trees.one()], source.copy(), on.copy())
        earlier: list[exp.Expr] = []
        matched: exp.Expr = trees.exists(alone)
        left: list[exp.Expr] | None = []
        for when in branches:
            condition = self._condition(when, context)
            where = trees.all_of(
                [
                    exp.Not(this=matched.copy()),
                    *(trees.is_not_true(e.copy()) for e in earlier),
                    condition,
                ]
            )
            if when.action is MergeAction.UPDATE:
                values = self.updater.assignments(when.assignments, context, alias, state)
                items = [
                    trees.alias(assigned_value(values[c.name.lower()], c), c.name)
                    if c.name.lower() in values
                    else trees.column(c.name, alias)
                    for c in state.table.columns
                ]
                query = trees.select(items, group.relation.ref(alias), where)
                hint = f"expired_{snake(state.table.name.name)}"
                rows = self.updater._stored(state, query, hint, context)
                groups.append(self.updater._changed(group, rows, values))
                self._note("UPDATE", group, None, where, values, alias)
            else:
                loses = True
                self._note("DELETE", group, None, where, {}, alias)
            if condition is None:
                left = None
                break
            earlier.append(condition)
            if left is not None:
                left.append(trees.is_not_true(condition.copy()))
        if left is None:
            return groups, loses, matched
        stays = exp.Paren(this=exp.Or(this=matched, expression=trees.all_of(left)))
        return groups, loses, stays

    # --- new rows -----------------------------------------------------------------------------

    def _inserted(
        self,
        state: TableState,
        content: Relation,
        when: MergeWhen,
        source: exp.Table,
        on: exp.Expr,
        alias: str,
        context: Context,
    ) -> TableState:
        columns = self._insert_columns(state, when, context)
        values = [self.binder.expression(value, context) for value in when.values]
        items = [
            trees.alias(
                default_of(column) if trees.is_default(value) else assigned_value(value, column),
                column.name,
            )
            for value, column in zip(values, columns, strict=True)
        ]
        known = trees.select([trees.one()], content.ref(alias), on.copy())
        where = trees.all_of([exp.Not(this=trees.exists(known)), self._condition(when, context)])
        query = trees.select(items, source.copy(), where)
        hint = f"new_{snake(state.table.name.name)}"
        rows = self.binder.relations.query(query, hint, context.origin)
        result, _ = self.inserter.append(state, rows, columns, [], context, hint)
        given = {c.name.lower(): v for c, v in zip(columns, values, strict=True)}
        noted = trees.select([exp.Star()], source.copy(), where.copy() if where else None)
        self.branches.append(Branch("INSERT", noted, given, None))
        return result

    def _insert_columns(self, state: TableState, when: MergeWhen, context: Context) -> list[Column]:
        columns = listed_columns(state.table, when.columns, when.line)
        if len(columns) != len(when.values):
            raise Refused(
                f"INSERT names {len(columns)} columns and gives {len(when.values)} values",
                "column count",
                when.line,
            )
        return columns

    # --- the plain upsert ---------------------------------------------------------------------

    def _upsert(
        self,
        before: TableState,
        after: TableState,
        whens: Sequence[MergeWhen],
        source: exp.Table,
        on: exp.Expr,
        alias: str,
        context: Context,
    ) -> Upsert | None:
        """The MERGE as dbt's own: one SELECT from the source, merged on a key.

        Only when it is the same thing: the target was untouched, every matched row is updated and
        every other one inserted, and a column gets the same value in both or only on insert.
        """
        if len(before.groups) != 1 or before.groups[0].kind is not GroupKind.BASE or before.written:
            return None
        kinds = [(when.match, when.action) for when in whens]
        if sorted(kinds) != [
            (MergeMatch.MATCHED, MergeAction.UPDATE),
            (MergeMatch.NOT_MATCHED, MergeAction.INSERT),
        ]:
            return None
        if any(when.condition is not None for when in whens):
            return None
        update = next(w for w in whens if w.match is MergeMatch.MATCHED)
        insert = next(w for w in whens if w.match is MergeMatch.NOT_MATCHED)
        relation = self.binder.relations[source.name]
        keys = self._merge_keys(on, source.alias_or_name, alias, relation, before)
        if not keys:
            return None
        set_ = self.updater.assignments(update.assignments, context, alias, before)
        columns = self._insert_columns(before, insert, context)
        given = {
            c.name.lower(): self.binder.expression(v, context)
            for c, v in zip(columns, insert.values, strict=True)
        }
        excluded: list[str] = []
        items: list[exp.Expr] = []
        for column in before.table.columns:
            name = column.name.lower()
            if column.identity or column.computed is not None:
                return None
            value = given.get(name)
            if name in keys:
                if value is None or not _same(value, keys[name]):
                    return None
                if name in set_ and not _same(set_[name], value):
                    return None
                if needs_cast(_column_type(value, relation, column), column.type):
                    return None
            elif name in set_:
                if value is None or not _same(set_[name], value):
                    return None
            else:
                excluded.append(column.name)
            if value is None:
                value = default_of(column)
            items.append(trees.alias(value.copy(), column.name))
        if any(_mentions(item, alias, source.alias_or_name) for item in items):
            return None
        query = trees.select(items, source.copy())
        rows = self.binder.relations.query(
            query, f"merged_{snake(after.table.name.name)}", context.origin
        )
        stored = aligned(self.binder.relations, rows, before.table, {}, rows.hint, context.origin)
        ordered = tuple(c.name for c in before.table.columns if c.name.lower() in keys)
        return Upsert(stored, ordered, tuple(excluded), after.groups)

    def _merge_keys(
        self,
        on: exp.Expr,
        source_alias: str,
        alias: str,
        relation: Relation,
        state: TableState,
    ) -> dict[str, exp.Expr]:
        """Target column to source expression for an ON that is nothing but such equalities."""
        found: dict[str, exp.Expr] = {}
        for part in conjuncts(on):
            if not isinstance(part, exp.EQ):
                return {}
            for one, other in ((part.this, part.expression), (part.expression, part.this)):
                one, other = trees.unwrapped(one), trees.unwrapped(other)
                if (
                    isinstance(one, exp.Column)
                    and isinstance(other, exp.Column)
                    and one.table.lower() == alias.lower()
                    and other.table.lower() == source_alias.lower()
                ):
                    found[one.name.lower()] = other
                    break
            else:
                return {}
        return found


def equated(
    on: exp.Expr,
    source_alias: str,
    alias: str,
    relation: Relation | None,
    state: TableState,
) -> set[str]:
    """Columns of the source that ON sets equal to something of the target."""
    found: set[str] = set()
    for part in conjuncts(on):
        if not isinstance(part, exp.EQ):
            continue
        for one, other in ((part.this, part.expression), (part.expression, part.this)):
            one = trees.unwrapped(one)
            if not isinstance(one, exp.Column) or one.table.lower() not in (
                source_alias.lower(),
                "",
            ):
                continue
            if not one.table and (
                relation is None
                or relation.column(one.name) is None
                or state.table.column(one.name)
            ):
                continue
            if any(c.table.lower() == source_alias.lower() for c in trees.columns_in(other)):
                continue
            found.add(one.name.lower())
    return found


def _same(left: exp.Expr, right: exp.Expr) -> bool:
    return _folded(left) == _folded(right)


def _folded(node: exp.Expr) -> str:
    return (
        trees.unwrapped(node)
        .sql(identify=True, comments=False, unsupported_level=ErrorLevel.IGNORE)
        .lower()
    )


def _mentions(item: exp.Expr, alias: str, source_alias: str) -> bool:
    """Whether an expression reads, or may read, the target."""
    for column in trees.columns_in(item):
        if (
            column.find_ancestor(exp.Select) is None
            and column.table.lower() != source_alias.lower()
        ):
            return True
    return any(c.table.lower() == alias.lower() for c in trees.columns_in(item))


def _column_type(value: exp.Expr, relation: Relation, column: Column) -> SqlType:
    known = relation.column(value.name) if isinstance(value, exp.Column) else None
    return known.type if known is not None else column.type
