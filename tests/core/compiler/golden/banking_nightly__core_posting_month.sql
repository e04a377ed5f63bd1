{{ config(materialized='table') }}

with

posting as (

    select * from {{ source('lnd', 'Posting') }}

),

account as (

    select * from {{ source('lnd', 'Account') }}

),

c_rows as (

    select
        PostingId as loop_id4,
        PostingAmount as loop_amount4
    from posting
    where PostingType = 'PENDING'

),

c_rows_chosen as (

    select *
    from c_rows
    where loop_amount4 >= 1000

),

updated_posting as (

    select
        Posting.PostingId,
        Posting.AccountNo,
        Posting.BookingDate,
        Posting.EntryCount,
        Posting.PostingAmount,
        'BOOKED' as PostingType,
        Posting.ModifiedAt
    from c_rows_chosen as loop_rows
    inner join posting on Posting.PostingId = loop_rows.loop_id4

),

c_rows_chosen_2 as (

    select *
    from c_rows
    where (loop_amount4 >= 1000) is not true

),

c_rows_chosen_chosen as (

    select *
    from c_rows_chosen_2
    where loop_amount4 < 0

),

kept_posting as (

    select *
    from updated_posting as Posting
    where not exists (
        select 1
        from c_rows_chosen_chosen as loop_rows
        where Posting.PostingId = loop_rows.loop_id4
    )

),

unchanged_posting as (

    select *
    from posting
    where PostingId not in (select PostingId from updated_posting)

),

kept_posting_2 as (

    select *
    from unchanged_posting as Posting
    where not exists (
        select 1
        from c_rows_chosen_chosen as loop_rows
        where Posting.PostingId = loop_rows.loop_id4
    )

),

current_posting as (

    select *
    from kept_posting

    union all

    select *
    from kept_posting_2

),

final as (

    select
        rpad(strftime(t.BookingDate, '%Y%m%d'), 6, ' ') as YearMonth,
        e.ProductCode,
        e.BranchCode,
        cast(sum(t.EntryCount) as int) as TotalEntryCount,
        sum(t.PostingAmount) as TotalPostingAmount,
        cast(count(*) as int) as EntityCount
    from current_posting as t
    inner join account as e on e.AccountNo = t.AccountNo
    group by rpad(strftime(t.BookingDate, '%Y%m%d'), 6, ' '), e.ProductCode, e.BranchCode

)

select * from final
