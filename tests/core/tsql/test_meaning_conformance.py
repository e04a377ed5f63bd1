"""Every conformance case gives SQL Server's answer on DuckDB, or an honest refusal."""

from __future__ import annotations

from typing import Any

import pytest

from core.tsql.meaning import Collation
from tests.core.tsql.conformance_harness import Session, documented_cases, run, shared_cases

SETUP, SHARED = shared_cases()
DOCUMENTED = documented_cases()

#: Queries that are refused, with the start of what the user is told.
REFUSED = {
    "var_use": "137",
    "sys_fn": "line 1: SUSER_SNAME",
    "next_value": "line 1: NextValueFor",
    "prec_mul_38_17": "line 1: decimal product",
    "substring_negative_length": "line 1: SUBSTRING",
    "substring_negative_length_col": "line 1: SUBSTRING",
    "try_convert_xml": "line 1: CAST to xml",
    "format_t": "line 1: FORMAT pattern",
    "format_custom_number": "line 1: FORMAT pattern",
    "format_german": "line 1: FORMAT culture",
}

#: Cases whose answer depends on a collation that ignores case or trailing blanks.
NEED_COLLATION = {
    "eq_case",
    "eq_trail",
    "group_ci",
    "charindex_ci",
    "grouping_sets",
    "order_ci",
    "minmax_ci",
    "count_distinct_ci",
    "except_ci",
    "collate",
}

SESSION = Session(SETUP)
"""For queries, which change nothing."""

QUERIES = [case for case in [*SHARED, *DOCUMENTED] if case["kind"] == "query"]


@pytest.mark.parametrize("case", QUERIES, ids=lambda case: case["id"])
def test_query_gives_the_documented_answer(case: dict[str, Any]) -> None:
    outcome = run(case, SESSION, Collation.PRESERVE)
    if case["id"] in REFUSED:
        assert outcome.verdict == "refused", outcome
        assert outcome.detail.startswith(REFUSED[case["id"]])
    else:
        assert outcome.verdict == "passed", outcome


@pytest.mark.parametrize(
    "case",
    [case for case in SHARED if case["kind"] == "query" and case["id"] not in NEED_COLLATION],
    ids=lambda case: case["id"],
)
def test_query_is_never_wrong_under_the_default_collation_policy(case: dict[str, Any]) -> None:
    assert run(case, SESSION, Collation.ASSUME_CONSISTENT).verdict in ("passed", "refused")


@pytest.mark.parametrize(
    "case",
    [case for case in SHARED if case["kind"] == "statement"],
    ids=lambda case: case["id"],
)
def test_statement_is_never_wrong(case: dict[str, Any]) -> None:
    outcome = run(case, Session(SETUP), Collation.PRESERVE)
    assert outcome.verdict in ("passed", "refused"), outcome


def test_rows_are_written_by_the_statements_meaning_covers() -> None:
    covered = {"cte_insert", "select_into_temp", "select_into_union", "truncate", "insert_top"}
    for case in SHARED:
        if case["id"] in covered:
            assert run(case, Session(SETUP), Collation.PRESERVE).verdict == "passed", case["id"]


def test_every_documented_case_names_its_page() -> None:
    named = [
        case for case in DOCUMENTED if case["source"].startswith("https://learn.microsoft.com")
    ]
    assert len(named) >= 250
    assert len({case["id"] for case in DOCUMENTED}) == len(DOCUMENTED)
    others = {case["source"] for case in DOCUMENTED if case not in named}
    assert others <= {"undocumented"}
