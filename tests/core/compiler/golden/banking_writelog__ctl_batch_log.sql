{{
    config(
        materialized='incremental',
        incremental_strategy='append',
    )
}}

with

existing_batch_log as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as integer) as LogId,
        cast(null as varchar) as BATCH_NAME,
        cast(null as integer) as ROWS_OUT,
        cast(null as varchar) as STATE,
        cast(null as varchar) as INFO
    where false

    {% endif %}

),

new_batch_log as (

    select
        '{{ var('writelog_name') }}' as BATCH_NAME,
        {{ var('writelog_rows', 'null') }} as ROWS_OUT,
        case when {{ var('writelog_rows', 'null') }} < 0 then 'ERROR' else 'OK' end as STATE,
        {% if var('writelog_message', none) == none %}null{% else %}'{{ var('writelog_message', none) }}'{% endif %} as INFO

),

final as (

    select
        cast(coalesce((select max(LogId) from existing_batch_log), 0) + row_number() over () as int) as LogId,
        BATCH_NAME,
        cast({{ current_timestamp() }} as timestamp) as START_TS,
        cast(null as timestamp) as END_TS,
        ROWS_OUT,
        STATE,
        INFO
    from new_batch_log

)

select * from final
