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

batch_ctrl as (

    select * from {{ source('ctl', 'BATCH_CTRL') }}

),

d_account as (

    select * from {{ source('core', 'D_ACCOUNT') }}

),

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

from_rows as (

    select max(LAST_TS) as "from"
    from batch_ctrl
    where BATCH_NAME = 'F_POSTING'

),

src as (

    select
        PostingId,
        AccountNo,
        BookingDate,
        EntryCount,
        PostingAmount,
        PostingType,
        row_number() over (partition by PostingId order by ModifiedAt desc) as rn
    from posting
    where coalesce(
            cast(nullif('{{ var('p_f_posting_since_since', '') }}', '') as timestamp),
            (select "from" from from_rows)
        )
        is null
        or ModifiedAt
        >= coalesce(
            cast(nullif('{{ var('p_f_posting_since_since', '') }}', '') as timestamp),
            (select "from" from from_rows)
        )

),

new_f_posting as (

    select
        s.PostingId,
        d.ACCOUNT_ID,
        year(s.BookingDate) * 10000 + month(s.BookingDate) * 100 + day(s.BookingDate) as DateKey,
        s.EntryCount,
        s.PostingAmount,
        s.PostingType
    from src as s
    inner join d_account as d
        on d.AccountNo = s.AccountNo
        and d.IsCurrent = 1
    left join existing_f_posting as f on f.PostingId = s.PostingId
    where s.rn = 1
        and f.PostingId is null

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

final as (

    select
        PostingId,
        ACCOUNT_ID,
        cast(DateKey as int) as DateKey,
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
    from new_f_posting_2

)

select * from final
