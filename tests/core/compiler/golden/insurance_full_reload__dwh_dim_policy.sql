{{ config(materialized='table') }}

with

policy as (

    select * from {{ source('staging', 'Policy') }}

),

dim_policy as (

    select
        PolicyNumber,
        PolicyHolder,
        ProductLine,
        Branch,
        SumInsured
    from policy

),

final as (

    select
        cast(row_number() over (order by PolicyNumber) as int) as POLICY_SK,
        PolicyNumber,
        PolicyHolder,
        ProductLine,
        Branch,
        SumInsured,
        cast('1900-01-01' as timestamp) as ValidFrom,
        cast(null as timestamp) as ValidTo,
        cast(1 as utinyint) as IsCurrent
    from dim_policy

)

select * from final
