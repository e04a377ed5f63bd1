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

parameters as (

    select
        cast(
            cast(
                cast(cast({{ current_timestamp() }} as timestamp) as date)
                + to_days(cast(-({{ var('usp_purgecancelledorders_retentiondays', 400) }}) as int))
                as date
            )
            as timestamp
        ) as cutoff

),

kept_sales_order as (

    select *
    from existing_sales_order
    where (
        OrderDate < (select cutoff from parameters) and OrderStatus in ('CANCELLED', 'VOID')
    ) is not true

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

)

select * from final
