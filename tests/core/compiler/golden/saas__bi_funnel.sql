{{ config(materialized='table') }}

with

account as (

    select * from {{ source('app', 'Account') }}

),

event as (

    select * from {{ source('app', 'Event') }}

),

c as (

    select
        a.account_id,
        date_trunc('month', a.created_utc) as cohort_month,
        max(case when e.event_type = 'signup' then 1 else 0 end) as signup,
        max(case when e.event_type = 'invite' then 1 else 0 end) as invite,
        max(case when e.event_type like 'pay%' then 1 else 0 end) as paid
    from account as a
    left join event as e on e.account_id = a.account_id
    where a.created_utc is not null
    group by a.account_id, date_trunc('month', a.created_utc)

),

funnel as (

    select
        c.cohort_month,
        v.step,
        cast(sum(v.hit) as int) as accounts,
        cast(cast(cast(sum(v.hit) as int) as decimal(12, 4)) * 1000000000000000 as int128)
        // count(*)
        * 0.000000000000001 as conv
    from c
    cross join lateral (
        select *
        from values ('signup', c.signup), ('invite', c.invite), ('paid', c.paid)
    ) as v(step, hit)
    group by c.cohort_month, v.step

),

final as (

    select
        cast(cohort_month as date) as cohort_month,
        step,
        accounts,
        cast(conv as decimal(7, 4)) as conv
    from funnel

)

select * from final
