{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='ClassCode',
    )
}}

with

existing_insurance_class_lkp as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as varchar) as ClassCode,
        cast(null as varchar) as ClassText
    where false

    {% endif %}

),

patient as (

    select * from {{ source('src', 'Patient') }}

),

cls_rows as (

    select
        InsuranceClass as loop_class,
        arg_min(Ward, lower(Ward)) as loop_ward
    from patient
    where InsuranceClass is not null
        and InsuranceClass <> ''
    group by InsuranceClass

),

prepared_cls_rows as (

    select
        loop_class as ClassCode,
        coalesce(loop_ward, '?') as Ward,
        loop_class,
        loop_ward
    from cls_rows

),

updated_insurance_class_lkp as (

    select
        tgt.ClassCode,
        s.Ward || ' ('
        || case
            when length(
                cast(
                    (
                        select
                            count(*)
                        from patient
                        where Patient.InsuranceClass = s.loop_class
                    )
                    as text
                )
            )
            > 10
                then error('Arithmetic overflow')
            else cast(
                (
                    select
                        count(*)
                    from patient
                    where Patient.InsuranceClass = s.loop_class
                )
                as text
            )
        end
        || ')' as ClassText
    from existing_insurance_class_lkp as tgt
    inner join prepared_cls_rows as s on tgt.ClassCode = s.ClassCode

),

new_insurance_class_lkp as (

    select
        s.ClassCode,
        s.Ward as ClassText
    from prepared_cls_rows as s
    where not exists (
        select 1
        from existing_insurance_class_lkp as tgt
        where tgt.ClassCode = s.ClassCode
    )

),

final as (

    select *
    from updated_insurance_class_lkp

    union all

    select *
    from new_insurance_class_lkp

)

select * from final
