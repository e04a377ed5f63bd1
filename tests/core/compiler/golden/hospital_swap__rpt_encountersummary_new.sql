{{ config(materialized='table') }}

with

final as (

    select
        cast(null as text) as YearMonth,
        cast(null as text) as InsuranceClass,
        cast(null as text) as Ward,
        cast(null as int) as TotalLengthOfStay,
        cast(null as decimal(38, 2)) as TotalTotalCharge,
        cast(null as int) as EntityCount
    where false

)

select * from final
