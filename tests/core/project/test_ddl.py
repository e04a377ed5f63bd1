"""Batches and definitions: found by tokens, not fooled by comments, strings or missing GO."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.project.ddl import Batch, DdlObject, definitions, split_batches
from core.project.project import MigrationProject
from tests.core.project.builder import ProjectBuilder


def found(text: str) -> list[DdlObject]:
    return [item for batch in split_batches(text) for item in definitions(batch, "x.sql")]


def test_batches_end_at_go_lines_only() -> None:
    text = (
        "PRINT 'a\nGO\nb'\n"
        "/* /* nested */\nGO\n*/\n"
        "SELECT [\nGO\n]\n"
        "go -- done\n\n"
        "SELECT 2 AS GO_\n"
        "  Go 5\n"
        "-- only a comment\nGO\n"
        "SELECT 3"
    )
    batches = split_batches(text)
    assert [batch.first_line for batch in batches] == [1, 12, 14, 16]
    assert batches[0].text.endswith("]\n")
    assert batches[-1] == Batch("SELECT 3", 16)


@given(st.text(alphabet="GO og\n\r'[]\"/*-;5x", max_size=60))
def test_no_script_loses_a_line(text: str) -> None:
    lines = text.split("\n")
    for batch in split_batches(text):
        first = batch.text.split("\n")[0]
        assert lines[batch.first_line - 1].endswith(first) or first in text
        assert lines[batch.first_line - 1].find(first[:1]) >= 0


@pytest.mark.parametrize(
    ("head", "display"),
    [
        ("CREATE PROCEDURE silver.usp_load", "silver.usp_load"),
        ("create or alter proc [Silver].[usp_Load]", "Silver.usp_Load"),
        ("ALTER PROC [DW].[Silver].usp_Load", "Silver.usp_Load"),
        ('CREATE  OR\n ALTER /* x */ PROCEDURE -- y\n "silver" . [usp load]', "silver.usp load"),
        ("CREATE PROCEDURE usp_load", "dbo.usp_load"),
        ("CREATE PROC DW..usp_load", "dbo.usp_load"),
    ],
)
def test_heads(head: str, display: str) -> None:
    [procedure] = found(f"{head}\n    @day date = NULL\nAS SELECT 1")
    assert procedure.kind == "procedure"
    assert procedure.name.display == display


def test_what_stands_above_a_procedure() -> None:
    text = (
        "SET ANSI_NULLS ON\nGO\n"
        "/****** Object: CREATE PROCEDURE dbo.fake ******/\n"
        "-- loads the dimension\n"
        "CREATE PROCEDURE silver.a AS\n"
        "EXEC('CREATE PROCEDURE dbo.dynamic AS SELECT 1')\n"
        "GO\n"
        "IF OBJECT_ID('silver.b') IS NOT NULL DROP PROCEDURE silver.b\n"
        "CREATE PROCEDURE silver.b AS SELECT 2\n"
    )
    first, second = found(text)
    assert first.name.display == "silver.a"
    assert first.first_line == 3
    assert first.text.startswith("/****** Object")
    assert second.first_line == 9
    assert second.text == "CREATE PROCEDURE silver.b AS SELECT 2"


def test_a_forgotten_go_is_noted() -> None:
    first, second = found("CREATE PROC s.a AS SELECT 1\n\nCREATE PROC s.b AS SELECT 2")
    assert first.text == "CREATE PROC s.a AS SELECT 1"
    assert first.notes == ()
    assert "no GO" in second.notes[0]
    assert second.first_line == 3


def test_tables_made_inside_a_procedure_are_its_own() -> None:
    text = "CREATE PROC s.a AS\nCREATE TABLE #t (i int)\nCREATE TABLE s.log2 (i int)\nSELECT 1"
    [procedure] = found(text)
    assert procedure.text == text


def test_numbered_variants_are_other_procedures() -> None:
    names = [
        item.text
        for item in found("CREATE PROC s.a;1 AS SELECT 1\nGO\nCREATE PROC s.a;2 AS SELECT 2")
    ]
    assert names == ["CREATE PROC s.a;1 AS SELECT 1"]


def test_several_tables_in_one_batch() -> None:
    names = [
        t.name.display for t in found("CREATE TABLE a.b (i int);\nCREATE TABLE [a].[c] (i int)")
    ]
    assert names == ["a.b", "a.c"]


def test_the_last_definition_counts(tmp_path: Path) -> None:

    builder = ProjectBuilder(tmp_path).procedure("CREATE PROC s.a AS SELECT 1")
    builder.procedure("ALTER PROC [S].[A] AS SELECT 2")
    source = MigrationProject.open(builder.write()).procedure("s.a")
    assert source.text == "ALTER PROC [S].[A] AS SELECT 2"
    assert source.first_line == 4
    assert "ddl/procedures.sql line 1" in source.notes[0]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_encodings_of_scripts(tmp_path: Path, encoding: str) -> None:

    text = "-- für Köln\r\nCREATE PROC s.a AS\r\nSELECT 'é'\r\nGO\r\n"
    builder = ProjectBuilder(tmp_path).file("ddl/procedures.sql", text.encode(encoding))
    source = MigrationProject.open(builder.write()).procedure("S.A")
    assert "Köln" in source.text
    assert source.first_line == 1
