"""The FROM clause of an UPDATE or DELETE: the target, what joins it, how often it matches."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlglot import exp

from core.compiler import trees
from core.compiler.fold import truth
from core.compiler.keys import conjuncts, is_aggregate
from core.compiler.registry import Relations
from core.compiler.relations import REL
from core.compiler.result import Refused


@dataclass(frozen=True)
class LeftJoinRows:
    """A target row's partners in a LEFT JOIN (`partners`), those that pass the WHERE (`chosen`),
    and the WHERE for a row without partners (`alone`, None when it always holds).
    """

    partners: exp.Select
    chosen: exp.Select
    alone: exp.Expr | None

    def untouched(self) -> exp.Expr:
        """The condition under which the statement leaves a target row alone."""
        not_alone: exp.Expr = trees.exists(self.partners)
        if self.alone is not None:
            not_alone = exp.Paren(
                this=exp.Or(this=not_alone, expression=trees.is_not_true(self.alone))
            )
        return exp.And(this=exp.Not(this=trees.exists(self.chosen)), expression=not_alone)


@dataclass(frozen=True)
class JoinedTarget:
    """A statement's FROM with the target taken out of it.

    ``query`` is the bound ``SELECT * FROM … WHERE …``; the target is known as `alias` in it and
    its table node is marked, so that `with_target` can put any relation in its place.
    """

    query: exp.Select
    alias: str

    @property
    def others(self) -> list[exp.Expr]:
        """The FROM items beside the target."""
        return [item for item in self._items() if item.alias_or_name.lower() != self.alias.lower()]

    @property
    def where(self) -> exp.Expr | None:
        clause = self.query.args.get("where")
        return clause.this if clause is not None else None

    def _items(self) -> list[exp.Expr]:
        source = self.query.args["from_"].this
        return [source, *(join.this for join in self.query.args.get("joins") or ())]

    def with_target(self, relation_ref: exp.Table, items: list[exp.Expr]) -> exp.Select:
        """The query over a given relation in the target's place, with other output columns."""
        query = self.query.copy()
        found = [
            table
            for table in [
                query.args["from_"].this,
                *(join.this for join in query.args.get("joins") or ()),
            ]
            if isinstance(table, exp.Table) and table.alias_or_name.lower() == self.alias.lower()
        ]
        if len(found) != 1:
            raise Refused(f"the target {self.alias} is not found in FROM", "UPDATE FROM")
        found[0].replace(relation_ref)
        query.set("expressions", items)
        return query

    @property
    def is_inner(self) -> bool:
        """Only inner and cross joins: a target row is matched or it is not in the result.

        A LEFT JOIN whose columns the WHERE compares is inner too: a comparison is never true for
        the NULLs of a missing row.
        """
        for join in self.query.args.get("joins") or ():
            side = str(join.args.get("side") or "").upper()
            if join.args.get("method") or isinstance(join.this, exp.Lateral):
                return False
            if side and not (side == "LEFT" and self._compares(join.this.alias_or_name)):
                return False
        return True

    def _compares(self, alias: str) -> bool:
        return any(
            isinstance(side, exp.Column) and side.table.lower() == alias.lower()
            for part in (conjuncts(self.where) if self.where is not None else [])
            if isinstance(part, exp.EQ | exp.NEQ | exp.LT | exp.LTE | exp.GT | exp.GTE)
            for side in (trees.unwrapped(part.this), trees.unwrapped(part.expression))
        )

    def anti_join(self, relations: Relations) -> tuple[exp.Select, exp.Expr | None] | None:
        """``LEFT JOIN s ON … WHERE s.key IS NULL [AND rest of the target]``.

        Gives ``SELECT 1 FROM s WHERE on`` (the rows that must *not* exist) and the rest.
        """
        joined = self._left_join()
        if joined is None or self.where is None:
            return None
        other, on = joined
        alias = other.alias_or_name.lower()
        missing = [
            p for p in conjuncts(self.where) if self._asks_for_missing(p, alias, on, relations)
        ]
        rest = [p for p in conjuncts(self.where) if p not in missing]
        if not missing or not all(self._only_target(p, relations) for p in rest):
            return None
        return _rows_for(other, on), trees.all_of(part.copy() for part in rest)

    def _asks_for_missing(
        self, part: exp.Expr, alias: str, on: exp.Expr | None, relations: Relations
    ) -> bool:
        if not isinstance(part, exp.Is) or not isinstance(part.expression, exp.Null):
            return False
        column = trees.unwrapped(part.this)
        if not isinstance(column, exp.Column) or self._owner(column, relations) != alias:
            return False
        item = next(i for i in self._items() if i.alias_or_name.lower() == alias)
        known = relations[item.name].column(column.name)
        if known is not None and not known.nullable:
            return True
        equal = [p for p in conjuncts(on) if isinstance(p, exp.EQ)] if on is not None else []
        return any(
            isinstance(side, exp.Column)
            and side.name.lower() == column.name.lower()
            and self._owner(side, relations) == alias
            for p in equal
            for side in (trees.unwrapped(p.this), trees.unwrapped(p.expression))
        )

    def _only_target(self, part: exp.Expr, relations: Relations) -> bool:
        return all(
            self._owner(column, relations) == self.alias.lower()
            for column in trees.columns_in(part)
        )

    def left_join_partners(self) -> exp.Select | None:
        """The partners of a target row in the one LEFT JOIN of the statement."""
        joined = self._left_join()
        return _rows_for(*joined) if joined is not None else None

    def _left_join(self) -> tuple[exp.Table, exp.Expr] | None:
        """The relation and the condition of the only join, a LEFT JOIN from the target."""
        joins = list(self.query.args.get("joins") or ())
        if len(joins) != 1 or str(joins[0].args.get("side") or "").upper() != "LEFT":
            return None
        other, on = joins[0].this, joins[0].args.get("on")
        if not isinstance(other, exp.Table) or other.db != REL or on is None:
            return None
        if not self._starts_with_target:
            return None
        return other, on

    @property
    def _starts_with_target(self) -> bool:
        return bool(self.query.args["from_"].this.alias_or_name.lower() == self.alias.lower())

    def left_join_rows(self, relations: Relations) -> LeftJoinRows | None:
        """One LEFT JOIN from the target, read apart: what a partner row has to satisfy, and what
        the WHERE says of a target row without a partner (the partner's columns NULL).
        """
        joined = self._left_join()
        if joined is None or self.where is None or self.where.find(exp.Query) is not None:
            return None
        other, on = joined
        relation, alias = relations[other.name], other.alias_or_name.lower()

        def missing(node: exp.Expr) -> exp.Expr:
            if isinstance(node, exp.Column) and self._owner(node, relations) == alias:
                column = relation.column(node.name)
                if column is not None:
                    return trees.cast(exp.Null(), column.type)
            return node

        parts = [part.copy().transform(missing) for part in conjuncts(self.where)]
        left = [part for part in parts if not truth(part)]
        return LeftJoinRows(
            trees.select([trees.one()], other.copy(), on.copy()),
            trees.select([trees.one()], other.copy(), trees.all_of([on.copy(), self.where.copy()])),
            trees.all_of(left),
        )

    def reads_only_target(self, values: Iterable[exp.Expr], relations: Relations) -> bool:
        """Whether no joined row has a part in any of the values."""
        return all(self._only_target(value, relations) for value in values)

    def touched(self, relations: Relations) -> exp.Expr | None:
        """The condition under which a target row is among the joined rows, None if unknown."""
        partners = self.matching() if self.is_inner else self.partners()
        if partners is not None:
            return trees.exists(partners)
        rows = self.left_join_rows(relations)
        return exp.Not(this=exp.Paren(this=rows.untouched())) if rows is not None else None

    def filters_target_only(self, relations: Relations) -> bool:
        """LEFT JOINs from the target and a WHERE that reads nothing but the target."""
        joins = self.query.args.get("joins") or ()
        if not self._starts_with_target:
            return False
        if any(str(join.args.get("side") or "").upper() != "LEFT" for join in joins):
            return False
        return self.where is not None and all(
            self._only_target(part, relations) for part in conjuncts(self.where)
        )

    def keeps_every_target_row(self) -> bool:
        """LEFT JOINs from the target and no WHERE: every target row is in the result."""
        if self.where is not None:
            return False
        if not self._starts_with_target:
            return False
        joins = self.query.args.get("joins") or ()
        return (
            all(str(join.args.get("side") or "").upper() == "LEFT" for join in joins) or not joins
        )

    def conditions(self) -> list[exp.Expr]:
        """Every condition of the inner joins and of WHERE, one conjunct each."""
        found: list[exp.Expr] = []
        for join in self.query.args.get("joins") or ():
            on = join.args.get("on")
            if on is not None:
                found += conjuncts(on)
        if self.where is not None:
            found += conjuncts(self.where)
        return found

    def matching(self) -> exp.Select:
        """``SELECT 1`` over the other items where they match a target row (inner joins only)."""
        others = self.others
        if not others:
            raise Refused("the statement joins nothing", "UPDATE FROM")
        condition = trees.all_of(part.copy() for part in self.conditions())
        joins = [exp.Join(this=item.copy(), kind="CROSS") for item in others[1:]]
        if not joins:
            return trees.select([trees.one()], others[0].copy(), condition)
        return trees.select([trees.one()], others[0].copy(), condition, joins)

    def partners(self) -> exp.Select | None:
        """``SELECT 1`` over the other items, LEFT JOINs among themselves kept as they are.

        A target row is in the statement's rows exactly where this finds a row for it. None when a
        LEFT JOIN hangs on the target itself, or on a RIGHT or FULL JOIN.
        """
        start, conditions, joins = None, [], []
        if not self._starts_with_target:
            start = self.query.args["from_"].this
        for join in self.query.args.get("joins") or ():
            side, on = str(join.args.get("side") or "").upper(), join.args.get("on")
            is_target = join.this.alias_or_name.lower() == self.alias.lower()
            if join.args.get("method"):
                return None
            if isinstance(join.this, exp.Lateral):
                applied = _applied(join)
                if applied is None:
                    return None
                if start is None:
                    start = applied
                else:
                    joins.append(join.copy())
                continue
            if side == "LEFT" and not is_target:
                if start is None or on is None or self._names_target(on):
                    return None
                joins.append(join.copy())
                continue
            if side:
                return None
            conditions += conjuncts(on) if on is not None else []
            if start is None and not is_target:
                start = join.this
            elif not is_target:
                joins.append(exp.Join(this=join.this.copy(), kind="CROSS"))
        if start is None:
            return None
        conditions += conjuncts(self.where) if self.where is not None else []
        condition = trees.all_of(part.copy() for part in conditions)
        return trees.select([trees.one()], start.copy(), condition, joins)

    def _names_target(self, condition: exp.Expr) -> bool:
        # A name without a table may be the target's.
        return any(
            column.table.lower() in ("", self.alias.lower())
            for column in trees.columns_in(condition)
        )

    def match_column(self, relations: Relations) -> exp.Column | None:
        """A column of the one joined relation that is NULL exactly where a LEFT JOIN finds nothing.

        It is compared with ``=`` in the join, so in a found row it is not NULL.
        """
        others = self.others
        if len(others) != 1 or not self.is_inner or not isinstance(others[0], exp.Table):
            return None
        alias = others[0].alias_or_name.lower()
        for part in self.conditions():
            if not isinstance(part, exp.EQ):
                continue
            for side in (trees.unwrapped(part.this), trees.unwrapped(part.expression)):
                if isinstance(side, exp.Column) and self._owner(side, relations) == alias:
                    return trees.column(side.name, others[0].alias_or_name)
        return None

    def matches_once(self, relations: Relations) -> bool:
        """Whether a target row is in the result at most once, by what is known to be unique."""
        if self.anti_join(relations) is not None:
            return True
        known = {self.alias.lower()}
        pending = self.others
        equalities = [part for part in self.conditions() if isinstance(part, exp.EQ)]
        while pending:
            for item in pending:
                if self._is_determined(item, known, equalities, relations):
                    known.add(item.alias_or_name.lower())
                    pending = [other for other in pending if other is not item]
                    break
            else:
                return False
        return True

    def exactly_once(self, relations: Relations) -> bool:
        """Whether the FROM gives every target row once: LEFT JOINs to at most one row each, and
        APPLYs that always give one.
        """
        if not self._starts_with_target:
            return False
        known = {self.alias.lower()}
        for join in self.query.args.get("joins") or ():
            if isinstance(join.this, exp.Lateral):
                if not _gives_one_row(join.this, outer=join.meta.get("tsql_apply") == "OUTER"):
                    return False
            elif str(join.args.get("side") or "").upper() == "LEFT":
                on = join.args.get("on")
                equal = [p for p in conjuncts(on) if isinstance(p, exp.EQ)] if on else []
                if not self._is_determined(join.this, known, equal, relations):
                    return False
            else:
                return False
            known.add(join.this.alias_or_name.lower())
        return True

    def _is_determined(
        self,
        item: exp.Expr,
        known: set[str],
        equalities: list[exp.EQ],
        relations: Relations,
    ) -> bool:
        if isinstance(item, exp.Lateral):
            return _gives_one_row(item, outer=True)
        if not isinstance(item, exp.Table) or item.db != REL:
            return False
        alias = item.alias_or_name.lower()
        relation = relations[item.name]
        fixed: set[str] = set()
        for part in equalities:
            for one, other in ((part.this, part.expression), (part.expression, part.this)):
                one = trees.unwrapped(one)
                if not isinstance(one, exp.Column) or relation.column(one.name) is None:
                    continue
                if one.table.lower() not in (alias, ""):
                    continue
                if not one.table and not self._only_in(one.name, alias, relations):
                    continue
                if all(self._owner(c, relations) in known for c in trees.columns_in(other)):
                    fixed.add(one.name.lower())
        return relation.is_unique_on(fixed)

    def _only_in(self, name: str, alias: str, relations: Relations) -> bool:
        return self._owners(name, relations) == [alias]

    def _owner(self, column: exp.Column, relations: Relations) -> str:
        if column.table:
            return column.table.lower()
        owners = self._owners(column.name, relations)
        return owners[0] if len(owners) == 1 else ""

    def _owners(self, name: str, relations: Relations) -> list[str]:
        found = []
        for item in self._items():
            if not isinstance(item, exp.Table) or item.db != REL:
                return []
            if relations[item.name].column(name) is not None:
                found.append(item.alias_or_name.lower())
        return found


def _applied(join: exp.Join) -> exp.Subquery | None:
    """``CROSS APPLY (SELECT …) x`` as a FROM item of a query that is correlated already."""
    query = trees.unwrapped(join.this.this)
    if join.meta.get("tsql_apply") == "OUTER" or not isinstance(query, exp.Subquery | exp.Select):
        return None
    inner = query.this if isinstance(query, exp.Subquery) else query
    return exp.Subquery(this=inner.copy(), alias=join.this.args["alias"].copy())


def _rows_for(relation: exp.Table, condition: exp.Expr | None) -> exp.Select:
    condition = condition.copy() if condition is not None else None
    return trees.select([trees.one()], relation.copy(), condition)


def _gives_one_row(lateral: exp.Lateral, *, outer: bool) -> bool:
    """An aggregate without GROUP BY gives one row; ``OUTER APPLY (SELECT TOP 1 …)`` does too.

    With ``outer`` for a CROSS APPLY: at most one row.
    """
    query = trees.unwrapped(lateral.this)
    if isinstance(query, exp.Subquery):
        query = query.this
    if not isinstance(query, exp.Select) or query.args.get("having") is not None:
        return False
    aggregates = any(is_aggregate(item) for item in query.expressions)
    if aggregates and query.args.get("group") is None:
        return True
    limit = query.args.get("limit")
    return outer and limit is not None and limit.expression.sql() == "1"
