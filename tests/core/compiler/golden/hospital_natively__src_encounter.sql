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

updated_encounter as (

    select
        EncounterId,
        PatientId,
        AdmitDate,
        LengthOfStay,
        TotalCharge + cast({{ var('usp_addcharge_amt') }} as decimal(18, 2)) as TotalCharge,
        EncounterStatus,
        ModifiedAt
    from existing_encounter
    where EncounterId = {{ var('usp_addcharge_id') }}

),

final as (

    select
        EncounterId,
        PatientId,
        AdmitDate,
        LengthOfStay,
        cast(TotalCharge as decimal(18, 2)) as TotalCharge,
        EncounterStatus,
        ModifiedAt
    from updated_encounter

)

select * from final
