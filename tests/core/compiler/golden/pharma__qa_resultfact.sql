{{ config(materialized='table') }}

with

result as (

    select * from {{ source('lims', 'Result') }}

),

sample as (

    select * from {{ source('lims', 'Sample') }}

),

spec as (

    select * from {{ source('lims', 'Spec') }}

),

parameters as (

    select coalesce(cast(nullif('{{ var('load_resultfact_asof', '') }}', '') as timestamp), cast({{ current_timestamp() }} as timestamp)) as "asof"

),

ranked_result as (

    select
        *,
        row_number() over (
            partition by SampleId, TestCode
            order by ResultTs desc, ResultText collate nocase nulls first
        ) as rn
    from result
    where ResultTs <= (select "asof" from parameters)

),

filtered_ranked_result as (

    select
        SampleId,
        TestCode,
        ResultText,
        ResultTs,
        Analyst
    from ranked_result
    where rn = 1

),

t as (

    select
        l.SampleId,
        l.TestCode,
        case
            when regexp_full_match(
                replace(replace(replace(l.ResultText, '<', ''), '>', ''), ',', '.'),
                '\s*[+-]?(\d+\.?\d*|\.\d+)\s*'
            )
                then try_cast(replace(replace(replace(l.ResultText, '<', ''), '>', ''), ',', '.') as decimal(12, 4))
        end as num,
        sp.LowLimit as lo,
        sp.HighLimit as hi,
        l.ResultTs as ts
    from filtered_ranked_result as l
    inner join sample as s on s.SampleId = l.SampleId
    left join spec as sp
        on sp.ProductCode = s.ProductCode
        and sp.TestCode = l.TestCode

),

kept_t as (

    select *
    from t
    where num is not null

),

result_fact as (

    select
        row_number() over (order by SampleId nulls first, TestCode collate nocase nulls first) as ResultKey,
        SampleId,
        TestCode,
        num as ResultNum,
        case when num between coalesce(lo, num) and coalesce(hi, num) then 'Yes' else 'No' end as InSpec,
        case
            when num < lo then num - lo
            when num > hi then num - hi
            else 0
        end as Deviation,
        cast(strftime(ts, '%Y%m%d') as int) as ResultDateKey,
        rank() over (partition by SampleId order by ts nulls first) as Seq
    from kept_t

),

final as (

    select
        cast(ResultKey as int) as ResultKey,
        SampleId,
        TestCode,
        ResultNum,
        InSpec,
        cast(Deviation as decimal(12, 4)) as Deviation,
        ResultDateKey,
        cast(Seq as int) as Seq
    from result_fact

)

select * from final
