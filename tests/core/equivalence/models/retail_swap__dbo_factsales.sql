{{
    config(
        materialized='incremental',
        incremental_strategy='append',
    )
}}

with

sales_order_archive as (

    select * from {{ source('dbo', 'SalesOrderArchive') }}

),

new_fact_sales as (

    select
        OrderId,
        -1 as CustomerKey,
        19000101 as DateKey,
        Quantity,
        LineAmount,
        OrderStatus
    from sales_order_archive

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

final as (

    select
        OrderId,
        CustomerKey,
        DateKey,
        Quantity,
        LineAmount,
        OrderStatus,
        cast(
            (
                cast(cast(LineAmount * 10000000000000 as int128) // nullif(Quantity, 0) as decimal(38, 0))
                * 0.0000000000001
            )
            as decimal(29, 13)
        ) as UnitAmount,
        LoadedAt
    from new_fact_sales_2

)

select * from final
