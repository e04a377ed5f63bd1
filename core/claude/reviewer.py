"""Claude as a reviewer: another model than the author's, whose word can only make things worse.

The deterministic review comes first and stands. What Claude adds are issues with evidence that
really occurs in what it was shown; the verdict follows from the issues, whatever was asked for in
the texts. A review that cannot be had is said, not passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.claude.call import Ask
from core.claude.client import Claude
from core.claude.context import Material, material, system_blocks
from core.claude.failure import ClaudeFailure
from core.claude.foreign import foreign
from core.claude.personal import Privacy
from core.claude.prices import plain_model
from core.claude.schema import (
    REVIEWED_SCHEMA,
    AnsweredIssue,
    IssueSeverity,
    Reviewed,
    read_answer,
)
from core.generation.author import Job, Say
from core.generation.offloop import off_loop
from core.project.codes import Code, Diagnostic, ProjectError, Severity
from core.project.names import printable
from core.project.settings import Settings
from core.review.material import ReviewRequest
from core.review.verdict import Check, CheckName, Issue, ReviewResult, Verdict

ISSUE_CODES = frozenset(
    code
    for code in Code
    if list(Code).index(Code.MISSING_CONFIG_BLOCK)
    <= list(Code).index(code)
    <= list(Code).index(Code.INPUT_REF_MISMATCH)
)
"""The codes a review may raise."""

MOST_ISSUES = 20
_SHORTEST_EVIDENCE = 3
_TASK = {"type": "text", "text": "Review this model."}
_ORDER = (Verdict.APPROVED, Verdict.APPROVED_WITH_WARNINGS, Verdict.REVISION_REQUESTED)


def require_two_models(settings: Settings) -> None:
    """Check that no model may come to review its own work, neither as a fallback.

    Raises:
        ProjectError: ``SETTINGS_INVALID``.
    """
    author, reviewer = settings.claude.author, settings.claude.reviewer
    writing = {
        plain_model(model): f"claude.author.{name}"
        for name, model in (("fallback", author.fallback), ("model", author.model))
        if model
    }
    for name, model in (("model", reviewer.model), ("fallback", reviewer.fallback)):
        if model and plain_model(model) in writing:
            raise ProjectError.of(
                Code.SETTINGS_INVALID,
                f"{writing[plain_model(model)]} and claude.reviewer.{name} are both {model}; a "
                "model does not review its own work, set another one.",
                field=f"claude.reviewer.{name}",
            )


class ClaudeReviewer:
    """Adds Claude's findings to a deterministic review."""

    def __init__(self, claude: Claude, settings: Settings) -> None:
        self._claude = claude
        self._settings = settings

    async def review(self, request: ReviewRequest, rules: ReviewResult, say: Say) -> ReviewResult:
        """The deterministic result, lowered by what Claude finds and can show."""
        sent, ask = await off_loop(self._ask, request)
        answered = await self._claude.ask(ask, say)
        if isinstance(answered, ClaudeFailure):
            return _without(rules, answered)
        reviewed = read_answer(Reviewed, answered.text)
        if isinstance(reviewed, ClaudeFailure):
            return _without(rules, reviewed)
        shown = _shown(request, sent, ask)
        name = f"{rules.reviewer} and {answered.model or ask.model}"
        return lowered(rules, _issues(reviewed, sent, shown), name)

    def _ask(self, request: ReviewRequest) -> tuple[Material, Ask]:
        job = _job(request)
        sent = material(job, mask_literals=self._settings.mask_literals)
        role = self._settings.claude.reviewer
        model = sent.masker.model(request.sql)
        yaml = _yaml(request, job, sent, self._settings.send_rows)
        shared = sent.blocks()
        ask = Ask(
            purpose="review",
            item_id=request.item_id,
            model=role.model,
            max_tokens=role.max_tokens,
            system=system_blocks(
                "reviewer",
                request.project,
                an_hour=self._claude.prices.keep_an_hour(role.model, role.fallback),
            ),
            content=(
                *shared,
                {"type": "text", "text": foreign("model", request.model_name, model)},
                {"type": "text", "text": foreign("yaml", request.model_name, yaml)},
                _TASK,
            ),
            schema=REVIEWED_SCHEMA,
            effort=role.effort,
            stable=len(shared),
            fallback=role.fallback or "",
        )
        return sent, ask


def lowered(rules: ReviewResult, added: Mapping[CheckName, list[Issue]], name: str) -> ReviewResult:
    """A review with further issues; its verdict is never better than it was."""
    checks = {}
    for check in CheckName:
        before = rules.checks.get(check, Check())
        known = {(issue.code, issue.model_line, issue.message) for issue in before.issues}
        new = [i for i in added.get(check, ()) if (i.code, i.model_line, i.message) not in known]
        issues = (*before.issues, *new)
        errors = any(issue.severity is Severity.ERROR for issue in issues)
        checks[check] = Check(passed=before.passed and not errors, issues=issues)
    every = [issue for check in checks.values() for issue in check.issues]
    verdict = Verdict.APPROVED
    if any(issue.severity is Severity.ERROR for issue in every):
        verdict = Verdict.REVISION_REQUESTED
    elif every:
        verdict = Verdict.APPROVED_WITH_WARNINGS
    fresh = [issue for issue in every if issue not in rules.issues]
    return rules.model_copy(
        update={
            "status": max(verdict, rules.status, key=_ORDER.index),
            "checks": checks,
            "feedback_for_model_generator": (
                *rules.feedback_for_model_generator,
                *(_feedback(i) for i in fresh if i.severity is Severity.ERROR),
            ),
            "warnings": (
                *rules.warnings,
                *(_diagnostic(i, rules.item_id) for i in fresh if i.severity is Severity.WARNING),
            ),
            "errors": (
                *rules.errors,
                *(_diagnostic(i, rules.item_id) for i in fresh if i.severity is Severity.ERROR),
            ),
            "reviewer": name,
        }
    )


def _without(rules: ReviewResult, failure: ClaudeFailure) -> ReviewResult:
    issue = Issue(
        code=Code.REVIEW_APPROVED_WITH_WARNINGS,
        message=f"Claude did not review this model: {failure.sentence}",
        severity=Severity.WARNING,
    )
    return lowered(rules, {CheckName.CORRECTNESS: [issue]}, rules.reviewer)


def _job(request: ReviewRequest) -> Job:
    return Job(
        item_id=request.item_id,
        model_name=request.model_name,
        table=request.table,
        spec=request.spec,
        procedure=request.procedure,
        project=request.project,
        existing_models=request.models,
    )


def _shown(request: ReviewRequest, sent: Material, ask: Ask) -> str:
    """Everything evidence may come from, as it was sent but for the JSON around it."""
    import json

    texts = [sent.masker.tsql(request.procedure.text)]
    for block in ask.content[ask.stable : -1]:
        lines = json.loads(block["text"])["lines"]
        texts.append("\n".join(line.partition("|")[2] for line in lines))
    catalog = json.loads(sent.catalog)
    texts += ["\n".join(routine["lines"]) for routine in catalog["routines"]]
    return "\n\0\n".join(texts)


def _issues(reviewed: Reviewed, sent: Material, shown: str) -> dict[CheckName, list[Issue]]:
    found: dict[CheckName, list[Issue]] = {}
    left = MOST_ISSUES
    for check in CheckName:
        for answered in getattr(reviewed.checks, check.value).issues:
            issue = _issue(answered, sent, shown)
            if issue is not None and left:
                found.setdefault(check, []).append(issue)
                left -= 1
    return found


def _issue(answered: AnsweredIssue, sent: Material, shown: str) -> Issue | None:
    """An issue that can be shown, or ``None``; one with a code we do not know only warns."""
    evidence = answered.evidence.strip()
    if len(evidence) < _SHORTEST_EVIDENCE or evidence not in shown:
        return None
    code = next((c for c in ISSUE_CODES if c.value == answered.code), None)
    message = printable(answered.message).strip()[:400] or "no message"
    severity = Severity.WARNING
    if code is None:
        code = Code.REVIEW_APPROVED_WITH_WARNINGS
        message = f"{printable(answered.code)[:40]}: {message}"
    elif answered.severity is IssueSeverity.ERROR:
        severity = Severity.ERROR
    return Issue(
        code=code,
        message=message,
        severity=severity,
        model_line=max(0, answered.model_line),
        procedure_line=max(0, answered.procedure_line),
        evidence=sent.masker.restored(evidence)[:500],
        fix=printable(answered.fix).strip()[:400],
    )


def _feedback(issue: Issue) -> str:
    place = f" (procedure line {issue.procedure_line})" if issue.procedure_line else ""
    return f"{issue.code}: {issue.message}{place} {issue.fix}".strip()


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


def _yaml(request: ReviewRequest, job: Job, sent: Material, send_rows: bool) -> str:
    """The model's YAML as it may be sent: rows of unit tests only where that is allowed."""
    import yaml

    privacy = Privacy(job, sent.masker, send_rows=send_rows, sent=())
    document = yaml.safe_load(request.yaml_text) if request.yaml_text else {}
    for test in (document or {}).get("unit_tests") or ():
        for part in (*(test.get("given") or ()), test.get("expect") or {}):
            if "rows" in part:
                part["rows"] = _rows(part["rows"], privacy)
    text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=1_000)
    return sent.masker.prose(text)


def _rows(rows: Any, privacy: Privacy) -> Any:
    if not isinstance(rows, list):
        return "rows as SQL, not shown"
    if not privacy.send_rows:
        return f"{len(rows)} rows, not shown"
    return [privacy.row(row) if isinstance(row, dict) else str(row) for row in rows[:20]]
