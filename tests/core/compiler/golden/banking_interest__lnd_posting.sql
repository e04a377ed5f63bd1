{{
    config(
        materialized='incremental',
        incremental_strategy='append',
    )
}}

with

account as (

    select * from {{ source('lnd', 'Account') }}

),

existing_posting as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as integer) as PostingId,
        cast(null as varchar) as AccountNo,
        cast(null as timestamp) as BookingDate,
        cast(null as integer) as EntryCount,
        cast(null as decimal(18, 2)) as PostingAmount,
        cast(null as varchar) as PostingType
    where false

    {% endif %}

),

product_ref as (

    select * from {{ source('core', 'PRODUCT_REF') }}

),

parameters as (

    select
        case
            when day(
                last_day(
                    make_date(
                        year(cast('{{ var('p_accrueinterest_value_date') }}' as date)),
                        2,
                        1
                    )
                )
            )
            = 29
                then 366
            else 365
        end as basis

),

bal as (

    select
        a.AccountNo,
        coalesce(sum(p.PostingAmount), 0) as bal,
        date_diff(
            'day',
            min(p.BookingDate),
            cast('{{ var('p_accrueinterest_value_date') }}' as date)
        ) as days
    from account as a
    left join existing_posting as p
        on p.AccountNo = a.AccountNo
        and p.BookingDate <= cast('{{ var('p_accrueinterest_value_date') }}' as date)
    where a.ProductCode in (
        select PRODUCT_CODE
        from product_ref
        where PRODUCT_TEXT not like '%closed%'
    )
    group by a.AccountNo

),

kept_bal as (

    select *
    from bal
    where (bal = 0 or days is null) is not true

),

next as (

    select coalesce(max(PostingId), 0) as next
    from existing_posting

),

new_posting as (

    select
        (select next from next) + row_number() over (order by AccountNo collate nocase nulls first) as PostingId,
        AccountNo,
        cast('{{ var('p_accrueinterest_value_date') }}' as date) as BookingDate,
        1 as EntryCount,
        round(
            cast(
                cast(
                    bal
                    * case
                        when bal < 0
                            then cast({{ var('p_accrueinterest_rate', 0.0125) }} as decimal(9, 6))
                            * 4
                        else cast({{ var('p_accrueinterest_rate', 0.0125) }} as decimal(9, 6))
                    end
                    as decimal(38, 6)
                )
                * 1000
                as int128
            )
            // (select basis from parameters)
            * 0.001,
            2
        ) as PostingAmount,
        'INTEREST' as PostingType
    from kept_bal

),

final as (

    select
        cast(PostingId as int) as PostingId,
        AccountNo,
        cast(BookingDate as timestamp) as BookingDate,
        EntryCount,
        cast(PostingAmount as decimal(18, 2)) as PostingAmount,
        PostingType,
        cast({{ current_timestamp() }} as timestamp) as ModifiedAt
    from new_posting

)

select * from final
