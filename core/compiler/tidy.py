"""Passes that make a query nicer to read and change nothing else. Each says when it is safe."""

from __future__ import annotations

from sqlglot import exp

from core.compiler import trees
from core.compiler.compose import constant_flags
from core.compiler.keys import conjuncts


def tidied(tree: exp.Expr) -> exp.Expr:
    """All passes, in order; works on the given tree."""
    for select in tree.find_all(exp.Select):
        closed_without_qualifiers(select)
    for select in outer_selects(tree):
        joined_on_keys(select)
        without_qualifiers(select)
        plain_aliases(select)
    return constant_flags(tree)


def outer_selects(tree: exp.Expr) -> list[exp.Select]:
    """The SELECTs that are the query or an operand of its set operations: none is correlated."""
    if isinstance(tree, exp.SetOperation):
        return outer_selects(tree.this) + outer_selects(tree.expression)
    if isinstance(tree, exp.Subquery):
        return outer_selects(tree.this)
    return [tree] if isinstance(tree, exp.Select) else []


def without_qualifiers(select: exp.Select) -> None:
    """``c.id`` over one relation is ``id``.

    Not when a nested query reads the relation too (it would capture the name), not
    when there is more than one relation, and not when an output has another meaning than the
    column of its name and ORDER BY or HAVING uses it: there, and only there, DuckDB prefers the
    output to the column.
    """
    source = select.args.get("from_")
    if source is None or not isinstance(source.this, exp.Table):
        return
    if select.args.get("joins") or select.args.get("laterals") or source.this.args.get("joins"):
        return
    clauses = [select.args.get(key) for key in ("order", "having")]
    used = {c.name.lower() for clause in clauses if clause for c in clause.find_all(exp.Column)}
    for item in select.expressions:
        if not isinstance(item, exp.Alias):
            continue
        value = trees.unwrapped(item.this)
        same = isinstance(value, exp.Column) and value.name.lower() == item.alias.lower()
        if not same and item.alias.lower() in used:
            return
    name = source.this.alias_or_name.lower()
    columns = [c for c in select.find_all(exp.Column) if c.table.lower() == name]
    if any(column.find_ancestor(exp.Select) is not select for column in columns):
        return
    for column in columns:
        column.set("table", None)
    source.this.set("alias", None)


def plain_aliases(select: exp.Select) -> None:
    """``c.id as id`` is ``c.id``."""
    items = []
    for item in select.expressions:
        value = item.this if isinstance(item, exp.Alias) else None
        plain = isinstance(value, exp.Column) and value.name == item.alias
        items.append(value if plain else item)
    select.set("expressions", items)


def closed_without_qualifiers(select: exp.Select) -> None:
    """``(select m.x from m)`` is ``(select x from m)``: every column is the one relation's."""
    source = select.args.get("from_")
    if source is None or not isinstance(source.this, exp.Table) or select.parent is None:
        return
    if len(list(select.find_all(exp.Table))) != 1 or select.args.get("order"):
        return
    name = source.this.alias_or_name.lower()
    columns = list(select.find_all(exp.Column))
    if any(column.table.lower() != name for column in columns):
        return
    for column in columns:
        column.set("table", None)
    source.this.set("alias", None)


def joined_on_keys(select: exp.Select) -> None:
    """``from a cross join b where a.id = b.id`` is ``from a inner join b on a.id = b.id``.

    Only when all joins are inner or cross: then ON and WHERE are the same condition.
    """
    joins = select.args.get("joins") or []
    where = select.args.get("where")
    source = select.args.get("from_")
    if where is None or source is None:
        return
    if any(join.args.get("side") or join.args.get("method") for join in joins):
        return
    known = {source.this.alias_or_name.lower()}
    rest = conjuncts(where.this)
    for join in joins:
        alias = join.this.alias_or_name.lower()
        if join.args.get("on") is None and isinstance(join.this, exp.Table):
            found = [part for part in rest if _links(part, alias, known)]
            if found:
                rest = [part for part in rest if part not in found]
                join.set("on", exp.and_(*found, copy=False))
                join.set("kind", "INNER")
        known.add(alias)
    select.set("where", exp.Where(this=exp.and_(*rest, copy=False)) if rest else None)


def _links(part: exp.Expr, alias: str, known: set[str]) -> bool:
    """Whether a conjunct compares a column of `alias` with a column of an earlier relation."""
    if not isinstance(part, exp.EQ):
        return False
    sides = (trees.unwrapped(part.this), trees.unwrapped(part.expression))
    if not all(isinstance(side, exp.Column) and side.table for side in sides):
        return False
    tables = {side.args["table"].name.lower() for side in sides}
    return alias in tables and len(tables) == 2 and (tables - {alias}) <= known
