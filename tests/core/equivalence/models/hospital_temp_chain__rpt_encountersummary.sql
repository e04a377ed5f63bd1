{{ config(materialized='table') }}

with

encounter as (

    select * from {{ source('src', 'Encounter') }}

),

patient as (

    select * from {{ source('src', 'Patient') }}

),

base as (

    select
        rpad(strftime(t.AdmitDate, '%Y%m%d'), 6, ' ') as ym,
        e.InsuranceClass as cls,
        e.Ward as place,
        t.LengthOfStay as qty,
        t.TotalCharge as amt,
        t.PatientId as ent
    from encounter as t
    left join patient as e on e.PatientId = t.PatientId
    where t.EncounterStatus <> 'ADMITTED'

),

corrected_base as (

    select
        ym,
        case when cls is null then 'UNK' else cls end as cls,
        place,
        qty,
        amt,
        ent
    from base

),

corrected_base_2 as (

    select
        ym,
        cls,
        case when place is null or place = '' then 'n/a' else upper(place) end as place,
        qty,
        amt,
        ent
    from corrected_base

),

agg as (

    select
        ym,
        cls,
        place,
        cast(sum(qty) as int) as qty,
        sum(amt) as amt,
        count(distinct ent) as cnt
    from corrected_base_2
    group by ym, cls, place

),

final as (

    select
        ym as YearMonth,
        cls as InsuranceClass,
        place as Ward,
        qty as TotalLengthOfStay,
        amt as TotalTotalCharge,
        cast(cnt as int) as EntityCount
    from agg
    where amt <> 0

)

select * from final
