"""Every behaviour of `behaviours` and `behaviours_flow`, each run as a script."""

from __future__ import annotations

import pytest

from core.interpreter import Reference
from core.interpreter.values import json_value
from tests.core.interpreter import behaviours, behaviours_flow
from tests.core.interpreter.behaviours import Case, Error

CASES = behaviours.CASES + behaviours_flow.CASES


def test_there_are_enough_and_their_names_differ() -> None:
    assert len(CASES) >= 200
    assert sum(case.page_was_read for case in CASES) >= 200
    names = [(case.kind, case.page, case.name) for case in CASES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.kind}: {c.name}")
def test_behaviour(reference: Reference, case: Case) -> None:
    if case.script.startswith("USE "):
        with Reference() as fresh:
            _check(fresh, case)
    else:
        _check(reference, case)


def _check(reference: Reference, case: Case) -> None:
    results = reference.run_script(case.script)
    errors = [error for result in results for error in result.errors]
    refused = [error for error in errors if error.refused]
    assert not refused, refused
    if isinstance(case.expected, Error):
        assert case.expected.number in [error.number for error in errors]
        return
    sets = [found for result in results for found in result.result_sets]
    rows = [
        tuple(json_value(v, c.type) for v, c in zip(row, sets[-1].columns, strict=True))
        for row in (sets[-1].rows if sets else ())
    ]
    assert rows == case.expected, errors
