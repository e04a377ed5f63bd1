{{ config(materialized='table') }}

with

agent as (

    select * from {{ source('ods', 'Agent') }}

),

ticket as (

    select * from {{ source('ods', 'Ticket') }}

),

final as (

    select
        a.AgentId,
        a.AgentName,
        (
            select
                string_agg(
                    replace(
                        replace(replace(cast(t.TicketId as text), '&', '&amp;'), '<', '&lt;'),
                        '>',
                        '&gt;'
                    ),
                    ', ' order by t.TicketId
                )
            from ticket as t
            where t.AgentId = a.AgentId
        ) as TicketList,
        (
            select
                string_agg(
                    t2.Status,
                    '; ' order by t2.Status collate nocase nulls first, t2.TicketId
                )
            from ticket as t2
            where t2.AgentId = a.AgentId
        ) as TagList
    from agent as a

)

select * from final
