"""A captured scenario that the reference does not reproduce takes the trust out of the verdict."""

from __future__ import annotations

from core.equivalence.verdict import EquivalenceVerdict
from core.project.testspec import TestSpec
from tests.core.equivalence.bugs import SAMPLES
from tests.core.equivalence.kit import check, subject


def test_a_scenario_that_disagrees_makes_the_verdict_unknown() -> None:
    sample = SAMPLES[1]
    scenario = {
        "name": "one order",
        "target_table": "dw.LatestOrder",
        "given": [{"table": "src.Orders", "rows": [{"OrderID": 1, "CustomerCode": "A"}]}],
        "expect": {"rows": [{"CustomerCode": "A", "OrderID": 99}]},
    }
    spec = TestSpec.model_validate({"unit_tests": [scenario]})
    found = check(subject(sample.ddl, sample.procedure, sample.target, sample.sound, spec))
    assert found.verdict is EquivalenceVerdict.UNKNOWN
    assert found.is_gap
    assert "agrees with 0 of 1 captured scenarios" in found.sentence
