# ruff: noqa: E501 - a table: one case a line
"""More behaviours: sequences, JSON, time zones, constraints, lines of errors, functions in writes.

The cases are as in `behaviours`: ``(name, script, expected)`` below a page of Microsoft's
documentation.
"""

from __future__ import annotations

from tests.core.interpreter.behaviours import UNDOCUMENTED, Case, Error, _cases

S = "CREATE SEQUENCE dbo.s START WITH 1\nGO\n"
FK = "CREATE TABLE dbo.p (id int PRIMARY KEY)\nCREATE TABLE dbo.c (pid int CONSTRAINT FK_c REFERENCES dbo.p (id) {})\nINSERT dbo.p VALUES (1) INSERT dbo.c VALUES (1)\nDELETE dbo.p\nSELECT pid FROM dbo.c"
F = "CREATE TABLE dbo.k (id int PRIMARY KEY, v int)\nGO\nCREATE FUNCTION dbo.f (@x int) RETURNS int AS BEGIN DECLARE @r int = @x SET @r = @r * 2 RETURN @r END\nGO\n"
M = "CREATE FUNCTION dbo.m (@n int) RETURNS @r TABLE (i int) AS BEGIN IF @n > 5 INSERT @r VALUES (@n), (@n + 1) RETURN END\nGO\n"

CASES: list[Case] = [
    *_cases(
        "sequences",
        "statements/create-sequence-transact-sql",
        (
            "increment",
            "CREATE SEQUENCE dbo.s START WITH 5 INCREMENT BY 2\nGO\nSELECT NEXT VALUE FOR dbo.s SELECT NEXT VALUE FOR dbo.s",
            [(7,)],
        ),
        (
            "starts at the least value",
            "CREATE SEQUENCE dbo.s\nGO\nSELECT NEXT VALUE FOR dbo.s",
            [(-(2**63),)],
        ),
        (
            "cycle",
            "CREATE SEQUENCE dbo.s START WITH 1 MINVALUE 1 MAXVALUE 2 CYCLE\nGO\nSELECT NEXT VALUE FOR dbo.s SELECT NEXT VALUE FOR dbo.s SELECT NEXT VALUE FOR dbo.s",
            [(1,)],
        ),
        (
            "its end",
            "CREATE SEQUENCE dbo.s AS tinyint START WITH 255\nGO\nSELECT NEXT VALUE FOR dbo.s SELECT NEXT VALUE FOR dbo.s",
            Error(11728),
        ),
    ),
    *_cases(
        "sequences",
        "functions/next-value-for-transact-sql",
        (
            "once for a row",
            S + "SELECT NEXT VALUE FOR dbo.s AS a, NEXT VALUE FOR dbo.s AS b",
            [(1, 1)],
        ),
        (
            "in an order",
            S
            + "SELECT NEXT VALUE FOR dbo.s OVER (ORDER BY v DESC), v FROM (VALUES ('a'), ('b')) t (v) ORDER BY v",
            [(2, "a"), (1, "b")],
        ),
        (
            "as a default",
            S
            + "CREATE TABLE dbo.q (id int DEFAULT (NEXT VALUE FOR dbo.s), v int)\nINSERT dbo.q (v) VALUES (7), (8) SELECT id, v FROM dbo.q ORDER BY v",
            [(1, 7), (2, 8)],
        ),
        (
            "in variables",
            S + "DECLARE @v int = NEXT VALUE FOR dbo.s SET @v = NEXT VALUE FOR dbo.s SELECT @v",
            [(2,)],
        ),
        (
            "in VALUES",
            S
            + "CREATE TABLE dbo.q (id int)\nINSERT dbo.q VALUES (NEXT VALUE FOR dbo.s), (NEXT VALUE FOR dbo.s) SELECT id FROM dbo.q ORDER BY id",
            [(1,), (2,)],
        ),
    ),
    *_cases(
        "sequences",
        "statements/alter-sequence-transact-sql",
        (
            "restart",
            S
            + "SELECT NEXT VALUE FOR dbo.s ALTER SEQUENCE dbo.s RESTART WITH 100 SELECT NEXT VALUE FOR dbo.s",
            [(100,)],
        ),
    ),
    *_cases(
        "sequences",
        "../relational-databases/system-stored-procedures/sp-sequence-get-range-transact-sql",
        (
            "a range",
            S
            + "DECLARE @f sql_variant EXEC sp_sequence_get_range @sequence_name = N'dbo.s', @range_size = 5, @range_first_value = @f OUTPUT SELECT CAST(@f AS int), NEXT VALUE FOR dbo.s",
            [(1, 6)],
        ),
    ),
    *_cases(
        "JSON",
        "functions/json-modify-transact-sql",
        (
            "update",
            """SELECT JSON_MODIFY('{"name":"John","skills":["C#","SQL"]}', '$.name', 'Mike')""",
            [('{"name":"Mike","skills":["C#","SQL"]}',)],
        ),
        (
            "insert",
            """SELECT JSON_MODIFY('{"name":"John"}', '$.surname', 'Smith')""",
            [('{"name":"John","surname":"Smith"}',)],
        ),
        (
            "delete",
            """SELECT JSON_MODIFY('{"name":"John","x":1}', '$.name', NULL)""",
            [('{"x":1}',)],
        ),
        (
            "append",
            """SELECT JSON_MODIFY('{"skills":["C#","SQL"]}', 'append $.skills', 'Azure')""",
            [('{"skills":["C#","SQL","Azure"]}',)],
        ),
        (
            "JSON stays JSON",
            """SELECT JSON_MODIFY('{"a":1}', '$.a', JSON_QUERY('[1,2]'))""",
            [('{"a":[1,2]}',)],
        ),
    ),
    *_cases(
        "JSON",
        "functions/json-query-transact-sql",
        ("as it is written", """SELECT JSON_QUERY('{"a":{"b":[1, 2]}}', '$.a.b')""", [("[1, 2]",)]),
        ("a scalar is NULL", """SELECT JSON_QUERY('{"a":1}', '$.a')""", [(None,)]),
    ),
    *_cases(
        "JSON",
        "functions/json-value-transact-sql",
        ("strict", """SELECT JSON_VALUE('{"a":1}', 'strict $.b')""", Error(13608)),
    ),
    *_cases(
        "JSON",
        "../relational-databases/json/format-query-results-as-json-with-for-json-sql-server",
        ("path", "SELECT 1 AS id, 'a' AS v FOR JSON PATH", [('[{"id":1,"v":"a"}]',)]),
        (
            "nested, root, NULLs",
            "SELECT id AS 'a.id', n AS 'a.n' FROM (VALUES (1, 'x'), (2, NULL)) t (id, n) ORDER BY id FOR JSON PATH, ROOT('r'), INCLUDE_NULL_VALUES",
            [('{"r":[{"a":{"id":1,"n":"x"}},{"a":{"id":2,"n":null}}]}',)],
        ),
        (
            "auto leaves NULLs out",
            "SELECT id, n FROM (VALUES (1, 'x'), (2, NULL)) t (id, n) ORDER BY id FOR JSON AUTO",
            [('[{"id":1,"n":"x"},{"id":2}]',)],
        ),
        (
            "without brackets",
            "SELECT 1 AS id FOR JSON PATH, WITHOUT_ARRAY_WRAPPER",
            [('{"id":1}',)],
        ),
    ),
    *_cases(
        "XML",
        "../relational-databases/xml/use-path-mode-with-for-xml",
        (
            "attribute and root",
            "SELECT id AS '@id', v FROM (VALUES (1, 'x&y')) t (id, v) FOR XML PATH('row'), ROOT('rows')",
            [('<rows><row id="1"><v>x&amp;y</v></row></rows>',)],
        ),
    ),
    *_cases(
        "time zones",
        "queries/at-time-zone-transact-sql",
        (
            "summer",
            "SELECT CAST(CAST('2024-07-01 12:00' AS datetime2) AT TIME ZONE 'UTC' AT TIME ZONE 'Pacific Standard Time' AS datetime2)",
            [("2024-07-01T05:00:00",)],
        ),
        (
            "winter",
            "SELECT CAST(CAST('2024-01-01 12:00' AS datetime2) AT TIME ZONE 'UTC' AT TIME ZONE 'Central European Standard Time' AS datetime)",
            [("2024-01-01T13:00:00",)],
        ),
    ),
    *_cases(
        "series",
        "functions/generate-series-transact-sql",
        ("down", "SELECT value FROM GENERATE_SERIES(3, 1)", [(3,), (2,), (1,)]),
        (
            "decimals",
            "SELECT value FROM GENERATE_SERIES(0.0, 1.0, 0.5)",
            [("0.0",), ("0.5",), ("1.0",)],
        ),
    ),
    *_cases(
        "text",
        "functions/soundex-transact-sql",
        ("Smith and Smythe", "SELECT SOUNDEX('Smith'), SOUNDEX('Smythe')", [("S530", "S530")]),
    ),
    *_cases(
        "text",
        "functions/difference-transact-sql",
        (
            "alike and not",
            "SELECT DIFFERENCE('Green', 'Greene'), DIFFERENCE('Blotchet-Halls', 'Greene')",
            [(4, 0)],
        ),
    ),
    *_cases(
        "text",
        "functions/formatmessage-transact-sql",
        (
            "unsigned",
            "SELECT FORMATMESSAGE('Unsigned int %u, %u', 50, -50)",
            [("Unsigned int 50, 4294967246",)],
        ),
        (
            "hexadecimal",
            "SELECT FORMATMESSAGE('Unsigned hexadecimal %x, %X, %X, %X, %x', 11, 11, -11, 50, -50)",
            [("Unsigned hexadecimal b, B, FFFFFFF5, 32, ffffffce",)],
        ),
    ),
    *_cases(
        "text",
        "functions/replicate-transact-sql",
        (
            "cut at 8,000",
            "SELECT LEN(REPLICATE('x', 9000)), LEN(REPLICATE(CAST('x' AS varchar(max)), 9000))",
            [(8000, 9000)],
        ),
    ),
    *_cases(
        "text",
        "functions/patindex-transact-sql",
        ("a variable", "DECLARE @p varchar(10) = '%b%' SELECT PATINDEX(@p, 'abc')", [(2,)]),
    ),
    *_cases(
        "text",
        "functions/hashbytes-transact-sql",
        (
            "SHA2_512",
            "SELECT LEFT(CONVERT(varchar(128), HASHBYTES('SHA2_512', 'abc'), 2), 16)",
            [("DDAF35A193617ABA",)],
        ),
    ),
    *_cases(
        "errors",
        "functions/error-line-transact-sql",
        (
            "of the batch",
            "PRINT 'x'\nGO\n\nBEGIN TRY\nSELECT 1 / 0\nEND TRY BEGIN CATCH SELECT ERROR_LINE() END CATCH",
            [(3,)],
        ),
        (
            "of the procedure",
            "PRINT 1\nGO\n\n-- loads\nCREATE PROCEDURE dbo.p AS\nBEGIN\n  SELECT 1 / 0\nEND\nGO\nBEGIN TRY\nEXEC dbo.p\nEND TRY BEGIN CATCH SELECT ERROR_LINE() END CATCH",
            [(5,)],
        ),
    ),
    *_cases(
        "functions",
        "statements/create-function-transact-sql",
        (
            "in a write that is checked",
            F
            + "INSERT dbo.k SELECT n, dbo.f(n) FROM (VALUES (1), (2), (3)) t (n)\nUPDATE dbo.k SET v = dbo.f(v) WHERE dbo.f(id) > 2\nSELECT id, v FROM dbo.k ORDER BY id",
            [(1, 2), (2, 8), (3, 12)],
        ),
    ),
    *_cases(
        "functions",
        "queries/from-transact-sql",
        (
            "several statements, CROSS APPLY",
            M
            + "SELECT v.x, f.i FROM (VALUES (1), (10)) v (x) CROSS APPLY dbo.m(v.x) f ORDER BY 1, 2",
            [(10, 10), (10, 11)],
        ),
        (
            "several statements, OUTER APPLY",
            M
            + "SELECT v.x, f.i FROM (VALUES (1), (10)) v (x) OUTER APPLY dbo.m(v.x) f ORDER BY 1, 2",
            [(1, None), (10, 10), (10, 11)],
        ),
        (
            "PIVOT of VALUES",
            "SELECT * FROM (VALUES ('a', 1), ('a', 2), ('b', 5)) s (k, q) PIVOT (SUM(q) FOR k IN ([a], [b])) p",
            [(3, 5)],
        ),
    ),
    *_cases(
        "catalog",
        "../relational-databases/system-information-schema-views/columns-transact-sql",
        (
            "lengths",
            "CREATE TABLE dbo.t (a int, b varchar(10) NOT NULL)\nSELECT COLUMN_NAME, DATA_TYPE, CHARACTER_MAXIMUM_LENGTH, IS_NULLABLE FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME = 't' ORDER BY ORDINAL_POSITION",
            [("a", "int", None, "YES"), ("b", "varchar", 10, "NO")],
        ),
    ),
    *_cases(
        "errors",
        UNDOCUMENTED,
        (
            "a text passed to an int",
            "CREATE PROCEDURE dbo.p @a int AS SELECT @a\nGO\nEXEC dbo.p 'x'",
            Error(8114),
        ),
        ("float to int", "SELECT CAST(1e10 AS int)", Error(232)),
        ("declared twice", "DECLARE @a int DECLARE @a int", Error(134)),
        ("CONCAT of one", "SELECT CONCAT('a')", Error(189)),
        ("no such table variable", "INSERT @t VALUES (1)", Error(1087)),
    ),
]

#: Foreign keys are an option of the profile: these run with it.
FOREIGN_KEY_CASES: list[Case] = [
    *_cases(
        "foreign keys",
        "statements/create-table-transact-sql",
        ("no action", FK.format(""), Error(547)),
        ("cascade", FK.format("ON DELETE CASCADE"), []),
        ("set null", FK.format("ON DELETE SET NULL"), [(None,)]),
    ),
]
