{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='CustomerID',
        merge_exclude_columns=['CreatedAt', 'UpdatedAt'],
    )
}}

with

customer as (

    select * from {{ source('bronze', 'Customer') }}

),

prepared_customer as (

    select
        CustomerID,
        FirstName || ' ' || LastName as FullName,
        City
    from customer

),

final as (

    select
        CustomerID,
        FullName,
        City,
        cast({{ current_timestamp() }} as timestamp) as CreatedAt,
        cast(null as timestamp) as UpdatedAt
    from prepared_customer

)

select * from final
