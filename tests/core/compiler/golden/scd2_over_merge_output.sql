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

prepared_customer as (

    select
        CustomerID,
        FirstName as FullName,
        City
    from customer

),

expired_dim_customer as (

    select
        t.CustomerKey,
        t.CustomerID,
        t.FullName,
        t.City,
        t.ValidFrom,
        cast({{ current_timestamp() }} as timestamp) as ValidTo,
        cast(0 as utinyint) as IsCurrent
    from existing_dim_customer as t
    inner join prepared_customer as s
        on t.CustomerID = s.CustomerID
        and t.IsCurrent = 1
    where coalesce(t.City, '') <> coalesce(s.City, '')

),

new_dim_customer as (

    select
        s.CustomerID,
        s.FullName,
        s.City,
        cast({{ current_timestamp() }} as timestamp) as ValidFrom,
        cast(1 as utinyint) as IsCurrent
    from prepared_customer as s
    where not exists (
        select 1
        from existing_dim_customer as t
        where t.CustomerID = s.CustomerID
            and t.IsCurrent = 1
    )

),

new_dim_customer_2 as (

    select
        cast(
            coalesce((select max(CustomerKey) from existing_dim_customer), 0)
            + row_number() over (order by CustomerID)
            as int
        ) as CustomerKey,
        CustomerID,
        FullName,
        City,
        ValidFrom,
        cast(null as timestamp) as ValidTo,
        IsCurrent
    from new_dim_customer

),

merge_output as (

    select
        'UPDATE' as act,
        s.CustomerID,
        s.FullName,
        s.City
    from existing_dim_customer as t
    inner join prepared_customer as s
        on t.CustomerID = s.CustomerID
        and t.IsCurrent = 1
    where coalesce(t.City, '') <> coalesce(s.City, '')

    union all

    select
        'INSERT' as act,
        s.CustomerID,
        s.FullName,
        s.City
    from prepared_customer as s
    where not exists (
        select 1
        from existing_dim_customer as t
        where t.CustomerID = s.CustomerID
            and t.IsCurrent = 1
    )

),

new_dim_customer_3 as (

    select
        CustomerID,
        FullName,
        City,
        cast({{ current_timestamp() }} as timestamp) as ValidFrom,
        cast(1 as utinyint) as IsCurrent
    from merge_output
    where act = 'UPDATE'

),

current_dim_customer as (

    select *
    from existing_dim_customer

    union all

    select *
    from new_dim_customer_2

),

final as (

    select *
    from expired_dim_customer

    union all

    select *
    from new_dim_customer_2

    union all

    select
        cast(
            coalesce((select max(CustomerKey) from current_dim_customer), 0)
            + row_number() over (order by CustomerID, FullName nulls first, City nulls first)
            as int
        ) as CustomerKey,
        CustomerID,
        FullName,
        City,
        ValidFrom,
        cast(null as timestamp) as ValidTo,
        IsCurrent
    from new_dim_customer_3

)

select * from final
