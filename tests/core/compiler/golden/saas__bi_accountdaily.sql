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

existing_account_daily as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as date) as snapshot_date,
        cast(null as uuid) as account_id,
        cast(null as varchar) as plan_name,
        cast(null as integer) as events,
        cast(null as integer) as active_days,
        cast(null as decimal(12, 2)) as mrr,
        cast(null as decimal(12, 2)) as mrr_delta,
        cast(null as varchar) as status
    where false

    {% endif %}

),

account as (

    select * from {{ source('app', 'Account') }}

),

event as (

    select * from {{ source('app', 'Event') }}

),

parameters as (

    select
        coalesce(
            cast(nullif('{{ var('snapshot_account_daily_date', '') }}', '') as date),
            cast(cast(cast({{ current_timestamp() }} as timestamp) as date) - interval '1' day as date)
        ) as date

),

kept_account_daily as (

    select *
    from existing_account_daily
    where (
        snapshot_date = (select date from parameters)
        and {{ var('snapshot_account_daily_force', 0) }} = 1
    ) is not true

),

ev as (

    select
        account_id,
        count(*) as events,
        count(distinct cast(occurred_utc as date)) as active_days
    from event
    where occurred_utc >= cast((select date from parameters) - interval '30' day as date)
        and occurred_utc < cast((select date from parameters) + interval '1' day as date)
    group by account_id

),

new_account_daily as (

    select
        (select date from parameters) as snapshot_date,
        a.account_id,
        case a.plan_id
            when 1 then 'free'
            when 2 then 'team'
            when 3 then 'business'
            when 4 then 'enterprise'
        end as plan_name,
        coalesce(ev.events, 0) as events,
        coalesce(ev.active_days, 0) as active_days,
        a.mrr,
        a.mrr
        - coalesce(
            (
                select p.mrr
                from kept_account_daily as p
                where p.account_id = a.account_id
                    and p.snapshot_date < (select date from parameters)
                order by p.snapshot_date desc
                limit 1
            ),
            0
        ) as mrr_delta,
        case
            when a.deleted = 1 then 'churned'
            when ev.events is null then 'dormant'
            when ev.active_days >= 10 then 'power'
            else 'active'
        end as status
    from account as a
    left join ev on ev.account_id = a.account_id
    where cast(a.created_utc as date) <= (select date from parameters)

),

final as (

    select
        snapshot_date,
        account_id,
        plan_name,
        events,
        active_days,
        mrr,
        mrr_delta,
        status
    from kept_account_daily

    union all

    select
        snapshot_date,
        account_id,
        plan_name,
        cast(events as int) as events,
        cast(active_days as int) as active_days,
        mrr,
        cast(mrr_delta as decimal(12, 2)) as mrr_delta,
        status
    from new_account_daily
    where not exists (
        select 1
        from kept_account_daily as AccountDaily
        where AccountDaily.snapshot_date = (select date from parameters)
    )

)

select * from final
