{{
    config(
        materialized='incremental',
        incremental_strategy='append',
    )
}}

with

encounter as (

    select * from {{ source('src', 'Encounter') }}

),

dim_patient as (

    select * from {{ source('rpt', 'DimPatient') }}

),

existing_fact_encounter as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as integer) as EncounterId,
        cast(null as integer) as PatientKey,
        cast(null as integer) as DateKey,
        cast(null as integer) as LengthOfStay,
        cast(null as decimal(18, 2)) as TotalCharge,
        cast(null as varchar) as EncounterStatus,
        cast(null as decimal(29, 13)) as UnitAmount,
        cast(null as timestamp) as LoadedAt
    where false

    {% endif %}

),

etl_checkpoint as (

    select * from {{ source('log', 'EtlCheckpoint') }}

),

max_value as (

    select max(ModifiedAt) as max
    from encounter

),

last_value as (

    select LastDts as last
    from etl_checkpoint
    where EntityName = 'FactEncounter'

),

-- TODO: check with business
new_fact_encounter as (

    select
        t.EncounterId,
        coalesce(d.PatientKey, -1) as PatientKey,
        cast(strftime(t.AdmitDate, '%Y%m%d') as int) as DateKey,
        t.LengthOfStay,
        t.TotalCharge,
        t.EncounterStatus
    from encounter as t
    left join dim_patient as d
        on d.PatientId = t.PatientId
        and d.IsCurrent = 1
    where t.ModifiedAt > coalesce((select last from last_value), cast('1900-01-01' as timestamp))
        and t.ModifiedAt <= (select max from max_value)
        and not exists (
            select 1
            from existing_fact_encounter as f
            where f.EncounterId = t.EncounterId
        )

),

new_fact_encounter_2 as (

    select
        EncounterId,
        PatientKey,
        DateKey,
        LengthOfStay,
        TotalCharge,
        EncounterStatus,
        cast({{ current_timestamp() }} as timestamp) as LoadedAt
    from new_fact_encounter

),

new_fact_encounter_3 as (

    select
        EncounterId,
        PatientKey,
        DateKey,
        LengthOfStay,
        TotalCharge,
        EncounterStatus,
        (
            cast(cast(TotalCharge * 10000000000000 as int128) // nullif(LengthOfStay, 0) as decimal(38, 0))
            * 0.0000000000001
        ) as UnitAmount,
        LoadedAt
    from new_fact_encounter_2

),

final as (

    select
        EncounterId,
        PatientKey,
        DateKey,
        LengthOfStay,
        TotalCharge,
        EncounterStatus,
        cast(UnitAmount as decimal(29, 13)) as UnitAmount,
        LoadedAt
    from new_fact_encounter_3

)

select * from final
