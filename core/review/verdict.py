"""What a review says: checks, issues with evidence, and a verdict derived from them."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from core.project.codes import Code, Diagnostic, Severity


class Verdict(StrEnum):
    """What the pipeline does next with the model."""

    APPROVED = "approved"
    APPROVED_WITH_WARNINGS = "approved_with_warnings"
    REVISION_REQUESTED = "revision_requested"


class CheckName(StrEnum):
    """The four things a review judges."""

    STANDARDS = "standards"
    CORRECTNESS = "correctness"
    TEST_INTEGRATION = "test_integration"
    MATERIALIZATION = "materialization"


class Issue(BaseModel):
    """One finding: what is wrong, where in model and procedure, and how to mend it.

    Lines are 1-based, 0 when the finding has no place in that text. ``evidence`` is quoted
    verbatim from the model, the YAML or the procedure.
    """

    model_config = ConfigDict(frozen=True)

    code: Code
    message: str
    severity: Severity = Severity.ERROR
    model_line: int = 0
    procedure_line: int = 0
    evidence: str = ""
    fix: str = ""


class Check(BaseModel):
    """One of the four checks: passed when it has no error-level issue."""

    model_config = ConfigDict(frozen=True)

    passed: bool = True
    issues: tuple[Issue, ...] = ()


class ReviewResult(BaseModel):
    """The review of one version of one model, as it is written into the item result."""

    model_config = ConfigDict(frozen=True)

    item_id: str
    status: Verdict
    checks: dict[CheckName, Check]
    feedback_for_model_generator: tuple[str, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()
    errors: tuple[Diagnostic, ...] = ()
    reviewer: str = "rules"

    @property
    def issues(self) -> tuple[Issue, ...]:
        """All issues of all checks, in the order of the checks."""
        return tuple(issue for check in self.checks.values() for issue in check.issues)
