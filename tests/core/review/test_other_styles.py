"""The same procedures as other people would translate them: sound models that must not be refused,
and defects that are easy to overlook in them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from core.project.codes import Code
from core.review.reviewer import review
from core.review.verdict import Verdict
from tests.core.review.cases import CONTACT, CUSTOMER, DAILY, EVENTS, SEGMENT, STORE, Case
from tests.core.review.test_defects import error_codes, request_for


@dataclass(frozen=True)
class Style:
    """A sound model for a case's procedure, written in another way."""

    what: str
    case: Case
    sql: str


STORE_USING = Style(
    "join with using, short CTE names, searched case written as simple if",
    STORE,
    """{{ config(materialized='table') }}

with s as (

    select * from {{ source('bronze', 'Store') }}

),

c as (

    select * from {{ source('bronze', 'Country') }}

),

active_countries as (

    select
        CountryCode,
        RegionName
    from c
    where IsActive = 1

),

open_stores as (

    select *
    from s
    where ClosedOn is null

),

final as (

    select
        open_stores.StoreID,
        ltrim(rtrim(open_stores.StoreName)) as StoreName,
        ifnull(active_countries.RegionName, 'Unknown') as RegionName,
        case
            when open_stores.SquareMeters < 200 then 'S'
            when open_stores.SquareMeters < 1000 then 'M'
            else 'L'
        end as SizeBand
    from open_stores
    left join active_countries using (CountryCode)

)

select * from final
""",
)

STORE_RIGHT = Style(
    "the outer join turned around",
    STORE,
    STORE.model.replace(
        """    from store
    left join country
""",
        """    from country
    right join store
""",
    ),
)

CUSTOMER_WHERE_IN_CTE = Style(
    "the filter before the join, concat, columns passed through two CTEs",
    CUSTOMER,
    CUSTOMER.model.replace("    where customer.IsTest = 0\n", "")
    .replace(
        "customers_with_country as (",
        """real_customers as (

    select * from customer
    where not (customer.IsTest <> 0)

),

customers_with_country as (""",
    )
    .replace("    from customer\n    inner join", "    from real_customers as customer\n    join")
    .replace(
        "customer.FirstName || ' ' || customer.LastName",
        "concat_ws(' ', customer.FirstName, customer.LastName)",
    )
    .replace("where not (customer.IsTest <> 0)", "where IsTest = 0"),
)

DAILY_ALIASES = Style(
    "grouping by position, the union in the other order, HAVING as a filter after it",
    DAILY,
    DAILY.model.replace("group by StoreID, SoldOn", "group by 1, 2").replace(
        "where StatusCode in ('C', 'P')", "where (StatusCode = 'C' or StatusCode = 'P')"
    ),
)

CONTACT_SUBQUERY = Style(
    "a numbered CTE and a filter instead of qualify",
    CONTACT,
    CONTACT.model.replace(
        """    select
        Email,
        SignedUpAt
    from web_signup
    where Email like '%@%'
    qualify row_number() over (partition by Email order by SignedUpAt desc, SignupID desc) = 1

),
""",
        """    select
        web_signup.Email,
        web_signup.SignedUpAt,
        row_number() over (
            partition by web_signup.Email
            order by web_signup.SignedUpAt desc, web_signup.SignupID desc
        ) as rn
    from web_signup
    where web_signup.Email like '%@%'

),

newest_signups as (

    select * from latest_signups
    where rn = 1

),
""",
    )
    .replace("        latest_signups.Email,", "        newest_signups.Email,")
    .replace(
        "        latest_signups.SignedUpAt\n    from latest_signups",
        "        newest_signups.SignedUpAt\n    from newest_signups",
    )
    .replace("= latest_signups.Email", "= newest_signups.Email"),
)

EVENTS_ANTI_JOIN = Style(
    "the anti join as a left join, the watermark in a CTE of its own",
    EVENTS,
    EVENTS.model.replace(
        """        and not exists (
            select 1
            from quarantine
            where quarantine.EventID = event.EventID
        )
""",
        "        and quarantine.EventID is null\n",
    ).replace(
        "        on device.DeviceID = event.DeviceID\n",
        """        on device.DeviceID = event.DeviceID
    left join quarantine
        on quarantine.EventID = event.EventID
""",
    ),
)

EVENTS_NOT_IN = Style(
    "turned-around comparisons and joins",
    EVENTS,
    EVENTS.model.replace("device.DeviceID = event.DeviceID", "event.DeviceID = device.DeviceID")
    .replace("quarantine.EventID = event.EventID", "event.EventID = quarantine.EventID")
    .replace("device.IsRetired = 0", "0 = device.IsRetired"),
)

SEGMENT_CASE = Style(
    "the fix-up as a case expression, no superfluous distinct before a union",
    SEGMENT,
    SEGMENT.model.replace(
        "coalesce(vip.Level, segments.Segment) as Segment",
        "case when vip.CustomerID is not null then vip.Level else segments.Segment end as Segment",
    ).replace("    select distinct\n", "    select\n"),
)

STYLES = (
    STORE_USING,
    STORE_RIGHT,
    CUSTOMER_WHERE_IN_CTE,
    DAILY_ALIASES,
    CONTACT_SUBQUERY,
    EVENTS_ANTI_JOIN,
    EVENTS_NOT_IN,
    SEGMENT_CASE,
)


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.what)
def test_another_sound_translation_is_not_refused(style: Style, tmp_path: Path) -> None:
    assert style.sql != style.case.model
    result = review(request_for(style.case, tmp_path, style.sql))
    found = error_codes(result) - {Code.MISSING_DESCRIPTION}
    assert found == set(), [i.message for i in result.issues]


@dataclass(frozen=True)
class Slip:
    """One thing that went wrong in another style."""

    what: str
    style: Style
    old: str
    new: str
    code: Code


SLIPS = (
    Slip("inner instead of left, with using", STORE_USING, "left join", "join", Code.JOIN_MISMATCH),
    Slip(
        "the filter of the joined side lost in a CTE",
        STORE_USING,
        "    from c\n    where IsActive = 1\n",
        "    from c\n",
        Code.FILTER_MISMATCH,
    ),
    Slip(
        "using another column",
        STORE_USING,
        "using (CountryCode)",
        "using (RegionName)",
        Code.JOIN_MISMATCH,
    ),
    Slip("left where it must be right", STORE_RIGHT, "right join", "left join", Code.JOIN_MISMATCH),
    Slip(
        "one value of an OR lost", DAILY_ALIASES, " or StatusCode = 'P'", "", Code.FILTER_MISMATCH
    ),
    Slip(
        "one grouping position lost",
        DAILY_ALIASES,
        "group by 1, 2",
        "group by 1",
        Code.GRAIN_MISMATCH,
    ),
    Slip(
        "HAVING turned around",
        DAILY_ALIASES,
        "having sum(Amount) > 0",
        "having sum(Amount) < 0",
        Code.FILTER_MISMATCH,
    ),
    Slip(
        "numbered over everything",
        CONTACT_SUBQUERY,
        "partition by web_signup.Email\n",
        "",
        Code.GRAIN_MISMATCH,
    ),
    Slip(
        "semi instead of anti",
        EVENTS_ANTI_JOIN,
        "quarantine.EventID is null",
        "quarantine.EventID is not null",
        Code.JOIN_MISMATCH,
    ),
    Slip(
        "at or after the watermark",
        EVENTS_NOT_IN,
        "event.LoadedAt > (",
        "event.LoadedAt >= (",
        Code.FILTER_MISMATCH,
    ),
    Slip("the second of each", CONTACT_SUBQUERY, "rn = 1", "rn = 2", Code.FILTER_MISMATCH),
    Slip("the first two of each", CONTACT_SUBQUERY, "rn = 1", "rn <= 2", Code.FILTER_MISMATCH),
    Slip("all but the first", CONTACT_SUBQUERY, "rn = 1", "rn > 1", Code.FILTER_MISMATCH),
    Slip("every rank", CONTACT_SUBQUERY, "    where rn = 1\n", "", Code.FILTER_MISMATCH),
    Slip(
        "the other retired ones",
        EVENTS_NOT_IN,
        "0 = device.IsRetired",
        "1 = device.IsRetired",
        Code.FILTER_MISMATCH,
    ),
)


@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: slip.what)
def test_a_slip_in_another_style_is_found(slip: Slip, tmp_path: Path) -> None:
    assert slip.old in slip.style.sql
    sql = slip.style.sql.replace(slip.old, slip.new)
    result = review(request_for(slip.style.case, tmp_path, sql))
    assert slip.code in error_codes(result), [i.message for i in result.issues]
    assert result.status is Verdict.REVISION_REQUESTED


@pytest.mark.parametrize(
    "spelled", ["rn <= 1", "rn < 2", "1 = rn", "2 > rn", "rn between 1 and 1", "not rn > 1"]
)
def test_the_same_ranks_in_other_words_are_the_same(spelled: str, tmp_path: Path) -> None:
    sql = CONTACT_SUBQUERY.sql.replace("rn = 1", spelled)
    result = review(request_for(CONTACT_SUBQUERY.case, tmp_path, sql))
    assert error_codes(result) == set(), [i.message for i in result.issues]


def _ranked(keeps: str) -> Case:
    """The case whose procedure filters its numbered rows itself, as ``keeps`` says."""
    procedure = CONTACT.procedure.replace("    DELETE FROM #Ranked WHERE rn > 1\n", "")
    assert "ON c.Email = r.Email\n" in procedure
    procedure = procedure.replace("= r.Email\n", f"= r.Email\n    {keeps}\n")
    return replace(CONTACT, procedure=procedure)


@pytest.mark.parametrize(
    ("keeps", "model", "found"),
    [
        ("WHERE r.rn = 2", "rn = 2", False),
        ("WHERE r.rn = 2", "rn = 1", True),
        ("WHERE r.rn BETWEEN 1 AND 3", "rn < 4", False),
        ("WHERE r.rn BETWEEN 1 AND 3", "rn < 3", True),
        ("WHERE r.rn <> 1", "rn >= 2", False),
        ("", "rn = 1", True),
    ],
)
def test_rank_filters_of_numbered_temp_tables(
    keeps: str, model: str, found: bool, tmp_path: Path
) -> None:
    sql = CONTACT_SUBQUERY.sql.replace("rn = 1", model)
    result = review(request_for(_ranked(keeps), tmp_path, sql))
    wanted = {Code.FILTER_MISMATCH} if found else set()
    assert error_codes(result) == wanted, [i.message for i in result.issues]
