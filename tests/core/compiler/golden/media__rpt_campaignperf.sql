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

existing_campaign_perf as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as integer) as campaign_id,
        cast(null as date) as perf_date,
        cast(null as integer) as impressions,
        cast(null as integer) as clicks,
        cast(null as decimal(9, 6)) as ctr,
        cast(null as decimal(19, 4)) as cost,
        cast(null as decimal(19, 4)) as cpc,
        cast(null as double) as pacing,
        cast(null as varchar) as domain
    where false

    {% endif %}

),

impression as (

    select * from {{ source('ad', 'Impression') }}

),

campaign as (

    select * from {{ source('ad', 'Campaign') }}

),

from_rows as (

    select
        cast(coalesce(max(perf_date), cast('2000-01-04' as date)) - interval '3' day as date) as "from"
    from existing_campaign_perf

),

kept_campaign_perf as (

    select *
    from existing_campaign_perf
    where (
        perf_date
        >= coalesce(
            cast(nullif('{{ var('loadcampaignperf_from', '') }}', '') as date),
            (select "from" from from_rows)
        )
    ) is not true
        and ('{{ var('loadcampaignperf_mode', 'INCR') }}' = 'FULL') is not true

),

new_campaign_perf as (

    select
        i.campaign_id,
        cast(i.ts as date) as perf_date,
        count(*) as impressions,
        cast(sum(i.clicks) as int) as clicks,
        cast(cast(sum(i.clicks) as int) * 1.0 * 1000000000000 as int128) // count(*)
        * 0.000000000001 as ctr,
        sum(i.cost) as cost,
        sum(i.cost) / nullif(cast(sum(i.clicks) as int), 0) as cpc,
        sum(i.cost)
        / case
            when (
                cast(max(c.budget) * 10000 as int128)
                // (date_diff('day', max(c.start_dt), max(c.end_dt)) + 1)
                * 0.0001
            )
            = 0
                then error('Divide by zero')
            else (
                cast(max(c.budget) * 10000 as int128)
                // (date_diff('day', max(c.start_dt), max(c.end_dt)) + 1)
                * 0.0001
            )
        end as pacing,
        arg_max(
            case
                when strpos(reverse(i.site), '.') > 0
                    then right(
                        i.site,
                        case
                            when (strpos(reverse(i.site), '.') - 1) < 0
                                then error('Invalid length parameter')
                            else strpos(reverse(i.site), '.') - 1
                        end
                    )
                else i.site
            end,
            lower(
                case
                    when strpos(reverse(i.site), '.') > 0
                        then right(
                            i.site,
                            case
                                when (strpos(reverse(i.site), '.') - 1) < 0
                                    then error('Invalid length parameter')
                                else strpos(reverse(i.site), '.') - 1
                            end
                        )
                    else i.site
                end
            )
        ) as domain
    from impression as i
    inner join campaign as c on c.campaign_id = i.campaign_id
    where i.ts
    >= case
        when '{{ var('loadcampaignperf_mode', 'INCR') }}' = 'FULL'
            then cast('2000-01-01' as date)
        else coalesce(
            cast(nullif('{{ var('loadcampaignperf_from', '') }}', '') as date),
            (select "from" from from_rows)
        )
    end
        and c.budget > 0
        and c.end_dt >= c.start_dt
    group by i.campaign_id, cast(i.ts as date)

),

final as (

    select
        campaign_id,
        perf_date,
        impressions,
        clicks,
        ctr,
        cost,
        cpc,
        pacing,
        domain
    from kept_campaign_perf

    union all

    select
        campaign_id,
        perf_date,
        cast(impressions as int) as impressions,
        clicks,
        cast(ctr as decimal(9, 6)) as ctr,
        cast(cost as decimal(19, 4)) as cost,
        cast(cpc as decimal(19, 4)) as cpc,
        pacing,
        domain
    from new_campaign_perf

)

select * from final
