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

with

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

kept_fact_sales as (

    select *
    from existing_fact_sales
    where (
        DateKey between cast(strftime(cast('{{ var('usp_loadfactsales_range_fromdate') }}' as date), '%Y%m%d') as int) and cast(strftime(coalesce(cast(nullif('{{ var('usp_loadfactsales_range_todate', '') }}', '') as date), cast(cast({{ current_timestamp() }} as timestamp) as date)), '%Y%m%d') as int)
    ) is not true

),

new_fact_sales as (

    select
        t.OrderId,
        d.CustomerKey,
        cast(strftime(t.OrderDate, '%Y%m%d') as int) as DateKey,
        t.Quantity,
        t.LineAmount,
        t.OrderStatus
    from sales_order as t
    inner join dim_customer as d
        on d.CustomerNo = t.CustomerNo
        and t.OrderDate >= d.ValidFrom
        and t.OrderDate < coalesce(d.ValidTo, cast('9999-12-31' as timestamp))
    where t.OrderDate >= cast('{{ var('usp_loadfactsales_range_fromdate') }}' as date)
        and t.OrderDate
        < cast(coalesce(cast(nullif('{{ var('usp_loadfactsales_range_todate', '') }}', '') as date), cast(cast({{ current_timestamp() }} as timestamp) as date)) + interval '1' day as date)

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
        cast(UnitAmount as decimal(29, 13)) as UnitAmount,
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
        cast(UnitAmount as decimal(29, 13)) as UnitAmount,
        LoadedAt
    from new_fact_sales_3

)

select * from final
