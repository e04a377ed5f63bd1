"""Columns of tables nobody describes, guessed from how procedures use them.

For reports over folders without DDL only: a real compilation never guesses. The type is that of
what the column is compared or combined with where that says something, else text.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlglot import exp

from core.compiler import trees
from core.tsql import nodes
from core.tsql import types as t
from core.tsql.binding_from import table_name
from core.tsql.leaves import ParsedLeaf
from core.tsql.schema import Column, ObjectName, Schema, Table

_NUMBERS = frozenset({"SUM", "AVG", "ABS", "ROUND", "CEILING", "FLOOR"})
_DATES = frozenset(
    {"DATEADD", "DATEDIFF", "DATEPART", "YEAR", "MONTH", "DAY", "EOMONTH", "DATENAME"}
)
_TEXT = t.nvarchar(4000)
_NUMBER = t.decimal(18, 4)


def with_inferred(
    schema: Schema, procedures: Iterable[nodes.CreateProcedure], known: Collection[str] = ()
) -> tuple[Schema, tuple[str, ...]]:
    """A schema that also knows the tables the procedures use, and the names of those it guessed.

    ``known`` are the keys (``schema.name``) of views, which are described by their text.
    """
    found: dict[ObjectName, dict[str, tuple[str, t.SqlType]]] = {}
    for procedure in procedures:
        for statement in nodes.statements(procedure):
            if isinstance(statement, nodes.Leaf) and isinstance(statement.parsed, ParsedLeaf):
                _leaf(statement.parsed, schema, found)
    guessed: list[str] = []
    for name, columns in found.items():
        if not columns or schema.table(name) is not None or ".".join(name.key) in known:
            continue
        table = Table(name, tuple(Column(spelled, type_) for spelled, type_ in columns.values()))
        schema = schema.with_table(table)
        guessed.append(str(name))
    return schema, tuple(guessed)


Found = dict[ObjectName, dict[str, tuple[str, t.SqlType]]]


def _leaf(parsed: ParsedLeaf, schema: Schema, found: Found) -> None:
    ctes = {cte.alias.lower() for cte in parsed.tree.find_all(exp.CTE)}
    if parsed.target is not None and not parsed.target.is_cte:
        unknown = _unknown(parsed.target.table, schema, ctes)
        if unknown is not None:
            names = [*parsed.target.columns]
            names += [a.column.name for a in parsed.assignments if a.column is not None]
            for when in parsed.merge.whens if parsed.merge is not None else ():
                names += when.columns
                names += [a.column.name for a in when.assignments if a.column is not None]
            for name in names:
                _add(found, unknown, name, _TEXT)
    for select in parsed.tree.find_all(exp.Select):
        _select(select, schema, ctes, found)
    if parsed.merge is not None and parsed.target is not None:
        aliases = {}
        target = _unknown(parsed.target.table, schema, ctes)
        if target is not None:
            aliases[(parsed.target.alias or parsed.target.table.name).lower()] = target
        source = parsed.merge.source
        if isinstance(source, exp.Table) and (known := _unknown(source, schema, ctes)) is not None:
            aliases[source.alias_or_name.lower()] = known
        for column in trees.columns_in(parsed.tree):
            if column.table.lower() in aliases:
                _add(found, aliases[column.table.lower()], column.name, _type(column))


def _select(select: exp.Select, schema: Schema, ctes: set[str], found: Found) -> None:
    items: list[exp.Expr] = []
    source = select.args.get("from_")
    if source is not None:
        items.append(source.this)
    items += [join.this for join in select.args.get("joins") or ()]
    aliases: dict[str, ObjectName] = {}
    for item in items:
        if isinstance(item, exp.Table):
            unknown = _unknown(item, schema, ctes)
            if unknown is not None:
                aliases[item.alias_or_name.lower()] = unknown
    if not aliases:
        return
    alone = len(items) == 1
    for column in trees.columns_in(select):
        if isinstance(column.this, exp.Star):
            continue
        alias = column.table.lower()
        if alias in aliases:
            _add(found, aliases[alias], column.name, _type(column))
        elif not alias and alone and column.find_ancestor(exp.Select) is select:
            _add(found, next(iter(aliases.values())), column.name, _type(column))


def _unknown(table: exp.Table, schema: Schema, ctes: set[str]) -> ObjectName | None:
    if not isinstance(table.this, exp.Identifier):
        return None
    name = table_name(table)
    if (
        name.is_temporary
        or name.server
        or name.name.startswith("__")
        or (not name.schema and name.name.lower() in ctes)
    ):
        return None
    if schema.table(name) is not None:
        return None
    return ObjectName(name.name, name.schema or "dbo", name.database)


def _add(found: Found, table: ObjectName, column: str, type_: t.SqlType) -> None:
    columns = found.setdefault(_canonical(found, table), {})
    known = columns.get(column.lower())
    if known is None or (known[1] == _TEXT and type_ != _TEXT):
        columns[column.lower()] = (known[0] if known else column, type_)


def _canonical(found: Found, table: ObjectName) -> ObjectName:
    return next((name for name in found if name.key == table.key), table)


def _type(column: exp.Column) -> t.SqlType:
    """What the surroundings of a column say about its type."""
    parent = column.parent
    while isinstance(parent, exp.Paren):
        parent = parent.parent
    if isinstance(parent, exp.Anonymous):
        if parent.name.upper() in _NUMBERS:
            return _NUMBER
        if parent.name.upper() in _DATES:
            return t.DATETIME
    if isinstance(parent, exp.Mul | exp.Div | exp.Sub | exp.Mod):
        return _NUMBER
    if isinstance(parent, exp.EQ | exp.NEQ | exp.LT | exp.LTE | exp.GT | exp.GTE | exp.Add):
        other = parent.expression if parent.this is column else parent.this
        if isinstance(other, exp.Literal) and not other.is_string:
            return t.INT if other.name.isdecimal() else _NUMBER
    return _TEXT
