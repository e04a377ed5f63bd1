"""T-SQL types: what declarations mean and what operators make of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.tsql import types as t
from core.tsql.types import SqlType, TypeName, UnknownTypeError, parse_type


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("NVARCHAR(50)", "nvarchar(50)"),
        ("DECIMAL(18, 2)", "decimal(18,2)"),
        ("numeric", "decimal(18,0)"),
        ("dec(5)", "decimal(5,0)"),
        ("DATETIME2(7)", "datetime2(7)"),
        ("datetime2", "datetime2(7)"),
        ("time(0)", "time(0)"),
        ("NVARCHAR(MAX)", "nvarchar(max)"),
        ("[varchar] ( max )", "varchar(max)"),
        ("sysname", "nvarchar(128)"),
        ("float", "float"),
        ("float(24)", "real"),
        ("double precision", "float"),
        ("national character varying(5)", "nvarchar(5)"),
        ("char", "char(1)"),
        ("timestamp", "rowversion"),
        ("integer", "int"),
        ("sys.int", "int"),
    ],
)
def test_declared_types(text: str, expected: str) -> None:
    assert parse_type(text).sql() == expected


def test_length_left_out_is_30_in_a_cast() -> None:
    assert parse_type("varchar").length == 1
    assert parse_type("varchar", in_cast=True).length == 30


@pytest.mark.parametrize(
    "text", ["dbo.Flag", "decimal(39,2)", "decimal(5,6)", "varchar(8001)", "int(", "", "char(max)"]
)
def test_unknown_types_are_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(UnknownTypeError) as refused:
        parse_type(text)
    assert refused.value.reason.endswith(".")


def test_alias_types_are_known_when_their_base_is() -> None:
    assert parse_type("dbo.Flag", aliases={"flag": t.BIT}) is t.BIT


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("int", "varchar(5)", "int"),
        ("decimal(5,2)", "int", "decimal(12,2)"),
        ("decimal(5,2)", "decimal(10,4)", "decimal(10,4)"),
        ("money", "int", "money"),
        ("money", "decimal(5,2)", "decimal(19,4)"),
        ("float", "decimal(38,10)", "float"),
        ("varchar(3)", "varchar(8)", "varchar(8)"),
        ("varchar(3)", "nvarchar(2)", "nvarchar(3)"),
        ("date", "datetime", "datetime"),
        ("datetime", "datetime2(3)", "datetime2(3)"),
        ("bit", "tinyint", "tinyint"),
        ("uniqueidentifier", "varchar(36)", "uniqueidentifier"),
    ],
)
def test_common_type_follows_precedence(left: str, right: str, expected: str) -> None:
    first, second = parse_type(left), parse_type(right)
    assert t.common_type(first, second).sql() == expected
    assert t.common_type(second, first).sql() == expected
    assert t.common_type(first, t.NULL) == first


@pytest.mark.parametrize(
    ("rule", "left", "right", "expected"),
    [
        (t.decimal_quotient, (10, 2), (10, 2), (23, 13)),
        (t.decimal_quotient, (18, 2), (18, 2), (38, 20)),
        (t.decimal_quotient, (1, 0), (1, 0), (7, 6)),
        (t.decimal_product, (30, 20), (30, 20), (38, 17)),
        (t.decimal_product, (30, 10), (30, 10), (38, 6)),
        (t.decimal_product, (3, 2), (2, 1), (6, 3)),
        (t.decimal_sum, (5, 2), (6, 3), (7, 3)),
        (t.decimal_sum, (38, 10), (38, 0), (38, 0)),
        (t.decimal_remainder, (3, 2), (2, 1), (3, 2)),
    ],
)
def test_precision_and_scale(
    rule: object, left: tuple[int, int], right: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert callable(rule)
    assert rule(t.decimal(*left), t.decimal(*right)) == t.decimal(*expected)


@given(
    st.integers(1, 38).flatmap(lambda p: st.tuples(st.just(p), st.integers(0, p))),
    st.integers(1, 38).flatmap(lambda p: st.tuples(st.just(p), st.integers(0, p))),
)
def test_no_operator_passes_38_digits(left: tuple[int, int], right: tuple[int, int]) -> None:
    for rule in (t.decimal_sum, t.decimal_product, t.decimal_quotient, t.decimal_remainder):
        made = rule(t.decimal(*left), t.decimal(*right))
        assert made.precision is not None
        assert made.scale is not None
        assert 1 <= made.precision <= 38
        assert 0 <= made.scale <= made.precision


@given(st.sampled_from(list(TypeName)), st.integers(1, 4000), st.integers(0, 7))
def test_printed_types_parse_back(name: TypeName, length: int, fraction: int) -> None:
    if name is TypeName.NULL:
        return
    type_ = {
        TypeName.DECIMAL: t.decimal(38, 5),
        TypeName.TIME: SqlType(name, scale=fraction),
        TypeName.DATETIME2: SqlType(name, scale=fraction),
        TypeName.DATETIMEOFFSET: SqlType(name, scale=fraction),
    }.get(name, SqlType(name))
    if name in (TypeName.CHAR, TypeName.VARCHAR, TypeName.NCHAR, TypeName.NVARCHAR):
        type_ = SqlType(name, length=length)
    if name in (TypeName.BINARY, TypeName.VARBINARY):
        type_ = SqlType(name, length=length)
    assert parse_type(type_.sql()) == type_


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1", "int"), ("2147483647", "int"), ("2147483648", "decimal(10,0)"), ("0001", "int")],
)
def test_integer_literals(text: str, expected: str) -> None:
    assert t.literal_integer(text).sql() == expected


def test_other_literals() -> None:
    assert t.literal_decimal("1.50").sql() == "decimal(3,2)"
    assert t.literal_decimal(".5").sql() == "decimal(1,1)"
    assert t.literal_string("x", unicode=False).sql() == "varchar(1)"
    assert t.literal_string("", unicode=True).sql() == "nvarchar(1)"
