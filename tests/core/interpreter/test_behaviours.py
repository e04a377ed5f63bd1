"""Every behaviour of `behaviours` and `behaviours_flow`, each run as a script."""

from __future__ import annotations

import pytest

from core.interpreter import Limits, Profile, Reference
from core.interpreter.values import json_value
from tests.core.interpreter import behaviours, behaviours_edges, behaviours_flow, behaviours_more
from tests.core.interpreter.behaviours import Case, Error

CASES = behaviours.CASES + behaviours_flow.CASES + behaviours_more.CASES + behaviours_edges.CASES


def test_there_are_enough_and_their_names_differ() -> None:
    assert len(CASES) >= 200
    assert sum(case.page_was_read for case in CASES) >= 200
    names = [(case.kind, case.page, case.name) for case in CASES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.kind}: {c.name}")
def test_behaviour(reference: Reference, case: Case) -> None:
    if case.script.startswith("USE "):
        with Reference() as fresh:
            _check(fresh, case)
    else:
        _check(reference, case)


@pytest.mark.parametrize("case", behaviours_more.FOREIGN_KEY_CASES, ids=lambda c: c.name)
def test_foreign_keys(case: Case) -> None:
    with Reference(profile=Profile(foreign_keys=True)) as strict:
        _check(strict, case)


MESSAGES = {
    "CREATE TABLE dbo.t (v int, q int)\nSELECT x.v, SUM(q) FROM dbo.t AS x": (
        8120,
        "Column 'dbo.t.v' is invalid in the select list because it is not contained in either an "
        "aggregate function or the GROUP BY clause.",
    ),
    "SELECT CAST(N'abc' AS int)": (
        245,
        "Conversion failed when converting the nvarchar value 'abc' to data type int.",
    ),
    "SELECT CAST('300' AS tinyint)": (
        244,
        "The conversion of the varchar value '300' overflowed an INT1 column. Use a larger "
        "integer column.",
    ),
    "CREATE TABLE dbo.t (q int CONSTRAINT CK_q CHECK (q > 0))\nINSERT dbo.t VALUES (-1)": (
        547,
        'The INSERT statement conflicted with the CHECK constraint "CK_q". The conflict occurred '
        'in database "master", table "dbo.t", column \'q\'.',
    ),
    "CREATE TABLE dbo.t (id int NOT NULL)\nINSERT dbo.t VALUES (NULL)": (
        515,
        "Cannot insert the value NULL into column 'id', table 'master.dbo.t'; column does not "
        "allow nulls. INSERT fails.",
    ),
}


@pytest.mark.parametrize("script", MESSAGES)
def test_messages_word_for_word(script: str) -> None:
    with Reference() as fresh:
        error = fresh.run_script(script)[-1].error
        assert error is not None
        assert (error.number, error.message) == MESSAGES[script]


BOMBS = {
    "a long text": "SELECT LEN(REPLICATE(CAST('x' AS varchar(max)), 2000000000))",
    "a long series": "SELECT COUNT(*) FROM GENERATE_SERIES(1, 2000000000)",
    "a lost offset": "SELECT CAST('2024-01-01 10:00 +02:00' AS datetimeoffset)",
    "a shown offset": "SELECT SYSDATETIMEOFFSET() AT TIME ZONE 'Tokyo Standard Time'",
    "an unknown zone": "SELECT CAST(GETDATE() AT TIME ZONE 'Mars Standard Time' AS date)",
    "a sql_variant of a number": "DECLARE @v sql_variant = 1 SELECT @v",
    "accents that do not matter": "SELECT 1 WHERE 'e' = 'é' COLLATE Latin1_General_CI_AI",
    "shifted bits": "SELECT 1 << 3",
    "x / 0 without ARITHABORT": "SET ARITHABORT OFF SET ANSI_WARNINGS OFF SELECT 1 / 0",
    "a cursor parameter": (
        "CREATE PROC dbo.p @c CURSOR VARYING OUTPUT AS SET @c = CURSOR FOR SELECT 7 AS a\nGO\n"
        "DECLARE @x CURSOR EXEC dbo.p @x OUTPUT"
    ),
    "a running variable over joined rows": (
        "CREATE TABLE dbo.t (q int)\nDECLARE @v int = 0 "
        "UPDATE a SET @v = q = @v + a.q FROM dbo.t a JOIN dbo.t b ON a.q = b.q"
    ),
    "a function that is not run": "SELECT SQL_VARIANT_PROPERTY(1, 'BaseType')",
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_is_not_done_is_refused(name: str) -> None:
    with Reference(limits=Limits(seconds=10)) as fresh:
        error = fresh.run_script(BOMBS[name])[-1].error
        assert error is not None
        assert error.refused


def _check(reference: Reference, case: Case) -> None:
    results = reference.run_script(case.script)
    errors = [error for result in results for error in result.errors]
    refused = [error for error in errors if error.refused]
    assert not refused, refused
    if isinstance(case.expected, Error):
        assert case.expected.number in [error.number for error in errors]
        return
    sets = [found for result in results for found in result.result_sets]
    rows = [
        tuple(json_value(v, c.type) for v, c in zip(row, sets[-1].columns, strict=True))
        for row in (sets[-1].rows if sets else ())
    ]
    assert rows == case.expected, errors
