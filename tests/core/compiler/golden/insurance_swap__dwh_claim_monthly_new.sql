{{ config(materialized='table') }}

with

final as (

    select
        cast(null as text) as YearMonth,
        cast(null as text) as ProductLine,
        cast(null as text) as Branch,
        cast(null as int) as TotalClaimCount,
        cast(null as decimal(38, 2)) as TotalPaidAmount,
        cast(null as int) as EntityCount
    where false

)

select * from final
