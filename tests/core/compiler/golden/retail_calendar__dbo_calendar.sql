{{
    config(
        materialized='incremental',
        incremental_strategy='append',
    )
}}

with recursive

existing_calendar as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as date) as TheDate,
        cast(null as decimal(18, 4)) as DateKey,
        cast(null as integer) as IsoWeek,
        cast(null as varchar) as WeekdayName,
        cast(null as utinyint) as IsWeekend
    where false

    {% endif %}

),

days as (

    select cast('{{ var('usp_fillcalendar_from') }}' as date) as d

    union all

    select
        cast(d + interval '1' day as date)
    from days
    where d < cast('{{ var('usp_fillcalendar_to') }}' as date)

),

new_calendar as (

    select
        year(days.d) * 10000 + month(days.d) * 100 + day(days.d) as DateKey,
        days.d as TheDate,
        week(days.d) as IsoWeek,
        dayname(days.d) as WeekdayName,
        case when ((dayofweek(days.d) + 6) % 7) + 1 in (6, 7) then 1 else 0 end as IsWeekend
    from days
    where not exists (
        select 1
        from existing_calendar as c
        where c.TheDate = days.d
    )

),

final as (

    select
        TheDate,
        cast(DateKey as decimal(18, 4)) as DateKey,
        cast(IsoWeek as int) as IsoWeek,
        WeekdayName,
        cast(IsWeekend <> 0 as utinyint) as IsWeekend
    from new_calendar

)

select * from final
