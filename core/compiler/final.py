"""The last CTE: the target's columns in their original case, cast only where types differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot import exp

from core.compiler.compose import constant_flags
from core.compiler.tidy import outer_selects


def converted(
    query: exp.Expr, found: Sequence[str], wanted: Mapping[str, str], *, every: bool = False
) -> None:
    """Casts where DuckDB would store another type than the target's; works on the given query.

    `found` are the types of the columns of all SELECTs of a UNION, one SELECT after the other;
    `wanted` the target's by lower-case name.
    """
    position = 0
    for select in outer_selects(query):
        items: list[exp.Expr] = []
        for item in select.expressions:
            storage = wanted[item.alias_or_name.lower()]
            same = found[position] == storage.replace(" ", "").upper()
            items.append(item if same and not every else _cast(item, storage))
            position += 1
        select.set("expressions", items)


def _cast(item: exp.Expr, storage: str) -> exp.Expr:
    value = item.this if isinstance(item, exp.Alias) else item
    cast = exp.Cast(this=value, to=exp.DataType.build(storage, dialect="duckdb"))
    return exp.Alias(
        this=constant_flags(cast), alias=exp.to_identifier(item.alias_or_name, quoted=True)
    )


def starred(query: exp.Expr, listed: Mapping[str, Sequence[str]]) -> None:
    """``select a, b from x`` is ``select * from x`` where x lists just these columns.

    `listed` are the columns of the CTEs that write out all their columns, in order: a CTE that
    itself says ``*`` of a table has the order of the table, which nothing here knows.
    """
    for select in outer_selects(query):
        source = select.args.get("from_")
        if source is None or not isinstance(source.this, exp.Table):
            continue
        if select.args.get("joins") or select.args.get("distinct"):
            continue
        names = listed.get(source.this.name)
        if names is None or len(names) != len(select.expressions):
            continue
        if all(
            isinstance(item, exp.Column) and item.name == name
            for item, name in zip(select.expressions, names, strict=True)
        ):
            select.set("expressions", [exp.Star()])
