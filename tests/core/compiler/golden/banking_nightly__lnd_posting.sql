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

existing_posting as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as integer) as PostingId,
        cast(null as varchar) as AccountNo,
        cast(null as timestamp) as BookingDate,
        cast(null as integer) as EntryCount,
        cast(null as decimal(18, 2)) as PostingAmount,
        cast(null as varchar) as PostingType,
        cast(null as timestamp) as ModifiedAt
    where false

    {% endif %}

),

c_rows as (

    select
        PostingId as loop_id4,
        PostingAmount as loop_amount4
    from existing_posting
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
    inner join existing_posting as Posting on Posting.PostingId = loop_rows.loop_id4

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
    from existing_posting
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

final as (

    select
        PostingId,
        AccountNo,
        BookingDate,
        EntryCount,
        PostingAmount,
        PostingType,
        ModifiedAt
    from kept_posting

    union all

    select
        PostingId,
        AccountNo,
        BookingDate,
        EntryCount,
        PostingAmount,
        PostingType,
        ModifiedAt
    from kept_posting_2

)

select * from final
