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

numbered_encounter as (

    select
        EncounterId,
        row_number() over (order by EncounterId) as row_place
    from existing_encounter
    where AdmitDate < cast({{ current_timestamp() }} as timestamp) + to_days(cast(-({{ var('usp_encounter_clean_keep_days', 365) }}) as int))

),

first_encounter as (

    select EncounterId
    from numbered_encounter
    where row_place <= 100000

),

kept_encounter as (

    select *
    from existing_encounter
    where (
        AdmitDate < cast({{ current_timestamp() }} as timestamp) + to_days(cast(-({{ var('usp_encounter_clean_keep_days', 365) }}) as int))
        and EncounterId in (select EncounterId from first_encounter)
    ) is not true

),

final as (

    select
        EncounterId,
        PatientId,
        AdmitDate,
        LengthOfStay,
        TotalCharge,
        EncounterStatus,
        ModifiedAt
    from kept_encounter

)

select * from final
