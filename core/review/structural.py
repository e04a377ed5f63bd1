"""The structural checks beside an equivalence verdict: cheap, on syntax trees, with reasons."""

from __future__ import annotations

from core.equivalence.verdict import StructuralCheck
from core.project.codes import Code, Severity
from core.review.material import ReviewMaterial
from core.review.model_shape import Unreadable
from core.review.reviewer import compare, translation_issues
from core.review.verdict import Issue
from core.review.writing import materialization_issues

_CHECKS: tuple[tuple[str, frozenset[Code], str], ...] = (
    ("source relations", frozenset({Code.MISSING_SOURCE_TABLE}), "both read the same tables"),
    ("target columns", frozenset({Code.MISSING_COLUMN}), "every column the procedure fills"),
    ("join keys and kinds", frozenset({Code.JOIN_MISMATCH}), "the same keys and kinds"),
    ("filters", frozenset({Code.FILTER_MISMATCH}), "the same row conditions"),
    ("aggregation grain", frozenset({Code.GRAIN_MISMATCH}), "the same grouping and ranking"),
    (
        "write semantics",
        frozenset({Code.MERGE_SEMANTICS_LOST, Code.WRONG_MATERIALIZATION}),
        "the materialization leaves what the writes leave",
    ),
)


def structural_checks(material: ReviewMaterial) -> tuple[StructuralCheck, ...]:
    """One check per aspect; a model that cannot be read fails a single check named so."""
    comparison = compare(material)
    if isinstance(comparison, Unreadable):
        return (StructuralCheck(name="readable model", passed=False, reason=comparison.message),)
    found = [*translation_issues(comparison), *materialization_issues(comparison)]
    issues = [issue for issue in found if issue.severity is Severity.ERROR]
    unseen = ""
    if comparison.procedure.not_judged:
        what, line = comparison.procedure.not_judged[0]
        unseen = f"; not everything is visible: {what} (procedure line {line})"
    return tuple(_check(name, codes, good + unseen, issues) for name, codes, good in _CHECKS)


def _check(name: str, codes: frozenset[Code], good: str, issues: list[Issue]) -> StructuralCheck:
    found = [issue for issue in issues if issue.code in codes]
    if not found:
        return StructuralCheck(name=name, passed=True, reason=good)
    first = found[0]
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return StructuralCheck(
        name=name,
        passed=False,
        reason=first.message + more,
        model_line=first.model_line,
        procedure_line=first.procedure_line,
    )
