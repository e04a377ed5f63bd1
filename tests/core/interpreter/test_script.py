"""``proc2dbt tsql`` without the command line: output, JSON and exit codes."""

from __future__ import annotations

import json
from importlib.resources import as_file
from pathlib import Path

import pytest

from core.demo import demo_project
from core.interpreter import Reference
from core.interpreter.script import run_tsql_command


def _json(text: str, setup: str | None = None) -> list[dict[str, object]]:
    output, _ = run_tsql_command(text, setup, None, True)
    found: list[dict[str, object]] = json.loads(output)
    return found


def test_an_object_per_batch_with_the_last_result_repeated() -> None:
    batches = _json("SELECT 1 AS a SELECT 2 AS b, 'x' AS c\nGO\nPRINT 'hi'")
    assert len(batches) == 2
    assert batches[0]["result_sets"] == [
        {"columns": ["a"], "rows": [[1]]},
        {"columns": ["b", "c"], "rows": [[2, "x"]]},
    ]
    assert batches[0]["columns"] == ["b", "c"]
    assert batches[0]["rows"] == [[2, "x"]]
    assert batches[0]["error"] is None
    assert batches[1]["columns"] == []
    assert batches[1]["rows"] == []
    assert batches[1]["messages"] == ["hi"]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("NULL", None),
        ("CAST(1 AS bit)", 1),
        ("CAST(5 AS bigint)", 5),
        ("CAST(1.5 AS decimal(9, 3))", "1.500"),
        ("CAST(1.5 AS money)", "1.5000"),
        ("CAST(1.5 AS float)", 1.5),
        ("CAST('2024-01-31' AS date)", "2024-01-31"),
        ("CAST('2024-01-31 10:11:12.345' AS datetime2(3))", "2024-01-31T10:11:12.345"),
        ("CAST('2024-01-31 10:11:12' AS datetime)", "2024-01-31T10:11:12"),
        ("CAST('10:11:12' AS time(0))", "10:11:12"),
        ("0x1AF0", "0x1AF0"),
        ("N'ü'", "ü"),
        (
            "CAST('6f9619ff-8b86-d011-b42d-00c04fc964ff' AS uniqueidentifier)",
            "6F9619FF-8B86-D011-B42D-00C04FC964FF",
        ),
    ],
)
def test_values(expression: str, value: object) -> None:
    assert _json(f"SELECT {expression} AS v")[0]["rows"] == [[value]]


def test_an_error_has_number_message_and_line() -> None:
    batch = _json("SELECT 1\nSELECT 1 / 0\nSELECT 3")[0]
    assert batch["error"] == {
        "number": 8134,
        "message": "Divide by zero error encountered.",
        "line": 2,
        "refused": False,
    }
    assert batch["rows"] == [[3]]


def test_what_cannot_be_run_is_refused() -> None:
    error = _json("EXEC xp_cmdshell 'x'")[0]["error"]
    assert isinstance(error, dict)
    assert error["number"] is None
    assert error["refused"] is True
    assert error["line"] == 1


def test_exit_codes(tmp_path: Path) -> None:
    assert run_tsql_command("SELECT 1")[1] == 0
    assert run_tsql_command("SELECT 1 / 0")[1] == 1
    assert run_tsql_command("SELECT 1", project=tmp_path / "nowhere")[1] == 2


def test_setup_comes_first_and_stays_silent() -> None:
    batches = _json(
        "SELECT * FROM dbo.t", "CREATE TABLE dbo.t (a int)\nGO\nINSERT dbo.t VALUES (4)"
    )
    assert [b["rows"] for b in batches] == [[[4]]]
    _, code = run_tsql_command("SELECT 1", "SELECT 1 / 0")
    assert code == 1


def test_text_output() -> None:
    output, _ = run_tsql_command("SELECT 1 AS id, NULL AS v PRINT 'done'")
    assert output.splitlines() == ["id v", "-- ----", "1  NULL", "(1 row)", "done"]


def test_a_project_has_tables_and_procedures() -> None:
    with as_file(demo_project()) as folder:
        output, code = run_tsql_command(
            "EXEC silver.usp_Load_DimStore SELECT count(*) FROM silver.DimStore",
            project=folder,
            as_json=True,
        )
    assert code == 0
    assert json.loads(output)[0]["rows"] == [[0]]


def test_unreadable_text_is_an_error_not_a_crash() -> None:
    output, code = run_tsql_command("SELECT ((((", as_json=True)
    assert code == 1
    assert (
        json.loads(output)[0]["error"]["number"] is not None
        or (json.loads(output)[0]["error"]["refused"])
    )


def test_what_nobody_foresaw_is_a_refusal_with_its_code_and_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("lost")

    monkeypatch.setattr("core.interpreter.changes.update", broken)
    output, code = run_tsql_command(
        "CREATE TABLE dbo.t (a int)\nSELECT 1\nUPDATE dbo.t SET a = 1", as_json=True
    )
    error = json.loads(output)[0]["error"]
    assert code == 1
    assert (error["number"], error["line"], error["refused"]) == (None, 3, True)
    assert "INTERPRETER_ERROR" in error["message"]


def test_text_nested_too_deeply_is_refused() -> None:
    with Reference() as reference:
        error = reference.run_script("BEGIN " * 3000)[-1].error
    assert error is not None
    assert error.refused
    assert error.construct == "TSQL_TOO_DEEP"


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("INSERT dbo.Item (ItemID, Qty) VALUES (1, 0)", 547),  # the column's CHECK
        ("INSERT dbo.Item (ItemID, Qty) VALUES (1, 1000)", 547),  # the one added later
        ("INSERT dbo.Item (ItemID, Qty, OwnerID) VALUES (1, 5, 9)", 547),  # the foreign key
        ("INSERT dbo.Item (ItemID, Qty) VALUES (1, NULL)", None),  # UNKNOWN is no violation
        ("INSERT dbo.Owner VALUES (9) INSERT dbo.Item VALUES (1, 5, 9)", None),
    ],
)
def test_a_project_s_checks_and_foreign_keys_hold(
    tmp_path: Path, written: str, number: int | None
) -> None:
    # https://learn.microsoft.com/en-us/sql/relational-databases/tables/unique-constraints-and-check-constraints
    (tmp_path / "ddl").mkdir()
    (tmp_path / "catalog" / "tables").mkdir(parents=True)
    (tmp_path / "manifest.json").write_text(
        json.dumps(
            {
                "schema_version": "1.0",
                "technology": "sql_server",
                "dialect": "tsql",
                "source_database": "Shop",
                "extracted_schemas": ["dbo"],
                "extracted_at": "2026-01-01T00:00:00Z",
            }
        )
    )
    (tmp_path / "ddl" / "tables.sql").write_text(
        "CREATE TABLE [dbo].[Owner] ([OwnerID] int NOT NULL PRIMARY KEY)\nGO\n"
        "CREATE TABLE [dbo].[Item] (\n  [ItemID] int NOT NULL,\n"
        "  [Qty] int NULL CONSTRAINT [CK_Qty] CHECK ([Qty] > (0)),\n  [OwnerID] int NULL\n)\nGO\n"
        "ALTER TABLE [dbo].[Item] WITH CHECK ADD CONSTRAINT [CK_Max] CHECK (([Qty]<(1000)))\nGO\n"
        "ALTER TABLE [dbo].[Item] WITH CHECK ADD CONSTRAINT [FK_Owner] FOREIGN KEY([OwnerID])\n"
        "REFERENCES [dbo].[Owner] ([OwnerID])\nGO\n"
    )
    output, _ = run_tsql_command(written, project=tmp_path, as_json=True)
    error = json.loads(output)[0]["error"]
    assert (error and error["number"]) == number, output
