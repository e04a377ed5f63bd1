{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='ACCOUNT_ID',
    )
}}

with

existing_d_account as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as integer) as ACCOUNT_ID,
        cast(null as varchar) as AccountNo,
        cast(null as varchar) as HolderName,
        cast(null as varchar) as ProductCode,
        cast(null as varchar) as BranchCode,
        cast(null as decimal(18, 2)) as OverdraftLimit,
        cast(null as timestamp) as ValidFrom,
        cast(null as timestamp) as ValidTo,
        cast(null as utinyint) as IsCurrent
    where false

    {% endif %}

),

account as (

    select * from {{ source('lnd', 'Account') }}

),

updated_d_account as (

    select
        tgt.ACCOUNT_ID,
        tgt.AccountNo,
        src.HolderName,
        src.ProductCode,
        src.BranchCode,
        src.OverdraftLimit,
        tgt.ValidFrom,
        tgt.ValidTo,
        tgt.IsCurrent
    from existing_d_account as tgt
    inner join account as src on tgt.AccountNo = src.AccountNo
    where tgt.IsCurrent = 1

),

unchanged_d_account as (

    select *
    from existing_d_account
    where ACCOUNT_ID not in (select ACCOUNT_ID from updated_d_account)

),

current_d_account as (

    select *
    from updated_d_account

    union all

    select *
    from unchanged_d_account

),

new_d_account as (

    select
        AccountNo,
        HolderName,
        ProductCode,
        BranchCode,
        OverdraftLimit
    from account
    where AccountNo not in (select AccountNo from current_d_account)

),

final as (

    select *
    from updated_d_account

    union all

    select
        cast(
            coalesce((select max(ACCOUNT_ID) from existing_d_account), 0)
            + row_number() over (order by AccountNo)
            as int
        ) as ACCOUNT_ID,
        AccountNo,
        HolderName,
        ProductCode,
        BranchCode,
        OverdraftLimit,
        cast('1900-01-01' as timestamp) as ValidFrom,
        cast(null as timestamp) as ValidTo,
        cast(1 as utinyint) as IsCurrent
    from new_d_account

)

select * from final
