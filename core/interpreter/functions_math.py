"""Mathematical functions and hashes (``functions/<name>-transact-sql``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlglot import exp

from core.interpreter.casts import Mode, convert
from core.interpreter.errors import Refused, SqlError, raising
from core.interpreter.naming import once
from core.tsql import types as t
from core.tsql.types import duckdb_storage
from core.tsql.typing import line_of, type_of

if TYPE_CHECKING:
    from core.interpreter.expressions import ExpressionEmitter

Writer = Callable[["ExpressionEmitter", exp.Expr], str]
_DOMAIN = raising(3623, "An invalid floating point operation occurred.")


def _kept(template: str) -> Writer:
    """A function that keeps the kind of its number: the argument in the result's type."""

    def write(emitter: ExpressionEmitter, node: exp.Expr) -> str:
        target = type_of(node)
        value = emitter.converted(node.expressions[0], target)
        return f"CAST({template.format(value)} AS {duckdb_storage(target)})"

    return write


def _whole(function: str) -> Writer:
    def write(emitter: ExpressionEmitter, node: exp.Expr) -> str:
        argument, target = node.expressions[0], type_of(node)
        value = emitter.value(argument)
        if not type_of(argument).is_numeric:
            value = emitter.converted(argument, target)
        return f"CAST({function}({value}) AS {duckdb_storage(target)})"

    return write


def _float(template: str, guard: str = "") -> Writer:
    """A function of floats, with the server's domain error where `guard` holds."""

    def write(emitter: ExpressionEmitter, node: exp.Expr) -> str:
        values = [emitter.converted(argument, t.FLOAT) for argument in node.expressions]
        if not guard:
            return template.format(*values)
        return once(
            values[0],
            lambda v: (
                f"CASE WHEN {guard.format(v)} THEN {_DOMAIN} "
                f"ELSE {template.format(v, *values[1:])} END"
            ),
        )

    return write


def _round(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    """ROUND(x, n[, truncate]): half away from zero; a third argument but 0 truncates."""
    number, length, *rest = node.expressions
    target = type_of(node)
    value = emitter.converted(number, target)
    digits = emitter.converted(length, t.INT, Mode.EXPLICIT)
    cut = rest and not (isinstance(rest[0], exp.Literal) and rest[0].name == "0")
    storage = duckdb_storage(target)
    if target.is_approximate and not cut:
        return f"round({value}, {digits})"
    if cut:
        scaled = once(
            digits,
            lambda n: (
                f"CASE WHEN {n} >= 0 "
                f"THEN trunc(({value})::DOUBLE * power(10, {n})) / power(10, {n}) "
                f"ELSE trunc(({value})::DOUBLE / power(10, -{n})) * power(10, -{n}) END"
            ),
        )
        if target.is_approximate:
            return scaled
        return f"CAST({_exact_cut(value, digits, target.scale or 0)} AS {storage})"
    if target.is_integer:
        value = f"CAST({value} AS DECIMAL(38, 0))"
    return f"CAST({_exact_round(value, digits)} AS {storage})"


def _exact_round(value: str, digits: str) -> str:
    """The engine rounds decimals exactly, half away from zero, for a literal count of digits."""
    return f"round({value}, {digits})"


def _exact_cut(value: str, digits: str, scale: int) -> str:
    """Digits behind the n-th dropped, on the text of the number."""
    text = f"CAST(CAST({value} AS DECIMAL(38, {scale})) AS VARCHAR)"
    return once(
        text,
        lambda v: (
            f"CAST(CASE WHEN {digits} >= 0 THEN "
            f"left({v}, CASE WHEN strpos({v}, '.') = 0 THEN length({v}) "
            f"ELSE strpos({v}, '.') + {digits} END) "
            f"ELSE coalesce(nullif(left(split_part({v}, '.', 1), greatest(0, "
            f"length(split_part({v}, '.', 1)) + {digits})), '') || repeat('0', CAST(-({digits}) "
            f"AS BIGINT)), '0') END AS DECIMAL(38, {scale}))"
        ),
    )


def _power(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    """POWER: the result has the type of the first argument (an int 2^-1 is 0)."""
    base, exponent = node.expressions
    target = type_of(node)
    value = f"power({emitter.converted(base, t.FLOAT)}, {emitter.converted(exponent, t.FLOAT)})"
    if target.is_approximate:
        return value
    return convert(value, t.FLOAT, target, Mode.EXPLICIT)


def _angle(function: str) -> Writer:
    def write(emitter: ExpressionEmitter, node: exp.Expr) -> str:
        value = f"{function}({emitter.converted(node.expressions[0], t.FLOAT)})"
        target = type_of(node)
        return value if target.is_approximate else convert(value, t.FLOAT, target, Mode.EXPLICIT)

    return write


def _log(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    value, *base = [emitter.converted(argument, t.FLOAT) for argument in node.expressions]
    body = f"ln({value})" + (f" / ln({base[0]})" if base else "")
    return f"CASE WHEN {value} <= 0 THEN {_DOMAIN} ELSE {body} END"


def _rand(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    """RAND: one value per query; with a seed, always the same one for that seed."""
    if node.expressions:
        seed = emitter.converted(node.expressions[0], t.INT)
        return f"((hash({seed}) % 9007199254740992) / 9007199254740992.0::DOUBLE)"
    emitter.context.use("s_rand", ("system", "rand"))
    return "CAST($s_rand AS DOUBLE)"


_HASHES = {"MD5": "md5", "SHA1": "sha1", "SHA": "sha1", "SHA2_256": "sha256"}


def _hashbytes(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    algorithm, value = node.expressions
    name = algorithm.name.upper() if isinstance(algorithm, exp.Literal | exp.National) else ""
    function = _HASHES.get(name)
    if name in ("MD2", "MD4"):
        raise Refused("HASHBYTES", f"the algorithm {name} is not supported", line_of(node))
    type_ = type_of(value)
    if not (type_.is_string or type_.is_binary or type_.is_null):
        raise SqlError(
            8116, f"Argument data type {type_} is invalid for argument 2 of hashbytes function."
        )
    bytes_ = emitter.converted(value, t.varbinary(t.MAX), Mode.EXPLICIT)
    if function is None:
        chosen = emitter.converted(algorithm, t.varchar(50))
        digits = emitter.context.computed("hashbytes", [chosen, f"hex({bytes_})"], t.varchar(t.MAX))
        return f"unhex({digits})"
    return f"unhex({function}({bytes_}))"


def _checksum(emitter: ExpressionEmitter, node: exp.Expr) -> str:
    """CHECKSUM: equal for equal lists, an int. The server's own numbers are not documented."""
    parts = []
    for argument in node.expressions:
        if isinstance(argument, exp.Star):
            raise Refused("CHECKSUM(*)", "CHECKSUM of all columns is not supported", line_of(node))
        type_ = type_of(argument)
        sql = emitter.fold(emitter.value(argument), type_)
        parts.append(f"coalesce(CAST({sql} AS VARCHAR), chr(0))")
    joined = " || chr(1) || ".join(parts)
    return f"CAST(CAST(hash({joined}) % 4294967296 AS BIGINT) - 2147483648 AS INTEGER)"


FUNCTIONS: dict[str, Writer] = {
    "ABS": _kept("abs({0})"),
    "CEILING": _whole("ceil"),
    "FLOOR": _whole("floor"),
    "SIGN": _kept("sign({0})"),
    "ROUND": _round,
    "POWER": _power,
    "DEGREES": _angle("degrees"),
    "RADIANS": _angle("radians"),
    "SQUARE": _float("power({0}, 2)"),
    "SQRT": _float("sqrt({0})", "{0} < 0"),
    "EXP": _float("exp({0})"),
    "LOG": _log,
    "LOG10": _float("log10({0})", "{0} <= 0"),
    "PI": _float("pi()"),
    "SIN": _float("sin({0})"),
    "COS": _float("cos({0})"),
    "TAN": _float("tan({0})"),
    "COT": _float("cot({0})"),
    "ASIN": _float("asin({0})", "abs({0}) > 1"),
    "ACOS": _float("acos({0})", "abs({0}) > 1"),
    "ATAN": _float("atan({0})"),
    "ATN2": _float("atan2({0}, {1})"),
    "RAND": _rand,
    "HASHBYTES": _hashbytes,
    "CHECKSUM": _checksum,
    "BINARY_CHECKSUM": _checksum,
}
