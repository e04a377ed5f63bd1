"""``+ - * / %`` with T-SQL's types: exact decimals, truncating division, dates plus days."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from core.interpreter.casts import convert
from core.interpreter.errors import Refused, raising
from core.interpreter.naming import once
from core.tsql import types as t
from core.tsql.types import SqlType, TypeName, duckdb_storage
from core.tsql.typing import line_of, operand_type, type_of

if TYPE_CHECKING:
    from core.interpreter.expressions import ExpressionEmitter

N = TypeName
_SYMBOLS: dict[type[exp.Expr], str] = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.Mod: "%",
}


def arithmetic(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    """One binary operator; its operands are converted first, as SQL Server does."""
    result = type_of(node)
    left, right = node.this, node.expression
    symbol = _SYMBOLS[type(node)]
    a, b = emitter.value(left), emitter.value(right)
    if result.is_string:
        return _concatenation(a, type_of(left), b, type_of(right), result)
    if result.is_binary:
        return f"({a} || {b})"
    if result.is_datetime:
        return _date_arithmetic(symbol, a, type_of(left), b, type_of(right), result)
    if result.is_decimal:
        return _decimal(emitter, node, symbol, a, b, result)
    return numeric(
        symbol, convert(a, type_of(left), result), convert(b, type_of(right), result), result
    )


def numeric(symbol: str, a: str, b: str, result: SqlType) -> str:
    """Both operands are of the result's type already: integers, money, floats."""
    storage = duckdb_storage(result)
    if result.is_integer:
        if symbol == "/":
            return once(b, lambda d: f"ts_idiv({a}, {d})")
        if symbol == "%":
            return once(b, lambda d: f"ts_mod({a}, {d})")
        return f"({a} {symbol} {b})"
    if result.is_money:
        return _money(symbol, a, b, storage)
    if symbol == "/":
        return once(b, lambda d: f"CAST(ts_fdiv({a}, {d}) AS {storage})")
    if symbol == "%":
        raise Refused("%", "% of floating-point numbers is not allowed")
    return f"CAST(({a} {symbol} {b}) AS {storage})"


def _money(symbol: str, a: str, b: str, storage: str) -> str:
    """Four decimals; products are rounded and quotients cut to them."""
    if symbol in ("+", "-"):
        return f"CAST(({a} {symbol} {b}) AS {storage})"
    if symbol == "*":
        return (
            f"CAST(CAST(CAST({a} AS DECIMAL(19, 4)) * CAST({b} AS DECIMAL(19, 4)) "
            f"AS DECIMAL(38, 8)) AS {storage})"
        )
    if symbol == "%":
        return once(b, lambda d: f"CAST(ts_mod({a}, {d}) AS {storage})")
    return f"CAST(ts_ddiv(ts_digits({a}), ts_digits({b}), 4, 0) AS {storage})"


def _concatenation(a: str, left: SqlType, b: str, right: SqlType, result: SqlType) -> str:
    first = a if left.is_string else convert(a, left, t.varchar(t.MAX))
    second = b if right.is_string else convert(b, right, t.varchar(t.MAX))
    joined = f"({first} || {second})"
    known = [kind.length for kind in (left, right) if kind.is_string]
    overlong = (
        result.length not in (None, t.MAX)
        and t.MAX not in known
        and sum(length or 0 for length in known) > (result.length or 0)
    )
    # Beyond 8000 bytes a concatenation of bounded strings is cut without a word.
    return f"left({joined}, {result.length})" if overlong else joined


def _date_arithmetic(
    symbol: str, a: str, left: SqlType, b: str, right: SqlType, result: SqlType
) -> str:
    """datetime ± number of days; datetime - datetime is a datetime counted from 1900."""
    first = (
        f"ts_ts_days({convert(a, left, t.DATETIME)})"
        if _moment(left)
        else convert(a, left, t.FLOAT)
    )
    second = (
        f"ts_ts_days({convert(b, right, t.DATETIME)})"
        if _moment(right)
        else convert(b, right, t.FLOAT)
    )
    return convert(f"ts_days_ts({first} {symbol} {second})", t.datetime2(7), result)


def _moment(type_: SqlType) -> bool:
    return type_.is_datetime or type_.is_string


def _decimal(
    emitter: ExpressionEmitter, node: exp.Expr, symbol: str, a: str, b: str, result: SqlType
) -> str:
    left = _as_operand(node.this, node.expression)
    right = _as_operand(node.expression, node.this)
    a, b = convert(a, type_of(node.this), left), convert(b, type_of(node.expression), right)
    storage = duckdb_storage(result)
    if symbol == "/":
        return _quotient(a, left, b, right, result)
    if symbol == "%":
        wide = t.common_type(left, right)
        first, second = convert(a, left, wide), convert(b, right, wide)
        return once(second, lambda d: f"CAST(ts_mod({first}, {d}) AS {storage})")
    if symbol == "*":
        return _product(a, left, b, right, result)
    if (result.precision or 0) < 38:
        return f"CAST(({a} {symbol} {b}) AS {storage})"
    return f"CAST((CAST({a} AS {storage}) {symbol} CAST({b} AS {storage})) AS {storage})"


def _as_operand(node: exp.Expr, other: exp.Expr) -> SqlType:
    type_ = operand_type(node)
    if type_.is_exact:
        return t.as_decimal(type_)
    partner = t.as_decimal(operand_type(other))
    if type_.is_string or type_.is_null:
        return partner
    raise Refused("arithmetic", f"{type_} beside a decimal is not supported", line_of(node))


def _product(a: str, left: SqlType, b: str, right: SqlType, result: SqlType) -> str:
    storage = duckdb_storage(result)
    if (left.precision or 0) + (right.precision or 0) <= 38:
        return f"CAST(({a} * {b}) AS {storage})"
    # Too wide for the engine's decimals: whole numbers, then rounded to the result's scale.
    drop = (left.scale or 0) + (right.scale or 0) - (result.scale or 0)
    product = f"(ts_digits({a}) * ts_digits({b}))"
    if drop > 0:
        unit = f"(10::HUGEINT ** {drop})::HUGEINT"
        product = once(
            product,
            lambda p: f"(({p} + CASE WHEN {p} < 0 THEN -1 ELSE 1 END * ({unit} // 2)) // {unit})",
        )
    return _from_digits(product, result)


def _from_digits(sql: str, result: SqlType) -> str:
    """A whole number with the result's scale implied, as a decimal."""
    scale = result.scale or 0
    storage = duckdb_storage(result)
    if scale == 0:
        return f"CAST({sql} AS {storage})"
    return once(
        sql,
        lambda v: (
            f"CAST(CASE WHEN {v} < 0 THEN '-' ELSE '' END || "
            f"left(ts_pad(abs({v})::VARCHAR, {scale + 1}), -{scale})"
            f" || '.' || right(ts_pad(abs({v})::VARCHAR, {scale + 1}), {scale})"
            f" AS {storage})"
        ),
    )


def _quotient(a: str, left: SqlType, b: str, right: SqlType, result: SqlType) -> str:
    """Long division on whole numbers: exact to the result's scale, then cut."""
    scale = result.scale or 0
    shift = (right.scale or 0) - (left.scale or 0)
    dividend, divisor = f"ts_digits({a})", f"ts_digits({b})"
    if shift > 0:
        dividend = f"({dividend} * (10::HUGEINT ** {shift})::HUGEINT)"
    elif shift < 0:
        divisor = f"({divisor} * (10::HUGEINT ** {-shift})::HUGEINT)"
    first = min(scale, 19)
    quotient = once(
        dividend, lambda x: once(divisor, lambda y: f"ts_ddiv({x}, {y}, {first}, {scale - first})")
    )
    storage = duckdb_storage(result)
    overflow = raising(
        8115, "Arithmetic overflow error converting expression to data type numeric."
    )
    return once(
        quotient,
        lambda q: (
            f"CASE WHEN {q} IS NOT NULL AND TRY_CAST({q} AS {storage}) IS NULL THEN {overflow} "
            f"ELSE TRY_CAST({q} AS {storage}) END"
        ),
    )
