"""Our structure against sqlfluff's: statement kinds, their order and nesting.

Where the two differ, the file is in `DISAGREEMENTS` and the reason in ``sqlfluff_disagreements.md``:
a new difference fails, and so does one that has gone away.
"""

# ruff: noqa: E501 - one snippet per line reads best
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.core.tsql.corpus_files import CORPUS, corpus_files, read
from tests.core.tsql.structure_of import Shape, ours, sqlfluffs

#: File to the place where sqlfluff's reading first leaves ours.
DISAGREEMENTS = {
    "energy_keywordish.sql": "[0] create procedure / unparsed",
    "hospital_natively.sql": "[0].create procedure[0].block[1] update / nothing",
    "insurance_reserve.sql": "[0].create procedure[0].block[8] select / drop table",
    "logistics_admin.sql": "[0] create procedure / unparsed",
}
SAMPLE = (
    "retail_cursor",
    "hospital_orchestrate",
    "hr_params",
    "telecom_merge",
    "banking_reconcile",
)


def first_difference(mine: Shape, theirs: Shape, at: str = "") -> str | None:
    for index in range(max(len(mine), len(theirs))):
        left: tuple[str, list[Any]] = mine[index] if index < len(mine) else ("nothing", [])
        right: tuple[str, list[Any]] = theirs[index] if index < len(theirs) else ("nothing", [])
        if left[0] != right[0]:
            return f"{at}[{index}] {left[0]} / {right[0]}"
        below = first_difference(left[1], right[1], f"{at}[{index}].{left[0]}")
        if below:
            return below
    return None


def test_a_difference_is_seen() -> None:
    mine: Shape = [("if", [("select", [])]), ("delete", [])]
    assert first_difference(mine, [("if", [("select", []), ("delete", [])])]) == "[0].if[1] nothing / delete"  # fmt: skip
    assert first_difference(mine, mine) is None


@pytest.mark.parametrize("name", SAMPLE)
def test_sample_has_the_same_structure(name: str) -> None:
    text = read(CORPUS / f"{name}.sql")
    assert first_difference(ours(text), sqlfluffs(text)) is None


@pytest.mark.slow
@pytest.mark.parametrize("path", corpus_files(), ids=lambda path: path.stem)
def test_corpus_has_the_same_structure(path: Path) -> None:
    text = read(path)
    assert first_difference(ours(text), sqlfluffs(text)) == DISAGREEMENTS.get(path.name)


SNIPPETS = {
    "set after if": "IF @d IS NULL SET @d = GETDATE(); INSERT INTO t SELECT 1",
    "delete after exists": "IF EXISTS (SELECT 1 FROM t) DELETE FROM t; INSERT INTO u SELECT 1",
    "return after if": "IF @a = 1 RETURN; INSERT INTO t VALUES (1)",
    "else block": "IF @a = 1 BEGIN SELECT 1; SELECT 2; END ELSE BEGIN SELECT 3; END; SELECT 4",
    "dangling else": "IF @a = 1 IF @b = 2 SELECT 1 ELSE SELECT 2 SELECT 3",
    "while block": "WHILE @i < 3 BEGIN SET @i = @i + 1 END SELECT 4",
    "while single": "WHILE @i < 3 SET @i = @i + 1; SELECT 4",
    "try": "BEGIN TRY SELECT 1 SELECT 2 END TRY BEGIN CATCH SELECT 3 SELECT 4 END CATCH SELECT 5",
    "return value": "RETURN -1; SELECT 1",
    "throw": "BEGIN TRY SELECT 1 END TRY BEGIN CATCH THROW; END CATCH",
    "no semicolons": "DECLARE @a INT = 1 SET @a += 1 SELECT @a PRINT 'x' DELETE t WHERE a = @a",
    "update from": "UPDATE t SET a = 1, b = CASE WHEN c = 1 THEN 2 END FROM t JOIN u ON t.x = u.x SELECT 1",
    "delete from from": "DELETE FROM t FROM t JOIN u ON t.x = u.x WHERE u.y = 1 SELECT 1",
    "insert exec": "INSERT INTO t EXEC dbo.p @a = 1; SELECT 1",
    "cte": ";WITH a AS (SELECT 1 AS x), b AS (SELECT x FROM a) DELETE FROM t WHERE x IN (SELECT x FROM b) SELECT 1",
    "offset fetch": "SELECT a FROM t ORDER BY a OFFSET 1 ROWS FETCH NEXT 2 ROWS ONLY FETCH NEXT FROM c INTO @a",
    "label": "again: SET @a = 1 GOTO again",
    "transactions": "BEGIN TRAN DELETE t IF @@ERROR <> 0 ROLLBACK TRAN ELSE COMMIT TRAN SELECT 1",
    "output": "DELETE FROM t OUTPUT deleted.a INTO u WHERE a = 1 SELECT 1",
    "union": "SELECT 1 UNION ALL SELECT 2 SELECT 3",
    "set option": "SET NOCOUNT ON DELETE FROM t",
    "identity insert": "SET IDENTITY_INSERT dbo.t ON INSERT INTO dbo.t (a) VALUES (1) SET IDENTITY_INSERT dbo.t OFF",
    "exec with arguments": "EXEC @rc = dbo.p 1, @b = @c OUTPUT IF @rc <> 0 RETURN 1",
    "table hint": "SELECT a FROM t WITH (NOLOCK) UPDATE t WITH (TABLOCK) SET a = 1",
}  # fmt: skip


@pytest.mark.parametrize("text", SNIPPETS.values(), ids=SNIPPETS.keys())
def test_snippets_that_are_easily_misread(text: str) -> None:
    assert first_difference(ours(text), sqlfluffs(text)) is None
