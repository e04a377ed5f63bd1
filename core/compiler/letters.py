"""Where a procedure's own UPPER, LOWER and literals make texts that differ by case alone.

Under the policy "assume-consistent" data never do, so ``=`` stays ``=``. But ``UPPER(code)`` beside
``code``, or ``'n/a'`` beside ``UPPER(place)``, are equal in SQL Server and not in the target: a
query that compares or groups such texts is translated without regard to case.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product

from sqlglot import exp

from core.compiler.relations import REL
from core.tsql.binding_nodes import origin_of
from core.tsql.typing import is_predicate, type_of, unwrapped

Letters = frozenset[str]
"""What a text can be written like: as stored, in capitals, in small letters, as a literal (``'…``).

Empty for texts without letters.
"""
Known = Mapping[str, Mapping[str, Letters]]
"""Letters by relation and column (lower case); columns that are not there are as stored."""

AS_STORED, UPPER, LOWER = "stored", "upper", "lower"
_STORED: Letters = frozenset({AS_STORED})
_OF_FIRST = frozenset(
    {"LTRIM", "RTRIM", "TRIM", "LEFT", "RIGHT", "SUBSTRING", "NULLIF", "REPLACE", "STUFF"}
)
_COMPARING = frozenset({"NULLIF", "CHARINDEX", "REPLACE"})
_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Like)


def letters_of(node: exp.Expr, known: Known) -> Letters:
    """How a bound value can be written."""
    node = unwrapped(node.unalias())
    if isinstance(node, exp.Subquery | exp.Select | exp.SetOperation):
        return _first(node, known)
    if is_predicate(node) or not type_of(node).is_string:
        return frozenset()
    match node:
        case exp.Column():
            origin = origin_of(node)
            if origin is None or origin.table.schema != REL:
                return _STORED
            return known.get(origin.table.name, {}).get(origin.column.lower(), _STORED)
        case exp.Literal() | exp.National():
            text = node.name
            is_text = isinstance(node, exp.National) or node.is_string
            has_case = is_text and text.upper() != text.lower()
            return frozenset({f"'{text}"}) if has_case else frozenset()
        case exp.Parameter():
            return _STORED
        case exp.Case():
            branches = [branch.args["true"] for branch in node.args["ifs"]]
            default = node.args.get("default")
            return _union([*branches, *([default] if default is not None else [])], known)
        case exp.Window():
            return letters_of(node.this, known)
    if not isinstance(node, exp.Anonymous):
        return _union(_children(node), known)
    name = node.name.upper()
    if name in ("UPPER", "LOWER"):
        return frozenset({UPPER if name == "UPPER" else LOWER})
    return _union(node.expressions[:1] if name in _OF_FIRST else node.expressions, known)


def differ_by_case(one: Letters, other: Letters) -> bool:
    """Whether texts written like `one` and like `other` can be equal but for case."""
    return any(_clash(a, b) for a, b in product(one, other))


def needs_folding(tree: exp.Expr, known: Known) -> bool:
    """Whether a bound query compares, groups or sets apart texts that differ by case alone."""
    return any(_node_needs(node, known) for node in tree.walk())


def _node_needs(node: exp.Expr, known: Known) -> bool:
    match node:
        case exp.In():
            query = node.args.get("query")
            return _clashes(node.this, [query] if query is not None else node.expressions, known)
        case exp.Between():
            return _clashes(node.this, [node.args["low"], node.args["high"]], known)
        case exp.Case() if node.this is not None:
            return _clashes(node.this, [branch.this for branch in node.args["ifs"]], known)
        case exp.Anonymous() if node.name.upper() in _COMPARING:
            return _clashes(node.expressions[0], node.expressions[1:2], known)
        case exp.Select():
            group = node.args.get("group")
            keys = list(group.expressions) if group is not None else []
            if node.args.get("distinct") is not None:
                keys += node.expressions
            return _mixed(keys, known)
        case exp.Window():
            return _mixed(node.args.get("partition_by") or [], known)
        case exp.Distinct():
            return _mixed(node.expressions, known)
        case exp.SetOperation() if node.args.get("distinct") or not isinstance(node, exp.Union):
            return any(differ_by_case(one, one) for one in output_letters(node, known))
    if isinstance(node, _COMPARISONS):
        return _clashes(node.this, [node.expression], known)
    return False


def output_letters(query: exp.Expr, known: Known) -> list[Letters]:
    """The letters of a bound query's columns, in order."""
    query = unwrapped(query)
    if isinstance(query, exp.Subquery):
        return output_letters(query.this, known)
    if isinstance(query, exp.SetOperation):
        sides = (output_letters(query.this, known), output_letters(query.expression, known))
        return [a | b for a, b in zip(*sides, strict=False)]
    if isinstance(query, exp.Select):
        return [letters_of(item, known) for item in query.expressions]
    return []


def _first(query: exp.Expr, known: Known) -> Letters:
    return next(iter(output_letters(query, known)), _STORED)


def _clashes(node: exp.Expr, others: Iterable[exp.Expr], known: Known) -> bool:
    subject = letters_of(node, known)
    return any(differ_by_case(subject, letters_of(other, known)) for other in others)


def _mixed(keys: Iterable[exp.Expr], known: Known) -> bool:
    found = [letters_of(key, known) for key in keys]
    return any(differ_by_case(one, one) for one in found)


def _clash(one: str, other: str) -> bool:
    if one == other:
        return False
    first, second = sorted((one, other))  # literals begin with a quote: they come first
    if not first.startswith("'"):
        return True
    text = first[1:]
    if second == UPPER:
        return text != text.upper()
    if second == LOWER:
        return text != text.lower()
    return second.startswith("'") and text.rstrip(" ").upper() == second[1:].rstrip(" ").upper()


def _union(nodes: Iterable[exp.Expr], known: Known) -> Letters:
    return frozenset().union(*(letters_of(node, known) for node in nodes))


def _children(node: exp.Expr) -> list[exp.Expr]:
    return [child for child in node.iter_expressions() if not isinstance(child, exp.DataType)]
