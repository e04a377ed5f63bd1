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

existing_monthly_bill as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as integer) as CustomerId,
        cast(null as varchar) as BillMonth,
        cast(null as decimal(18, 3)) as KWh,
        cast(null as decimal(18, 3)) as Peak,
        cast(null as decimal(18, 3)) as OffPeak,
        cast(null as decimal(19, 4)) as Amount,
        cast(null as varchar) as BillText
    where false

    {% endif %}

),

meter as (

    select * from {{ source('dbo', 'Meter') }}

),

meter_read as (

    select * from {{ source('dbo', 'MeterRead') }}

),

tariff as (

    select * from {{ source('dbo', 'Tariff') }}

),

parameters as (

    select
        rpad(
            strftime(
                make_date({{ var('sp_bill_month_year') }}, {{ var('sp_bill_month_month') }}, 1),
                '%Y-%m-%d'
            ),
            7,
            ' '
        ) as label,
        make_date({{ var('sp_bill_month_year') }}, {{ var('sp_bill_month_month') }}, 1) as start

),

kept_monthly_bill as (

    select *
    from existing_monthly_bill as b
    where not exists (
        select 1
        from meter as m
        where m.CustomerId = b.CustomerId
            and b.BillMonth = (select label from parameters)
    )

),

new_monthly_bill as (

    select
        m.CustomerId,
        (select label from parameters) as BillMonth,
        sum(r.Consumption) as KWh,
        sum(case when dayofweek(r.ReadDate) + 1 in (1, 7) then 0 else r.Consumption end) as Peak,
        sum(case when dayname(r.ReadDate) in ('Saturday', 'Sunday') then r.Consumption else 0 end) as OffPeak,
        sum(r.Consumption * t.Rate) as Amount,
        'Bill for ' || monthname((select start from parameters)) || ' '
        || case
            when length(cast({{ var('sp_bill_month_year') }} as text)) > 4 then '*'
            else cast({{ var('sp_bill_month_year') }} as text)
        end as BillText
    from meter_read as r
    inner join meter as m on m.MeterId = r.MeterId
    cross join lateral (
        select tt.Rate
        from tariff as tt
        where tt.EffFrom <= r.ReadDate
            and (tt.EffTo is null or tt.EffTo >= r.ReadDate)
        order by tt.EffFrom desc
        limit 1
    ) as t
    where r.ReadDate
        between (select start from parameters)
        and last_day((select start from parameters))
        and m.CustomerId is not null
    group by m.CustomerId

),

final as (

    select
        CustomerId,
        BillMonth,
        KWh,
        Peak,
        OffPeak,
        Amount,
        BillText
    from kept_monthly_bill

    union all

    select
        CustomerId,
        BillMonth,
        cast(KWh as decimal(18, 3)) as KWh,
        cast(Peak as decimal(18, 3)) as Peak,
        cast(OffPeak as decimal(18, 3)) as OffPeak,
        cast(Amount as decimal(19, 4)) as Amount,
        BillText
    from new_monthly_bill

)

select * from final
