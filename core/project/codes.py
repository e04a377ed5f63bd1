"""Diagnostic codes: the one list of everything proc2dbt can complain about.

Nothing else invents a code. What a code means, why it appears and what to do about it is
in ``core.project.explain``; here are only the names, their usual severity, and the value
that carries one complaint.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from core.project.names import printable


class Severity(StrEnum):
    """How much a diagnostic weighs: an ``error`` fails its item, a ``warning`` makes it partial."""

    ERROR = "error"
    WARNING = "warning"


class Code(StrEnum):
    """Every diagnostic code of the product, in the order in which a run can meet them."""

    # Project-level guards, checked first, fail every item.
    MANIFEST_NOT_FOUND = "MANIFEST_NOT_FOUND"
    MANIFEST_CORRUPT = "MANIFEST_CORRUPT"
    DBT_PROJECT_MISSING = "DBT_PROJECT_MISSING"
    DBT_PROFILE_MISSING = "DBT_PROFILE_MISSING"
    DBT_CONNECTION_FAILED = "DBT_CONNECTION_FAILED"
    # Item-level guards, in this order.
    TABLE_UNKNOWN = "TABLE_UNKNOWN"
    CATALOG_FILE_MISSING = "CATALOG_FILE_MISSING"
    CATALOG_FILE_CORRUPT = "CATALOG_FILE_CORRUPT"
    SCOPING_NOT_COMPLETED = "SCOPING_NOT_COMPLETED"
    PROFILE_NOT_COMPLETED = "PROFILE_NOT_COMPLETED"
    TEST_SPEC_NOT_FOUND = "TEST_SPEC_NOT_FOUND"
    TEST_SPEC_CORRUPT = "TEST_SPEC_CORRUPT"
    PROCEDURE_NOT_FOUND = "PROCEDURE_NOT_FOUND"
    DIALECT_NOT_SUPPORTED = "DIALECT_NOT_SUPPORTED"
    MODEL_NAME_CONFLICT = "MODEL_NAME_CONFLICT"
    # During a run.
    GENERATION_FAILED = "GENERATION_FAILED"
    EQUIVALENCE_GAP = "EQUIVALENCE_GAP"
    DBT_COMPILE_FAILED = "DBT_COMPILE_FAILED"
    DBT_TEST_FAILED = "DBT_TEST_FAILED"
    REVIEW_KICKED_BACK = "REVIEW_KICKED_BACK"
    REVIEW_APPROVED_WITH_WARNINGS = "REVIEW_APPROVED_WITH_WARNINGS"
    CANCELLED = "CANCELLED"
    BUDGET_REACHED = "BUDGET_REACHED"
    WORKER_LOST = "WORKER_LOST"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    CONSENT_MISSING = "CONSENT_MISSING"
    # Of the run, not of an item.
    COMMIT_FAILED = "COMMIT_FAILED"
    PR_FAILED = "PR_FAILED"
    GIT_NOT_READY = "GIT_NOT_READY"
    RUN_UNFINISHED = "RUN_UNFINISHED"
    RUN_LOCKED = "RUN_LOCKED"
    SETTINGS_INVALID = "SETTINGS_INVALID"
    COUNTEREXAMPLE_CORRUPT = "COUNTEREXAMPLE_CORRUPT"
    # Issues a review can raise about one model.
    MISSING_CONFIG_BLOCK = "MISSING_CONFIG_BLOCK"
    WRONG_MATERIALIZATION = "WRONG_MATERIALIZATION"
    HARDCODED_TABLE_NAME = "HARDCODED_TABLE_NAME"
    MISSING_SCHEMA_TESTS = "MISSING_SCHEMA_TESTS"
    MISSING_UNIT_TESTS_BLOCK = "MISSING_UNIT_TESTS_BLOCK"
    CTE_PATTERN_VIOLATION = "CTE_PATTERN_VIOLATION"
    NAMING_VIOLATION = "NAMING_VIOLATION"
    MISSING_DESCRIPTION = "MISSING_DESCRIPTION"
    MISSING_SOURCE_TABLE = "MISSING_SOURCE_TABLE"
    MISSING_COLUMN = "MISSING_COLUMN"
    JOIN_MISMATCH = "JOIN_MISMATCH"
    FILTER_MISMATCH = "FILTER_MISMATCH"
    GRAIN_MISMATCH = "GRAIN_MISMATCH"
    MERGE_SEMANTICS_LOST = "MERGE_SEMANTICS_LOST"
    SCENARIO_DROPPED = "SCENARIO_DROPPED"
    SCENARIO_ALTERED = "SCENARIO_ALTERED"
    INPUT_REF_MISMATCH = "INPUT_REF_MISMATCH"


WARNING_CODES = frozenset(
    {
        Code.EQUIVALENCE_GAP,
        Code.DBT_COMPILE_FAILED,
        Code.DBT_TEST_FAILED,
        Code.REVIEW_KICKED_BACK,
        Code.REVIEW_APPROVED_WITH_WARNINGS,
    }
)
"""Codes that are warnings unless a caller says otherwise; every other code is an error."""


class Diagnostic(BaseModel):
    """One complaint, as it stands in ``errors[]`` or ``warnings[]`` of a result.

    ``message`` is one sentence for the user: what, where, what to do. ``item_id`` is ``None``
    for a diagnostic of the whole run. ``details`` holds machine-readable evidence.
    """

    model_config = ConfigDict(frozen=True)

    code: Code
    message: str
    item_id: str | None = None
    severity: Severity = Severity.ERROR
    details: dict[str, Any] | None = None

    @classmethod
    def of(cls, code: Code, message: str, item_id: str | None = None, **details: Any) -> Diagnostic:
        """Build a diagnostic with the usual severity of its code.

        Messages quote names and values of other people's files: line ends and control
        characters (a terminal would obey them) become blanks.
        """
        severity = Severity.WARNING if code in WARNING_CODES else Severity.ERROR
        return cls(
            code=code,
            message=printable(message),
            item_id=item_id,
            severity=severity,
            details=details or None,
        )


class ProjectError(Exception):
    """A failure with a stable code and one sentence for the user; never shown as a traceback."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic

    @classmethod
    def of(
        cls, code: Code, message: str, item_id: str | None = None, **details: Any
    ) -> ProjectError:
        """Build the error from the parts of its diagnostic."""
        return cls(Diagnostic.of(code, message, item_id, **details))
