{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='PRODUCT_CODE',
    )
}}

with

existing_product_ref as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as varchar) as PRODUCT_CODE,
        cast(null as varchar) as PRODUCT_TEXT
    where false

    {% endif %}

),

account as (

    select * from {{ source('lnd', 'Account') }}

),

cnt as (

    select count(*) as cnt
    from account
    where ProductCode is not null

),

updated_product_ref as (

    select
        PRODUCT_CODE,
        'Product ' || PRODUCT_CODE as PRODUCT_TEXT
    from existing_product_ref
    where (PRODUCT_TEXT is null or PRODUCT_TEXT = '')
        and (
            (select cnt from cnt) = 0 and '{{ var('p_product_ref_refresh_force', 'N') }}' <> 'Y'
        ) is not true

),

updated_product_ref_2 as (

    select
        PRODUCT_CODE,
        'Product ' || PRODUCT_CODE as PRODUCT_TEXT
    from existing_product_ref
    where PRODUCT_TEXT is null or PRODUCT_TEXT = ''

),

unchanged_product_ref as (

    select *
    from existing_product_ref
    where PRODUCT_CODE not in (select PRODUCT_CODE from updated_product_ref_2)

),

current_product_ref as (

    select *
    from updated_product_ref_2

    union all

    select *
    from unchanged_product_ref

),

new_product_ref as (

    select distinct
        a.ProductCode as PRODUCT_CODE,
        null as PRODUCT_TEXT
    from account as a
    left join current_product_ref as r on r.PRODUCT_CODE = a.ProductCode
    where r.PRODUCT_CODE is null
        and a.ProductCode is not null

),

final as (

    select *
    from updated_product_ref

    union all

    select
        PRODUCT_CODE,
        cast(PRODUCT_TEXT as text) as PRODUCT_TEXT
    from new_product_ref
    where (
        (select cnt from cnt) = 0 and '{{ var('p_product_ref_refresh_force', 'N') }}' <> 'Y'
    ) is not true

)

select * from final
