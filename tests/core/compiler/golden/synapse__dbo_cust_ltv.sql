{{ config(materialized='table') }}

with

orders as (

    select * from {{ source('dbo', 'orders') }}

),

a as (

    select
        cust_id,
        min(order_dt) as first_order,
        max(order_dt) as last_order,
        count(*) as orders,
        sum(amt) as ltv
    from orders
    where status not in ('CANCEL') or status is null
    group by cust_id

),

ranked_orders as (

    select
        cust_id,
        date_diff(
            'day',
            lag(order_dt) over (partition by cust_id order by order_dt nulls first),
            order_dt
        ) as gap
    from orders

),

b as (

    select
        cust_id,
        cast(sum(cast(gap as decimal(9, 2))) * 100 as int128) * 10000
        // count(cast(gap as decimal(9, 2)))
        * 0.000001 as avg_gap
    from ranked_orders
    group by cust_id

),

cust_ltv as (

    select
        a.cust_id,
        a.first_order,
        a.last_order,
        a.orders,
        a.ltv,
        cast(b.avg_gap as decimal(9, 2)) as avg_gap,
        cast(null as text) as segment,
        cast(null as text) as region_list
    from a
    inner join b on a.cust_id = b.cust_id

),

corrected_cust_ltv as (

    select
        cust_id,
        first_order,
        last_order,
        orders,
        ltv,
        avg_gap,
        case
            when ltv >= 1000 then 'gold'
            when ltv >= 100 then 'silver'
            else 'bronze'
        end as segment,
        region_list
    from cust_ltv

),

final as (

    select
        c.cust_id,
        c.first_order,
        c.last_order,
        cast(c.orders as int) as orders,
        c.ltv,
        c.avg_gap,
        c.segment,
        (
            select
                string_agg(r.region, ',' order by r.region collate nocase nulls first)
            from (
                select distinct o.region
                from orders as o
                where o.cust_id = c.cust_id
            ) as r
        ) as region_list
    from corrected_cust_ltv as c

)

select * from final
