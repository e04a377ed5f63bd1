"""Meaning: the DuckDB SQL that T-SQL becomes, its exactness, and what is refused."""

from __future__ import annotations

import datetime
from decimal import ROUND_DOWN, Decimal, getcontext

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from core.tsql.binding import bind_query
from core.tsql.dialect import parse_leaf_text
from core.tsql.meaning import (
    Collation,
    DivisionByZero,
    Options,
    Refused,
    TextConversion,
    translate_query,
)
from core.tsql.meaning.duckdb_patterns import like_regex
from core.tsql.meaning.literals import parse_moment
from core.tsql.schema import Column, ObjectName, Schema, Table
from core.tsql.types import parse_type

COLUMNS = (
    "i int, j int, n tinyint, big bigint, d decimal(18,2), m money, f float, flag bit, "
    "s varchar(20), u nvarchar(20), c char(5), dt datetime, d2 datetime2(7), day date"
)
SCHEMA = Schema.of(
    [
        Table(
            ObjectName("t", "dbo"),
            tuple(
                Column(part.split(" ")[0], parse_type(part.split(" ", 1)[1]))
                for part in COLUMNS.split(", ")
            ),
        )
    ]
)


def translated(text: str, options: Options | None = None) -> str:
    query = bind_query(parse_leaf_text(text), SCHEMA, {"@since": parse_type("date")})
    return translate_query(query, options).sql("duckdb", normalize_functions="lower")


def value(text: str, options: Options | None = None) -> str:
    """The translation of one expression over table t."""
    whole = translated(f"SELECT {text} FROM dbo.t", options)
    return whole.removeprefix("SELECT ").removesuffix(" FROM dbo.t").replace("t.", "")


@pytest.mark.parametrize(
    ("tsql", "duckdb_sql"),
    [
        ("i / j", "i // j"),
        ("m / 3", "CAST(m * 10000 AS INT128) // 3 * 0.0001"),
        ("f / j", "f / CASE WHEN j = 0 THEN error('Divide by zero') ELSE j END"),
        ("f / 2", "f / 2"),
        ("f / NULLIF(j, 0)", "f / nullif(j, 0)"),
        ("d + i", "d + i"),
        ("n + 1", "CAST(n AS INT) + 1"),
        ("s + u", "s || u"),
        ("'id ' + CAST(i AS VARCHAR(11))", "'id ' || CAST(i AS TEXT)"),
        ("'id ' + CAST(n AS VARCHAR(3))", "'id ' || CAST(n AS TEXT)"),
        ("SUM(i)", "CAST(sum(i) AS INT)"),
        ("CAST(d AS INT)", "CAST(trunc(d) AS INT)"),
        ("CAST(m AS INT)", "CAST(m AS INT)"),
        ("CAST(s AS VARCHAR(5))", "left(s, 5)"),
        ("CAST(s AS VARCHAR(50))", "s"),
        ("CAST(dt AS DATE)", "CAST(dt AS DATE)"),
        ("CONVERT(VARCHAR(8), dt, 112)", "strftime(dt, '%Y%m%d')"),
        ("CONVERT(CHAR(8), day, 112)", "strftime(day, '%Y%m%d')"),
        ("CONVERT(INT, CONVERT(CHAR(8), day, 112))", "CAST(strftime(day, '%Y%m%d') AS INT)"),
        ("CONVERT(VARCHAR(7), dt, 120)", "left(strftime(dt, '%Y-%m-%d %H:%M:%S'), 7)"),
        ("ISNULL(s, '')", "coalesce(s, '')"),
        ("ISNULL(i, -1)", "coalesce(i, -1)"),
        ("ISNULL(s, 'a text that is too long for it')", "coalesce(s, 'a text that is too l')"),
        ("COALESCE(d, 0)", "coalesce(d, 0)"),
        ("LEN(s)", "length(rtrim(s))"),
        ("LEN(LTRIM(RTRIM(s)))", "length(rtrim(ltrim(rtrim(s))))"),
        ("LEFT(s, 3)", "left(s, 3)"),
        ("SUBSTRING(s, 2, 3)", "substr(s, 2, 3)"),
        ("CHARINDEX('-', s)", "strpos(s, '-')"),
        ("DATEADD(day, 7, dt)", "dt + INTERVAL '7' DAY"),
        ("DATEADD(day, -1, day)", "CAST(day - INTERVAL '1' DAY AS DATE)"),
        ("DATEADD(month, DATEDIFF(month, 0, dt), 0)", "date_trunc('month', dt)"),
        ("DATEDIFF(day, dt, d2)", "date_diff('day', dt, d2)"),
        ("dt + 1", "dt + INTERVAL '1' DAY"),
        ("YEAR(dt) * 100 + MONTH(dt)", "year(dt) * 100 + month(dt)"),
        ("DATEPART(weekday, dt)", "dayofweek(dt) + 1"),
        ("EOMONTH(dt)", "last_day(dt)"),
        ("IIF(i > 1, 'a', 'b')", "CASE WHEN i > 1 THEN 'a' ELSE 'b' END"),
        (
            "CASE WHEN day >= '20240101' THEN 1 END",
            "CASE WHEN day >= CAST('2024-01-01' AS DATE) THEN 1 END",
        ),
        ("CASE s WHEN 'a' THEN 1 END", "CASE s WHEN 'a' THEN 1 END"),
        ("CASE WHEN s IS NOT NULL THEN 1 ELSE 0 END", "CASE WHEN s IS NOT NULL THEN 1 ELSE 0 END"),
        ("CASE WHEN i = '5' THEN 1 END", "CASE WHEN i = 5 THEN 1 END"),
        ("GETDATE()", "CAST(CURRENT_TIMESTAMP AS TIMESTAMP)"),
        ("-i % 3", "-i % 3"),
        ("i & 1 + j", "(i & 1) + j"),
    ],
)
def test_emission_is_what_a_person_would_write(tsql: str, duckdb_sql: str) -> None:
    assert value(tsql) == duckdb_sql


def test_padding_of_char_does_not_count() -> None:
    assert value("CASE WHEN c = 'ab' THEN 1 END") == "CASE WHEN rtrim(c) = 'ab' THEN 1 END"
    assert value("CASE WHEN c = 'abcde' THEN 1 END") == "CASE WHEN c = 'abcde' THEN 1 END"
    assert value("CASE WHEN c IN ('abcde', 'ab') THEN 1 END") == (
        "CASE WHEN rtrim(c) IN ('abcde', 'ab') THEN 1 END"
    )
    assert "rtrim(t.c) IN (SELECT t.s FROM dbo.t)" in translated(
        "SELECT 1 FROM dbo.t WHERE c IN (SELECT s FROM dbo.t)"
    )


def test_clauses() -> None:
    assert translated("SELECT TOP (5) s FROM dbo.t ORDER BY i DESC, j") == (
        "SELECT t.s FROM dbo.t ORDER BY t.i DESC, t.j NULLS FIRST LIMIT 5"
    )
    assert "QUALIFY rank() OVER (ORDER BY t.i DESC) <= 1" in translated(
        "SELECT TOP 1 WITH TIES s FROM dbo.t ORDER BY i DESC"
    )
    apply = "SELECT t.i FROM dbo.t OUTER APPLY (SELECT TOP 1 x.i FROM dbo.t x WHERE x.j = t.i) y"
    assert translated(apply).endswith(
        "LEFT JOIN LATERAL (SELECT x.i FROM dbo.t AS x WHERE x.j = t.i LIMIT 1) AS y ON TRUE"
    )
    assert translated(
        "WITH n AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM n) SELECT a FROM n"
    ).startswith("WITH RECURSIVE n AS")
    assert "GROUP BY ROLLUP (t.i)" in translated(
        "SELECT i, SUM(j) FROM dbo.t GROUP BY i WITH ROLLUP"
    )


def test_string_list_idiom_is_string_agg() -> None:
    text = (
        "SELECT STUFF((SELECT ', ' + s FROM dbo.t x ORDER BY s FOR XML PATH(''), TYPE)"
        ".value('.', 'nvarchar(max)'), 1, 2, '')"
    )
    assert translated(text) == (
        "SELECT (SELECT string_agg(x.s, ', ' ORDER BY x.s NULLS FIRST) FROM dbo.t AS x)"
    )


def test_options_decide_policies() -> None:
    preserve = Options(collation=Collation.PRESERVE)
    assert value("CASE WHEN s = u THEN 1 END", preserve) == (
        "CASE WHEN lower(rtrim(s)) = lower(rtrim(u)) THEN 1 END"
    )
    assert value("f / j", Options(division_by_zero=DivisionByZero.TRUST)) == "f / j"
    assert (
        value("CAST(s AS INT)", Options(text_conversion=TextConversion.PLAIN)) == "CAST(s AS INT)"
    )
    assert value("GETDATE()", Options(clock="now_at")) == "now_at"
    with_variable = Options(variable=lambda name, type_: exp.column(name.lstrip("@"), table="p"))
    assert value("DATEDIFF(day, @since, day)", with_variable) == "date_diff('day', p.since, day)"


@pytest.mark.parametrize(
    ("construct", "text"),
    [
        ("CHECKSUM", "SELECT CHECKSUM(s) FROM dbo.t"),
        ("RAND", "SELECT RAND()"),
        ("HASHBYTES SHA2_512", "SELECT HASHBYTES('SHA2_512', s) FROM dbo.t"),
        ("FORMAT pattern", "SELECT FORMAT(i, '##-##') FROM dbo.t"),
        ("FORMAT culture", "SELECT FORMAT(dt, 'd', 'de-DE') FROM dbo.t"),
        ("CONVERT style 130", "SELECT CONVERT(varchar(30), dt, 130) FROM dbo.t"),
        ("@since", "SELECT 1 FROM dbo.t WHERE day > @since"),
        ("FOR XML", "SELECT i FROM dbo.t FOR XML PATH('row')"),
        ("AT TIME ZONE", "SELECT dt AT TIME ZONE 'Central European Standard Time' FROM dbo.t"),
        ("PATINDEX", "SELECT PATINDEX(s, u) FROM dbo.t"),
        ("ROUND", "SELECT ROUND(d, i) FROM dbo.t"),
    ],
)
def test_what_has_no_exact_meaning_is_refused_by_name(construct: str, text: str) -> None:
    with pytest.raises(Refused) as refused:
        translated(f"\n{text}")
    assert refused.value.construct == construct
    assert refused.value.reason.endswith(".")
    assert refused.value.line == 2


DATABASE = duckdb.connect()


@settings(max_examples=150, deadline=None)
@given(
    st.decimals(min_value=-(10**15), max_value=10**15, places=2),
    st.decimals(min_value=-(10**6), max_value=10**6, places=3).filter(lambda x: x != 0),
)
def test_decimal_division_is_truncated_exactly(a: Decimal, b: Decimal) -> None:
    """decimal(18,2) / decimal(10,3): scale 13, cut off, never rounded, whatever the sign."""
    getcontext().prec = 60
    text = f"SELECT CAST({a} AS DECIMAL(18,2)) / CAST({b} AS DECIMAL(10,3)) AS q"
    row = DATABASE.execute(translated(text)).fetchone()
    assert row is not None
    assert row[0] == (a / b).quantize(Decimal("1e-13"), ROUND_DOWN)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.decimals(min_value=-(10**9), max_value=10**9, places=2), min_size=1, max_size=6))
def test_avg_of_decimals_is_exact(numbers: list[Decimal]) -> None:
    rows = " UNION ALL ".join(f"SELECT CAST({n} AS DECIMAL(18,2)) AS d" for n in numbers)
    row = DATABASE.execute(translated(f"SELECT AVG(d) AS a FROM ({rows}) x")).fetchone()
    assert row is not None
    getcontext().prec = 60
    assert row[0] == (sum(numbers, Decimal(0)) / len(numbers)).quantize(Decimal("1e-6"), ROUND_DOWN)


@settings(max_examples=150, deadline=None)
@given(
    st.dates(datetime.date(1800, 1, 1), datetime.date(2200, 1, 1)),
    st.dates(datetime.date(1800, 1, 1), datetime.date(2200, 1, 1)),
)
def test_weeks_begin_on_sunday(first: datetime.date, second: datetime.date) -> None:
    text = f"SELECT DATEDIFF(week, '{first}', '{second}') AS w, DATEPART(week, '{first}') AS p"
    row = DATABASE.execute(translated(text)).fetchone()
    assert row is not None

    def sundays(day: datetime.date) -> int:
        return day.toordinal() // 7

    january_first = first.replace(month=1, day=1)
    assert row == (sundays(second) - sundays(first), sundays(first) - sundays(january_first) + 1)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 86_399_999))
def test_datetime_keeps_a_three_hundredth_of_a_second(milliseconds: int) -> None:
    moment = datetime.datetime(2024, 2, 28) + datetime.timedelta(milliseconds=milliseconds)
    written = moment.isoformat(" ")
    source = f"(SELECT CAST('{written}' AS DATETIME2(3)) AS c) v"
    row = DATABASE.execute(translated(f"SELECT CAST(c AS DATETIME) AS x FROM {source}")).fetchone()
    literal = DATABASE.execute(translated(f"SELECT CAST('{written}' AS DATETIME)"))
    assert row is not None
    assert row == literal.fetchone()
    last = milliseconds % 10
    offset = {0: 0, 1: -1, 2: 1, 3: 0, 4: -1, 5: 2, 6: 1, 7: 0, 8: -1, 9: 1}[last]
    assert row[0] == moment + datetime.timedelta(milliseconds=offset)


@given(st.text(alphabet="ab%_[]^-!", max_size=8), st.text(alphabet="ab%_[]^-", max_size=5))
def test_like_patterns_never_raise(pattern: str, text: str) -> None:
    for escape in (None, "!"):
        regex = like_regex(pattern, escape)
        if regex is not None:
            DATABASE.execute("select try(regexp_full_match(?, ?))", [text, regex]).fetchone()


@given(st.text(max_size=30))
def test_date_texts_never_raise(text: str) -> None:
    parse_moment(text)


def computed(text: str, column: str, literal: str) -> object:
    """An expression over table t with one column filled, run on DuckDB."""
    connection = duckdb.connect()
    kinds = {"i": "INTEGER", "s": "VARCHAR"}
    connection.execute("create schema dbo")
    connection.execute(f"create table dbo.t ({column} {kinds[column]})")
    connection.execute(f"insert into dbo.t values ({literal})")
    (row,) = connection.execute(translated(f"SELECT {text} AS x FROM dbo.t")).fetchall()
    return row[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-02-30", None),
        ("n/a", None),
        ("unknown 7", None),
        ("20240131", datetime.datetime(2024, 1, 31)),
        ("31-Jan-2024", datetime.datetime(2024, 1, 31)),
        ("January 31, 2024", datetime.datetime(2024, 1, 31)),
        ("Jan  5 2024 10:00AM", datetime.datetime(2024, 1, 5, 10)),
        ("1/31/2024 3:04:05 PM", datetime.datetime(2024, 1, 31, 15, 4, 5)),
        ("2024-01-31 10:11:12.1234567", datetime.datetime(2024, 1, 31, 10, 11, 12, 123456)),
    ],
)
def test_texts_of_a_column_as_moments(text: str, expected: object) -> None:
    assert computed("TRY_CAST(s AS datetime2(7))", "s", f"'{text}'") == expected
    assert computed("ISDATE(s)", "s", f"'{text}'") == int(expected is not None)


@pytest.mark.parametrize("text", ["1/5/24", "240105", "2024 January 5", "2024", "10:11", "5.1.55"])
def test_a_moment_in_a_spelling_that_is_not_supported_fails_instead_of_being_null(
    text: str,
) -> None:
    for expression in ("TRY_CAST(s AS datetime)", "ISDATE(s)", "CAST(s AS date)"):
        with pytest.raises(duckdb.Error, match=r"Conversion failed|Could not parse"):
            computed(expression, "s", f"'{text}'")


def test_an_int_too_long_for_its_varchar_is_a_star() -> None:
    assert computed("CAST(i AS varchar(10))", "i", "-1234567890") == "*"
    assert computed("CAST(i AS varchar(10))", "i", "1234567890") == "1234567890"


def test_a_sum_of_ints_that_is_no_int_fails() -> None:
    with pytest.raises(duckdb.Error):
        computed("SUM(i) OVER (PARTITION BY i)", "i", "2147483647), (2147483647")


def test_hashes_of_varchar_are_over_code_page_1252() -> None:
    import hashlib

    digest = computed("HASHBYTES('SHA2_256', s)", "s", "'Grüße'")
    assert digest == hashlib.sha256("Grüße".encode("cp1252")).digest()
    with pytest.raises(duckdb.Error):
        computed("HASHBYTES('MD5', s)", "s", "'5 €'")
