{{
    config(
        materialized='incremental',
        incremental_strategy='append',
    )
}}

with

customer as (

    select * from {{ source('stg', 'Customer') }}

),

existing_segment_code as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as varchar) as SegmentCode,
        cast(null as varchar) as SegmentName
    where false

    {% endif %}

),

new_segment_code as (

    select distinct
        Segment as SegmentCode,
        Segment as SegmentName
    from customer

    except

    select
        SegmentCode,
        SegmentCode
    from existing_segment_code

),

final as (

    select
        SegmentCode,
        SegmentName
    from new_segment_code

)

select * from final
