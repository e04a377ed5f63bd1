{{
    config(
        materialized='incremental',
        incremental_strategy='append',
    )
}}

with

account as (

    select * from {{ source('lnd', 'Account') }}

),

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

new_product_ref as (

    select distinct
        ProductCode as PRODUCT_CODE,
        ProductCode as PRODUCT_TEXT
    from account

    except

    select
        PRODUCT_CODE,
        PRODUCT_CODE
    from existing_product_ref

),

final as (

    select
        PRODUCT_CODE,
        PRODUCT_TEXT
    from new_product_ref

)

select * from final
