{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        merge_clauses={
            'when_not_matched': [
                {'action': 'insert', 'mode': 'by_name'},
                {'by': 'source', 'action': 'delete'},
            ],
        },
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

policy as (

    select * from {{ source('staging', 'Policy') }}

),

kept_claim as (

    select *
    from existing_claim
    where (
        ClaimId in (
            select c.ClaimId
            from existing_claim as c
            where not exists (
                select 1
                from policy as p
                where p.PolicyNumber = c.PolicyNumber
            )
        )
    ) is not true

),

final as (

    select
        ClaimId,
        PolicyNumber,
        LossDate,
        ClaimCount,
        PaidAmount,
        ClaimStatus,
        ModifiedAt
    from kept_claim

)

select * from final
