# ruff: noqa: E501 - a table: one case a line
"""Edges: rows of cursors, running variables, and what the server refuses by shape.

The cases are as in `behaviours`: ``(name, script, expected)`` below a page of Microsoft's
documentation.
"""

from __future__ import annotations

from tests.core.interpreter.behaviours import UNDOCUMENTED, Case, Error, _cases

T = "CREATE TABLE dbo.t (id int NOT NULL PRIMARY KEY, v varchar(10), q int)\nINSERT dbo.t VALUES (1, 'a', 10), (2, 'b', 20), (3, 'c', 30)\n"
LOOP = "DECLARE @i int\nDECLARE c CURSOR {} FOR SELECT id FROM dbo.t {}\nOPEN c FETCH NEXT FROM c INTO @i\nWHILE @@FETCH_STATUS = 0\nBEGIN\n{}\nFETCH NEXT FROM c INTO @i\nEND\nCLOSE c DEALLOCATE c\nSELECT id, q FROM dbo.t ORDER BY id"
OPENED = "DECLARE c CURSOR {} FOR SELECT id FROM dbo.t ORDER BY id OPEN c "

CASES: list[Case] = [
    *_cases(
        "cursor",
        "queries/update-transact-sql",
        (
            "WHERE CURRENT OF",
            T + LOOP.format("", "", "UPDATE dbo.t SET q = q + @i WHERE CURRENT OF c"),
            [(1, 11), (2, 22), (3, 33)],
        ),
        (
            "WHERE CURRENT OF counts and has OUTPUT",
            T
            + "DECLARE c SCROLL CURSOR FOR SELECT id FROM dbo.t ORDER BY id OPEN c FETCH ABSOLUTE 2 FROM c UPDATE dbo.t SET q = 99 OUTPUT deleted.q WHERE CURRENT OF c SELECT @@ROWCOUNT, (SELECT sum(q) FROM dbo.t)",
            [(1, 139)],
        ),
    ),
    *_cases(
        "cursor",
        "statements/delete-transact-sql",
        (
            "the row of a cursor",
            T
            + LOOP.format(
                "LOCAL", "ORDER BY id DESC", "IF @i = 2 DELETE FROM dbo.t WHERE CURRENT OF c"
            ),
            [(1, 10), (3, 30)],
        ),
    ),
    *_cases(
        "cursor",
        UNDOCUMENTED,
        (
            "a column that is not FOR UPDATE OF",
            T + LOOP.format("", "FOR UPDATE OF v", "UPDATE dbo.t SET q = 1 WHERE CURRENT OF c"),
            Error(16932),
        ),
        (
            "a table that is not the cursor's",
            T
            + "CREATE TABLE dbo.z (a int)\n"
            + OPENED.format("")
            + "FETCH NEXT FROM c UPDATE dbo.z SET a = 1 WHERE CURRENT OF c",
            Error(16933),
        ),
        (
            "before the first row",
            T + OPENED.format("") + "UPDATE dbo.t SET q = 1 WHERE CURRENT OF c",
            Error(16931),
        ),
        (
            "the row is gone",
            T
            + OPENED.format("")
            + "FETCH NEXT FROM c DELETE dbo.t UPDATE dbo.t SET q = 1 WHERE CURRENT OF c",
            Error(16947),
        ),
    ),
    *_cases(
        "cursor",
        "language-elements/declare-cursor-transact-sql",
        (
            "FAST_FORWARD is read only",
            T + LOOP.format("FAST_FORWARD", "", "UPDATE dbo.t SET q = 1 WHERE CURRENT OF c"),
            Error(16929),
        ),
        (
            "forward only without SCROLL",
            T + OPENED.format("") + "FETCH LAST FROM c",
            Error(16911),
        ),
        (
            "LOCAL ends with its batch",
            T + "DECLARE c CURSOR LOCAL FOR SELECT id FROM dbo.t\nGO\nOPEN c",
            Error(16916),
        ),
        (
            "GLOBAL outlives its batch",
            T + OPENED.format("GLOBAL") + "\nGO\nFETCH NEXT FROM c",
            [(1,)],
        ),
    ),
    *_cases(
        "cursor",
        "language-elements/fetch-transact-sql",
        (
            "ABSOLUTE is not for DYNAMIC",
            T + OPENED.format("SCROLL DYNAMIC") + "FETCH ABSOLUTE 1 FROM c",
            Error(16925),
        ),
        (
            "past the end",
            T
            + "DECLARE @i int = 7 "
            + OPENED.format("SCROLL")
            + "FETCH ABSOLUTE 9 FROM c INTO @i SELECT @@FETCH_STATUS, @@ROWCOUNT, @i",
            [(-1, 0, 7)],
        ),
    ),
    *_cases(
        "UPDATE",
        UNDOCUMENTED,
        (
            "a running total in three parts",
            T
            + "DECLARE @v int = 0 UPDATE dbo.t SET @v = q = @v + q SELECT id, q, @v FROM dbo.t ORDER BY id",
            [(1, 10, 60), (2, 30, 60), (3, 60, 60)],
        ),
        (
            "a running total in two",
            T
            + "DECLARE @v int = 0 UPDATE dbo.t SET @v = @v + q, q = @v SELECT id, q FROM dbo.t ORDER BY id",
            [(1, 10), (2, 30), (3, 60)],
        ),
    ),
    *_cases(
        "rowcount",
        "functions/rowcount-transact-sql",
        ("DECLARE with a value assigns", "DECLARE @x int = 5; SELECT @@ROWCOUNT", [(1,)]),
    ),
    *_cases(
        "INSERT",
        UNDOCUMENTED,
        ("fewer VALUES than columns", T + "INSERT dbo.t (id, v) VALUES (5)", Error(109)),
        ("more VALUES than columns", T + "INSERT dbo.t (id) VALUES (5, 6)", Error(110)),
    ),
    *_cases(
        "EXEC",
        "language-elements/execute-transact-sql",
        (
            "a value after a named one",
            "CREATE PROC dbo.p @a int, @b int AS SELECT @a\nGO\nEXEC dbo.p @a = 1, 2",
            Error(119),
        ),
    ),
    *_cases(
        "EXEC",
        "../relational-databases/system-stored-procedures/sp-executesql-transact-sql",
        ("the statement must be Unicode", "EXEC sp_executesql 'SELECT 1'", Error(214)),
    ),
    *_cases(
        "errors",
        "language-elements/raiserror-transact-sql",
        ("message numbers begin at 13000", "RAISERROR (13, 16, 1)", Error(2732)),
    ),
    *_cases(
        "dates",
        "functions/datepart-transact-sql",
        ("a date has no hour", "SELECT DATEPART(hour, CAST('2024-01-01' AS date))", Error(9810)),
        ("a text has", "SELECT DATEPART(hour, '2024-01-01')", [(0,)]),
    ),
    *_cases(
        "dates",
        UNDOCUMENTED,
        ("no hours to a date", "SELECT DATEADD(hour, 1, CAST('2024-01-01' AS date))", Error(9810)),
        ("no days to a time", "SELECT DATEADD(day, 1, CAST('10:00' AS time))", Error(9810)),
    ),
    *_cases(
        "queries",
        "queries/top-transact-sql",
        (
            "WITH TIES needs an order",
            "SELECT TOP 1 WITH TIES d FROM (VALUES (1)) t(d)",
            Error(1062),
        ),
    ),
    *_cases(
        "queries",
        "queries/select-order-by-clause-transact-sql",
        ("OFFSET needs an order", "SELECT d FROM (VALUES (1)) t(d) OFFSET 1 ROWS", Error(102)),
        (
            "not in a derived table",
            "SELECT a FROM (SELECT d AS a FROM (VALUES (1)) t(d) ORDER BY d) x",
            Error(1033),
        ),
        (
            "in a derived table with TOP",
            "SELECT a FROM (SELECT TOP 1 d AS a FROM (VALUES (2), (1)) t(d) ORDER BY d) x",
            [(1,)],
        ),
        (
            "of DISTINCT rows",
            "SELECT DISTINCT d FROM (VALUES (1, 2)) t(d, e) ORDER BY e",
            Error(145),
        ),
    ),
    *_cases(
        "queries",
        UNDOCUMENTED,
        ("no select list", T + "SELECT FROM dbo.t", Error(156)),
        ("a derived table without a name", "SELECT * FROM (SELECT 1 AS a)", Error(102)),
    ),
    *_cases(
        "NULL constants",
        "language-elements/coalesce-transact-sql",
        ("COALESCE", "SELECT COALESCE(NULL, NULL)", Error(4127)),
    ),
    *_cases(
        "NULL constants",
        UNDOCUMENTED,
        ("CASE", "SELECT CASE WHEN 1 = 1 THEN NULL ELSE NULL END", Error(8133)),
        ("NULLIF", "SELECT NULLIF(NULL, 1)", Error(4151)),
    ),
]
