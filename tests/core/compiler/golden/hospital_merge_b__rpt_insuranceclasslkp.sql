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

codes as (

    select distinct upper(ltrim(rtrim(InsuranceClass))) as code
    from patient
    where InsuranceClass is not null
        and length(rtrim(InsuranceClass)) > 0

),

updated_insurance_class_lkp as (

    select
        t.ClassCode,
        c.code as ClassText
    from existing_insurance_class_lkp as t
    inner join codes as c on lower(rtrim(t.ClassCode)) = lower(rtrim(c.code))
    where t.ClassText is null

),

kept_insurance_class_lkp as (

    select *
    from updated_insurance_class_lkp as r
    where exists (
            select 1
            from patient as s
            where lower(rtrim(s.InsuranceClass)) = lower(rtrim(r.ClassCode))
        )
        or ({{ var('usp_insuranceclasslkp_merge_delete_missing', 0) }} = 1) is not true

),

unchanged_insurance_class_lkp as (

    select *
    from existing_insurance_class_lkp
    where lower(rtrim(ClassCode)) not in (
        select
            lower(rtrim(ClassCode))
        from updated_insurance_class_lkp
    )

),

kept_insurance_class_lkp_2 as (

    select *
    from unchanged_insurance_class_lkp as r
    where exists (
            select 1
            from patient as s
            where lower(rtrim(s.InsuranceClass)) = lower(rtrim(r.ClassCode))
        )
        or ({{ var('usp_insuranceclasslkp_merge_delete_missing', 0) }} = 1) is not true

),

new_insurance_class_lkp as (

    select
        c.code as ClassCode,
        c.code || ' (new)' as ClassText
    from codes as c
    where not exists (
        select 1
        from existing_insurance_class_lkp as t
        where lower(rtrim(t.ClassCode)) = lower(rtrim(c.code))
    )

),

kept_insurance_class_lkp_3 as (

    select *
    from new_insurance_class_lkp as r
    where exists (
            select 1
            from patient as s
            where lower(rtrim(s.InsuranceClass)) = lower(rtrim(r.ClassCode))
        )
        or ({{ var('usp_insuranceclasslkp_merge_delete_missing', 0) }} = 1) is not true

),

final as (

    select
        ClassCode,
        ClassText
    from kept_insurance_class_lkp

    union all

    select
        ClassCode,
        ClassText
    from kept_insurance_class_lkp_2

    union all

    select
        ClassCode,
        ClassText
    from kept_insurance_class_lkp_3

)

select * from final
