{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='LogId',
    )
}}

with

existing_etl_run as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as integer) as LogId,
        cast(null as varchar) as ProcName,
        cast(null as timestamp) as BeginDts,
        cast(null as timestamp) as EndDts,
        cast(null as integer) as RecordCount,
        cast(null as varchar) as RunStatus,
        cast(null as varchar) as ErrorText
    where false

    {% endif %}

),

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

fact_encounter_3 as (

    select
        EncounterId,
        PatientKey,
        DateKey,
        LengthOfStay,
        TotalCharge,
        EncounterStatus,
        (cast(TotalCharge * 10000000000000 as int128) // nullif(LengthOfStay, 0) * 0.0000000000001) as UnitAmount,
        LoadedAt
    from fact_encounter_2

),

rows as (

    select count(*) as rows
    from fact_encounter_3

),

new_etl_run as (

    select
        'FactEncounter' as ProcName,
        'RUNNING' as RunStatus

),

new_etl_run_2 as (

    select
        cast(coalesce((select max(LogId) from existing_etl_run), 0) + row_number() over () as int) as LogId,
        ProcName,
        cast({{ current_timestamp() }} as timestamp) as BeginDts,
        cast(null as timestamp) as EndDts,
        cast(null as int) as RecordCount,
        RunStatus,
        cast(null as text) as ErrorText
    from new_etl_run

),

runid as (

    select max(LogId) as runid
    from new_etl_run_2

),

updated_etl_run as (

    select
        LogId,
        ProcName,
        BeginDts,
        cast({{ current_timestamp() }} as timestamp) as EndDts,
        (select rows from rows) as RecordCount,
        'OK' as RunStatus,
        ErrorText
    from existing_etl_run
    where LogId = cast(trunc(cast((select runid from runid) as decimal(38, 0))) as int)

),

corrected_etl_run as (

    select
        LogId,
        ProcName,
        BeginDts,
        case
            when LogId = cast(trunc(cast((select runid from runid) as decimal(38, 0))) as int)
                then cast({{ current_timestamp() }} as timestamp)
            else EndDts
        end as EndDts,
        case
            when LogId = cast(trunc(cast((select runid from runid) as decimal(38, 0))) as int)
                then (select rows from rows)
            else RecordCount
        end as RecordCount,
        case
            when LogId = cast(trunc(cast((select runid from runid) as decimal(38, 0))) as int)
                then 'OK'
            else RunStatus
        end as RunStatus,
        ErrorText
    from new_etl_run_2

),

final as (

    select
        LogId,
        ProcName,
        BeginDts,
        EndDts,
        cast(RecordCount as int) as RecordCount,
        RunStatus,
        ErrorText
    from updated_etl_run

    union all

    select
        LogId,
        ProcName,
        BeginDts,
        EndDts,
        cast(RecordCount as int) as RecordCount,
        RunStatus,
        ErrorText
    from corrected_etl_run

)

select * from final
