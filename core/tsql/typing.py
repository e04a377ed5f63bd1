"""The T-SQL type of one expression, from the types of its parts.

:func:`result_type` looks at one node whose operands are typed already (``binding`` walks the tree
bottom-up and records each answer with :func:`set_type`); :func:`type_of` reads the record, which
copies of a tree keep. A predicate has no type in T-SQL: :func:`is_predicate`.

What SQL Server refuses because of types is raised as :class:`BindError` with its error number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce

from sqlglot import exp

from core.tsql import functions
from core.tsql import types as t
from core.tsql.errors import TsqlError
from core.tsql.types import SqlType, TypeName, common_type

_META = "tsql_bound_type"


class BindError(TsqlError):
    """What SQL Server would say of a name or a type: its error number, message and the line."""

    code = "TSQL_BIND"

    def __init__(self, number: int, message: str, *, line: int = 1, column: int = 1) -> None:
        super().__init__(message, line=line, column=column)
        self.number = number


PREDICATES: tuple[type[exp.Expr], ...] = (
    exp.And,
    exp.Or,
    exp.Not,
    exp.EQ,
    exp.NEQ,
    exp.GT,
    exp.GTE,
    exp.LT,
    exp.LTE,
    exp.Is,
    exp.In,
    exp.Like,
    exp.Escape,
    exp.Between,
    exp.Exists,
    exp.NullSafeEQ,
    exp.NullSafeNEQ,
)

COMPARISONS: tuple[type[exp.Expr], ...] = (
    exp.EQ,
    exp.NEQ,
    exp.GT,
    exp.GTE,
    exp.LT,
    exp.LTE,
    exp.NullSafeEQ,
    exp.NullSafeNEQ,
)


def is_predicate(node: exp.Expr) -> bool:
    """Whether a node is true, false or unknown rather than a value."""
    while isinstance(node, exp.Paren):
        node = node.this
    return isinstance(node, PREDICATES)


def type_of(node: exp.Expr) -> SqlType:
    """The T-SQL type recorded for a value; :data:`types.NULL` when none was (a predicate)."""
    found: SqlType = node.meta.get(_META, t.NULL)
    return found


def set_type(node: exp.Expr, type_: SqlType) -> None:
    """Record the type of a value."""
    node.meta[_META] = type_


def line_of(node: exp.Expr) -> int:
    """The source line of a node: its own, or the nearest one below or around it; 1 if none has one.

    sqlglot gives positions to names, literals and calls only: a variable's line is its neighbours'.
    """
    around: exp.Expr | None = node
    while around is not None:
        for part in around.walk():
            line = part.meta.get("line")
            if isinstance(line, int):
                return line
        around = around.parent
    return 1


def unwrapped(node: exp.Expr) -> exp.Expr:
    """The node inside parentheses."""
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def is_integer_literal(node: exp.Expr) -> bool:
    """An integer written out, signed or not, in parentheses or not."""
    node = unwrapped(node)
    if isinstance(node, exp.Neg):
        node = unwrapped(node.this)
    return isinstance(node, exp.Literal) and not node.is_string and node.name.isdecimal()


def operand_type(node: exp.Expr) -> SqlType:
    """The type an operand has in decimal arithmetic: an integer literal has just its digits.

    ``1.0 / 3`` is numeric(8,6), not numeric(13,12): constants are converted with the precision
    they need (``data-types/constants-transact-sql`` and ``precision-scale-and-length``).
    """
    type_ = type_of(node)
    if type_.name is TypeName.INT and is_integer_literal(node):
        inner = unwrapped(node)
        if isinstance(inner, exp.Neg):
            inner = unwrapped(inner.this)
        return t.decimal(len(inner.name.lstrip("0") or "0"), 0)
    return type_


def declared_type(node: exp.Expr, aliases: Mapping[str, SqlType] | None = None) -> SqlType:
    """The target type of a CAST, TRY_CAST, CONVERT or TRY_CONVERT.

    Raises :class:`BindError` 243 for a type that is not known.
    """
    text = node.meta.get("tsql_type")
    if not isinstance(text, str):
        target = node.this if isinstance(node, exp.Convert) else node.args.get("to")
        text = type_text(target) if isinstance(target, exp.DataType) else str(target)
    try:
        return t.parse_type(text, aliases=aliases, in_cast=True)
    except t.UnknownTypeError as error:
        raise BindError(243, error.reason, line=line_of(node)) from error


_DTYPE_NAMES = {
    exp.DType.FLOAT: "real",
    exp.DType.DOUBLE: "float",
    exp.DType.UTINYINT: "tinyint",
    exp.DType.TIMESTAMPTZ: "datetimeoffset",
    exp.DType.TIMESTAMP: "datetime2",
    exp.DType.UUID: "uniqueidentifier",
    exp.DType.VARIANT: "sql_variant",
    exp.DType.BOOLEAN: "bit",
}


def type_text(type_: exp.DataType) -> str:
    """A parsed type as T-SQL text."""
    if type_.this == exp.DType.USERDEFINED:
        return str(type_.args.get("kind"))
    name = _DTYPE_NAMES.get(type_.this, str(type_.this.value).lower())
    arguments = [part.this.name for part in type_.expressions if isinstance(part.this, exp.Expr)]
    return f"{name}({','.join(arguments)})" if arguments else name


def literal_type(node: exp.Expr) -> SqlType:
    """The type of a literal without prefix (``data-types/constants-transact-sql``)."""
    if bool(node.args.get("is_string")):
        return t.literal_string(node.name, unicode=False)
    text = node.name.lower()
    if "e" in text:
        return t.FLOAT
    if "." in text:
        return t.literal_decimal(text)
    return t.literal_integer(text)


def result_type(node: exp.Expr) -> SqlType:
    """The type of one value node whose operands have theirs.

    Raises :class:`BindError` where SQL Server refuses the operand types.
    """
    for kinds, rule in _RULES:
        if isinstance(node, kinds):
            return rule(node)
    raise BindError(102, f"'{node.sql('tsql')}' is not understood here.", line=line_of(node))


def _arithmetic(node: exp.Expr) -> SqlType:
    left, right = type_of(node.this), type_of(node.expression)
    if left.is_decimal or right.is_decimal:
        left, right = operand_type(node.this), operand_type(node.expression)
    return arithmetic_type(node, left, right)


def _inner(node: exp.Expr) -> SqlType:
    return type_of(node.expressions[0] if isinstance(node, exp.Distinct) else node.this)


def _zoned(node: exp.Expr) -> SqlType:
    return SqlType(TypeName.DATETIMEOFFSET, scale=_fraction_digits(type_of(node.this)))


def _fraction_digits(type_: SqlType) -> int:
    if type_.scale is not None and not type_.is_decimal:
        return type_.scale
    return 3 if type_.name is TypeName.DATETIME else 0


def _case(node: exp.Expr) -> SqlType:
    branches = [branch.args["true"] for branch in node.args["ifs"]]
    default = node.args.get("default")
    if default is not None:
        branches.append(default)
    return reduce(common_type, (type_of(branch) for branch in branches))


def _unary(node: exp.Expr) -> SqlType:
    type_ = type_of(node.this)
    negation = isinstance(node, exp.Neg)
    if type_.is_string or (negation and (type_.name is TypeName.BIT or type_.is_datetime)):
        operator = "minus" if negation else "bitwise not"
        raise BindError(
            8117,
            f"Operand data type {type_.name} is invalid for {operator} operator.",
            line=line_of(node),
        )
    return t.INT if type_.is_null else type_


_OPERATOR_NAMES: dict[type[exp.Expr], str] = {
    exp.Add: "add",
    exp.Sub: "subtract",
    exp.Mul: "multiply",
    exp.Div: "divide",
    exp.Mod: "modulo",
}


def arithmetic_type(node: exp.Expr, left: SqlType, right: SqlType) -> SqlType:
    """The type of ``+ - * / %`` on two operand types.

    ``language-elements/add-transact-sql`` and its siblings; ``precision-scale-and-length``.
    """
    if left.is_null and right.is_null:
        return t.INT
    if isinstance(node, exp.Add) and _is_texty(left) and _is_texty(right):
        if left.is_binary and right.is_binary:
            return t.varbinary(min((left.length or 1) + (right.length or 1), 8000))
        return t.concatenated(left, right)
    if left.is_datetime or right.is_datetime:
        return _datetime_arithmetic(node, left, right)
    if left.is_string and right.is_string:
        name = left.name if t.precedence(left) <= t.precedence(right) else right.name
        raise _invalid_operand(node, name)
    left, right = _as_number(left, right), _as_number(right, left)
    for type_ in (left, right):
        if not type_.is_numeric:
            raise _invalid_operand(node, type_.name)
    if left.name is TypeName.BIT and right.name is TypeName.BIT:
        raise _invalid_operand(node, TypeName.BIT)
    return _numeric_arithmetic(node, left, right)


def _is_texty(type_: SqlType) -> bool:
    return type_.is_string or type_.is_binary or type_.is_null


def _invalid_operand(node: exp.Expr, name: TypeName) -> BindError:
    operator = _OPERATOR_NAMES.get(type(node), "bitwise")
    return BindError(
        8117, f"Operand data type {name} is invalid for {operator} operator.", line=line_of(node)
    )


def _as_number(type_: SqlType, other: SqlType) -> SqlType:
    """What an operand becomes beside a number: text and NULL take the number's type."""
    if type_.is_null:
        return other
    if type_.is_string or (type_.is_binary and other.is_integer):
        # The text is converted to the number's own type; a decimal's as decimal of its digits.
        return other
    return type_


def _numeric_arithmetic(node: exp.Expr, left: SqlType, right: SqlType) -> SqlType:
    if left.is_approximate or right.is_approximate:
        if left.name is TypeName.REAL and right.name is TypeName.REAL:
            return t.REAL
        return left if t.precedence(left) <= t.precedence(right) else right
    if left.is_decimal or right.is_decimal:
        match node:
            case exp.Add() | exp.Sub():
                return t.decimal_sum(left, right)
            case exp.Mul():
                return t.decimal_product(left, right)
            case exp.Div():
                return t.decimal_quotient(left, right)
            case _:
                return t.decimal_remainder(left, right)
    return left if t.precedence(left) <= t.precedence(right) else right


def _datetime_arithmetic(node: exp.Expr, left: SqlType, right: SqlType) -> SqlType:
    """datetime ± number is a datetime; the newer types know no arithmetic (error 206 or 8117)."""
    temporal = left if left.is_datetime else right
    other = right if left.is_datetime else left
    if not isinstance(node, exp.Add | exp.Sub):
        raise _invalid_operand(node, temporal.name)
    if temporal.name not in t.LEGACY_DATETIMES:
        if other.is_datetime and other.name in t.LEGACY_DATETIMES:
            raise _clash(node, left, right)
        if other.is_datetime:
            raise _invalid_operand(node, temporal.name)
        raise _clash(node, temporal, other)
    if other.is_datetime and other.name not in t.LEGACY_DATETIMES:
        raise _clash(node, left, right)
    if other.is_string or other.is_numeric or other.is_null or other.is_binary:
        return temporal
    return left if t.precedence(left) <= t.precedence(right) else right


def _clash(node: exp.Expr, left: SqlType, right: SqlType) -> BindError:
    return BindError(
        206,
        f"Operand type clash: {left.name} is incompatible with {right.name}",
        line=line_of(node),
    )


def _bitwise(node: exp.Expr) -> SqlType:
    left, right = type_of(node.this), type_of(node.expression)
    for type_ in (left, right):
        if not (type_.is_integer or type_.is_binary or type_.is_null):
            raise BindError(
                402 if not type_.is_string else 8117,
                f"The data types {left.name} and {right.name} are incompatible in the bitwise "
                "operator.",
                line=line_of(node),
            )
    if left.is_binary or right.is_binary:
        return right if left.is_binary else left
    return common_type(left, right)


_NEVER_COMPARED = frozenset({TypeName.XML, TypeName.TEXT, TypeName.NTEXT, TypeName.IMAGE})


def check_comparable(node: exp.Expr, left: SqlType, right: SqlType) -> None:
    """Refuse what SQL Server cannot compare (errors 206 and 402)."""
    if left.is_null or right.is_null:
        return
    for type_ in (left, right):
        if type_.name in _NEVER_COMPARED and not isinstance(node, exp.Like):
            raise BindError(
                402,
                f"The data types {left.name} and {right.name} are incompatible in the comparison "
                "operator.",
                line=line_of(node),
            )
    pairs = ((left, right), (right, left))
    for a, b in pairs:
        newer_date = a.is_datetime and a.name not in t.LEGACY_DATETIMES
        if newer_date and (b.is_numeric or b.name is TypeName.UNIQUEIDENTIFIER):
            raise _clash(node, left, right)
        if a.name is TypeName.UNIQUEIDENTIFIER and b.is_numeric:
            raise _clash(node, left, right)
        if a.name is TypeName.DATE and b.name is TypeName.TIME:
            raise BindError(
                402,
                "The data types date and time are incompatible in the comparison operator.",
                line=line_of(node),
            )


def call_arguments(node: exp.Expr) -> list[exp.Expr]:
    arguments = list(node.expressions)
    if len(arguments) == 1 and isinstance(arguments[0], exp.Distinct):
        return list(arguments[0].expressions)
    return arguments


def function_type(node: exp.Expr) -> SqlType:
    """The result type of a built-in call.

    Raises :class:`BindError` 195 for a name that is no built-in function, 174 and 189 for a wrong
    number of arguments, 8117 for an aggregate of a type it does not take.
    """
    name = node.name.upper()
    arguments = call_arguments(node)
    if name in ("PARSE", "TRY_PARSE"):
        target = arguments[1]
        assert isinstance(target, exp.DataType)
        return t.parse_type(type_text(target), in_cast=True)
    built_in = functions.FUNCTIONS.get(name)
    if built_in is None:
        raise BindError(
            195, f"'{node.name}' is not a recognized built-in function name.", line=line_of(node)
        )
    if len(arguments) < built_in.least or (
        built_in.most is not None and len(arguments) > built_in.most
    ):
        called = node.name.lower()
        if built_in.least == built_in.most:
            raise BindError(
                174,
                f"The {called} function requires {built_in.least} argument(s).",
                line=line_of(node),
            )
        raise BindError(
            189,
            f"The {called} function requires {built_in.least} to {built_in.most or 254} arguments.",
            line=line_of(node),
        )
    types = [type_of(argument) for argument in arguments]
    if name in ("SUM", "AVG") and (
        types[0].is_datetime or types[0].name is TypeName.BIT or (types[0].is_string)
    ):
        raise BindError(
            8117,
            f"Operand data type {types[0].name} is invalid for {name.lower()} operator.",
            line=line_of(node),
        )
    return _length_from_literal(name, arguments, built_in.rule(types))


def _length_from_literal(name: str, arguments: list[exp.Expr], type_: SqlType) -> SqlType:
    """LEFT, RIGHT, SUBSTRING, REPLICATE, SPACE and DATETIME2FROMPARTS with a literal size."""
    position = {"LEFT": 1, "RIGHT": 1, "SUBSTRING": 2, "SPACE": 0, "STR": 1}.get(name)
    if position is not None and len(arguments) > position:
        size = unwrapped(arguments[position])
        if isinstance(size, exp.Literal) and size.name.isdecimal() and type_.is_string:
            length = max(1, int(size.name))
            if type_.length == t.MAX:
                return type_ if length > 4000 else t.SqlType(type_.name, length=length)
            return SqlType(type_.name, length=min(length, type_.length or length))
    if name.endswith("2FROMPARTS") or name in ("TIMEFROMPARTS", "DATETIMEOFFSETFROMPARTS"):
        size = unwrapped(arguments[-1])
        if isinstance(size, exp.Literal) and size.name.isdecimal():
            return SqlType(type_.name, scale=min(int(size.name), 7))
    return type_


_RULES: tuple[tuple[tuple[type[exp.Expr], ...], Callable[[exp.Expr], SqlType]], ...] = (
    ((exp.Literal,), literal_type),
    ((exp.Anonymous,), function_type),
    ((exp.National,), lambda node: t.literal_string(node.name, unicode=True)),
    ((exp.HexString,), lambda node: t.varbinary(max(1, (len(node.name) + 1) // 2))),
    ((exp.Null,), lambda node: t.NULL),
    ((exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod), _arithmetic),
    ((exp.Paren, exp.Collate, exp.Distinct, exp.Alias), _inner),
    ((exp.IgnoreNulls, exp.RespectNulls, exp.Window, exp.WithinGroup), _inner),
    ((exp.Neg, exp.BitwiseNot), _unary),
    ((exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseXor), _bitwise),
    ((exp.Case,), _case),
    ((exp.Trim,), lambda node: functions.FUNCTIONS["TRIM"].rule([type_of(node.this)])),
    ((exp.AtTimeZone,), _zoned),
    ((exp.NextValueFor,), lambda node: t.BIGINT),
    ((exp.CurrentTimestamp,), lambda node: t.DATETIME),
    ((exp.CurrentDate,), lambda node: t.DATE),
    ((exp.CurrentUser, exp.SessionUser), lambda node: t.SYSNAME),
)
