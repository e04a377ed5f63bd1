"""Procedures of many trades compile, and what compiles leaves what the procedure leaves."""

from __future__ import annotations

import pytest

from core.compiler import Compiled, Unsupported
from tests.core.compiler import breadth_cases
from tests.core.compiler.differential import compare

REFUSED = {
    "mart.ticketitem": "OPENJSON path",
    "dw.factshipment": "NextValueFor",
    "dim.product": "CHECKSUM",
    "fact.topproduct": "unknown table",
    "dbo.orders_new": "CTAS",
    "dbo.orders_old": "no write to the target",
    "dwh.studentterm": "UPDATE FROM with several matches",
}
"""Targets that have no model yet, with the construct that is named as the reason."""


@pytest.mark.parametrize("name", breadth_cases.names())
def test_what_is_refused_is_refused_for_its_reason(name: str) -> None:
    for procedure in breadth_cases.procedures(name):
        for target, result in breadth_cases.results(procedure).items():
            if isinstance(result, Unsupported):
                assert REFUSED.get(target) == result.construct, (target, result)
                assert result.reason


@pytest.mark.slow
@pytest.mark.parametrize("name", breadth_cases.names())
def test_models_leave_what_their_procedures_leave(name: str) -> None:
    wrong: list[str] = []
    for procedure in breadth_cases.procedures(name):
        models = {
            target: result
            for target, result in breadth_cases.results(procedure).items()
            if isinstance(result, Compiled)
        }
        if models:
            found = compare(
                procedure.source,
                procedure.node,
                models,
                procedure.schema,
                modules=procedure.modules,
                wanted=6,
            )
            if found.difference:
                wrong.append(f"{procedure.node.name}: {found.difference}")
    assert not wrong, "\n".join(wrong)
