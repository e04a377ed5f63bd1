{{ config(materialized='table') }}

with

orders as (

    select * from {{ source('bronze', 'Orders') }}

),

ids as (

    select
        CustomerID,
        count(*) as n
    from orders
    where CustomerID is not null
    group by CustomerID

),

o as (

    select
        o.OrderID,
        o.CustomerID,
        cast(0 as decimal(18, 2)) as Amount,
        cast(null as text) as Tag
    from orders as o
    inner join ids as i on i.CustomerID = o.CustomerID
    where i.n > 1

),

corrected_o as (

    select
        o.OrderID,
        o.CustomerID,
        case when b.OrderID is not null then cast(b.Amount as decimal(18, 2)) else o.Amount end as Amount,
        case when b.OrderID is not null then 'x' else o.Tag end as Tag
    from o
    left join orders as b
        on b.OrderID = o.OrderID
        and b.Qty > 1

),

corrected_o_2 as (

    select
        OrderID,
        CustomerID,
        case when Tag = 'x' then cast(Amount * 2 as decimal(18, 2)) else Amount end as Amount,
        Tag
    from corrected_o

),

kept_o as (

    select *
    from corrected_o_2 as o
    where not exists (
        select 1
        from orders as b
        where b.OrderID = o.OrderID
            and b.Status = 'Void'
    )

),

fact_orders as (

    select
        OrderID,
        Amount
    from kept_o

),

final as (

    select
        OrderID,
        cast(null as int) as CustomerID,
        cast(null as date) as OrderDate,
        Amount,
        cast(null as int) as Qty
    from fact_orders

)

select * from final
