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

new_dim_patient as (

    select
        -1 as PatientKey,
        0 as PatientId,
        'Unknown' as FullName,
        'UNK' as InsuranceClass,
        'n/a' as Ward,
        null as DepositAmt,
        cast('1900-01-01' as timestamp) as ValidFrom,
        null as ValidTo,
        cast(1 as utinyint) as IsCurrent

),

updated_dim_patient as (

    select
        PatientKey,
        PatientId,
        'Unknown' as FullName,
        'UNK' as InsuranceClass,
        Ward,
        DepositAmt,
        ValidFrom,
        ValidTo,
        IsCurrent
    from existing_dim_patient
    where PatientKey = -1
        and exists(select 1 from existing_dim_patient where PatientKey = -1)

),

final as (

    select
        PatientKey,
        PatientId,
        FullName,
        InsuranceClass,
        Ward,
        cast(DepositAmt as decimal(18, 2)) as DepositAmt,
        ValidFrom,
        cast(ValidTo as timestamp) as ValidTo,
        IsCurrent
    from new_dim_patient
    where not exists(select 1 from existing_dim_patient where PatientKey = -1)

    union all

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

)

select * from final
