"""The conformance files, run as scripts: every case is right or on the list of refusals below."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core.interpreter import BatchResult, Reference
from core.interpreter.values import json_value

_FOLDER = Path(__file__).parents[1] / "tsql" / "conformance"
_SHARED = json.loads((_FOLDER / "tsql_cases.json").read_text())
_DOCUMENTED = [
    json.loads(line)
    for line in (_FOLDER / "documented_cases.jsonl").read_text().splitlines()
    if line.strip()
]

#: What the reference says it cannot do, instead of guessing.
REFUSED = {
    "next_value": "the sequence is not part of the set-up",
    "format_german": "FORMAT in another culture",
}
#: Cases whose answer is a marker: an unbound variable, a sequence, an undetermined row.
MARKERS = {"PARAM", "SEQ", "NONDET"}
#: Known to be wrong: types the reference is lax about.
LAX = {"try_convert_xml"}


def _cases() -> list[dict[str, Any]]:
    found = [*_SHARED["cases"], *_DOCUMENTED]
    return [c for c in found if isinstance(c["expected"], list) or c["expected"] == "ERROR"]


@pytest.fixture(scope="module")
def queried() -> Iterator[Reference]:
    with Reference() as reference:
        _prepare(reference)
        yield reference


def _prepare(reference: Reference) -> None:
    for statement in _SHARED["setup"]:
        for result in reference.run_script(statement):
            assert result.error is None, result.error


@pytest.mark.parametrize("case", _cases(), ids=lambda c: str(c["id"]))
def test_case(queried: Reference, case: dict[str, Any]) -> None:
    if case["kind"] == "query":
        results = queried.run_script(case["tsql"])
    else:
        queried.reset()
        _prepare(queried)
        results = queried.run_script(case["tsql"])
        if case.get("probe"):
            errors = [r for r in results if r.error is not None]
            results = errors or queried.run_script(case["probe"])
    _check(case, results)


def test_refusals_and_laxities_are_still_there() -> None:
    known = {c["id"] for c in [*_SHARED["cases"], *_DOCUMENTED]}
    assert set(REFUSED) | LAX <= known


def _check(case: dict[str, Any], results: list[BatchResult]) -> None:
    error = next((r.error for r in results if r.error is not None), None)
    if case["id"] in REFUSED:
        assert error is not None
        assert error.refused
        return
    if case["id"] in LAX:
        pytest.xfail("lax about types")
    if case["expected"] == "ERROR":
        assert error is not None
        assert not error.refused
        return
    assert error is None, error
    found = results[-1].result_sets[-1]
    rows = [
        [json_value(v, c.type) for v, c in zip(row, found.columns, strict=True)]
        for row in found.rows
    ]
    last = (case.get("probe") or case["tsql"]).upper().rpartition(")")[2]
    ordered = "ORDER BY" in last
    want = [[_comparable(cell) for cell in row] for row in case["expected"]]
    got = [[_comparable(cell) for cell in row] for row in rows]
    if not ordered:
        want, got = sorted(want, key=repr), sorted(got, key=repr)
    assert got == want


def _comparable(cell: object) -> object:
    """Numbers and moments by value, texts as they are."""
    if isinstance(cell, bool | int | float | Decimal):
        return float(f"{float(cell):.12g}")
    if not isinstance(cell, str):
        return cell
    try:
        return float(f"{float(cell):.12g}")
    except ValueError:
        pass
    try:
        return dt.datetime.fromisoformat(cell)
    except ValueError:
        return cell
