{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        merge_clauses={
            'when_not_matched': [
                {'action': 'insert', 'mode': 'by_name'},
                {'by': 'source', 'action': 'delete'},
            ],
        },
    )
}}

with

existing_posting_month as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as varchar) as YearMonth,
        cast(null as varchar) as ProductCode,
        cast(null as varchar) as BranchCode,
        cast(null as integer) as TotalEntryCount,
        cast(null as decimal(38, 2)) as TotalPostingAmount,
        cast(null as integer) as EntityCount
    where false

    {% endif %}

),

posting as (

    select * from {{ source('lnd', 'Posting') }}

),

account as (

    select * from {{ source('lnd', 'Account') }}

),

new_posting_month as (

    select
        '{{ var('p_posting_month_rebuild_yearmonth') }}' as YearMonth,
        a.ProductCode,
        a.BranchCode,
        cast(sum(p.EntryCount) as int) as TotalEntryCount,
        sum(p.PostingAmount) as TotalPostingAmount,
        count(distinct p.AccountNo) as EntityCount
    from posting as p
    inner join account as a on a.AccountNo = p.AccountNo
    where rpad(strftime(p.BookingDate, '%Y%m%d'), 6, ' ')
    = '{{ var('p_posting_month_rebuild_yearmonth') }}'
        and a.ProductCode is not null
        and a.BranchCode is not null
    group by a.ProductCode, a.BranchCode

),

n as (

    select count(*) as n
    from new_posting_month

),

kept_existing_posting_month as (

    select *
    from existing_posting_month
    where (select n from n) = 0

),

kept_posting_month as (

    select *
    from existing_posting_month
    where (YearMonth = '{{ var('p_posting_month_rebuild_yearmonth') }}') is not true
        and ((select n from n) = 0) is not true

),

new_posting_month_2 as (

    select *
    from new_posting_month
    where ((select n from n) = 0) is not true

),

final as (

    select
        YearMonth,
        ProductCode,
        BranchCode,
        TotalEntryCount,
        TotalPostingAmount,
        EntityCount
    from kept_existing_posting_month

    union all

    select
        YearMonth,
        ProductCode,
        BranchCode,
        TotalEntryCount,
        TotalPostingAmount,
        EntityCount
    from kept_posting_month

    union all

    select
        YearMonth,
        ProductCode,
        BranchCode,
        TotalEntryCount,
        TotalPostingAmount,
        cast(EntityCount as int) as EntityCount
    from new_posting_month_2

)

select * from final
