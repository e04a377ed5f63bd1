{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='CustomerID',
    )
}}

with

customer as (

    select * from {{ source('bronze', 'Customer') }}

),

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

c_rows as (

    select
        CustomerID as loop_id,
        City as loop_city
    from customer
    where City is not null

),

c_rows_chosen as (

    select *
    from c_rows as loop_rows
    where exists (
        select 1
        from existing_customer as Customer
        where Customer.CustomerID = loop_rows.loop_id
    )

),

updated_customer as (

    select
        Customer.CustomerID,
        Customer.FullName,
        upper(loop_rows.loop_city) as City,
        Customer.CreatedAt,
        Customer.UpdatedAt
    from c_rows_chosen as loop_rows
    inner join existing_customer as Customer on Customer.CustomerID = loop_rows.loop_id

),

c_rows_chosen_2 as (

    select *
    from c_rows as loop_rows
    where not exists (
        select 1
        from existing_customer as Customer
        where Customer.CustomerID = loop_rows.loop_id
    )

),

new_customer as (

    select
        loop_id as CustomerID,
        loop_city as City
    from c_rows_chosen_2

),

final as (

    select *
    from updated_customer

    union all

    select
        CustomerID,
        cast(null as text) as FullName,
        City,
        cast(null as timestamp) as CreatedAt,
        cast(null as timestamp) as UpdatedAt
    from new_customer

)

select * from final
