{{ config(materialized='table') }}

with

ticket as (

    select * from {{ source('ods', 'Ticket') }}

),

prepared_ticket as (

    select
        TicketId,
        date_diff('hour', OpenedAt, ClosedAt) as HoursToClose,
        cast(Priority as int) as Prio,
        length(rtrim(Tags)) - length(rtrim(replace(Tags, ',', ''))) + 1 as TagCount
    from ticket

),

u as (

    select
        TicketId,
        HoursToClose as Val,
        'HoursToClose' as Metric
    from prepared_ticket
    where HoursToClose is not null

    union all

    select
        TicketId,
        Prio as Val,
        'Prio' as Metric
    from prepared_ticket
    where Prio is not null

    union all

    select
        TicketId,
        TagCount as Val,
        'TagCount' as Metric
    from prepared_ticket
    where TagCount is not null

),

final as (

    select
        TicketId,
        Metric,
        cast(Val as int) as Val
    from u

)

select * from final
