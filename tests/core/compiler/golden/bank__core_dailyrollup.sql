{{ config(materialized='table') }}

with

txn as (

    select * from {{ source('core', 'Txn') }}

),

daily_rollup as (

    select
        year(TxnDate) as Yr,
        month(TxnDate) as Mn,
        case when grouping(Ccy) = 1 then '(all)' else Ccy end as Ccy,
        sum(Amount) as Amt,
        grouping(year(TxnDate)) + grouping(month(TxnDate)) + grouping(Ccy) as Lvl
    from txn
    where TxnDate is not null
    group by rollup (year(TxnDate), month(TxnDate), Ccy)

),

final as (

    select
        cast(Yr as int) as Yr,
        cast(Mn as int) as Mn,
        Ccy,
        Amt,
        cast(Lvl as int) as Lvl
    from daily_rollup

)

select * from final
