{{ config(materialized='table') }}

with

customer as (

    select * from {{ source('stg', 'Customer') }}

),

dim_customer as (

    select
        CustomerNo,
        ltrim(rtrim(CustomerName)) as CustomerName,
        coalesce(Segment, 'UNK') as Segment,
        coalesce(case when City = '' then null else City end, 'n/a') as City,
        CreditLimit
    from customer
    where CustomerNo is not null

),

final as (

    select
        cast(row_number() over (order by CustomerNo) as int) as CustomerKey,
        CustomerNo,
        CustomerName,
        Segment,
        City,
        CreditLimit,
        cast('1900-01-01' as timestamp) as ValidFrom,
        cast(null as timestamp) as ValidTo,
        cast(1 as utinyint) as IsCurrent
    from dim_customer

)

select * from final
