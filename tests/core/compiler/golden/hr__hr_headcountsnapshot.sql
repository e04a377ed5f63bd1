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

existing_headcount_snapshot as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as date) as SnapshotDate,
        cast(null as varchar) as DeptCode,
        cast(null as integer) as Headcount,
        cast(null as integer) as Leavers,
        cast(null as decimal(12, 2)) as AvgSalary,
        cast(null as decimal(9, 4)) as PctOfTotal,
        cast(null as integer) as RankBySize
    where false

    {% endif %}

),

src_employee as (

    select * from {{ source('HR', 'src_Employee') }}

),

parameters as (

    select
        coalesce(
            cast(nullif('{{ var('loadheadcountsnapshot_snapshotdate', '') }}', '') as date),
            last_day(cast({{ current_timestamp() }} as timestamp) + interval '-1' month)
        ) as snapshot_date

),

kept_headcount_snapshot as (

    select *
    from existing_headcount_snapshot
    where (SnapshotDate = (select snapshot_date from parameters)) is not true

),

src_employee_totals as (

    select
        coalesce(DeptCode, '?') as DeptCode,
        cast(
            sum(
                case
                    when TermDate is null or TermDate > (select snapshot_date from parameters)
                        then 1
                    else 0
                end
            )
            as int
        ) as hc,
        cast(
            sum(
                case
                    when TermDate
                        between make_date(
                            year((select snapshot_date from parameters)),
                            month((select snapshot_date from parameters)),
                            1
                        )
                        and (select snapshot_date from parameters)
                        then 1
                    else 0
                end
            )
            as int
        ) as leavers,
        cast(sum(Salary) * 100 as int128) * 10000 // count(Salary) * 0.000001 as avgsal
    from src_employee
    where HireDate <= (select snapshot_date from parameters)
    group by coalesce(DeptCode, '?')

),

new_headcount_snapshot as (

    select
        (select snapshot_date from parameters) as SnapshotDate,
        DeptCode,
        hc as Headcount,
        leavers as Leavers,
        avgsal as AvgSalary,
        cast(cast(hc as decimal(18, 4)) * 1000000000000000 as int128)
        // nullif(cast(sum(hc) over () as int), 0)
        * 0.000000000000001 as PctOfTotal,
        dense_rank() over (order by hc desc) as RankBySize
    from src_employee_totals

),

final as (

    select
        SnapshotDate,
        DeptCode,
        Headcount,
        Leavers,
        AvgSalary,
        PctOfTotal,
        RankBySize
    from kept_headcount_snapshot

    union all

    select
        SnapshotDate,
        DeptCode,
        Headcount,
        Leavers,
        cast(AvgSalary as decimal(12, 2)) as AvgSalary,
        cast(PctOfTotal as decimal(9, 4)) as PctOfTotal,
        cast(RankBySize as int) as RankBySize
    from new_headcount_snapshot

)

select * from final
