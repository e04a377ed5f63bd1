{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='CustomerKey',
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

filtered_customer as (

    select
        CustomerNo,
        CustomerName,
        Segment,
        City,
        CreditLimit
    from customer
    where CustomerNo is not null

),

updated_dim_customer as (

    select
        tgt.CustomerKey,
        tgt.CustomerNo,
        src.CustomerName,
        src.Segment,
        src.City,
        src.CreditLimit,
        tgt.ValidFrom,
        tgt.ValidTo,
        tgt.IsCurrent
    from existing_dim_customer as tgt
    inner join filtered_customer as src on tgt.CustomerNo = src.CustomerNo
    where coalesce(tgt.CustomerName, '') <> coalesce(src.CustomerName, '')
        or coalesce(tgt.CreditLimit, 0) <> coalesce(src.CreditLimit, 0)

),

new_dim_customer as (

    select
        src.CustomerNo,
        src.CustomerName,
        src.Segment,
        src.City,
        src.CreditLimit
    from filtered_customer as src
    where not exists (
        select 1
        from existing_dim_customer as tgt
        where tgt.CustomerNo = src.CustomerNo
    )

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
    from updated_dim_customer

    union all

    select
        cast(
            coalesce((select max(CustomerKey) from existing_dim_customer), 0)
            + row_number() over (order by CustomerNo)
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
