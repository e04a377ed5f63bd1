"""The deterministic reviewer: sees artifacts and context, judges four things, changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from core.dbt.facts import FactsError
from core.project.codes import Code, Diagnostic, Severity
from core.review.correctness import Comparison, correctness_issues, not_judged_issue
from core.review.integration import integration_issues
from core.review.material import ReviewMaterial, ReviewRequest, material_of
from core.review.model_shape import Unreadable, model_shape
from core.review.procedure_shape import ProcedureShape, procedure_shape
from core.review.standards import standards_issues
from core.review.trace import ViewOf
from core.review.verdict import Check, CheckName, Issue, ReviewResult, Verdict
from core.review.writing import materialization_issues, merge_issues

if TYPE_CHECKING:
    from sqlglot import exp


def review(request: ReviewRequest) -> ReviewResult:
    """Judge one version of one model. Pure: the same request gives the same result."""
    return judged(material_of(request))


def judged(material: ReviewMaterial) -> ReviewResult:
    """The judgement on what a review looks at."""
    comparison = compare(material)
    if isinstance(comparison, Unreadable):
        issue = Issue(
            code=Code.CTE_PATTERN_VIOLATION,
            message=f"The model cannot be read: {comparison.message}",
            model_line=comparison.line,
            fix="Write one SELECT with the Jinja a model may use.",
        )
        return _result(material.item_id, {CheckName.STANDARDS: [issue]})
    assert material.expected is not None
    found = {
        CheckName.STANDARDS: list(
            standards_issues(
                comparison.facts, comparison.model, material.model_name, material.expected_name
            )
        ),
        CheckName.CORRECTNESS: translation_issues(comparison),
        CheckName.TEST_INTEGRATION: list(
            integration_issues(
                material.yaml_text,
                material.model_name,
                material.table,
                material.expected,
                material.writer,
            )
        ),
        CheckName.MATERIALIZATION: list(materialization_issues(comparison)),
    }
    return _result(material.item_id, found)


def translation_issues(comparison: Comparison) -> list[Issue]:
    """What is wrong with the translation; only warnings where not everything could be seen.

    A loop or a call may do what looks missing: then execution decides, not the shapes.
    """
    issues = [*correctness_issues(comparison), *merge_issues(comparison)]
    if not comparison.everything_seen:
        issues = [issue.model_copy(update={"severity": Severity.WARNING}) for issue in issues]
    return [*issues, *not_judged_issue(comparison)]


def compare(material: ReviewMaterial) -> Comparison | Unreadable:
    """Bring procedure and model to the same shape."""
    facts = material.facts
    if isinstance(facts, FactsError):
        return Unreadable(facts.message, facts.line)
    target = material.item_id.casefold()
    view_of = _view_of(material.views)
    shape = model_shape(material.sql, target, material.tables, material.columns.get, view_of)
    if isinstance(shape, Unreadable):
        return shape
    return Comparison(
        procedure=_procedure(material, target, view_of),
        model=shape,
        facts=facts,
        table=material.table,
        target=target,
    )


def _procedure(material: ReviewMaterial, target: str, view_of: ViewOf) -> ProcedureShape:
    from core.tsql import parse_script
    from core.tsql.nodes import CreateProcedure, walk

    for node in walk(parse_script(material.procedure.text)):
        if isinstance(node, CreateProcedure):
            return procedure_shape(node, target, material.columns.get, view_of)
    shape = ProcedureShape()
    shape.not_judged.append(("a procedure that could not be read", 1))
    return shape


def _view_of(views: Mapping[str, str]) -> ViewOf:
    from core.tsql import parse_script
    from core.tsql.leaves import ParsedLeaf
    from core.tsql.nodes import CreateView, walk

    @cache
    def view_of(key: str) -> exp.Expr | None:
        text = views.get(key)
        for node in walk(parse_script(text)) if text is not None else ():
            if isinstance(node, CreateView) and isinstance(node.query.parsed, ParsedLeaf):
                return node.query.parsed.query
        return None

    return view_of


def _result(item_id: str, found: Mapping[CheckName, list[Issue]]) -> ReviewResult:
    checks = {}
    for name in CheckName:
        issues = tuple(found.get(name, []))
        passed = not any(issue.severity is Severity.ERROR for issue in issues)
        checks[name] = Check(passed=passed, issues=issues)
    every = [issue for check in checks.values() for issue in check.issues]
    errors = [issue for issue in every if issue.severity is Severity.ERROR]
    if errors:
        verdict = Verdict.REVISION_REQUESTED
    elif every:
        verdict = Verdict.APPROVED_WITH_WARNINGS
    else:
        verdict = Verdict.APPROVED
    return ReviewResult(
        item_id=item_id,
        status=verdict,
        checks=checks,
        feedback_for_model_generator=tuple(_feedback(issue) for issue in errors),
        warnings=tuple(
            _diagnostic(issue, item_id) for issue in every if issue.severity is Severity.WARNING
        ),
        errors=tuple(_diagnostic(issue, item_id) for issue in errors),
    )


def _feedback(issue: Issue) -> str:
    places = []
    if issue.model_line:
        places.append(f"model line {issue.model_line}")
    if issue.procedure_line:
        places.append(f"procedure line {issue.procedure_line}")
    where = f" ({', '.join(places)})" if places else ""
    return f"{issue.code}: {issue.message}{where} {issue.fix}".strip()


def _diagnostic(issue: Issue, item_id: str) -> Diagnostic:
    return Diagnostic(
        code=issue.code,
        message=issue.message,
        item_id=item_id,
        severity=issue.severity,
        details={
            "model_line": issue.model_line,
            "procedure_line": issue.procedure_line,
            "evidence": issue.evidence,
        },
    )
