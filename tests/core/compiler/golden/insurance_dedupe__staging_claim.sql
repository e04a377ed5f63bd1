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

numbered_claim as (

    select
        ClaimId,
        row_number() over (order by ClaimId) as row_place
    from existing_claim
    where LossDate < cast({{ current_timestamp() }} as timestamp) + to_days(cast(-({{ var('sp_claim_clean_keep_days', 365) }}) as int))

),

first_claim as (

    select ClaimId
    from numbered_claim
    where row_place <= 100000

),

kept_claim as (

    select *
    from existing_claim
    where (
        LossDate < cast({{ current_timestamp() }} as timestamp) + to_days(cast(-({{ var('sp_claim_clean_keep_days', 365) }}) as int))
        and ClaimId in (select ClaimId from first_claim)
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
