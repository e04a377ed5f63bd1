{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='ClaimId',
    )
}}

with

existing_claim as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as integer) as ClaimId,
        cast(null as varchar) as PolicyNumber,
        cast(null as timestamp) as LossDate,
        cast(null as integer) as ClaimCount,
        cast(null as decimal(18, 2)) as PaidAmount,
        cast(null as varchar) as ClaimStatus,
        cast(null as timestamp) as ModifiedAt
    where false

    {% endif %}

),

old_values as (

    select
        ClaimStatus as old,
        PaidAmount as amt
    from existing_claim
    where ClaimId = {{ var('sp_claim_close_id') }}

),

final as (

    select
        ClaimId,
        PolicyNumber,
        LossDate,
        ClaimCount,
        PaidAmount,
        '{{ var('sp_claim_close_newstatus', 'SETTLED') }}' as ClaimStatus,
        cast({{ current_timestamp() }} as timestamp) as ModifiedAt
    from existing_claim
    where ClaimId = {{ var('sp_claim_close_id') }}
        and ((select old from old_values) = '{{ var('sp_claim_close_newstatus', 'SETTLED') }}') is not true
        and (select old from old_values) is not null

)

select * from final
