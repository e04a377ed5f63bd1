"""The coverage report over folders of any kind."""

from __future__ import annotations

import json
from pathlib import Path

from core.compiler.report import compile_report

PROCEDURES = """
CREATE PROCEDURE dbo.LoadOrders AS
TRUNCATE TABLE dbo.Orders
INSERT INTO dbo.Orders (OrderID, Total) SELECT o.OrderID, o.Price * o.Qty FROM stage.Orders o
GO
CREATE PROCEDURE dbo.Loop AS
WHILE (SELECT AVG(Total) FROM dbo.Orders) > 100
BEGIN
    INSERT INTO dbo.Orders (OrderID) SELECT MAX(OrderID) FROM dbo.Orders
    UPDATE dbo.Orders SET Total = Total / 2
END
GO
CREATE PROCEDURE dbo.ReadOnly AS SELECT 1 AS one
"""


def test_a_folder_without_ddl(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "procs.sql").write_bytes(PROCEDURES.encode("utf-16"))
    (tmp_path / "broken.SQL").write_bytes(b"CREATE PROCEDURE \xff\xfe AS (((\x00")
    (tmp_path / "notes.txt").write_text("no sql")
    report = compile_report(tmp_path)
    found = {p.procedure: p for p in report.procedures}
    assert report.files == 2
    assert found["dbo.LoadOrders"].status == "compiled"
    assert "stage.Orders" in found["dbo.LoadOrders"].inferred
    loop = found["dbo.Loop"]
    assert loop.status == "unsupported"
    assert loop.targets[0].construct == "WHILE"
    assert PROCEDURES.splitlines()[loop.targets[0].line - 1].startswith(("WHILE", "    INSERT"))
    assert found["dbo.ReadOnly"].status == "no target"
    assert report.share == 0.5
    assert json.loads(report.as_json())["totals"] == {
        "compiled": 1,
        "unsupported": 1,
        "no target": 2,  # one of them the broken one
    }
    assert "compiled 50.0%" in report.as_text()


def test_create_table_statements_describe_the_tables(tmp_path: Path) -> None:
    (tmp_path / "tables.sql").write_text(
        "CREATE TABLE dbo.Orders (OrderID int NOT NULL, Total decimal(18,2))\nGO\n"
        "CREATE TABLE stage.Orders (OrderID int, Price decimal(18,4), Qty int)\n"
    )
    (tmp_path / "procs.sql").write_text(PROCEDURES)
    report = compile_report(tmp_path)
    assert all(not procedure.inferred for procedure in report.procedures)


def test_an_empty_folder(tmp_path: Path) -> None:
    report = compile_report(tmp_path)
    assert report.procedures == ()
    assert report.share == 0.0


def test_a_log_is_a_target_only_of_what_is_there_for_it(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text(
        "CREATE PROC etl.WriteLog @n sysname AS INSERT INTO etl.LoadLog (Name) VALUES (@n)\nGO\n"
        "CREATE PROC etl.Night AS BEGIN EXEC etl.Other\nINSERT INTO etl.LoadLog (Name) "
        "VALUES ('night') END\nGO\n"
        "CREATE PROC dbo.Purge AS DELETE FROM dbo.EventLog WHERE Age > 90\nGO\n"
        "CREATE PROC dbo.L AS BEGIN INSERT INTO dbo.T (a) SELECT b FROM s.S\n"
        "INSERT INTO etl.LoadLog (Name) VALUES ('T') END\n"
    )
    found = {
        p.procedure: [t.target for t in p.targets] for p in compile_report(tmp_path).procedures
    }
    assert found == {
        "etl.WriteLog": ["etl.loadlog"],
        "etl.Night": [],
        "dbo.Purge": ["dbo.eventlog"],
        "dbo.L": ["dbo.t"],
    }


def test_a_table_that_is_gone_at_the_end_is_no_target(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text(
        "CREATE PROC dbo.p AS\nDROP TABLE IF EXISTS dbo.T\nSELECT a, b INTO dbo.Work FROM s.S\n"
        "SELECT a INTO dbo.T FROM dbo.Work\nDROP TABLE dbo.Work\n"
    )
    (procedure,) = compile_report(tmp_path).procedures
    assert [(t.target, t.compiled) for t in procedure.targets] == [("dbo.t", True)]
