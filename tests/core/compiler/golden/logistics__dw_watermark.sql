{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='TableName',
    )
}}

with

existing_watermark as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as varchar) as TableName
    where false

    {% endif %}

),

shipment as (

    select * from {{ source('Logistics', 'Shipment') }}

),

new as (

    select max(ModifiedDate) as new
    from shipment

),

final as (

    select
        TableName,
        (select new from new) as LastValue
    from existing_watermark
    where TableName = 'factShipment'

)

select * from final
