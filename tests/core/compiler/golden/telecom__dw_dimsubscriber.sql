{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='SubscriberKey',
    )
}}

with

existing_dim_subscriber as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as integer) as SubscriberKey,
        cast(null as varchar) as MSISDN,
        cast(null as varchar) as FullName,
        cast(null as varchar) as Plan,
        cast(null as varchar) as Email,
        cast(null as integer) as ActivationDateKey,
        cast(null as decimal(19, 4)) as Credit,
        cast(null as blob) as RowHash,
        cast(null as date) as ValidFrom,
        cast(null as date) as ValidTo,
        cast(null as utinyint) as IsCurrent
    where false

    {% endif %}

),

subscriber as (

    select * from {{ source('stg', 'Subscriber') }}

),

parameters as (

    select
        coalesce(
            cast(nullif('{{ var('usp_loaddimsubscriber_loaddate', '') }}', '') as date),
            cast(cast({{ current_timestamp() }} as timestamp) as date)
        ) as load_date

),

src as (

    select
        MSISDN,
        ltrim(rtrim(coalesce(FirstName, '') || ' ' || coalesce(LastName, ''))) as FullName,
        coalesce(Plan, 'UNKNOWN') as Plan,
        Email,
        cast(strftime(ActivationDt, '%Y%m%d') as int) as ActivationDateKey,
        Credit,
        unhex(
            sha256(
                unhex(
                    array_to_string(
                        list_transform(
                            string_split(
                                concat(
                                    FirstName,
                                    '|',
                                    LastName,
                                    '|',
                                    Plan,
                                    '|',
                                    Email,
                                    '|',
                                    cast(cast(Credit as decimal(19, 2)) as text)
                                ),
                                ''
                            ),
                            lambda c : case when unicode(c) > 65535 then error('character beyond U+FFFF') else printf('%02X%02X', unicode(c) & 255, unicode(c) >> 8) end
                        ),
                        ''
                    )
                )
            )
        ) as RowHash
    from subscriber

),

-- expire what changed
expired_dim_subscriber as (

    select
        d.SubscriberKey,
        d.MSISDN,
        d.FullName,
        d.Plan,
        d.Email,
        d.ActivationDateKey,
        d.Credit,
        d.RowHash,
        d.ValidFrom,
        cast((select load_date from parameters) - interval '1' day as date) as ValidTo,
        cast(0 as utinyint) as IsCurrent
    from existing_dim_subscriber as d
    where exists (
        select 1
        from src as s
        where s.MSISDN = d.MSISDN
            and d.IsCurrent = 1
            and d.RowHash <> s.RowHash
    )

),

unchanged_dim_subscriber as (

    select *
    from existing_dim_subscriber as d
    where not exists (
        select 1
        from src as s
        where s.MSISDN = d.MSISDN
            and d.IsCurrent = 1
            and d.RowHash <> s.RowHash
    )

),

-- new versions
new_dim_subscriber as (

    select
        s.MSISDN,
        s.FullName,
        s.Plan,
        s.Email,
        s.ActivationDateKey,
        s.Credit,
        s.RowHash,
        (select load_date from parameters) as ValidFrom,
        null as ValidTo,
        cast(1 as utinyint) as IsCurrent
    from src as s
    left join unchanged_dim_subscriber as d
        on d.MSISDN = s.MSISDN
        and d.IsCurrent = 1
    where d.SubscriberKey is null

),

final as (

    select *
    from expired_dim_subscriber

    union all

    select
        cast(
            coalesce((select max(SubscriberKey) from existing_dim_subscriber), 0)
            + row_number() over (
                order by
                    MSISDN nulls first,
                    FullName nulls first,
                    Plan nulls first,
                    Email nulls first,
                    ActivationDateKey nulls first,
                    Credit nulls first,
                    RowHash nulls first
            )
            as int
        ) as SubscriberKey,
        MSISDN,
        FullName,
        Plan,
        Email,
        ActivationDateKey,
        Credit,
        RowHash,
        ValidFrom,
        cast(ValidTo as date) as ValidTo,
        IsCurrent
    from new_dim_subscriber

)

select * from final
