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

kept_posting_month as (

    select *
    from existing_posting_month
    where (YearMonth = '{{ var('p_posting_month_month_ym') }}') is not true

),

new_posting_month as (

    select
        rpad(strftime(t.BookingDate, '%Y%m%d'), 6, ' ') as YearMonth,
        coalesce(e.ProductCode, 'UNK') as ProductCode,
        coalesce(e.BranchCode, 'n/a') as BranchCode,
        cast(sum(t.EntryCount) as int) as TotalEntryCount,
        sum(t.PostingAmount) as TotalPostingAmount,
        count(distinct t.AccountNo) as EntityCount
    from posting as t
    inner join account as e on e.AccountNo = t.AccountNo
    where rpad(strftime(t.BookingDate, '%Y%m%d'), 6, ' ') = '{{ var('p_posting_month_month_ym') }}'
    group by
        rpad(strftime(t.BookingDate, '%Y%m%d'), 6, ' '),
        coalesce(e.ProductCode, 'UNK'),
        coalesce(e.BranchCode, 'n/a')
    having cast(sum(t.EntryCount) as int) > 0

),

final as (

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
    from new_posting_month

)

select * from final
