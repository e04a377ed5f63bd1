{{ config(materialized='table') }}

with

posting as (

    select * from {{ source('lnd', 'Posting') }}

),

account as (

    select * from {{ source('lnd', 'Account') }}

),

base as (

    select
        rpad(strftime(t.BookingDate, '%Y%m%d'), 6, ' ') as ym,
        e.ProductCode as cls,
        e.BranchCode as place,
        t.EntryCount as qty,
        t.PostingAmount as amt,
        t.AccountNo as ent
    from posting as t
    left join account as e on e.AccountNo = t.AccountNo
    where t.PostingType <> 'PENDING'

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
        any_value(ym) as ym,
        any_value(cls) as cls,
        any_value(place) as place,
        cast(sum(qty) as int) as qty,
        sum(amt) as amt,
        count(distinct lower(rtrim(ent))) as cnt
    from corrected_base_2
    group by lower(rtrim(ym)), lower(rtrim(cls)), lower(rtrim(place))

),

-- PRINT 'debug'
posting_month as (

    select
        ym as YearMonth,
        cls as ProductCode,
        place as BranchCode,
        qty as TotalEntryCount,
        amt as TotalPostingAmount,
        cnt as EntityCount
    from agg
    where amt <> 0

),

final as (

    select
        YearMonth,
        ProductCode,
        BranchCode,
        TotalEntryCount,
        TotalPostingAmount,
        cast(EntityCount as int) as EntityCount
    from posting_month

)

select * from final
