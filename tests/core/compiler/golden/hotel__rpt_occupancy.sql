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

existing_occupancy as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as varchar) as HotelCode,
        cast(null as date) as StayDate,
        cast(null as integer) as RoomNights,
        cast(null as decimal(19, 4)) as Revenue,
        cast(null as decimal(19, 4)) as ADR
    where false

    {% endif %}

),

reservation as (

    select * from {{ source('pms', 'Reservation') }}

),

numbers as (

    select * from {{ source('dbo', 'Numbers') }}

),

parameters as (

    select
        cast(
            cast(cast({{ current_timestamp() }} as timestamp) as date)
            + to_days(cast(-({{ var('buildoccupancy_daysback', 30) }}) as int))
            as date
        ) as cutoff

),

kept_occupancy as (

    select *
    from existing_occupancy
    where (StayDate >= (select cutoff from parameters)) is not true

),

new_occupancy as (

    select
        r.HotelCode,
        cast(r.CheckIn + to_days(n.N) as date) as StayDate,
        count(*) as RoomNights,
        sum(r.Rate) as Revenue,
        cast(sum(r.Rate) * 10000 as int128) // count(*) * 0.0001 as ADR
    from reservation as r
    inner join numbers as n
        on n.N >= 0
        and n.N < date_diff('day', r.CheckIn, r.CheckOut)
    where r.Status not in ('X', 'N')
        and cast(r.CheckIn + to_days(n.N) as date) >= (select cutoff from parameters)
    group by r.HotelCode, cast(r.CheckIn + to_days(n.N) as date)
    having count(*) > 0

),

final as (

    select
        HotelCode,
        StayDate,
        RoomNights,
        Revenue,
        ADR
    from kept_occupancy

    union all

    select
        HotelCode,
        StayDate,
        cast(RoomNights as int) as RoomNights,
        cast(Revenue as decimal(19, 4)) as Revenue,
        cast(ADR as decimal(19, 4)) as ADR
    from new_occupancy

)

select * from final
