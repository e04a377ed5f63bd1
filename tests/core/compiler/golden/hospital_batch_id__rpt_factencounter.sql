{{ config(materialized='table') }}

with

encounter as (

    select * from {{ source('src', 'Encounter') }}

),

dim_patient as (

    select * from {{ source('rpt', 'DimPatient') }}

),

fact_encounter as (

    select
        e.EncounterId,
        coalesce(p.PatientKey, -1) as PatientKey,
        year(e.AdmitDate) * 10000 + month(e.AdmitDate) * 100 + day(e.AdmitDate) as DateKey,
        e.LengthOfStay,
        e.TotalCharge,
        e.EncounterStatus
    from encounter as e
    left join dim_patient as p
        on p.PatientId = e.PatientId
        and p.IsCurrent = 1
        and p.PatientKey > 0

),

fact_encounter_2 as (

    select
        EncounterId,
        PatientKey,
        DateKey,
        LengthOfStay,
        TotalCharge,
        EncounterStatus,
        cast({{ current_timestamp() }} as timestamp) as LoadedAt
    from fact_encounter

),

final as (

    select
        EncounterId,
        PatientKey,
        cast(DateKey as int) as DateKey,
        LengthOfStay,
        TotalCharge,
        EncounterStatus,
        cast(
            (
                cast(TotalCharge * 10000000000000 as int128) // nullif(LengthOfStay, 0)
                * 0.0000000000001
            )
            as decimal(29, 13)
        ) as UnitAmount,
        LoadedAt
    from fact_encounter_2

)

select * from final
