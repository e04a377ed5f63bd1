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

existing_fact_sales as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as integer) as OrderId,
        cast(null as integer) as CustomerKey,
        cast(null as integer) as DateKey,
        cast(null as integer) as Quantity,
        cast(null as decimal(18, 2)) as LineAmount,
        cast(null as varchar) as OrderStatus,
        cast(null as decimal(29, 13)) as UnitAmount,
        cast(null as timestamp) as LoadedAt
    where false

    {% endif %}

),

sales_order as (

    select * from {{ source('stg', 'SalesOrder') }}

),

dim_customer as (

    select * from {{ source('dbo', 'DimCustomer') }}

),

d_series as (

    select cast('{{ var('usp_loadfactsales_days_start') }}' as date) as loop_d
    where cast('{{ var('usp_loadfactsales_days_start') }}' as date) <= cast('{{ var('usp_loadfactsales_days_end') }}' as date)

    union all

    select cast(loop_d + interval '1' day as date) as loop_d
    from d_series
    where cast(loop_d + interval '1' day as date) <= cast('{{ var('usp_loadfactsales_days_end') }}' as date)

),

d_series_chosen as (

    select *
    from d_series as loop_rows
    where exists (
        select 1
        from sales_order as SalesOrder
        where cast(SalesOrder.OrderDate as date) = loop_rows.loop_d
    )

),

kept_fact_sales as (

    select *
    from existing_fact_sales as FactSales
    where not exists (
        select 1
        from d_series_chosen as loop_rows
        where FactSales.DateKey = cast(strftime(loop_rows.loop_d, '%Y%m%d') as int)
    )

),

new_fact_sales as (

    select
        t.OrderId,
        d.CustomerKey,
        cast(strftime(loop_rows.loop_d, '%Y%m%d') as int) as DateKey,
        t.Quantity,
        t.LineAmount,
        t.OrderStatus
    from d_series_chosen as loop_rows
    cross join sales_order as t
    cross join lateral (
        select x.CustomerKey
        from dim_customer as x
        where x.CustomerNo = t.CustomerNo
        order by x.ValidFrom desc
        limit 1
    ) as d
    where cast(t.OrderDate as date) = loop_rows.loop_d

),

new_fact_sales_2 as (

    select
        OrderId,
        CustomerKey,
        DateKey,
        Quantity,
        LineAmount,
        OrderStatus,
        cast({{ current_timestamp() }} as timestamp) as LoadedAt
    from new_fact_sales

),

new_fact_sales_3 as (

    select
        OrderId,
        CustomerKey,
        DateKey,
        Quantity,
        LineAmount,
        OrderStatus,
        (
            cast(cast(LineAmount * 10000000000000 as int128) // nullif(Quantity, 0) as decimal(38, 0))
            * 0.0000000000001
        ) as UnitAmount,
        LoadedAt
    from new_fact_sales_2

),

final as (

    select
        OrderId,
        CustomerKey,
        DateKey,
        Quantity,
        LineAmount,
        OrderStatus,
        UnitAmount,
        LoadedAt
    from kept_fact_sales

    union all

    select
        OrderId,
        CustomerKey,
        DateKey,
        Quantity,
        LineAmount,
        OrderStatus,
        UnitAmount,
        LoadedAt
    from new_fact_sales_3

)

select * from final
