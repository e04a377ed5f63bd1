"""Every seeded defect is found with the right code; no sound model is refused."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from core.project.codes import Code, Severity
from core.review.material import ReviewRequest, material_of
from core.review.reviewer import review
from core.review.verdict import ReviewResult, Verdict
from tests.core.review.cases import CASES, CONTACT, CUSTOMER, DAILY, EVENTS, SEGMENT, STORE, Case


def request_for(case: Case, root: Path, sql: str | None = None) -> ReviewRequest:
    """A review of the case's model (or of ``sql``) with the YAML rendered for the sound model."""
    project = case.project(root)
    table = project.table(case.target)
    assert table.writer is not None
    sound = ReviewRequest(
        item_id=case.item_id,
        model_name=case.model_name,
        sql=case.model,
        yaml_text="",
        table=table,
        spec=project.test_spec(case.target),
        procedure=project.procedure(table.writer),
        project=project,
        models=case.models,
    )
    expected = material_of(sound).expected
    assert expected is not None
    yaml_text = expected.yaml_text
    return ReviewRequest(**{**sound.__dict__, "sql": sql or case.model, "yaml_text": yaml_text})


def error_codes(result: ReviewResult) -> set[Code]:
    return {issue.code for issue in result.issues if issue.severity is Severity.ERROR}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_sound_model_is_not_refused(case: Case, tmp_path: Path) -> None:
    result = review(request_for(case, tmp_path))
    assert error_codes(result) == set(), [i.message for i in result.issues]
    assert result.status is not Verdict.REVISION_REQUESTED


@dataclass(frozen=True)
class Defect:
    """One wrong thing in a sound model: ``old`` became ``new``."""

    what: str
    case: Case
    old: str
    new: str
    code: Code


DEFECTS = (
    Defect("lost filter", STORE, "    where store.ClosedOn is null\n", "", Code.FILTER_MISMATCH),
    Defect(
        "negated filter", STORE, "ClosedOn is null", "ClosedOn is not null", Code.FILTER_MISMATCH
    ),
    Defect("left join made inner", STORE, "left join", "inner join", Code.JOIN_MISMATCH),
    Defect(
        "dropped condition of an outer join",
        STORE,
        "\n        and country.IsActive = 1",
        "",
        Code.FILTER_MISMATCH,
    ),
    Defect(
        "join on another column",
        STORE,
        "country.CountryCode = store.CountryCode",
        "country.RegionName = store.CountryCode",
        Code.JOIN_MISMATCH,
    ),
    Defect("reload made a view", STORE, "='table'", "='view'", Code.WRONG_MATERIALIZATION),
    Defect(
        "reload made incremental",
        STORE,
        "materialized='table'",
        "materialized='incremental', incremental_strategy='append'",
        Code.WRONG_MATERIALIZATION,
    ),
    Defect(
        "no config block",
        STORE,
        "{{ config(materialized='table') }}",
        "",
        Code.MISSING_CONFIG_BLOCK,
    ),
    Defect(
        "hard-coded table",
        STORE,
        "{{ source('bronze', 'Country') }}",
        "bronze.Country",
        Code.HARDCODED_TABLE_NAME,
    ),
    Defect(
        "lost column",
        STORE,
        "        coalesce(country.RegionName, 'Unknown') as RegionName,\n",
        "",
        Code.MISSING_COLUMN,
    ),
    Defect(
        "column from elsewhere",
        STORE,
        "trim(store.StoreName) as StoreName",
        "country.RegionName as StoreName",
        Code.MISSING_COLUMN,
    ),
    Defect("no final", STORE, "final", "result", Code.CTE_PATTERN_VIOLATION),
    Defect(
        "source read in a logical CTE",
        STORE,
        "    from store\n",
        "    from {{ source('bronze', 'Store') }} as store\n",
        Code.CTE_PATTERN_VIOLATION,
    ),
    Defect("CTE name in camel case", STORE, "country as (", "Country as (", Code.NAMING_VIOLATION),
    Defect("inner join made left", CUSTOMER, "inner join", "left join", Code.JOIN_MISMATCH),
    Defect(
        "filter of the MERGE source lost",
        CUSTOMER,
        "    where customer.IsTest = 0\n",
        "",
        Code.FILTER_MISMATCH,
    ),
    Defect("wrong constant", CUSTOMER, "IsTest = 0", "IsTest = 1", Code.FILTER_MISMATCH),
    Defect(
        "wrong merge key",
        CUSTOMER,
        "unique_key='CustomerID'",
        "unique_key='Email'",
        Code.MERGE_SEMANTICS_LOST,
    ),
    Defect(
        "MERGE made append",
        CUSTOMER,
        "incremental_strategy='merge'",
        "incremental_strategy='append'",
        Code.MERGE_SEMANTICS_LOST,
    ),
    Defect(
        "insert-only column overwritten",
        CUSTOMER,
        "unique_key='CustomerID',\n        merge_exclude_columns=['CreatedOn']",
        "unique_key='CustomerID'",
        Code.MERGE_SEMANTICS_LOST,
    ),
    Defect(
        "MERGE made a table",
        CUSTOMER,
        """        materialized='incremental',
        incremental_strategy='merge',
        unique_key='CustomerID',
        merge_exclude_columns=['CreatedOn']""",
        "        materialized='table'",
        Code.WRONG_MATERIALIZATION,
    ),
    Defect(
        "lost grouping key",
        DAILY,
        "group by StoreID, SoldOn",
        "group by StoreID",
        Code.GRAIN_MISMATCH,
    ),
    Defect("UNION for UNION ALL", DAILY, "union all", "union", Code.GRAIN_MISMATCH),
    Defect(
        "another aggregate",
        DAILY,
        "sum(Amount)",
        "max(Amount)",
        Code.GRAIN_MISMATCH,
    ),
    Defect(
        "count without distinct",
        DAILY,
        "count(distinct OrderID)",
        "count(OrderID)",
        Code.GRAIN_MISMATCH,
    ),
    Defect(
        "shorter IN list",
        DAILY,
        "in ('C', 'P')",
        "in ('C')",
        Code.FILTER_MISMATCH,
    ),
    Defect(
        "missing source",
        DAILY,
        """
    union all

    select
        OrderID,
        StoreID,
        SoldOn,
        Amount
    from web_sales
    where StatusCode in ('C', 'P')
""",
        "",
        Code.MISSING_SOURCE_TABLE,
    ),
    Defect(
        "de-duplication lost",
        CONTACT,
        "    qualify row_number() over (partition by Email order by SignedUpAt desc, "
        "SignupID desc) = 1\n",
        "",
        Code.GRAIN_MISMATCH,
    ),
    Defect("wrong tie-break", CONTACT, "SignupID desc", "SignupID asc", Code.GRAIN_MISMATCH),
    Defect("keeps the oldest", CONTACT, "SignedUpAt desc, ", "SignedUpAt, ", Code.GRAIN_MISMATCH),
    Defect("keeps the second", CONTACT, "desc) = 1", "desc) = 2", Code.FILTER_MISMATCH),
    Defect("other pattern", CONTACT, "like '%@%'", "like '%.%'", Code.FILTER_MISMATCH),
    Defect(
        "added filter",
        CONTACT,
        "        on customer.Email = latest_signups.Email\n",
        "        on customer.Email = latest_signups.Email\n    where customer.CustomerID > 0\n",
        Code.FILTER_MISMATCH,
    ),
    Defect("anti join made semi", EVENTS, "not exists", "exists", Code.JOIN_MISMATCH),
    Defect(
        "watermark on another column",
        EVENTS,
        "and event.LoadedAt > (",
        "and event.EventID > (",
        Code.FILTER_MISMATCH,
    ),
    Defect(
        "append made merge",
        EVENTS,
        "incremental_strategy='append'",
        "incremental_strategy='merge', unique_key='EventID'",
        Code.MERGE_SEMANTICS_LOST,
    ),
    Defect("lost DISTINCT", SEGMENT, "    union\n", "    union all\n", Code.GRAIN_MISMATCH),
    Defect("off by one", SEGMENT, "Total >= 10", "Total > 10", Code.FILTER_MISMATCH),
    Defect(
        "fix-up lost",
        SEGMENT,
        """    left join vip
        on vip.CustomerID = segments.CustomerID
        and vip.Level <> 'none'
""",
        "",
        Code.MISSING_SOURCE_TABLE,
    ),
    Defect(
        "fix-up joined on another column",
        SEGMENT,
        "vip.CustomerID = segments.CustomerID",
        "vip.Level = segments.Segment",
        Code.JOIN_MISMATCH,
    ),
)


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.what)
def test_a_seeded_defect_is_found(defect: Defect, tmp_path: Path) -> None:
    assert defect.old in defect.case.model
    sql = defect.case.model.replace(defect.old, defect.new)
    result = review(request_for(defect.case, tmp_path, sql))
    assert defect.code in error_codes(result), [i.message for i in result.issues]
    assert result.status is Verdict.REVISION_REQUESTED
    assert any(line.startswith(defect.code) for line in result.feedback_for_model_generator)
