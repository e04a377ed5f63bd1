"""Values and predicates of bound trees as DuckDB SQL, literally.

Every value comes out in the storage type of its T-SQL type (`core.tsql.types.duckdb_storage`):
operands are converted to the type SQL Server would convert them to, and results that another engine
would type differently are computed the long way (whole-number division, decimal quotients).
A node that is not known is `Refused`, never guessed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlglot import exp

from core.interpreter.arithmetic import arithmetic
from core.interpreter.casts import Mode, convert
from core.interpreter.errors import Refused, sql_text
from core.interpreter.likes import like
from core.interpreter.naming import parameter_name, quoted
from core.tsql import types as t
from core.tsql.binding import user_function_of, variable_name
from core.tsql.types import SqlType, TypeName, common_type, duckdb_storage
from core.tsql.typing import line_of, type_of

if TYPE_CHECKING:
    from core.interpreter.queries import QueryEmitter

N = TypeName

_COMPARISONS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.NullSafeEQ: "IS NOT DISTINCT FROM",
    exp.NullSafeNEQ: "IS DISTINCT FROM",
}


def fold(sql: str, type_: SqlType, case_sensitive: bool = False) -> str:
    """A value as it compares: text without case and trailing blanks, the rest as it is."""
    if not type_.is_string:
        return sql
    return f"ts_cs({sql})" if case_sensitive else f"ts_ci({sql})"


class ExpressionEmitter:
    """Writes values and predicates; subqueries go back to the query emitter it belongs to."""

    def __init__(self, query: QueryEmitter) -> None:
        self.query = query
        self.context = query.context

    # --- values -----------------------------------------------------------------------------------

    def value(self, node: exp.Expr) -> str:
        """The value's SQL, in the storage type of ``type_of(node)``."""
        replaced = self.query.replaced(node)
        if replaced is not None:
            return replaced
        handler = _VALUES.get(type(node))
        if handler is None:
            raise Refused(
                type(node).__name__,
                f"the expression {node.sql('tsql')[:80]} is not supported",
                line_of(node),
            )
        return handler(self, node)

    def converted(
        self, node: exp.Expr, target: SqlType, mode: Mode = Mode.IMPLICIT, place: str = ""
    ) -> str:
        """The value converted to another type; a constant is converted right away."""
        sql = convert(self.value(node), type_of(node), target, mode, place=place)
        return self.context.constant_sql(sql, target) if _is_constant(node) else sql

    def folded(self, node: exp.Expr, target: SqlType | None = None) -> str:
        """The value as it compares, in `target` (default: its own type)."""
        type_ = target or type_of(node)
        if isinstance(node, exp.Literal) and node.is_string and type_.is_string:
            text = node.name.rstrip(" ")
            return sql_text(text if self.case_sensitive(node) else text.lower())
        return self.fold(self.converted(node, type_), type_, self.case_sensitive(node))

    def fold(self, sql: str, type_: SqlType, case_sensitive: bool | None = None) -> str:
        strict = self.context.case_sensitive if case_sensitive is None else case_sensitive
        return fold(sql, type_, strict)

    def case_sensitive(self, *nodes: exp.Expr) -> bool:
        """The collation of a comparison: an explicit COLLATE wins over the profile's."""
        for node in nodes:
            found = node if isinstance(node, exp.Collate) else node.find(exp.Collate)
            if found is not None:
                name = found.expression.name.upper()
                if "_AI" in name:
                    raise Refused(
                        "COLLATE", f"{name} (accents do not matter) is not supported", line_of(node)
                    )
                return "_CS" in name or "_BIN" in name
        return self.context.case_sensitive

    def literal(self, node: exp.Expr) -> str:
        type_ = type_of(node)
        if node.args.get("is_string"):
            return sql_text(node.name)
        text = node.name
        if type_.is_approximate:
            return f"{text}::DOUBLE"
        if text.endswith("."):
            text += "0"
        return f"{text}::{duckdb_storage(type_)}"

    def hexadecimal(self, node: exp.Expr) -> str:
        digits = node.name
        if len(digits) % 2:
            digits = "0" + digits
        return f"unhex('{digits}')"

    def column(self, node: exp.Expr) -> str:
        assert isinstance(node, exp.Column)
        if node.table:
            return f"{quoted(node.table)}.{quoted(node.name)}"
        return quoted(node.name)

    def parameter(self, node: exp.Expr) -> str:
        name = variable_name(node).lower()
        inlined = self.context.inlined.get(name)
        if inlined is not None:
            return inlined
        type_ = type_of(node)
        if name.startswith("@@"):
            return self.context.system(name, type_)
        parameter = parameter_name(name)
        self.context.use(parameter, ("variable", name))
        return f"CAST(${parameter} AS {duckdb_storage(type_)})"

    def paren(self, node: exp.Expr) -> str:
        return f"({self.value(node.this)})"

    def negative(self, node: exp.Expr) -> str:
        if type_of(node).name is N.TINYINT:
            return f"CAST(-CAST({self.value(node.this)} AS SMALLINT) AS UTINYINT)"
        return f"(-{self.value(node.this)})"

    def bit_not(self, node: exp.Expr) -> str:
        if type_of(node).name is N.BIT:
            return f"CAST(1 - {self.value(node.this)} AS UTINYINT)"
        return f"(~{self.value(node.this)})"

    def arithmetic(self, node: exp.Expr) -> str:
        return arithmetic(self, node)

    def bitwise(self, node: exp.Expr) -> str:
        type_ = type_of(node)
        left, right = self.converted(node.this, type_), self.converted(node.expression, type_)
        if isinstance(node, exp.BitwiseXor):
            return f"CAST(xor({left}, {right}) AS {duckdb_storage(type_)})"
        operator = "&" if isinstance(node, exp.BitwiseAnd) else "|"
        return f"CAST(({left} {operator} {right}) AS {duckdb_storage(type_)})"

    def case(self, node: exp.Expr) -> str:
        type_ = type_of(node)
        parts = ["CASE"]
        operand = node.args.get("this")
        for branch in node.args["ifs"]:
            if operand is not None:
                condition = self.compare(operand, branch.this, "=")
            else:
                condition = self.predicate(branch.this)
            parts.append(f"WHEN {condition} THEN {self.converted(branch.args['true'], type_)}")
        default = node.args.get("default")
        if default is not None:
            parts.append(f"ELSE {self.converted(default, type_)}")
        return " ".join(parts) + " END"

    def collate(self, node: exp.Expr) -> str:
        return self.value(node.this)

    def cast(self, node: exp.Expr) -> str:
        value = node.expression if isinstance(node, exp.Convert) else node.this
        is_try = bool(node.args.get("safe")) or isinstance(node, exp.TryCast)
        mode = Mode.TRY if is_try else Mode.EXPLICIT
        style = node.args.get("style") if isinstance(node, exp.Convert) else None
        if type_of(node).is_datetime and type_of(node).name is not N.DATETIMEOFFSET:
            from core.interpreter.time_zones import local_time

            local = local_time(self, value)
            if local is not None:
                return convert(local, t.DATETIME2, type_of(node), mode)
        number = self._style(style) if isinstance(style, exp.Expr) else None
        sql = convert(self.value(value), type_of(value), type_of(node), mode, number)
        return self.context.constant_sql(sql, type_of(node)) if _is_constant(value) else sql

    def _style(self, node: exp.Expr) -> int:
        inner: exp.Expr = node
        while isinstance(inner, exp.Paren):
            inner = inner.this
        if isinstance(inner, exp.Literal) and inner.name.isdecimal():
            return int(inner.name)
        if isinstance(inner, exp.Parameter):
            return self.context.constant(variable_name(inner).lower(), line_of(node))
        raise Refused("CONVERT style", "a style that is computed is not supported", line_of(node))

    def subquery(self, node: exp.Expr) -> str:
        return f"({self.query.nested().scalar(node.this, type_of(node))})"

    def call(self, node: exp.Expr) -> str:
        from core.interpreter.functions import call

        function = user_function_of(node)
        if function is not None:
            return self.user_call(node, node.expressions)
        return call(self, node)

    def dotted(self, node: exp.Expr) -> str:
        if user_function_of(node) is not None:
            return self.user_call(node, node.expression.expressions)
        name = node.expression.name.lower()
        if name == "value" and isinstance(node.this, exp.Subquery):
            # (SELECT … FOR XML PATH(''), TYPE).value('.', 'nvarchar(max)'): the plain text.
            return f"({self.query.nested().xml_text(node.this.this, escaped=False)})"
        raise Refused("XML method", f"the XML method {name}() is not supported", line_of(node))

    def user_call(self, node: exp.Expr, arguments: list[exp.Expr]) -> str:
        function = user_function_of(node)
        assert function is not None
        values: list[tuple[str | None, SqlType]] = []
        for index, parameter in enumerate(function.parameters):
            argument = arguments[index] if index < len(arguments) else None
            if argument is None or (isinstance(argument, exp.Var) and argument.name == "DEFAULT"):
                values.append((None, parameter.type))
            else:
                values.append((self.converted(argument, parameter.type), parameter.type))
        return self.context.user_function(function, values, line_of(node))

    def window(self, node: exp.Expr) -> str:
        from core.interpreter.windows import window

        return window(self, node)

    def within_group(self, node: exp.Expr) -> str:
        from core.interpreter.aggregates import aggregate

        return aggregate(self, node)

    def trim(self, node: exp.Expr) -> str:
        text = self.converted(node.this, type_of(node))
        characters = node.args.get("expression")
        chars = "' '" if characters is None else self.value(characters)
        position = str(node.args.get("position") or "").upper()
        function = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(position, "trim")
        return f"{function}({text}, {chars})"

    def now(self, node: exp.Expr) -> str:
        return self.context.clock(type_of(node))

    def user(self, node: exp.Expr) -> str:
        return sql_text(self.context.profile.user)

    def sequence(self, node: exp.Expr) -> str:
        from core.interpreter.aggregates import order_key

        order = node.args.get("order")
        listed = order.expressions if isinstance(order, exp.Order) else []
        keys = [order_key(self, item) for item in listed]
        return self.context.next_value(node, f"ORDER BY {', '.join(keys)}" if keys else "")

    def zoned(self, node: exp.Expr) -> str:
        raise Refused(
            "AT TIME ZONE",
            "the offset of its result is not kept: cast it to a type without one",
            line_of(node),
        )

    def alias(self, node: exp.Expr) -> str:
        return self.value(node.this)

    # --- predicates -------------------------------------------------------------------------------

    def predicate(self, node: exp.Expr) -> str:
        """A condition's SQL: true, false or NULL."""
        handler = _PREDICATES.get(type(node))
        if handler is None:
            if type(node) in _COMPARISONS:
                return self.compare(node.this, node.expression, _COMPARISONS[type(node)])
            raise Refused(
                type(node).__name__,
                f"the condition {node.sql('tsql')[:80]} is not supported",
                line_of(node),
            )
        return handler(self, node)

    def compare(self, left: exp.Expr, right: exp.Expr, operator: str) -> str:
        """Both sides in their common type, text folded by the collation."""
        for side, other in ((left, right), (right, left)):
            if isinstance(other, exp.All | exp.Any):
                return self.quantified(side, other, operator)
        a, b, type_ = self.operands(left, right)
        if type_.is_string:
            strict = self.case_sensitive(left, right)
            a, b = self._folded_text(left, a, strict), self._folded_text(right, b, strict)
        return f"({a} {operator} {b})"

    def _folded_text(self, node: exp.Expr, sql: str, strict: bool) -> str:
        if isinstance(node, exp.Literal) and node.is_string:
            text = node.name.rstrip(" ")
            return sql_text(text if strict else text.lower())
        return fold(sql, t.varchar(1), strict)

    def operands(self, left: exp.Expr, right: exp.Expr) -> tuple[str, str, SqlType]:
        """Both sides in the type they are compared in."""
        a, b = type_of(left), type_of(right)
        type_ = self.comparison_type(a, b)
        return (
            self._operand(left, a, type_),
            self._operand(right, b, type_),
            type_,
        )

    def _operand(self, node: exp.Expr, source: SqlType, target: SqlType) -> str:
        sql = self.value(node)
        if source.is_string and target.is_string:
            return sql
        exact = source.is_exact and target.is_exact
        if exact and (source.is_integer or source.is_decimal or source.is_money):
            # Whole numbers and decimals compare by value: no conversion can lose anything.
            return sql
        return self.converted(node, target)

    def comparison_type(self, a: SqlType, b: SqlType) -> SqlType:
        if a.is_null and b.is_null:
            return t.INT
        if a.is_datetime and b.is_string:
            return a
        if b.is_datetime and a.is_string:
            return b
        return common_type(a, b)

    def quantified(self, side: exp.Expr, other: exp.Expr, operator: str) -> str:
        word = "ALL" if isinstance(other, exp.All) else "ANY"
        inner = other.this
        while isinstance(inner, exp.Subquery | exp.Paren):
            inner = inner.this
        type_ = common_type(type_of(side), type_of(other))
        query = self.query.nested().comparable(inner, type_)
        return f"({self.folded(side, type_)} {operator} {word} ({query}))"

    def conjunction(self, node: exp.Expr) -> str:
        operator = "AND" if isinstance(node, exp.And) else "OR"
        # Long chains are left-deep: walked in a loop, not by recursion.
        kind = type(node)
        parts: list[exp.Expr] = []
        current: exp.Expr = node
        while isinstance(current, kind):
            parts.append(current.expression)
            current = current.this
        parts.append(current)
        return "(" + f" {operator} ".join(self.predicate(part) for part in reversed(parts)) + ")"

    def negation(self, node: exp.Expr) -> str:
        return f"(NOT {self.predicate(node.this)})"

    def parenthesised(self, node: exp.Expr) -> str:
        return self.predicate(node.this)

    def is_null(self, node: exp.Expr) -> str:
        return f"({self.value(node.this)} IS NULL)"

    def between(self, node: exp.Expr) -> str:
        low = self.compare(node.this, node.args["low"], ">=")
        high = self.compare(node.this, node.args["high"], "<=")
        return f"({low} AND {high})"

    def within(self, node: exp.Expr) -> str:
        query = node.args.get("query")
        if isinstance(query, exp.Expr):
            inner: exp.Expr = query
            while isinstance(inner, exp.Subquery | exp.Paren):
                inner = inner.this
            found = self.query.nested().column_type(inner)
            type_ = self.comparison_type(type_of(node.this), found)
            strict = self.case_sensitive(node.this)
            rows = self.query.nested().comparable(inner, type_, strict)
            return f"({self.fold(self.converted(node.this, type_), type_, strict)} IN ({rows}))"
        return "(" + " OR ".join(self.compare(node.this, v, "=") for v in node.expressions) + ")"

    def exists(self, node: exp.Expr) -> str:
        inner = node.this
        while isinstance(inner, exp.Subquery | exp.Paren):
            inner = inner.this
        return f"EXISTS ({self.query.nested().existence(inner)})"

    def like(self, node: exp.Expr) -> str:
        return like(self, node, None)

    def escape(self, node: exp.Expr) -> str:
        return like(self, node.this, node.expression.name)


def _is_constant(node: exp.Expr) -> bool:
    while isinstance(node, exp.Paren | exp.Neg):
        node = node.this
    return isinstance(node, exp.Literal | exp.National)


E_ = ExpressionEmitter
_VALUES: dict[type[exp.Expr], Callable[[ExpressionEmitter, exp.Expr], str]] = {
    exp.Literal: E_.literal,
    exp.National: lambda self, node: sql_text(node.name),
    exp.HexString: E_.hexadecimal,
    exp.Null: lambda self, node: "NULL",
    exp.Column: E_.column,
    exp.Parameter: E_.parameter,
    exp.SessionParameter: E_.parameter,
    exp.Paren: E_.paren,
    exp.Neg: E_.negative,
    exp.BitwiseNot: E_.bit_not,
    exp.Add: E_.arithmetic,
    exp.Sub: E_.arithmetic,
    exp.Mul: E_.arithmetic,
    exp.Div: E_.arithmetic,
    exp.Mod: E_.arithmetic,
    exp.BitwiseAnd: E_.bitwise,
    exp.BitwiseOr: E_.bitwise,
    exp.BitwiseXor: E_.bitwise,
    exp.Case: E_.case,
    exp.Collate: E_.collate,
    exp.Cast: E_.cast,
    exp.TryCast: E_.cast,
    exp.Convert: E_.cast,
    exp.Subquery: E_.subquery,
    exp.Anonymous: E_.call,
    exp.Dot: E_.dotted,
    exp.Window: E_.window,
    exp.WithinGroup: E_.within_group,
    exp.Trim: E_.trim,
    exp.CurrentTimestamp: E_.now,
    exp.CurrentDate: E_.now,
    exp.CurrentUser: E_.user,
    exp.SessionUser: E_.user,
    exp.NextValueFor: E_.sequence,
    exp.Alias: E_.alias,
    exp.AtTimeZone: E_.zoned,
}

_PREDICATES: dict[type[exp.Expr], Callable[[ExpressionEmitter, exp.Expr], str]] = {
    exp.And: E_.conjunction,
    exp.Or: E_.conjunction,
    exp.Not: E_.negation,
    exp.Paren: E_.parenthesised,
    exp.Is: E_.is_null,
    exp.Between: E_.between,
    exp.In: E_.within,
    exp.Exists: E_.exists,
    exp.Like: E_.like,
    exp.Escape: E_.escape,
}
