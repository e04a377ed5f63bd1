{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='PostingId',
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
        cast(null as varchar) as PostingType
    where false

    {% endif %}

),

old_values as (

    select
        PostingType as old,
        PostingAmount as amt
    from existing_posting
    where PostingId = {{ var('p_posting_close_id') }}

),

final as (

    select
        PostingId,
        AccountNo,
        BookingDate,
        EntryCount,
        PostingAmount,
        '{{ var('p_posting_close_newstatus', 'BOOKED') }}' as PostingType,
        cast({{ current_timestamp() }} as timestamp) as ModifiedAt
    from existing_posting
    where PostingId = {{ var('p_posting_close_id') }}
        and (
            (select old from old_values) = '{{ var('p_posting_close_newstatus', 'BOOKED') }}'
        ) is not true
        and (select old from old_values) is not null

)

select * from final
