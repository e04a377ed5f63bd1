{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='EncounterId',
    )
}}

with

existing_encounter as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as integer) as EncounterId,
        cast(null as integer) as PatientId,
        cast(null as timestamp) as AdmitDate,
        cast(null as integer) as LengthOfStay,
        cast(null as decimal(18, 2)) as TotalCharge,
        cast(null as varchar) as EncounterStatus,
        cast(null as timestamp) as ModifiedAt
    where false

    {% endif %}

),

old_values as (

    select
        EncounterStatus as old,
        TotalCharge as amt
    from existing_encounter
    where EncounterId = {{ var('usp_encounter_close_id') }}

),

final as (

    select
        EncounterId,
        PatientId,
        AdmitDate,
        LengthOfStay,
        TotalCharge,
        '{{ var('usp_encounter_close_newstatus', 'DISCHARGED') }}' as EncounterStatus,
        cast({{ current_timestamp() }} as timestamp) as ModifiedAt
    from existing_encounter
    where EncounterId = {{ var('usp_encounter_close_id') }}
        and ((select old from old_values) = '{{ var('usp_encounter_close_newstatus', 'DISCHARGED') }}') is not true
        and (select old from old_values) is not null

)

select * from final
