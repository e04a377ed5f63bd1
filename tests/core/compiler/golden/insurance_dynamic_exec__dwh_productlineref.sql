{{ config(materialized='table') }}

with

policy as (

    select * from {{ source('staging', 'Policy') }}

),

product_line_ref as (

    select distinct
        ProductLine as LineCode,
        'line ' || ProductLine as LineDescription
    from policy
    where ProductLine is not null

),

out as (

    select count(*) as out
    from policy
    where ProductLine is null

),

new_product_line_ref as (

    select
        'UNK' as LineCode,
        case
            when length(cast((select out from out) as text)) > 10 then '*'
            else cast((select out from out) as text)
        end
        || ' policies' as LineDescription
    where (select out from out) > 0

),

final as (

    select *
    from product_line_ref

    union all

    select *
    from new_product_line_ref

)

select * from final
