"""DuckDB macros with T-SQL's meaning: dates read from text, rounded, added to, counted."""

from __future__ import annotations

from core.interpreter.errors import raising

_TIMES = (
    "%H:%M",
    "%H:%M:%S",
    "%H:%M:%S.%f",
    "%I:%M%p",
    "%I:%M %p",
    "%I:%M:%S%p",
    "%I:%M:%S %p",
    "%I:%M:%S.%f%p",
    "%I%p",
    "%I %p",
)
#: A time of day at the end of a text.
_CLOCK = r" ?([0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?( ?[aApP][mM])?|[0-9]{1,2} ?[aApP][mM])$"
_DATES = (
    "%m/%d/%Y",
    "%m-%d-%Y",
    "%m.%d.%Y",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%b %d %Y",
    "%b %d, %Y",
    "%B %d %Y",
    "%B %d, %Y",
    "%d %b %Y",
    "%d %B %Y",
    "%d-%b-%Y",
    "%d %b, %Y",
    "%d-%B-%Y",
    "%d %B, %Y",
    "%Y %b %d",
    "%b %Y",
    "%B %Y",
)
_SHORT_YEAR_DATES = ("%m/%d/%y", "%m-%d-%y", "%b %d %y", "%d %b %y", "%d-%b-%y", "%b %d, %y")


def _formats(patterns: tuple[str, ...]) -> str:
    return "[" + ", ".join(f"'{pattern}'" for pattern in patterns) + "]"


def _let(value: str, name: str, body: str) -> str:
    """`body` over a value that is worked out once: macros repeat their arguments."""
    return f"list_transform([{value}], lambda {name}: {body})[1]"


_BAD_DATE = raising(
    241, "Conversion failed when converting date and/or time from character string."
)
_OUT_OF_RANGE = raising(
    242,
    "The conversion of a varchar data type to a datetime data type resulted in an out-of-range "
    "value.",
)
_BAD_PARTS = raising(
    289,
    "Cannot construct data type date, some of the arguments have values which are not valid.",
)
_ADD_OVERFLOW = raising(517, "Adding a value to a 'datetime' column caused an overflow.")
_DIFF_OVERFLOW = raising(
    535,
    "The datediff function resulted in an overflow. The number of dateparts separating two "
    "date/time instances is too large. Try to use datediff with a less precise datepart.",
)

# Year, month and day where a date has them, whatever their values, before an optional time.
_DATE_SHAPE = (
    r"([0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}|[0-9]{8}|[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{4})"
    r"([ T][0-9:.]+)?"
)

# Years below 50 belong to this century (two digit year cutoff 2049), strptime's pivot is 69.
_PIVOT = "CASE WHEN year(v) > 2049 THEN v - to_years(100) ELSE v END"


def macros() -> list[str]:
    """The statements that create the macros."""
    found = {
        "ts_pivot": f"(v) AS {_PIVOT}",
        # Text that is a date in every language setting, or one of the us_english formats.
        "ts_day": (
            "(t) AS CASE WHEN t = '' THEN DATE '1900-01-01' "
            r"WHEN regexp_full_match(t, '[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}') THEN TRY_CAST(t AS DATE) "
            r"WHEN regexp_full_match(t, '[0-9]{8}') THEN TRY_CAST(left(t, 4) || '-' || "
            r"substring(t, 5, 2) || '-' || substring(t, 7, 2) AS DATE) "
            r"WHEN regexp_full_match(t, '[0-9]{6}') "
            r"THEN CAST(ts_pivot(try_strptime(t, '%y%m%d')) AS DATE) "
            r"WHEN regexp_full_match(t, '[0-9]{4}') THEN TRY_CAST(t || '-01-01' AS DATE) "
            r"WHEN regexp_matches(t, '(^|[^0-9])[0-9]{4}([^0-9]|$)') "
            f"THEN CAST(try_strptime(t, {_formats(_DATES)}) AS DATE) "
            f"ELSE CAST(ts_pivot(try_strptime(t, {_formats(_SHORT_YEAR_DATES)})) AS DATE) END"
        ),
        "ts_time_of": (
            r"(t) AS CAST(try_strptime(regexp_replace(t, '(\.[0-9]{6})[0-9]+', '\1'), "
            f"{_formats(_TIMES)}) AS TIME)"
        ),
        "ts_parse": (
            r"(t) AS CASE WHEN regexp_matches(t, '^[0-9-]{8,10}T[0-9]{2}:') "
            r"THEN TRY_CAST(regexp_replace(t, '(\.[0-9]{6})[0-9]+', '\1') AS TIMESTAMP) "
            f"WHEN regexp_matches(t, '{_CLOCK}') "
            f"THEN ts_day(trim(regexp_replace(t, '{_CLOCK}', ''))) "
            f"+ ts_time_of(trim(regexp_extract(t, '{_CLOCK}'))) "
            "ELSE CAST(ts_day(t) AS TIMESTAMP) END"
        ),
        "ts_clean": (
            # An offset from UTC says nothing about the local moment.
            r"(x) AS regexp_replace(regexp_replace(regexp_replace(trim(x, ' '), ' +', ' ', 'g'), "
            r"'([0-9]):([0-9]{3})', '\1.\2'), '(:[0-9.]+) ?[+-][0-9]{2}:[0-9]{2}$', '\1')"
        ),
        "ts_try_text_ts": f"(x) AS {_let('ts_clean(x)', 't', 'ts_parse(t)')}",
        "ts_text_ts": "(x) AS "
        + _let(
            "ts_try_text_ts(x)",
            "p",
            f"CASE WHEN x IS NULL THEN NULL WHEN p IS NULL THEN {_BAD_DATE} ELSE p END",
        ),
        "ts_text_dt": "(x) AS "
        + _let(
            "ts_try_text_ts(x)",
            "p",
            "CASE WHEN x IS NULL THEN NULL WHEN p IS NOT NULL THEN p "
            f"WHEN regexp_full_match(trim(x, ' '), '{_DATE_SHAPE}') THEN {_OUT_OF_RANGE} "
            f"ELSE {_BAD_DATE} END",
        ),
        "ts_or_bad_date": f"(x, v) AS CASE WHEN x IS NOT NULL AND v IS NULL THEN {_BAD_DATE} "
        "ELSE v END",
        # datetime: 1753 to 9999, rounded to 1/300 second (data-types/datetime-transact-sql).
        "ts_us": "(x) AS ((epoch_us(x) % 86400000000 + 86400000000) % 86400000000)",
        "ts_round_datetime": (
            "(x) AS CAST(x AS DATE) + to_microseconds("
            "CAST(((((ts_us(x) * 3 + 5000) // 10000) * 10 + 1) // 3) * 1000 AS BIGINT))"
        ),
        "ts_datetime": (
            "(x) AS "
            + _let(
                "x",
                "d",
                "CASE WHEN d IS NULL THEN NULL "
                f"WHEN year(d) < 1753 OR year(d) > 9999 THEN {_OUT_OF_RANGE} "
                "ELSE ts_round_datetime(d) END",
            )
        ),
        "ts_try_datetime": (
            "(x) AS "
            + _let(
                "x",
                "d",
                "CASE WHEN year(d) < 1753 OR year(d) > 9999 THEN NULL "
                "ELSE ts_round_datetime(d) END",
            )
        ),
        # smalldatetime: 29.998 s is rounded down, 29.999 s up.
        "ts_smalldatetime": (
            "(x) AS CASE WHEN x IS NULL THEN NULL WHEN year(x) < 1900 OR x >= '2079-06-07' "
            f"THEN {_OUT_OF_RANGE} ELSE CAST(x AS DATE) + "
            "to_minutes(CAST((ts_us(x) + 30001000) // 60000000 AS BIGINT)) END"
        ),
        "ts_round_ts": (
            "(x, unit) AS "
            + _let(
                "x",
                "d",
                "CAST(d AS DATE) + "
                "to_microseconds(CAST((ts_us(d) + unit // 2) // unit * unit AS BIGINT))",
            )
        ),
        # Days since 1900-01-01, as numbers and back (datetime arithmetic).
        "ts_days_ts": (
            "(n) AS TIMESTAMP '1900-01-01' "
            "+ to_microseconds(CAST(round(n * 86400000000) AS BIGINT))"
        ),
        "ts_ts_days": (
            "(x) AS (epoch_us(x) - epoch_us(TIMESTAMP '1900-01-01')) / 86400000000.0::DOUBLE"
        ),
        "ts_in_range": (
            "(v) AS CASE WHEN v IS NULL THEN NULL WHEN year(v) < 1 OR year(v) > 9999 THEN "
            f"{_ADD_OVERFLOW} ELSE v END"
        ),
        "ts_week_number": (
            "(x) AS (date_diff('day', DATE '0001-01-01', CAST(x AS DATE)) + 1) // 7"
        ),
        "ts_int_diff": (
            "(n) AS CASE WHEN n > 2147483647 OR n < -2147483648 THEN "
            f"{_DIFF_OVERFLOW} ELSE CAST(n AS INTEGER) END"
        ),
        "ts_weekday": "(x, f) AS CAST((isodow(x) - f + 7) % 7 + 1 AS INTEGER)",
        "ts_week": (
            "(x, f) AS CAST((dayofyear(x) - 1 + ts_weekday(date_trunc('year', x), f) - 1) // 7 + 1 "
            "AS INTEGER)"
        ),
        "ts_date_of": (
            "(y, m, d) AS CASE WHEN y IS NULL OR m IS NULL OR d IS NULL THEN NULL "
            "WHEN y NOT BETWEEN 1 AND 9999 OR m NOT BETWEEN 1 AND 12 OR d NOT BETWEEN 1 AND 31 "
            "OR TRY_CAST(printf('%04d-%02d-%02d', y::INTEGER, m::INTEGER, d::INTEGER) AS DATE) "
            f"IS NULL THEN {_BAD_PARTS} "
            "ELSE TRY_CAST(printf('%04d-%02d-%02d', y::INTEGER, m::INTEGER, d::INTEGER) AS DATE) "
            "END"
        ),
        "ts_hour12": "(x) AS lpad(strftime(x, '%-I'), 2, ' ')",
    }
    return [f"CREATE MACRO {name}{body}" for name, body in found.items()]
