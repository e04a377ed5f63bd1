{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        merge_clauses={
            'when_not_matched': [
                {'action': 'insert', 'mode': 'by_name'},
                {'by': 'source', 'action': 'delete'},
            ],
        },
    )
}}

with

existing_audit_log as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as integer) as LogId,
        cast(null as varchar) as proc_name,
        cast(null as timestamp) as started_at,
        cast(null as timestamp) as finished_at,
        cast(null as integer) as row_cnt,
        cast(null as varchar) as run_status,
        cast(null as varchar) as msg
    where false

    {% endif %}

),

kept_audit_log as (

    select *
    from existing_audit_log
    where (
        started_at < cast({{ current_timestamp() }} as timestamp) - interval '6' month
    ) is not true

),

final as (

    select
        LogId,
        proc_name,
        started_at,
        finished_at,
        row_cnt,
        run_status,
        msg
    from kept_audit_log

)

select * from final
