{{
    config(
        materialized='incremental',
        incremental_strategy='append',
    )
}}

with

sale as (

    select * from {{ source('staging', 'Sale') }}

),

product as (

    select * from {{ source('dim', 'Product') }}

),

store as (

    select * from {{ source('dim', 'Store') }}

),

existing_sale as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as bigint) as SaleKey,
        cast(null as integer) as SaleId,
        cast(null as integer) as DateKey,
        cast(null as integer) as ProductKey,
        cast(null as integer) as StoreKey,
        cast(null as integer) as Qty,
        cast(null as decimal(12, 2)) as Amount,
        cast(null as decimal(19, 6)) as UnitPrice,
        cast(null as utinyint) as PromoFlag,
        cast(null as integer) as BatchNo
    where false

    {% endif %}

),

batch_control as (

    select * from {{ source('etl', 'BatchControl') }}

),

v_current_product as (

    select
        ProductKey,
        ProductCode,
        ProductName,
        Category
    from product
    where EndDate is null

),

last_value as (

    select LastRun as last
    from batch_control
    where TableName = 'fact.Sale'
        and Status = 'OK'
    order by BatchNo desc
    limit 1

),

new_sale as (

    select
        s.SaleId,
        cast(strftime(coalesce(s.SaleDate, cast('1900-01-01' as timestamp)), '%Y%m%d') as int) as DateKey,
        coalesce(p.ProductKey, -1) as ProductKey,
        coalesce(st.StoreKey, -1) as StoreKey,
        coalesce(s.Qty, 0) as Qty,
        coalesce(s.Amount, 0) as Amount,
        cast(s.Amount * 10000000000000 as int128) // nullif(s.Qty, 0) * 0.0000000000001 as UnitPrice,
        case when length(rtrim(coalesce(s.Promo, ''))) > 0 then 1 else 0 end as PromoFlag,
        {{ var('load_factsale_batchno') }} as BatchNo
    from sale as s
    left join v_current_product as p on p.ProductCode = s.ProductCode
    left join store as st on st.StoreCode = s.StoreCode
    where ((select last from last_value) is null or s.SaleDate > (select last from last_value))
        and not exists (select 1 from existing_sale as f where f.SaleId = s.SaleId)

),

final as (

    select
        coalesce((select max(SaleKey) from existing_sale), 0)
        + row_number() over (
            order by
                SaleId nulls first,
                DateKey nulls first,
                ProductKey nulls first,
                StoreKey nulls first,
                Qty,
                Amount,
                UnitPrice nulls first,
                PromoFlag
        ) as SaleKey,
        SaleId,
        DateKey,
        ProductKey,
        StoreKey,
        Qty,
        Amount,
        cast(UnitPrice as decimal(19, 6)) as UnitPrice,
        cast(PromoFlag <> 0 as utinyint) as PromoFlag,
        BatchNo
    from new_sale

)

select * from final
