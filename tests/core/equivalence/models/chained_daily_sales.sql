{{
    config(
        materialized='incremental',
        incremental_strategy='append',
    )
}}

with

orders as (

    select * from {{ source('bronze', 'Orders') }}

),

fact_orders as (

    select
        OrderID,
        cast(null as int) as CustomerID,
        OrderDate,
        cast(Amount as decimal(18, 2)) as Amount,
        cast(null as int) as Qty
    from orders

),

kept_fact_orders as (

    select *
    from fact_orders
    where OrderDate is not null

),

new_daily_sales as (

    select
        OrderDate,
        count(*) as Orders
    from kept_fact_orders
    where OrderDate is not null
    group by OrderDate

),

final as (

    select
        OrderDate,
        cast(Orders as int) as Orders,
        cast(null as decimal(18, 2)) as Amount
    from new_daily_sales

)

select * from final
