{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='PostingId',
    )
}}

with

existing_f_posting as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as integer) as PostingId,
        cast(null as integer) as ACCOUNT_ID,
        cast(null as integer) as DateKey,
        cast(null as integer) as EntryCount,
        cast(null as decimal(18, 2)) as PostingAmount,
        cast(null as varchar) as PostingType,
        cast(null as timestamp) as LoadedAt
    where false

    {% endif %}

),

posting as (

    select * from {{ source('lnd', 'Posting') }}

),

updated_f_posting as (

    select
        PostingId,
        ACCOUNT_ID,
        DateKey,
        EntryCount,
        PostingAmount,
        '{{ var('p_posting_close_newstatus', 'BOOKED') }}' as PostingType,
        LoadedAt
    from existing_f_posting
    where PostingId = {{ var('p_posting_close_id') }}

),

old_values as (

    select
        PostingType as old,
        PostingAmount as amt
    from posting
    where PostingId = {{ var('p_posting_close_id') }}

),

final as (

    select
        PostingId,
        ACCOUNT_ID,
        DateKey,
        EntryCount,
        PostingAmount,
        PostingType,
        cast(
            (
                cast(PostingAmount * 10000000000000 as int128) // nullif(EntryCount, 0)
                * 0.0000000000001
            )
            as decimal(29, 13)
        ) as UnitAmount,
        LoadedAt
    from updated_f_posting
    where (
        (select old from old_values) = '{{ var('p_posting_close_newstatus', 'BOOKED') }}'
    ) is not true
        and (select old from old_values) is not null

)

select * from final
