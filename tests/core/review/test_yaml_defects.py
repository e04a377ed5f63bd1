"""Seeded defects of the schema YAML: tests, descriptions and scenarios."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.project.codes import Code
from core.review.material import ReviewRequest, material_of
from core.review.reviewer import review
from core.review.structural import structural_checks
from tests.core.review.cases import CUSTOMER, STORE
from tests.core.review.test_defects import error_codes, request_for

SCENARIOS = (
    {
        "test": "open_stores_are_loaded",
        "given": {
            "bronze.Store": [
                {"StoreID": 1, "StoreName": " Nord ", "CountryCode": "DE", "SquareMeters": 150}
            ],
            "bronze.Country": [{"CountryCode": "DE", "RegionName": "Europe", "IsActive": 1}],
        },
        "expect": [{"StoreID": 1, "StoreName": "Nord", "RegionName": "Europe", "SizeBand": "S"}],
    },
    {
        "test": "closed_stores_are_left_out",
        "given": {"bronze.Store": [{"StoreID": 2, "StoreName": "Alt", "ClosedOn": "2020-01-01"}]},
        "expect": [],
    },
)


@pytest.fixture
def sound(tmp_path: Path) -> ReviewRequest:
    return request_for(replace(STORE, scenarios=SCENARIOS), tmp_path)


def document(request: ReviewRequest) -> dict[str, Any]:
    data = yaml.safe_load(request.yaml_text)
    assert isinstance(data, dict)
    return data


def verdict_on(request: ReviewRequest, data: dict[str, Any]) -> set[Code]:
    text = yaml.safe_dump(data, sort_keys=False)
    return error_codes(review(replace(request, yaml_text=text)))


def test_the_rendered_yaml_is_complete(sound: ReviewRequest) -> None:
    assert verdict_on(sound, document(sound)) == set()


def test_a_lost_not_null_is_found(sound: ReviewRequest) -> None:
    data = document(sound)
    key = next(c for c in data["models"][0]["columns"] if c["name"].lower() == "storeid")
    key["data_tests"] = [test for test in key["data_tests"] if test != "not_null"]
    assert Code.MISSING_SCHEMA_TESTS in verdict_on(sound, data)


def test_a_column_without_description_is_found(sound: ReviewRequest) -> None:
    data = document(sound)
    data["models"][0]["columns"][1]["description"] = " "
    assert verdict_on(sound, data) == {Code.MISSING_DESCRIPTION}


def test_a_model_that_hides_its_origin_is_found(sound: ReviewRequest) -> None:
    data = document(sound)
    data["models"][0]["description"] = "Stores."
    assert verdict_on(sound, data) == {Code.MISSING_DESCRIPTION}


def test_a_dropped_scenario_is_found(sound: ReviewRequest) -> None:
    data = document(sound)
    del data["unit_tests"][1]
    assert verdict_on(sound, data) == {Code.SCENARIO_DROPPED}


def test_lost_unit_tests_are_found(sound: ReviewRequest) -> None:
    data = document(sound)
    del data["unit_tests"]
    assert verdict_on(sound, data) == {Code.MISSING_UNIT_TESTS_BLOCK}


@pytest.mark.parametrize("side", ["given", "expect"])
def test_a_changed_value_is_found(sound: ReviewRequest, side: str) -> None:
    data = document(sound)
    test = next(t for t in data["unit_tests"] if t["name"] == "open_stores_are_loaded")
    rows = test["expect"]["rows"] if side == "expect" else test["given"][0]["rows"]
    column = next(iter(rows[0]))
    rows[0][column] = "99"
    assert verdict_on(sound, data) == {Code.SCENARIO_ALTERED}


def test_a_disabled_scenario_is_found(sound: ReviewRequest) -> None:
    data = document(sound)
    data["unit_tests"][0]["config"] = {"enabled": False}
    assert verdict_on(sound, data) == {Code.SCENARIO_ALTERED}


def test_an_input_that_the_model_does_not_read_is_found(sound: ReviewRequest) -> None:
    data = document(sound)
    data["unit_tests"][0]["given"][0]["input"] = "source('bronze', 'Shop')"
    assert Code.INPUT_REF_MISMATCH in verdict_on(sound, data)


def test_broken_yaml_is_a_finding_and_no_traceback(sound: ReviewRequest) -> None:
    result = review(replace(sound, yaml_text="models: [\n"))
    assert Code.MISSING_UNIT_TESTS_BLOCK in error_codes(result)


def test_a_model_of_another_name_is_found(sound: ReviewRequest) -> None:
    result = review(replace(sound, expected_name="stg_gold_dimstore"))
    assert Code.NAMING_VIOLATION in error_codes(result)


def test_unreadable_models_are_findings(sound: ReviewRequest) -> None:
    for sql in ("{{ run_query('drop table x') }}", "select from where", "", "{% if"):
        result = review(replace(sound, sql=sql))
        assert result.feedback_for_model_generator


def test_structural_checks_name_what_differs(tmp_path: Path) -> None:
    request = request_for(CUSTOMER, tmp_path)
    assert all(check.passed for check in structural_checks(material_of(request)))
    wrong = replace(request, sql=request.sql.replace("inner join", "left join"))
    failed = [check for check in structural_checks(material_of(wrong)) if not check.passed]
    assert [check.name for check in failed] == ["join keys and kinds"]
    assert "inner" in failed[0].reason
    assert failed[0].procedure_line > 0
    assert failed[0].model_line > 0
