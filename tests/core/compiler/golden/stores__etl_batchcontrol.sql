{{
    config(
        materialized='incremental',
        incremental_strategy='append',
    )
}}

with

final as (

    select
        {{ var('load_factsale_batchno') }} as BatchNo,
        'fact.Sale' as TableName,
        cast({{ current_timestamp() }} as timestamp) as LastRun,
        'OK' as Status

)

select * from final
