{{ config(materialized='table') }}

with

patient as (

    select * from {{ source('src', 'Patient') }}

),

dim_patient as (

    select
        PatientId,
        FullName,
        InsuranceClass,
        Ward,
        DepositAmt
    from patient

),

final as (

    select
        cast(row_number() over (order by PatientId) as int) as PatientKey,
        PatientId,
        FullName,
        InsuranceClass,
        Ward,
        DepositAmt,
        cast('1900-01-01' as timestamp) as ValidFrom,
        cast(null as timestamp) as ValidTo,
        cast(1 as utinyint) as IsCurrent
    from dim_patient

)

select * from final
