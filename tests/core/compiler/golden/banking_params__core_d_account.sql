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

new_d_account as (

    select
        -1 as ACCOUNT_ID,
        '0' as AccountNo,
        'Unknown' as HolderName,
        'UNK' as ProductCode,
        'n/a' as BranchCode,
        null as OverdraftLimit,
        cast('1900-01-01' as timestamp) as ValidFrom,
        null as ValidTo,
        cast(1 as utinyint) as IsCurrent

),

updated_d_account as (

    select
        ACCOUNT_ID,
        AccountNo,
        'Unknown' as HolderName,
        'UNK' as ProductCode,
        BranchCode,
        OverdraftLimit,
        ValidFrom,
        ValidTo,
        IsCurrent
    from existing_d_account
    where ACCOUNT_ID = -1
        and exists (select 1 from existing_d_account where ACCOUNT_ID = -1)

),

final as (

    select
        ACCOUNT_ID,
        AccountNo,
        HolderName,
        ProductCode,
        BranchCode,
        cast(OverdraftLimit as decimal(18, 2)) as OverdraftLimit,
        ValidFrom,
        cast(ValidTo as timestamp) as ValidTo,
        IsCurrent
    from new_d_account
    where not exists (select 1 from existing_d_account where ACCOUNT_ID = -1)

    union all

    select *
    from updated_d_account

)

select * from final
