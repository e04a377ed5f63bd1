{{
    config(
        materialized='incremental',
        incremental_strategy='append',
    )
}}

with

account as (

    select * from {{ source('lnd', 'Account') }}

),

posting as (

    select * from {{ source('lnd', 'Posting') }}

),

cls_cursor_rows as (

    select distinct ProductCode
    from account
    where ProductCode is not null

),

cls_cursor_rows_2 as (

    select ProductCode as loop_class
    from cls_cursor_rows

),

new_posting_month as (

    select
        turn.value_1 as YearMonth,
        turn.value_2 as ProductCode,
        turn.value_3 as BranchCode,
        turn.value_4 as TotalEntryCount,
        turn.value_5 as TotalPostingAmount
    from cls_cursor_rows_2 as loop_rows
    cross join lateral (
        select
            rpad(strftime(t.BookingDate, '%Y%m%d'), 6, ' ') as value_1,
            loop_rows.loop_class as value_2,
            e.BranchCode as value_3,
            cast(sum(t.EntryCount) as int) as value_4,
            sum(t.PostingAmount) as value_5
        from posting as t
        inner join account as e on e.AccountNo = t.AccountNo
        where e.ProductCode = loop_rows.loop_class
        group by rpad(strftime(t.BookingDate, '%Y%m%d'), 6, ' '), e.BranchCode
    ) as turn

),

final as (

    select
        YearMonth,
        ProductCode,
        BranchCode,
        TotalEntryCount,
        TotalPostingAmount,
        cast(null as int) as EntityCount
    from new_posting_month

)

select * from final
