{{ config(materialized='table') }}

with

reservation as (

    select * from {{ source('pms', 'Reservation') }}

),

final as (

    select
        HotelCode,
        ResId,
        first_value(ResId) over (partition by HotelCode order by CheckIn nulls first, ResId) as FirstRes,
        last_value(ResId) over (
            partition by HotelCode
            order by CheckIn nulls first, ResId
            rows between unbounded preceding and unbounded following
        ) as LastRes,
        cast(date_diff('day', CheckIn, CheckOut) as int) as Nights,
        cast(
            sum(date_diff('day', CheckIn, CheckOut)) over (
                partition by HotelCode
                order by CheckIn nulls first, ResId
                rows between unbounded preceding and current row
            )
            as int
        ) as CumNights,
        percent_rank() over (partition by HotelCode order by Rate nulls first) as Pct,
        case ntile(3) over (order by Rate nulls first, ResId)
            when 1 then 'low'
            when 2 then 'mid'
            when 3 then 'high'
        end as Grp
    from reservation

)

select * from final
