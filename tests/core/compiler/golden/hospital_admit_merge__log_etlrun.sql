{{
    config(
        materialized='incremental',
        incremental_strategy='append',
    )
}}

with

existing_etl_run as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as integer) as LogId,
        cast(null as varchar) as ProcName,
        cast(null as varchar) as RunStatus
    where false

    {% endif %}

),

new_etl_run as (

    select
        'usp_ClassText_RowByRow' as ProcName,
        'OK' as RunStatus

),

final as (

    select
        cast(coalesce((select max(LogId) from existing_etl_run), 0) + row_number() over () as int) as LogId,
        ProcName,
        cast({{ current_timestamp() }} as timestamp) as BeginDts,
        cast(null as timestamp) as EndDts,
        cast(null as int) as RecordCount,
        RunStatus,
        cast(null as text) as ErrorText
    from new_etl_run

)

select * from final
