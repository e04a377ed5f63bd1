"""The deterministic reviewer: sees artifacts and context, judges four things, changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from core.dbt.artifacts import ArtifactRequest, AssumptionLike, render_artifacts
from core.dbt.facts import FactsError, ModelFacts, read_facts
from core.dbt.inputs import resolve_inputs
from core.project.catalog import CatalogTable
from core.project.codes import Code, Diagnostic, ProjectError, Severity
from core.project.ddl import ProcedureSource
from core.project.project import MigrationProject
from core.project.testspec import TestSpec
from core.review.correctness import Comparison, correctness_issues, not_judged_issue
from core.review.integration import integration_issues
from core.review.model_shape import Unreadable, model_shape
from core.review.procedure_shape import (
    ColumnsOf,
    ProcedureShape,
    procedure_shape,
)
from core.review.standards import standards_issues
from core.review.trace import ViewOf
from core.review.verdict import Check, CheckName, Issue, ReviewResult, Verdict
from core.review.writing import materialization_issues, merge_issues

if TYPE_CHECKING:
    from sqlglot import exp


@dataclass(frozen=True)
class ReviewRequest:
    """What the reviewer sees. ``models`` maps item ids to names of models that may be ref'd.

    ``replay_only`` names scenarios whose unit test is rightly disabled (``core.dbt.artifacts``).

    ``expected_name`` is the name the model should have (empty: ``model_name`` is right).
    """

    item_id: str
    model_name: str
    sql: str
    yaml_text: str
    table: CatalogTable
    spec: TestSpec
    procedure: ProcedureSource
    project: MigrationProject
    models: Mapping[str, str] = field(default_factory=dict)
    assumptions: tuple[AssumptionLike, ...] = ()
    replay_only: frozenset[str] = frozenset()
    expected_name: str = ""


def review(request: ReviewRequest) -> ReviewResult:
    """Judge one version of one model. Pure: the same request gives the same result."""
    facts = read_facts(request.sql)
    if isinstance(facts, FactsError):
        issue = Issue(
            code=Code.CTE_PATTERN_VIOLATION,
            message=f"The model cannot be read: {facts.message}",
            model_line=facts.line,
            fix="Write one SELECT with the Jinja a model may use.",
        )
        return _result(request.item_id, {CheckName.STANDARDS: [issue]})
    comparison = compare(request, facts)
    if isinstance(comparison, Unreadable):
        issue = Issue(
            code=Code.CTE_PATTERN_VIOLATION,
            message=f"The model cannot be read: {comparison.message}",
            model_line=comparison.line,
        )
        return _result(request.item_id, {CheckName.STANDARDS: [issue]})
    expected_name = request.expected_name or request.model_name
    artifacts = render_artifacts(artifact_request(request, facts))
    found = {
        CheckName.STANDARDS: list(
            standards_issues(facts, comparison.model, request.model_name, expected_name)
        ),
        CheckName.CORRECTNESS: translation_issues(comparison),
        CheckName.TEST_INTEGRATION: list(
            integration_issues(
                request.yaml_text,
                request.model_name,
                request.table,
                artifacts,
                _writer(request),
            )
        ),
        CheckName.MATERIALIZATION: list(materialization_issues(comparison)),
    }
    return _result(request.item_id, found)


def translation_issues(comparison: Comparison) -> list[Issue]:
    """What is wrong with the translation; only warnings where not everything could be seen.

    A loop or a call may do what looks missing: then execution decides, not the shapes.
    """
    issues = [*correctness_issues(comparison), *merge_issues(comparison)]
    if not comparison.everything_seen:
        issues = [issue.model_copy(update={"severity": Severity.WARNING}) for issue in issues]
    return [*issues, *not_judged_issue(comparison)]


def compare(request: ReviewRequest, facts: ModelFacts) -> Comparison | Unreadable:
    """Bring procedure and model to the same shape."""
    target = request.item_id.casefold()
    columns_of = _columns_of(request.project, request.table)
    inputs = resolve_inputs(facts, request.project, request.models)
    tables = {relation.key: relation.table.item_id for relation in inputs.relations}
    view_of = _view_of(request.project)
    shape = model_shape(request.sql, target, tables, columns_of, view_of)
    if isinstance(shape, Unreadable):
        return shape
    return Comparison(
        procedure=_procedure(request, target, columns_of, view_of),
        model=shape,
        facts=facts,
        table=request.table,
        target=target,
    )


def _procedure(
    request: ReviewRequest, target: str, columns_of: ColumnsOf, view_of: ViewOf
) -> ProcedureShape:
    from core.tsql import parse_script
    from core.tsql.nodes import CreateProcedure, walk

    for node in walk(parse_script(request.procedure.text)):
        if isinstance(node, CreateProcedure):
            return procedure_shape(node, target, columns_of, view_of)
    shape = ProcedureShape()
    shape.not_judged.append(("a procedure that could not be read", 1))
    return shape


def _columns_of(project: MigrationProject, target: CatalogTable) -> ColumnsOf:
    def columns_of(key: str) -> tuple[str, ...] | None:
        if key == target.item_id.casefold():
            return tuple(c.name for c in target.columns)
        try:
            return tuple(c.name for c in project.table(key).columns)
        except ProjectError:
            return None

    return columns_of


def _view_of(project: MigrationProject) -> ViewOf:
    from core.tsql import parse_script
    from core.tsql.leaves import ParsedLeaf
    from core.tsql.nodes import CreateView, walk

    @cache
    def view_of(key: str) -> exp.Expr | None:
        source = project.views.get(key)
        for node in walk(parse_script(source.text)) if source is not None else ():
            if isinstance(node, CreateView) and isinstance(node.query.parsed, ParsedLeaf):
                return node.query.parsed.query
        return None

    return view_of


def artifact_request(request: ReviewRequest, facts: ModelFacts) -> ArtifactRequest:
    """The request that renders the YAML this model should have."""
    return ArtifactRequest(
        model_name=request.model_name,
        facts=facts,
        table=request.table,
        spec=request.spec,
        dbt=request.project.dbt,
        writer=_writer(request),
        inputs=resolve_inputs(facts, request.project, request.models).relations,
        models=request.models,
        assumptions=request.assumptions,
        replay_only=request.replay_only,
    )


def _writer(request: ReviewRequest) -> str:
    writer = request.table.writer
    return writer.display if writer is not None else request.procedure.name.display


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
