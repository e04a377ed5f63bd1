"""The YAML of a model: what stands in it, and that dbt's YAML 1.1 reads it as it was meant."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from core.dbt.artifacts import SourceAddition
from core.dbt.sources import SourcesFileError, add_sources
from core.dbt.yaml_guard import check_yaml
from core.dbt.yaml_text import Row, checked, dump
from tests.core.dbt.items import Assumed, build_item, loaded, order_line, scenario, shop_sql


def data_of(text: str) -> dict[str, Any]:
    loaded_yaml = yaml.safe_load(text)
    assert isinstance(loaded_yaml, dict)
    return loaded_yaml


def test_the_model_is_described_keyed_and_related(tmp_path: Path) -> None:
    item = build_item(tmp_path, 1, "merge")
    model = data_of(item.artifacts.yaml_text)["models"][0]
    assert model["description"] == (
        "Migrated from silver.usp_LoadFactOrderLine1. Target: silver.FactOrderLine1."
    )
    columns = {c["name"]: c for c in model["columns"]}
    assert list(columns) == [c.name for c in item.facts.columns]
    assert all(c["description"] for c in columns.values())
    assert columns["OrderLineKey"]["data_tests"] == ["unique", "not_null"]
    arguments = {"to": "ref('stg_dimcustomer')", "field": "CustomerId"}
    assert columns["CustomerId"]["data_tests"] == [{"relationships": {"arguments": arguments}}]
    assert columns["CustomerName"]["config"] == {
        "meta": {"contains_pii": True, "pii_action": "mask"}
    }
    recency = model["data_tests"][0]["proc2dbt_recency"]
    assert recency["config"] == {"severity": "warn"}
    assert check_yaml(item.artifacts.yaml_text) == []


def test_the_same_request_gives_the_same_bytes(tmp_path: Path) -> None:
    first = build_item(tmp_path / "a", 1, "merge").artifacts
    assert build_item(tmp_path / "b", 1, "merge").artifacts.yaml_text == first.yaml_text


def test_the_projects_own_recency_test_is_used_when_it_has_dbt_utils(tmp_path: Path) -> None:
    build_item(tmp_path, 1, "merge")
    (tmp_path / "dbt" / "packages.yml").write_text(
        "packages:\n  - package: dbt-labs/dbt_utils\n    version: 1.3.0\n"
    )
    artifacts = build_item(tmp_path, 1, "merge").artifacts
    assert "dbt_utils.recency" in artifacts.yaml_text
    assert artifacts.shared_files == {}


def test_assumptions_become_tests_or_notes(tmp_path: Path) -> None:
    assumptions = (
        Assumed("not_null", "always given", columns=("OrderNumber",)),
        Assumed("unique", "one line per order and customer", columns=("OrderNumber", "CustomerId")),
        Assumed("unique", "one row per id", relation="bronze.OrderLine", columns=("OrderLineKey",)),
    )
    artifacts = build_item(tmp_path, 1, "table", assumptions=assumptions).artifacts
    names = {t.name for t in artifacts.expected_tests}
    assert "not_null_stg_factorderline1_OrderNumber" in names
    assert "unique_stg_factorderline1_OrderNumber_CustomerId" in names
    assert any("bronze.OrderLine" in note for note in artifacts.notes)


def test_unit_tests_stand_at_the_top_and_each_scenario_is_there(tmp_path: Path) -> None:
    item = build_item(tmp_path, 1, "merge", count=4)
    found = data_of(item.artifacts.yaml_text)
    assert [t["name"] for t in found["unit_tests"]] == [s.name for s in item.spec.unit_tests]
    assert "unit_tests" not in found["models"][0]


def test_names_are_made_unique_and_fit_for_dbt(tmp_path: Path) -> None:
    line = order_line(1)
    names = ["first load", "first-load", "first_load", "{{ x }}"]
    cases = [scenario(1, name, [line], [loaded(line)]) for name in names]
    item = build_item(tmp_path, 1, "table", scenarios=cases)
    tests = data_of(item.artifacts.yaml_text)["unit_tests"]
    assert [t["name"] for t in tests] == ["first_load", "first_load_2", "first_load_3", "x"]
    assert check_yaml(item.artifacts.yaml_text) == []


def test_every_row_has_the_same_keys(tmp_path: Path) -> None:
    """dbt refuses ragged expected rows."""
    first, second = order_line(1), order_line(2)
    expect = [loaded(first), {k: v for k, v in loaded(second).items() if k != "Weight"}]
    item = build_item(
        tmp_path, 1, "table", scenarios=[scenario(1, "ragged", [first, second], expect)]
    )
    rows = data_of(item.artifacts.yaml_text)["unit_tests"][0]["expect"]["rows"]
    assert set(rows[0]) == set(rows[1])
    assert rows[1]["Weight"] is None


def test_prior_rows_are_taken_out_of_what_is_expected(tmp_path: Path) -> None:
    """Rows after minus rows before, as bags and over the listed columns."""
    kept, new = order_line(1), order_line(2)
    before = [loaded(kept), loaded(kept)]
    after = [loaded(kept), loaded(kept), loaded(kept), loaded(new)]
    case = scenario(1, "appended", [kept, new], after, prior=before)
    item = build_item(tmp_path, 1, "append", scenarios=[case])
    unit = data_of(item.artifacts.yaml_text)["unit_tests"][0]
    assert [r["OrderLineKey"] for r in unit["expect"]["rows"]] == [1, 2]
    assert unit["overrides"]["macros"]["is_incremental"] is True
    assert unit["given"][-1]["input"] == "this"
    whole = build_item(tmp_path, 1, "table", scenarios=[case])
    rows = data_of(whole.artifacts.yaml_text)["unit_tests"][0]["expect"]["rows"]
    assert len(rows) == 4


def test_a_scenario_without_expectation_is_a_comment(tmp_path: Path) -> None:
    case = scenario(1, "no answer", [order_line(1)], [])
    del case["expect"]
    item = build_item(tmp_path, 1, "table", scenarios=[case])
    assert "unit_tests" not in data_of(item.artifacts.yaml_text)
    assert "# Scenario no answer: the specification has no expected rows." in (
        item.artifacts.yaml_text
    )


def test_values_that_yaml_1_1_would_misread_are_quoted(tmp_path: Path) -> None:
    words = [
        "yes",
        "no",
        "on",
        "null",
        "~",
        "12:30:45",
        "0123",
        "1e3",
        "2024-01-01",
        "",
        " x ",
        "#",
    ]
    lines = [order_line(n, Comment=word) for n, word in enumerate(words)]
    case = scenario(1, "words", lines, [{**loaded(r), "Comment": r["Comment"]} for r in lines])
    item = build_item(tmp_path, 1, "table", scenarios=[case])
    unit = data_of(item.artifacts.yaml_text)["unit_tests"][0]
    assert [r["Comment"] for r in unit["given"][0]["rows"]] == words
    assert [r["Comment"] for r in unit["expect"]["rows"]] == words
    assert {type(r["OrderDate"]) for r in unit["given"][0]["rows"]} == {str}


def test_text_that_is_jinja_is_never_written_where_dbt_would_run_it(tmp_path: Path) -> None:
    line = order_line(1, Comment="{{ env_var('X') }}")
    item = build_item(tmp_path, 1, "table", scenarios=[scenario(1, "s", [line], [loaded(line)])])
    assert check_yaml(item.artifacts.yaml_text) == []
    assert data_of(item.artifacts.yaml_text)["unit_tests"][0]["config"] == {"enabled": False}


def test_columns_are_spelled_as_the_model_spells_them(tmp_path: Path) -> None:
    sql = shop_sql(1, "table").replace("as NetAmount", "as net_amount")
    sql = sql.replace("l.Quantity,", "l.Quantity as QUANTITY,")
    item = build_item(tmp_path, 1, "table", sql=sql)
    rows = data_of(item.artifacts.yaml_text)["unit_tests"][0]["expect"]["rows"]
    assert "QUANTITY" in rows[0]
    assert "Quantity" not in rows[0]


@given(
    st.dictionaries(
        st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8),
        st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.text()),
        max_size=5,
    )
)
def test_any_row_is_read_back_as_it_was(row: dict[str, object]) -> None:
    printable = {
        k: "".join(c for c in v if c.isprintable() or c in "\n\t") if isinstance(v, str) else v
        for k, v in row.items()
    }
    data = {"rows": [Row(printable)], "text": list(printable.values())}
    checked(dump(data), data)


SOURCES = """\
version: 2

# what the loader brings
sources:
  - name: bronze   # raw
    schema: bronze_raw
    tables:
      - name: Customer
      # orders come hourly
      - name: 'Order'
"""


def test_sources_are_added_and_everything_there_is_kept() -> None:
    text = add_sources(
        SOURCES, [SourceAddition("bronze", "OrderLine"), SourceAddition("ref", "Region")]
    )
    for line in SOURCES.splitlines():
        assert line in text
    found = data_of(text)["sources"]
    assert [t["name"] for t in found[0]["tables"]] == ["Customer", "Order", "OrderLine"]
    assert found[1] == {"name": "ref", "tables": [{"name": "Region"}]}
    assert add_sources(text, [SourceAddition("bronze", "OrderLine")]) == text


def test_declared_spellings_are_dbts_and_so_case_sensitive() -> None:
    text = add_sources(SOURCES, [SourceAddition("bronze", "customer")])
    assert [t["name"] for t in data_of(text)["sources"][0]["tables"]][-1] == "customer"


def test_a_new_file_is_sorted_and_a_broken_one_is_refused() -> None:
    text = add_sources(None, [SourceAddition("b", "Y"), SourceAddition("a", "X")])
    assert [s["name"] for s in data_of(text)["sources"]] == ["a", "b"]
    with pytest.raises(SourcesFileError, match="line 2"):
        add_sources("sources:\n  - [", [SourceAddition("a", "X")])
    with pytest.raises(SourcesFileError, match="properties file"):
        add_sources("- a\n", [SourceAddition("a", "X")])


def test_dates_are_never_yaml_dates(tmp_path: Path) -> None:
    item = build_item(tmp_path, 1, "merge")

    def walk(value: object) -> None:
        assert not isinstance(value, date)
        for inner in (
            value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        ):
            walk(inner)

    walk(data_of(item.artifacts.yaml_text))
