{{ config(materialized='table') }}

with

ticket as (

    select * from {{ source('ods', 'Ticket') }}

),

final as (

    select
        TicketId,
        case
            when json_type(Payload, '$.channel') not in ('OBJECT', 'ARRAY')
                then left(json_extract_string(Payload, '$.channel'), 4000)
        end as Channel,
        case
            when trim(
                case
                    when json_type(Payload, '$.score') not in ('OBJECT', 'ARRAY')
                        then left(json_extract_string(Payload, '$.score'), 4000)
                end
            )
            = ''
                then 0
            when regexp_full_match(
                case
                    when json_type(Payload, '$.score') not in ('OBJECT', 'ARRAY')
                        then left(json_extract_string(Payload, '$.score'), 4000)
                end,
                '\s*[+-]?\d+\s*'
            )
                then try_cast(
                    case
                        when json_type(Payload, '$.score') not in ('OBJECT', 'ARRAY')
                            then left(json_extract_string(Payload, '$.score'), 4000)
                    end
                    as int
                )
        end as Score,
        case
            when json_type(Payload, '$.address.city') not in ('OBJECT', 'ARRAY')
                then left(json_extract_string(Payload, '$.address.city'), 4000)
        end as City
    from ticket
    where case
        when Payload is null then null
        when json_valid(Payload) and json_type(Payload) in ('OBJECT', 'ARRAY') then 1
        else 0
    end
    = 1

)

select * from final
