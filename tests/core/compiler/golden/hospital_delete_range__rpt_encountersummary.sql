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

existing_encounter_summary as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as varchar) as YearMonth,
        cast(null as varchar) as InsuranceClass,
        cast(null as varchar) as Ward,
        cast(null as integer) as TotalLengthOfStay,
        cast(null as decimal(38, 2)) as TotalTotalCharge,
        cast(null as integer) as EntityCount
    where false

    {% endif %}

),

encounter as (

    select * from {{ source('src', 'Encounter') }}

),

patient as (

    select * from {{ source('src', 'Patient') }}

),

kept_encounter_summary as (

    select *
    from existing_encounter_summary
    where (YearMonth = '{{ var('usp_encountersummary_month_ym') }}') is not true

),

new_encounter_summary as (

    select
        rpad(strftime(t.AdmitDate, '%Y%m%d'), 6, ' ') as YearMonth,
        coalesce(e.InsuranceClass, 'UNK') as InsuranceClass,
        coalesce(e.Ward, 'n/a') as Ward,
        cast(sum(t.LengthOfStay) as int) as TotalLengthOfStay,
        sum(t.TotalCharge) as TotalTotalCharge,
        count(distinct t.PatientId) as EntityCount
    from encounter as t
    inner join patient as e on e.PatientId = t.PatientId
    where rpad(strftime(t.AdmitDate, '%Y%m%d'), 6, ' ') = '{{ var('usp_encountersummary_month_ym') }}'
    group by
        rpad(strftime(t.AdmitDate, '%Y%m%d'), 6, ' '),
        coalesce(e.InsuranceClass, 'UNK'),
        coalesce(e.Ward, 'n/a')
    having cast(sum(t.LengthOfStay) as int) > 0

),

final as (

    select
        YearMonth,
        InsuranceClass,
        Ward,
        TotalLengthOfStay,
        TotalTotalCharge,
        cast(EntityCount as int) as EntityCount
    from kept_encounter_summary

    union all

    select
        YearMonth,
        InsuranceClass,
        Ward,
        TotalLengthOfStay,
        TotalTotalCharge,
        cast(EntityCount as int) as EntityCount
    from new_encounter_summary

)

select * from final
