"""From the trail of an item to its result: status, codes, counts, exactly as they are written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.dbt.outcome import ScenarioStatus, TestKind, TestStatus, Verification
from core.equivalence.verdict import EquivalenceVerdict
from core.generation.author import Refusal
from core.pipeline.item import Trail
from core.pipeline.result import (
    ArtifactPaths,
    Execution,
    Generated,
    GeneratedSql,
    GeneratedYaml,
    ItemOutput,
    ItemResult,
    ItemStatus,
    ReviewSummary,
    TestCounts,
    Usage,
)
from core.pipeline.version import Version, failure_sentence, issues_left
from core.project.codes import Code, Diagnostic, Severity
from core.review.verdict import Verdict

PARTIAL_CODES = frozenset(
    {
        Code.EQUIVALENCE_GAP,
        Code.DBT_COMPILE_FAILED,
        Code.DBT_TEST_FAILED,
        Code.DBT_CONNECTION_FAILED,
    }
)
"""Warnings that make an item ``partial``; the others are only noted."""

RESUMABLE = frozenset(
    {
        Code.CANCELLED,
        Code.BUDGET_REACHED,
        Code.WORKER_LOST,
        Code.DEADLINE_EXCEEDED,
        Code.CONSENT_MISSING,
    }
)
"""Errors that say nothing about the item itself: ``--resume`` takes the item up again."""

MODELS = "dbt/models/staging"


@dataclass(frozen=True)
class RunItem:
    """An item of a run: what its files and events are named after."""

    item_id: str
    table_ref: str
    model_name: str = ""
    writer: str = ""

    @property
    def paths(self) -> ArtifactPaths:
        """Where its two files go, relative to the project."""
        return ArtifactPaths(
            model_sql=f"{MODELS}/{self.model_name}.sql",
            model_yaml=f"{MODELS}/_{self.model_name}.yml",
        )


def failed(item: RunItem, errors: Sequence[Diagnostic], notes: Sequence[str] = ()) -> ItemResult:
    """The result of an item without a model."""
    return ItemResult(
        item_id=item.item_id,
        status=ItemStatus.ERROR,
        output=ItemOutput(
            table_ref=item.table_ref,
            model_name=item.model_name,
            errors=tuple(errors),
            notes=tuple(notes),
        ),
    )


def result_of(item: RunItem, trail: Trail, usage: Usage | None = None) -> ItemResult:
    """The result of an item whose process came to its end."""
    version = trail.version
    error = _error(item, trail)
    if error is not None or version is None:
        result = failed(item, [error] if error is not None else [], _notes(trail))
        output = result.output.model_copy(
            update={
                "usage": usage,
                "execution": _execution(version, trail) if version is not None else Execution(),
            }
        )
        return result.model_copy(update={"output": output})
    warnings = tuple(_warnings(item, version, trail))
    partial = any(w.code in PARTIAL_CODES for w in warnings)
    prepared = version.prepared
    return ItemResult(
        item_id=item.item_id,
        status=ItemStatus.PARTIAL if partial else ItemStatus.OK,
        output=ItemOutput(
            table_ref=item.table_ref,
            model_name=item.model_name,
            artifact_paths=item.paths,
            generated=Generated(
                model_sql=GeneratedSql(
                    materialized=prepared.materialized, uses_watermark=prepared.uses_watermark
                ),
                model_yaml=GeneratedYaml(
                    has_model_description=prepared.has_model_description,
                    schema_tests_rendered=prepared.schema_tests,
                    has_unit_tests=prepared.has_unit_tests,
                ),
            ),
            execution=_execution(version, trail),
            review=_review(version, trail),
            equivalence=version.equivalence,
            usage=usage,
            notes=_notes(trail),
            warnings=warnings,
        ),
    )


def _error(item: RunItem, trail: Trail) -> Diagnostic | None:
    if trail.lost:
        # A defect of ours comes again; what ended for outside reasons is done again.
        ours = trail.lost_code == Code.GENERATION_FAILED.value
        again = "" if ours else "; take it up again with --resume"
        return Diagnostic.of(
            _code(trail.lost_code, Code.WORKER_LOST),
            f"{item.table_ref} could not be verified: {trail.lost.rstrip('.')}{again}.",
            item.item_id,
        )
    refusal = trail.refusal
    if trail.version is None:
        return _refusal(item, refusal)
    if refusal is not None and refusal.code and not trail.version.green:
        # Nothing is wrong with the item: it can be corrected when there is money or consent.
        return _refusal(item, refusal)
    if not trail.version.usable:
        problem = failure_sentence(trail.version.verification)
        return Diagnostic.of(
            Code.GENERATION_FAILED,
            f"No usable model for {item.table_ref}: {problem.rstrip('.')}.",
            item.item_id,
            construct="refused text",
            author=trail.version.draft.author,
        )
    return None


def _refusal(item: RunItem, refusal: Refusal | None) -> Diagnostic:
    if refusal is None:
        return Diagnostic.of(
            Code.GENERATION_FAILED, f"No model for {item.table_ref} was written.", item.item_id
        )
    code = _code(refusal.code, Code.GENERATION_FAILED)
    place = f" line {refusal.line}" if refusal.line and item.writer else ""
    where = f"{item.writer or item.table_ref}{place}: "
    no_answer = code in (Code.DEADLINE_EXCEEDED, Code.WORKER_LOST)
    again = "; take it up again with --resume" if no_answer else ""
    return Diagnostic.of(
        code,
        f"{where}{refusal.reason.rstrip('.')}{again}.",
        item.item_id,
        line=refusal.line,
        construct=refusal.construct,
        author=refusal.author,
    )


def _code(name: str, default: Code) -> Code:
    try:
        return Code(name) if name else default
    except ValueError:
        return default


def _warnings(item: RunItem, version: Version, trail: Trail) -> Iterable[Diagnostic]:
    verification = version.verification
    if not verification.tests_passed:
        yield _not_green(item, version, trail)
    for review in trail.kicked_back:
        yield Diagnostic.of(
            Code.REVIEW_KICKED_BACK,
            f"The review of {item.model_name} asked for a revision: "
            f"{_issues_sentence(review.issues)}.",
            item.item_id,
            issues=[issue.model_dump(mode="json") for issue in review.issues],
        )
    if version.review is not None and issues_left(version.review):
        issues = version.review.issues
        yield Diagnostic.of(
            Code.REVIEW_APPROVED_WITH_WARNINGS,
            f"The review of {item.model_name} leaves {len(issues)} "
            f"issue{'' if len(issues) == 1 else 's'}: {_issues_sentence(issues)}.",
            item.item_id,
            issues=[issue.model_dump(mode="json") for issue in issues],
        )
    equivalence = version.equivalence
    if equivalence is not None and equivalence.is_gap:
        failed_checks = [c for c in equivalence.structural if not c.passed]
        sentence = equivalence.sentence
        if equivalence.verdict is EquivalenceVerdict.NOT_RUN and failed_checks:
            sentence = failed_checks[0].reason or failed_checks[0].name
        yield Diagnostic.of(
            Code.EQUIVALENCE_GAP,
            f"{item.writer or item.table_ref} and {item.model_name}: {sentence.rstrip('.')}.",
            item.item_id,
            verdict=equivalence.verdict.value,
            structural=[c.model_dump(mode="json") for c in failed_checks],
        )
    yield from _connection(item, verification)


CONNECTION_LOST = "connection lost"
"""How a bench begins the note that a ``--target`` run went on without its warehouse."""


def _connection(item: RunItem, verification: Verification) -> Iterable[Diagnostic]:
    for note in verification.notes:
        if note.lower().startswith(CONNECTION_LOST):
            yield Diagnostic.of(
                Code.DBT_CONNECTION_FAILED, f"{item.model_name}: {note}", item.item_id
            ).model_copy(update={"severity": Severity.WARNING})


def _not_green(item: RunItem, version: Version, trail: Trail) -> Diagnostic:
    verification = version.verification
    compiled = verification.compile_passed
    code = Code.DBT_TEST_FAILED if compiled else Code.DBT_COMPILE_FAILED
    after = (
        f" after {trail.corrections} correction{'' if trail.corrections == 1 else 's'}"
        if trail.corrections
        else ""
    )
    stopped = f"; {trail.refusal.reason.rstrip('.')}" if trail.refusal is not None else ""
    what = "is red" if compiled else "does not compile"
    return Diagnostic.of(
        code,
        f"{item.model_name} {what}{after}: {failure_sentence(verification).rstrip('.')}{stopped}.",
        item.item_id,
        tests=[t.name for t in verification.tests if not t.ok],
        scenarios=[s.name for s in verification.scenarios if not s.ok],
        errors=list(verification.errors[:5]),
    )


def _issues_sentence(issues: Sequence[object]) -> str:
    from core.review.verdict import Issue

    shown = [f"{i.code.value} {i.message.rstrip('.')}" for i in issues if isinstance(i, Issue)]
    if not shown:
        return "no issue was named"
    more = f" (and {len(shown) - 1} more)" if len(shown) > 1 else ""
    return shown[0] + more


def _review(version: Version, trail: Trail) -> ReviewSummary:
    verdict = version.review.status if version.review is not None else None
    if verdict is Verdict.REVISION_REQUESTED:
        verdict = Verdict.APPROVED_WITH_WARNINGS
    return ReviewSummary(iterations=trail.reviews, verdict=verdict)


def _execution(version: Version | None, trail: Trail) -> Execution:
    if version is None:
        return Execution(self_correction_iterations=trail.corrections)
    verification = version.verification
    return Execution(
        dbt_compile_passed=verification.compile_passed,
        dbt_test_passed=verification.tests_passed,
        self_correction_iterations=trail.corrections,
        dbt_errors=verification.errors,
        tests=counts(verification),
        where=verification.where,
    )


def counts(verification: Verification) -> TestCounts:
    """How many tests and scenarios ran, and where.

    ``scenarios_in_dbt`` are unit tests that really ran in dbt; a disabled one is only replayed.
    """
    unit = [t for t in verification.tests if t.kind is TestKind.UNIT]
    data = [t for t in verification.tests if t.kind is TestKind.DATA]
    ran = [t for t in unit if t.status not in (TestStatus.DISABLED, TestStatus.NOT_RUN)]
    played = (ScenarioStatus.PASS, ScenarioStatus.FAIL, ScenarioStatus.ERROR)
    return TestCounts(
        unit_passed=sum(t.ok for t in ran),
        unit_failed=sum(not t.ok for t in unit),
        data_passed=sum(t.ok for t in data),
        data_failed=sum(not t.ok for t in data),
        scenarios_in_dbt=len(ran),
        scenarios_replayed=sum(s.status in played for s in verification.scenarios),
        scenarios_failed=sum(not s.ok for s in verification.scenarios),
        not_replayable=sum(
            s.status is ScenarioStatus.NOT_REPLAYABLE for s in verification.scenarios
        ),
    )


def _notes(trail: Trail) -> tuple[str, ...]:
    version = trail.version
    found: list[str] = []
    if version is not None:
        found += version.notes
        found += version.verification.notes
        found += [f"left out: {text}" for text in version.draft.dropped]
        equivalence = version.equivalence
        if equivalence is not None and equivalence.verdict is EquivalenceVerdict.NON_DETERMINISTIC:
            found.append(f"the procedure is not deterministic: {equivalence.sentence}")
    if trail.refusal is not None and version is not None and version.green:
        found.append(f"{trail.refusal.author or 'the author'}: {trail.refusal.reason}")
    found += trail.notes
    return tuple(dict.fromkeys(found))
