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
        cast(null as varchar) as OrderStatus,
        cast(null as timestamp) as ModifiedAt
    where false

    {% endif %}

),

c_rows as (

    select
        OrderId as loop_id,
        LineAmount as loop_amount
    from existing_sales_order
    where OrderStatus = 'OPEN'

),

c_rows_chosen as (

    select *
    from c_rows
    where loop_amount >= 1000

),

updated_sales_order as (

    select
        SalesOrder.OrderId,
        SalesOrder.CustomerNo,
        SalesOrder.OrderDate,
        SalesOrder.Quantity,
        SalesOrder.LineAmount,
        'SHIPPED' as OrderStatus,
        SalesOrder.ModifiedAt
    from c_rows_chosen as loop_rows
    inner join existing_sales_order as SalesOrder on SalesOrder.OrderId = loop_rows.loop_id

),

c_rows_chosen_2 as (

    select *
    from c_rows
    where (loop_amount >= 1000) is not true

),

c_rows_chosen_chosen as (

    select *
    from c_rows_chosen_2
    where loop_amount < 0

),

kept_sales_order as (

    select *
    from updated_sales_order as SalesOrder
    where not exists (
        select 1
        from c_rows_chosen_chosen as loop_rows
        where SalesOrder.OrderId = loop_rows.loop_id
    )

),

unchanged_sales_order as (

    select *
    from existing_sales_order
    where OrderId not in (select OrderId from updated_sales_order)

),

kept_sales_order_2 as (

    select *
    from unchanged_sales_order as SalesOrder
    where not exists (
        select 1
        from c_rows_chosen_chosen as loop_rows
        where SalesOrder.OrderId = loop_rows.loop_id
    )

),

final as (

    select
        OrderId,
        CustomerNo,
        OrderDate,
        Quantity,
        LineAmount,
        OrderStatus,
        ModifiedAt
    from kept_sales_order

    union all

    select
        OrderId,
        CustomerNo,
        OrderDate,
        Quantity,
        LineAmount,
        OrderStatus,
        ModifiedAt
    from kept_sales_order_2

)

select * from final
