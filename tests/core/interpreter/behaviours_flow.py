# ruff: noqa: E501 - a table: one case a line
"""Control flow, errors, transactions, procedures, cursors and queries: see `behaviours`."""

from __future__ import annotations

from tests.core.interpreter.behaviours import T3, UNDOCUMENTED, Case, Error, I, K, T, _cases

CASES: list[Case] = [
    *_cases(
        "variables",
        "language-elements/set-local-variable-transact-sql",
        (
            "empty subquery is NULL",
            T + "DECLARE @x int = 5 SET @x = (SELECT q FROM dbo.t) SELECT @x",
            [(None,)],
        ),
        ("several rows", T3 + "DECLARE @x int SET @x = (SELECT q FROM dbo.t)", Error(512)),
        (
            "compound",
            "DECLARE @x int = 7 SET @x += 3 SET @x *= 2 SET @x -= 5 SET @x /= 4 SET @x %= 2 SELECT @x",
            [(1,)],
        ),
        ("text is cut to the variable", "DECLARE @x varchar(3) = 'abcdef' SELECT @x", [("abc",)]),
        ("default length is 1", "DECLARE @x varchar = 'abc' SELECT @x", [("a",)]),
        (
            "decimal rounds, int truncates",
            "DECLARE @a decimal(5, 1) = 1.25, @b int = 2.9 SELECT @a, @b",
            [("1.3", 2)],
        ),
        ("not declared", "SET @nope = 1", Error(137)),
        ("end with their batch", "DECLARE @x int = 1\nGO\nSELECT @x", Error(137)),
        ("names ignore case", "DECLARE @Abc int = 1 SET @ABC = @abc + 1 SELECT @aBc", [(2,)]),
    ),
    *_cases(
        "variables",
        "language-elements/select-local-variable-transact-sql",
        (
            "unchanged when there is no row",
            T + "DECLARE @x int = 5 SELECT @x = q FROM dbo.t SELECT @x",
            [(5,)],
        ),
        (
            "the last row wins",
            T3 + "DECLARE @x int SELECT @x = q FROM dbo.t ORDER BY id SELECT @x",
            [(30,)],
        ),
        (
            "several at once",
            T3 + "DECLARE @a int, @b int SELECT @a = min(q), @b = max(q) FROM dbo.t SELECT @a, @b",
            [(10, 30)],
        ),
        (
            "aggregate of nothing is NULL",
            T + "DECLARE @x int = 5 SELECT @x = max(q) FROM dbo.t SELECT @x",
            [(None,)],
        ),
        (
            "adding up row by row",
            T3
            + "DECLARE @s varchar(50) = '' SELECT @s = @s + v + ',' FROM dbo.t ORDER BY id SELECT @s",
            [("a,b,c,",)],
        ),
        (
            "compound in a SELECT",
            T3 + "DECLARE @n int = 1 SELECT @n += q FROM dbo.t SELECT @n",
            [(61,)],
        ),
    ),
    *_cases(
        "IF",
        "language-elements/if-else-transact-sql",
        ("then", "IF 1 = 1 SELECT 'y' ELSE SELECT 'n'", [("y",)]),
        ("else", "IF 1 = 2 SELECT 'y' ELSE SELECT 'n'", [("n",)]),
        ("unknown is not true", "IF NULL = 1 SELECT 'y' ELSE SELECT 'n'", [("n",)]),
        (
            "only one statement belongs to it",
            "DECLARE @x int = 0 IF 1 = 2 SET @x = 1 SET @x = @x + 10 SELECT @x",
            [(10,)],
        ),
        (
            "exists",
            T3 + "IF EXISTS (SELECT 1 FROM dbo.t WHERE q = 10) SELECT 1 ELSE SELECT 0",
            [(1,)],
        ),
        (
            "else if",
            "DECLARE @x int = 2 IF @x = 1 SELECT 'a' ELSE IF @x = 2 SELECT 'b' ELSE SELECT 'c'",
            [("b",)],
        ),
        ("dangling else", "IF 1 = 1 IF 1 = 2 SELECT 'a' ELSE SELECT 'b'", [("b",)]),
    ),
    *_cases(
        "WHILE",
        "language-elements/while-transact-sql",
        ("counts", "DECLARE @i int = 0 WHILE @i < 5 SET @i = @i + 1 SELECT @i", [(5,)]),
        (
            "break",
            "DECLARE @i int = 0 WHILE 1 = 1 BEGIN SET @i += 1 IF @i = 3 BREAK END SELECT @i",
            [(3,)],
        ),
        (
            "continue",
            "DECLARE @i int = 0, @n int = 0 WHILE @i < 5 BEGIN SET @i += 1 IF @i % 2 = 0 CONTINUE SET @n += 1 END SELECT @n",
            [(3,)],
        ),
        (
            "break ends the inner loop only",
            "DECLARE @i int = 0, @j int, @n int = 0 WHILE @i < 3 BEGIN SET @i += 1 SET @j = 0 WHILE 1 = 1 BEGIN SET @j += 1 SET @n += 1 IF @j = 2 BREAK END END SELECT @n",
            [(6,)],
        ),
        (
            "delete in chunks",
            T3
            + "WHILE 1 = 1 BEGIN DELETE TOP (1) FROM dbo.t IF @@ROWCOUNT = 0 BREAK END SELECT count(*) FROM dbo.t",
            [(0,)],
        ),
    ),
    *_cases(
        "GOTO",
        "language-elements/goto-transact-sql",
        ("forward", "DECLARE @x int = 0 GOTO done SET @x = 1 done: SELECT @x", [(0,)]),
        (
            "backward",
            "DECLARE @x int = 0 again: SET @x += 1 IF @x < 3 GOTO again SELECT @x",
            [(3,)],
        ),
        (
            "out of a block",
            "DECLARE @x int = 0 BEGIN SET @x = 1 GOTO done SET @x = 2 END done: SELECT @x",
            [(1,)],
        ),
    ),
    *_cases(
        "RETURN",
        "language-elements/return-transact-sql",
        ("ends a batch", "SELECT 1 RETURN SELECT 2", [(1,)]),
        (
            "code of a procedure",
            "CREATE PROCEDURE dbo.p AS RETURN 7\nGO\nDECLARE @r int EXEC @r = dbo.p SELECT @r",
            [(7,)],
        ),
        (
            "0 without a value",
            "CREATE PROCEDURE dbo.p AS RETURN\nGO\nDECLARE @r int = 9 EXEC @r = dbo.p SELECT @r",
            [(0,)],
        ),
        (
            "negative",
            "CREATE PROCEDURE dbo.p AS RETURN -1\nGO\nDECLARE @r int EXEC @r = dbo.p SELECT @r",
            [(-1,)],
        ),
    ),
    *_cases(
        "@@ROWCOUNT",
        "functions/rowcount-transact-sql",
        ("select", T3 + "SELECT * FROM dbo.t SELECT @@ROWCOUNT", [(3,)]),
        ("insert", T + "INSERT dbo.t (id) VALUES (1), (2) SELECT @@ROWCOUNT", [(2,)]),
        ("update of nothing", T3 + "UPDATE dbo.t SET q = 1 WHERE 1 = 0 SELECT @@ROWCOUNT", [(0,)]),
        ("set is 1", "DECLARE @x int SET @x = 5 SELECT @@ROWCOUNT", [(1,)]),
        ("print is 0", T3 + "SELECT * FROM dbo.t PRINT 'x' SELECT @@ROWCOUNT", [(0,)]),
        ("begin tran is 0", T3 + "SELECT * FROM dbo.t BEGIN TRAN SELECT @@ROWCOUNT", [(0,)]),
        ("an option is 0", T3 + "SELECT * FROM dbo.t SET NOCOUNT ON SELECT @@ROWCOUNT", [(0,)]),
        (
            "exec keeps what was left",
            T3
            + "GO\nCREATE PROCEDURE dbo.p AS SELECT id FROM dbo.t WHERE id < 3\nGO\nEXEC dbo.p SELECT @@ROWCOUNT",
            [(2,)],
        ),
        (
            "assignment without rows",
            T + "DECLARE @x int SELECT @x = q FROM dbo.t SELECT @@ROWCOUNT",
            [(0,)],
        ),
        (
            "fetch",
            T3
            + "DECLARE c CURSOR FOR SELECT id FROM dbo.t OPEN c DECLARE @i int FETCH NEXT FROM c INTO @i SELECT @@ROWCOUNT",
            [(1,)],
        ),
        ("NOCOUNT does not matter", T3 + "SET NOCOUNT ON DELETE dbo.t SELECT @@ROWCOUNT", [(3,)]),
    ),
    *_cases(
        "@@ERROR",
        "functions/error-transact-sql",
        ("after an error", "SELECT 1 / 0 SELECT @@ERROR", [(8134,)]),
        ("reset by the next statement", "SELECT 1 / 0 SELECT 1 SELECT @@ERROR", [(0,)]),
        ("0 after success", "SELECT 1 SELECT @@ERROR", [(0,)]),
    ),
    *_cases(
        "TRY/CATCH",
        "language-elements/try-catch-transact-sql",
        (
            "catches",
            "BEGIN TRY SELECT 1 / 0 END TRY BEGIN CATCH SELECT ERROR_NUMBER(), ERROR_MESSAGE(), ERROR_SEVERITY() END CATCH",
            [(8134, "Divide by zero error encountered.", 16)],
        ),
        ("skips the handler", "BEGIN TRY SELECT 1 END TRY BEGIN CATCH SELECT 2 END CATCH", [(1,)]),
        (
            "the rest of the TRY does not run",
            "DECLARE @x int = 0 BEGIN TRY SET @x = 1 / 0 SET @x = 5 END TRY BEGIN CATCH END CATCH SELECT @x",
            [(0,)],
        ),
        (
            "goes on behind END CATCH",
            "BEGIN TRY SELECT 1 / 0 END TRY BEGIN CATCH PRINT 'x' END CATCH SELECT 'after'",
            [("after",)],
        ),
        (
            "nested",
            "BEGIN TRY BEGIN TRY SELECT 1 / 0 END TRY BEGIN CATCH SELECT CAST('x' AS int) END CATCH END TRY BEGIN CATCH SELECT ERROR_NUMBER() END CATCH",
            [(245,)],
        ),
        (
            "errors of a called procedure",
            "CREATE PROCEDURE dbo.p AS SELECT 1 / 0\nGO\nBEGIN TRY EXEC dbo.p END TRY BEGIN CATCH SELECT ERROR_NUMBER(), ERROR_PROCEDURE() END CATCH",
            [(8134, "dbo.p")],
        ),
        (
            "inside a WHILE",
            "DECLARE @i int = 3, @e int = 0 WHILE @i >= 0 BEGIN BEGIN TRY DECLARE @d int = 6 / @i END TRY BEGIN CATCH SET @e += 1 END CATCH SET @i -= 1 END SELECT @e, @d",
            [(1, 6)],
        ),
        (
            "no error functions outside a CATCH",
            "BEGIN TRY SELECT 1 / 0 END TRY BEGIN CATCH END CATCH SELECT ERROR_NUMBER()",
            [(None,)],
        ),
        (
            "a missing table is not caught at its level",
            "BEGIN TRY SELECT * FROM dbo.nope END TRY BEGIN CATCH SELECT 'caught' END CATCH",
            Error(208),
        ),
        (
            "a missing table is caught one level up",
            "CREATE PROCEDURE dbo.p AS SELECT * FROM dbo.nope\nGO\nBEGIN TRY EXEC dbo.p END TRY BEGIN CATCH SELECT ERROR_NUMBER() END CATCH",
            [(208,)],
        ),
        (
            "messages up to 10 are not errors",
            "BEGIN TRY RAISERROR('x', 10, 1) SELECT 'no' END TRY BEGIN CATCH SELECT 'yes' END CATCH",
            [("no",)],
        ),
        (
            "conversion dooms the transaction",
            T
            + "BEGIN TRY BEGIN TRAN INSERT dbo.t (id) VALUES (1) SELECT CAST('x' AS int) END TRY BEGIN CATCH SELECT XACT_STATE() ROLLBACK END CATCH",
            [(-1,)],
        ),
        (
            "a constraint does not doom it",
            K
            + "BEGIN TRY BEGIN TRAN INSERT dbo.k VALUES (1, 'x') END TRY BEGIN CATCH SELECT XACT_STATE() ROLLBACK END CATCH",
            [(1,)],
        ),
        (
            "work before the error stays",
            T
            + "BEGIN TRY INSERT dbo.t (id) VALUES (1) SELECT 1 / 0 END TRY BEGIN CATCH END CATCH SELECT count(*) FROM dbo.t",
            [(1,)],
        ),
        (
            "ERROR_LINE",
            "BEGIN TRY\n\nSELECT 1 / 0\nEND TRY BEGIN CATCH SELECT ERROR_LINE() END CATCH",
            [(3,)],
        ),
    ),
    *_cases(
        "errors",
        "language-elements/try-catch-transact-sql",
        ("the next statement runs", "SELECT 1 / 0 SELECT 'next'", [("next",)]),
        ("a conversion ends the batch", "SELECT CAST('x' AS int) SELECT 'next'", []),
    ),
    *_cases(
        "THROW",
        "language-elements/throw-transact-sql",
        ("ends the batch", "THROW 50001, 'boom', 1; SELECT 1", Error(50001)),
        (
            "is caught",
            "BEGIN TRY THROW 50001, 'boom', 3; END TRY BEGIN CATCH SELECT ERROR_NUMBER(), ERROR_MESSAGE(), ERROR_STATE(), ERROR_SEVERITY() END CATCH",
            [(50001, "boom", 3, 16)],
        ),
        ("again", "BEGIN TRY SELECT 1 / 0 END TRY BEGIN CATCH THROW; END CATCH", Error(8134)),
        ("a number below 50000", "THROW 40000, 'x', 1", Error(35100)),
        (
            "variables",
            "DECLARE @m nvarchar(50) = 'm1', @n int = 50005 BEGIN TRY THROW @n, @m, 1 END TRY BEGIN CATCH SELECT ERROR_MESSAGE() END CATCH",
            [("m1",)],
        ),
    ),
    *_cases(
        "RAISERROR",
        "language-elements/raiserror-transact-sql",
        (
            "number 50000",
            "BEGIN TRY RAISERROR('x', 16, 1) END TRY BEGIN CATCH SELECT ERROR_NUMBER(), ERROR_MESSAGE() END CATCH",
            [(50000, "x")],
        ),
        (
            "format",
            "BEGIN TRY RAISERROR('%s has %d rows', 16, 1, 'tab', 5) END TRY BEGIN CATCH SELECT ERROR_MESSAGE() END CATCH",
            [("tab has 5 rows",)],
        ),
        (
            "width and precision",
            "BEGIN TRY RAISERROR('<%7.3s>', 16, 1, 'abcde') END TRY BEGIN CATCH SELECT ERROR_MESSAGE() END CATCH",
            [("<    abc>",)],
        ),
        ("the batch goes on", "RAISERROR('x', 16, 1) SELECT 'on'", [("on",)]),
        (
            "NULL argument",
            "BEGIN TRY DECLARE @x varchar(5) RAISERROR('%s', 16, 1, @x) END TRY BEGIN CATCH SELECT ERROR_MESSAGE() END CATCH",
            [("(null)",)],
        ),
        (
            "severity and state",
            "BEGIN TRY RAISERROR('x', 11, 7) END TRY BEGIN CATCH SELECT ERROR_SEVERITY(), ERROR_STATE() END CATCH",
            [(11, 7)],
        ),
    ),
    *_cases(
        "XACT_ABORT",
        "statements/set-xact-abort-transact-sql",
        (
            "off: only the statement",
            K
            + "BEGIN TRAN INSERT dbo.k VALUES (2, 'b') INSERT dbo.k VALUES (1, 'x') INSERT dbo.k VALUES (3, 'c') COMMIT SELECT count(*) FROM dbo.k",
            [(3,)],
        ),
        (
            "on: the whole transaction",
            K
            + "SET XACT_ABORT ON BEGIN TRAN INSERT dbo.k VALUES (2, 'b') INSERT dbo.k VALUES (1, 'x') COMMIT\nGO\nSELECT count(*), @@TRANCOUNT FROM dbo.k",
            [(1, 0)],
        ),
        (
            "on: the batch ends",
            K
            + "SET XACT_ABORT ON INSERT dbo.k VALUES (1, 'x') INSERT dbo.k VALUES (5, 'x')\nGO\nSELECT count(*) FROM dbo.k",
            [(1,)],
        ),
        (
            "on: a doomed transaction",
            K
            + "SET XACT_ABORT ON BEGIN TRY BEGIN TRAN INSERT dbo.k VALUES (1, 'x') END TRY BEGIN CATCH SELECT XACT_STATE() ROLLBACK END CATCH",
            [(-1,)],
        ),
        (
            "on: no writes in a doomed transaction",
            K
            + "SET XACT_ABORT ON BEGIN TRY BEGIN TRAN INSERT dbo.k VALUES (1, 'x') END TRY BEGIN CATCH BEGIN TRY INSERT dbo.k VALUES (9, 'x') END TRY BEGIN CATCH SELECT ERROR_NUMBER() END CATCH ROLLBACK END CATCH",
            [(3930,)],
        ),
        (
            "RAISERROR is not an abort",
            "SET XACT_ABORT ON RAISERROR('x', 16, 1) SELECT 'on'",
            [("on",)],
        ),
    ),
    *_cases(
        "transactions",
        "language-elements/rollback-transaction-transact-sql",
        ("rollback", T3 + "BEGIN TRAN DELETE dbo.t ROLLBACK SELECT count(*) FROM dbo.t", [(3,)]),
        (
            "rollback ends all levels",
            T3
            + "BEGIN TRAN BEGIN TRAN DELETE dbo.t ROLLBACK SELECT @@TRANCOUNT, count(*) FROM dbo.t",
            [(0, 3)],
        ),
        ("without a transaction", "ROLLBACK", Error(3903)),
        (
            "savepoint",
            T
            + "BEGIN TRAN INSERT dbo.t (id) VALUES (1) SAVE TRAN s INSERT dbo.t (id) VALUES (2) ROLLBACK TRAN s COMMIT SELECT id FROM dbo.t",
            [(1,)],
        ),
        (
            "savepoint keeps the count",
            "BEGIN TRAN SAVE TRAN s ROLLBACK TRAN s SELECT @@TRANCOUNT",
            [(1,)],
        ),
        (
            "all after a savepoint",
            T
            + "BEGIN TRAN INSERT dbo.t (id) VALUES (1) SAVE TRAN s INSERT dbo.t (id) VALUES (2) ROLLBACK SELECT count(*) FROM dbo.t",
            [(0,)],
        ),
        ("an unknown savepoint", "BEGIN TRAN ROLLBACK TRAN nope", Error(6401)),
        (
            "update is undone",
            T3 + "BEGIN TRAN UPDATE dbo.t SET q = 0 ROLLBACK SELECT sum(q) FROM dbo.t",
            [(60,)],
        ),
        (
            "variables are not",
            "DECLARE @x int = 1 BEGIN TRAN SET @x = 2 ROLLBACK SELECT @x",
            [(2,)],
        ),
    ),
    *_cases(
        "transactions",
        "language-elements/commit-transaction-transact-sql",
        (
            "nested commit only counts",
            T
            + "BEGIN TRAN BEGIN TRAN INSERT dbo.t (id) VALUES (1) COMMIT ROLLBACK SELECT count(*) FROM dbo.t",
            [(0,)],
        ),
        (
            "commit",
            T
            + "BEGIN TRAN INSERT dbo.t (id) VALUES (1) COMMIT SELECT count(*), @@TRANCOUNT FROM dbo.t",
            [(1, 0)],
        ),
        ("without a transaction", "COMMIT", Error(3902)),
    ),
    *_cases(
        "transactions",
        "functions/trancount-transact-sql",
        ("counts", "BEGIN TRAN BEGIN TRAN SELECT @@TRANCOUNT", [(2,)]),
        (
            "a procedure must balance",
            "CREATE PROCEDURE dbo.p AS BEGIN TRAN\nGO\nEXEC dbo.p\nROLLBACK",
            Error(266),
        ),
    ),
    *_cases(
        "EXEC",
        "language-elements/execute-transact-sql",
        (
            "by position and by name",
            "CREATE PROCEDURE dbo.p @a int, @b int = 5 AS SELECT @a, @b\nGO\nEXEC dbo.p 1, @b = 2",
            [(1, 2)],
        ),
        (
            "default",
            "CREATE PROCEDURE dbo.p @a int, @b int = 5 AS SELECT @a, @b\nGO\nEXEC dbo.p 1",
            [(1, 5)],
        ),
        (
            "the word DEFAULT",
            "CREATE PROCEDURE dbo.p @a int = 3, @b int = 5 AS SELECT @a, @b\nGO\nEXEC dbo.p DEFAULT, 2",
            [(3, 2)],
        ),
        (
            "output",
            "CREATE PROCEDURE dbo.p @a int, @o int OUTPUT AS SET @o = @a * 2\nGO\nDECLARE @x int EXEC dbo.p 4, @x OUTPUT SELECT @x",
            [(8,)],
        ),
        (
            "output needs the word",
            "CREATE PROCEDURE dbo.p @o int OUTPUT AS SET @o = 2\nGO\nDECLARE @x int = 1 EXEC dbo.p @x SELECT @x",
            [(1,)],
        ),
        (
            "missing argument",
            "CREATE PROCEDURE dbo.p @a int AS SELECT @a\nGO\nEXEC dbo.p",
            Error(201),
        ),
        (
            "too many arguments",
            "CREATE PROCEDURE dbo.p @a int = 1 AS SELECT 1\nGO\nEXEC dbo.p 5, 6",
            Error(8144),
        ),
        ("arguments for none", "CREATE PROCEDURE dbo.p AS SELECT 1\nGO\nEXEC dbo.p 5", Error(8146)),
        (
            "unknown argument",
            "CREATE PROCEDURE dbo.p @a int = 1 AS SELECT 1\nGO\nEXEC dbo.p @z = 5",
            Error(8145),
        ),
        ("unknown procedure", "EXEC dbo.nope", Error(2812)),
        (
            "without EXEC at the start of a batch",
            "CREATE PROCEDURE dbo.p AS SELECT 9\nGO\ndbo.p",
            [(9,)],
        ),
        (
            "name in a variable",
            "CREATE PROCEDURE dbo.p AS SELECT 9\nGO\nDECLARE @n sysname = 'dbo.p' EXEC @n",
            [(9,)],
        ),
        (
            "recursion",
            "CREATE PROCEDURE dbo.p @n int AS IF @n > 0 BEGIN SET @n -= 1 EXEC dbo.p @n END ELSE SELECT @@NESTLEVEL\nGO\nEXEC dbo.p 3",
            [(4,)],
        ),
        ("too deep", "CREATE PROCEDURE dbo.p AS EXEC dbo.p\nGO\nEXEC dbo.p", Error(217)),
        (
            "options end with the procedure",
            "CREATE PROCEDURE dbo.p AS SET XACT_ABORT ON\nGO\nEXEC dbo.p SELECT 1 / 0 SELECT 'on'",
            [("on",)],
        ),
        (
            "argument is converted",
            "CREATE PROCEDURE dbo.p @d date AS SELECT @d\nGO\nEXEC dbo.p '20240131'",
            [("2024-01-31",)],
        ),
    ),
    *_cases(
        "dynamic SQL",
        "language-elements/execute-transact-sql",
        ("string", "DECLARE @s varchar(50) = 'SELECT 1 + ' EXEC (@s + '2')", [(3,)]),
        ("has no variables of the caller", "DECLARE @x int = 1 EXEC ('SELECT @x')", Error(137)),
        (
            "sees temp tables",
            "CREATE TABLE #x (i int) EXEC ('INSERT #x VALUES (4)') SELECT i FROM #x",
            [(4,)],
        ),
        ("NULL does nothing", "DECLARE @s varchar(10) EXEC (@s) SELECT 1", [(1,)]),
        (
            "syntax error",
            "BEGIN TRY EXEC ('SELEKT 1 FROM') END TRY BEGIN CATCH SELECT 'caught' END CATCH",
            [("caught",)],
        ),
    ),
    *_cases(
        "dynamic SQL",
        "../relational-databases/system-stored-procedures/sp-executesql-transact-sql",
        (
            "parameters",
            "EXEC sp_executesql N'SELECT @a + @b', N'@a int, @b int', @a = 1, @b = 2",
            [(3,)],
        ),
        (
            "output",
            "DECLARE @n int EXEC sp_executesql N'SELECT @c = 5 * 2', N'@c int OUTPUT', @c = @n OUTPUT SELECT @n",
            [(10,)],
        ),
        (
            "built at run time",
            T3
            + "DECLARE @n int, @s nvarchar(100) = N'SELECT @c = count(*) FROM ' + QUOTENAME('dbo') + '.t' EXEC sp_executesql @s, N'@c int OUTPUT', @n OUTPUT SELECT @n",
            [(3,)],
        ),
        ("missing parameter", "EXEC sp_executesql N'SELECT @a', N'@a int'", Error(8178)),
    ),
    *_cases(
        "cursors",
        "language-elements/declare-cursor-transact-sql",
        (
            "loop",
            T3
            + "DECLARE @i int, @s int = 0 DECLARE c CURSOR FOR SELECT q FROM dbo.t OPEN c FETCH NEXT FROM c INTO @i WHILE @@FETCH_STATUS = 0 BEGIN SET @s += @i FETCH NEXT FROM c INTO @i END CLOSE c DEALLOCATE c SELECT @s",
            [(60,)],
        ),
        (
            "scroll",
            T3
            + "DECLARE @i int DECLARE c SCROLL CURSOR FOR SELECT id FROM dbo.t ORDER BY id OPEN c FETCH LAST FROM c INTO @i SELECT @i",
            [(3,)],
        ),
        (
            "absolute and prior",
            T3
            + "DECLARE @i int, @j int DECLARE c SCROLL CURSOR FOR SELECT id FROM dbo.t ORDER BY id OPEN c FETCH ABSOLUTE 3 FROM c INTO @i FETCH PRIOR FROM c INTO @j SELECT @i, @j",
            [(3, 2)],
        ),
        (
            "fetch without INTO is a result",
            T3 + "DECLARE c CURSOR FOR SELECT v FROM dbo.t ORDER BY id OPEN c FETCH NEXT FROM c",
            [("a",)],
        ),
        (
            "behind the end",
            T
            + "DECLARE c CURSOR FOR SELECT v FROM dbo.t OPEN c FETCH NEXT FROM c SELECT @@FETCH_STATUS",
            [(-1,)],
        ),
        (
            "variables stay at the end",
            T3
            + "DECLARE @i int = 9 DECLARE c CURSOR FOR SELECT id FROM dbo.t WHERE 1 = 0 OPEN c FETCH NEXT FROM c INTO @i SELECT @i",
            [(9,)],
        ),
        ("not open", "DECLARE c CURSOR FOR SELECT 1 AS a FETCH NEXT FROM c", Error(16917)),
        ("unknown", "OPEN nope", Error(16916)),
        (
            "variable",
            T3
            + "DECLARE @c CURSOR, @i int SET @c = CURSOR FOR SELECT id FROM dbo.t ORDER BY id OPEN @c FETCH NEXT FROM @c INTO @i CLOSE @c DEALLOCATE @c SELECT @i",
            [(1,)],
        ),
        (
            "a local one ends with its procedure",
            "CREATE PROCEDURE dbo.p AS DECLARE c CURSOR LOCAL FOR SELECT 1 AS a OPEN c\nGO\nEXEC dbo.p EXEC dbo.p SELECT 1",
            [(1,)],
        ),
    ),
    *_cases(
        "functions",
        "statements/create-function-transact-sql",
        (
            "scalar",
            "CREATE FUNCTION dbo.f (@x int) RETURNS int AS BEGIN RETURN @x * 2 END\nGO\nSELECT dbo.f(4)",
            [(8,)],
        ),
        (
            "scalar with statements",
            "CREATE FUNCTION dbo.f (@x int) RETURNS varchar(10) AS BEGIN DECLARE @r varchar(10) IF @x > 2 SET @r = 'big' ELSE SET @r = 'small' RETURN @r END\nGO\nSELECT dbo.f(n) FROM (VALUES (1), (3)) AS v (n)",
            [("small",), ("big",)],
        ),
        (
            "scalar reading a table",
            T3
            + "GO\nCREATE FUNCTION dbo.f (@id int) RETURNS int AS BEGIN DECLARE @q int SELECT @q = q FROM dbo.t WHERE id = @id RETURN @q END\nGO\nSELECT id, dbo.f(id) FROM dbo.t ORDER BY id",
            [(1, 10), (2, 20), (3, 30)],
        ),
        (
            "inline table",
            T3
            + "GO\nCREATE FUNCTION dbo.f (@n int) RETURNS TABLE AS RETURN (SELECT id FROM dbo.t WHERE q > @n)\nGO\nSELECT id FROM dbo.f(15)",
            [(2,), (3,)],
        ),
        (
            "inline table with APPLY",
            T3
            + "GO\nCREATE FUNCTION dbo.f (@n int) RETURNS TABLE AS RETURN (SELECT @n * 2 AS d)\nGO\nSELECT t.id, f.d FROM dbo.t CROSS APPLY dbo.f(t.q) AS f ORDER BY t.id",
            [(1, 20), (2, 40), (3, 60)],
        ),
        (
            "table with statements",
            "CREATE FUNCTION dbo.f (@n int) RETURNS @r TABLE (i int) AS BEGIN DECLARE @i int = 0 WHILE @i < @n BEGIN SET @i += 1 INSERT @r VALUES (@i) END RETURN END\nGO\nSELECT sum(i) FROM dbo.f(4)",
            [(10,)],
        ),
        (
            "default parameter",
            "CREATE FUNCTION dbo.f (@x int = 3) RETURNS int AS BEGIN RETURN @x END\nGO\nSELECT dbo.f(DEFAULT)",
            [(3,)],
        ),
    ),
    *_cases(
        "queries",
        "queries/with-common-table-expression-transact-sql",
        (
            "recursion",
            "WITH r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT sum(n) FROM r",
            [(15,)],
        ),
        (
            "too deep",
            "WITH r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r",
            Error(530),
        ),
        (
            "100 levels are allowed",
            "WITH r AS (SELECT 0 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 100) SELECT max(n) FROM r",
            [(100,)],
        ),
        (
            "MAXRECURSION",
            "WITH r AS (SELECT 0 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 150) SELECT max(n) FROM r OPTION (MAXRECURSION 200)",
            [(150,)],
        ),
        (
            "hierarchy",
            "CREATE TABLE dbo.h (id int, parent int)\nINSERT dbo.h VALUES (1, NULL), (2, 1), (3, 2);\nWITH r AS (SELECT id, 0 AS lvl FROM dbo.h WHERE parent IS NULL UNION ALL SELECT h.id, r.lvl + 1 FROM dbo.h h JOIN r ON r.id = h.parent) SELECT id, lvl FROM r ORDER BY id",
            [(1, 0), (2, 1), (3, 2)],
        ),
    ),
    *_cases(
        "queries",
        "queries/from-using-pivot-and-unpivot",
        (
            "pivot",
            "SELECT * FROM (SELECT 1 AS k, 'a' AS c, 5 AS v UNION ALL SELECT 1, 'b', 6 UNION ALL SELECT 1, 'a', 1) AS s PIVOT (SUM(v) FOR c IN ([a], [b], [z])) AS p",
            [(1, 6, 6, None)],
        ),
        (
            "unpivot drops NULL",
            "SELECT n, v FROM (SELECT 1 AS a, CAST(NULL AS int) AS b, 3 AS c) AS s UNPIVOT (v FOR n IN (a, b, c)) AS u",
            [("a", 1), ("c", 3)],
        ),
    ),
    *_cases(
        "queries",
        "queries/select-for-clause-transact-sql",
        (
            "FOR XML PATH idiom",
            T3 + "SELECT STUFF((SELECT ',' + v FROM dbo.t ORDER BY id FOR XML PATH('')), 1, 1, '')",
            [("a,b,c",)],
        ),
        (
            "with TYPE and value()",
            T3
            + "SELECT STUFF((SELECT ',' + v + '&' FROM dbo.t ORDER BY id FOR XML PATH(''), TYPE).value('.', 'nvarchar(max)'), 1, 1, '')",
            [("a&,b&,c&",)],
        ),
        ("entities", "SELECT (SELECT '<' + 'x' FOR XML PATH(''))", [("&lt;x",)]),
    ),
    *_cases(
        "queries",
        "queries/from-transact-sql",
        (
            "cross apply",
            T3
            + "SELECT a.id, x.m FROM dbo.t a CROSS APPLY (SELECT max(b.q) AS m FROM dbo.t b WHERE b.id < a.id) x ORDER BY a.id",
            [(1, None), (2, 10), (3, 20)],
        ),
        (
            "outer apply keeps rows",
            T3
            + "SELECT a.id, x.q FROM dbo.t a OUTER APPLY (SELECT TOP 1 b.q FROM dbo.t b WHERE b.id < a.id ORDER BY b.id DESC) x ORDER BY a.id",
            [(1, None), (2, 10), (3, 20)],
        ),
        (
            "full join",
            "SELECT a.x, b.x FROM (VALUES (1), (2)) a (x) FULL JOIN (VALUES (2), (3)) b (x) ON a.x = b.x ORDER BY coalesce(a.x, b.x)",
            [(1, None), (2, 2), (None, 3)],
        ),
        (
            "three-part name of the own database",
            "USE Mart\nGO\n" + T3 + "SELECT count(*) FROM Mart.dbo.t",
            [(3,)],
        ),
        ("database without schema", "USE Mart\nGO\n" + T3 + "SELECT count(*) FROM Mart..t", [(3,)]),
    ),
    *_cases(
        "queries",
        "queries/top-transact-sql",
        (
            "percent rounds up",
            T3 + "SELECT TOP (50) PERCENT id FROM dbo.t ORDER BY id",
            [(1,), (2,)],
        ),
        (
            "with ties",
            T3
            + "INSERT dbo.t VALUES (4, 'd', 20) SELECT TOP (2) WITH TIES q FROM dbo.t ORDER BY q",
            [(10,), (20,), (20,)],
        ),
        (
            "variable",
            T3 + "DECLARE @n int = 2 SELECT TOP (@n) id FROM dbo.t ORDER BY id DESC",
            [(3,), (2,)],
        ),
    ),
    *_cases(
        "queries",
        "../relational-databases/collations/collation-and-unicode-support",
        ("comparison ignores case", "SELECT CASE WHEN 'abc' = 'ABC' THEN 1 ELSE 0 END", [(1,)]),
        (
            "grouping ignores case",
            "SELECT count(*) FROM (SELECT v FROM (VALUES ('a'), ('A'), ('b')) x (v) GROUP BY v) g",
            [(2,)],
        ),
        (
            "distinct ignores case",
            "SELECT count(DISTINCT v) FROM (VALUES ('a'), ('A '), ('b')) x (v)",
            [(2,)],
        ),
        (
            "join ignores case",
            "SELECT count(*) FROM (VALUES ('a')) x (v) JOIN (VALUES ('A')) y (v) ON x.v = y.v",
            [(1,)],
        ),
        ("except ignores case", "SELECT 'a' EXCEPT SELECT 'A'", []),
        (
            "COLLATE with case",
            "SELECT CASE WHEN 'a' = 'A' COLLATE Latin1_General_CS_AS THEN 1 ELSE 0 END",
            [(0,)],
        ),
    ),
    *_cases(
        "sequences",
        "functions/next-value-for-transact-sql",
        (
            "counts",
            "CREATE SEQUENCE dbo.s AS int START WITH 5 INCREMENT BY 2\nSELECT NEXT VALUE FOR dbo.s SELECT NEXT VALUE FOR dbo.s",
            [(7,)],
        ),
    ),
    *_cases(
        "metadata",
        "functions/object-id-transact-sql",
        ("table", T + "SELECT CASE WHEN OBJECT_ID('dbo.t', 'U') IS NULL THEN 0 ELSE 1 END", [(1,)]),
        ("missing", "SELECT OBJECT_ID(N'dbo.nope')", [(None,)]),
        (
            "temp table",
            "CREATE TABLE #x (i int) IF OBJECT_ID('tempdb..#x') IS NOT NULL DROP TABLE #x SELECT OBJECT_ID('tempdb..#x')",
            [(None,)],
        ),
        ("sys.tables", T + "SELECT count(*) FROM sys.tables WHERE name = 't'", [(1,)]),
        (
            "INFORMATION_SCHEMA",
            T
            + "SELECT COLUMN_NAME FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME = 'T' ORDER BY ORDINAL_POSITION",
            [("id",), ("v",), ("q",)],
        ),
    ),
    *_cases(
        "clock",
        "functions/getdate-transact-sql",
        (
            "one moment in a statement",
            "SELECT CASE WHEN GETDATE() = GETDATE() THEN 1 ELSE 0 END",
            [(1,)],
        ),
        (
            "SYSDATETIME has the type datetime2",
            "SELECT DATALENGTH(SYSDATETIME()), DATALENGTH(GETDATE())",
            [(8, 8)],
        ),
    ),
    *_cases(
        "@@ROWCOUNT",
        UNDOCUMENTED,
        ("truncate is 0", T3 + "TRUNCATE TABLE dbo.t SELECT @@ROWCOUNT", [(0,)]),
    ),
    *_cases(
        "@@ROWCOUNT",
        "functions/rowcount-transact-sql",
        ("declare cursor is 1", "DECLARE c CURSOR FOR SELECT 1 AS a SELECT @@ROWCOUNT", [(1,)]),
    ),
    *_cases(
        "cursors",
        "functions/cursor-rows-transact-sql",
        (
            "rows of a static cursor",
            T3 + "DECLARE c CURSOR STATIC FOR SELECT id FROM dbo.t OPEN c SELECT @@CURSOR_ROWS",
            [(3,)],
        ),
        (
            "a dynamic one knows no number",
            T3 + "DECLARE c CURSOR DYNAMIC FOR SELECT id FROM dbo.t OPEN c SELECT @@CURSOR_ROWS",
            [(-1,)],
        ),
    ),
    *_cases(
        "conversions",
        "functions/try-convert-transact-sql",
        ("int to xml is an error", "SELECT TRY_CONVERT(xml, 4)", Error(529)),
    ),
    *_cases(
        "arithmetic",
        UNDOCUMENTED,
        ("no such day, as a datetime", "SELECT CAST('2024-02-30' AS datetime)", Error(242)),
        ("no date at all", "SELECT CAST('soon' AS datetime)", Error(241)),
        ("no such day, as a date", "SELECT CAST('2024-02-30' AS date)", Error(241)),
        (
            "NULL divided by zero",
            "DECLARE @i int, @z int = 0 SELECT @i / @z, @i % @z",
            [(None, None)],
        ),
    ),
    *_cases(
        "RAISERROR",
        UNDOCUMENTED,
        ("the old form keeps its number", "RAISERROR 50001 'text'", Error(50001)),
    ),
    *_cases(
        "batches",
        UNDOCUMENTED,
        (
            "a batch after a failed one runs",
            "SELECT CAST('x' AS int)\nGO\nSELECT 'next'",
            [("next",)],
        ),
        (
            "GO with a count",
            I + "GO\nINSERT dbo.i VALUES ('x')\nGO 3\nSELECT count(*) FROM dbo.i",
            [(3,)],
        ),
    ),
]
