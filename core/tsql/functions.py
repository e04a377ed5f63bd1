"""T-SQL's built-in functions: which there are, how many arguments they take, what type they give.

A table, not code that translates: ``typing`` asks it for a result type, ``binding`` for the kind of
function a name is. Each rule follows the function's page under
``learn.microsoft.com/en-us/sql/t-sql/functions/<name>-transact-sql``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from core.tsql import types as t
from core.tsql.types import SqlType, TypeName, common_type

Rule = Callable[[Sequence[SqlType]], SqlType]

AGGREGATES = frozenset(
    {
        "SUM",
        "AVG",
        "MIN",
        "MAX",
        "COUNT",
        "COUNT_BIG",
        "STDEV",
        "STDEVP",
        "VAR",
        "VARP",
        "STRING_AGG",
        "CHECKSUM_AGG",
        "APPROX_COUNT_DISTINCT",
        "GROUPING",
        "GROUPING_ID",
    }
)

WINDOW_ONLY = frozenset(
    {
        "ROW_NUMBER",
        "RANK",
        "DENSE_RANK",
        "NTILE",
        "LAG",
        "LEAD",
        "FIRST_VALUE",
        "LAST_VALUE",
        "CUME_DIST",
        "PERCENT_RANK",
        "PERCENTILE_CONT",
        "PERCENTILE_DISC",
    }
)

CLOCK = frozenset(
    {
        "GETDATE",
        "GETUTCDATE",
        "SYSDATETIME",
        "SYSUTCDATETIME",
        "SYSDATETIMEOFFSET",
        "CURRENT_TIMESTAMP",
        "CURRENT_DATE",
    }
)
"""The functions that read the clock."""

DATE_PARTS: Mapping[str, str] = {
    alias: part
    for part, aliases in {
        "year": "yy yyyy year",
        "quarter": "qq q quarter",
        "month": "mm m month",
        "dayofyear": "dy y dayofyear",
        "day": "dd d day",
        "week": "wk ww week",
        "weekday": "dw w weekday",
        "hour": "hh hour",
        "minute": "mi n minute",
        "second": "ss s second",
        "millisecond": "ms millisecond",
        "microsecond": "mcs microsecond",
        "nanosecond": "ns nanosecond",
        "tzoffset": "tz tzoffset",
        "iso_week": "isowk isoww iso_week",
    }.items()
    for alias in aliases.split()
}
"""Every spelling of a date part with its full name (``functions/datepart-transact-sql``)."""

TAKES_DATE_PART = frozenset(
    {"DATEADD", "DATEDIFF", "DATEDIFF_BIG", "DATEPART", "DATENAME", "DATETRUNC", "DATE_BUCKET"}
)
"""Functions whose first argument is a date part, not a column."""


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """How many arguments a function takes and the rule of its result type."""

    least: int
    most: int | None
    rule: Rule


def _fixed(type_: SqlType) -> Rule:
    return lambda arguments: type_


def _same(index: int = 0) -> Rule:
    return lambda arguments: arguments[index]


def _common(arguments: Sequence[SqlType]) -> SqlType:
    return reduce(common_type, arguments)


def _sum(arguments: Sequence[SqlType]) -> SqlType:
    """``functions/sum-transact-sql``: int for the smaller integers, decimal(38,s), money, float."""
    type_ = arguments[0]
    if type_.name in (TypeName.TINYINT, TypeName.SMALLINT, TypeName.INT, TypeName.BIT):
        return t.INT
    if type_.is_decimal:
        return t.decimal(38, type_.scale or 0)
    if type_.is_money:
        return t.MONEY
    return t.FLOAT if type_.is_approximate or type_.is_string else type_


def _avg(arguments: Sequence[SqlType]) -> SqlType:
    """``functions/avg-transact-sql``: as SUM, but decimal(38, max(s, 6))."""
    type_ = arguments[0]
    if type_.is_decimal:
        return t.decimal(38, max(type_.scale or 0, 6))
    return _sum(arguments)


def _number_like(arguments: Sequence[SqlType]) -> SqlType:
    """ABS, CEILING, FLOOR, SIGN: the argument's type, text and bit becoming float."""
    type_ = arguments[0]
    if type_.is_string or type_.name in (TypeName.BIT, TypeName.REAL):
        return t.FLOAT
    if type_.name in (TypeName.TINYINT, TypeName.SMALLINT, TypeName.NULL):
        return t.INT
    return t.MONEY if type_.is_money else type_


def _whole(arguments: Sequence[SqlType]) -> SqlType:
    """CEILING and FLOOR: a decimal loses its scale (``functions/ceiling-transact-sql``)."""
    type_ = _number_like(arguments)
    return t.decimal(type_.precision or 38, 0) if type_.is_decimal else type_


def _degrees(arguments: Sequence[SqlType]) -> SqlType:
    """DEGREES, RADIANS, POWER, SIGN keep the kind of number, with room in a decimal."""
    type_ = _number_like(arguments)
    return t.decimal(38, type_.scale or 0) if type_.is_decimal else type_


def _text(type_: SqlType, length: int | None = None) -> SqlType:
    """Text of the argument's character set, by default of its own length."""
    name = TypeName.NVARCHAR if type_.is_unicode else TypeName.VARCHAR
    if length is None:
        length = type_.length if type_.is_string else t.text_length(type_)
        if type_.name in (TypeName.TEXT, TypeName.NTEXT):
            length = t.MAX
    return SqlType(name, length=length)


def _text_like(arguments: Sequence[SqlType]) -> SqlType:
    return _text(arguments[0])


def _substring(arguments: Sequence[SqlType]) -> SqlType:
    if arguments[0].is_binary:
        return t.varbinary(arguments[0].length or t.MAX)
    return _text(arguments[0])


def _widest(arguments: Sequence[SqlType]) -> SqlType:
    """REPLACE, STUFF, REPLICATE: text as long as its character set allows."""
    unicode = any(argument.is_unicode for argument in arguments)
    if arguments[0].is_max:
        return t.nvarchar(t.MAX) if unicode else t.varchar(t.MAX)
    return t.nvarchar(4000) if unicode else t.varchar(8000)


def _concat(arguments: Sequence[SqlType]) -> SqlType:
    """CONCAT: nvarchar when any argument is, lengths added (``functions/concat-transact-sql``)."""
    unicode = any(argument.is_unicode for argument in arguments)
    limit = 4000 if unicode else 8000
    if any(argument.is_max for argument in arguments):
        length = t.MAX
    else:
        lengths = (a.length or 0 if a.is_string else t.text_length(a) for a in arguments)
        length = max(1, min(sum(lengths), limit))
    return t.nvarchar(length) if unicode else t.varchar(length)


def _string_agg(arguments: Sequence[SqlType]) -> SqlType:
    """``functions/string-agg-transact-sql``: (max) in, (max) out, else 8000 bytes."""
    value = arguments[0]
    if value.is_max:
        return value
    return t.varchar(8000) if value.name in (TypeName.CHAR, TypeName.VARCHAR) else t.nvarchar(4000)


def _len(arguments: Sequence[SqlType]) -> SqlType:
    """LEN, DATALENGTH, CHARINDEX: bigint for (max) types, int otherwise."""
    return t.BIGINT if any(argument.is_max for argument in arguments) else t.INT


def _isnull(arguments: Sequence[SqlType]) -> SqlType:
    """ISNULL: the type of the first argument (of the second when the first is a bare NULL)."""
    return arguments[1] if arguments[0].is_null else arguments[0]


def _choose(arguments: Sequence[SqlType]) -> SqlType:
    return _common(arguments[1:])


def _dateadd(arguments: Sequence[SqlType]) -> SqlType:
    """DATEADD: the type of its date; text and numbers are read as datetime."""
    type_ = arguments[2]
    return type_ if type_.is_datetime else t.DATETIME


def _datetrunc(arguments: Sequence[SqlType]) -> SqlType:
    type_ = arguments[1]
    return type_ if type_.is_datetime else t.DATETIME2


def _date_bucket(arguments: Sequence[SqlType]) -> SqlType:
    return arguments[2]


def _scaled(name: TypeName) -> Rule:
    return lambda arguments: SqlType(name, scale=7)


def _lag(arguments: Sequence[SqlType]) -> SqlType:
    return arguments[0]


def _percentile_disc(arguments: Sequence[SqlType]) -> SqlType:
    return arguments[-1]


_SYSTEM_NAME = t.nvarchar(128)

FUNCTIONS: Mapping[str, BuiltIn] = {
    # Aggregates.
    "SUM": BuiltIn(1, 1, _sum),
    "AVG": BuiltIn(1, 1, _avg),
    "MIN": BuiltIn(1, 1, _same()),
    "MAX": BuiltIn(1, 1, _same()),
    "COUNT": BuiltIn(1, 1, _fixed(t.INT)),
    "COUNT_BIG": BuiltIn(1, 1, _fixed(t.BIGINT)),
    "APPROX_COUNT_DISTINCT": BuiltIn(1, 1, _fixed(t.BIGINT)),
    "STDEV": BuiltIn(1, 1, _fixed(t.FLOAT)),
    "STDEVP": BuiltIn(1, 1, _fixed(t.FLOAT)),
    "VAR": BuiltIn(1, 1, _fixed(t.FLOAT)),
    "VARP": BuiltIn(1, 1, _fixed(t.FLOAT)),
    "STRING_AGG": BuiltIn(2, 2, _string_agg),
    "CHECKSUM_AGG": BuiltIn(1, 1, _fixed(t.INT)),
    "GROUPING": BuiltIn(1, 1, _fixed(t.TINYINT)),
    "GROUPING_ID": BuiltIn(1, None, _fixed(t.INT)),
    # Ranking and analytic.
    "ROW_NUMBER": BuiltIn(0, 0, _fixed(t.BIGINT)),
    "RANK": BuiltIn(0, 0, _fixed(t.BIGINT)),
    "DENSE_RANK": BuiltIn(0, 0, _fixed(t.BIGINT)),
    "NTILE": BuiltIn(1, 1, _fixed(t.BIGINT)),
    "LAG": BuiltIn(1, 3, _lag),
    "LEAD": BuiltIn(1, 3, _lag),
    "FIRST_VALUE": BuiltIn(1, 1, _same()),
    "LAST_VALUE": BuiltIn(1, 1, _same()),
    "CUME_DIST": BuiltIn(0, 0, _fixed(t.FLOAT)),
    "PERCENT_RANK": BuiltIn(0, 0, _fixed(t.FLOAT)),
    "PERCENTILE_CONT": BuiltIn(1, 1, _fixed(t.FLOAT)),
    "PERCENTILE_DISC": BuiltIn(1, 1, _percentile_disc),
    # Mathematics.
    "ABS": BuiltIn(1, 1, _number_like),
    "CEILING": BuiltIn(1, 1, _whole),
    "FLOOR": BuiltIn(1, 1, _whole),
    "SIGN": BuiltIn(1, 1, _degrees),
    "ROUND": BuiltIn(2, 3, _number_like),
    "POWER": BuiltIn(2, 2, _degrees),
    "DEGREES": BuiltIn(1, 1, _degrees),
    "RADIANS": BuiltIn(1, 1, _degrees),
    "SQUARE": BuiltIn(1, 1, _fixed(t.FLOAT)),
    "SQRT": BuiltIn(1, 1, _fixed(t.FLOAT)),
    "EXP": BuiltIn(1, 1, _fixed(t.FLOAT)),
    "LOG": BuiltIn(1, 2, _fixed(t.FLOAT)),
    "LOG10": BuiltIn(1, 1, _fixed(t.FLOAT)),
    "PI": BuiltIn(0, 0, _fixed(t.FLOAT)),
    "RAND": BuiltIn(0, 1, _fixed(t.FLOAT)),
    "SIN": BuiltIn(1, 1, _fixed(t.FLOAT)),
    "COS": BuiltIn(1, 1, _fixed(t.FLOAT)),
    "TAN": BuiltIn(1, 1, _fixed(t.FLOAT)),
    "COT": BuiltIn(1, 1, _fixed(t.FLOAT)),
    "ASIN": BuiltIn(1, 1, _fixed(t.FLOAT)),
    "ACOS": BuiltIn(1, 1, _fixed(t.FLOAT)),
    "ATAN": BuiltIn(1, 1, _fixed(t.FLOAT)),
    "ATN2": BuiltIn(2, 2, _fixed(t.FLOAT)),
    "GREATEST": BuiltIn(1, None, _common),
    "LEAST": BuiltIn(1, None, _common),
    # Choice.
    "ISNULL": BuiltIn(2, 2, _isnull),
    "COALESCE": BuiltIn(2, None, _common),
    "NULLIF": BuiltIn(2, 2, _same()),
    "IIF": BuiltIn(3, 3, _choose),
    "CHOOSE": BuiltIn(2, None, _choose),
    # Text.
    "LEN": BuiltIn(1, 1, _len),
    "DATALENGTH": BuiltIn(1, 1, _len),
    "LEFT": BuiltIn(2, 2, _text_like),
    "RIGHT": BuiltIn(2, 2, _text_like),
    "SUBSTRING": BuiltIn(2, 3, _substring),
    "UPPER": BuiltIn(1, 1, _text_like),
    "LOWER": BuiltIn(1, 1, _text_like),
    "LTRIM": BuiltIn(1, 2, _text_like),
    "RTRIM": BuiltIn(1, 2, _text_like),
    "TRIM": BuiltIn(1, 1, _text_like),
    "REVERSE": BuiltIn(1, 1, _text_like),
    "REPLACE": BuiltIn(3, 3, _widest),
    "STUFF": BuiltIn(4, 4, _widest),
    "REPLICATE": BuiltIn(2, 2, _widest),
    "TRANSLATE": BuiltIn(3, 3, _text_like),
    "CHARINDEX": BuiltIn(2, 3, _len),
    "PATINDEX": BuiltIn(2, 2, _len),
    "SPACE": BuiltIn(1, 1, _fixed(t.varchar(8000))),
    "STR": BuiltIn(1, 3, _fixed(t.varchar(30))),
    "CHAR": BuiltIn(1, 1, _fixed(SqlType(TypeName.CHAR, length=1))),
    "NCHAR": BuiltIn(1, 1, _fixed(SqlType(TypeName.NCHAR, length=1))),
    "ASCII": BuiltIn(1, 1, _fixed(t.INT)),
    "UNICODE": BuiltIn(1, 1, _fixed(t.INT)),
    "CONCAT": BuiltIn(2, 254, _concat),
    "CONCAT_WS": BuiltIn(2, None, _concat),
    "QUOTENAME": BuiltIn(1, 2, _fixed(t.nvarchar(258))),
    "FORMAT": BuiltIn(2, 3, _fixed(t.nvarchar(4000))),
    "SOUNDEX": BuiltIn(1, 1, _fixed(t.varchar(4))),
    "DIFFERENCE": BuiltIn(2, 2, _fixed(t.INT)),
    "STRING_ESCAPE": BuiltIn(2, 2, _fixed(t.nvarchar(t.MAX))),
    "PARSENAME": BuiltIn(2, 2, _fixed(_SYSTEM_NAME)),
    "ISNUMERIC": BuiltIn(1, 1, _fixed(t.INT)),
    # Dates.
    "GETDATE": BuiltIn(0, 0, _fixed(t.DATETIME)),
    "GETUTCDATE": BuiltIn(0, 0, _fixed(t.DATETIME)),
    "CURRENT_TIMESTAMP": BuiltIn(0, 0, _fixed(t.DATETIME)),
    "CURRENT_DATE": BuiltIn(0, 0, _fixed(t.DATE)),
    "SYSDATETIME": BuiltIn(0, 0, _fixed(t.DATETIME2)),
    "SYSUTCDATETIME": BuiltIn(0, 0, _fixed(t.DATETIME2)),
    "SYSDATETIMEOFFSET": BuiltIn(0, 0, _fixed(t.DATETIMEOFFSET)),
    "DATEADD": BuiltIn(3, 3, _dateadd),
    "DATEDIFF": BuiltIn(3, 3, _fixed(t.INT)),
    "DATEDIFF_BIG": BuiltIn(3, 3, _fixed(t.BIGINT)),
    "DATEPART": BuiltIn(2, 2, _fixed(t.INT)),
    "DATENAME": BuiltIn(2, 2, _fixed(t.nvarchar(30))),
    "DATETRUNC": BuiltIn(2, 2, _datetrunc),
    "DATE_BUCKET": BuiltIn(3, 4, _date_bucket),
    "YEAR": BuiltIn(1, 1, _fixed(t.INT)),
    "MONTH": BuiltIn(1, 1, _fixed(t.INT)),
    "DAY": BuiltIn(1, 1, _fixed(t.INT)),
    "EOMONTH": BuiltIn(1, 2, _fixed(t.DATE)),
    "DATEFROMPARTS": BuiltIn(3, 3, _fixed(t.DATE)),
    "DATETIMEFROMPARTS": BuiltIn(7, 7, _fixed(t.DATETIME)),
    "SMALLDATETIMEFROMPARTS": BuiltIn(5, 5, _fixed(t.SMALLDATETIME)),
    "DATETIME2FROMPARTS": BuiltIn(8, 8, _scaled(TypeName.DATETIME2)),
    "DATETIMEOFFSETFROMPARTS": BuiltIn(10, 10, _scaled(TypeName.DATETIMEOFFSET)),
    "TIMEFROMPARTS": BuiltIn(5, 5, _scaled(TypeName.TIME)),
    "ISDATE": BuiltIn(1, 1, _fixed(t.INT)),
    "SWITCHOFFSET": BuiltIn(2, 2, _fixed(t.DATETIMEOFFSET)),
    "TODATETIMEOFFSET": BuiltIn(2, 2, _fixed(t.DATETIMEOFFSET)),
    # JSON.
    "JSON_VALUE": BuiltIn(2, 2, _fixed(t.nvarchar(4000))),
    "JSON_QUERY": BuiltIn(1, 2, _fixed(t.nvarchar(t.MAX))),
    "JSON_MODIFY": BuiltIn(3, 3, _fixed(t.nvarchar(t.MAX))),
    "ISJSON": BuiltIn(1, 2, _fixed(t.INT)),
    # Hashes, identifiers, numbers of the session.
    "HASHBYTES": BuiltIn(2, 2, _fixed(t.varbinary(8000))),
    "CHECKSUM": BuiltIn(1, None, _fixed(t.INT)),
    "BINARY_CHECKSUM": BuiltIn(1, None, _fixed(t.INT)),
    "NEWID": BuiltIn(0, 0, _fixed(t.UNIQUEIDENTIFIER)),
    "NEWSEQUENTIALID": BuiltIn(0, 0, _fixed(t.UNIQUEIDENTIFIER)),
    "SCOPE_IDENTITY": BuiltIn(0, 0, _fixed(t.decimal(38, 0))),
    "IDENT_CURRENT": BuiltIn(1, 1, _fixed(t.decimal(38, 0))),
    "ROWCOUNT_BIG": BuiltIn(0, 0, _fixed(t.BIGINT)),
    "ERROR_NUMBER": BuiltIn(0, 0, _fixed(t.INT)),
    "ERROR_SEVERITY": BuiltIn(0, 0, _fixed(t.INT)),
    "ERROR_STATE": BuiltIn(0, 0, _fixed(t.INT)),
    "ERROR_LINE": BuiltIn(0, 0, _fixed(t.INT)),
    "ERROR_MESSAGE": BuiltIn(0, 0, _fixed(t.nvarchar(4000))),
    "ERROR_PROCEDURE": BuiltIn(0, 0, _fixed(_SYSTEM_NAME)),
    "XACT_STATE": BuiltIn(0, 0, _fixed(t.SMALLINT)),
    "CURSOR_STATUS": BuiltIn(2, 2, _fixed(t.SMALLINT)),
    "OBJECT_ID": BuiltIn(1, 2, _fixed(t.INT)),
    "OBJECT_NAME": BuiltIn(1, 2, _fixed(_SYSTEM_NAME)),
    "OBJECT_SCHEMA_NAME": BuiltIn(1, 2, _fixed(_SYSTEM_NAME)),
    "SCHEMA_NAME": BuiltIn(0, 1, _fixed(_SYSTEM_NAME)),
    "SCHEMA_ID": BuiltIn(0, 1, _fixed(t.INT)),
    "DB_NAME": BuiltIn(0, 1, _fixed(_SYSTEM_NAME)),
    "DB_ID": BuiltIn(0, 1, _fixed(t.INT)),
    "HOST_NAME": BuiltIn(0, 0, _fixed(_SYSTEM_NAME)),
    "APP_NAME": BuiltIn(0, 0, _fixed(_SYSTEM_NAME)),
    "SUSER_SNAME": BuiltIn(0, 1, _fixed(_SYSTEM_NAME)),
    "SUSER_NAME": BuiltIn(0, 1, _fixed(_SYSTEM_NAME)),
    "SUSER_ID": BuiltIn(0, 1, _fixed(t.INT)),
    "USER_NAME": BuiltIn(0, 1, _fixed(_SYSTEM_NAME)),
    "ORIGINAL_LOGIN": BuiltIn(0, 0, _fixed(_SYSTEM_NAME)),
    "FORMATMESSAGE": BuiltIn(1, None, _fixed(t.nvarchar(2048))),
    "SERVERPROPERTY": BuiltIn(1, 1, _fixed(t.SQL_VARIANT)),
    "SESSION_CONTEXT": BuiltIn(1, 1, _fixed(t.SQL_VARIANT)),
    "COL_LENGTH": BuiltIn(2, 2, _fixed(t.SMALLINT)),
    "COMPRESS": BuiltIn(1, 1, _fixed(t.varbinary(t.MAX))),
    "DECOMPRESS": BuiltIn(1, 1, _fixed(t.varbinary(t.MAX))),
}
"""Every built-in scalar, aggregate and window function known, by upper-case name."""

SYSTEM_VARIABLES: Mapping[str, SqlType] = {
    "@@rowcount": t.INT,
    "@@error": t.INT,
    "@@identity": t.decimal(38, 0),
    "@@trancount": t.INT,
    "@@fetch_status": t.INT,
    "@@procid": t.INT,
    "@@spid": t.SMALLINT,
    "@@nestlevel": t.INT,
    "@@datefirst": t.TINYINT,
    "@@servername": _SYSTEM_NAME,
    "@@version": t.nvarchar(300),
    "@@language": _SYSTEM_NAME,
    "@@cursor_rows": t.INT,
    "@@options": t.INT,
    "@@max_precision": t.TINYINT,
    "@@dbts": t.varbinary(8),
}
"""The ``@@`` functions, which the syntax tree shows as variables."""
