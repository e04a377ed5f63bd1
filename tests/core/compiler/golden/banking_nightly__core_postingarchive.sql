{{
    config(
        materialized='incremental',
        incremental_strategy='append',
    )
}}

with

posting as (

    select * from {{ source('lnd', 'Posting') }}

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

new_posting_archive as (

    select
        PostingId,
        AccountNo,
        BookingDate,
        EntryCount,
        PostingAmount,
        PostingType
    from current_posting
    where PostingType in ('BOOKED')
        and date_diff('month', BookingDate, cast({{ current_timestamp() }} as timestamp)) >= 24

    union all

    select
        PostingId,
        AccountNo,
        BookingDate,
        0,
        0,
        'VOID'
    from current_posting
    where EntryCount is null

),

final as (

    select
        PostingId,
        AccountNo,
        BookingDate,
        EntryCount,
        PostingAmount,
        PostingType,
        cast({{ current_timestamp() }} as timestamp) as ArchivedAt
    from new_posting_archive

)

select * from final
