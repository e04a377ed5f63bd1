"""A counterexample as a dbt unit test that a person may keep."""

from __future__ import annotations

from typing import Any

from core.equivalence.case import Case, cell_text
from core.equivalence.subject import Subject
from core.equivalence.trial import Outcome


def unit_test_yaml(subject: Subject, case: Case, outcome: Outcome, incremental: bool) -> str:
    """The YAML of the test; empty for a difference that only a sequence of runs shows."""
    if len(case.rounds) > 1 or case.prior or outcome.model_error:
        return ""
    from core.dbt.verify import InputKind
    from core.dbt.yaml_text import dump

    given: list[dict[str, Any]] = []
    before = outcome.seen[0].before if outcome.seen else {}
    for relation in subject.inputs:
        used = (
            f"ref('{relation.name}')"
            if relation.kind is InputKind.REF
            else f"source('{relation.source}', '{relation.name}')"
        )
        rows = [
            {k: _cell(v) for k, v in row.items()} for row in before.get(relation.table.item_id, [])
        ]
        given.append({"input": used, "rows": rows})
    skipped = {c.name.lower() for c in subject.target.columns if c.identity} | subject.exclude
    expected = [
        {k: _cell(v) for k, v in row.items() if k.lower() not in skipped}
        for row in outcome.seen[0].after
    ]
    test: dict[str, Any] = {
        "name": f"{subject.model_name}_counterexample",
        "model": subject.model_name,
        "given": given,
        "expect": {"rows": expected},
    }
    if incremental:
        test["overrides"] = {"macros": {"is_incremental": False}}
    return str(dump({"unit_tests": [test]}))


def _cell(value: object) -> Any:
    shown = cell_text(value)
    return shown if shown is None or isinstance(shown, int) else str(shown)
