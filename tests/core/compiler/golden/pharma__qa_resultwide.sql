{{ config(materialized='table') }}

with

result_fact as (

    select * from {{ source('qa', 'ResultFact') }}

),

prepared_result_fact as (

    select
        ResultKey,
        SampleId,
        TestCode,
        ResultNum
    from result_fact

),

pv as (

    select
        ResultKey,
        SampleId,
        max(case when TestCode = 'PH' then ResultNum end) as PH,
        max(case when TestCode = 'ASSAY' then ResultNum end) as ASSAY,
        max(case when TestCode = 'WATER' then ResultNum end) as WATER
    from prepared_result_fact
    group by ResultKey, SampleId

),

final as (

    select
        SampleId,
        max(PH) as PH,
        max(ASSAY) as ASSAY,
        max(WATER) as WATER
    from pv
    group by SampleId

)

select * from final
