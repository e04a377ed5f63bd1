"""T-SQL's data types: what a declared type is, and what operators make of them.

The one place that knows type names, lengths, precisions, data-type precedence and the result
type of every operator. It knows nothing of expressions (``typing``), of names (``binding``) or of
what to do about a type in another engine, apart from :func:`duckdb_storage`, the type in which
interpreter, compiler and tests keep a T-SQL value in DuckDB.

Sources (Microsoft's documentation, ``learn.microsoft.com/en-us/sql/t-sql/...``):

* precedence: ``data-types/data-type-precedence-transact-sql``
* precision and scale: ``data-types/precision-scale-and-length-transact-sql``
* literals: ``data-types/constants-transact-sql``
* conversions: ``functions/cast-and-convert-transact-sql``
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

MAX = -1
"""Length of ``varchar(max)``, ``nvarchar(max)`` and ``varbinary(max)``."""

MAX_PRECISION = 38


class TypeName(StrEnum):
    """The base name of a type, synonyms resolved (``numeric`` is ``decimal``)."""

    NULL = "null"
    """The type of an untyped ``NULL``: it yields to every other type."""
    BIT = "bit"
    TINYINT = "tinyint"
    SMALLINT = "smallint"
    INT = "int"
    BIGINT = "bigint"
    DECIMAL = "decimal"
    MONEY = "money"
    SMALLMONEY = "smallmoney"
    REAL = "real"
    FLOAT = "float"
    CHAR = "char"
    VARCHAR = "varchar"
    TEXT = "text"
    NCHAR = "nchar"
    NVARCHAR = "nvarchar"
    NTEXT = "ntext"
    DATE = "date"
    TIME = "time"
    SMALLDATETIME = "smalldatetime"
    DATETIME = "datetime"
    DATETIME2 = "datetime2"
    DATETIMEOFFSET = "datetimeoffset"
    BINARY = "binary"
    VARBINARY = "varbinary"
    IMAGE = "image"
    ROWVERSION = "rowversion"
    UNIQUEIDENTIFIER = "uniqueidentifier"
    XML = "xml"
    SQL_VARIANT = "sql_variant"
    CURSOR = "cursor"
    TABLE = "table"


_T = TypeName

INTEGERS = frozenset({_T.BIT, _T.TINYINT, _T.SMALLINT, _T.INT, _T.BIGINT})
MONEYS = frozenset({_T.MONEY, _T.SMALLMONEY})
EXACT = INTEGERS | MONEYS | {_T.DECIMAL}
APPROXIMATE = frozenset({_T.REAL, _T.FLOAT})
NUMERIC = EXACT | APPROXIMATE
UNICODE = frozenset({_T.NCHAR, _T.NVARCHAR, _T.NTEXT})
STRINGS = UNICODE | {_T.CHAR, _T.VARCHAR, _T.TEXT}
FIXED_STRINGS = frozenset({_T.CHAR, _T.NCHAR})
BINARIES = frozenset({_T.BINARY, _T.VARBINARY, _T.IMAGE, _T.ROWVERSION})
LEGACY_DATETIMES = frozenset({_T.DATETIME, _T.SMALLDATETIME})
"""The types that accept ``+ number`` and convert to and from numbers of days since 1900."""
TIMESTAMPS = LEGACY_DATETIMES | {_T.DATETIME2, _T.DATETIMEOFFSET}
DATETIMES = TIMESTAMPS | {_T.DATE, _T.TIME}

INTEGER_DIGITS: Mapping[TypeName, int] = {
    _T.BIT: 1,
    _T.TINYINT: 3,
    _T.SMALLINT: 5,
    _T.INT: 10,
    _T.BIGINT: 19,
}
"""Precision an integer type has when it meets a decimal."""


@dataclass(frozen=True, slots=True)
class SqlType:
    """One T-SQL type with its parameters, in canonical form.

    ``length`` counts characters (bytes for binary types), :data:`MAX` for ``(max)``, and is None
    for types without a length. ``precision``/``scale`` belong to ``decimal``; ``scale`` alone is
    the number of fractional-second digits of ``time``, ``datetime2`` and ``datetimeoffset``.
    """

    name: TypeName
    length: int | None = None
    precision: int | None = None
    scale: int | None = None

    def __deepcopy__(self, memo: object) -> SqlType:
        return self

    @property
    def is_string(self) -> bool:
        return self.name in STRINGS

    @property
    def is_unicode(self) -> bool:
        return self.name in UNICODE

    @property
    def is_integer(self) -> bool:
        """Any of bit, tinyint, smallint, int, bigint."""
        return self.name in INTEGERS

    @property
    def is_money(self) -> bool:
        return self.name in MONEYS

    @property
    def is_decimal(self) -> bool:
        return self.name is _T.DECIMAL

    @property
    def is_exact(self) -> bool:
        return self.name in EXACT

    @property
    def is_approximate(self) -> bool:
        return self.name in APPROXIMATE

    @property
    def is_numeric(self) -> bool:
        return self.name in NUMERIC

    @property
    def is_datetime(self) -> bool:
        """Any date or time type."""
        return self.name in DATETIMES

    @property
    def is_timestamp(self) -> bool:
        """A type with a date and a time of day."""
        return self.name in TIMESTAMPS

    @property
    def is_binary(self) -> bool:
        return self.name in BINARIES

    @property
    def is_null(self) -> bool:
        return self.name is _T.NULL

    @property
    def is_max(self) -> bool:
        return self.length == MAX

    @property
    def max_length(self) -> int | None:
        """The most characters a value can have; None when unbounded or not a string."""
        return self.length if self.is_string and self.length not in (None, MAX) else None

    def sql(self) -> str:
        """The type as T-SQL writes it, lower case: ``decimal(18,2)``, ``nvarchar(max)``."""
        if self.name is _T.DECIMAL:
            return f"decimal({self.precision},{self.scale})"
        if self.length is not None:
            return f"{self.name}({'max' if self.length == MAX else self.length})"
        if self.scale is not None:
            return f"{self.name}({self.scale})"
        return str(self.name)

    def __str__(self) -> str:
        return self.sql()


def decimal(precision: int, scale: int = 0) -> SqlType:
    """``decimal(precision, scale)``."""
    return SqlType(_T.DECIMAL, precision=precision, scale=scale)


def varchar(length: int) -> SqlType:
    """``varchar(length)``; :data:`MAX` for ``varchar(max)``."""
    return SqlType(_T.VARCHAR, length=length)


def nvarchar(length: int) -> SqlType:
    """``nvarchar(length)``; :data:`MAX` for ``nvarchar(max)``."""
    return SqlType(_T.NVARCHAR, length=length)


def varbinary(length: int) -> SqlType:
    """``varbinary(length)``; :data:`MAX` for ``varbinary(max)``."""
    return SqlType(_T.VARBINARY, length=length)


def datetime2(scale: int = 7) -> SqlType:
    """``datetime2(scale)``."""
    return SqlType(_T.DATETIME2, scale=scale)


NULL = SqlType(_T.NULL)
BIT = SqlType(_T.BIT)
TINYINT = SqlType(_T.TINYINT)
SMALLINT = SqlType(_T.SMALLINT)
INT = SqlType(_T.INT)
BIGINT = SqlType(_T.BIGINT)
MONEY = SqlType(_T.MONEY)
SMALLMONEY = SqlType(_T.SMALLMONEY)
REAL = SqlType(_T.REAL)
FLOAT = SqlType(_T.FLOAT)
DATE = SqlType(_T.DATE)
TIME = SqlType(_T.TIME, scale=7)
DATETIME = SqlType(_T.DATETIME)
SMALLDATETIME = SqlType(_T.SMALLDATETIME)
DATETIME2 = datetime2(7)
DATETIMEOFFSET = SqlType(_T.DATETIMEOFFSET, scale=7)
UNIQUEIDENTIFIER = SqlType(_T.UNIQUEIDENTIFIER)
XML = SqlType(_T.XML)
SQL_VARIANT = SqlType(_T.SQL_VARIANT)
SYSNAME = nvarchar(128)


class UnknownTypeError(ValueError):
    """A type text that is not a T-SQL type; ``reason`` is a sentence for the user."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(reason)
        self.text = text
        self.reason = reason


_SYNONYMS: Mapping[str, TypeName] = {
    "numeric": _T.DECIMAL,
    "dec": _T.DECIMAL,
    "integer": _T.INT,
    "character": _T.CHAR,
    "char varying": _T.VARCHAR,
    "character varying": _T.VARCHAR,
    "national character": _T.NCHAR,
    "national char": _T.NCHAR,
    "national character varying": _T.NVARCHAR,
    "national char varying": _T.NVARCHAR,
    "national text": _T.NTEXT,
    "binary varying": _T.VARBINARY,
    "timestamp": _T.ROWVERSION,
    "double precision": _T.FLOAT,
}

_LENGTH_LIMIT: Mapping[TypeName, int] = {
    _T.CHAR: 8000,
    _T.VARCHAR: 8000,
    _T.NCHAR: 4000,
    _T.NVARCHAR: 4000,
    _T.BINARY: 8000,
    _T.VARBINARY: 8000,
}

_TYPE_TEXT = re.compile(
    r"^\s*(?:\[?sys\]?\s*\.\s*)?\[?(?P<name>[a-z_][a-z0-9_ ]*?)\]?\s*"
    r"(?:\(\s*(?P<args>[^()]*)\s*\))?\s*(?:identity.*)?$",
    re.IGNORECASE | re.DOTALL,
)


def parse_type(
    text: str,
    *,
    aliases: Mapping[str, SqlType] | None = None,
    in_cast: bool = False,
) -> SqlType:
    """The type a declaration names: ``NVARCHAR(50)``, ``numeric``, ``[decimal](18, 2)``.

    Lengths left out are T-SQL's defaults: 1 in a declaration, 30 in CAST and CONVERT
    (``in_cast``; ``data-types/char-and-varchar-transact-sql``), decimal(18,0), ``datetime2(7)``.
    ``aliases`` are the database's user-defined types by lower-case name, with or without schema.

    Raises :class:`UnknownTypeError` for a name that is neither.
    """
    key = re.sub(r"[\[\]\s]", "", text).lower()
    if aliases and (found := aliases.get(key) or aliases.get(key.rpartition(".")[2])):
        return found
    match = _TYPE_TEXT.match(text)
    if not match:
        raise UnknownTypeError(
            text,
            f"'{text.strip()}' is not a built-in SQL Server type: user-defined types are not "
            "supported unless their base type is known.",
        )
    name = " ".join(match["name"].lower().split())
    raw = match["args"]
    args = [part.strip().lower() for part in raw.split(",")] if raw and raw.strip() else []
    if name == "sysname":
        return SYSNAME
    resolved = _SYNONYMS.get(name)
    if resolved is None:
        try:
            resolved = TypeName(name)
        except ValueError:
            resolved = None
    if resolved is None or resolved is _T.NULL:
        raise UnknownTypeError(
            text,
            f"'{text.strip()}' is not a built-in SQL Server type: user-defined types are not "
            "supported unless their base type is known.",
        )
    return _with_arguments(text, resolved, args, in_cast)


def _with_arguments(text: str, name: TypeName, args: list[str], in_cast: bool) -> SqlType:
    if name in _LENGTH_LIMIT:
        return SqlType(name, length=_length(text, name, args, in_cast))
    numbers = [_number(text, arg) for arg in args]
    if name is _T.DECIMAL:
        precision = numbers[0] if numbers else 18
        scale = numbers[1] if len(numbers) > 1 else 0
        if not 1 <= precision <= MAX_PRECISION or not 0 <= scale <= precision:
            raise UnknownTypeError(text, f"'{text.strip()}' has a precision or scale out of range.")
        return decimal(precision, scale)
    if name is _T.FLOAT:
        # float(1-24) is real, float(25-53) is float: data-types/float-and-real-transact-sql.
        return REAL if numbers and numbers[0] <= 24 else FLOAT
    if name in (_T.TIME, _T.DATETIME2, _T.DATETIMEOFFSET):
        fraction = numbers[0] if numbers else 7
        if not 0 <= fraction <= 7:
            raise UnknownTypeError(
                text, f"'{text.strip()}' has a fractional-second scale out of range."
            )
        return SqlType(name, scale=fraction)
    return SqlType(name)


def _length(text: str, name: TypeName, args: list[str], in_cast: bool) -> int:
    if not args:
        return 30 if in_cast else 1
    if args[0] == "max":
        if name in (_T.VARCHAR, _T.NVARCHAR, _T.VARBINARY):
            return MAX
        raise UnknownTypeError(text, f"'{text.strip()}' cannot be (max).")
    length = _number(text, args[0])
    if not 1 <= length <= _LENGTH_LIMIT[name]:
        raise UnknownTypeError(text, f"'{text.strip()}' has a length out of range.")
    return length


def _number(text: str, arg: str) -> int:
    if not arg.isdecimal():
        raise UnknownTypeError(text, f"'{text.strip()}' has a parameter that is not a number.")
    return int(arg)


_PRECEDENCE: tuple[TypeName, ...] = (
    _T.SQL_VARIANT,
    _T.XML,
    _T.DATETIMEOFFSET,
    _T.DATETIME2,
    _T.DATETIME,
    _T.SMALLDATETIME,
    _T.DATE,
    _T.TIME,
    _T.FLOAT,
    _T.REAL,
    _T.DECIMAL,
    _T.MONEY,
    _T.SMALLMONEY,
    _T.BIGINT,
    _T.INT,
    _T.SMALLINT,
    _T.TINYINT,
    _T.BIT,
    _T.NTEXT,
    _T.TEXT,
    _T.IMAGE,
    _T.ROWVERSION,
    _T.UNIQUEIDENTIFIER,
    _T.NVARCHAR,
    _T.NCHAR,
    _T.VARCHAR,
    _T.CHAR,
    _T.VARBINARY,
    _T.BINARY,
    _T.NULL,
    _T.CURSOR,
    _T.TABLE,
)
_RANK: Mapping[TypeName, int] = {name: rank for rank, name in enumerate(_PRECEDENCE)}


def precedence(type_: SqlType) -> int:
    """Rank of a type, 0 highest (``data-types/data-type-precedence-transact-sql``)."""
    return _RANK[type_.name]


def as_decimal(type_: SqlType) -> SqlType:
    """The decimal an exact number becomes when it meets a decimal.

    int is decimal(10,0), money decimal(19,4) and so on
    (``data-types/precision-scale-and-length-transact-sql``, remarks).
    """
    if type_.name in INTEGER_DIGITS:
        return decimal(INTEGER_DIGITS[type_.name], 0)
    if type_.name is _T.MONEY:
        return decimal(19, 4)
    if type_.name is _T.SMALLMONEY:
        return decimal(10, 4)
    return type_


def common_type(left: SqlType, right: SqlType) -> SqlType:
    """The type two operands of a comparison, CASE, COALESCE, UNION or IN are brought to.

    The operand of lower precedence is converted; two decimals keep every integral and
    fractional digit of both, two strings the longer length
    (``data-types/precision-scale-and-length-transact-sql``, last row of the table).
    """
    if left.is_null:
        return right
    if right.is_null:
        return left
    if left.name is right.name:
        return _same_name(left, right)
    higher, lower = (left, right) if precedence(left) <= precedence(right) else (right, left)
    if higher.is_decimal and lower.is_exact:
        return _union_decimal(higher, as_decimal(lower))
    if higher.is_string and (lower.is_string or lower.is_binary):
        return replace(higher, length=_longer(higher.length, lower.length, higher))
    if higher.name is _T.DATETIME2 and lower.name is _T.TIME:
        return replace(higher, scale=max(higher.scale or 0, lower.scale or 0))
    return higher


def _same_name(left: SqlType, right: SqlType) -> SqlType:
    if left.is_decimal:
        return _union_decimal(left, right)
    if left.length is not None:
        if left.name in FIXED_STRINGS and left.length != right.length:
            # char(3) and char(5) meet as char(5).
            return replace(left, length=max(left.length, right.length or 1))
        return replace(left, length=_longer(left.length, right.length, left))
    if left.scale is not None:
        return replace(left, scale=max(left.scale, right.scale or 0))
    return left


def _longer(left: int | None, right: int | None, type_: SqlType) -> int | None:
    if left is None or right is None:
        return type_.length
    if MAX in (left, right):
        return MAX
    return min(max(left, right), _LENGTH_LIMIT.get(type_.name, 8000))


def _union_decimal(left: SqlType, right: SqlType) -> SqlType:
    p1, s1, p2, s2 = _digits(left, right)
    scale = max(s1, s2)
    return _reduced(max(p1 - s1, p2 - s2) + scale, scale, additive=True)


def _digits(left: SqlType, right: SqlType) -> tuple[int, int, int, int]:
    a, b = as_decimal(left), as_decimal(right)
    return a.precision or 0, a.scale or 0, b.precision or 0, b.scale or 0


def _reduced(precision: int, scale: int, *, additive: bool) -> SqlType:
    """A result of more than 38 digits, cut the way SQL Server cuts it.

    ``data-types/precision-scale-and-length-transact-sql``: a sum gives up scale for integral
    digits without a floor; a product or quotient keeps a scale of at least 6.
    """
    if precision <= MAX_PRECISION:
        return decimal(precision, scale)
    integral = precision - scale
    if additive:
        return decimal(MAX_PRECISION, max(MAX_PRECISION - integral, 0))
    if integral <= 32:
        return decimal(MAX_PRECISION, min(scale, MAX_PRECISION - integral))
    return decimal(MAX_PRECISION, min(scale, 6))


def decimal_sum(left: SqlType, right: SqlType) -> SqlType:
    """Type of ``+`` and ``-`` on decimals: max(s1,s2) + max(p1-s1,p2-s2) + 1 digits.

    Past 38 digits the scale gives way to ``max(p1-s1, p2-s2)`` integral digits
    (``data-types/precision-scale-and-length-transact-sql``).
    """
    p1, s1, p2, s2 = _digits(left, right)
    scale = max(s1, s2)
    integral = max(p1 - s1, p2 - s2)
    precision = integral + scale + 1
    if precision <= MAX_PRECISION:
        return decimal(precision, scale)
    return decimal(MAX_PRECISION, min(scale, max(MAX_PRECISION - integral, 0)))


def decimal_product(left: SqlType, right: SqlType) -> SqlType:
    """Type of ``*`` on decimals: p1+p2+1 digits, s1+s2 of them fractional."""
    p1, s1, p2, s2 = _digits(left, right)
    return _reduced(p1 + p2 + 1, s1 + s2, additive=False)


def decimal_quotient(left: SqlType, right: SqlType) -> SqlType:
    """Type of ``/`` on decimals: scale max(6, s1+p2+1), precision p1-s1+s2 more."""
    p1, s1, p2, s2 = _digits(left, right)
    scale = max(6, s1 + p2 + 1)
    return _reduced(p1 - s1 + s2 + scale, scale, additive=False)


def decimal_remainder(left: SqlType, right: SqlType) -> SqlType:
    """Type of ``%`` on decimals: min(p1-s1,p2-s2) + max(s1,s2) digits."""
    p1, s1, p2, s2 = _digits(left, right)
    scale = max(s1, s2)
    return _reduced(max(min(p1 - s1, p2 - s2) + scale, 1), scale, additive=False)


def concatenated(left: SqlType, right: SqlType) -> SqlType:
    """Type of ``+`` on strings: the lengths add up, to 8000 bytes, or (max) stays (max).

    ``language-elements/string-concatenation-transact-sql``. Fixed and variable length mixed give
    variable length; two fixed ones stay fixed.
    """
    unicode = left.is_unicode or right.is_unicode
    fixed = left.name in FIXED_STRINGS and right.name in FIXED_STRINGS
    limit = 4000 if unicode else 8000
    first, second = _text_length(left), _text_length(right)
    name = {
        (True, True): _T.NCHAR,
        (True, False): _T.NVARCHAR,
        (False, True): _T.CHAR,
        (False, False): _T.VARCHAR,
    }[unicode, fixed]
    if MAX in (first, second):
        return SqlType(_T.NVARCHAR if unicode else _T.VARCHAR, length=MAX)
    return SqlType(name, length=max(1, min(first + second, limit)))


def _text_length(type_: SqlType) -> int:
    if type_.name in (_T.TEXT, _T.NTEXT):
        return MAX
    if type_.is_string:
        return type_.length if type_.length is not None else MAX
    return 0 if type_.is_null else text_length(type_)


_TEXT_LENGTHS: Mapping[TypeName, int] = {
    _T.BIT: 1,
    _T.TINYINT: 3,
    _T.SMALLINT: 6,
    _T.INT: 12,
    _T.BIGINT: 24,
    _T.DECIMAL: 41,
    _T.MONEY: 30,
    _T.SMALLMONEY: 30,
    _T.REAL: 30,
    _T.FLOAT: 30,
    _T.DATE: 10,
    _T.TIME: 16,
    _T.DATETIME: 30,
    _T.SMALLDATETIME: 30,
    _T.DATETIME2: 27,
    _T.DATETIMEOFFSET: 34,
    _T.UNIQUEIDENTIFIER: 36,
}


def text_length(type_: SqlType) -> int:
    """The longest text a value that is not a string becomes (``functions/concat-transact-sql``)."""
    return _TEXT_LENGTHS.get(type_.name, 30)


def literal_integer(text: str) -> SqlType:
    """Type of an integer literal: int, or decimal beyond its range (never bigint).

    ``data-types/int-bigint-smallint-and-tinyint-transact-sql``: "constants greater than
    2,147,483,647 are converted to the decimal data type, not the bigint data type".
    """
    digits = text.lstrip("0") or "0"
    if int(digits) <= 2_147_483_647:
        return INT
    return decimal(len(digits), 0)


def literal_decimal(text: str) -> SqlType:
    """Type of a literal with a decimal point: the least precision and scale that hold it."""
    whole, _, fraction = text.partition(".")
    whole = whole.lstrip("0")
    precision = max(1, len(whole) + len(fraction))
    return decimal(min(precision, MAX_PRECISION), min(len(fraction), MAX_PRECISION))


def literal_string(text: str, *, unicode: bool) -> SqlType:
    """Type of ``'text'`` (varchar) or ``N'text'`` (nvarchar): its own length, at least 1."""
    limit = 4000 if unicode else 8000
    length = max(1, len(text))
    name = _T.NVARCHAR if unicode else _T.VARCHAR
    return SqlType(name, length=length if length <= limit else MAX)


def duckdb_storage(type_: SqlType) -> str:
    """The DuckDB type in which a value of a T-SQL type is kept.

    ``bit`` is UTINYINT, so that ``= 1``, SUM and GROUP BY mean what they mean in T-SQL; money is
    DECIMAL(19,4); every moment is a TIMESTAMP (microseconds: the seventh digit of
    ``datetime2(7)`` is lost); strings have no length in DuckDB.
    """
    if type_.is_decimal:
        return f"DECIMAL({type_.precision}, {type_.scale})"
    return _DUCKDB[type_.name]


_DUCKDB: Mapping[TypeName, str] = {
    _T.NULL: "INTEGER",
    _T.BIT: "UTINYINT",
    _T.TINYINT: "UTINYINT",
    _T.SMALLINT: "SMALLINT",
    _T.INT: "INTEGER",
    _T.BIGINT: "BIGINT",
    _T.MONEY: "DECIMAL(19, 4)",
    _T.SMALLMONEY: "DECIMAL(10, 4)",
    _T.REAL: "FLOAT",
    _T.FLOAT: "DOUBLE",
    _T.CHAR: "VARCHAR",
    _T.VARCHAR: "VARCHAR",
    _T.TEXT: "VARCHAR",
    _T.NCHAR: "VARCHAR",
    _T.NVARCHAR: "VARCHAR",
    _T.NTEXT: "VARCHAR",
    _T.DATE: "DATE",
    _T.TIME: "TIME",
    _T.SMALLDATETIME: "TIMESTAMP",
    _T.DATETIME: "TIMESTAMP",
    _T.DATETIME2: "TIMESTAMP",
    _T.DATETIMEOFFSET: "TIMESTAMP WITH TIME ZONE",
    _T.BINARY: "BLOB",
    _T.VARBINARY: "BLOB",
    _T.IMAGE: "BLOB",
    _T.ROWVERSION: "BLOB",
    _T.UNIQUEIDENTIFIER: "UUID",
    _T.XML: "VARCHAR",
    _T.SQL_VARIANT: "VARCHAR",
    _T.CURSOR: "VARCHAR",
    _T.TABLE: "VARCHAR",
}
