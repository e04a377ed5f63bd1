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

kept_fact_orders as (

    select *
    from existing_fact_orders
    where (OrderID in (select OrderID from orders)) is not true
        and ('{{ var('usp_load_mode', 'FULL') }}' = 'FULL') is not true

),

new_fact_orders as (

    select
        OrderID,
        Qty
    from orders
    where Qty >= coalesce({{ var('usp_load_min', 'null') }}, cast(2 as int))

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
        cast(null as date) as OrderDate,
        cast(null as decimal(18, 2)) as Amount,
        Qty
    from new_fact_orders

)

select * from final
