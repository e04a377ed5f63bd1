"""What expressions say about the types of the columns in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sqlglot import exp

from core.compiler.inferred_rows import Doubtful, Rowset, Scope, lookup
from core.compiler.inferred_types import NUMBER, TEXT, Cell, Strength, words
from core.tsql import types as t

_SAME = words(
    "MIN MAX ISNULL COALESCE NULLIF GREATEST LEAST LAG LEAD FIRST_VALUE LAST_VALUE CHOOSE"
)
_OF_NUMBERS = words("SUM AVG ABS ROUND CEILING FLOOR POWER SQRT SIGN EXP LOG LOG10 STDEV VAR STR")
_OF_TEXTS = words(
    "LEN LTRIM RTRIM TRIM UPPER LOWER SUBSTRING REPLACE LEFT RIGHT CHARINDEX PATINDEX "
    "STUFF REVERSE REPLICATE STRING_AGG QUOTENAME STRING_SPLIT SOUNDEX TRANSLATE "
    "ISNUMERIC ISDATE ISJSON JSON_VALUE JSON_QUERY PARSE TRY_PARSE"
)
_GIVES = {
    t.INT: "COUNT LEN CHARINDEX PATINDEX DATEPART DATEDIFF YEAR MONTH DAY DATALENGTH CHECKSUM "
    "BINARY_CHECKSUM ERROR_NUMBER ERROR_LINE OBJECT_ID ASCII UNICODE ISNUMERIC ISDATE",
    t.BIGINT: "ROW_NUMBER RANK DENSE_RANK NTILE COUNT_BIG DATEDIFF_BIG SCOPE_IDENTITY",
    t.DATETIME: "GETDATE GETUTCDATE SYSDATETIME SYSUTCDATETIME CURRENT_TIMESTAMP DATEADD",
    t.DATE: "EOMONTH DATEFROMPARTS",
    TEXT: "LTRIM RTRIM TRIM UPPER LOWER SUBSTRING REPLACE LEFT RIGHT STUFF REVERSE REPLICATE "
    "CONCAT CONCAT_WS STRING_AGG DATENAME FORMAT CHAR SUSER_SNAME SUSER_NAME SYSTEM_USER "
    "ERROR_MESSAGE "
    "DB_NAME HOST_NAME OBJECT_NAME QUOTENAME STR TRANSLATE",
    t.varbinary(64): "HASHBYTES",
    t.UNIQUEIDENTIFIER: "NEWID NEWSEQUENTIALID",
}
_RESULTS = {name: type_ for type_, names in _GIVES.items() for name in names.split()}
_WITH_PART = frozenset({"DATEADD", "DATEDIFF", "DATEDIFF_BIG", "DATEPART", "DATENAME", "DATETRUNC"})
_OF_DATES = _WITH_PART | {"YEAR", "MONTH", "DAY", "EOMONTH"}
_DATE_TEXT = re.compile(r"\s*\d{4}-?\d\d-?\d\d([T ]\d\d:\d\d.*)?\s*$")


@dataclass
class Values:
    """Reads expressions: `value` gives the cell of an expression's result."""

    query: Callable[[exp.Expr, Scope], Rowset]
    variables: dict[str, Cell] = field(default_factory=dict)
    doubtful: list[Doubtful] = field(default_factory=list)

    def value(self, node: exp.Expr | None, scope: Scope) -> Cell:
        match node:
            case None | exp.Star() | exp.Null():
                return Cell()
            case exp.Column():
                return self._column(node, scope)
            case exp.Dot() if isinstance(node.expression, exp.Identifier):
                # What sqlglot makes of a column inside of a method call's subquery.
                return lookup(scope, node.expression.name, node.this.name.lower(), self.doubtful)
            case exp.Dot():
                return self.value(node.this, scope)
            case exp.Parameter():
                return self.variables.get(node.name.lower().lstrip("@"), Cell())
            case exp.Literal():
                return _literal(node)
            case exp.Paren() | exp.Alias() | exp.Ordered() | exp.Distinct() | exp.National():
                return self._wrapped(node, scope)
            case exp.Cast() | exp.Convert():
                return self._cast(node, scope)
            case exp.Subquery() | exp.Select() | exp.SetOperation():
                outputs = self.query(node, scope).outputs
                return outputs[0][1] if outputs else Cell()
            case exp.Anonymous():
                return self._call(node, scope)
            case exp.Case() | exp.If():
                return self._case(node, scope)
            case exp.Window():
                self._each(node, scope, skip="this")
                return self.value(node.this, scope)
            case exp.Predicate() | exp.Between() | exp.In() | exp.Like():
                return self._predicate(node, scope)
            case exp.Add() | exp.Sub() | exp.Mul() | exp.Div() | exp.Mod() | exp.Neg():
                return self._arithmetic(node, scope)
            case _:
                self._each(node, scope)
                return Cell()

    def _column(self, node: exp.Column, scope: Scope) -> Cell:
        if isinstance(node.this, exp.Star):
            return Cell()
        if node.name.lower() == "$action":
            return Cell("", t.nvarchar(10), Strength.DECLARED)
        table = node.table.lower()
        if not table and node.name.lower() in scope.aliases and node.find_ancestor(exp.Order):
            return scope.aliases[node.name.lower()]
        return lookup(scope, node.name, table, self.doubtful)

    def _wrapped(self, node: exp.Expr, scope: Scope) -> Cell:
        if isinstance(node, exp.National):
            return Cell("", TEXT, Strength.LITERAL)
        if isinstance(node, exp.Distinct):
            cells = [self.value(item, scope) for item in node.expressions]
            return cells[0] if cells else Cell()
        return self.value(node.this, scope)

    def _each(self, node: exp.Expr, scope: Scope, skip: str = "") -> None:
        for key, children in node.args.items():
            if key == skip:
                continue
            for child in children if isinstance(children, list) else [children]:
                if isinstance(child, exp.Expr):
                    self.value(child, scope)

    def _cast(self, node: exp.Expr, scope: Scope) -> Cell:
        source = self.value(node.expression if isinstance(node, exp.Convert) else node.this, scope)
        if isinstance(node, exp.Convert):
            self.value(node.this, scope)
        try:
            type_ = t.parse_type(str(node.meta.get("tsql_type", "")))
        except t.UnknownTypeError:
            return Cell()
        if node.args.get("safe") and not type_.is_string:
            source.says(TEXT, Strength.FUNCTION)  # only a text can be no such number or date
        return Cell("", type_, Strength.DECLARED)

    def _call(self, node: exp.Anonymous, scope: Scope) -> Cell:
        name = node.name.upper()
        arguments = list(node.expressions)
        if name in _WITH_PART:
            arguments = arguments[1:]
        cells = [self.value(argument, scope) for argument in arguments]
        if name == "IIF":
            return _one(cells[1:])
        if name in _SAME:
            return _one(cells[:1] if name in ("LAG", "LEAD") else cells)
        if name in _OF_DATES:
            dates = cells[1:] if name == "DATEADD" else cells
            if name == "DATEADD" and cells:
                cells[0].says(t.INT, Strength.FUNCTION)
            _all_say(dates, t.DATETIME)
        elif name in _OF_NUMBERS:
            _all_say(cells[:1], NUMBER)
            return cells[0] if cells else Cell()
        elif name in _OF_TEXTS:
            _all_say(cells[:1], TEXT)
        result = _RESULTS.get(name)
        return Cell("", result, Strength.FUNCTION) if result is not None else Cell()

    def _case(self, node: exp.Expr, scope: Scope) -> Cell:
        if isinstance(node, exp.If):
            self.value(node.this, scope)
            return self.value(node.args.get("true"), scope)
        chosen = self.value(node.this, scope) if node.this is not None else None
        results: list[Cell] = []
        for branch in node.args.get("ifs") or ():
            condition = self.value(branch.this, scope)
            if chosen is not None:
                chosen.same_as(condition)
            results.append(self.value(branch.args.get("true"), scope))
        if (default := node.args.get("default")) is not None:
            results.append(self.value(default, scope))
        return _one(results)

    def _predicate(self, node: exp.Expr, scope: Scope) -> Cell:
        if isinstance(node, exp.Exists):
            self.query(node.this, scope)
            return Cell()
        cells = [
            self.value(child, scope)
            for key, children in node.args.items()
            for child in (children if isinstance(children, list) else [children])
            if isinstance(child, exp.Expr) and key != "escape"
        ]
        if isinstance(node, exp.Like):
            _all_say(cells, TEXT)
        elif not isinstance(node, exp.Is):
            _one(cells)
        return Cell()

    def _arithmetic(self, node: exp.Expr, scope: Scope) -> Cell:
        cells = [self.value(child, scope) for child in (node.this, node.args.get("expression"))]
        if isinstance(node, exp.Neg):
            return cells[0]
        types = [cell.root().type for cell in cells]
        if isinstance(node, exp.Add) and any(x is not None and x.is_string for x in types):
            _all_say(cells, TEXT, Strength.ARITHMETIC)
            return Cell("", TEXT, Strength.ARITHMETIC)
        if isinstance(node, exp.Add | exp.Sub) and any(
            cell.settled().name in t.DATETIMES for cell in cells
        ):
            return Cell("", t.DATETIME, Strength.ARITHMETIC)
        if isinstance(node, exp.Add):
            return cells[0] if types[0] is not None else cells[1]
        _all_say(cells, NUMBER, Strength.ARITHMETIC)
        return Cell("", NUMBER, Strength.ARITHMETIC)


def _literal(node: exp.Literal) -> Cell:
    if node.is_string:
        type_ = t.DATETIME if _DATE_TEXT.match(node.name) else TEXT
    else:
        type_ = t.INT if node.name.isdecimal() else NUMBER
    return Cell("", type_, Strength.LITERAL)


def _one(cells: Iterable[Cell]) -> Cell:
    """All of these have one type: the class of the first."""
    found = list(cells)
    for cell in found[1:]:
        found[0].same_as(cell)
    return found[0] if found else Cell()


def _all_say(
    cells: Iterable[Cell], type_: t.SqlType, strength: Strength = Strength.FUNCTION
) -> None:
    for cell in cells:
        cell.says(type_, strength)
