{{ config(materialized='table') }}

with

final as (

    select
        cast(null as text) as YearMonth,
        cast(null as text) as ProductCode,
        cast(null as text) as BranchCode,
        cast(null as int) as TotalEntryCount,
        cast(null as decimal(38, 2)) as TotalPostingAmount,
        cast(null as int) as EntityCount
    where false

)

select * from final
