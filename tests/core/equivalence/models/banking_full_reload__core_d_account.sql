{{ config(materialized='table') }}

with

account as (

    select * from {{ source('lnd', 'Account') }}

),

-- old logic
-- DELETE FROM core.F_POSTING
-- WHERE 1 = 0
d_account as (

    select
        AccountNo,
        HolderName,
        ProductCode,
        BranchCode,
        OverdraftLimit
    from account

),

final as (

    select
        cast(row_number() over (order by AccountNo) as int) as ACCOUNT_ID,
        AccountNo,
        HolderName,
        ProductCode,
        BranchCode,
        OverdraftLimit,
        cast('1900-01-01' as timestamp) as ValidFrom,
        cast(null as timestamp) as ValidTo,
        cast(1 as utinyint) as IsCurrent
    from d_account

)

select * from final
