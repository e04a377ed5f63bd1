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

existing_channel_mix as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as varchar) as HotelCode,
        cast(null as varchar) as YearMonth,
        cast(null as integer) as Web,
        cast(null as integer) as Phone,
        cast(null as integer) as Agent,
        cast(null as decimal(5, 2)) as Share
    where false

    {% endif %}

),

reservation as (

    select * from {{ source('pms', 'Reservation') }}

),

kept_channel_mix as (

    select *
    from existing_channel_mix
    where (YearMonth collate nocase >= '{{ var('channelmixload_from', '2024-01') }}') is not true

),

filtered_reservation as (

    select
        HotelCode,
        left(strftime(CheckIn, '%Y-%m-%d'), 7) as ym,
        Channel,
        ResId
    from reservation
    where CheckIn is not null

),

p as (

    select
        HotelCode,
        ym,
        count(case when Channel = 'WEB' then ResId end) as WEB,
        count(case when Channel = 'PHONE' then ResId end) as PHONE,
        count(case when Channel = 'AGENT' then ResId end) as AGENT
    from filtered_reservation
    group by HotelCode, ym

),

new_channel_mix as (

    select
        HotelCode,
        ym as YearMonth,
        WEB as Web,
        PHONE as Phone,
        AGENT as Agent,
        cast(cast(100.0 * WEB * 1000 as int128) // nullif(WEB + PHONE + AGENT, 0) * 0.001 as decimal(5, 2)) as Share
    from p
    where ym collate nocase >= '{{ var('channelmixload_from', '2024-01') }}'

),

final as (

    select
        HotelCode,
        YearMonth,
        Web,
        Phone,
        Agent,
        Share
    from kept_channel_mix

    union all

    select
        HotelCode,
        YearMonth,
        cast(Web as int) as Web,
        cast(Phone as int) as Phone,
        cast(Agent as int) as Agent,
        Share
    from new_channel_mix

)

select * from final
