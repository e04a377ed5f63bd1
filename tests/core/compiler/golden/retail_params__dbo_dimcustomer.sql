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

existing_dim_customer as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as integer) as CustomerKey,
        cast(null as varchar) as CustomerNo,
        cast(null as varchar) as CustomerName,
        cast(null as varchar) as Segment,
        cast(null as varchar) as City,
        cast(null as decimal(18, 2)) as CreditLimit,
        cast(null as timestamp) as ValidFrom,
        cast(null as timestamp) as ValidTo,
        cast(null as utinyint) as IsCurrent
    where false

    {% endif %}

),

customer as (

    select * from {{ source('stg', 'Customer') }}

),

segment_code as (

    select * from {{ source('dbo', 'SegmentCode') }}

),

dim_customer as (

    select
        -1 as CustomerKey,
        '0' as CustomerNo,
        'Unknown' as CustomerName,
        'UNK' as Segment,
        'n/a' as City,
        0 as CreditLimit

),

dim_customer_2 as (

    select
        CustomerKey,
        CustomerNo,
        CustomerName,
        Segment,
        City,
        cast(CreditLimit as decimal(18, 2)) as CreditLimit,
        cast('1900-01-01' as timestamp) as ValidFrom,
        cast(null as timestamp) as ValidTo,
        cast(1 as utinyint) as IsCurrent
    from dim_customer
    where '{{ var('usp_loaddimcustomer_mode_mode', 'DELTA') }}' = 'FULL'

),

kept_existing_dim_customer as (

    select *
    from existing_dim_customer
    where ('{{ var('usp_loaddimcustomer_mode_mode', 'DELTA') }}' = 'FULL') is not true

),

current_dim_customer as (

    select *
    from dim_customer_2

    union all

    select *
    from kept_existing_dim_customer

),

new_dim_customer as (

    select
        e.CustomerNo,
        e.CustomerName,
        r.SegmentName as Segment,
        e.City,
        e.CreditLimit
    from customer as e
    left join segment_code as r on r.SegmentCode = e.Segment
    where (
        '{{ var('usp_loaddimcustomer_mode_mode', 'DELTA') }}' = 'FULL'
        or e.ModifiedAt >= cast(cast(cast({{ current_timestamp() }} as timestamp) as date) - interval '1' day as date)
    )
        and not exists (
            select 1
            from current_dim_customer as d
            where d.CustomerNo = e.CustomerNo
        )

),

current_dim_customer_2 as (

    select *
    from existing_dim_customer

    union all

    select *
    from dim_customer_2

),

final as (

    select
        CustomerKey,
        CustomerNo,
        CustomerName,
        Segment,
        City,
        CreditLimit,
        ValidFrom,
        ValidTo,
        IsCurrent
    from dim_customer_2

    union all

    select
        CustomerKey,
        CustomerNo,
        CustomerName,
        Segment,
        City,
        CreditLimit,
        ValidFrom,
        ValidTo,
        IsCurrent
    from kept_existing_dim_customer

    union all

    select
        cast(
            coalesce((select max(CustomerKey) from current_dim_customer_2), 0)
            + row_number() over (order by CustomerNo nulls first)
            as int
        ) as CustomerKey,
        CustomerNo,
        CustomerName,
        Segment,
        City,
        CreditLimit,
        cast('1900-01-01' as timestamp) as ValidFrom,
        cast(null as timestamp) as ValidTo,
        cast(1 as utinyint) as IsCurrent
    from new_dim_customer

)

select * from final
