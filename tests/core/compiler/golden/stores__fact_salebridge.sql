{{ config(materialized='table') }}

with

sale as (

    select * from {{ source('staging', 'Sale') }}

),

x as (

    select
        s.SaleId,
        ltrim(rtrim(v.value)) as PromoCode
    from sale as s
    cross join lateral (select unnest(string_split(s.Promo, ';')) as value) as v
    where s.Promo like '%_%'

),

sale_bridge as (

    select
        SaleId,
        PromoCode,
        cast(cast(1.0 as decimal(9, 6)) * 100000000000000000 as int128)
        // count(*) over (partition by SaleId)
        * 0.00000000000000001 as Weight
    from x
    where PromoCode <> ''

),

final as (

    select
        SaleId,
        PromoCode,
        cast(Weight as decimal(9, 6)) as Weight
    from sale_bridge

)

select * from final
