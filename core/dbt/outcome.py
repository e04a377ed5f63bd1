"""What dbt (and the replay of scenarios) found about one model: values, no behaviour.

A verification is matched against the list of tests that had to run: a test that silently
did not run is ``NOT_RUN``, which counts as a failure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

Row = Mapping[str, object]
"""One row of a result: column name to Python value; ``None`` is SQL NULL."""


class TestStatus(StrEnum):
    """How one test ended."""

    __test__ = False  # not a test class of pytest

    PASS = "pass"
    FAIL = "fail"
    ERROR = "error"
    WARN = "warn"
    DISABLED = "disabled"
    NOT_RUN = "not_run"


class TestKind(StrEnum):
    """What kind of dbt test it was."""

    __test__ = False

    UNIT = "unit"
    DATA = "data"


@dataclass(frozen=True)
class ExpectedTest:
    """A test that has to run: its name as dbt gives it. A disabled one is only counted."""

    name: str
    kind: TestKind
    column: str = ""
    enabled: bool = True


@dataclass(frozen=True)
class TestOutcome:
    """One dbt test by its name, with the evidence of a failure.

    ``expected``/``actual`` are the rows of a failed unit test, ``failing_rows`` those a data
    test returned (a bounded sample). ``message`` is dbt's, without colour codes.
    """

    __test__ = False

    name: str
    kind: TestKind
    status: TestStatus
    message: str = ""
    column: str = ""
    failures: int = 0
    expected: tuple[Row, ...] = ()
    actual: tuple[Row, ...] = ()
    failing_rows: tuple[Row, ...] = ()
    compiled_sql: str = ""
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether the test does not stand in the way (a warning does not)."""
        return self.status in (TestStatus.PASS, TestStatus.WARN, TestStatus.DISABLED)


class ScenarioStatus(StrEnum):
    """How the replay of one test-spec scenario ended."""

    PASS = "pass"
    FAIL = "fail"
    ERROR = "error"
    NOT_REPLAYABLE = "not_replayable"
    NO_EXPECTATION = "no_expectation"


@dataclass(frozen=True)
class ScenarioOutcome:
    """One test-spec scenario played end to end through the real materialization.

    ``missing`` are expected rows the table does not hold, ``unexpected`` rows it holds beyond
    them; ``compared_columns`` are the columns the specification listed.
    """

    name: str
    status: ScenarioStatus
    message: str = ""
    missing: tuple[Row, ...] = ()
    unexpected: tuple[Row, ...] = ()
    compared_columns: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether the scenario does not stand in the way."""
        return self.status not in (ScenarioStatus.FAIL, ScenarioStatus.ERROR)


class Phase(StrEnum):
    """The first phase in which a verification failed, or ``DONE``."""

    GUARD = "guard"
    PARSE = "parse"
    COMPILE = "compile"
    TEST = "test"
    REPLAY = "replay"
    DONE = "done"


@dataclass(frozen=True)
class Verification:
    """Everything one verification of one model found.

    ``lost`` names why there is no verdict at all (worker died, deadline passed); then nothing
    else is meaningful, and ``lost_code`` is the diagnostic code for it (``WORKER_LOST``,
    ``DEADLINE_EXCEEDED``, ``CANCELLED``). ``compiled_sql`` is what dbt made of the full load,
    ``compiled_incremental`` of a later run of an incremental model. ``timings`` are seconds by
    part (``prepare``, ``test``, ``replay``).
    """

    phase: Phase
    compile_passed: bool
    tests: tuple[TestOutcome, ...] = ()
    scenarios: tuple[ScenarioOutcome, ...] = ()
    errors: tuple[str, ...] = ()
    compiled_sql: str = ""
    where: str = "embedded duckdb"
    lost: str = ""
    seconds: float = 0.0
    notes: tuple[str, ...] = field(default=())
    lost_code: str = ""
    compiled_incremental: str = ""
    timings: Mapping[str, float] = field(default_factory=dict)

    @property
    def tests_passed(self) -> bool:
        """Whether every test that had to run passed, and every scenario replayed as expected."""
        return (
            self.compile_passed
            and not self.lost
            and not self.errors
            and all(t.ok for t in self.tests)
            and all(s.ok for s in self.scenarios)
        )


class Progress(Protocol):
    """Receives short lines of progress ("unit test x passed") while a verification runs."""

    def __call__(self, line: str) -> None: ...
