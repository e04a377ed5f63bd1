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

with recursive

existing_fact_orders as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as integer) as OrderID,
        cast(null as integer) as CustomerID,
        cast(null as date) as OrderDate,
        cast(null as decimal(18, 2)) as Amount,
        cast(null as integer) as Qty
    where false

    {% endif %}

),

orders as (

    select * from {{ source('bronze', 'Orders') }}

),

d_series as (

    select cast('{{ var('usp_days_start') }}' as date) as loop_d
    where cast('{{ var('usp_days_start') }}' as date) <= cast('{{ var('usp_days_end') }}' as date)

    union all

    select cast(loop_d + interval '1' day as date) as loop_d
    from d_series
    where cast(loop_d + interval '1' day as date) <= cast('{{ var('usp_days_end') }}' as date)

),

d_series_chosen as (

    select *
    from d_series as loop_rows
    where exists (
        select 1
        from orders
        where Orders.OrderDate = loop_rows.loop_d
    )

),

kept_fact_orders as (

    select *
    from existing_fact_orders as FactOrders
    where not exists (
        select 1
        from d_series_chosen as loop_rows
        where FactOrders.OrderDate = loop_rows.loop_d
    )

),

new_fact_orders as (

    select
        o.OrderID,
        loop_rows.loop_d as OrderDate,
        o.Qty
    from d_series_chosen as loop_rows
    inner join orders as o on o.OrderDate = loop_rows.loop_d

),

final as (

    select
        OrderID,
        CustomerID,
        OrderDate,
        Amount,
        Qty
    from kept_fact_orders

    union all

    select
        OrderID,
        cast(null as int) as CustomerID,
        OrderDate,
        cast(null as decimal(18, 2)) as Amount,
        Qty
    from new_fact_orders

)

select * from final
