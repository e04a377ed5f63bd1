"""Verifications as they stand in events and files: JSON-safe copies of ``core.dbt.outcome``.

The dataclasses of ``core.dbt.outcome`` hold rows with Python values (dates, decimals, bytes). A
journal can hold only JSON; converting once, when the event is made, keeps the live state and the
state replayed from the journal identical.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from core.dbt.outcome import (
    Phase,
    Row,
    ScenarioOutcome,
    ScenarioStatus,
    TestKind,
    TestOutcome,
    TestStatus,
    Verification,
)

Cell = str | int | float | bool | None
"""One value of a row; dates, decimals and bytes are text, NULL is ``None``."""

ROWS_KEPT = 20
"""How many rows of each side of a difference an event keeps."""

LARGEST_EXACT_INTEGER = 2**53


class _Report(BaseModel):
    model_config = ConfigDict(frozen=True)


class TestReport(_Report):
    """One dbt test; the fields are those of ``core.dbt.outcome.TestOutcome``."""

    __test__ = False

    name: str
    kind: TestKind
    status: TestStatus
    message: str = ""
    column: str = ""
    failures: int = 0
    expected: tuple[dict[str, Cell], ...] = ()
    actual: tuple[dict[str, Cell], ...] = ()
    failing_rows: tuple[dict[str, Cell], ...] = ()
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether the test does not stand in the way."""
        return self.status in (TestStatus.PASS, TestStatus.WARN, TestStatus.DISABLED)


class ScenarioReport(_Report):
    """One replayed scenario; the fields are those of ``core.dbt.outcome.ScenarioOutcome``."""

    name: str
    status: ScenarioStatus
    message: str = ""
    missing: tuple[dict[str, Cell], ...] = ()
    unexpected: tuple[dict[str, Cell], ...] = ()
    compared_columns: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether the scenario does not stand in the way."""
        return self.status not in (ScenarioStatus.FAIL, ScenarioStatus.ERROR)


class VerificationReport(_Report):
    """One verification; the fields are those of ``core.dbt.outcome.Verification``."""

    phase: Phase
    compile_passed: bool
    passed: bool
    tests: tuple[TestReport, ...] = ()
    scenarios: tuple[ScenarioReport, ...] = ()
    errors: tuple[str, ...] = ()
    where: str = ""
    lost: str = ""
    seconds: float = 0.0
    notes: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """One short line for a stage strip: what passed, or what failed first."""
        if self.lost:
            return self.lost
        if self.errors:
            return self.errors[0]
        checks = len(self.tests) + len(self.scenarios)
        good = sum(t.ok for t in self.tests) + sum(s.ok for s in self.scenarios)
        return f"{good} of {checks} tests and scenarios passed"


def report_of(verification: Verification) -> VerificationReport:
    """The JSON-safe copy of a verification."""
    return VerificationReport(
        phase=verification.phase,
        compile_passed=verification.compile_passed,
        passed=verification.tests_passed,
        tests=tuple(_test(t) for t in verification.tests),
        scenarios=tuple(_scenario(s) for s in verification.scenarios),
        errors=verification.errors,
        where=verification.where,
        lost=verification.lost,
        seconds=round(verification.seconds, 3),
        notes=verification.notes,
    )


def _test(test: TestOutcome) -> TestReport:
    return TestReport(
        name=test.name,
        kind=test.kind,
        status=test.status,
        message=test.message,
        column=test.column,
        failures=test.failures,
        expected=_rows(test.expected),
        actual=_rows(test.actual),
        failing_rows=_rows(test.failing_rows),
        seconds=round(test.seconds, 3),
    )


def _scenario(scenario: ScenarioOutcome) -> ScenarioReport:
    return ScenarioReport(
        name=scenario.name,
        status=scenario.status,
        message=scenario.message,
        missing=_rows(scenario.missing),
        unexpected=_rows(scenario.unexpected),
        compared_columns=scenario.compared_columns,
        seconds=round(scenario.seconds, 3),
    )


def _rows(rows: Iterable[Row]) -> tuple[dict[str, Cell], ...]:
    kept: list[dict[str, Cell]] = []
    for row in rows:
        if len(kept) == ROWS_KEPT:
            break
        kept.append({str(name): cell(value) for name, value in row.items()})
    return tuple(kept)


def cell(value: object) -> Cell:
    """A row value as JSON can hold it without loss: anything else than a plain scalar is text."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= LARGEST_EXACT_INTEGER else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, bytes | bytearray):
        return "0x" + value.hex().upper()
    return str(value)
