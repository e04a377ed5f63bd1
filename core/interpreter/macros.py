"""DuckDB macros with T-SQL's meaning: text comparison, numbers, conversions of text.

They are created once per session, before its configuration is locked. Names begin with ``ts_``.
A macro that can raise does so with the server's number and message through ``error()``.
The sibling module `macros_dates` holds those for dates.
"""

from __future__ import annotations

from core.interpreter.errors import raising, sql_text

_DIVIDE = raising(8134, "Divide by zero error encountered.")


def _conversion(number: int, head: str, value: str, tail: str) -> str:
    # The message names the type of the text, which the caller gives as k.
    before, _, after = head.partition("varchar")
    text = f"{sql_text(f'~{number}~{before}')} || k || {sql_text(after)} || {value}"
    return f"error({text} || {sql_text(tail)})"


def _integer_macro(name: str, sql_type: str, low: int, high: int, strict: bool) -> str:
    bad = _conversion(
        245, "Conversion failed when converting the varchar value '", "x", f"' to data type {name}."
    )
    number = {"tinyint": 244, "smallint": 244, "bit": 245}.get(name, 248)
    column = {"tinyint": "INT1", "smallint": "INT2", "int": "int"}.get(name, "bigint")
    far = _conversion(
        number,
        "The conversion of the varchar value '",
        "x",
        f"' overflowed an {column} column."
        + (" Use a larger integer column." if number == 244 else ""),
    )
    if name == "bigint":
        bad = "error('~8114~Error converting data type ' || k || ' to bigint.')"
        far = raising(8115, "Arithmetic overflow error converting expression to data type bigint.")
    if not strict:
        bad = far = "NULL"
    digits = "regexp_replace(trim(x, ' '), '^([+-]?) *', '\\1')"
    return (
        f"(x, k := 'varchar') AS CASE WHEN x IS NULL THEN NULL "
        f"WHEN trim(x, ' ') = '' THEN 0::{sql_type} "
        f"WHEN NOT regexp_full_match({digits}, '[+-]?[0-9]+') THEN {bad} "
        f"WHEN TRY_CAST({digits} AS HUGEINT) IS NULL OR TRY_CAST({digits} AS HUGEINT) "
        f"NOT BETWEEN {low} AND {high} THEN {far} "
        f"ELSE CAST({digits} AS {sql_type}) END"
    )


_INTEGERS = (
    ("tinyint", "UTINYINT", 0, 255),
    ("smallint", "SMALLINT", -(2**15), 2**15 - 1),
    ("int", "INTEGER", -(2**31), 2**31 - 1),
    ("bigint", "BIGINT", -(2**63), 2**63 - 1),
)

_TEXT_TO_BIT = (
    "(x, k := 'varchar') AS CASE WHEN x IS NULL THEN NULL "
    "WHEN lower(trim(x, ' ')) = 'true' THEN 1::UTINYINT "
    "WHEN lower(trim(x, ' ')) IN ('false', '') THEN 0::UTINYINT "
    "WHEN regexp_full_match(trim(x, ' '), '[+-]?[0-9]+') "
    "THEN CASE WHEN regexp_full_match(trim(x, ' '), '[+-]?0+') THEN 0 ELSE 1 END::UTINYINT "
    "ELSE {bad} END"
)

# A dividend and a divisor as whole numbers, each with the scale of its operand; the quotient's
# digits are worked out in two steps of at most 19, so that nothing overflows 38 digits.
# Truncated, not rounded: language-elements/divide-transact-sql with precision-scale-and-length.
_DECIMAL_DIVIDE = (
    "(a, b, k1, k2) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL "
    f"WHEN b = 0 THEN {_DIVIDE} ELSE "
    "CASE WHEN (a < 0) <> (b < 0) THEN '-' ELSE '' END || (abs(a) // abs(b))::VARCHAR || '.' || "
    "CASE WHEN k1 > 0 THEN lpad((((abs(a) % abs(b)) * (10::HUGEINT ** k1)::HUGEINT) // abs(b))"
    "::VARCHAR, CAST(k1 AS INTEGER), '0') ELSE '' END || "
    "CASE WHEN k2 > 0 THEN lpad((((((abs(a) % abs(b)) * (10::HUGEINT ** k1)::HUGEINT) % abs(b)) "
    "* (10::HUGEINT ** k2)::HUGEINT) // abs(b))::VARCHAR, CAST(k2 AS INTEGER), '0') ELSE '' END END"
)


def macros() -> list[str]:
    """The statements that create the macros."""
    found = {
        # Comparison: case folded, trailing blanks dropped (support.microsoft.com/kb/316626).
        "ts_ci": "(x) AS lower(rtrim(x, ' '))",
        "ts_cs": "(x) AS rtrim(x, ' ')",
        "ts_len": "(x) AS CAST(length(rtrim(x, ' ')) AS INTEGER)",
        "ts_pad": "(x, n) AS lpad(x, CAST(greatest(n, length(x)) AS INTEGER), '0')",
        # NULL / 0 is NULL: no division takes place (language-elements/null-and-unknown).
        "ts_idiv": f"(a, b) AS CASE WHEN a IS NOT NULL AND b = 0 THEN {_DIVIDE} ELSE a // b END",
        "ts_mod": f"(a, b) AS CASE WHEN a IS NOT NULL AND b = 0 THEN {_DIVIDE} ELSE a % b END",
        "ts_fdiv": f"(a, b) AS CASE WHEN a IS NOT NULL AND b = 0 THEN {_DIVIDE} ELSE a / b END",
        "ts_ddiv": _DECIMAL_DIVIDE,
        "ts_digits": "(x) AS CAST(replace(CAST(x AS VARCHAR), '.', '') AS HUGEINT)",
        "ts_text_bit": _TEXT_TO_BIT.format(
            bad=_conversion(
                245,
                "Conversion failed when converting the varchar value '",
                "x",
                "' to data type bit.",
            )
        ),
        "ts_try_text_bit": _TEXT_TO_BIT.format(bad="NULL"),
        **_string_macros(),
    }
    for name, sql_type, low, high in _INTEGERS:
        for strict, prefix in ((True, "ts_text_"), (False, "ts_try_text_")):
            found[prefix + name] = _integer_macro(name, sql_type, low, high, strict)
    return [f"CREATE MACRO {name}{body}" for name, body in found.items()]


_LIKE_SPECIAL = r"([\\.+*?(){}|$])"


def _string_macros() -> dict[str, str]:
    return {
        # T-SQL's SUBSTRING counts a start before 1 against the length.
        "ts_substring": (
            "(x, s, n) AS CASE WHEN n < 0 THEN "
            + raising(
                537,
                "Invalid length parameter passed to the LEFT or SUBSTRING function.",
            )
            + " ELSE substring(x, CASE WHEN s < 1 THEN 1 ELSE s END, "
            "CASE WHEN s < 1 THEN CASE WHEN s + n - 1 < 0 THEN 0 ELSE s + n - 1 END ELSE n END) END"
        ),
        "ts_left": (
            "(x, n) AS CASE WHEN n < 0 THEN "
            + raising(537, "Invalid length parameter passed to the LEFT or SUBSTRING function.")
            + " ELSE left(x, n) END"
        ),
        "ts_right": (
            "(x, n) AS CASE WHEN n < 0 THEN "
            + raising(536, "Invalid length parameter passed to the RIGHT function.")
            + " WHEN n = 0 THEN CASE WHEN x IS NULL THEN NULL ELSE '' END ELSE right(x, n) END"
        ),
        # Case is ignored by the collation: REPLACE and CHARINDEX follow it.
        "ts_quote": r"(x) AS regexp_replace(x, '([\\.+*?()\[\]{}|$^-])', '\\\1', 'g')",
        "ts_replace": (
            "(x, a, b) AS CASE WHEN x IS NULL OR a IS NULL OR b IS NULL THEN NULL "
            "WHEN a = '' THEN x ELSE "
            r"regexp_replace(x, '(?i)' || ts_quote(a), replace(b, '\', '\\'), 'g') END"
        ),
        "ts_replace_cs": "(x, a, b) AS CASE WHEN a = '' THEN x ELSE replace(x, a, b) END",
        "ts_charindex": (
            "(a, x, s) AS CASE WHEN a IS NULL OR x IS NULL THEN NULL "
            "WHEN a = '' THEN 0 "
            "WHEN coalesce(s, 1) > 1 THEN "
            "CASE WHEN strpos(lower(substring(x, s)), lower(a)) = 0 THEN 0 "
            "ELSE strpos(lower(substring(x, s)), lower(a)) + s - 1 END "
            "ELSE strpos(lower(x), lower(a)) END::INTEGER"
        ),
        "ts_stuff": (
            "(x, s, n, b) AS CASE WHEN x IS NULL OR s IS NULL OR n IS NULL OR s < 1 OR n < 0 "
            "OR s > length(x) THEN NULL "
            "ELSE left(x, s - 1) || coalesce(b, '') || substring(x, s + n) END"
        ),
        # A pattern that is only known at run time, as a regular expression.
        "ts_like_body": (
            r"(p) AS replace(replace(replace(regexp_replace(regexp_replace(regexp_replace("
            rf"replace(replace(replace(p, '[%]', chr(1)), '[_]', chr(2)), '[[]', chr(3)), "
            rf"'{_LIKE_SPECIAL}', '\\\1', 'g'), '%', '.*', 'g'), '_', '.', 'g'), "
            r"chr(1), '%'), chr(2), '_'), chr(3), '\[')"
        ),
        "ts_replicate": "(x, n) AS CASE WHEN n < 0 THEN NULL ELSE repeat(x, CAST(n AS BIGINT)) END",
        "ts_quotename": (
            "(x, q) AS CASE WHEN length(x) > 128 THEN NULL "
            "WHEN q IN ('[', ']') THEN '[' || replace(x, ']', ']]') || ']' "
            "WHEN q = '''' THEN '''' || replace(x, '''', '''''') || '''' "
            "WHEN q = '\"' THEN '\"' || replace(x, '\"', '\"\"') || '\"' "
            "WHEN q IN ('(', ')') THEN '(' || replace(x, ')', '))') || ')' "
            "WHEN q IN ('<', '>') THEN '<' || replace(x, '>', '>>') || '>' "
            "WHEN q IN ('{', '}') THEN '{' || replace(x, '}', '}}') || '}' "
            "WHEN q = '`' THEN '`' || replace(x, '`', '``') || '`' ELSE NULL END"
        ),
        "ts_isnumeric": (
            "(x) AS CASE WHEN x IS NULL THEN 0 WHEN regexp_full_match(trim(x, ' '), "
            r"'[+-]?[$€£]?[+-]?(([0-9][0-9,]*\.?[0-9]*)|(\.[0-9]+))([eEdD][+-]?[0-9]+)?') "
            r"OR regexp_full_match(trim(x, ' '), '[+-]|[.,$€£]|[+-][.,$]') THEN 1 ELSE 0 END"
        ),
        # STR: right-aligned, asterisks when the whole part does not fit.
        "ts_str": (
            "(x, n, d) AS CASE WHEN x IS NULL OR n IS NULL OR n < 0 THEN NULL "
            "WHEN length(ts_fixed(x, 0)) > n THEN repeat('*', n) "
            "ELSE lpad(left(ts_fixed(x, greatest(0, least(d, 16, n - length(ts_fixed(x, 0)) - 1)))"
            ", n), n, ' ') END"
        ),
        # Half away from zero, as text with d digits.
        "ts_fixed": (
            "(x, d) AS CASE WHEN d <= 0 "
            "THEN CAST(CAST(round(x, 0) AS DECIMAL(38, 0)) AS VARCHAR) "
            "ELSE printf('%.' || d || 'f', round(x, CAST(d AS INTEGER))) END"
        ),
        "ts_utf16": (
            "(x) AS unhex(coalesce(list_aggregate(list_transform("
            "list_filter(string_split(x, ''), lambda c: c <> ''), "
            "lambda c: printf('%02X%02X', unicode(c) % 256, unicode(c) // 256)), "
            "'string_agg', ''), ''))"
        ),
        "ts_xml": ("(x) AS replace(replace(replace(x, '&', '&amp;'), '<', '&lt;'), '>', '&gt;')"),
    }
