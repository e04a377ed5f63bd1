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

existing_fact_usage as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as bigint) as UsageKey,
        cast(null as integer) as SubscriberKey,
        cast(null as integer) as DateKey,
        cast(null as varchar) as CellCode,
        cast(null as decimal(12, 2)) as Minutes,
        cast(null as decimal(18, 4)) as MB,
        cast(null as decimal(19, 4)) as Charge,
        cast(null as integer) as LoadId
    where false

    {% endif %}

),

cdr as (

    select * from {{ source('stg', 'CDR') }}

),

dim_subscriber as (

    select * from {{ source('dw', 'DimSubscriber') }}

),

kept_fact_usage as (

    select *
    from existing_fact_usage
    where (
        DateKey
            between cast(
                strftime(
                    cast('{{ var('usp_loadfactusage_fromdate') }}' as date),
                    '%Y%m%d'
                )
                as int
            )
            and cast(strftime(cast('{{ var('usp_loadfactusage_todate') }}' as date), '%Y%m%d') as int)
    ) is not true

),

calls as (

    select
        MSISDN,
        cast(CallStart as date) as d,
        upper(coalesce(nullif(ltrim(rtrim(CellCode)), ''), 'N/A')) as CellCode,
        date_diff('second', CallStart, coalesce(CallEnd, CallStart)) as Secs,
        coalesce(Bytes, 0) as Bytes,
        coalesce(Rate, 0) as Rate
    from cdr
    where CallStart >= cast('{{ var('usp_loadfactusage_fromdate') }}' as date)
        and CallStart
        < cast(cast('{{ var('usp_loadfactusage_todate') }}' as date) + interval '1' day as date)

),

agg as (

    select
        MSISDN,
        d,
        CellCode,
        cast(cast(sum(Secs) as int) as int128) * 1000000 // 60 * 0.000001 as Minutes,
        cast(cast(sum(Bytes) as bigint) as int128) * 1000000000 // 1048576 * 0.000000001 as MB,
        sum(cast(Secs as int128) * 1000000 // 60 * 0.000001 * Rate) as Charge
    from calls
    group by MSISDN, d, CellCode

),

new_fact_usage as (

    select
        coalesce(s.SubscriberKey, -1) as SubscriberKey,
        year(a.d) * 10000 + month(a.d) * 100 + day(a.d) as DateKey,
        a.CellCode,
        round(a.Minutes, 2) as Minutes,
        a.MB,
        a.Charge,
        {{ var('usp_loadfactusage_loadid', 0) }} as LoadId
    from agg as a
    left join dim_subscriber as s
        on s.MSISDN = a.MSISDN
        and a.d >= s.ValidFrom
        and a.d <= coalesce(s.ValidTo, cast('9999-12-31' as date))

),

final as (

    select
        UsageKey,
        SubscriberKey,
        DateKey,
        CellCode,
        Minutes,
        MB,
        Charge,
        LoadId
    from kept_fact_usage

    union all

    select
        coalesce((select max(UsageKey) from existing_fact_usage), 0)
        + row_number() over (
            order by
                SubscriberKey nulls first,
                DateKey nulls first,
                CellCode nulls first,
                Minutes nulls first,
                MB nulls first,
                Charge nulls first
        ) as UsageKey,
        SubscriberKey,
        cast(DateKey as int) as DateKey,
        CellCode,
        cast(Minutes as decimal(12, 2)) as Minutes,
        cast(MB as decimal(18, 4)) as MB,
        cast(Charge as decimal(19, 4)) as Charge,
        LoadId
    from new_fact_usage

)

select * from final
