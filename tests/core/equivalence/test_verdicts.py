"""Verdicts beside ``refuted``, and what a comparison says about its own limits."""

from __future__ import annotations

from dataclasses import replace

from core.equivalence.case import from_document
from core.equivalence.collation import affected_comparisons
from core.equivalence.subject import Subject
from core.equivalence.verdict import EquivalenceVerdict
from core.equivalence.volume import volume_constants
from tests.core.equivalence.kit import check, subject

SOURCE = """
CREATE TABLE src.Customers (
    CustomerID int NOT NULL PRIMARY KEY, Name nvarchar(40) NULL, City varchar(20) NULL,
    ModifiedAt datetime NULL)
GO
"""


def newest(procedure: str) -> Subject:
    """One customer is kept."""
    return subject(
        SOURCE + "CREATE TABLE dw.Newest (CustomerID int NULL, Name nvarchar(40) NULL)",
        procedure,
        "dw.Newest",
        "{{ config(materialized='table') }}\n"
        "with customers as (select * from {{ source('src', 'Customers') }})\n"
        "select CustomerID, Name from customers order by ModifiedAt desc nulls last limit 1\n",
    )


def test_a_procedure_that_disagrees_with_itself_is_not_blamed_on_the_model() -> None:
    found = check(
        newest(
            "CREATE PROC dw.usp_Newest AS\nSET NOCOUNT ON\nTRUNCATE TABLE dw.Newest\n"
            "INSERT dw.Newest (CustomerID, Name)\n"
            "SELECT TOP (1) CustomerID, Name FROM src.Customers ORDER BY ModifiedAt DESC\n"
        )
    )
    assert found.verdict is EquivalenceVerdict.NON_DETERMINISTIC, found.sentence
    assert not found.is_gap
    assert found.report["unstable"]["rows"]
    assert "physical order" in found.sentence


def test_rows_that_order_does_not_explain_are_still_a_gap() -> None:
    found = check(
        newest(
            "CREATE PROC dw.usp_Newest AS\nTRUNCATE TABLE dw.Newest\n"
            "INSERT dw.Newest (CustomerID, Name) VALUES (-1, N'nobody')\n"
            "INSERT dw.Newest (CustomerID, Name)\n"
            "SELECT TOP (1) CustomerID, Name FROM src.Customers ORDER BY ModifiedAt DESC\n"
        )
    )
    assert found.verdict is EquivalenceVerdict.REFUTED, found.sentence
    assert found.is_gap


def test_a_procedure_that_fails_on_its_own() -> None:
    found = check(
        newest(
            "CREATE PROC dw.usp_Newest AS\n"
            "SELECT CustomerID, Name INTO dw.Newest FROM src.Customers\n"
        )
    )
    assert found.verdict is EquivalenceVerdict.ERROR_IN_ORIGINAL, found.sentence
    assert "2714" in found.sentence
    assert "line 2" in found.sentence
    assert found.is_gap


# -- late rows -------------------------------------------------------------------------------------

LATE = subject(
    SOURCE + "CREATE TABLE dw.Seen (CustomerID int NOT NULL, ModifiedAt datetime NOT NULL)",
    "CREATE PROCEDURE dw.usp_Seen AS\nBEGIN\n  INSERT INTO dw.Seen (CustomerID, ModifiedAt)\n"
    "  SELECT c.CustomerID, c.ModifiedAt FROM src.Customers c\n"
    "  WHERE c.ModifiedAt IS NOT NULL AND NOT EXISTS\n"
    "    (SELECT 1 FROM dw.Seen s WHERE s.CustomerID = c.CustomerID)\nEND\n",
    "dw.Seen",
    "{{ config(materialized='incremental', incremental_strategy='append') }}\n"
    "with customers as (select * from {{ source('src', 'Customers') }})\n"
    "select CustomerID, ModifiedAt from customers\nwhere ModifiedAt is not null\n"
    "{% if is_incremental() %}\n"
    "and ModifiedAt > (select coalesce(max(ModifiedAt), '1900-01-01') from {{ this }})\n"
    "and CustomerID not in (select CustomerID from {{ this }})\n{% endif %}\n",
)


def test_a_difference_only_for_late_rows_is_reported_as_that() -> None:
    found = check(LATE)
    assert found.verdict is EquivalenceVerdict.REFUTED, found.sentence
    assert "only for rows behind the watermark (ModifiedAt = " in found.sentence
    assert found.counterexample is not None
    assert found.counterexample["only_behind_watermark"]


# -- numbers ---------------------------------------------------------------------------------------

KEYS = """{{ config(materialized='incremental', incremental_strategy='merge',
    unique_key='CustomerID') }}
with customers as (select * from {{ source('src', 'Customers') }}),
existing as (
    {% if is_incremental() %} select CustomerKey, CustomerID from {{ this }}
    {% else %} select cast(null as int) as CustomerKey, cast(null as int) as CustomerID where false
    {% endif %}
),
new as (
    select CustomerID from customers where CustomerID not in (select CustomerID from existing)
)
select
    cast((select coalesce(max(CustomerKey), 0) from existing)
        + row_number() over (order by CustomerID desc) as int) as CustomerKey,
    CustomerID
from new
"""
RENUMBERED = KEYS.replace(
    "from new\n", "from (select CustomerID from existing union select * from new)\n"
)


def test_a_row_that_stays_keeps_its_number() -> None:
    wanted = subject(
        SOURCE + "CREATE TABLE dw.Keys (CustomerKey int IDENTITY(1,1) NOT NULL, CustomerID int)",
        "CREATE PROC dw.usp_Keys AS\nINSERT dw.Keys (CustomerID)\n"
        "SELECT CustomerID FROM src.Customers c\n"
        "WHERE NOT EXISTS (SELECT * FROM dw.Keys k WHERE k.CustomerID = c.CustomerID)\n",
        "dw.Keys",
        KEYS,
    )
    sound = check(wanted)
    assert sound.verdict is EquivalenceVerdict.NO_DIFFERENCE, sound.sentence
    found = check(replace(wanted, sql=RENUMBERED))
    assert found.verdict is EquivalenceVerdict.REFUTED, found.sentence
    assert "changes customerkey of a row that stays as it is" in found.sentence


# -- collation -------------------------------------------------------------------------------------

CITY = (
    SOURCE + "CREATE TABLE dw.Berlin (CustomerID int NULL, City varchar(20) NULL)",
    "CREATE PROC dw.usp_Berlin AS\nTRUNCATE TABLE dw.Berlin\n"
    "INSERT dw.Berlin SELECT CustomerID, City FROM src.Customers\n"
    "WHERE City = 'Berlin' AND City <> RTRIM(Name)\n",
    "dw.Berlin",
    "{{ config(materialized='table') }}\n"
    "with customers as (select * from {{ source('src', 'Customers') }})\n"
    "select CustomerID, City from customers where City = 'Berlin' and City <> rtrim(Name, ' ')\n",
)


def test_comparisons_that_collation_affects_are_listed_once() -> None:
    listed = affected_comparisons(subject(*CITY))
    assert listed == ["line 4: City = 'Berlin'", "line 4: City <> RTRIM(Name)"]


def test_case_varies_only_where_the_project_wants_it_preserved() -> None:
    consistent = check(subject(*CITY))
    assert consistent.verdict is EquivalenceVerdict.NO_DIFFERENCE, consistent.sentence
    assert "line 4: City = 'Berlin'" in consistent.report["collation_affects"]
    kept = check(replace(subject(*CITY), collation="preserve"))
    assert kept.verdict is EquivalenceVerdict.REFUTED, kept.sentence


# -- volume ----------------------------------------------------------------------------------------

BATCHES = """
CREATE PROCEDURE dw.usp_Purge @BatchSize int = 5000
AS
BEGIN
  SET NOCOUNT ON;
  IF (SELECT COUNT(*) FROM src.Customers) > 1000
  BEGIN
    TRUNCATE TABLE dw.Big;
    WHILE 1 = 1
    BEGIN
      INSERT INTO dw.Big (CustomerID)
      SELECT TOP (@BatchSize) CustomerID FROM src.Customers c
      WHERE c.CustomerID < 100
        AND NOT EXISTS (SELECT 1 FROM dw.Big b WHERE b.CustomerID = c.CustomerID)
      ORDER BY CustomerID;
      IF @@ROWCOUNT < 5000 BREAK;
    END
  END
END
"""


def test_constants_that_only_gate_volume() -> None:
    assert volume_constants(BATCHES) == {5000: 2, 1000: 6}
    assert volume_constants("SELECT TOP (500) * FROM t WHERE Amount > 500") == {}
    assert volume_constants("SELECT * FROM t WHERE Amount > 500") == {}


def test_a_threshold_is_reached_by_small_tables() -> None:
    wanted = subject(
        SOURCE + "CREATE TABLE dw.Big (CustomerID int NULL)",
        BATCHES,
        "dw.Big",
        "{{ config(materialized='table') }}\n"
        "with customers as (select * from {{ source('src', 'Customers') }})\n"
        "select CustomerID from customers\n"
        "where CustomerID < 100 and (select count(*) from customers) > 1000\n",
    )
    found = check(replace(wanted, trials=12))
    assert found.report["target_rows_compared"], found.sentence
    assert found.report["constants_shrunk"] == [
        "line 6: 1000 stands for 2 here",
        "line 2: 5000 stands for 3 here",
    ]
    forgotten = wanted.sql.replace(" and (select count(*) from customers) > 1000", "")
    refuted = check(replace(wanted, sql=forgotten))
    assert refuted.verdict is EquivalenceVerdict.REFUTED, refuted.sentence
    assert refuted.counterexample is not None
    assert from_document(refuted.counterexample).most_rows <= 3
    assert refuted.counterexample["shrunk_constants"]
