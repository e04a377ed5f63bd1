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

customer as (

    select * from {{ source('stg', 'Customer') }}

),

codes as (

    select distinct upper(ltrim(rtrim(Segment))) as code
    from customer
    where Segment is not null
        and length(rtrim(Segment)) > 0

),

updated_segment_code as (

    select
        t.SegmentCode,
        c.code as SegmentName
    from existing_segment_code as t
    inner join codes as c on t.SegmentCode = c.code
    where t.SegmentName is null

),

kept_segment_code as (

    select *
    from updated_segment_code as r
    where exists(select 1 from customer as s where s.Segment = r.SegmentCode)
        or ({{ var('usp_loadsegmentcode_merge_delete_missing', 0) }} = 1) is not true

),

unchanged_segment_code as (

    select *
    from existing_segment_code
    where SegmentCode not in (select SegmentCode from updated_segment_code)

),

kept_segment_code_2 as (

    select *
    from unchanged_segment_code as r
    where exists(select 1 from customer as s where s.Segment = r.SegmentCode)
        or ({{ var('usp_loadsegmentcode_merge_delete_missing', 0) }} = 1) is not true

),

new_segment_code as (

    select
        c.code as SegmentCode,
        c.code || ' (new)' as SegmentName
    from codes as c
    where not exists (
        select 1
        from existing_segment_code as t
        where t.SegmentCode = c.code
    )

),

kept_segment_code_3 as (

    select *
    from new_segment_code as r
    where exists(select 1 from customer as s where s.Segment = r.SegmentCode)
        or ({{ var('usp_loadsegmentcode_merge_delete_missing', 0) }} = 1) is not true

),

final as (

    select
        SegmentCode,
        SegmentName
    from kept_segment_code

    union all

    select
        SegmentCode,
        SegmentName
    from kept_segment_code_2

    union all

    select
        SegmentCode,
        SegmentName
    from kept_segment_code_3

)

select * from final
