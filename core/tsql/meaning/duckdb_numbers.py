"""Arithmetic, mathematical functions and aggregates of numbers in DuckDB.

``language-elements/divide-transact-sql``, ``functions/mathematical-functions-transact-sql``.
DuckDB's ``//`` and ``%`` truncate toward zero and raise on zero, as SQL Server does. A quotient of
decimals is computed on whole numbers and truncated to the scale T-SQL gives it: never through a
double, whose rounding would show in the last digit.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from core.tsql import types as t
from core.tsql.meaning import sql
from core.tsql.meaning.duckdb_casts import align, convert, storage
from core.tsql.meaning.duckdb_quotients import cut_quotient
from core.tsql.meaning.duckdb_text import folded, ignores_case, int_of
from core.tsql.meaning.options import DivisionByZero, Options
from core.tsql.meaning.refusal import refuse
from core.tsql.meaning.rules import Rule
from core.tsql.meaning.values import Call, Value
from core.tsql.types import SqlType, TypeName, as_decimal
from core.tsql.typing import unwrapped

DIVIDE_BY_ZERO = "Divide by zero"


def arithmetic(
    node: exp.Expr, left: Value, right: Value, type_: SqlType, options: Options
) -> exp.Expr:
    """``+ - * / %`` on numbers, and the bit operators."""
    left, right = _numeric(left, right, type_, options), _numeric(right, left, type_, options)
    if isinstance(node, exp.BitwiseXor):
        return sql.fn("xor", left.tree, right.tree)
    if isinstance(node, exp.BitwiseAnd | exp.BitwiseOr):
        return sql.binary(type(node), left.tree, right.tree)
    if isinstance(node, exp.Div):
        return _division(left, right, type_, options)
    if isinstance(node, exp.Mod):
        return sql.mod(left.tree, right.tree)
    assert isinstance(node, exp.Add | exp.Sub | exp.Mul)
    left, right = _room(left, right, type_)
    tree = sql.binary(type(node), left.tree, right.tree)
    return _reduced(node, tree, left, right, type_)


def _numeric(value: Value, other: Value, type_: SqlType, options: Options) -> Value:
    """An operand as a number: text is converted to the other operand's type."""
    if value.type.is_string:
        to = other.type if other.type.is_numeric else type_
        return Value(convert(value, to, options), to, value.source)
    return value


def _room(left: Value, right: Value, type_: SqlType) -> tuple[Value, Value]:
    """An integer beside a literal keeps its width in DuckDB; give it the width T-SQL does."""
    if not type_.is_integer:
        return left, right
    widths = {value.type.name for value in (left, right) if value.integer is None}
    narrow = {TypeName.BIT, TypeName.TINYINT, TypeName.SMALLINT}
    if type_.name in widths or not widths & narrow:
        return left, right
    target = left if left.integer is None else right
    widened = Value(sql.cast(target.tree, storage(type_)), type_, target.source)
    return (widened, right) if target is left else (left, widened)


def _reduced(node: exp.Expr, tree: exp.Expr, left: Value, right: Value, type_: SqlType) -> exp.Expr:
    """A result whose T-SQL scale is not the one DuckDB gives is cast to it."""
    if type_.is_money and isinstance(node, exp.Mul) and not _one_is_integer(left, right):
        return sql.cast(tree, storage(type_))
    if not type_.is_decimal:
        return tree
    scales = [as_decimal(value.type).scale or 0 for value in (left, right)]
    if isinstance(node, exp.Mul) and sum(scales) > t.MAX_PRECISION:
        raise refuse(node, "decimal product", "DuckDB has no decimal of more than 38 digits.")
    natural = sum(scales) if isinstance(node, exp.Mul) else max(scales)
    if natural == type_.scale:
        return tree
    return sql.cast(tree, storage(type_))


def _one_is_integer(left: Value, right: Value) -> bool:
    return left.type.is_integer or right.type.is_integer


def _division(left: Value, right: Value, type_: SqlType, options: Options) -> exp.Expr:
    if type_.is_approximate:
        return _float_division(left, right, options)
    if type_.is_integer or type_.is_null:
        return sql.int_div(left.tree, right.tree)
    return decimal_division(left, right, type_)


def _float_division(left: Value, right: Value, options: Options) -> exp.Expr:
    """A double division; when the divisor can be zero it raises like SQL Server's."""
    dividend = left.tree
    if not left.type.is_approximate and not right.type.is_approximate:
        dividend = sql.cast(dividend, "DOUBLE")
    divisor = right.tree
    if options.division_by_zero is DivisionByZero.RAISE and not _never_zero(right):
        zero = sql.eq(divisor.copy(), 0)
        divisor = sql.case((zero, sql.raise_error(DIVIDE_BY_ZERO)), default=divisor)
    return _div(dividend, divisor)


def _div(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    return sql.binary(exp.Div, left, right)


def _never_zero(value: Value) -> bool:
    """A non-zero literal, or NULLIF(x, 0)."""
    if value.number is not None:
        return any(digit in "123456789" for digit in value.number.lower().split("e")[0])
    node = unwrapped(value.source)
    while isinstance(node, exp.Cast):
        node = unwrapped(node.this)
    if isinstance(node, exp.Anonymous) and node.name.upper() == "NULLIF":
        second = unwrapped(node.expressions[1])
        return isinstance(second, exp.Literal) and not second.name.strip("0.")
    return False


def decimal_division(left: Value, right: Value, type_: SqlType) -> exp.Expr:
    """The exact quotient truncated to the result's scale.

    ``b`` has scale s2, the result scale s: the whole numbers behind them are divided,
    ``a * 10^(s + s2) // (b * 10^s2)``, and the quotient gets its point back. The result type is
    ``data-types/precision-scale-and-length-transact-sql``'s; that digits beyond it are cut off and
    not rounded is documented for money and int, and observed for decimal.
    """
    scale = as_decimal(type_).scale or 0
    divisor_scale = as_decimal(right.type).scale or 0
    if right.number is not None and "e" not in right.number.lower():
        # 60.0 is 60: what follows the point and is nothing needs no digits.
        divisor_scale = len(right.number.partition(".")[2].rstrip("0"))
    if left.type.is_null or right.type.is_null:
        return sql.cast(exp.Null(), storage(type_))
    dividend = _whole(left, scale + divisor_scale)
    divisor = _whole(right, divisor_scale)
    quotient = sql.int_div(dividend, divisor)
    if scale == 0:
        return sql.cast(quotient, storage(type_))
    # A whole number times 0.01 is a decimal of scale 2 in DuckDB, computed exactly.
    return sql.mul(quotient, sql.number(f"0.{'0' * (scale - 1)}1"))


def _whole(value: Value, shift: int) -> exp.Expr:
    """A number times ``10^shift`` as a whole number."""
    scale = as_decimal(value.type).scale or 0
    if value.number is not None and "e" not in value.number.lower():
        whole, _, fraction = value.number.partition(".")
        digits = f"{whole}{fraction.ljust(shift, '0')[:shift]}"
        sign = "-" if digits.startswith("-") else ""
        tree = sql.number(f"{sign}{digits.lstrip('-').lstrip('0') or '0'}")
        return sql.cast(tree, "HUGEINT") if len(digits) > 9 else tree
    if scale == 0 and value.type.is_integer:
        base = sql.cast(value.tree, "HUGEINT") if shift else value.tree
        return sql.mul(base, sql.number(10**shift)) if shift else base
    precision = as_decimal(value.type).precision or 0
    if precision + shift + 1 <= t.MAX_PRECISION:
        # The product still fits a decimal: one exact multiplication does it.
        inner = sql.mul(value.tree, sql.number(10**shift)) if shift else value.tree
        return sql.cast(inner, "HUGEINT")
    # The decimal's own digits first (an exact decimal product), the rest on whole numbers.
    inner = sql.mul(value.tree, sql.number(10**scale)) if scale else value.tree
    base = sql.cast(inner, "HUGEINT")
    rest = shift - scale
    return sql.mul(base, sql.number(10**rest)) if rest > 0 else base


def negated(value: Value, type_: SqlType) -> exp.Expr:
    """``-x``."""
    if value.type.is_integer and value.type.name in (TypeName.TINYINT, TypeName.BIT):
        return exp.Neg(this=sql.cast(value.tree, "SMALLINT"))
    if isinstance(value.tree, exp.Neg):
        return exp.Neg(this=exp.Paren(this=value.tree))
    return exp.Neg(this=sql.wrap(value.tree))


# --- functions ------------------------------------------------------------------------------------


def _as_float(value: Value, options: Options) -> exp.Expr:
    """An argument of a function that works on floats."""
    if value.type.is_approximate:
        return value.tree
    return (
        convert(value, t.FLOAT, options) if value.type.is_string else sql.cast(value.tree, "DOUBLE")
    )


def _float_function(name: str) -> Rule:
    return lambda call: sql.fn(
        name, *(_as_float(argument, call.options) for argument in call.arguments)
    )


def _number(value: Value, options: Options) -> exp.Expr:
    return convert(value, t.FLOAT, options) if value.type.is_string else value.tree


def _kept(name: str) -> Rule:
    """ABS, CEILING, FLOOR: DuckDB keeps the kind of number too."""

    def rule(call: Call) -> exp.Expr:
        value = call.arguments[0]
        tree = sql.fn(name, _number(value, call.options))
        if value.type.is_money and name != "abs":
            return sql.cast(tree, storage(call.type))
        return tree

    return rule


def _sign(call: Call) -> exp.Expr:
    return sql.cast(sql.fn("sign", _number(call.arguments[0], call.options)), storage(call.type))


def _round(call: Call) -> exp.Expr:
    """ROUND(x, n, truncate): half away from zero, or cut off; the type keeps its scale."""
    value, digits = call.arguments[0], call.arguments[1].integer
    if digits is None:
        raise refuse(call.node, "ROUND", "the number of digits must be a literal.")
    function = "round"
    if len(call.arguments) > 2:
        flag = call.arguments[2].integer
        if flag is None:
            raise refuse(call.node, "ROUND", "the third argument must be a literal.")
        function = "trunc" if flag else "round"
    tree = _number(value, call.options)
    if value.type.is_integer and digits >= 0:
        return tree
    if value.type.is_integer:
        if function == "trunc":
            power = 10 ** min(-digits, 18)
            return sql.mul(exp.Paren(this=sql.int_div(tree, power)), power)
        return sql.fn("round", tree, digits)
    scale = as_decimal(value.type).scale or 0
    if value.type.is_exact and digits >= scale:
        return tree
    if value.type.is_exact and function == "trunc" and digits < 0:
        power = 10 ** min(-digits, 18)
        whole = sql.mul(
            exp.Paren(this=sql.int_div(sql.cast(sql.fn("trunc", tree), "HUGEINT"), power)), power
        )
        return sql.cast(whole, storage(call.type))
    if function == "round" and digits >= 0:
        tree = cut_quotient(tree, digits + 1)
    return sql.fn(function, tree, digits)


def _power(call: Call) -> exp.Expr:
    """POWER has the type of its first argument: ``POWER(2, -1)`` is 0."""
    base, exponent = call.arguments
    tree = sql.fn("power", _as_float(base, call.options), _as_float(exponent, call.options))
    if call.type.is_approximate:
        return tree
    if call.type.is_integer:
        return sql.cast(sql.fn("trunc", tree), storage(call.type))
    return sql.cast(tree, storage(call.type))


def _log(call: Call) -> exp.Expr:
    """LOG(x) is the natural logarithm, LOG(x, base) that of the base; x <= 0 raises."""
    value = _as_float(call.arguments[0], call.options)
    if len(call.arguments) == 1:
        return sql.fn("ln", value)
    return sql.fn("log", _as_float(call.arguments[1], call.options), value)


def _square(call: Call) -> exp.Expr:
    return sql.fn("power", _as_float(call.arguments[0], call.options), 2)


def _isnull(call: Call) -> exp.Expr:
    """ISNULL: the second argument is converted, and cut, to the type of the first."""
    first, second = call.arguments
    if first.is_null:
        return second.tree
    replacement = second.tree
    if not second.is_null and second.type != first.type:
        both_text = first.type.is_string and second.type.is_string
        if both_text or not _widens(second, first.type):
            replacement = convert(second, first.type, call.options)
    return sql.fn("coalesce", first.tree, replacement)


def _widens(value: Value, to: SqlType) -> bool:
    """A whole number put among decimals, floats or integers that can hold it."""
    if value.integer is None:
        both = value.type.is_integer and to.is_integer
        return both and t.precedence(to) <= t.precedence(value.type)
    if to.name in (TypeName.BIT, TypeName.TINYINT, TypeName.SMALLINT):
        return to.name is not TypeName.BIT and 0 <= value.integer <= 255
    if to.is_decimal:
        return len(str(abs(value.integer))) <= (to.precision or 0) - (to.scale or 0)
    return to.is_numeric


def _coalesce(call: Call) -> exp.Expr:
    values = [argument for argument in call.arguments if not argument.is_null]
    if not values:
        return exp.Null()
    return sql.fn("coalesce", *(align(value, call.type, call.options) for value in values))


def _extreme(name: str) -> Rule:
    """GREATEST and LEAST ignore NULL in both."""
    return lambda call: sql.fn(
        name, *(align(argument, call.type, call.options) for argument in call.arguments)
    )


def _choose(call: Call) -> exp.Expr:
    index = int_of(call.arguments[0], call.options)
    return exp.Case(
        this=index,
        ifs=[
            exp.If(this=sql.number(position), true=align(value, call.type, call.options))
            for position, value in enumerate(call.arguments[1:], start=1)
        ],
    )


# --- aggregates -----------------------------------------------------------------------------------


def _argument(call: Call, tree: exp.Expr) -> exp.Expr:
    return exp.Distinct(expressions=[tree]) if call.distinct else tree


def _count(call: Call) -> exp.Expr:
    if call.star:
        return sql.fn("count", exp.Star())
    return sql.fn("count", _argument(call, call.arguments[0].tree))


def _sum(call: Call) -> exp.Expr:
    """SUM of ints is an int: a larger total is error 8115 (``functions/sum-transact-sql``)."""
    total = sql.fn("sum", _argument(call, call.arguments[0].tree))
    return sql.cast(total, storage(call.type)) if call.type.is_integer else total


def _avg(call: Call) -> exp.Expr:
    """AVG of ints is an int, of decimals a decimal of scale 6 or more: the exact sum divided."""
    value = call.arguments[0]
    if value.type.is_approximate:
        return sql.fn("avg", _argument(call, value.tree))
    total = sql.fn("sum", _argument(call, value.tree))
    count = sql.fn("count", _argument(call, value.tree.copy()))
    if call.type.is_integer:
        return sql.cast(sql.int_div(total, count), storage(call.type))
    sum_type = t.decimal(38, as_decimal(value.type).scale or 0)
    return decimal_division(
        Value(total, sum_type, call.node), Value(count, t.INT, call.node), call.type
    )


def _extreme_of(name: str) -> Rule:
    """MIN and MAX; of text without regard to case it is the text whose folded form is extreme."""

    def rule(call: Call) -> exp.Expr:
        value = call.arguments[0]
        if value.type.is_string and ignores_case(call.options, value):
            return sql.fn(f"arg_{name}", value.tree, folded(value.tree.copy()))
        if (
            call.options.text_order
            and value.type.is_string
            and value.has_letters
            and not value.is_case_sensitive
        ):
            return sql.fn(f"arg_{name}", value.tree, sql.fn("lower", value.tree.copy()))
        return sql.fn(name, value.tree)

    return rule


def _statistic(name: str) -> Rule:
    return lambda call: sql.fn(name, _argument(call, _as_float(call.arguments[0], call.options)))


def _plain(name: str) -> Rule:
    return lambda call: sql.fn(name, *(argument.tree for argument in call.arguments))


RULES: Mapping[str, Rule] = {
    "ABS": _kept("abs"),
    "CEILING": _kept("ceil"),
    "FLOOR": _kept("floor"),
    "SIGN": _sign,
    "ROUND": _round,
    "POWER": _power,
    "SQUARE": _square,
    "LOG": _log,
    "LOG10": _float_function("log10"),
    "EXP": _float_function("exp"),
    "SQRT": _float_function("sqrt"),
    "PI": lambda call: sql.fn("pi"),
    "SIN": _float_function("sin"),
    "COS": _float_function("cos"),
    "TAN": _float_function("tan"),
    "COT": _float_function("cot"),
    "ASIN": _float_function("asin"),
    "ACOS": _float_function("acos"),
    "ATAN": _float_function("atan"),
    "ATN2": _float_function("atan2"),
    "DEGREES": lambda call: sql.cast(
        sql.fn("degrees", _as_float(call.arguments[0], call.options)), storage(call.type)
    ),
    "RADIANS": lambda call: sql.cast(
        sql.fn("radians", _as_float(call.arguments[0], call.options)), storage(call.type)
    ),
    "ISNULL": _isnull,
    "COALESCE": _coalesce,
    "GREATEST": _extreme("greatest"),
    "LEAST": _extreme("least"),
    "CHOOSE": _choose,
    "COUNT": _count,
    "COUNT_BIG": _count,
    "APPROX_COUNT_DISTINCT": lambda call: sql.fn(
        "count", exp.Distinct(expressions=[call.arguments[0].tree])
    ),
    "SUM": _sum,
    "AVG": _avg,
    "MIN": _extreme_of("min"),
    "MAX": _extreme_of("max"),
    "STDEV": _statistic("stddev_samp"),
    "STDEVP": _statistic("stddev_pop"),
    "VAR": _statistic("var_samp"),
    "VARP": _statistic("var_pop"),
    "GROUPING": _plain("grouping"),
    "GROUPING_ID": _plain("grouping_id"),
    "ROW_NUMBER": _plain("row_number"),
    "RANK": _plain("rank"),
    "DENSE_RANK": _plain("dense_rank"),
    "CUME_DIST": _plain("cume_dist"),
    "PERCENT_RANK": _plain("percent_rank"),
    "NTILE": _plain("ntile"),
    "FIRST_VALUE": _plain("first_value"),
    "LAST_VALUE": _plain("last_value"),
    "NEWID": lambda call: sql.fn("uuid"),
}


def lag(call: Call) -> exp.Expr:
    """LAG and LEAD: the default takes the type of the value."""
    value, *rest = call.arguments
    trees = [value.tree]
    if rest:
        trees.append(rest[0].tree)
    if len(rest) > 1:
        trees.append(align(rest[1], value.type, call.options))
    return sql.fn(call.name.lower(), *trees)
