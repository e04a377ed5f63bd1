"""Mutants of a model: one wrong thing each, to see whether the data would have told.

The mutation happens in the compiled SQL of both branches alike: a place is named by its kind and
text, so the same place is found in each.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import sqlglot
from sqlglot import exp

from core.equivalence.model_side import Compiled


@dataclass(frozen=True)
class Mutant:
    """One changed model: what was changed, and the SQL of both branches."""

    kind: str
    text: str
    full: str
    incremental: str


_COMPARISONS: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.LT: exp.LTE,
    exp.LTE: exp.LT,
    exp.GT: exp.GTE,
    exp.GTE: exp.GT,
    exp.EQ: exp.NEQ,
    exp.NEQ: exp.EQ,
}
_AGGREGATES: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.Sum: exp.Max,
    exp.Max: exp.Min,
    exp.Min: exp.Max,
    exp.Count: exp.Max,
    exp.Avg: exp.Max,
}


@dataclass(frozen=True)
class _Branch:
    """One branch's tree and the first place of each kind and text, by its position."""

    tree: exp.Expr
    text: str
    places: dict[tuple[str, str], int]

    @classmethod
    def of(cls, sql: str) -> _Branch:
        tree = sqlglot.parse_one(sql, dialect="duckdb")
        places: dict[tuple[str, str], int] = {}
        for position, (kind, node) in enumerate(_sites(tree)):
            places.setdefault((kind, node.sql(dialect="duckdb")), position)
        return cls(tree, tree.sql(dialect="duckdb"), places)

    def changed(self, place: tuple[str, str]) -> str:
        """The branch's SQL with the mutation at a place, or as it is where it has none."""
        position = self.places.get(place)
        if position is None:
            return self.text
        copy = self.tree.copy()
        kind, node = next(islice(_sites(copy), position, None))
        _CHANGES[kind](node)
        return copy.sql(dialect="duckdb")


def mutants(compiled: Compiled, limit: int, seed: int) -> list[Mutant]:
    """A seeded sample of mutants, the kinds in turn; fewer when there are fewer places."""
    later = _Branch.of(compiled.incremental)
    same = compiled.full == compiled.incremental
    first = later if same else _Branch.of(compiled.full)
    by_kind: dict[str, list[tuple[str, str]]] = {}
    for place in later.places:
        by_kind.setdefault(place[0], []).append(place)
    rng = random.Random(f"mutants:{seed}")
    for places in by_kind.values():
        rng.shuffle(places)
    found: list[Mutant] = []
    while len(found) < limit and any(by_kind.values()):
        for kind in sorted(by_kind):
            if by_kind[kind] and len(found) < limit:
                place = by_kind[kind].pop()
                incremental = later.changed(place)
                if incremental != later.text:
                    full = incremental if same else first.changed(place)
                    found.append(Mutant(kind, _shown(place[1]), full, incremental))
    return found


def _shown(text: str) -> str:
    return text if len(text) < 90 else text[:87] + "..."


def _sites(tree: exp.Expr) -> Iterator[tuple[str, exp.Expr]]:
    for node in tree.walk():
        if isinstance(node, exp.Join) and node.args.get("on") is not None:
            if (node.side or "").upper() in ("", "LEFT"):
                yield "join kind", node
        elif type(node) in _COMPARISONS:
            yield "comparison", node
        elif type(node) in _AGGREGATES:
            yield "aggregate", node
        elif isinstance(node, exp.Literal) and node.find_ancestor(exp.Where, exp.Case, exp.Join):
            if not node.find_ancestor(exp.DataType):
                yield "constant", node
        elif isinstance(node, exp.Where | exp.Having):
            yield "dropped predicate", node
        elif isinstance(node, exp.Distinct) and isinstance(node.parent, exp.Select):
            yield "dropped distinct", node
        elif isinstance(node, exp.Coalesce):
            yield "dropped coalesce", node
        elif isinstance(node, exp.Ordered) and node.find_ancestor(exp.Window):
            yield "order", node
        elif isinstance(node, exp.Union):
            yield "union", node


def _join_kind(node: exp.Expr) -> None:
    node.set("side", None if (node.args.get("side") or "").upper() == "LEFT" else "LEFT")
    node.set("kind", None)


def _comparison(node: exp.Expr) -> None:
    node.replace(_COMPARISONS[type(node)](this=node.this, expression=node.expression))


def _aggregate(node: exp.Expr) -> None:
    argument = node.this
    if isinstance(argument, (exp.Star, exp.Distinct)):
        argument = exp.Literal.number(1)
    node.replace(_AGGREGATES[type(node)](this=argument))


def _constant(node: exp.Expr) -> None:
    if node.args.get("is_string"):
        node.set("this", node.this + "~")
    else:
        node.replace(exp.Paren(this=exp.Add(this=node.copy(), expression=exp.Literal.number(1))))


def _drop(node: exp.Expr) -> None:
    node.pop()


def _coalesce(node: exp.Expr) -> None:
    node.replace(node.this)


def _order(node: exp.Expr) -> None:
    node.set("desc", not node.args.get("desc"))


def _union(node: exp.Expr) -> None:
    node.set("distinct", not node.args.get("distinct"))


_CHANGES: dict[str, Callable[[exp.Expr], None]] = {
    "join kind": _join_kind,
    "comparison": _comparison,
    "aggregate": _aggregate,
    "constant": _constant,
    "dropped predicate": _drop,
    "dropped distinct": _drop,
    "dropped coalesce": _coalesce,
    "order": _order,
    "union": _union,
}
