"""UPDATE: every group splits into the rows that change and the rows that stay."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp

from core.compiler import trees
from core.compiler.align import aligned, assigned_value, default_of
from core.compiler.binder import Binder, Context
from core.compiler.joins import JoinedTarget
from core.compiler.naming import snake
from core.compiler.relations import Relation
from core.compiler.result import Assumption, AssumptionKind, Refused
from core.compiler.state import Group, GroupKind, TableState
from core.compiler.tables import Tables
from core.tsql.leaves import Assignment, Target
from core.tsql.schema import Column

_END = re.compile(r"validto|enddate|effectiveto|expir|endtime|todate$|rowend")
_FLAG = re.compile(r"current|active|latest")
_COMPOUND = {"+=": exp.Add, "-=": exp.Sub, "*=": exp.Mul, "/=": exp.Div, "%=": exp.Mod}


def key_column(state: TableState, relation: Relation) -> str | None:
    """One column that is unique in a group and never NULL: the identity column, or a key."""
    for column in relation.columns:
        known = state.table.column(column.name)
        if known is not None and known.identity and not state.table.name.is_temporary:
            return column.name
    for key in relation.keys:
        if len(key) == 1:
            only = relation.column(next(iter(key)))
            declared = state.table.column(next(iter(key)))
            if only is not None and declared is not None and not declared.nullable:
                return only.name
    return None


def stored_value(value: exp.Expr, column: Column) -> exp.Expr:
    """A new value beside an old one in a CASE: cast first, so that the old one is not converted.

    A literal or NULL of the column's own kind changes nothing and needs no cast.
    """
    plain = trees.unwrapped(value)
    if isinstance(plain, exp.Null):
        return value
    if isinstance(plain, exp.Literal) and plain.is_string and column.type.is_string:
        return value
    if isinstance(plain, exp.National) and column.type.is_string:
        return value
    if isinstance(plain, exp.Literal) and plain.name.isdecimal() and column.type.is_exact:
        return value
    return trees.cast(value, column.type)


def _stays(anti: tuple[exp.Select, exp.Expr | None] | None, where: exp.Expr | None) -> exp.Expr:
    """The condition under which an outer-joined statement leaves a row alone."""
    if anti is None:
        assert where is not None
        return trees.is_not_true(where.copy())
    partner, rest = anti
    found = trees.exists(partner)
    if rest is None:
        return found
    return exp.Or(this=found, expression=trees.is_not_true(rest))


def _changed_items(
    state: TableState, joined: JoinedTarget, values: Mapping[str, exp.Expr]
) -> list[exp.Expr]:
    """A target row's columns after the statement."""
    return [
        trees.alias(assigned_value(values[column.name.lower()], column), column.name)
        if column.name.lower() in values
        else trees.column(column.name, joined.alias)
        for column in state.table.columns
    ]


@dataclass(frozen=True)
class ChosenMatch:
    """The first of the rows that match a target row, as an APPLY, and what is selected over it.

    ``columns`` are the names and values the APPLY gives; rows are ordered by those that read
    columns. Without ``required`` a target row without a match stays, as under OUTER APPLY.
    """

    rows: exp.Select
    columns: Sequence[tuple[str, exp.Expr]]
    alias: str
    required: bool
    items: Sequence[exp.Expr]
    where: exp.Expr | None

    def select(self, target: exp.Table) -> exp.Select:
        """The changed rows of a target."""
        items = [item.copy() for item in self.items]
        where = self.where.copy() if self.where is not None else None
        return trees.select(items, target, where, [self._join()])

    def _join(self) -> exp.Join:
        match = self.rows.copy()
        match.set("expressions", [trees.alias(value.copy(), name) for name, value in self.columns])
        order = [
            exp.Ordered(this=value.copy()) for _, value in self.columns if trees.columns_in(value)
        ]
        match.set("order", exp.Order(expressions=order) if order else None)
        match.set("limit", exp.Limit(expression=trees.one()))
        return trees.applied(match, self.alias, outer=not self.required)


@dataclass
class Updater:
    """Splits groups by conditions and joins. `assumptions` collects what had to be assumed."""

    binder: Binder
    tables: Tables
    assumptions: list[Assumption] = field(default_factory=list)

    def joined(
        self, query: exp.Expr, target: Target, context: Context, guard: exp.Expr | None = None
    ) -> JoinedTarget:
        """The bound FROM of a statement, the target's own table left as it is named.

        `guard` is a closed condition without which the statement does nothing.
        """
        alias = target.alias or target.table.name
        bound = self.binder.query(query, context)
        if not isinstance(bound, exp.Select) or bound.args.get("from_") is None:
            raise Refused("the rows to change are not a plain query", "UPDATE FROM")
        if guard is not None:
            where = bound.args.get("where")
            both = trees.all_of([where.this if where is not None else None, guard.copy()])
            bound.set("where", exp.Where(this=both))
        return JoinedTarget(bound, alias)

    def check_names(self, joined: JoinedTarget, values: Sequence[exp.Expr]) -> None:
        """Refuse a name that is not unique in the statement's FROM, as SQL Server does.

        The algebra moves conditions into subqueries, where such a name would silently be taken
        for the inner relation's.
        """
        trees_ = [joined.query, *values]
        if not joined.others or all(
            column.table for tree in trees_ for column in trees.columns_in(tree)
        ):
            return
        query = joined.query.copy()
        items = [trees.alias(value.copy(), f"value_{i}") for i, value in enumerate(values)]
        query.set("expressions", items or [trees.alias(trees.one(), "one")])
        self.binder.relations.query(query, "check")

    def assignments(
        self, assignments: Sequence[Assignment], context: Context, alias: str, state: TableState
    ) -> dict[str, exp.Expr]:
        """New values by lower-case column name, bound."""
        found: dict[str, exp.Expr] = {}
        for assignment in assignments:
            if assignment.variable is not None or assignment.column is None:
                raise Refused("a variable is set inside UPDATE", "UPDATE SET @v", assignment.line)
            name = assignment.column.name
            known = state.table.column(name)
            if known is None:
                raise Refused(
                    f"there is no column '{name}' to update", "unknown column", assignment.line
                )
            value = self.binder.expression(assignment.value, context)
            if trees.is_default(value):
                value = default_of(known)
            if assignment.operator != "=":
                kind = _COMPOUND.get(assignment.operator)
                if kind is None:
                    raise Refused(f"the operator {assignment.operator}", "compound assignment")
                value = kind(this=trees.column(name, alias), expression=exp.Paren(this=value))
            found[name.lower()] = value
        return found

    def update(
        self,
        state: TableState,
        joined: JoinedTarget,
        values: Mapping[str, exp.Expr],
        context: Context,
    ) -> tuple[TableState, list[tuple[Relation, Relation]]]:
        """The state after an UPDATE, and for each group its rows before and the changed rows."""
        groups: list[Group] = []
        changed: list[tuple[Relation, Relation]] = []
        single = not joined.others
        self.check_names(joined, list(values.values()))
        if not single and self._is_once(state, joined):
            for group in state.groups:
                rows = self._in_place(state, group, joined, values, context)
                every = joined.where is None
                groups.append(self._changed(group, rows, values, every_row=every))
            return replace(state, groups=tuple(groups), written=True, upsert=None), changed
        if not single and not joined.matches_once(self.binder.relations):
            return self._first_match(state, joined, values, context)
        for group in state.groups:
            if single and group.kind is GroupKind.NEW:
                rows = self._in_place(state, group, joined, values, context)
                groups.append(self._changed(group, rows, values, every_row=joined.where is None))
                changed.append((group.relation, rows))
                continue
            if group.kind is GroupKind.NEW and (
                match := joined.match_column(self.binder.relations)
            ):
                rows = self._joined_in_place(state, group, joined, values, match, context)
                groups.append(self._changed(group, rows, values, every_row=False))
                continue
            items = _changed_items(state, joined, values)
            query = joined.with_target(group.relation.ref(joined.alias), items)
            rows = self._stored(state, query, self.changed_hint(state, values), context)
            groups.append(self._changed(group, rows, values))
            changed.append((group.relation, rows))
            kept = self._kept(state, group.relation, [rows], values, context)
            if kept is None:
                kept = self.unmatched(group.relation, joined, context, state)
            if kept is not None:
                groups.append(replace(group, relation=kept))
        return replace(state, groups=tuple(groups), written=True, upsert=None), changed

    def _kept(
        self,
        state: TableState,
        relation: Relation,
        changed: Sequence[Relation],
        values: Mapping[str, exp.Expr],
        context: Context,
    ) -> Relation | None:
        """The rows whose key is not among the changed ones; None without a key of one column.

        Reads better than repeating the condition, and is the same: the key is unique, never NULL,
        and the statement does not change it.
        """
        key = key_column(state, relation)
        if key is None or key.lower() in values:
            return None
        conditions: list[exp.Expr] = []
        for rows in changed:
            query = trees.select([trees.column(key)], rows.ref())
            among = exp.In(this=trees.column(key), query=exp.Subquery(this=query))
            conditions.append(exp.Not(this=among))
        kept = trees.select([exp.Star()], relation.ref(), trees.all_of(conditions))
        return self.binder.relations.query(kept, self._hint(state, "unchanged"), context.origin)

    def changed_hint(self, state: TableState, values: Mapping[str, exp.Expr]) -> str:
        """``expired_x`` for rows that are closed (an end date set, a flag cleared)."""
        for name, value in values.items():
            flat = name.replace("_", "")
            cleared = trees.unwrapped(value).sql() in ("0", "'N'")
            if _END.search(flat) or (cleared and _FLAG.search(flat)):
                return self._hint(state, "expired")
        return self._hint(state, "updated")

    def _hint(self, state: TableState, what: str) -> str:
        return f"{what}_{snake(state.table.name.name)}"

    def _changed(
        self,
        group: Group,
        rows: Relation,
        values: Mapping[str, exp.Expr],
        *,
        every_row: bool = True,
    ) -> Group:
        """The group of changed rows; only when every row changed are new literals constants."""
        kind = GroupKind.NEW if group.kind is GroupKind.NEW else GroupKind.UPDATED
        constants = {c: v for c, v in group.constants.items() if c not in values}
        for name, value in values.items():
            if every_row and isinstance(trees.unwrapped(value), exp.Literal | exp.National):
                constants[name] = trees.unwrapped(value).sql(dialect="tsql")
        return Group(rows, kind, group.changed | frozenset(values), constants)

    def _stored(self, state: TableState, query: exp.Expr, hint: str, context: Context) -> Relation:
        rows = self.binder.relations.query(query, hint, context.origin)
        return aligned(self.binder.relations, rows, state.table, {}, hint, context.origin)

    def _in_place(
        self,
        state: TableState,
        group: Group,
        joined: JoinedTarget,
        values: Mapping[str, exp.Expr],
        context: Context,
    ) -> Relation:
        """All rows of a group, the changed columns as ``CASE WHEN condition THEN new ELSE old``."""
        items: list[exp.Expr] = []
        for column in state.table.columns:
            old = trees.column(column.name, joined.alias)
            new = values.get(column.name.lower())
            if new is None:
                items.append(old)
            elif joined.where is None:
                items.append(trees.alias(new.copy(), column.name))
            else:
                new = stored_value(new.copy(), column)
                branch = exp.If(this=joined.where.copy(), true=new)
                items.append(trees.alias(exp.Case(ifs=[branch], default=old), column.name))
        joins = [join.copy() for join in joined.query.args.get("joins") or ()]
        query = trees.select(items, group.relation.ref(joined.alias), None, joins)
        return self._stored(state, query, self._hint(state, "corrected"), context)

    def _is_once(self, state: TableState, joined: JoinedTarget) -> bool:
        """Whether every target row is exactly once among the joined rows, and only that helps:
        with APPLY, or with outer joins to a table without a key.
        """
        has_apply = any(isinstance(item, exp.Lateral) for item in joined.others)
        if not has_apply:
            if joined.is_inner or joined.partners() is not None:
                return False
            if all(group.relation.keys for group in state.groups):
                return False
        return joined.exactly_once(self.binder.relations)

    def _joined_in_place(
        self,
        state: TableState,
        group: Group,
        joined: JoinedTarget,
        values: Mapping[str, exp.Expr],
        match: exp.Column,
        context: Context,
    ) -> Relation:
        """All rows of a group LEFT JOINed to what changes them; `match` is NULL for the others."""
        items: list[exp.Expr] = []
        for column in state.table.columns:
            old = trees.column(column.name, joined.alias)
            new = values.get(column.name.lower())
            if new is None:
                items.append(old)
                continue
            found = exp.Not(this=exp.Is(this=match.copy(), expression=exp.Null()))
            branch = exp.If(this=found, true=stored_value(new.copy(), column))
            items.append(trees.alias(exp.Case(ifs=[branch], default=old), column.name))
        on = trees.all_of(part.copy() for part in joined.conditions())
        join = exp.Join(this=joined.others[0].copy(), on=on, side="LEFT")
        query = trees.select(items, group.relation.ref(joined.alias), None, [join])
        return self._stored(state, query, self._hint(state, "corrected"), context)

    def unmatched(
        self, relation: Relation, joined: JoinedTarget, context: Context, state: TableState
    ) -> Relation | None:
        """The rows of a group a statement does not touch; None when it touches all of them."""
        hint = self._hint(state, "unchanged")
        where = joined.where
        items: list[exp.Expr] = [exp.Star()]
        if not joined.others:
            if where is None:
                return None
            condition = trees.is_not_true(where.copy())
            query = trees.select(items, relation.ref(joined.alias), condition)
            return self.binder.relations.query(query, hint, context.origin)
        if joined.keeps_every_target_row():
            return None
        relations = self.binder.relations
        anti = joined.anti_join(relations)
        if anti is not None or joined.filters_target_only(relations):
            condition = _stays(anti, where)
            query = trees.select(items, relation.ref(joined.alias), condition)
            return relations.query(query, hint, context.origin)
        partners = joined.matching() if joined.is_inner else joined.partners()
        if partners is None:
            return self._unmatched_by_key(relation, joined, context, hint)
        condition = exp.Not(this=trees.exists(partners))
        query = trees.select(items, relation.ref(joined.alias), condition)
        return self.binder.relations.query(query, hint, context.origin)

    def _unmatched_by_key(
        self, relation: Relation, joined: JoinedTarget, context: Context, hint: str
    ) -> Relation:
        """Outer joins: a row stays when its key is not among those of the joined rows.

        Without a key, one LEFT JOIN can still be taken apart into what its partners satisfy.
        """
        keys = [
            key
            for key in relation.keys
            if key and all((c := relation.column(n)) is not None and not c.nullable for n in key)
        ]
        if not keys and (rows := joined.left_join_rows(self.binder.relations)) is not None:
            query = trees.select([exp.Star()], relation.ref(joined.alias), rows.untouched())
            return self.binder.relations.query(query, hint, context.origin)
        if not keys:
            raise Refused("an outer join to a table without a unique key", "UPDATE FROM")
        key = min((sorted(k) for k in keys), key=len)
        touched = joined.with_target(
            relation.ref(joined.alias),
            [trees.column(relation.column(name).name, joined.alias) for name in key],  # type: ignore[union-attr]
        )
        inner = self.binder.relations.query(touched, f"touched_{hint}", context.origin)
        condition = trees.all_of(
            exp.EQ(this=trees.column(name, "touched"), expression=trees.column(name, joined.alias))
            for name in key
        )
        same = trees.select([trees.one()], inner.ref("touched"), condition)
        query = trees.select(
            [exp.Star()], relation.ref(joined.alias), exp.Not(this=trees.exists(same))
        )
        return self.binder.relations.query(query, hint, context.origin)

    def _split(
        self,
        state: TableState,
        joined: JoinedTarget,
        values: Mapping[str, exp.Expr],
        context: Context,
        changed_rows: Callable[[exp.Table], exp.Select],
    ) -> tuple[TableState, list[tuple[Relation, Relation]]]:
        """Every group in two: what `changed_rows` selects from it, and what is not touched."""
        groups: list[Group] = []
        changed: list[tuple[Relation, Relation]] = []
        for group in state.groups:
            query = changed_rows(group.relation.ref(joined.alias))
            rows = self._stored(state, query, self.changed_hint(state, values), context)
            groups.append(self._changed(group, rows, values))
            changed.append((group.relation, rows))
            kept = self.unmatched(group.relation, joined, context, state)
            if kept is not None:
                groups.append(replace(group, relation=kept))
        return replace(state, groups=tuple(groups), written=True, upsert=None), changed

    def _first_match(
        self,
        state: TableState,
        joined: JoinedTarget,
        values: Mapping[str, exp.Expr],
        context: Context,
    ) -> tuple[TableState, list[tuple[Relation, Relation]]]:
        """Several rows may match a target row: SQL Server takes any one, the model the first."""
        if joined.reads_only_target(values.values(), self.binder.relations):
            touched = joined.touched(self.binder.relations)
            if touched is not None:
                items = _changed_items(state, joined, values)

                def alike(target: exp.Table) -> exp.Select:
                    return trees.select([item.copy() for item in items], target, touched.copy())

                return self._split(state, joined, values, context, alike)
        chosen = self._chosen(state, joined, values)
        if chosen is None:
            raise Refused(
                "the joined rows may match a target row several times: which one is taken is "
                "undefined",
                "UPDATE FROM with several matches",
            )
        self.assumptions.append(
            Assumption(
                AssumptionKind.OTHER,
                f"UPDATE {state.table.name} takes one of the joined rows where several match; "
                "SQL Server does not define which, the model takes the first by value",
                line=context.origin.first_line,
            )
        )
        return self._split(state, joined, values, context, chosen.select)

    def _chosen(
        self, state: TableState, joined: JoinedTarget, values: Mapping[str, exp.Expr]
    ) -> ChosenMatch | None:
        """How to take the first of several joined rows, None where that cannot be said."""
        names = [c.name for c in state.table.columns if c.name.lower() in values]
        if any(not isinstance(other, exp.Table) for other in joined.others):
            return None
        partners = joined.matching() if joined.is_inner else joined.partners()
        if partners is not None:
            given = [(n, values[n.lower()].copy()) for n in names]
            items: list[exp.Expr] = [
                trees.column(c.name, "found" if c.name in names else joined.alias)
                for c in state.table.columns
            ]
            return ChosenMatch(partners, given, "found", True, items, None)
        relations = self.binder.relations
        if not (joined.keeps_every_target_row() or joined.filters_target_only(relations)):
            return None
        rows = joined.left_join_partners()
        if rows is None:
            return None
        alias = joined.others[0].alias_or_name
        read = {
            column.name.lower(): column.name
            for value in values.values()
            for column in trees.columns_in(value)
            if column.table.lower() == alias.lower()
        }
        items = _changed_items(state, joined, values)
        columns = [(name, trees.column(name, alias)) for name in read.values()]
        return ChosenMatch(rows, columns, alias, False, items, joined.where)
