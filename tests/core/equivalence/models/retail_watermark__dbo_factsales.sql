{{
    config(
        materialized='incremental',
        incremental_strategy='append',
    )
}}

with

sales_order as (

    select * from {{ source('stg', 'SalesOrder') }}

),

watermark as (

    select * from {{ source('etl', 'Watermark') }}

),

dim_customer as (

    select * from {{ source('dbo', 'DimCustomer') }}

),

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

from_rows as (

    select max(LastLoaded) as "from"
    from watermark
    where TableName = 'FactSales'

),

src as (

    select
        OrderId,
        CustomerNo,
        OrderDate,
        Quantity,
        LineAmount,
        OrderStatus,
        row_number() over (partition by OrderId order by ModifiedAt desc) as rn
    from sales_order
    where coalesce(cast(nullif('{{ var('usp_loadfactsales_since_since', '') }}', '') as timestamp), (select "from" from from_rows)) is null
        or ModifiedAt >= coalesce(cast(nullif('{{ var('usp_loadfactsales_since_since', '') }}', '') as timestamp), (select "from" from from_rows))

),

new_fact_sales as (

    select
        s.OrderId,
        d.CustomerKey,
        year(s.OrderDate) * 10000 + month(s.OrderDate) * 100 + day(s.OrderDate) as DateKey,
        s.Quantity,
        s.LineAmount,
        s.OrderStatus
    from src as s
    inner join dim_customer as d
        on d.CustomerNo = s.CustomerNo
        and d.IsCurrent = 1
    left join existing_fact_sales as f on f.OrderId = s.OrderId
    where s.rn = 1
        and f.OrderId is null

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
        cast(DateKey as int) as DateKey,
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
