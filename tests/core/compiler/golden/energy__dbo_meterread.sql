{{ config(materialized='table') }}

with

meter_read_raw as (

    select * from {{ source('dbo', 'MeterReadRaw') }}

),

meter as (

    select * from {{ source('dbo', 'Meter') }}

),

ranked as (

    select
        m.MeterId,
        cast(r.ReadTs as date) as ReadDate,
        r.Reading * m.Multiplier as Reading,
        r.Quality,
        row_number() over (partition by m.MeterId, cast(r.ReadTs as date) order by r.ReadTs desc) as rn
    from meter_read_raw as r
    inner join meter as m on m.MeterNo = r.MeterNo
    where r.Reading is not null
        and r.Quality <> 'BAD'

),

meter_read as (

    select
        MeterId,
        ReadDate,
        Reading,
        Reading - lag(Reading, 1, Reading) over (partition by MeterId order by ReadDate nulls first) as Consumption,
        sum(Reading) over (
            partition by MeterId
            order by ReadDate nulls first
            rows between unbounded preceding and current row
        ) as RunningTotal,
        avg(Reading) over (
            partition by MeterId
            order by ReadDate nulls first
            rows between 6 preceding and current row
        ) as Avg7,
        lag(ReadDate) over (partition by MeterId order by ReadDate nulls first) as PrevReadDate,
        lead(ReadDate) over (partition by MeterId order by ReadDate nulls first) as NextReadDate,
        date_diff(
            'day',
            lag(ReadDate) over (partition by MeterId order by ReadDate nulls first),
            ReadDate
        ) as DaysGap,
        case Quality when 'EST' then 1 else 0 end as IsEstimated
    from ranked
    where rn = 1

),

final as (

    select
        MeterId,
        ReadDate,
        cast(Reading as decimal(18, 3)) as Reading,
        cast(Consumption as decimal(18, 3)) as Consumption,
        cast(RunningTotal as decimal(18, 3)) as RunningTotal,
        cast(Avg7 as decimal(18, 3)) as Avg7,
        PrevReadDate,
        NextReadDate,
        cast(DaysGap as int) as DaysGap,
        cast(IsEstimated <> 0 as utinyint) as IsEstimated
    from meter_read

)

select * from final
