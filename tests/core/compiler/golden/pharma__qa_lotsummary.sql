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

existing_lot_summary as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as varchar) as LotNo,
        cast(null as varchar) as ProductCode,
        cast(null as integer) as Samples,
        cast(null as integer) as Fails,
        cast(null as decimal(7, 4)) as PassRate,
        cast(null as decimal(12, 4)) as MinVal,
        cast(null as decimal(12, 4)) as MaxVal,
        cast(null as double) as StdDev,
        cast(null as timestamp) as FirstCollected,
        cast(null as varchar) as Status,
        cast(null as varchar) as Analysts
    where false

    {% endif %}

),

sample as (

    select * from {{ source('lims', 'Sample') }}

),

result_fact as (

    select * from {{ source('qa', 'ResultFact') }}

),

result as (

    select * from {{ source('lims', 'Result') }}

),

lots as (

    select
        s.LotNo,
        arg_max(s.ProductCode, lower(s.ProductCode)) as ProductCode,
        count(distinct s.SampleId) as Samples,
        cast(sum(case when rtrim(f.InSpec) = 'No' then 1 else 0 end) as int) as Fails,
        count(f.SampleId) as Results,
        min(f.ResultNum) as MinVal,
        max(f.ResultNum) as MaxVal,
        stddev_samp(cast(f.ResultNum as double)) as sd,
        min(s.Collected) as FirstCollected
    from sample as s
    left join result_fact as f on f.SampleId = s.SampleId
    where s.LotNo is not null
    group by s.LotNo

),

kept_lot_summary as (

    select *
    from existing_lot_summary
    where (LotNo in (select LotNo from lots)) is not true

),

new_lot_summary as (

    select
        l.LotNo,
        l.ProductCode,
        l.Samples,
        l.Fails,
        1
        - cast(cast(l.Fails as decimal(9, 4)) * 1000000000000000 as int128) // nullif(l.Results, 0)
        * 0.000000000000001 as PassRate,
        l.MinVal,
        l.MaxVal,
        l.sd as StdDev,
        l.FirstCollected,
        case
            when l.Results = 0 then 'PENDING'
            when l.Fails > 0 then 'REJECT'
            else 'RELEASE'
        end as Status,
        (
            select
                string_agg(distinct r.Analyst, ',' order by r.Analyst)
            from result as r
            inner join sample as s2 on s2.SampleId = r.SampleId
            where s2.LotNo = l.LotNo
        ) as Analysts
    from lots as l

),

final as (

    select
        LotNo,
        ProductCode,
        Samples,
        Fails,
        PassRate,
        MinVal,
        MaxVal,
        StdDev,
        FirstCollected,
        Status,
        Analysts
    from kept_lot_summary

    union all

    select
        LotNo,
        ProductCode,
        cast(Samples as int) as Samples,
        Fails,
        cast(PassRate as decimal(7, 4)) as PassRate,
        MinVal,
        MaxVal,
        StdDev,
        FirstCollected,
        Status,
        Analysts
    from new_lot_summary

)

select * from final
