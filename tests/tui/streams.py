"""Recorded event streams: runs in every state that matters, the same on every machine.

They also show what no part of this version emits yet (consent, cost, a counterexample).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.dbt.outcome import Phase, ScenarioStatus, TestKind, TestStatus
from core.equivalence.verdict import EquivalenceResult, EquivalenceVerdict, StructuralCheck
from core.pipeline import events as ev
from core.pipeline.attempts import AttemptFiles, text_hash
from core.pipeline.events import CteLines, Event, Stage, StageOutcome
from core.pipeline.reports import ScenarioReport, TestReport, VerificationReport
from core.pipeline.result import (
    Decision,
    Execution,
    Generated,
    GeneratedSql,
    GeneratedYaml,
    ItemOutput,
    ItemResult,
    ItemStatus,
    ReviewSummary,
    Summary,
    TestCounts,
    Usage,
)
from core.pipeline.summary import summary_of
from core.project.codes import Code, Diagnostic
from core.review.verdict import Check, CheckName, Issue, ReviewResult, Verdict
from tui.bridge import Bridge

START = "2026-01-05T06:{:02}:{:02}+00:00"
TABLES = ("silver.DimCustomer", "silver.FactSales", "silver.DimProduct", "gold.PartnerFeed")
PROCEDURE = """CREATE PROCEDURE silver.usp_Load AS
BEGIN
    SET NOCOUNT ON
    SELECT CustomerId, Name INTO #c FROM bronze.Customer WHERE Name IS NOT NULL
    MERGE silver.DimCustomer AS t
    USING #c AS s ON s.CustomerId = t.CustomerId
    WHEN MATCHED THEN UPDATE SET t.Name = s.Name
    WHEN NOT MATCHED THEN INSERT (CustomerId, Name) VALUES (s.CustomerId, s.Name);
END
"""
FIRST = """{{ config(materialized='incremental', unique_key='customerid') }}

with customer as (
    select * from {{ source('bronze', 'Customer') }}
),

named as (
    select customerid, name
    from customer
),

final as (
    select customerid, name from named
)

select * from final
"""
SECOND = FIRST.replace("    from customer\n", "    from customer\n    where name is not null\n")


class Stream:
    """Builds events with running numbers and moments, and the files they name."""

    def __init__(self, runs: Path) -> None:
        self.events: list[Event] = []
        self.files = AttemptFiles(runs)
        self.runs = runs

    def add(self, *events: Any) -> None:
        for event in events:
            seq = len(self.events) + 1
            at = START.format(seq // 60, seq % 60)
            self.events.append(
                event.model_copy(update={"seq": seq, "at": at, "run_id": "20260105T060000Z-demo"})
            )

    def started(self, tables: Sequence[str] = TABLES, **changes: Any) -> None:
        asked = {
            "author": "compiler",
            "jobs": 2,
            "version": "1",
            "command": "proc2dbt --headless",
            "branch": "feature/generate-model-silver-dimcustomer",
        } | changes
        run_tables = tuple(
            ev.RunTable(
                item_id=t.lower(),
                table_ref=t,
                model_name=f"stg_{t.split('.')[1].lower()}",
                writer="silver.usp_Load",
            )
            for t in tables
        )
        self.add(ev.RunStarted(tables=run_tables, **asked))
        for table in run_tables:
            self.add(ev.ItemQueued(**table.model_dump()))

    def draft(self, item: str, number: int, sql: str, cause: str = "draft") -> None:
        self.files.write(item, number, sql, "")
        changes = () if number == 1 else ("rows without a name are left out",)
        cte_map = (
            CteLines(cte="customer", lines=((4, 4),)),
            CteLines(cte="named", lines=((4, 4),)),
            CteLines(cte="final", lines=((5, 8),)),
        )
        self.add(
            ev.DraftReady(
                item_id=item,
                attempt=number,
                author="compiler",
                cause=cause,
                sql_hash=text_hash(sql),
                materialized="incremental",
                changes=changes,
                cte_map=cte_map,
            )
        )

    def stage(self, item: str, stage: Stage, outcome: StageOutcome, detail: str = "") -> None:
        self.add(
            ev.StageStarted(item_id=item, stage=stage),
            ev.StageFinished(
                item_id=item, stage=stage, outcome=outcome, seconds=1.5, detail=detail
            ),
        )

    def to_tests(self, item: str, sql: str = SECOND) -> None:
        self.add(ev.ItemStarted(item_id=item, author="compiler"))
        self.add(ev.StageStarted(item_id=item, stage=Stage.GENERATE))
        self.draft(item, 1, sql)
        self.add(
            ev.StageFinished(
                item_id=item, stage=Stage.GENERATE, outcome=StageOutcome.PASSED, seconds=0.4
            )
        )

    def good(self, item: str) -> None:
        self.to_tests(item)
        self.add(ev.StageStarted(item_id=item, stage=Stage.TEST))
        self.add(ev.VerificationFinished(item_id=item, attempt=1, report=green()))
        self.add(
            ev.StageFinished(
                item_id=item, stage=Stage.TEST, outcome=StageOutcome.PASSED, seconds=2.1
            )
        )
        self.stage(item, Stage.REVIEW, StageOutcome.PASSED)
        self.add(ev.ReviewFinished(item_id=item, n=1, attempt=1, review=approved(item)))
        self.stage(item, Stage.EQUIVALENCE, StageOutcome.PASSED)
        same = EquivalenceResult(
            verdict=EquivalenceVerdict.NO_DIFFERENCE,
            sentence="no difference in 200 trials over 12,400 rows",
            report={"trials": 200, "rows": 12400, "seed": 1},
        )
        self.add(ev.EquivalenceFinished(item_id=item, attempt=1, result=same))
        self.finish(item, ItemStatus.OK, equivalence=same)

    def finish(self, item: str, status: ItemStatus, **output: Any) -> None:
        table = next(t for t in (*TABLES, *(e.item_id for e in self.items())) if t.lower() == item)
        generated = Generated(
            model_sql=GeneratedSql(materialized="incremental"), model_yaml=GeneratedYaml()
        )
        result = ItemResult(
            item_id=item,
            status=status,
            output=ItemOutput(
                table_ref=table,
                model_name=f"stg_{item.split('.')[1]}",
                generated=None if status is ItemStatus.ERROR else generated,
                execution=Execution(
                    dbt_compile_passed=True,
                    dbt_test_passed=status is ItemStatus.OK,
                    tests=TestCounts(unit_passed=3, data_passed=2, scenarios_replayed=3),
                ),
                review=ReviewSummary(iterations=1, verdict=Verdict.APPROVED),
                **output,
            ),
        )
        reason = "failed" if status is ItemStatus.ERROR else "awaiting approval"
        attempt = 0 if status is ItemStatus.ERROR else 1
        self.add(ev.ItemFinished(item_id=item, result=result, attempt=attempt, seconds=4.2))
        self.add(ev.NeedsPerson(item_id=item, reason=reason))

    def items(self) -> list[Any]:
        return [e for e in self.events if e.type == "item_queued"]

    def bridge(self, procedure: str = PROCEDURE) -> Bridge:
        found = Bridge(self.runs, procedures=lambda _writer: (procedure, 101))
        found.replay(self.events)
        return found


def green() -> VerificationReport:
    return VerificationReport(
        phase=Phase.DONE,
        compile_passed=True,
        passed=True,
        where="embedded duckdb",
        seconds=2.1,
        tests=(
            TestReport(name="test_new_customer", kind=TestKind.UNIT, status=TestStatus.PASS),
            TestReport(name="unique_customerid", kind=TestKind.DATA, status=TestStatus.PASS),
        ),
        scenarios=(ScenarioReport(name="test_new_customer", status=ScenarioStatus.PASS),),
    )


def red() -> VerificationReport:
    bad = TestReport(
        name="test_customer_without_name_is_skipped",
        kind=TestKind.UNIT,
        status=TestStatus.FAIL,
        message="actual differs from expected:",
        expected=({"customerid": 1, "name": "Ann"},),
        actual=({"customerid": 1, "name": "Ann"}, {"customerid": 2, "name": None}),
    )
    return VerificationReport(
        phase=Phase.TEST,
        compile_passed=True,
        passed=False,
        where="embedded duckdb",
        seconds=2.4,
        tests=(bad, *green().tests),
        scenarios=(
            ScenarioReport(
                name="test_customer_without_name_is_skipped",
                status=ScenarioStatus.FAIL,
                unexpected=({"customerid": 2, "name": None},),
            ),
        ),
    )


def approved(item: str) -> ReviewResult:
    checks = {name: Check() for name in CheckName}
    return ReviewResult(item_id=item, status=Verdict.APPROVED, checks=checks)


def sent_back(item: str) -> ReviewResult:
    issue = Issue(
        code=Code.FILTER_MISMATCH,
        message="The procedure leaves out rows without a name; the model keeps them.",
        model_line=8,
        procedure_line=4,
        evidence="WHERE Name IS NOT NULL",
        fix="add `where name is not null` to the CTE named",
    )
    checks = {name: Check() for name in CheckName}
    checks[CheckName.CORRECTNESS] = Check(passed=False, issues=(issue,))
    return ReviewResult(
        item_id=item,
        status=Verdict.REVISION_REQUESTED,
        checks=checks,
        feedback_for_model_generator=("Leave out rows without a name, as line 4 does.",),
    )


REFUTED = EquivalenceResult(
    verdict=EquivalenceVerdict.REFUTED,
    sentence="the procedure keeps one row that the model does not have",
    structural=(
        StructuralCheck(name="inputs", passed=True),
        StructuralCheck(name="filters", passed=False, reason="one predicate more in the model"),
    ),
    report={"trials": 17, "rows": 240, "seed": 1, "coverage": "9 of 9 branches"},
    counterexample={
        "input": {"bronze.customer": [{"customerid": 7, "name": ""}]},
        "procedure": [{"customerid": 7, "name": ""}],
        "model": [],
    },
)


# --- whole runs -------------------------------------------------------------------------------


def running(stream: Stream) -> None:
    """One done, one being tested for the second time, one waiting."""
    stream.started()
    stream.good("silver.dimcustomer")
    item = "silver.factsales"
    stream.to_tests(item, FIRST)
    stream.stage(item, Stage.TEST, StageOutcome.FAILED, "2 of 4 tests and scenarios passed")
    stream.add(ev.VerificationFinished(item_id=item, attempt=1, report=red()))
    stream.add(
        ev.CorrectionStarted(item_id=item, n=1, kind="tests", summary="a unit test fails"),
        ev.StageStarted(item_id=item, stage=Stage.FIX),
    )
    stream.draft(item, 2, SECOND, "tests")
    stream.add(
        ev.StageFinished(item_id=item, stage=Stage.FIX, outcome=StageOutcome.PASSED, seconds=0.3),
        ev.StageStarted(item_id=item, stage=Stage.TEST, iteration=2),
        ev.VerificationProgress(item_id=item, attempt=2, line="unit test test_new_customer"),
    )


def failing_tests(stream: Stream) -> None:
    """A model whose test fails, with its rows, sent back by the reviewer as well."""
    stream.started(TABLES[:1])
    item = "silver.dimcustomer"
    stream.to_tests(item, FIRST)
    stream.stage(item, Stage.TEST, StageOutcome.FAILED)
    stream.add(ev.VerificationFinished(item_id=item, attempt=1, report=red()))
    stream.add(ev.ReviewFinished(item_id=item, n=1, attempt=1, review=sent_back(item)))


def partial(stream: Stream) -> None:
    """Done: one ok, one refuted with a counterexample, one refused."""
    stream.started((TABLES[0], TABLES[1], TABLES[3]))
    stream.good("silver.dimcustomer")
    item = "silver.factsales"
    stream.to_tests(item)
    stream.stage(item, Stage.TEST, StageOutcome.PASSED)
    stream.add(ev.VerificationFinished(item_id=item, attempt=1, report=green()))
    stream.stage(item, Stage.REVIEW, StageOutcome.PASSED)
    stream.add(ev.ReviewFinished(item_id=item, n=1, attempt=1, review=approved(item)))
    stream.stage(item, Stage.EQUIVALENCE, StageOutcome.FAILED)
    stream.add(ev.EquivalenceFinished(item_id=item, attempt=1, result=REFUTED))
    gap = Diagnostic.of(Code.EQUIVALENCE_GAP, f"silver.FactSales: {REFUTED.sentence}.", item)
    stream.finish(item, ItemStatus.PARTIAL, equivalence=REFUTED, warnings=(gap,))
    refuse(stream, "gold.partnerfeed")


def refuse(stream: Stream, item: str) -> None:
    """An item no author could write."""
    stream.add(ev.ItemStarted(item_id=item, author="compiler"))
    stream.add(ev.StageStarted(item_id=item, stage=Stage.GENERATE))
    reason = "a cursor builds each INSERT from text kept in a table"
    stream.add(
        ev.GenerationRefused(
            item_id=item, author="compiler", cause="draft", reason=reason, line=4, feature="cursor"
        ),
        ev.StageFinished(
            item_id=item, stage=Stage.GENERATE, outcome=StageOutcome.FAILED, seconds=0.2
        ),
    )
    error = Diagnostic.of(
        Code.GENERATION_FAILED, f"silver.usp_Load line 4: {reason}.", item, construct="cursor"
    )
    stream.finish(item, ItemStatus.ERROR, errors=(error,))


def decided(stream: Stream) -> None:
    """The partial run, decided and finished."""
    partial(stream)
    at = "2026-01-05T06:10:00+00:00"
    for item, action, reason in (
        ("silver.dimcustomer", "approve", ""),
        ("silver.factsales", "override", "an empty name is no name"),
    ):
        decision = Decision(action=action, by="Ada <ada@example.com>", at=at, reason=reason)
        stream.add(ev.DecisionMade(item_id=item, decision=decision, accepted=True))
    commits = {
        "": "1a2b3c4d5e",
        "silver.dimcustomer": "2b3c4d5e6f",
        "silver.factsales": "3c4d5e6f7a",
    }
    branch = "feature/generate-model-silver-dimcustomer"
    stream.add(
        ev.ProjectBuildFinished(passed=True, sentence="the project was built", seconds=9.1),
        ev.CommitFinished(commits=commits, branch=branch),
        ev.PullRequestFinished(url="https://example.com/pull/7"),
        ev.RunFinished(summary=_summary(stream), seconds=42.0),
    )


def _summary(stream: Stream) -> Summary:
    return summary_of([e.result for e in stream.events if isinstance(e, ev.ItemFinished)])


CONSENT_TEXT = (
    "Sent to api.anthropic.com (anthropic), models claude-opus-5-5 and claude-sonnet-5-5: the "
    "source of the procedures, and of views, functions and procedures they use, with comments "
    "(literals that look like secrets are masked, other literals are not); names, types, defaults "
    "and keys of the tables they name; the generated models and messages of dbt about them; "
    "generated counterexamples; of test specs only names, counts, differing columns and their "
    "types, no rows. For 2 tables: about 18,000 tokens of prompt (estimated), $0.31 to $0.84 at "
    "list prices of 2026-10-01. Claude in proc2dbt is contract-tested, not live-tested."
)


def with_claude(stream: Stream) -> None:
    """Claude was asked: consent, tokens, money, a rate limit."""
    stream.started(author="both", budget_usd=5.0)
    stream.add(ev.ItemStarted(item_id="silver.dimcustomer", author="both"))
    stream.add(ev.StageStarted(item_id="silver.dimcustomer", stage=Stage.GENERATE))
    stream.add(
        ev.ConsentAsked(
            host="api.anthropic.com",
            items=("silver.dimcustomer", "silver.factsales"),
            estimate_usd=0.84,
            text=CONSENT_TEXT,
        )
    )


def claude_spent(stream: Stream) -> None:
    """Consent given, calls made, and a wait."""
    with_claude(stream)
    stream.add(ev.ConsentGiven(given=True, by="Ada"))
    usage = Usage(calls=1, input_tokens=18_200, output_tokens=2_900, cost_usd=0.19)
    stream.add(
        ev.ClaudeCall(
            item_id="silver.dimcustomer", model="claude", purpose="draft", usage=usage, seconds=12
        ),
        ev.ClaudeWaiting(seconds=20, reason="rate limit"),
    )


def hostile(stream: Stream) -> None:
    """A table, messages and texts that would like to be markup or escape codes."""
    evil = "[dbo].[T] [/x] [b"
    stream.started((f"silver.{evil}\x1b[31m",))
    item = f"silver.{evil}\x1b[31m".lower()
    stream.add(ev.ItemStarted(item_id=item, author=evil))
    stream.add(ev.StageStarted(item_id=item, stage=Stage.GENERATE))
    stream.draft(item, 1, f"select 1 -- {evil}\x07\n")
    bad = TestReport(
        name=evil,
        kind=TestKind.UNIT,
        status=TestStatus.FAIL,
        message=evil,
        expected=({evil: evil},),
    )
    report = VerificationReport(
        phase=Phase.TEST,
        compile_passed=True,
        passed=False,
        tests=(bad,),
        errors=(evil,),
        where=evil,
    )
    stream.add(ev.VerificationFinished(item_id=item, attempt=1, report=report))
    issue = Issue(code=Code.FILTER_MISMATCH, message=evil, evidence=evil, fix=evil)
    review = ReviewResult(
        item_id=item,
        status=Verdict.REVISION_REQUESTED,
        checks={CheckName.CORRECTNESS: Check(passed=False, issues=(issue,))},
        feedback_for_model_generator=(evil,),
    )
    stream.add(ev.ReviewFinished(item_id=item, n=1, attempt=1, review=review))
    equivalence = EquivalenceResult(
        verdict=EquivalenceVerdict.REFUTED, sentence=evil, counterexample={evil: [{evil: evil}]}
    )
    stream.add(ev.EquivalenceFinished(item_id=item, attempt=1, result=equivalence))
    warning = Diagnostic.of(Code.EQUIVALENCE_GAP, evil, item)
    result = ItemResult(
        item_id=item,
        status=ItemStatus.PARTIAL,
        output=ItemOutput(table_ref=f"silver.{evil}", model_name=evil, warnings=(warning,)),
    )
    stream.add(ev.ItemFinished(item_id=item, result=result, attempt=1))
    stream.add(ev.RunNote(text=evil))
