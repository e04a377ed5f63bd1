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
        cast(null as decimal(29, 13)) as UnitAmount,
        cast(null as timestamp) as LoadedAt
    where false

    {% endif %}

),

posting as (

    select * from {{ source('lnd', 'Posting') }}

),

d_account as (

    select * from {{ source('core', 'D_ACCOUNT') }}

),

updated_f_posting as (

    select
        f.PostingId,
        f.ACCOUNT_ID,
        f.DateKey,
        p.EntryCount,
        p.PostingAmount,
        p.PostingType,
        f.LoadedAt
    from existing_f_posting as f
    inner join posting as p on p.PostingId = f.PostingId
    where coalesce(f.PostingAmount, 0) <> coalesce(p.PostingAmount, 0)
        or coalesce(f.PostingType, '') <> coalesce(p.PostingType, '')

),

updated_f_posting_2 as (

    select
        PostingId,
        ACCOUNT_ID,
        DateKey,
        EntryCount,
        PostingAmount,
        PostingType,
        (cast(PostingAmount * 10000000000000 as int128) // nullif(EntryCount, 0) * 0.0000000000001) as UnitAmount,
        LoadedAt
    from updated_f_posting

),

unchanged_f_posting as (

    select *
    from existing_f_posting
    where PostingId not in (select PostingId from updated_f_posting_2)

),

current_f_posting as (

    select *
    from updated_f_posting_2

    union all

    select *
    from unchanged_f_posting

),

new_f_posting as (

    select
        p.PostingId,
        a.ACCOUNT_ID,
        cast(strftime(p.BookingDate, '%Y%m%d') as int) as DateKey,
        p.EntryCount,
        p.PostingAmount,
        p.PostingType
    from posting as p
    inner join d_account as a
        on a.AccountNo = p.AccountNo
        and a.IsCurrent = 1
    where not exists (
        select 1
        from current_f_posting as x
        where x.PostingId = p.PostingId
    )

),

new_f_posting_2 as (

    select
        PostingId,
        ACCOUNT_ID,
        DateKey,
        EntryCount,
        PostingAmount,
        PostingType,
        cast({{ current_timestamp() }} as timestamp) as LoadedAt
    from new_f_posting

),

new_f_posting_3 as (

    select
        PostingId,
        ACCOUNT_ID,
        DateKey,
        EntryCount,
        PostingAmount,
        PostingType,
        (cast(PostingAmount * 10000000000000 as int128) // nullif(EntryCount, 0) * 0.0000000000001) as UnitAmount,
        LoadedAt
    from new_f_posting_2

),

final as (

    select
        PostingId,
        ACCOUNT_ID,
        DateKey,
        EntryCount,
        PostingAmount,
        PostingType,
        cast(UnitAmount as decimal(29, 13)) as UnitAmount,
        LoadedAt
    from updated_f_posting_2

    union all

    select
        PostingId,
        ACCOUNT_ID,
        DateKey,
        EntryCount,
        PostingAmount,
        PostingType,
        cast(UnitAmount as decimal(29, 13)) as UnitAmount,
        LoadedAt
    from new_f_posting_3

)

select * from final
