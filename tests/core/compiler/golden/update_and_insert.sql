{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='CustomerID',
    )
}}

with

existing_customer as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as integer) as CustomerID,
        cast(null as varchar) as FullName,
        cast(null as varchar) as City,
        cast(null as timestamp) as CreatedAt,
        cast(null as timestamp) as UpdatedAt
    where false

    {% endif %}

),

customer as (

    select * from {{ source('bronze', 'Customer') }}

),

updated_customer as (

    select
        t.CustomerID,
        s.FirstName as FullName,
        s.City,
        t.CreatedAt,
        cast({{ current_timestamp() }} as timestamp) as UpdatedAt
    from existing_customer as t
    inner join customer as s on t.CustomerID = s.CustomerID
    where t.City <> s.City or t.FullName <> s.FirstName

),

unchanged_customer as (

    select *
    from existing_customer
    where CustomerID not in (select CustomerID from updated_customer)

),

current_customer as (

    select *
    from updated_customer

    union all

    select *
    from unchanged_customer

),

new_customer as (

    select
        s.CustomerID,
        s.FirstName as FullName,
        s.City,
        cast({{ current_timestamp() }} as timestamp) as CreatedAt
    from customer as s
    where not exists (
        select 1
        from current_customer as t
        where t.CustomerID = s.CustomerID
    )

),

final as (

    select *
    from updated_customer

    union all

    select
        CustomerID,
        FullName,
        City,
        CreatedAt,
        cast(null as timestamp) as UpdatedAt
    from new_customer

)

select * from final
