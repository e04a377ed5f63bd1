{{ config(materialized='table') }}

with

student as (

    select * from {{ source('sis', 'Student') }}

),

final as (

    select
        s.StudentNo,
        k.Kind,
        k.Val,
        case
            when length(rtrim(k.Val)) > 4
                then case
                    when (length(rtrim(k.Val)) - 4) >= 0 then repeat('*', length(rtrim(k.Val)) - 4)
                end
                || right(k.Val, 4)
            else k.Val
        end as Masked,
        cast(
            date_trunc(
                'second',
                cast({{ current_timestamp() }} as timestamp) + interval '500' millisecond
            )
            as time
        ) as LoadTime,
        strftime(cast({{ current_timestamp() }} as timestamp), '%Y-%m-%d %H:%M:%S') as Stamp
    from student as s
    cross join lateral (
        select
            'phone' as Kind,
            replace(
                replace(replace(replace(s.Phone, '(', ''), ')', ''), '-', ''),
                ' ',
                ''
            ) as Val

        union all

        select
            'post',
            upper(s.Postcode)

        union all

        select
            'name',
            s.FamilyName || ', ' || s.GivenName
    ) as k
    where k.Val is not null

)

select * from final
