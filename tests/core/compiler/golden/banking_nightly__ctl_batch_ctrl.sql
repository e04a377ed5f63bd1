{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='BATCH_NAME',
    )
}}

with

existing_batch_ctrl as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as varchar) as BATCH_NAME,
        cast(null as timestamp) as LAST_TS
    where false

    {% endif %}

),

posting as (

    select * from {{ source('lnd', 'Posting') }}

),

max1 as (

    select max(ModifiedAt) as max1
    from posting

),

updated_batch_ctrl as (

    select
        BATCH_NAME,
        (select max1 from max1) as LAST_TS
    from existing_batch_ctrl
    where BATCH_NAME = 'F_POSTING'

),

condition as (

    select count(*) as condition
    from updated_batch_ctrl

),

new_batch_ctrl as (

    select
        'F_POSTING' as BATCH_NAME,
        (select max1 from max1) as LAST_TS
    where (select condition from condition) = 0

),

final as (

    select *
    from updated_batch_ctrl

    union all

    select *
    from new_batch_ctrl

)

select * from final
