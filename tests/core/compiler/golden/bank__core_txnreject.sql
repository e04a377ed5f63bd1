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

final as (

    select
        TxnId,
        case
            when TxnDate is null then 'bad date'
            when Amount is null then 'bad amount'
            else 'duplicate'
        end as Reason,
        {{ var('load_txn_batch') }} as BatchId
    from clean
    where TxnDate is null or Amount is null or dup > 1

)

select * from final
