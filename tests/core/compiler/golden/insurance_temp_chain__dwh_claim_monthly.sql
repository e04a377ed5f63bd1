{{ config(materialized='table') }}

with

claim as (

    select * from {{ source('staging', 'Claim') }}

),

policy as (

    select * from {{ source('staging', 'Policy') }}

),

base as (

    select
        rpad(strftime(t.LossDate, '%Y%m%d'), 6, ' ') as ym,
        e.ProductLine as cls,
        e.Branch as place,
        t.ClaimCount as qty,
        t.PaidAmount as amt,
        t.PolicyNumber as ent
    from claim as t
    left join policy as e on e.PolicyNumber = t.PolicyNumber
    where t.ClaimStatus <> 'REPORTED'

),

corrected_base as (

    select
        ym,
        case when cls is null then 'UNK' else cls end as cls,
        place,
        qty,
        amt,
        ent
    from base

),

-- nested /* comment */ stays out
corrected_base_2 as (

    select
        ym,
        cls,
        case when place is null or place = '' then 'n/a' else upper(place) end as place,
        qty,
        amt,
        ent
    from corrected_base

),

agg as (

    select
        ym,
        cls,
        place,
        cast(sum(qty) as int) as qty,
        sum(amt) as amt,
        count(distinct ent) as cnt
    from corrected_base_2
    group by ym, cls, place

),

final as (

    select
        ym as YearMonth,
        cls as ProductLine,
        place as Branch,
        qty as TotalClaimCount,
        amt as TotalPaidAmount,
        cast(cnt as int) as EntityCount
    from agg
    where amt <> 0

)

select * from final
