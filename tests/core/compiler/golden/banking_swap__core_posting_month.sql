{{ config(materialized='table') }}

with

posting as (

    select * from {{ source('lnd', 'Posting') }}

),

account as (

    select * from {{ source('lnd', 'Account') }}

),

final as (

    select
        rpad(strftime(t.BookingDate, '%Y%m%d'), 6, ' ') as YearMonth,
        e.ProductCode,
        e.BranchCode,
        cast(sum(t.EntryCount) as int) as TotalEntryCount,
        sum(t.PostingAmount) as TotalPostingAmount,
        cast(count(*) as int) as EntityCount
    from posting as t
    inner join account as e on e.AccountNo = t.AccountNo
    group by rpad(strftime(t.BookingDate, '%Y%m%d'), 6, ' '), e.ProductCode, e.BranchCode

)

select * from final
