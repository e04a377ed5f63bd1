{{ config(materialized='table') }}

with

ticket as (

    select * from {{ source('ods', 'Ticket') }}

),

ticket_tag as (

    select
        t.TicketId,
        ltrim(rtrim(s.value)) as Tag,
        row_number() over (partition by t.TicketId order by s.value collate nocase nulls first) as Pos
    from ticket as t
    cross join lateral (select unnest(string_split(t.Tags, ',')) as value) as s
    where t.Tags is not null
        and s.value <> ''

),

final as (

    select
        TicketId,
        Tag,
        cast(Pos as int) as Pos
    from ticket_tag

)

select * from final
