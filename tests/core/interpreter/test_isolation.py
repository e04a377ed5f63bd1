"""Nothing outside the reference is read or written, whatever a procedure says."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from core.interpreter import Limits, Reference

OUTSIDE = {
    "xp_cmdshell": "EXEC master..xp_cmdshell 'echo x > {path}'",
    "xp_cmdshell, short": "EXEC xp_cmdshell 'echo x > {path}'",
    "OPENROWSET": "SELECT * FROM OPENROWSET(BULK '{path}', SINGLE_CLOB) AS x",
    "OPENROWSET of a provider": "SELECT a.* FROM OPENROWSET('SQLNCLI', 'x', 'SELECT 1') AS a",
    "OPENQUERY": "SELECT * FROM OPENQUERY(srv, 'SELECT 1 AS a')",
    "BULK INSERT": "BULK INSERT dbo.t FROM '{path}'",
    "linked server": "INSERT dbo.t SELECT a FROM [srv].db.dbo.t",
    "linked server call": "EXEC srv.db.dbo.p",
    "EXEC AT": "EXEC ('SELECT 1') AT srv",
    "another database": "INSERT dbo.t SELECT a FROM otherdb.dbo.t",
    "BACKUP": "BACKUP DATABASE x TO DISK = '{path}'",
    "sp_configure": "EXEC sp_configure 'xp_cmdshell', 1",
    "in dynamic SQL": "DECLARE @s nvarchar(200) = N'EXEC xp_cmdshell ''echo x''' EXEC (@s)",
    "in a CATCH that hides it": (
        "BEGIN TRY EXEC xp_cmdshell 'echo x' END TRY BEGIN CATCH SELECT 1 END CATCH"
    ),
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_reaching_outside_is_an_error(reference: Reference, tmp_path: Path, name: str) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("1\n2\n")
    reference.run_script("CREATE TABLE dbo.t (a int)")
    result = reference.run_script(OUTSIDE[name].format(path=secret))[-1]
    assert result.error is not None
    assert result.error.refused
    assert secret.read_text() == "1\n2\n"
    assert reference.table("dbo.t").rows == ()
    assert [path.name for path in tmp_path.iterdir()] == ["secret.txt"]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM read_csv('/etc/hostname')",
        "SELECT * FROM '/etc/hostname'",
        "SELECT read_text('/etc/hostname')",
        "SELECT * FROM duckdb_settings()",
        "COPY t TO '/tmp/x'",
        "ATTACH '/tmp/x.db'",
        "INSTALL httpfs",
        "PRAGMA database_list",
        "SELECT getenv('HOME')",
    ],
)
def test_the_engines_own_language_is_not_reachable(reference: Reference, text: str) -> None:
    result = reference.run_script(text)[-1]
    assert result.error is not None


def test_text_never_becomes_sql(reference: Reference) -> None:
    reference.run_script('CREATE TABLE dbo.[a"b\'; DROP TABLE x] (id int, [c"d] varchar(50))')
    value = '\'); DROP TABLE "dbo.t"; --'
    reference.load("dbo.[a\"b'; DROP TABLE x]", [{"id": 1, 'c"d': value}])
    result = reference.run_script('SELECT [c"d] FROM dbo.[a"b\'; DROP TABLE x]')[-1]
    assert result.result_sets[-1].rows == ((value,),)


def test_the_configuration_is_locked(reference: Reference) -> None:
    connection = reference.engine.connection
    for statement in ("SET enable_external_access = true", "SET lock_configuration = false"):
        with pytest.raises(duckdb.Error):
            connection.execute(statement)
    with pytest.raises(duckdb.Error):
        connection.execute("SELECT * FROM read_text('/etc/hostname')")


ENDLESS = {
    "statements": "DECLARE @i int = 0 WHILE 1 = 1 SET @i = 1",
    "rows": (
        "CREATE TABLE dbo.r (a int) INSERT dbo.r VALUES (1) "
        "WHILE 1 = 1 INSERT dbo.r SELECT a FROM dbo.r"
    ),
    "goto": "again: GOTO again",
}


@pytest.mark.parametrize("name", ENDLESS)
def test_endless_procedures_end(name: str) -> None:
    with Reference(limits=Limits(statements=500, rows=2_000)) as reference:
        reference.define(f"CREATE PROCEDURE dbo.p AS BEGIN {ENDLESS[name]} END")
        result = reference.run_procedure("dbo.p")
        assert result.error is not None
        assert result.error.refused
        assert "stopped after" in result.error.message


def test_a_long_query_is_interrupted() -> None:
    endless = (
        "WITH r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 2000000000) "
        "SELECT max(n) FROM r OPTION (MAXRECURSION 0)"
    )
    with Reference(limits=Limits(seconds=0.3)) as reference:
        result = reference.run_script(endless)[-1]
        assert result.error is not None
        assert "seconds" in result.error.message
        again = reference.run_script("SELECT 1")[-1]
        assert again.error is None


def test_limits_cannot_be_caught() -> None:
    body = "BEGIN TRY WHILE 1 = 1 PRINT 'x' END TRY BEGIN CATCH SELECT 'caught' END CATCH"
    with Reference(limits=Limits(statements=100)) as reference:
        result = reference.run_script(body)[-1]
        assert result.error is not None
        assert result.error.refused
        assert result.result_sets == ()
