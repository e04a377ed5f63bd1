{{ config(materialized='table') }}

with

enrollment as (

    select * from {{ source('sis', 'Enrollment') }}

),

final as (

    select distinct
        StudentNo,
        CourseCode,
        Term
    from enrollment

)

select * from final
