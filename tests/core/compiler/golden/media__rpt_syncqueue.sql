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

existing_sync_queue as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as integer) as id,
        cast(null as integer) as campaign_id,
        cast(null as utinyint) as processed,
        cast(null as timestamp) as processed_at
    where false

    {% endif %}

),

ids as (

    select
        id,
        campaign_id
    from existing_sync_queue
    where coalesce(processed, cast(0 as utinyint)) = 0
    order by id
    limit 100

),

updated_sync_queue as (

    select
        q.id,
        q.campaign_id,
        cast(1 as utinyint) as processed,
        cast({{ current_timestamp() }} as timestamp) as processed_at
    from existing_sync_queue as q
    where exists (select 1 from ids as i where i.id = q.id)

),

unchanged_sync_queue as (

    select *
    from existing_sync_queue as q
    where not exists (select 1 from ids as i where i.id = q.id)

),

final as (

    select *
    from updated_sync_queue

    union all

    select
        id,
        campaign_id,
        processed,
        processed_at
    from unchanged_sync_queue

)

select * from final
