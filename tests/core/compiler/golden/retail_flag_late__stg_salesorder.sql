{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='OrderId',
    )
}}

with

existing_sales_order as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as integer) as OrderId,
        cast(null as varchar) as CustomerNo,
        cast(null as timestamp) as OrderDate,
        cast(null as integer) as Quantity,
        cast(null as decimal(18, 2)) as LineAmount,
        cast(null as varchar) as OrderStatus
    where false

    {% endif %}

),

numbered_sales_order as (

    select
        OrderId,
        row_number() over (order by OrderId) as row_place
    from existing_sales_order
    where OrderStatus = 'OPEN'
        and OrderDate < cast({{ current_timestamp() }} as timestamp) - interval '30' day
        and 0 < {{ var('flaglateorders_max_batches', 1000) }}

),

first_sales_order as (

    select OrderId
    from numbered_sales_order
    where row_place
    <= case
        when cast({{ var('flaglateorders_max_batches', 1000) }} - 0 as bigint) > 1
            then cast({{ var('flaglateorders_max_batches', 1000) }} - 0 as bigint)
        else 1
    end
    * cast({{ var('flaglateorders_batch', 500) }} as bigint)

),

final as (

    select
        OrderId,
        CustomerNo,
        OrderDate,
        Quantity,
        LineAmount,
        'LATE' as OrderStatus,
        cast({{ current_timestamp() }} as timestamp) as ModifiedAt
    from existing_sales_order
    where OrderStatus = 'OPEN'
        and OrderDate < cast({{ current_timestamp() }} as timestamp) - interval '30' day
        and 0 < {{ var('flaglateorders_max_batches', 1000) }}
        and OrderId in (select OrderId from first_sales_order)

)

select * from final
