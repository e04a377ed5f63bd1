{{
    config(
        materialized='incremental',
        incremental_strategy='append',
    )
}}

with

insurance_class_lkp as (

    select * from {{ source('rpt', 'InsuranceClassLkp') }}

),

patient as (

    select * from {{ source('src', 'Patient') }}

),

existing_etl_run as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as integer) as LogId,
        cast(null as varchar) as ProcName,
        cast(null as integer) as RecordCount,
        cast(null as varchar) as RunStatus,
        cast(null as varchar) as ErrorText
    where false

    {% endif %}

),

codes as (

    select distinct upper(ltrim(rtrim(InsuranceClass))) as code
    from patient
    where InsuranceClass is not null
        and length(rtrim(InsuranceClass)) > 0

),

merge_output as (

    select
        'UPDATE' as column_1,
        coalesce(t.ClassCode, t.ClassCode) as column_2
    from insurance_class_lkp as t
    inner join codes as c on lower(rtrim(t.ClassCode)) = lower(rtrim(c.code))
    where t.ClassText is null

    union all

    select
        'INSERT' as column_1,
        coalesce(c.code, cast(null as text)) as column_2
    from codes as c
    where not exists (
        select 1
        from insurance_class_lkp as t
        where lower(rtrim(t.ClassCode)) = lower(rtrim(c.code))
    )

),

output_rows as (

    select
        column_1 as act,
        column_2 as code
    from merge_output

),

ins_values as (

    select
        cast(sum(case when act = 'INSERT' then 1 else 0 end) as int) as ins,
        cast(sum(case when act = 'UPDATE' then 1 else 0 end) as int) as upd
    from output_rows

),

-- TODO: check with business
new_etl_run as (

    select
        'usp_InsuranceClassLkp_Merge' as ProcName,
        coalesce((select ins from ins_values), 0) + coalesce((select upd from ins_values), 0) as RecordCount,
        'OK' as RunStatus,
        concat(
            'ins=',
            cast((select ins from ins_values) as text),
            ' upd=',
            cast((select upd from ins_values) as text)
        ) as ErrorText

),

final as (

    select
        cast(
            coalesce((select max(LogId) from existing_etl_run), 0)
            + row_number() over (order by RecordCount nulls first, ErrorText)
            as int
        ) as LogId,
        ProcName,
        cast({{ current_timestamp() }} as timestamp) as BeginDts,
        cast(null as timestamp) as EndDts,
        RecordCount,
        RunStatus,
        ErrorText
    from new_etl_run

)

select * from final
