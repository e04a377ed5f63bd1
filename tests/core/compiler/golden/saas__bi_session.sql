{{ config(materialized='table') }}

with

event as (

    select * from {{ source('app', 'Event') }}

),

settings as (

    select * from {{ source('bi', 'Settings') }}

),

e as (

    select
        account_id,
        occurred_utc,
        event_id,
        lag(occurred_utc) over (partition by account_id order by occurred_utc nulls first, event_id) as prev
    from event
    where account_id is not null

),

gap as (

    select
        case
            when trim(val) = '' then 0
            when regexp_full_match(val, '\s*[+-]?\d+\s*') then cast(val as int)
            when val is not null then error('Conversion failed')
        end as gap
    from settings
    where name = 'session_gap_min'

),

f as (

    select
        *,
        case
            when prev is null
            or date_diff('minute', prev, occurred_utc) > coalesce((select gap from gap), 30)
                then 1
            else 0
        end as is_new
    from e

),

g as (

    select
        *,
        cast(
            sum(is_new) over (
                partition by account_id
                order by occurred_utc nulls first, event_id
                rows between unbounded preceding and current row
            )
            as int
        ) as session_no
    from f

),

final as (

    select
        account_id,
        session_no,
        min(occurred_utc) as started,
        max(occurred_utc) as ended,
        cast(count(*) as int) as events,
        cast(date_diff('second', min(occurred_utc), max(occurred_utc)) as int) as duration_s
    from g
    group by account_id, session_no

)

select * from final
