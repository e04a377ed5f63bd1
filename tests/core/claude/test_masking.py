"""What leaves the machine: secrets never, literals and rows as the settings say."""

from __future__ import annotations

import json
import string
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.claude.context import material
from core.claude.edits import edited
from core.claude.evidence import findings
from core.claude.masking import Masker
from core.claude.personal import Privacy
from core.claude.schema import AUTHORED_SCHEMA, REVIEWED_SCHEMA, Authored, Edit, read_answer
from core.dbt.outcome import Phase, ScenarioOutcome, ScenarioStatus, Verification
from core.generation.author import Failure, FailureKind, Job
from core.pipeline.plan import plan_run
from core.project.project import MigrationProject
from core.project.settings import Settings
from tests.core.claude.answers import authored
from tests.core.claude.migration import write_dynamic

SECRETS = [
    "EXEC x @conn = N'Server=prod;Database=d;User ID=sa;Password=Gehe1m!;'",
    "CREATE LOGIN bob WITH PASSWORD = 'Gehe1m!'",
    "OPEN SYMMETRIC KEY k DECRYPTION BY PASSWORD = 'Gehe1m!'",
    "SELECT * FROM OPENROWSET('SQLNCLI', 'Server=a;Uid=b;Pwd=Gehe1m!;', 'select 1') r",
    "-- the job logs in with password: Gehe1m!\nselect 1",
    "/* pwd = Gehe1m! */ select 1",
    "declare @password nvarchar(50) = N'Gehe1m!'",
    "set @sql = 'line one\npassword = Gehe1m!\nline three'",
    "select decryptbypassphrase('Gehe1m!', Card) from bronze.Customer",
]
KEYS = [
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_0123456789abcdefghijklmnopqrstuvwxyz",
    "sk-ant-api03-abcdefghijklmnop",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
]


@pytest.mark.parametrize("text", SECRETS)
def test_a_secret_is_masked_wherever_it_stands(text: str) -> None:
    masked = Masker(text, literals=False).tsql(text)
    assert "Gehe1m" not in masked
    assert masked.count("\n") == text.count("\n")


@pytest.mark.parametrize("key", KEYS)
def test_a_literal_that_looks_like_a_key_is_masked_and_put_back(key: str) -> None:
    text = f"SELECT * FROM bronze.Customer WHERE Hash = '{key}' -- {key[:4]}"
    masker = Masker(text, literals=False)
    assert key not in masker.tsql(text)
    model = f"select * from x where Hash = '{key}'\n"
    assert key not in masker.model(model)
    assert masker.restored(masker.model(model)) == model


@pytest.mark.parametrize(
    "literal",
    [
        "Active",
        "2024-01-01T00:00:00",
        "n/a",
        "dbo.usp_Load_Customer",
        "Europe/Berlin",
        "%-archived",
    ],
)
def test_ordinary_literals_stay(literal: str) -> None:
    text = f"select '{literal}', 42 from t"
    assert Masker(text, literals=False).tsql(text) == text


def test_with_mask_literals_no_literal_is_left_and_lines_stay() -> None:
    text = (
        "CREATE PROC p @from DATE = '2020-01-01' AS -- of 'Active' ones\n"
        "SELECT CAST(a AS DECIMAL(18, 2)) * 1.19, N'it''s', 'x\ny' FROM t WHERE k > 250 AND b = 1"
    )
    masker = Masker(text, literals=True)
    masked = masker.tsql(text)
    for literal in ("2020", "1.19", "it''s", "250", "x\ny"):
        assert literal not in masked
    assert "DECIMAL(18, 2)" in masked
    assert "b = 1" in masked
    assert masked.count("\n") == text.count("\n")
    model = "select 1.19, 'it''s' from {{ var('p_from', '2020-01-01') }} where k > 250"
    hidden = masker.model(model)
    assert "2020" not in hidden
    assert "250" not in hidden
    assert masker.restored(hidden) == model


_WORDS = st.text(string.ascii_letters + string.digits + " '-_%", max_size=12)


@given(
    texts=st.lists(_WORDS, min_size=1, max_size=5),
    numbers=st.lists(st.integers(0, 10**6), max_size=4),
)
def test_masking_and_restoring_a_model_changes_nothing(
    texts: list[str], numbers: list[int]
) -> None:
    literals = ["'" + text.replace("'", "''") + "'" for text in texts] + [str(n) for n in numbers]
    procedure = "SELECT " + ", ".join(literals)
    masker = Masker(procedure, literals=True)
    model = f"{{{{ config(materialized='table') }}}}\nselect {', '.join(literals)} -- done\n"
    assert masker.restored(masker.model(model)).partition("--")[0] == model.partition("--")[0]


@pytest.fixture
def job(tmp_path: Path) -> Job:
    project = write_dynamic(tmp_path / "project", ["Customer"])
    settings = Settings()
    plan = plan_run(MigrationProject.open(project), ["silver.customer"], settings)
    return plan.job("silver.customer", {})


FAILED = Verification(
    Phase.REPLAY,
    compile_passed=True,
    errors=("Conversion Error: Could not convert string 'Ada Lovelace' to INT32",),
    scenarios=(
        ScenarioOutcome(
            "test_load_customer",
            ScenarioStatus.FAIL,
            "1 row is missing",
            missing=({"Id": 1, "Name": "ADA LOVELACE"},),
            unexpected=({"Id": 1, "Name": None},),
        ),
    ),
)


def sent_about(
    job: Job, *, send_rows: bool, counterexample: Mapping[str, object] | None = None
) -> str:
    masker = material(job, mask_literals=False).masker
    privacy = Privacy(job, masker, send_rows=send_rows, sent=(job.procedure.text,))
    failure = Failure(FailureKind.TESTS, "1 test failed", FAILED, counterexample=counterexample)
    return json.dumps(findings(failure, privacy))


def test_without_send_rows_only_the_shape_of_a_difference_is_sent(job: Job) -> None:
    sent = sent_about(job, send_rows=False)
    assert "ovelace" not in sent.lower()
    assert '"column": "Name", "expected": ["text"], "actual": ["null"]' in sent
    assert "test_load_customer" in sent
    assert '"rows_missing": 1' in sent
    assert "Conversion Error" in sent


def test_with_send_rows_rows_are_sent_but_personal_columns_never(job: Job) -> None:
    assert "ADA LOVELACE" in sent_about(job, send_rows=True)
    document = job.table.model_dump(mode="json")
    document["sensitivity_classifications"] = [{"column": "name", "label": "Confidential"}]
    table = type(job.table).model_validate(document)
    sent = sent_about(replace(job, table=table), send_rows=True)
    assert "ovelace" not in sent.lower()
    assert "<personal>" in sent


def test_counterexamples_are_sent_but_not_what_they_took_from_a_spec(job: Job) -> None:
    rows = [{"Id": 7, "Name": "qzx"}, {"Id": 1, "Name": "Ada Lovelace"}]
    document = {"missing": rows, "summary": "Ada Lovelace is missing", "unit_test": "Name: qzy"}
    sent = sent_about(job, send_rows=False, counterexample=document)
    assert "qzx" in sent
    assert "Lovelace" not in sent
    # The rendered unit test is a text in which no column can be masked.
    assert "qzy" not in sent


def test_personal_columns_are_masked_in_counterexamples_too(job: Job) -> None:
    document = job.table.model_dump(mode="json")
    document["sensitivity_classifications"] = [{"column": "name", "label": "Confidential"}]
    private = replace(job, table=type(job.table).model_validate(document))
    example = {
        "rounds": [{"tables": {"bronze.customer": [{"Id": 7, "name": "qzx"}]}}],
        "missing": [{"Id": 7, "NAME": "qzx"}],
        "unit_test": "rows:\n  - Name: qzx\n",
    }
    for send_rows in (False, True):
        sent = sent_about(private, send_rows=send_rows, counterexample=example)
        assert "qzx" not in sent
        assert "<personal>" in sent


def test_a_prompt_is_the_same_bytes_every_time(job: Job) -> None:
    first, second = (material(job, mask_literals=False) for _ in range(2))
    assert (first.catalog, first.procedure) == (second.catalog, second.procedure)
    assert str(job.project.root) not in first.catalog + first.procedure


# --- answers --------------------------------------------------------------------------------


def test_edits_are_made_exactly_once_or_not_at_all() -> None:
    text = "select a\nfrom t\nwhere a > 1\n"
    assert edited(text, [Edit(old="a > 1", new="a > 2")]) == text.replace("a > 1", "a > 2")
    for old, words in (("a", "2 times"), ("where b > 1", "nearest line is 3"), ("", "empty")):
        problems = edited(text, [Edit(old="from t", new="from u"), Edit(old=old, new="x")])
        assert isinstance(problems, tuple)
        assert words in problems[0]


@pytest.mark.parametrize(
    "text",
    ["", "no json", "[]", '{"design": 1}', json.dumps(authored() | {"yaml": "x"}), "[" * 100_000],
)
def test_an_answer_of_another_shape_is_a_failure(text: str) -> None:
    read = read_answer(Authored, text)
    assert not isinstance(read, Authored)
    assert "shape" in read.sentence


def test_the_schemas_are_what_constrained_decoding_takes() -> None:
    def check(node: object) -> None:
        if isinstance(node, dict):
            assert "$ref" not in node
            assert "anyOf" not in node
            if node.get("type") == "object":
                assert node["additionalProperties"] is False
                assert node["required"] == list(node["properties"])
            for value in node.values():
                check(value)
        elif isinstance(node, list):
            for value in node:
                check(value)

    check(AUTHORED_SCHEMA)
    check(REVIEWED_SCHEMA)
    assert len(json.dumps(AUTHORED_SCHEMA)) < 4_000
