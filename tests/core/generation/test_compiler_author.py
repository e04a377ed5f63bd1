"""The compiler as an author: corrections that are really different, and none that are not."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from core.compiler.options import Correction
from core.compiler.result import Compiled, Unsupported
from core.dbt.outcome import (
    Phase,
    Row,
    ScenarioOutcome,
    ScenarioStatus,
    TestKind,
    TestOutcome,
    TestStatus,
    Verification,
)
from core.generation.author import Draft, Failure, FailureKind, Job, Refusal
from core.generation.both_author import BothAuthor
from core.generation.compiler_author import CompilerAuthor
from core.generation.compiling import relation_of
from core.generation.corrections import WORDS, candidates
from core.pipeline.plan import plan_run
from core.project.project import MigrationProject
from core.project.settings import Settings
from tests.core.pipeline.fakes import ScriptedAuthor
from tests.core.pipeline.small_project import write_json, write_project, write_spec

SCENARIO = "test_load_customer"


@pytest.fixture
def job(tmp_path: Path) -> Job:
    root = write_project(tmp_path / "project", ["silver.Customer", "silver.Store"])
    project = MigrationProject.open(root)
    return plan_run(project, ["silver.customer"], Settings()).job("silver.customer", {})


def red(missing: list[Row], unexpected: list[Row], message: str = "") -> Failure:
    """The failure of one replayed scenario."""
    outcome = ScenarioOutcome(
        SCENARIO, ScenarioStatus.FAIL, message, tuple(missing), tuple(unexpected)
    )
    verification = Verification(Phase.DONE, compile_passed=True, scenarios=(outcome,))
    return Failure(FailureKind.TESTS, "1 of 1 scenarios ended differently", verification)


def test_a_value_of_another_scale_asks_for_casts(job: Job) -> None:
    failure = red([{"Id": 1, "Amount": "1.24"}], [{"Id": 1, "Amount": "1.239"}])
    assert candidates(job, failure) == (Correction.CAST_COLUMNS,)


def test_a_text_that_was_cut_off_asks_for_casts(job: Job) -> None:
    failure = red([{"Id": 1, "Name": "Anna"}], [{"Id": 1, "Name": "Annabel"}])
    assert candidates(job, failure) == (Correction.CAST_COLUMNS,)


def test_another_row_of_a_tie_asks_for_tie_breakers(job: Job) -> None:
    failure = red([{"Id": 1, "City": "Berlin"}], [{"Id": 1, "City": "Oslo"}])
    assert candidates(job, failure) == (Correction.ADD_TIE_BREAKERS,)


def test_inputs_that_differ_in_case_only_ask_for_collation(tmp_path: Path) -> None:
    root = write_project(tmp_path / "project", ["silver.Customer"])
    rows = [{"Id": 1, "Name": "Anna"}, {"Id": 2, "Name": "ANNA "}]
    write_spec(
        root,
        "silver",
        "Customer",
        unit_tests=[
            {
                "name": SCENARIO,
                "target_table": "silver.Customer",
                "procedure": "silver.usp_LoadCustomer",
                "given": [{"table": "bronze.Customer", "rows": rows}],
                "expect": {"rows": rows[:1]},
            }
        ],
    )
    project = MigrationProject.open(root)
    job = plan_run(project, ["silver.customer"], Settings()).job("silver.customer", {})
    failure = red([], [{"Id": 2, "Name": "ANNA "}])
    assert Correction.FOLD_COLLATION in candidates(job, failure)


def test_a_conversion_error_asks_for_casts(job: Job) -> None:
    verification = Verification(
        Phase.COMPILE,
        compile_passed=False,
        errors=("Binder Error: Cannot compare values of type VARCHAR and INTEGER",),
    )
    failure = Failure(FailureKind.COMPILE, "x", verification)
    assert candidates(job, failure) == (Correction.CAST_COLUMNS,)


def test_duplicates_under_a_unique_key_ask_for_tie_breakers(job: Job) -> None:
    test = TestOutcome("unique_stg_customer_Id", TestKind.DATA, TestStatus.FAIL, failures=2)
    verification = Verification(Phase.DONE, compile_passed=True, tests=(test,))
    failure = Failure(FailureKind.TESTS, "x", verification)
    assert candidates(job, failure) == (Correction.ADD_TIE_BREAKERS,)


def test_the_reviewers_words(job: Job) -> None:
    words = ("WRONG_MATERIALIZATION: the procedure deletes rows; materialize it as a table.",)
    failure = Failure(FailureKind.REVIEW, words[0], feedback=words)
    assert candidates(job, failure) == (Correction.AS_TABLE,)


def test_a_counterexample_is_read_as_it_is_written(job: Job) -> None:
    document = {
        "procedure": "silver.usp_LoadCustomer",
        "model": "stg_customer",
        "missing": [{"Id": 1, "Amount": "1.24"}],
        "unexpected": [{"Id": 1, "Amount": "1.239"}],
    }
    failure = Failure(FailureKind.COUNTEREXAMPLE, "Amount differs", counterexample=document)
    assert candidates(job, failure) == (Correction.CAST_COLUMNS,)


def test_a_difference_that_points_at_nothing_asks_for_nothing(job: Job) -> None:
    assert candidates(job, red([{"Id": 1}, {"Id": 2}], [])) == ()


class RecordingCompiler:
    """A compiler whose text depends on the corrections it knows."""

    def __init__(self, *known: Correction) -> None:
        self.known = frozenset(known)
        self.asked: list[frozenset[Correction]] = []

    async def __call__(
        self, job: Job, corrections: frozenset[Correction]
    ) -> Compiled | Unsupported:
        self.asked.append(corrections)
        names = sorted(c.value for c in corrections & self.known)
        return Compiled(sql=f"select 1 as id -- {' '.join(names)}", materialization="table")


def quiet(line: str) -> None:
    assert line


CAST = red([{"Id": 1, "Amount": "1.24"}], [{"Id": 1, "Amount": "1.239"}])
TIE = red([{"Id": 1, "City": "Berlin"}], [{"Id": 1, "City": "Oslo"}])


async def test_corrections_add_up_and_are_said(job: Job) -> None:
    compiler = RecordingCompiler(Correction.CAST_COLUMNS, Correction.ADD_TIE_BREAKERS)
    author = CompilerAuthor(compiler)
    first = await author.draft(job, quiet)
    assert isinstance(first, Draft)
    second = await author.correct(job, first, CAST, quiet)
    assert isinstance(second, Draft)
    assert second.changes == (WORDS[Correction.CAST_COLUMNS],)
    third = await author.correct(job, second, TIE, quiet)
    assert isinstance(third, Draft)
    assert third.changes == (WORDS[Correction.ADD_TIE_BREAKERS],)
    assert compiler.asked[-1] == {Correction.CAST_COLUMNS, Correction.ADD_TIE_BREAKERS}
    assert len({first.sql, second.sql, third.sql}) == 3


async def test_the_same_text_is_never_given_again(job: Job) -> None:
    author = CompilerAuthor(RecordingCompiler())
    first = await author.draft(job, quiet)
    assert isinstance(first, Draft)
    answer = await author.correct(job, first, CAST, quiet)
    assert isinstance(answer, Refusal)
    assert "makes no difference" in answer.reason


async def test_a_failure_that_points_at_nothing_is_refused_at_once(job: Job) -> None:
    compiler = RecordingCompiler(Correction.CAST_COLUMNS)
    author = CompilerAuthor(compiler)
    first = await author.draft(job, quiet)
    assert isinstance(first, Draft)
    answer = await author.correct(job, first, red([{"Id": 1}, {"Id": 2}], []), quiet)
    assert isinstance(answer, Refusal)
    assert len(compiler.asked) == 1


async def a_cursor(job: Job, corrections: frozenset[Correction]) -> Unsupported:
    return Unsupported("a cursor", 7, "cursor")


async def test_both_goes_on_where_the_compiler_stops(job: Job) -> None:
    second = ScriptedAuthor()
    author = BothAuthor(CompilerAuthor(a_cursor), second)
    draft = await author.draft(job, quiet)
    assert isinstance(draft, Draft)
    assert draft.author == "scripted"


async def test_both_hands_the_compilers_draft_on_for_correction(job: Job) -> None:
    second = ScriptedAuthor({"silver.customer": ["unused", "better"]})
    author = BothAuthor(CompilerAuthor(RecordingCompiler()), second)
    draft = Draft(sql="-- version 0\nselect 1", author="compiler")
    failure = red([{"Id": 1}, {"Id": 2}], [])
    corrected = await author.correct(job, draft, failure, quiet)
    assert isinstance(corrected, Draft)
    assert "better" in corrected.sql
    assert second.failures == [("silver.customer", failure)]


async def test_both_without_a_second_author_says_so(job: Job) -> None:
    author = BothAuthor(
        CompilerAuthor(a_cursor),
        None,
        "Claude is not available",
    )
    refusal = await author.draft(job, quiet)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "a cursor; Claude is not available"
    assert (refusal.line, refusal.construct) == (7, "cursor")


def test_source_or_ref(tmp_path: Path) -> None:
    root = write_project(tmp_path / "project", ["silver.Customer", "silver.Store"])
    staging = root / "dbt/models/staging"
    staging.mkdir(parents=True)
    (staging / "_sources.yml").write_text(
        "version: 2\nsources:\n  - name: raw\n    schema: bronze\n"
        "    tables:\n      - name: customers\n        identifier: Customer\n"
    )
    write_json(
        root / "catalog/tables/bronze.country.json",
        {
            "schema": "bronze",
            "name": "Country",
            "is_seed": True,
            "columns": [{"name": "Code", "sql_type": "CHAR(2)"}],
        },
    )
    (root / "dbt/seeds").mkdir()
    (root / "dbt/seeds/country.csv").write_text("Code\nNL\n")
    project = MigrationProject.open(root)
    models = {"silver.store": "stg_store"}
    shown = {
        key: dataclasses.astuple(found) if (found := relation_of(project, models, key)) else None
        for key in ("silver.store", "silver.customer", "bronze.customer", "bronze.country", "x.y")
    }
    assert shown == {
        "silver.store": ("stg_store",),
        "silver.customer": ("silver", "Customer"),
        "bronze.customer": ("raw", "customers"),
        "bronze.country": ("country",),
        "x.y": None,
    }


async def test_the_real_compiler_compiles_the_small_project(job: Job) -> None:
    draft = await CompilerAuthor().draft(job, quiet)
    assert isinstance(draft, Draft)
    assert "{{ source('bronze', 'Customer') }}" in draft.sql
