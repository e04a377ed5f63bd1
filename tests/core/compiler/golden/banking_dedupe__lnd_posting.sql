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

numbered_posting as (

    select
        PostingId,
        row_number() over (order by PostingId) as row_place
    from existing_posting
    where BookingDate
    < cast({{ current_timestamp() }} as timestamp)
    + to_days(cast(-({{ var('p_posting_clean_keep_days', 365) }}) as int))

),

first_posting as (

    select PostingId
    from numbered_posting
    where row_place <= 100000

),

kept_posting as (

    select *
    from existing_posting
    where (
        BookingDate
        < cast({{ current_timestamp() }} as timestamp)
        + to_days(cast(-({{ var('p_posting_clean_keep_days', 365) }}) as int))
        and PostingId in (select PostingId from first_posting)
    ) is not true

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

)

select * from final
