{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='PatientKey',
    )
}}

with

existing_dim_patient as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as integer) as PatientKey,
        cast(null as integer) as PatientId,
        cast(null as varchar) as FullName,
        cast(null as varchar) as InsuranceClass,
        cast(null as varchar) as Ward,
        cast(null as decimal(18, 2)) as DepositAmt,
        cast(null as timestamp) as ValidFrom,
        cast(null as timestamp) as ValidTo,
        cast(null as utinyint) as IsCurrent
    where false

    {% endif %}

),

patient as (

    select * from {{ source('src', 'Patient') }}

),

updated_dim_patient as (

    select
        tgt.PatientKey,
        tgt.PatientId,
        src.FullName,
        src.InsuranceClass,
        src.Ward,
        src.DepositAmt,
        tgt.ValidFrom,
        tgt.ValidTo,
        tgt.IsCurrent
    from existing_dim_patient as tgt
    inner join patient as src on tgt.PatientId = src.PatientId
    where tgt.IsCurrent = 1

),

unchanged_dim_patient as (

    select *
    from existing_dim_patient
    where PatientKey not in (select PatientKey from updated_dim_patient)

),

current_dim_patient as (

    select *
    from updated_dim_patient

    union all

    select *
    from unchanged_dim_patient

),

new_dim_patient as (

    select
        PatientId,
        FullName,
        InsuranceClass,
        Ward,
        DepositAmt
    from patient
    where PatientId not in (select PatientId from current_dim_patient)

),

final as (

    select
        PatientKey,
        PatientId,
        FullName,
        InsuranceClass,
        Ward,
        DepositAmt,
        ValidFrom,
        ValidTo,
        IsCurrent
    from updated_dim_patient

    union all

    select
        cast(
            coalesce((select max(PatientKey) from existing_dim_patient), 0)
            + row_number() over (order by PatientId)
            as int
        ) as PatientKey,
        PatientId,
        FullName,
        InsuranceClass,
        Ward,
        DepositAmt,
        cast('1900-01-01' as timestamp) as ValidFrom,
        cast(null as timestamp) as ValidTo,
        cast(1 as utinyint) as IsCurrent
    from new_dim_patient

)

select * from final
