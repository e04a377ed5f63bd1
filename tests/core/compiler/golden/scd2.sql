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
        cast(null as integer) as CustomerID,
        cast(null as varchar) as FullName,
        cast(null as varchar) as City,
        cast(null as timestamp) as ValidFrom,
        cast(null as timestamp) as ValidTo,
        cast(null as utinyint) as IsCurrent
    where false

    {% endif %}

),

customer as (

    select * from {{ source('bronze', 'Customer') }}

),

-- Close what changed
expired_dim_customer as (

    select
        d.CustomerKey,
        d.CustomerID,
        d.FullName,
        d.City,
        d.ValidFrom,
        cast({{ current_timestamp() }} as timestamp) as ValidTo,
        cast(0 as utinyint) as IsCurrent
    from existing_dim_customer as d
    inner join customer as c on c.CustomerID = d.CustomerID
    where d.IsCurrent = 1
        and coalesce(d.City, '') <> coalesce(c.City, '')

),

unchanged_dim_customer as (

    select *
    from existing_dim_customer
    where CustomerKey not in (select CustomerKey from expired_dim_customer)

),

-- New versions and new customers
new_dim_customer as (

    select
        c.CustomerID,
        c.FirstName as FullName,
        c.City,
        cast({{ current_timestamp() }} as timestamp) as ValidFrom,
        null as ValidTo,
        cast(1 as utinyint) as IsCurrent
    from customer as c
    left join unchanged_dim_customer as d
        on d.CustomerID = c.CustomerID
        and d.IsCurrent = 1
    where d.CustomerID is null

),

final as (

    select *
    from expired_dim_customer

    union all

    select
        cast(
            coalesce((select max(CustomerKey) from existing_dim_customer), 0)
            + row_number() over (
                order by CustomerID nulls first, FullName nulls first, City nulls first
            )
            as int
        ) as CustomerKey,
        CustomerID,
        FullName,
        City,
        ValidFrom,
        cast(ValidTo as timestamp) as ValidTo,
        IsCurrent
    from new_dim_customer

)

select * from final
