{{ config(materialized='table') }}

with recursive

parameters as (

    select
        cast(
            cast('{{ var('load_dim_date_start') }}' as date)
            + to_years(cast({{ var('load_dim_date_years', 1) }} as int))
            as date
        ) as "end"

),

d_series as (

    select cast('{{ var('load_dim_date_start') }}' as date) as loop_d
    where cast('{{ var('load_dim_date_start') }}' as date) < (select "end" from parameters)

    union all

    select cast(loop_d + interval '1' day as date) as loop_d
    from d_series
    where cast(loop_d + interval '1' day as date) < (select "end" from parameters)

),

dim_date as (

    select
        cast(strftime(loop_d, '%Y%m%d') as int) as date_key,
        loop_d as full_date,
        dayname(loop_d) as day_name,
        monthname(loop_d) as month_name,
        quarter(loop_d) as qtr,
        (dayofyear(loop_d) + (dayofweek(date_trunc('year', loop_d)) - 1)) // 7 + 1 as week_no,
        case when dayofweek(loop_d) + 1 in (1, 7) then 1 else 0 end as is_weekend,
        year(cast(loop_d + interval '6' month as date)) as fiscal_year,
        dayofyear(loop_d) as day_of_year,
        last_day(loop_d) as month_end,
        week(loop_d) as iso_wk,
        strftime(loop_d, '%b %Y') as label
    from d_series

),

final as (

    select
        date_key,
        full_date,
        day_name,
        month_name,
        cast(qtr as utinyint) as qtr,
        cast(week_no as int) as week_no,
        cast(is_weekend <> 0 as utinyint) as is_weekend,
        cast(fiscal_year as int) as fiscal_year,
        cast(day_of_year as int) as day_of_year,
        month_end,
        cast(iso_wk as int) as iso_wk,
        label
    from dim_date

)

select * from final
