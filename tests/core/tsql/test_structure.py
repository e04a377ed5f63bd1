"""What each statement becomes, and that nothing depends on semicolons."""

# ruff: noqa: E501 - one example per line reads best
from __future__ import annotations

from typing import Any

import pytest

from core.tsql import nodes as n
from core.tsql.parser import parse_procedure, parse_script


def statements(text: str) -> tuple[n.Statement, ...]:
    return parse_script(text).statements


def only(text: str) -> Any:
    (statement,) = statements(text)
    assert not isinstance(statement, n.Unparsed), statement.reason
    return statement


def names(text: str) -> list[str]:
    return [type(statement).__name__ for statement in statements(text)]


# --- the head of a procedure ---

HEADS = [
    "CREATE PROCEDURE dbo.p @a int = 1, @b varchar(10) = 'x' OUTPUT AS SELECT 1",
    "create proc [dbo].[p] (@a int = 1, @b varchar(10) = 'x' OUT) as select 1",
    "ALTER PROCEDURE dbo.p @a AS int = 1 , @b character varying(10)='x' OUTPUT WITH RECOMPILE AS BEGIN SELECT 1 END",
    "CREATE OR ALTER PROC dbo.p(@a int=1,@b varchar(10)='x' output)WITH EXECUTE AS OWNER, ENCRYPTION FOR REPLICATION AS SELECT 1",
]


@pytest.mark.parametrize("text", HEADS)
def test_every_way_to_write_a_head(text: str) -> None:
    procedure = parse_procedure(text)
    a, b = procedure.parameters
    assert procedure.name.key[-2:] == ("dbo", "p")
    assert (a.name, a.type.name, a.default and a.default.text, a.is_output) == (
        "@a",
        "int",
        "1",
        False,
    )
    assert (b.type.name, b.type.arguments, b.default and b.default.text, b.is_output) == (
        "varchar",
        ("10",),
        "'x'",
        True,
    )
    assert len(procedure.all_statements) == 1


def test_table_parameters_and_group_numbers() -> None:
    procedure = parse_procedure(
        "CREATE PROC p;2 @t dbo.List READONLY, @c CURSOR VARYING OUTPUT AS RETURN"
    )
    table, cursor = procedure.parameters
    assert procedure.group_number == 2
    assert (table.type.schema, table.type.name, table.is_readonly) == ("dbo", "List", True)
    assert cursor.is_varying
    assert cursor.is_output


def test_statements_behind_the_closing_end_are_trailing() -> None:
    procedure = parse_procedure("CREATE PROC p AS BEGIN SELECT 1 END EXEC p")
    assert [type(s).__name__ for s in procedure.body] == ["Block"]
    assert [type(s).__name__ for s in procedure.trailing] == ["Execute"]


def test_a_body_without_begin_is_the_rest_of_the_batch() -> None:
    script = parse_script("CREATE PROC p AS SELECT 1 SELECT 2\nGO\nSELECT 3")
    assert len(script.procedures[0].body) == 2
    assert len(script.batches) == 2


# --- control flow ---


def test_if_takes_one_statement() -> None:
    first, second = statements("IF @d IS NULL SET @d = GETDATE() INSERT INTO t SELECT 1")
    assert isinstance(first, n.If)
    assert isinstance(first.then, n.SetVariable)
    assert isinstance(second, n.Leaf)


def test_else_belongs_to_the_nearest_if() -> None:
    outer = only("IF @a = 1 IF @b = 2 PRINT 'x' ELSE PRINT 'y'")
    assert outer.otherwise is None
    assert isinstance(outer.then.otherwise, n.Print)


def test_a_case_expression_does_not_end_a_block() -> None:
    block = only(
        "BEGIN SET @a = CASE WHEN @b = 1 THEN CASE @c WHEN 2 THEN 3 END ELSE 4 END SELECT 1 END"
    )
    assert [type(s).__name__ for s in block.body] == ["SetVariable", "Leaf"]


def test_try_and_catch() -> None:
    block = only("BEGIN TRY SELECT 1 END TRY BEGIN CATCH THROW; END CATCH")
    assert (len(block.body), len(block.handler)) == (1, 1)


def test_labels_and_goto() -> None:
    assert names("again: SET @a = 1 GOTO again") == ["Label", "SetVariable", "Goto"]


@pytest.mark.parametrize(
    ("text", "value"),
    [("RETURN SELECT 1", None), ("RETURN -1 SELECT 1", "-1"), ("RETURN (0)", "(0)")],
)
def test_return_with_and_without_a_value(text: str, value: str | None) -> None:
    statement = statements(text)[0]
    assert isinstance(statement, n.Return)
    assert (statement.value.text if statement.value else None) == value


# --- where statements begin ---

RUNS = {
    "SET NOCOUNT ON DELETE FROM t": ["SetOption", "Leaf"],
    "SET IDENTITY_INSERT t ON INSERT t (a) VALUES (1) SET IDENTITY_INSERT t OFF": [
        "SetOption",
        "Leaf",
        "SetOption",
    ],
    "SELECT a FROM t WITH (NOLOCK) WITH c AS (SELECT 1 a) DELETE FROM c": ["Leaf", "Leaf"],
    "SELECT a FROM t GROUP BY a WITH ROLLUP UPDATE t SET a = 1": ["Leaf", "Leaf"],
    "SELECT 1 UNION ALL SELECT 2 SELECT 3": ["Leaf", "Leaf"],
    "SELECT a FROM t ORDER BY a OFFSET 1 ROWS FETCH NEXT 2 ROWS ONLY FETCH NEXT FROM c INTO @a": [
        "Leaf",
        "Fetch",
    ],
    "SELECT a FROM t INNER MERGE JOIN u ON t.a = u.a MERGE t USING u ON 1 = 1 WHEN MATCHED THEN UPDATE SET a = 1": [
        "Leaf",
        "Leaf",
    ],
    "MERGE t USING u ON t.a = u.a WHEN MATCHED AND u.b = 1 THEN DELETE WHEN NOT MATCHED THEN INSERT (a) VALUES (1); SELECT 1": [
        "Leaf",
        "Leaf",
    ],
    "UPDATE t SET a = 1 SET @b = 2": ["Leaf", "SetVariable"],
    "UPDATE STATISTICS t UPDATE t SET a = 1": ["SideStatement", "Leaf"],
    "INSERT INTO t SELECT 1 SELECT 2": ["Leaf", "Leaf"],
    "INSERT t VALUES (1), (2) SELECT 2": ["Leaf", "Leaf"],
    "INSERT t DEFAULT VALUES INSERT t EXEC p 1 EXEC p": ["Leaf", "InsertExec", "Execute"],
    "INSERT INTO t OUTPUT inserted.a INTO u (a) VALUES (1) PRINT 'x'": ["Leaf", "Print"],
    "DECLARE @a INT = 1, @b INT DECLARE @t TABLE (a INT) SELECT @a = 1": [
        "Declare",
        "Declare",
        "SelectAssign",
    ],
    "BEGIN TRAN t1 SAVE TRAN s1 ROLLBACK TRAN s1 COMMIT TRAN t1": [
        "BeginTransaction",
        "SaveTransaction",
        "RollbackTransaction",
        "CommitTransaction",
    ],
    "PRINT 'x' THROW 50001, 'y', 1 SELECT 1": ["Print", "Throw", "Leaf"],
    "EXEC p @a = 1, @b = @c OUTPUT, @d = DEFAULT EXEC ('x') DROP TABLE IF EXISTS #a, #b": [
        "Execute",
        "ExecuteString",
        "DropTable",
    ],
    "CREATE TABLE #t (a INT NOT NULL, CONSTRAINT pk PRIMARY KEY (a)) CREATE INDEX i ON #t (a) ALTER TABLE #t ADD b INT": [
        "CreateTable",
        "IndexStatement",
        "AlterTable",
    ],
    "DROP TABLE #t IF EXISTS (SELECT 1 FROM t) SELECT 1": ["DropTable", "If"],
    "TRUNCATE TABLE a.b.c WAITFOR DELAY '00:00:01' USE db DBCC CHECKDB": [
        "Leaf",
        "SideStatement",
        "SideStatement",
        "SideStatement",
    ],
    "SELECT a AS [end], b [begin] FROM t PRINT 1": ["Leaf", "Print"],
    "sp_who 'x' \nGO\ndbo.p @a = 1": ["Execute", "Execute"],
}


@pytest.mark.parametrize("text", RUNS)
def test_statements_without_semicolons(text: str) -> None:
    assert names(text) == RUNS[text]


@pytest.mark.parametrize("text", [text for text in RUNS if "MERGE" not in text])
def test_semicolons_change_nothing(text: str) -> None:
    parts = [parse_script(text).text_of(statement) for statement in statements(text)]
    if "\nGO\n" not in text:
        assert names(";\n".join(parts) + ";;") == RUNS[text]


# --- single statements ---


def test_calls() -> None:
    call = only(
        "EXEC @rc = [db].dbo.p 1, abc, @b = @c OUTPUT, @d = DEFAULT, @e = N'x' WITH RECOMPILE"
    )
    assert (call.return_variable, call.procedure.key) == ("@rc", ("db", "dbo", "p"))
    assert [(a.name, a.value and a.value.text, a.is_output) for a in call.arguments] == [
        (None, "1", False),
        (None, "'abc'", False),
        ("@b", "@c", True),
        ("@d", None, False),
        ("@e", "N'x'", False),
    ]
    assert only("EXEC @name @a = 1").procedure_variable == "@name"


def test_dynamic_sql() -> None:
    text = only("EXEC ('SELECT ' + @a) AT [srv]")
    assert (text.sql.text, text.at_server) == ("'SELECT ' + @a", "srv")
    call = only("EXECUTE sys.sp_executesql @stmt = @sql, @params = N'@x int', @x = 1")
    assert (call.sql.text, call.parameters.text, call.arguments[0].name) == (
        "@sql",
        "N'@x int'",
        "@x",
    )


def test_cursors() -> None:
    cursor = only(
        "DECLARE c INSENSITIVE CURSOR LOCAL FAST_FORWARD FOR SELECT a FROM t FOR UPDATE OF a, b"
    ).cursor
    assert cursor.options == ("INSENSITIVE", "LOCAL", "FAST_FORWARD")
    assert (cursor.query.text, cursor.for_update, cursor.update_columns) == (
        "SELECT a FROM t",
        True,
        ("a", "b"),
    )
    fetch = only("FETCH ABSOLUTE -1 FROM @c INTO @a, @b")
    assert (fetch.cursor, fetch.direction, fetch.offset.text, fetch.into) == (
        "@c",
        "ABSOLUTE",
        "-1",
        ("@a", "@b"),
    )


def test_messages() -> None:
    error = only("RAISERROR (N'%s failed', 16, 1, @a, 5) WITH NOWAIT, LOG")
    assert (error.severity.text, len(error.arguments), error.options) == (
        "16",
        2,
        ("NOWAIT", "LOG"),
    )
    assert only("THROW").number is None


def test_table_definitions() -> None:
    table = only(
        """CREATE TABLE [dbo].[t] (
            id int IDENTITY(5, 2) NOT FOR REPLICATION NOT NULL CONSTRAINT pk PRIMARY KEY CLUSTERED WITH (FILLFACTOR = 80),
            name nvarchar(50) COLLATE Latin1_General_CI_AS NULL DEFAULT (N'x'), total AS (id * 2) PERSISTED,
            amount decimal(18, 2) NOT NULL CHECK (amount > 0), ref_id int REFERENCES dbo.u (id) ON DELETE SET NULL,
            CONSTRAINT uq UNIQUE NONCLUSTERED (name DESC), FOREIGN KEY (ref_id) REFERENCES dbo.u (id)
        ) ON [PRIMARY] WITH (DATA_COMPRESSION = PAGE)"""
    )
    by_name = {column.name: column for column in table.body.columns}
    assert by_name["id"].identity is not None
    assert (by_name["id"].identity.seed, by_name["id"].identity.increment) == (5, 2)
    assert table.body.primary_key == ("id",)
    assert (by_name["name"].nullable, by_name["name"].collation) == (True, "Latin1_General_CI_AS")
    assert by_name["total"].computed is not None
    assert by_name["total"].type is None
    assert by_name["amount"].type.arguments == ("18", "2")
    assert [c.kind.value for c in table.body.constraints] == ["unique", "foreign_key"]


def test_functions_views_and_triggers() -> None:
    scalar = only("CREATE FUNCTION f (@a int = 0) RETURNS int AS BEGIN RETURN @a END")
    assert (scalar.kind, scalar.returns.name) == (n.FunctionKind.SCALAR, "int")
    inline = only("CREATE FUNCTION f () RETURNS TABLE AS RETURN (SELECT 1 AS a)")
    assert (inline.kind, inline.query.text) == (n.FunctionKind.INLINE_TABLE, "SELECT 1 AS a")
    table = only(
        "CREATE FUNCTION f () RETURNS @r TABLE (a int) AS BEGIN INSERT @r VALUES (1) RETURN END"
    )
    assert (table.table_variable, table.table.columns[0].name) == ("@r", "a")
    view = only("CREATE VIEW v (a) WITH SCHEMABINDING AS SELECT 1 WITH CHECK OPTION")
    assert (view.columns, view.query.text, view.with_check_option) == (("a",), "SELECT 1", True)
    trigger = only("CREATE TRIGGER tr ON t AFTER INSERT, UPDATE AS IF UPDATE(a) PRINT 'x'")
    assert (trigger.table.name, trigger.events) == ("t", ("INSERT", "UPDATE"))


# --- what is not understood ---


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("SELECT 1; FROBNICATE the table; SELECT 2", "no statement starts with 'FROBNICATE'"),
        ("SELECT 1 SET @x.modify('delete /a') SELECT 2", "method call"),
        ("SELECT 1 EXEC p (1 SELECT 2", ""),
        ("BEGIN SELECT 1", "the BEGIN of line 1 has no END"),
        ("SELECT 1 END SELECT 2", "END without a beginning"),
        ("IF @a = 1", "no statement behind this IF"),
        ("PRINT 'never closed", "never closed"),
    ],
)
def test_a_hole_has_a_reason_and_the_rest_is_read(text: str, reason: str) -> None:
    script = parse_script(text)
    holes = [node for node in n.walk(script) if isinstance(node, n.Unparsed)]
    assert holes
    assert any(reason in hole.reason for hole in holes)
    read = [node for node in n.walk(script) if isinstance(node, n.Leaf)]
    assert len(read) == text.count("SELECT ")


def test_positions() -> None:
    script = parse_script("\n  IF @a = 1\n\tSELECT 1\n")
    statement = script.statements[0]
    assert (statement.span.line, statement.span.column, statement.span.end_line) == (2, 3, 3)
    assert script.text_of(statement) == "IF @a = 1\n\tSELECT 1"


def test_the_old_form_of_raiserror_keeps_its_number_and_text() -> None:
    found: Any = statements("RAISERROR 50001 'x' RAISERROR @n @m RAISERROR 'only text' PRINT 'z'")
    assert [type(s).__name__ for s in found] == ["RaiseError"] * 3 + ["Print"]
    assert [(s.number and s.number.text, s.message.text) for s in found[:3]] == [
        ("50001", "'x'"),
        ("@n", "@m"),
        (None, "'only text'"),
    ]


def test_a_module_ends_where_the_next_begins_when_go_is_missing() -> None:
    text = (
        "CREATE PROC a AS BEGIN SELECT 1 END EXEC b CREATE OR ALTER PROCEDURE b AS SELECT 2 "
        "CREATE VIEW v AS SELECT 1 AS x ALTER PROC c AS SELECT 3"
    )
    assert names(text) == ["CreateProcedure", "CreateProcedure", "CreateView", "CreateProcedure"]
    assert [len(p.all_statements) for p in parse_script(text).procedures] == [2, 1, 1]


def test_copy_into_is_a_load_with_a_target() -> None:
    found = only("COPY INTO dbo.t (a, b) FROM 'https://x/*.csv' WITH (FILE_TYPE = 'CSV')")
    assert (found.kind, str(found.target)) == ("COPY INTO", "dbo.t")
    assert names("SELECT 1 COPY INTO t FROM 'x' SELECT copy INTO #z FROM t") == [
        "Leaf",
        "SideStatement",
        "Leaf",
    ]
