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

existing_claim_monthly as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as varchar) as YearMonth,
        cast(null as varchar) as ProductLine,
        cast(null as varchar) as Branch,
        cast(null as integer) as TotalClaimCount,
        cast(null as decimal(38, 2)) as TotalPaidAmount,
        cast(null as integer) as EntityCount
    where false

    {% endif %}

),

claim as (

    select * from {{ source('staging', 'Claim') }}

),

policy as (

    select * from {{ source('staging', 'Policy') }}

),

kept_claim_monthly as (

    select *
    from existing_claim_monthly
    where (YearMonth = '{{ var('sp_claim_monthly_month_ym') }}') is not true

),

new_claim_monthly as (

    select
        rpad(strftime(t.LossDate, '%Y%m%d'), 6, ' ') as YearMonth,
        coalesce(e.ProductLine, 'UNK') as ProductLine,
        coalesce(e.Branch, 'n/a') as Branch,
        cast(sum(t.ClaimCount) as int) as TotalClaimCount,
        sum(t.PaidAmount) as TotalPaidAmount,
        count(distinct t.PolicyNumber) as EntityCount
    from claim as t
    inner join policy as e on e.PolicyNumber = t.PolicyNumber
    where rpad(strftime(t.LossDate, '%Y%m%d'), 6, ' ') = '{{ var('sp_claim_monthly_month_ym') }}'
    group by
        rpad(strftime(t.LossDate, '%Y%m%d'), 6, ' '),
        coalesce(e.ProductLine, 'UNK'),
        coalesce(e.Branch, 'n/a')
    having cast(sum(t.ClaimCount) as int) > 0

),

final as (

    select
        YearMonth,
        ProductLine,
        Branch,
        TotalClaimCount,
        TotalPaidAmount,
        cast(EntityCount as int) as EntityCount
    from kept_claim_monthly

    union all

    select
        YearMonth,
        ProductLine,
        Branch,
        TotalClaimCount,
        TotalPaidAmount,
        cast(EntityCount as int) as EntityCount
    from new_claim_monthly

)

select * from final
