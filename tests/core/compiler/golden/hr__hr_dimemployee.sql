{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='EmployeeSK',
    )
}}

with

existing_dim_employee as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as integer) as EmployeeSK,
        cast(null as integer) as EmpNo,
        cast(null as varchar) as Name,
        cast(null as varchar) as Dept,
        cast(null as varchar) as PrevDept,
        cast(null as decimal(12, 2)) as Salary,
        cast(null as date) as HireDate,
        cast(null as varchar) as AgeBand,
        cast(null as integer) as TenureYears,
        cast(null as date) as DeptChangedOn,
        cast(null as varchar) as CreatedBy,
        cast(null as timestamp) as CreatedOn,
        cast(null as timestamp) as ModifiedOn,
        cast(null as integer) as Checksum_
    where false

    {% endif %}

),

src_employee as (

    select * from {{ source('HR', 'src_Employee') }}

),

src_dept as (

    select * from {{ source('HR', 'src_Dept') }}

),

filtered_src_employee as (

    select
        e.EmpNo,
        e.Name,
        coalesce(d.DeptName, '(none)') as Dept,
        e.Salary,
        e.HireDate,
        case
            when date_diff('year', e.BirthDate, cast({{ current_timestamp() }} as timestamp)) < 30
                then '<30'
            when date_diff('year', e.BirthDate, cast({{ current_timestamp() }} as timestamp))
                between 30
                and 50
                then '30-50'
            when e.BirthDate is null then 'n/a'
            else '>50'
        end as AgeBand,
        date_diff(
            'month',
            e.HireDate,
            coalesce(e.TermDate, cast(cast({{ current_timestamp() }} as timestamp) as date))
        )
        // 12 as TenureYears
    from src_employee as e
    left join src_dept as d on d.DeptCode = e.DeptCode
    where e.EmpNo > 0

),

updated_dim_employee as (

    select
        T.EmployeeSK,
        T.EmpNo,
        S.Name,
        S.Dept,
        case when T.Dept <> S.Dept then T.Dept else T.PrevDept end as PrevDept,
        S.Salary,
        T.HireDate,
        S.AgeBand,
        S.TenureYears,
        case
            when T.Dept <> S.Dept then cast(cast({{ current_timestamp() }} as timestamp) as date)
            else T.DeptChangedOn
        end as DeptChangedOn,
        T.CreatedBy,
        T.CreatedOn,
        cast({{ current_timestamp() }} as timestamp) as ModifiedOn,
        T.Checksum_
    from existing_dim_employee as T
    inner join filtered_src_employee as S on T.EmpNo = S.EmpNo
    where coalesce(T.Dept, '') <> coalesce(S.Dept, '')
        or coalesce(T.Salary, 0) <> coalesce(S.Salary, 0)
        or coalesce(T.Name, '') <> coalesce(S.Name, '')

),

new_dim_employee as (

    select
        S.EmpNo,
        S.Name,
        S.Dept,
        S.Salary,
        S.HireDate,
        S.AgeBand,
        S.TenureYears,
        '{{ var('loaded_by', 'dbo') }}' as CreatedBy,
        cast({{ current_timestamp() }} as timestamp) as CreatedOn
    from filtered_src_employee as S
    where not exists (
        select 1
        from existing_dim_employee as T
        where T.EmpNo = S.EmpNo
    )

),

final as (

    select
        EmployeeSK,
        EmpNo,
        Name,
        Dept,
        PrevDept,
        Salary,
        HireDate,
        AgeBand,
        cast(TenureYears as int) as TenureYears,
        DeptChangedOn,
        CreatedBy,
        CreatedOn,
        ModifiedOn,
        Checksum_
    from updated_dim_employee

    union all

    select
        cast(
            coalesce((select max(EmployeeSK) from existing_dim_employee), 0)
            + row_number() over (
                order by
                    EmpNo nulls first,
                    Name nulls first,
                    Dept nulls first,
                    Salary nulls first,
                    HireDate nulls first,
                    AgeBand,
                    TenureYears nulls first
            )
            as int
        ) as EmployeeSK,
        EmpNo,
        Name,
        Dept,
        cast(null as text) as PrevDept,
        Salary,
        HireDate,
        AgeBand,
        cast(TenureYears as int) as TenureYears,
        cast(null as date) as DeptChangedOn,
        CreatedBy,
        CreatedOn,
        cast(null as timestamp) as ModifiedOn,
        cast(null as int) as Checksum_
    from new_dim_employee

)

select * from final
