{{ config(materialized='table') }}

with

ticket as (

    select * from {{ source('ods', 'Ticket') }}

),

agent as (

    select * from {{ source('ods', 'Agent') }}

),

prepared_ticket as (

    select
        a.Team,
        t.Status,
        t.TicketId
    from ticket as t
    left join agent as a on a.AgentId = t.AgentId

),

p as (

    select
        Team,
        count(case when Status = 'Open' then TicketId end) as Open,
        count(case when Status = 'Closed' then TicketId end) as Closed,
        count(case when Status = 'In Progress' then TicketId end) as "In Progress"
    from prepared_ticket
    group by Team

),

final as (

    select
        Team,
        cast(Open as int) as Open,
        cast(Closed as int) as Closed,
        cast("In Progress" as int) as "In Progress",
        cast(coalesce(Open, 0) + coalesce(Closed, 0) + coalesce("In Progress", 0) as int) as Total
    from p

)

select * from final
