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

filtered_account as (

    select
        AccountNo,
        HolderName,
        ProductCode,
        BranchCode,
        OverdraftLimit
    from account
    where AccountNo is not null

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
    inner join filtered_account as src on tgt.AccountNo = src.AccountNo
    where coalesce(tgt.HolderName, '') <> coalesce(src.HolderName, '')
        or coalesce(tgt.OverdraftLimit, 0) <> coalesce(src.OverdraftLimit, 0)

),

new_d_account as (

    select
        src.AccountNo,
        src.HolderName,
        src.ProductCode,
        src.BranchCode,
        src.OverdraftLimit
    from filtered_account as src
    where not exists (
        select 1
        from existing_d_account as tgt
        where tgt.AccountNo = src.AccountNo
    )

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
