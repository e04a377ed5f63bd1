"""Passes that make a query nicer to read and change nothing else. Each says when it is safe."""

from __future__ import annotations

from sqlglot import exp

from core.compiler import trees


def tidied(tree: exp.Expr) -> exp.Expr:
    """All passes, in order; works on the given tree."""
    for select in outer_selects(tree):
        without_qualifiers(select)
        plain_aliases(select)
    for select in tree.find_all(exp.Select):
        closed_without_qualifiers(select)
    return tree


def outer_selects(tree: exp.Expr) -> list[exp.Select]:
    """The SELECTs that are the query or an operand of its set operations: none is correlated."""
    if isinstance(tree, exp.SetOperation):
        return outer_selects(tree.this) + outer_selects(tree.expression)
    if isinstance(tree, exp.Subquery):
        return outer_selects(tree.this)
    return [tree] if isinstance(tree, exp.Select) else []


def without_qualifiers(select: exp.Select) -> None:
    """``c.id`` over one relation is ``id``.

    Not when anything is nested in the query (a correlated subquery would capture the name), not
    when there is more than one relation, and not when an output has another meaning than the
    column of its name and ORDER BY or HAVING uses it: there, and only there, DuckDB prefers the
    output to the column.
    """
    source = select.args.get("from_")
    if source is None or not isinstance(source.this, exp.Table):
        return
    if select.args.get("joins") or select.args.get("laterals") or source.this.args.get("joins"):
        return
    if any(found is not select for found in select.find_all(exp.Query)):
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
    for column in select.find_all(exp.Column):
        if column.table.lower() == name:
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
    """``(select max.x from max)`` is ``(select x from max)``: every column is the one relation's."""
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
