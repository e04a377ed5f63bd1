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

n as (

    select count(*) as n
    from encounter

),

kept_existing_encounter_summary as (

    select *
    from existing_encounter_summary
    where case
        when (select n from n) < 1 then cast(1 as int)
        else case
            when exists (select 1 from encounter where TotalCharge < 0)
                then cast(2 as int)
            else cast(0 as int)
        end
    end
    = 1

),

encounter_summary as (

    select
        rpad(strftime(e.AdmitDate, '%Y%m%d'), 6, ' ') as YearMonth,
        coalesce(p.InsuranceClass, 'UNK') as InsuranceClass,
        coalesce(p.Ward, '-') as Ward,
        cast(sum(e.LengthOfStay) as int) as TotalLengthOfStay,
        sum(
            case
                when case
                    when (select n from n) < 1 then cast(1 as int)
                    else case
                        when exists (select 1 from encounter where TotalCharge < 0)
                            then cast(2 as int)
                        else cast(0 as int)
                    end
                end
                = 2
                and e.TotalCharge < 0
                    then 0
                else e.TotalCharge
            end
        ) as TotalTotalCharge,
        count(*) as EntityCount
    from encounter as e
    inner join patient as p on p.PatientId = e.PatientId
    group by
        rpad(strftime(e.AdmitDate, '%Y%m%d'), 6, ' '),
        coalesce(p.InsuranceClass, 'UNK'),
        coalesce(p.Ward, '-')

),

encounter_summary_2 as (

    select *
    from encounter_summary
    where (
        case
            when (select n from n) < 1 then cast(1 as int)
            else case
                when exists (select 1 from encounter where TotalCharge < 0)
                    then cast(2 as int)
                else cast(0 as int)
            end
        end
        = 1
    ) is not true

),

final as (

    select
        YearMonth,
        InsuranceClass,
        Ward,
        TotalLengthOfStay,
        TotalTotalCharge,
        EntityCount
    from kept_existing_encounter_summary

    union all

    select
        YearMonth,
        InsuranceClass,
        Ward,
        TotalLengthOfStay,
        TotalTotalCharge,
        cast(EntityCount as int) as EntityCount
    from encounter_summary_2

)

select * from final
