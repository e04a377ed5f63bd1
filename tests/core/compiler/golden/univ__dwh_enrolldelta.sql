{{ config(materialized='table') }}

with

enrollment as (

    select * from {{ source('sis', 'Enrollment') }}

),

enroll_prev as (

    select * from {{ source('dwh', 'EnrollPrev') }}

),

prepared_enrollment as (

    select
        StudentNo,
        CourseCode,
        Term
    from enrollment

    except

    select
        StudentNo,
        CourseCode,
        Term
    from enroll_prev

),

prepared_enroll_prev as (

    select
        StudentNo,
        CourseCode,
        Term
    from enroll_prev

    except

    select
        StudentNo,
        CourseCode,
        Term
    from enrollment

),

enroll_delta as (

    select
        StudentNo,
        CourseCode,
        Term,
        'ADD' as Change
    from prepared_enrollment

    union all

    select
        StudentNo,
        CourseCode,
        Term,
        'DROP'
    from prepared_enroll_prev

),

final as (

    select
        StudentNo,
        CourseCode,
        Term,
        Change
    from enroll_delta

)

select * from final
