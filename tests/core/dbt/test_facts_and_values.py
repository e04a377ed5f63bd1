"""Facts read from a model's text, and values of specs read as their columns' types."""

# ruff: noqa: E501 - one case, one line

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest

from core.dbt.facts import CteRole, FactsError, ModelFacts, read_facts
from core.dbt.template import bind_vars
from core.dbt.values import Misfit, canonical, read_value
from tests.core.dbt.items import shop_sql


def facts_of(sql: str) -> ModelFacts:
    facts = read_facts(sql)
    assert isinstance(facts, ModelFacts), facts
    return facts


def test_the_facts_of_an_incremental_model() -> None:
    sql = shop_sql(1, "merge")
    facts = facts_of(sql)
    assert (facts.config.materialized, facts.config.incremental_strategy) == (
        "incremental",
        "merge",
    )
    assert facts.config.unique_key == ("OrderLineKey",)
    assert [r.name for r in facts.refs] == ["stg_dimcustomer"]
    assert [(s.source, s.table) for s in facts.sources] == [("bronze", "OrderLine")]
    assert facts.uses_this
    assert facts.uses_watermark
    assert facts.watermark_column == "ModifiedAt"
    roles = {c.name: c.role for c in facts.ctes}
    assert roles == {
        "order_lines": CteRole.IMPORT,
        "customers": CteRole.IMPORT,
        "final": CteRole.FINAL,
    }
    assert facts.clock_columns == ("LoadedAt",)
    net = facts.column("netamount")
    assert net is not None
    assert (net.type, sql.splitlines()[net.line - 1].strip()[-10:-1]) == (
        "DECIMAL(18, 4)",
        "NetAmount",
    )
    weight = facts.column("Weight")
    assert weight is not None
    assert weight.origin == "source:bronze.OrderLine.Weight"


def test_lines_are_those_of_the_model_under_jinja() -> None:
    sql = "{#- a\n comment -#}\n{{ config(\n  materialized='table'\n) }}\nwith a as (\n  select 1 as x\n)\nselect\n  x\nfrom a\n"
    facts = facts_of(sql)
    assert (facts.line_of_cte("a"), facts.line_of_column("x")) == (6, 10)
    cte = facts.cte_at(7)
    assert cte is not None
    assert cte.name == "a"


def test_a_text_that_is_no_model_says_where() -> None:
    for sql, line in (("select 1\nfrom (", 2), ("{% if x %}", 1), ("\nselect {{ 1 | int }}", 2)):
        found = read_facts(sql)
        assert isinstance(found, FactsError)
        assert found.line in (line, 0)


def test_vars_are_bound_in_place() -> None:
    text = "a {{ var('p', 5) }} {%- if var('m') == 'x' %} '{{ var(\"q\", 'y)') }}'{% endif %}"
    bound = bind_vars(text, {"p": 7, "m": "it's", "q": None})
    assert bound == "a {{ 7 }} {%- if \"it's\" == 'x' %} '{{ none }}'{% endif %}"
    assert bind_vars(text, {"other": 1}) == text


@pytest.mark.parametrize(
    ("value", "sql_type", "stored"),
    [
        ("1.239", "DECIMAL(18,2)", None),
        ("1.230", "DECIMAL(18,2)", Decimal("1.23")),
        (Decimal("12345"), "DECIMAL(5,2)", None),
        ("1.6", "INT", None),
        ("3.0", "INT", 3),
        (256, "TINYINT", None),
        (True, "BIT", 1),
        ("False", "BIT", 0),
        (2, "BIT", None),
        ("2024-01-15", "DATE", date(2024, 1, 15)),
        ("2024-01-15T00:00:00", "DATE", date(2024, 1, 15)),
        ("20240115", "DATE", date(2024, 1, 15)),
        ("2024-01-15 10:00:00", "DATE", None),
        ("2024-01-15 00:00:00.0000000", "DATETIME2(7)", datetime(2024, 1, 15)),
        ("abcdef", "VARCHAR(3)", None),
        ("abc   ", "NCHAR(10)", "abc"),
        ("abcdef", "NVARCHAR", "abcdef"),
        ("0xFF41", "VARBINARY(10)", b"\xffA"),
        ("not a guid", "UNIQUEIDENTIFIER", None),
        ("922337203685477.5807", "MONEY", Decimal("922337203685477.5807")),
    ],
)
def test_a_value_fits_its_column_or_is_a_misfit(
    value: object, sql_type: str, stored: object
) -> None:
    read = read_value(value, sql_type)
    assert isinstance(read, Misfit) if stored is None else read == stored


@pytest.mark.parametrize(
    ("left", "right", "sql_type"),
    [
        (Decimal("1.50"), Decimal("1.5000"), "DECIMAL(18,2)"),
        (1, True, "BIT"),
        ("abc", "abc  ", "NVARCHAR(10)"),
        (date(2024, 1, 1), datetime(2024, 1, 1), "DATETIME"),
        (0.1 + 0.2, 0.3, "FLOAT"),
        (datetime(2024, 1, 1, 0, 0, 0, 3000), datetime(2024, 1, 1, 0, 0, 0, 3333), "DATETIME"),
    ],
)
def test_values_that_sql_server_stores_alike_compare_equal(
    left: object, right: object, sql_type: str
) -> None:
    assert canonical(left, sql_type) == canonical(right, sql_type)


@pytest.mark.parametrize(
    ("left", "right", "sql_type"),
    [
        (Decimal("1.50"), Decimal("1.501"), "DECIMAL(18,2)"),
        ("", None, "VARCHAR(3)"),
        ("01", "1", "VARCHAR(3)"),
        (1.0050001, Decimal("1.005"), "DECIMAL(18,2)"),
    ],
)
def test_values_that_differ_stay_different(left: object, right: object, sql_type: str) -> None:
    assert canonical(left, sql_type) != canonical(right, sql_type)
