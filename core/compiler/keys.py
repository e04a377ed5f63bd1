"""Which columns of a query are unique: what makes UPDATE … FROM and MERGE single-valued.

Only proofs count: a table's keys, GROUP BY, DISTINCT, ``row_number() = 1``, and joins that cannot
multiply rows. No proof means no key, never a guess.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from core.compiler import trees
from core.compiler.relations import REL, Relation
from core.tsql.functions import AGGREGATES

Key = frozenset[str]


def unique_keys(tree: exp.Expr, relations: Mapping[str, Relation]) -> tuple[Key, ...]:
    """The column sets (lower-case output names) on which no two rows of a query agree."""
    if not isinstance(tree, exp.Select):
        if isinstance(tree, exp.Union) and not tree.args.get("distinct"):
            return ()
        if isinstance(tree, exp.Union):
            return (frozenset(_names(tree)),) if _names(tree) else ()
        return ()
    names = _outputs(tree, relations)
    if names is None:
        return ()
    found: list[Key] = []
    if tree.args.get("distinct") is not None:
        found.append(frozenset(output for output, _ in names))
    group = tree.args.get("group")
    if group is not None:
        found += _group_key(group, names)
    elif any(is_aggregate(item) for item in tree.expressions):
        found.append(frozenset())
    else:
        found += _row_keys(tree, names, relations)
    return tuple(dict.fromkeys(found))


def equated_columns(condition: exp.Expr | None, alias: str) -> set[str]:
    """Columns of `alias` that a join condition sets equal to something outside of `alias`."""
    found: set[str] = set()
    if condition is None:
        return found
    for part in conjuncts(condition):
        if not isinstance(part, exp.EQ):
            continue
        for one, other in ((part.this, part.expression), (part.expression, part.this)):
            one = trees.unwrapped(one)
            if not isinstance(one, exp.Column) or one.table.lower() != alias.lower():
                continue
            if any(
                c.table.lower() == alias.lower() or not c.table for c in trees.columns_in(other)
            ):
                continue
            found.add(one.name.lower())
    return found


def conjuncts(node: exp.Expr) -> list[exp.Expr]:
    """The parts of a condition that all must hold."""
    node = trees.unwrapped(node)
    if isinstance(node, exp.And):
        return conjuncts(node.this) + conjuncts(node.expression)
    return [node]


def _names(tree: exp.Expr) -> list[str]:
    while isinstance(tree, exp.SetOperation):
        tree = tree.this
    names = (
        [item.alias_or_name.lower() for item in tree.expressions]
        if isinstance(tree, exp.Select)
        else []
    )
    return [] if "*" in names or "" in names else names


Outputs = list[tuple[str, exp.Expr]]


def _outputs(tree: exp.Select, relations: Mapping[str, Relation]) -> Outputs | None:
    """Output names with their expressions, ``*`` written out; None when that is not possible."""
    sources = _sources(tree, relations)
    found: Outputs = []
    for item in tree.expressions:
        if isinstance(item, exp.Star) or (
            isinstance(item, exp.Column) and isinstance(item.this, exp.Star)
        ):
            wanted = item.table.lower() if isinstance(item, exp.Column) else ""
            if sources is None:
                return None
            for alias, relation in sources.items():
                if not wanted or wanted == alias:
                    found += [
                        (name.lower(), exp.column(name, table=alias)) for name in relation.names
                    ]
        else:
            name = item.alias_or_name.lower()
            if not name:
                return None
            found.append((name, item.this if isinstance(item, exp.Alias) else item))
    return found


def _sources(tree: exp.Select, relations: Mapping[str, Relation]) -> dict[str, Relation] | None:
    """Alias to relation for every FROM item, None when one of them is not a plain relation."""
    found: dict[str, Relation] = {}
    source = tree.args.get("from_")
    items = [source.this] if source is not None else []
    items += [join.this for join in tree.args.get("joins") or ()]
    if tree.args.get("laterals"):
        return None
    for item in items:
        if not isinstance(item, exp.Table) or item.db != REL or item.name not in relations:
            return None
        found[item.alias_or_name.lower()] = relations[item.name]
    return found


def _group_key(group: exp.Group, names: Outputs) -> list[Key]:
    if any(group.args.get(k) for k in ("grouping_sets", "cube", "rollup", "totals")):
        return []
    wanted = {_text(item) for item in group.expressions}
    key = {output for output, value in names if _text(value) in wanted}
    covered = {_text(value) for output, value in names if output in key}
    return [frozenset(key)] if covered >= wanted else []


def _text(node: exp.Expr) -> str:
    node = trees.unwrapped(node)
    return node.name.lower() if isinstance(node, exp.Column) else trees.text(node).lower()


def is_aggregate(item: exp.Expr) -> bool:
    """An aggregate of the query itself: not inside a subquery, not a window function."""
    for call in item.find_all(exp.Anonymous, exp.AggFunc):
        if isinstance(call, exp.Anonymous) and call.name.upper() not in AGGREGATES:
            continue
        if call.find_ancestor(exp.Window) is None and call.find_ancestor(exp.Select) is (
            item.find_ancestor(exp.Select)
        ):
            return True
    return False


def _row_keys(tree: exp.Select, names: Outputs, relations: Mapping[str, Relation]) -> list[Key]:
    """Keys of the first FROM item, when no join can multiply its rows."""
    sources = _sources(tree, relations)
    source = tree.args.get("from_")
    if sources is None or source is None or not isinstance(source.this, exp.Table):
        return []
    first = source.this.alias_or_name.lower()
    for join in tree.args.get("joins") or ():
        kind = str(join.args.get("side") or "").upper()
        if kind in ("RIGHT", "FULL") or join.args.get("method"):
            return []
        alias = join.this.alias_or_name.lower()
        if not sources[alias].is_unique_on(equated_columns(join.args.get("on"), alias)):
            return []
    alone = len(sources) == 1
    renamed: dict[str, str] = {}
    for output, value in names:
        value = trees.unwrapped(value)
        if isinstance(value, exp.Column) and (
            value.table.lower() == first or (not value.table and alone)
        ):
            renamed.setdefault(value.name.lower(), output)
    relation = sources[first]
    keys = list(relation.keys)
    keys += _first_rows(tree, relation, first)
    return [frozenset(renamed[c] for c in key) for key in keys if key <= renamed.keys()]


def _first_rows(tree: exp.Select, relation: Relation, alias: str) -> list[Key]:
    """``WHERE rn = 1`` over a relation in which rn is ROW_NUMBER() OVER (PARTITION BY k …)."""
    where = tree.args.get("where")
    if where is None or not isinstance(relation.query, exp.Select):
        return []
    found: list[Key] = []
    numbered = row_numbers(relation.query)
    for part in conjuncts(where.this):
        if (
            isinstance(part, exp.EQ)
            and isinstance(part.this, exp.Column)
            and part.this.table.lower() in ("", alias)
            and part.expression.sql() == "1"
            and part.this.name.lower() in numbered
        ):
            found.append(numbered[part.this.name.lower()])
    return found


def row_numbers(tree: exp.Select) -> dict[str, Key]:
    """Output columns that are ROW_NUMBER(), with the output columns they are partitioned by."""
    outputs = {
        _text(item.this if isinstance(item, exp.Alias) else item): item.alias_or_name.lower()
        for item in tree.expressions
    }
    stars = any(item.is_star for item in tree.expressions)
    found: dict[str, Key] = {}
    for item in tree.expressions:
        if not isinstance(item, exp.Alias) or not isinstance(item.this, exp.Window):
            continue
        window = item.this
        call = window.this
        name = call.name if isinstance(call, exp.Anonymous) else type(call).__name__
        if name.upper().replace("_", "") != "ROWNUMBER":
            continue
        key: set[str] = set()
        for part in window.args.get("partition_by") or ():
            text = _text(part)
            if text in outputs:
                key.add(outputs[text])
            elif stars and isinstance(part, exp.Column):
                key.add(part.name.lower())
            else:
                break
        else:
            found[item.alias.lower()] = frozenset(key)
    return found
