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

-- close the versions that changed
expired_dim_customer as (

    select
        d.CustomerKey,
        d.CustomerNo,
        d.CustomerName,
        d.Segment,
        d.City,
        d.CreditLimit,
        d.ValidFrom,
        cast({{ current_timestamp() }} as timestamp) as ValidTo,
        cast(0 as utinyint) as IsCurrent
    from existing_dim_customer as d
    inner join customer as s on s.CustomerNo = d.CustomerNo
    where d.IsCurrent = 1
        and (
            d.Segment <> s.Segment
            or d.City <> s.City
            or coalesce(d.CreditLimit, -1) <> coalesce(s.CreditLimit, -1)
        )

),

unchanged_dim_customer as (

    select *
    from existing_dim_customer
    where CustomerKey not in (select CustomerKey from expired_dim_customer)

),

-- new versions and new keys
new_dim_customer as (

    select
        s.CustomerNo,
        s.CustomerName,
        s.Segment,
        s.City,
        s.CreditLimit,
        cast({{ current_timestamp() }} as timestamp) as ValidFrom,
        null as ValidTo,
        cast(1 as utinyint) as IsCurrent
    from customer as s
    left join unchanged_dim_customer as d
        on d.CustomerNo = s.CustomerNo
        and d.IsCurrent = 1
    where d.CustomerKey is null

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
    from expired_dim_customer

    union all

    select
        cast(
            coalesce((select max(CustomerKey) from existing_dim_customer), 0)
            + row_number() over (
                order by
                    CustomerNo nulls first,
                    CustomerName nulls first,
                    Segment nulls first,
                    City nulls first,
                    CreditLimit nulls first
            )
            as int
        ) as CustomerKey,
        CustomerNo,
        CustomerName,
        Segment,
        City,
        CreditLimit,
        ValidFrom,
        cast(ValidTo as timestamp) as ValidTo,
        IsCurrent
    from new_dim_customer

)

select * from final
