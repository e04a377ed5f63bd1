{{ config(materialized='table') }}

with

orders as (

    select * from {{ source('bronze', 'Orders') }}

),

customer as (

    select * from {{ source('bronze', 'Customer') }}

),

-- Only orders that were paid
paid as (

    select
        OrderID,
        CustomerID,
        OrderDate,
        Amount * Qty as Total,
        Qty
    from orders
    where Status = 'Paid'

),

fact_orders as (

    select
        p.OrderID,
        c.CustomerID,
        p.OrderDate,
        p.Total as Amount,
        p.Qty
    from paid as p
    left join customer as c on c.CustomerID = p.CustomerID

),

final as (

    select
        OrderID,
        CustomerID,
        OrderDate,
        cast(Amount as decimal(18, 2)) as Amount,
        Qty
    from fact_orders

)

select * from final
