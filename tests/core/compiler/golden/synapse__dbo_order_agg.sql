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

existing_order_agg as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as varchar) as region,
        cast(null as varchar) as status,
        cast(null as integer) as yr,
        cast(null as integer) as n,
        cast(null as decimal(38, 2)) as amt,
        cast(null as integer) as gid
    where false

    {% endif %}

),

orders as (

    select * from {{ source('dbo', 'orders') }}

),

kept_order_agg as (

    select *
    from existing_order_agg
    where (
        yr = {{ var('p_order_agg_yr', 'null') }}
        or {{ var('p_order_agg_yr', 'null') }} is null
    ) is not true

),

new_order_agg as (

    select
        region,
        status,
        year(order_dt) as yr,
        count(*) as n,
        sum(amt) as amt,
        grouping_id(region, status) as gid
    from orders
    where {{ var('p_order_agg_yr', 'null') }} is null
        or year(order_dt) = {{ var('p_order_agg_yr', 'null') }}
    group by
        grouping sets ((region, status, year(order_dt)), (region, year(order_dt)), (year(order_dt)))

),

final as (

    select
        region,
        status,
        yr,
        n,
        amt,
        gid
    from kept_order_agg

    union all

    select
        region,
        status,
        cast(yr as int) as yr,
        cast(n as int) as n,
        amt,
        cast(gid as int) as gid
    from new_order_agg

)

select * from final
