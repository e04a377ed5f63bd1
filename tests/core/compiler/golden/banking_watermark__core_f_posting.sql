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

batch_ctrl as (

    select * from {{ source('ctl', 'BATCH_CTRL') }}

),

max_value as (

    select max(ModifiedAt) as max
    from posting

),

last_value as (

    select LAST_TS as last
    from batch_ctrl
    where BATCH_NAME = 'F_POSTING'

),

new_f_posting as (

    select
        t.PostingId,
        coalesce(d.ACCOUNT_ID, -1) as ACCOUNT_ID,
        cast(strftime(t.BookingDate, '%Y%m%d') as int) as DateKey,
        t.EntryCount,
        t.PostingAmount,
        t.PostingType
    from posting as t
    left join d_account as d
        on d.AccountNo = t.AccountNo
        and d.IsCurrent = 1
    where t.ModifiedAt > coalesce((select last from last_value), cast('1900-01-01' as timestamp))
        and t.ModifiedAt <= (select max from max_value)
        and not exists (
            select 1
            from existing_f_posting as f
            where f.PostingId = t.PostingId
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
    from new_f_posting_2

)

select * from final
