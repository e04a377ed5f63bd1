# ruff: noqa: E501 - a table: one case a line
"""Statements and what SQL Server does with them: one script, one answer, one page for each.

A case is ``(page, name, script, expected)``. `expected` is the last result set's rows, or
``Error(number)`` for a script whose last batch ends with that error. Pages are those of Microsoft's
documentation below ``https://learn.microsoft.com/en-us/sql/t-sql/``; ``UNDOCUMENTED`` marks what
every version does and no page says.
"""

from __future__ import annotations

from dataclasses import dataclass

UNDOCUMENTED = "undocumented"

#: Pages whose stored text was opened and read (long ones in part) for the cases that name them. That
#: a page is here means it exists and covers the statement; error numbers stand on few of them.
READ_PAGES = frozenset(
    {
        "statements/insert-transact-sql",
        "statements/merge-transact-sql",
        "queries/update-transact-sql",
        "functions/rowcount-transact-sql",
        "language-elements/try-catch-transact-sql",
        "language-elements/throw-transact-sql",
        "language-elements/raiserror-transact-sql",
        "statements/set-xact-abort-transact-sql",
        "language-elements/select-local-variable-transact-sql",
        "language-elements/execute-transact-sql",
        "statements/create-table-transact-sql-identity-property",
        "statements/truncate-table-transact-sql",
        "statements/delete-transact-sql",
        "queries/select-into-clause-transact-sql",
        "data-types/table-transact-sql",
        "language-elements/rollback-transaction-transact-sql",
        "language-elements/declare-cursor-transact-sql",
        "queries/with-common-table-expression-transact-sql",
        "language-elements/set-local-variable-transact-sql",
        "functions/error-transact-sql",
        "functions/scope-identity-transact-sql",
        "queries/top-transact-sql",
        "language-elements/return-transact-sql",
        "language-elements/commit-transaction-transact-sql",
        "functions/trancount-transact-sql",
        "language-elements/goto-transact-sql",
        "language-elements/while-transact-sql",
        "queries/from-using-pivot-and-unpivot",
        "statements/drop-table-transact-sql",
        "language-elements/if-else-transact-sql",
        "../relational-databases/system-stored-procedures/sp-executesql-transact-sql",
        "functions/next-value-for-transact-sql",
        "functions/object-id-transact-sql",
        "database-console-commands/dbcc-checkident-transact-sql",
        "functions/cursor-rows-transact-sql",
        "functions/try-convert-transact-sql",
    }
)


@dataclass(frozen=True)
class Error:
    """The error that ends (or is the first of) the last batch."""

    number: int


@dataclass(frozen=True)
class Case:
    kind: str
    page: str
    name: str
    script: str
    expected: object

    @property
    def page_was_read(self) -> bool:
        return self.page in READ_PAGES


T = "CREATE TABLE dbo.t (id int NOT NULL, v varchar(10) NULL, q int NULL);\n"
T3 = T + "INSERT INTO dbo.t VALUES (1, 'a', 10), (2, 'b', 20), (3, 'c', 30)\n"
K = "CREATE TABLE dbo.k (id int NOT NULL PRIMARY KEY, v varchar(10) NULL)\nINSERT dbo.k VALUES (1, 'a')\n"
I = "CREATE TABLE dbo.i (id int IDENTITY(1, 1) PRIMARY KEY, v varchar(10) NOT NULL)\n"  # noqa: E741

_SET = "language-elements/set-local-variable-transact-sql"
_TRY = "language-elements/try-catch-transact-sql"
_INTO = "queries/select-into-clause-transact-sql"
#: Cases whose page was read and does not say it; another page may.
UNSTATED = frozenset(
    {
        (_SET, "text is cut to the variable"),
        (_SET, "default length is 1"),
        (_SET, "decimal rounds, int truncates"),
        (_SET, "not declared"),
        (_SET, "end with their batch"),
        (_SET, "names ignore case"),
        (_SET, "several rows"),
        (_TRY, "conversion dooms the transaction"),
        (_TRY, "a conversion ends the batch"),
        (_TRY, "the next statement runs"),
        (_INTO, "exists already"),
        (_INTO, "needs names"),
        (_INTO, "rowcount"),
        ("statements/drop-table-transact-sql", "is rolled back"),
        ("statements/merge-transact-sql", "case does not matter in ON"),
        ("language-elements/raiserror-transact-sql", "NULL argument"),
        ("language-elements/throw-transact-sql", "a number below 50000"),
    }
)


def _cases(kind: str, page: str, *rows: tuple[str, str, object]) -> list[Case]:
    return [
        Case(kind, UNDOCUMENTED if (page, name) in UNSTATED else page, name, script, expected)
        for name, script, expected in rows
    ]


CASES: list[Case] = [
    *_cases(
        "INSERT",
        "statements/insert-transact-sql",
        (
            "values",
            T + "INSERT INTO dbo.t (id, v) VALUES (1, 'x'), (2, 'y') SELECT id, v, q FROM dbo.t",
            [(1, "x", None), (2, "y", None)],
        ),
        (
            "without INTO or list",
            T + "insert dbo.t values (1,'x',5) select * from dbo.t",
            [(1, "x", 5)],
        ),
        (
            "columns in another order",
            T + "INSERT dbo.t (q, id) VALUES (7, 1) SELECT id, q FROM dbo.t",
            [(1, 7)],
        ),
        (
            "select",
            T3
            + "INSERT dbo.t SELECT id + 10, v, q FROM dbo.t WHERE q > 10 SELECT count(*) FROM dbo.t",
            [(5,)],
        ),
        (
            "reads itself as it was",
            T3 + "INSERT dbo.t SELECT * FROM dbo.t SELECT count(*) FROM dbo.t",
            [(6,)],
        ),
        (
            "default values",
            "CREATE TABLE dbo.d (a int DEFAULT 7, b varchar(5) DEFAULT ('x'))\nINSERT dbo.d DEFAULT VALUES SELECT * FROM dbo.d",
            [(7, "x")],
        ),
        (
            "default for an omitted column",
            "CREATE TABLE dbo.d (a int, b int DEFAULT (1 + 1))\nINSERT dbo.d (a) VALUES (1) SELECT * FROM dbo.d",
            [(1, 2)],
        ),
        (
            "NULL is not the default",
            "CREATE TABLE dbo.d (a int DEFAULT 7)\nINSERT dbo.d VALUES (NULL) SELECT * FROM dbo.d",
            [(None,)],
        ),
        (
            "the word DEFAULT",
            "CREATE TABLE dbo.d (a int DEFAULT 7, b int)\nINSERT dbo.d VALUES (DEFAULT, 1), (2, DEFAULT) SELECT * FROM dbo.d",
            [(7, 1), (2, None)],
        ),
        ("too few values", T + "INSERT dbo.t VALUES (1, 'x')", Error(213)),
        ("fewer selected than listed", T + "INSERT dbo.t (id, v) SELECT 1", Error(120)),
        ("more selected than listed", T + "INSERT dbo.t (id) SELECT 1, 2", Error(121)),
        ("NULL into NOT NULL", T + "INSERT dbo.t (v) VALUES ('x')", Error(515)),
        ("text too long", T + "INSERT dbo.t VALUES (1, '12345678901', 1)", Error(2628)),
        (
            "trailing blanks may be cut",
            T + "INSERT dbo.t VALUES (1, '1234567890   ', 1) SELECT v FROM dbo.t",
            [("1234567890",)],
        ),
        (
            "text too long with warnings off",
            T
            + "SET ANSI_WARNINGS OFF INSERT dbo.t VALUES (1, '12345678901', 1) SELECT v FROM dbo.t",
            [("1234567890",)],
        ),
        ("overflow", T + "INSERT dbo.t VALUES (3000000000, 'x', 1)", Error(8115)),
        (
            "text for a number",
            T + "INSERT dbo.t VALUES ('12', 'x', 1) SELECT id FROM dbo.t",
            [(12,)],
        ),
        ("text that is no number", T + "INSERT dbo.t VALUES ('1x', 'x', 1)", Error(245)),
        ("unknown column", T + "INSERT dbo.t (nope) VALUES (1)", Error(207)),
        ("unknown table", "INSERT dbo.nope VALUES (1)", Error(208)),
        (
            "a failing row keeps all out",
            T + "INSERT dbo.t (id) VALUES (1), (NULL)\nGO\nSELECT count(*) FROM dbo.t",
            [(0,)],
        ),
        (
            "top",
            T3 + "INSERT TOP (2) dbo.t SELECT id, v, q FROM dbo.t SELECT count(*) FROM dbo.t",
            [(5,)],
        ),
        (
            "with a CTE",
            T + "WITH c AS (SELECT 1 AS a) INSERT dbo.t (id) SELECT a FROM c SELECT id FROM dbo.t",
            [(1,)],
        ),
        (
            "from a procedure",
            T
            + "GO\nCREATE PROCEDURE dbo.p AS SELECT 1, 'x', 2\nGO\nINSERT dbo.t EXEC dbo.p SELECT * FROM dbo.t",
            [(1, "x", 2)],
        ),
        (
            "from dynamic SQL",
            T + "INSERT dbo.t (id) EXEC ('SELECT 4 UNION ALL SELECT 5') SELECT id FROM dbo.t",
            [(4,), (5,)],
        ),
        (
            "through a view",
            T
            + "GO\nCREATE VIEW dbo.vw AS SELECT id AS k, v FROM dbo.t\nGO\nINSERT dbo.vw (k, v) VALUES (1, 'x') SELECT id, v FROM dbo.t",
            [(1, "x")],
        ),
        (
            "numeric rounds, int truncates",
            "CREATE TABLE dbo.d (a decimal(5, 1), b int)\nINSERT dbo.d VALUES (1.25, 2.9) SELECT * FROM dbo.d",
            [("1.3", 2)],
        ),
        (
            "char is padded",
            "CREATE TABLE dbo.d (a char(4))\nINSERT dbo.d VALUES ('ab') SELECT a + '|' FROM dbo.d",
            [("ab  |",)],
        ),
        (
            "computed column",
            "CREATE TABLE dbo.d (a int, b AS a * 2)\nINSERT dbo.d (a) VALUES (4) SELECT a, b FROM dbo.d",
            [(4, 8)],
        ),
        (
            "computed column cannot be written",
            "CREATE TABLE dbo.d (a int, b AS a * 2)\nINSERT dbo.d (a, b) VALUES (4, 1)",
            Error(271),
        ),
    ),
    *_cases(
        "identity",
        "statements/create-table-transact-sql-identity-property",
        (
            "numbers rows",
            I + "INSERT dbo.i VALUES ('a'), ('b') SELECT * FROM dbo.i",
            [(1, "a"), (2, "b")],
        ),
        (
            "seed and increment",
            "CREATE TABLE dbo.i (id int IDENTITY(100, 10), v int)\nINSERT dbo.i VALUES (1), (2) SELECT id FROM dbo.i",
            [(100,), (110,)],
        ),
        (
            "order of an INSERT … ORDER BY",
            T3 + I + "INSERT dbo.i SELECT v FROM dbo.t ORDER BY v DESC SELECT * FROM dbo.i",
            [(1, "c"), (2, "b"), (3, "a")],
        ),
        ("explicit value refused", I + "INSERT dbo.i (id, v) VALUES (9, 'x')", Error(544)),
        (
            "IDENTITY_INSERT",
            I
            + "SET IDENTITY_INSERT dbo.i ON INSERT dbo.i (id, v) VALUES (9, 'x') SET IDENTITY_INSERT dbo.i OFF INSERT dbo.i VALUES ('y') SELECT * FROM dbo.i",
            [(9, "x"), (10, "y")],
        ),
        (
            "IDENTITY_INSERT needs a value",
            I + "SET IDENTITY_INSERT dbo.i ON INSERT dbo.i (v) VALUES ('x')",
            Error(545),
        ),
        (
            "IDENTITY_INSERT needs a list",
            I + "SET IDENTITY_INSERT dbo.i ON INSERT dbo.i VALUES (1, 'x')",
            Error(8101),
        ),
        (
            "IDENTITY_INSERT of two tables",
            I
            + "CREATE TABLE dbo.j (id int IDENTITY)\nSET IDENTITY_INSERT dbo.i ON SET IDENTITY_INSERT dbo.j ON",
            Error(8107),
        ),
        (
            "not rolled back",
            I
            + "BEGIN TRAN INSERT dbo.i VALUES ('a') ROLLBACK INSERT dbo.i VALUES ('b') SELECT * FROM dbo.i",
            [(2, "b")],
        ),
        (
            "a failed insert uses a number",
            I + "INSERT dbo.i VALUES (NULL)\nGO\nINSERT dbo.i VALUES ('b') SELECT id FROM dbo.i",
            [(2,)],
        ),
        ("cannot be updated", I + "INSERT dbo.i VALUES ('a') UPDATE dbo.i SET id = 5", Error(8102)),
        (
            "DELETE keeps counting",
            I
            + "INSERT dbo.i VALUES ('a') DELETE dbo.i INSERT dbo.i VALUES ('b') SELECT id FROM dbo.i",
            [(2,)],
        ),
    ),
    *_cases(
        "identity",
        "statements/truncate-table-transact-sql",
        (
            "TRUNCATE starts again",
            I
            + "INSERT dbo.i VALUES ('a') TRUNCATE TABLE dbo.i INSERT dbo.i VALUES ('b') SELECT id FROM dbo.i",
            [(1,)],
        ),
        (
            "TRUNCATE is transactional",
            T3 + "BEGIN TRAN TRUNCATE TABLE dbo.t ROLLBACK SELECT count(*) FROM dbo.t",
            [(3,)],
        ),
        ("TRUNCATE of nothing", "TRUNCATE TABLE dbo.nope", Error(4701)),
    ),
    *_cases(
        "identity",
        "functions/scope-identity-transact-sql",
        (
            "SCOPE_IDENTITY",
            I + "INSERT dbo.i VALUES ('a'), ('b') SELECT SCOPE_IDENTITY()",
            [("2",)],
        ),
        ("NULL before any insert", "SELECT SCOPE_IDENTITY()", [(None,)]),
        (
            "not of an inner scope",
            I
            + "GO\nCREATE PROCEDURE dbo.p AS INSERT dbo.i VALUES ('x')\nGO\nEXEC dbo.p SELECT SCOPE_IDENTITY(), @@IDENTITY",
            [(None, "1")],
        ),
    ),
    *_cases(
        "identity",
        "database-console-commands/dbcc-checkident-transact-sql",
        (
            "reseed",
            I
            + "INSERT dbo.i VALUES ('a') DBCC CHECKIDENT ('dbo.i', RESEED, 50) INSERT dbo.i VALUES ('b') SELECT id FROM dbo.i",
            [(1,), (51,)],
        ),
    ),
    *_cases(
        "UPDATE",
        "queries/update-transact-sql",
        ("all rows", T3 + "UPDATE dbo.t SET q = 0 SELECT sum(q), @@ROWCOUNT FROM dbo.t", [(0, 3)]),
        (
            "where",
            T3 + "UPDATE dbo.t SET q = q + 1 WHERE id = 2 SELECT q FROM dbo.t",
            [(10,), (21,), (30,)],
        ),
        (
            "swap sees the old values",
            "CREATE TABLE dbo.d (a int, b int)\nINSERT dbo.d VALUES (1, 2) UPDATE dbo.d SET a = b, b = a SELECT * FROM dbo.d",
            [(2, 1)],
        ),
        (
            "compound",
            T3
            + "UPDATE dbo.t SET q += 5, v += 'x' WHERE id = 1 SELECT v, q FROM dbo.t WHERE id = 1",
            [("ax", 15)],
        ),
        (
            "from with alias",
            T3 + "UPDATE x SET x.q = 1 FROM dbo.t AS x WHERE x.id = 1 SELECT q FROM dbo.t",
            [(1,), (20,), (30,)],
        ),
        (
            "from join",
            T3
            + "CREATE TABLE dbo.s (id int, n int)\nINSERT dbo.s VALUES (1, 100), (3, 300) UPDATE t SET q = s.n FROM dbo.t t JOIN dbo.s s ON s.id = t.id SELECT q FROM dbo.t",
            [(100,), (20,), (300,)],
        ),
        (
            "from with the table named again is one table",
            T3
            + "CREATE TABLE dbo.s (id int, n int)\nINSERT dbo.s VALUES (1, 100) UPDATE dbo.t SET q = s.n FROM dbo.t JOIN dbo.s s ON s.id = dbo.t.id SELECT q FROM dbo.t",
            [(100,), (20,), (30,)],
        ),
        (
            "comma join",
            T3
            + "CREATE TABLE dbo.s (id int, n int)\nINSERT dbo.s VALUES (2, 5) UPDATE dbo.t SET q = s.n FROM dbo.s s WHERE s.id = t.id SELECT q FROM dbo.t",
            [(10,), (5,), (30,)],
        ),
        (
            "left join gives NULL",
            T3
            + "CREATE TABLE dbo.s (id int, n int)\nINSERT dbo.s VALUES (2, 5) UPDATE t SET q = s.n FROM dbo.t t LEFT JOIN dbo.s s ON s.id = t.id SELECT q FROM dbo.t",
            [(None,), (5,), (None,)],
        ),
        (
            "subquery value",
            T3 + "UPDATE dbo.t SET q = (SELECT max(q) FROM dbo.t) SELECT q FROM dbo.t",
            [(30,), (30,), (30,)],
        ),
        (
            "through a CTE",
            T3
            + "WITH c AS (SELECT q, row_number() OVER (ORDER BY id DESC) AS rn FROM dbo.t) UPDATE c SET q = rn SELECT q FROM dbo.t",
            [(3,), (2,), (1,)],
        ),
        (
            "through a view",
            T3
            + "GO\nCREATE VIEW dbo.vw AS SELECT id, q AS amount FROM dbo.t\nGO\nUPDATE dbo.vw SET amount = 1 WHERE id = 1 SELECT q FROM dbo.t",
            [(1,), (20,), (30,)],
        ),
        (
            "top",
            T3 + "UPDATE TOP (2) dbo.t SET q = 0 SELECT count(*) FROM dbo.t WHERE q = 0",
            [(2,)],
        ),
        (
            "variable gets the value",
            T3 + "DECLARE @x int UPDATE dbo.t SET @x = q = q + 1 WHERE id = 1 SELECT @x",
            [(11,)],
        ),
        ("NULL into NOT NULL", T3 + "UPDATE dbo.t SET id = NULL", Error(515)),
        ("text too long", T3 + "UPDATE dbo.t SET v = '12345678901'", Error(2628)),
        ("a key twice", K + "INSERT dbo.k VALUES (2, 'b') UPDATE dbo.k SET id = 1", Error(2627)),
        (
            "keys may shift",
            K + "INSERT dbo.k VALUES (2, 'b') UPDATE dbo.k SET id = id + 1 SELECT id FROM dbo.k",
            [(2,), (3,)],
        ),
        ("unknown column", T3 + "UPDATE dbo.t SET nope = 1", Error(207)),
        (
            "division by zero changes nothing",
            T3 + "UPDATE dbo.t SET q = 1 / (id - 2)\nGO\nSELECT q FROM dbo.t",
            [(10,), (20,), (30,)],
        ),
        (
            "output",
            T3 + "UPDATE dbo.t SET q = q * 2 OUTPUT deleted.q, inserted.q WHERE id = 2",
            [(20, 40)],
        ),
        ("rows that do not change count", T3 + "UPDATE dbo.t SET q = q SELECT @@ROWCOUNT", [(3,)]),
        (
            "NULL condition does not match",
            T3
            + "UPDATE dbo.t SET q = NULL WHERE id = 1 UPDATE dbo.t SET v = 'z' WHERE q <> 99 SELECT v FROM dbo.t",
            [("a",), ("z",), ("z",)],
        ),
    ),
    *_cases(
        "DELETE",
        "statements/delete-transact-sql",
        ("all", T3 + "DELETE dbo.t SELECT @@ROWCOUNT, (SELECT count(*) FROM dbo.t)", [(3, 0)]),
        ("where", T3 + "DELETE FROM dbo.t WHERE id > 1 SELECT id FROM dbo.t", [(1,)]),
        (
            "from join",
            T3
            + "CREATE TABLE dbo.s (id int)\nINSERT dbo.s VALUES (2), (2) DELETE t FROM dbo.t t JOIN dbo.s s ON s.id = t.id SELECT @@ROWCOUNT",
            [(1,)],
        ),
        (
            "delete from from",
            T3
            + "CREATE TABLE dbo.s (id int)\nINSERT dbo.s VALUES (3) DELETE FROM dbo.t FROM dbo.t AS x INNER JOIN dbo.s AS s ON s.id = x.id SELECT id FROM dbo.t",
            [(1,), (2,)],
        ),
        (
            "not exists",
            T3
            + "DELETE dbo.t WHERE NOT EXISTS (SELECT 1 FROM dbo.t o WHERE o.q > t.q) SELECT id FROM dbo.t",
            [(1,), (2,)],
        ),
        (
            "duplicates through a CTE",
            T3
            + "INSERT dbo.t VALUES (1, 'a', 10);\nWITH c AS (SELECT row_number() OVER (PARTITION BY id ORDER BY q) AS rn FROM dbo.t) DELETE FROM c WHERE rn > 1 SELECT id FROM dbo.t ORDER BY id",
            [(1,), (2,), (3,)],
        ),
        ("top", T3 + "DELETE TOP (1) FROM dbo.t SELECT count(*) FROM dbo.t", [(2,)]),
        (
            "output into",
            T3
            + "DECLARE @o TABLE (id int) DELETE dbo.t OUTPUT deleted.id INTO @o WHERE q >= 20 SELECT id FROM @o",
            [(2,), (3,)],
        ),
        ("unknown table", "DELETE dbo.nope", Error(208)),
    ),
    *_cases(
        "MERGE",
        "statements/merge-transact-sql",
        (
            "update and insert",
            T3
            + "MERGE dbo.t AS t USING (VALUES (3, 'C'), (4, 'd')) AS s (id, v) ON t.id = s.id WHEN MATCHED THEN UPDATE SET v = s.v WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.id, s.v);\nSELECT id, v FROM dbo.t ORDER BY id",
            [(1, "a"), (2, "b"), (3, "C"), (4, "d")],
        ),
        (
            "not matched by source",
            T3
            + "MERGE dbo.t AS t USING (SELECT 1 AS id) AS s ON t.id = s.id WHEN NOT MATCHED BY SOURCE THEN DELETE;\nSELECT id FROM dbo.t",
            [(1,)],
        ),
        (
            "by source with a condition",
            T3
            + "MERGE dbo.t AS t USING (SELECT 1 AS id) AS s ON t.id = s.id WHEN NOT MATCHED BY SOURCE AND t.q > 20 THEN UPDATE SET q = 0;\nSELECT q FROM dbo.t",
            [(10,), (20,), (0,)],
        ),
        (
            "matched with a condition, then another",
            T3
            + "MERGE dbo.t AS t USING dbo.t AS s ON t.id = s.id WHEN MATCHED AND t.q > 20 THEN DELETE WHEN MATCHED THEN UPDATE SET q = t.q + 1;\nSELECT id, q FROM dbo.t",
            [(1, 11), (2, 21)],
        ),
        (
            "sees the tables as they were",
            T3
            + "MERGE dbo.t AS t USING (SELECT id + 1 AS id, q FROM dbo.t) AS s ON t.id = s.id WHEN MATCHED THEN UPDATE SET q = s.q WHEN NOT MATCHED THEN INSERT (id, q) VALUES (s.id, s.q);\nSELECT id, q FROM dbo.t ORDER BY id",
            [(1, 10), (2, 10), (3, 20), (4, 30)],
        ),
        (
            "inserted rows are not matched again",
            T
            + "MERGE dbo.t AS t USING (VALUES (1), (1)) AS s (id) ON t.id = s.id WHEN MATCHED THEN UPDATE SET q = 9 WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id);\nSELECT id, q FROM dbo.t",
            [(1, None), (1, None)],
        ),
        (
            "a row twice",
            T3
            + "MERGE dbo.t AS t USING (VALUES (1, 5), (1, 6)) AS s (id, q) ON t.id = s.id WHEN MATCHED THEN UPDATE SET q = s.q;",
            Error(8672),
        ),
        (
            "a row twice, conditions apart",
            T3
            + "MERGE dbo.t AS t USING (VALUES (1, 5), (1, 6)) AS s (id, q) ON t.id = s.id WHEN MATCHED AND s.q = 6 THEN UPDATE SET q = s.q;\nSELECT q FROM dbo.t WHERE id = 1",
            [(6,)],
        ),
        (
            "rowcount",
            T3
            + "MERGE dbo.t AS t USING (VALUES (1), (9)) AS s (id) ON t.id = s.id WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id);\nSELECT @@ROWCOUNT",
            [(2,)],
        ),
        (
            "output action",
            T3
            + "MERGE dbo.t AS t USING (VALUES (1), (9)) AS s (id) ON t.id = s.id WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id) OUTPUT $action, deleted.id, inserted.id;",
            [("DELETE", 1, None), ("INSERT", None, 9)],
        ),
        (
            "output source columns into a table",
            T3
            + "DECLARE @o TABLE (a nvarchar(10), x int) MERGE dbo.t AS t USING (VALUES (1, 77)) AS s (id, x) ON t.id = s.id WHEN MATCHED THEN UPDATE SET q = s.x OUTPUT $action, s.x INTO @o;\nSELECT * FROM @o",
            [("UPDATE", 77)],
        ),
        (
            "identity and defaults",
            "CREATE TABLE dbo.d (id int IDENTITY, a int, b int DEFAULT 5)\nMERGE dbo.d AS t USING (VALUES (1), (2)) AS s (a) ON 1 = 0 WHEN NOT MATCHED THEN INSERT (a) VALUES (s.a);\nSELECT * FROM dbo.d",
            [(1, 1, 5), (2, 2, 5)],
        ),
        (
            "a key twice",
            K
            + "MERGE dbo.k AS t USING (VALUES (2), (2)) AS s (id) ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id);",
            Error(2627),
        ),
        (
            "NULL keys never match",
            "CREATE TABLE dbo.d (a int)\nINSERT dbo.d VALUES (NULL)\nMERGE dbo.d AS t USING (SELECT CAST(NULL AS int) AS a) AS s ON t.a = s.a WHEN NOT MATCHED THEN INSERT (a) VALUES (s.a);\nSELECT count(*) FROM dbo.d",
            [(2,)],
        ),
        (
            "case does not matter in ON",
            "CREATE TABLE dbo.d (a varchar(5), n int)\nINSERT dbo.d VALUES ('Key', 1)\nMERGE dbo.d AS t USING (SELECT 'KEY ' AS a) AS s ON t.a = s.a WHEN MATCHED THEN UPDATE SET n = 2;\nSELECT n FROM dbo.d",
            [(2,)],
        ),
        (
            "with a CTE",
            T3
            + "WITH s AS (SELECT 2 AS id)\nMERGE dbo.t AS t USING s ON t.id = s.id WHEN MATCHED THEN DELETE;\nSELECT id FROM dbo.t",
            [(1,), (3,)],
        ),
        (
            "insert over its output",
            T3
            + "CREATE TABLE dbo.h (id int, q int)\nINSERT dbo.h SELECT id, q FROM (MERGE dbo.t AS t USING (VALUES (1), (4)) AS s (id) ON t.id = s.id WHEN MATCHED THEN UPDATE SET q = 0 WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id) OUTPUT $action, s.id, deleted.q) AS o (act, id, q) WHERE act = 'UPDATE'\nSELECT * FROM dbo.h",
            [(1, 10)],
        ),
    ),
    *_cases(
        "SELECT INTO",
        "queries/select-into-clause-transact-sql",
        (
            "creates and fills",
            T3 + "SELECT id, v + 'x' AS w INTO #n FROM dbo.t SELECT w FROM #n",
            [("ax",), ("bx",), ("cx",)],
        ),
        ("exists already", T3 + "SELECT id INTO dbo.t FROM dbo.t", Error(2714)),
        (
            "keeps identity",
            I
            + "INSERT dbo.i VALUES ('a') SELECT id, v INTO dbo.n FROM dbo.i INSERT dbo.n (v) VALUES ('b') SELECT id FROM dbo.n",
            [(1,), (2,)],
        ),
        ("needs names", "SELECT 1 INTO #n", Error(1038)),
        ("no rows", T + "SELECT * INTO #n FROM dbo.t WHERE 1 = 0 SELECT count(*) FROM #n", [(0,)]),
        ("rowcount", T3 + "SELECT * INTO #n FROM dbo.t SELECT @@ROWCOUNT", [(3,)]),
    ),
    *_cases(
        "temp tables",
        "statements/create-table-transact-sql",
        (
            "ends with its procedure",
            "CREATE PROCEDURE dbo.p AS CREATE TABLE #x (i int)\nGO\nEXEC dbo.p SELECT * FROM #x",
            Error(208),
        ),
        (
            "seen by an inner procedure",
            "CREATE PROCEDURE dbo.p AS INSERT #x VALUES (2)\nGO\nCREATE TABLE #x (i int) EXEC dbo.p SELECT i FROM #x",
            [(2,)],
        ),
        (
            "an inner one hides the outer",
            "CREATE PROCEDURE dbo.p AS CREATE TABLE #x (i int) INSERT #x VALUES (1), (2)\nGO\nCREATE TABLE #x (i int) INSERT #x VALUES (9) EXEC dbo.p SELECT i FROM #x",
            [(9,)],
        ),
        (
            "made in dynamic SQL ends there",
            "EXEC ('CREATE TABLE #x (i int)') SELECT OBJECT_ID('tempdb..#x')",
            [(None,)],
        ),
        (
            "dropped and made again",
            "CREATE TABLE #x (i int) DROP TABLE #x CREATE TABLE #x (j int) INSERT #x VALUES (1) SELECT j FROM #x",
            [(1,)],
        ),
        (
            "lives on in the next batch",
            "CREATE TABLE #x (i int)\nGO\nINSERT #x VALUES (1) SELECT i FROM #x",
            [(1,)],
        ),
        ("twice", "CREATE TABLE #x (i int) CREATE TABLE #x (i int)", Error(2714)),
        (
            "is rolled back",
            "BEGIN TRAN CREATE TABLE #x (i int) ROLLBACK SELECT OBJECT_ID('tempdb..#x')",
            [(None,)],
        ),
    ),
    *_cases(
        "table variables",
        "data-types/table-transact-sql",
        (
            "not rolled back",
            "DECLARE @t TABLE (i int) BEGIN TRAN INSERT @t VALUES (1) ROLLBACK SELECT count(*) FROM @t",
            [(1,)],
        ),
        (
            "with keys",
            "DECLARE @t TABLE (i int PRIMARY KEY) INSERT @t VALUES (1) INSERT @t VALUES (1)",
            Error(2627),
        ),
        (
            "identity",
            "DECLARE @t TABLE (i int IDENTITY, v char(1)) INSERT @t VALUES ('a'), ('b') SELECT max(i) FROM @t",
            [(2,)],
        ),
        (
            "not seen by dynamic SQL",
            "DECLARE @t TABLE (i int) EXEC ('SELECT * FROM @t')",
            Error(1087),
        ),
        (
            "declared once in a loop",
            "DECLARE @n int = 0 WHILE @n < 3 BEGIN DECLARE @t TABLE (i int) INSERT @t VALUES (@n) SET @n += 1 END SELECT count(*) FROM @t",
            [(3,)],
        ),
        (
            "update and delete",
            "DECLARE @t TABLE (i int, v int) INSERT @t VALUES (1, 1), (2, 2) UPDATE @t SET v = 5 WHERE i = 1 DELETE @t WHERE i = 2 SELECT * FROM @t",
            [(1, 5)],
        ),
    ),
    *_cases(
        "DROP TABLE",
        "statements/drop-table-transact-sql",
        ("missing", "DROP TABLE dbo.nope", Error(3701)),
        ("IF EXISTS", "DROP TABLE IF EXISTS dbo.nope, #n SELECT 1", [(1,)]),
        (
            "is rolled back",
            T3 + "BEGIN TRAN DROP TABLE dbo.t ROLLBACK SELECT count(*) FROM dbo.t",
            [(3,)],
        ),
    ),
    *_cases(
        "ALTER TABLE",
        "statements/alter-table-transact-sql",
        (
            "add a column",
            T3 + "ALTER TABLE dbo.t ADD w int NULL SELECT id, w FROM dbo.t WHERE id = 1",
            [(1, None)],
        ),
        (
            "add NOT NULL with a default",
            T3 + "ALTER TABLE dbo.t ADD w int NOT NULL DEFAULT 4 SELECT w FROM dbo.t",
            [(4,), (4,), (4,)],
        ),
        (
            "drop a column",
            T3 + "ALTER TABLE dbo.t DROP COLUMN q SELECT * FROM dbo.t WHERE id = 1",
            [(1, "a")],
        ),
        (
            "switch",
            T3
            + "SELECT * INTO dbo.u FROM dbo.t WHERE 1 = 0 ALTER TABLE dbo.t SWITCH TO dbo.u SELECT (SELECT count(*) FROM dbo.t), (SELECT count(*) FROM dbo.u)",
            [(0, 3)],
        ),
        (
            "check constraint",
            "CREATE TABLE dbo.d (a int CHECK (a > 0))\nINSERT dbo.d VALUES (0)",
            Error(547),
        ),
        (
            "NULL passes a check",
            "CREATE TABLE dbo.d (a int CHECK (a > 0))\nINSERT dbo.d VALUES (NULL) SELECT count(*) FROM dbo.d",
            [(1,)],
        ),
    ),
    *_cases(
        "keys",
        "statements/create-unique-index-transact-sql",
        (
            "one NULL in a unique column",
            "CREATE TABLE dbo.d (a int UNIQUE)\nINSERT dbo.d VALUES (NULL) INSERT dbo.d VALUES (NULL)",
            Error(2627),
        ),
        (
            "unique index",
            T
            + "CREATE UNIQUE INDEX ux ON dbo.t (v) INSERT dbo.t VALUES (1, 'a', 1) INSERT dbo.t VALUES (2, 'a', 1)",
            Error(2601),
        ),
        (
            "case and blanks do not make a key",
            T
            + "CREATE UNIQUE INDEX ux ON dbo.t (v) INSERT dbo.t VALUES (1, 'a', 1) INSERT dbo.t VALUES (2, 'A ', 1)",
            Error(2601),
        ),
        (
            "over rows that are there",
            T + "INSERT dbo.t VALUES (1, 'a', 1), (2, 'a', 1) CREATE UNIQUE INDEX ux ON dbo.t (v)",
            Error(1505),
        ),
    ),
]
