{{
    config(
        materialized='incremental',
        incremental_strategy='append',
    )
}}

with

txn as (

    select * from {{ source('raw', 'Txn') }}

),

fx_rate as (

    select * from {{ source('raw', 'FxRate') }}

),

existing_txn as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as bigint) as TxnSk,
        cast(null as varchar) as TxnId,
        cast(null as varchar) as AcctNo,
        cast(null as date) as TxnDate,
        cast(null as decimal(18, 2)) as Amount,
        cast(null as decimal(18, 2)) as AmountUsd,
        cast(null as varchar) as Ccy,
        cast(null as varchar) as Category,
        cast(null as integer) as BatchId
    where false

    {% endif %}

),

clean as (

    select
        TxnId,
        AcctNo,
        case
            when trim(TxnDate) = '' then cast('1900-01-01' as date)
            when regexp_full_match(
                TxnDate,
                '\s*(\d{1,2}/\d{1,2}/\d{4}|\d{1,2}\-\d{1,2}\-\d{4}|\d{1,2}\.\d{1,2}\.\d{4})\s*'
            )
                then cast(try_strptime(trim(TxnDate), ['%d/%m/%Y', '%d-%m-%Y', '%d.%m.%Y']) as date)
            when regexp_matches(
                TxnDate,
                '(?i)\d\s*[-/.]\s*\d+\s*[-/.]\s*\d|\d:\d|\d\s*[ap]m\b|^\s*(\d{4}|\d{6}|\d{8})\s*$|\d.*(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)|(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec).*\d'
            )
                then error('Conversion failed: a date in a spelling that is not supported')
        end as TxnDate,
        case
            when regexp_full_match(replace(Amount, ',', ''), '\s*[+-]?(\d+\.?\d*|\.\d+)\s*')
                then try_cast(replace(Amount, ',', '') as decimal(18, 2))
        end as Amount,
        coalesce(Ccy, 'USD') as Ccy,
        Descr,
        cast(
            row_number() over (
                partition by TxnId
                order by TxnDate collate nocase desc, Amount collate nocase desc
            )
            as int
        ) as dup
    from txn
    where BatchId = {{ var('load_txn_batch') }}

),

kept_clean as (

    select *
    from clean
    where (TxnDate is null or Amount is null or dup > 1) is not true

),

new_txn as (

    select
        c.TxnId,
        c.AcctNo,
        c.TxnDate,
        c.Amount,
        c.Amount * coalesce(fx.Rate, 1) as AmountUsd,
        c.Ccy,
        case
            when c.Descr like '%ATM%' then 'CASH'
            when regexp_full_match(c.Descr, 'POS[0-9].*', 's') then 'CARD'
            when regexp_full_match(c.Descr, '.*100[%].*', 's') then 'FEE'
            when c.Amount < 0 then 'DEBIT'
            else 'CREDIT'
        end as Category,
        {{ var('load_txn_batch') }} as BatchId
    from kept_clean as c
    left join lateral (
        select f.Rate
        from fx_rate as f
        where f.Ccy = c.Ccy
            and f.RateDate <= c.TxnDate
        order by f.RateDate desc
        limit 1
    ) as fx on true
    where not exists (select 1 from existing_txn as x where x.TxnId = c.TxnId)

),

final as (

    select
        coalesce((select max(TxnSk) from existing_txn), 0)
        + row_number() over (
            order by
                TxnId nulls first,
                AcctNo nulls first,
                TxnDate nulls first,
                Amount nulls first,
                AmountUsd nulls first,
                Ccy nulls first,
                Category
        ) as TxnSk,
        TxnId,
        AcctNo,
        TxnDate,
        Amount,
        cast(AmountUsd as decimal(18, 2)) as AmountUsd,
        Ccy,
        Category,
        BatchId,
        date_trunc(
            'second',
            cast({{ current_timestamp() }} as timestamp) + interval '500' millisecond
        ) as InsertedAt
    from new_txn

)

select * from final
