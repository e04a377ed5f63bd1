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
        cast(null as timestamp) as BeginDts,
        cast(null as timestamp) as EndDts,
        cast(null as integer) as RecordCount,
        cast(null as varchar) as RunStatus,
        cast(null as varchar) as ErrorText
    where false

    {% endif %}

),

new_etl_run as (

    select
        '{{ var('writelog_name') }}' as ProcName,
        {{ var('writelog_rows', 'null') }} as RecordCount,
        case when {{ var('writelog_rows', 'null') }} < 0 then 'ERROR' else 'OK' end as RunStatus,
        {% if var('writelog_message', none) == none %}null{% else %}'{{ var('writelog_message', none) }}'{% endif %} as ErrorText

),

final as (

    select
        cast(coalesce((select max(LogId) from existing_etl_run), 0) + row_number() over () as int) as LogId,
        ProcName,
        cast({{ current_timestamp() }} as timestamp) as BeginDts,
        cast(null as timestamp) as EndDts,
        RecordCount,
        RunStatus,
        ErrorText
    from new_etl_run

)

select * from final
