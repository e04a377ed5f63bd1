{{
    config(
        materialized='incremental',
        incremental_strategy='append',
    )
}}

with

claim as (

    select * from {{ source('staging', 'Claim') }}

),

dim_policy as (

    select * from {{ source('dwh', 'DIM_POLICY') }}

),

existing_fact_claim as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as integer) as ClaimId,
        cast(null as integer) as POLICY_SK,
        cast(null as integer) as DateKey,
        cast(null as integer) as ClaimCount,
        cast(null as decimal(18, 2)) as PaidAmount,
        cast(null as varchar) as ClaimStatus,
        cast(null as decimal(29, 13)) as UnitAmount,
        cast(null as timestamp) as LoadedAt
    where false

    {% endif %}

),

load_control as (

    select * from {{ source('admin', 'LoadControl') }}

),

max_value as (

    select max(ModifiedAt) as max
    from claim

),

last_value as (

    select last_value as last
    from load_control
    where object_name = 'FACT_CLAIM'

),

new_fact_claim as (

    select
        t.ClaimId,
        coalesce(d.POLICY_SK, -1) as POLICY_SK,
        cast(strftime(t.LossDate, '%Y%m%d') as int) as DateKey,
        t.ClaimCount,
        t.PaidAmount,
        t.ClaimStatus
    from claim as t
    left join dim_policy as d
        on d.PolicyNumber = t.PolicyNumber
        and d.IsCurrent = 1
    where t.ModifiedAt > coalesce((select last from last_value), cast('1900-01-01' as timestamp))
        and t.ModifiedAt <= (select max from max_value)
        and not exists (
            select 1
            from existing_fact_claim as f
            where f.ClaimId = t.ClaimId
        )

),

new_fact_claim_2 as (

    select
        ClaimId,
        POLICY_SK,
        DateKey,
        ClaimCount,
        PaidAmount,
        ClaimStatus,
        cast({{ current_timestamp() }} as timestamp) as LoadedAt
    from new_fact_claim

),

final as (

    select
        ClaimId,
        POLICY_SK,
        DateKey,
        ClaimCount,
        PaidAmount,
        ClaimStatus,
        cast(
            (
                cast(cast(PaidAmount * 10000000000000 as int128) // nullif(ClaimCount, 0) as decimal(38, 0))
                * 0.0000000000001
            )
            as decimal(29, 13)
        ) as UnitAmount,
        LoadedAt
    from new_fact_claim_2

)

select * from final
