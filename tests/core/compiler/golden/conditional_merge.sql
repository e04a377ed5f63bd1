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

updated_dim_customer as (

    select
        t.CustomerKey,
        t.CustomerID,
        t.FullName,
        s.City,
        cast({{ current_timestamp() }} as timestamp) as ValidFrom,
        t.ValidTo,
        t.IsCurrent
    from existing_dim_customer as t
    inner join customer as s on t.CustomerID = s.CustomerID
    where t.City <> s.City

),

new_dim_customer as (

    select
        s.CustomerID,
        s.FirstName as FullName,
        s.City,
        cast(1 as utinyint) as IsCurrent
    from customer as s
    where not exists (
        select 1
        from existing_dim_customer as t
        where t.CustomerID = s.CustomerID
    )

),

final as (

    select *
    from updated_dim_customer

    union all

    select
        cast(
            coalesce((select max(CustomerKey) from existing_dim_customer), 0)
            + row_number() over (order by CustomerID)
            as int
        ) as CustomerKey,
        CustomerID,
        FullName,
        City,
        cast(null as timestamp) as ValidFrom,
        cast(null as timestamp) as ValidTo,
        IsCurrent
    from new_dim_customer

)

select * from final
