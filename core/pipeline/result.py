"""The files a run leaves: item results and the summary, exactly as they are written."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from core.equivalence.verdict import EquivalenceResult
from core.project.codes import Diagnostic
from core.review.verdict import Verdict


class ItemStatus(StrEnum):
    """How an item ended."""

    OK = "ok"
    PARTIAL = "partial"
    ERROR = "error"


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class ArtifactPaths(_Value):
    """Paths relative to the worktree's project folder."""

    model_sql: str
    model_yaml: str


class GeneratedSql(_Value):
    """Facts about the generated SQL."""

    materialized: str
    uses_watermark: bool = False


class GeneratedYaml(_Value):
    """Facts about the generated YAML."""

    has_model_description: bool = False
    schema_tests_rendered: tuple[str, ...] = ()
    has_unit_tests: bool = False


class Generated(_Value):
    """What was generated."""

    model_sql: GeneratedSql
    model_yaml: GeneratedYaml


class TestCounts(_Value):
    """How many tests and scenarios ran where, and how they ended."""

    unit_passed: int = 0
    unit_failed: int = 0
    data_passed: int = 0
    data_failed: int = 0
    scenarios_in_dbt: int = 0
    scenarios_replayed: int = 0
    scenarios_failed: int = 0
    not_replayable: int = 0


class Execution(_Value):
    """What dbt said in the end."""

    dbt_compile_passed: bool = False
    dbt_test_passed: bool = False
    self_correction_iterations: int = 0
    dbt_errors: tuple[str, ...] = ()
    tests: TestCounts = TestCounts()
    where: str = ""


class ReviewSummary(_Value):
    """How the review loop ended."""

    iterations: int = 0
    verdict: Verdict | None = None


class Decision(_Value):
    """What a person, or the headless approval rule, decided about an item, and when."""

    action: str
    by: str
    at: str
    reason: str = ""


class Usage(_Value):
    """What Claude calls of the item cost; ``cost_usd`` is ``None`` when no price is known."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None


class ItemOutput(_Value):
    """The body of an item result."""

    table_ref: str
    model_name: str
    artifact_paths: ArtifactPaths | None = None
    generated: Generated | None = None
    execution: Execution = Execution()
    review: ReviewSummary = ReviewSummary()
    equivalence: EquivalenceResult | None = None
    decision: Decision | None = None
    usage: Usage | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()
    errors: tuple[Diagnostic, ...] = ()


class ItemResult(_Value):
    """``.migration-runs/<item_id>.json``."""

    item_id: str
    status: ItemStatus
    output: ItemOutput


class SummaryItem(_Value):
    """One line of the summary."""

    item_id: str
    table_ref: str
    status: ItemStatus
    codes: tuple[str, ...] = ()
    reason: str = ""


class Summary(_Value):
    """``.migration-runs/summary.json``."""

    total: int
    ok: int
    partial: int
    error: int
    items: tuple[SummaryItem, ...]
    notes: tuple[str, ...] = ()
    errors: tuple[Diagnostic, ...] = ()
    extra: dict[str, Any] = {}
