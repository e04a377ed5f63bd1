{{ config(materialized='table') }}

with recursive

src_employee as (

    select * from {{ source('HR', 'src_Employee') }}

),

tree as (

    select
        EmpNo,
        ManagerNo,
        0 as Lvl,
        '/' || cast(EmpNo as text) as Path,
        EmpNo as TopManager
    from src_employee
    where ManagerNo is null

    union all

    select
        e.EmpNo,
        e.ManagerNo,
        t.Lvl + 1,
        left(t.Path || '/' || cast(e.EmpNo as text), 900),
        t.TopManager
    from src_employee as e
    inner join tree as t on t.EmpNo = e.ManagerNo
    where t.Lvl < 10

),

final as (

    select
        EmpNo,
        ManagerNo,
        Lvl,
        Path,
        TopManager
    from tree

)

select * from final
