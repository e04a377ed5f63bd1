"""Sound models of the same procedures in another style: nothing about them may be refuted."""

from __future__ import annotations

VARIANTS = {
    "order facts": """{{ config(materialized='table') }}
select
    o.OrderID,
    c.CustomerName,
    cast(trunc(o.Quantity / 4) as integer) as Share,
    length(regexp_replace(c.CustomerName, ' +$', '')) as NameLength,
    (2024 - year(o.OrderDate)) * 12 + 6 - month(o.OrderDate) as Months,
    case when o.Status is null then 'NONE' else o.Status end as Status,
    o.Amount
from {{ source('src', 'Orders') }} as o
left join (select * from {{ source('src', 'Customers') }} where CustomerCode is not null) as c
    on c.CustomerCode = o.CustomerCode
where coalesce(o.Amount, 10) >= 10
""",
    "latest order per customer": """{{ config(materialized='table') }}
select CustomerCode, OrderID, Amount
from {{ source('src', 'Orders') }}
where CustomerCode is not null
qualify row_number() over (
    partition by CustomerCode order by OrderDate desc nulls last, OrderID desc
) = 1
""",
    "status totals": """{{ config(materialized='table') }}
with picked as (
    select o.Status, o.CustomerCode, o.Quantity, o.Amount
    from {{ source('src', 'Orders') }} as o
    cross join (select unnest([1, 2]) as n) as twice
    where case when twice.n = 1 then o.Quantity > 0 else o.Amount > 100 end
)

select
    Status,
    cast(sum(1) as integer) as Orders,
    count(distinct CustomerCode) as Customers,
    cast(sum(Quantity) // count(Quantity) as integer) as Average,
    sum(Amount) as Amount
from picked
group by 1
""",
    "customer merge": """{{ config(materialized='incremental',
    incremental_strategy='delete+insert', unique_key='CustomerCode') }}
with incoming as (
    select CustomerCode, max(CustomerName) as CustomerName, max(Region) as Region
    from {{ source('src', 'Customers') }}
    where CustomerCode is not null
    group by CustomerCode
),

existing as (
    {% if is_incremental() %}
    select CustomerKey, CustomerCode from {{ this }}
    {% else %}
    select 0 as CustomerKey, '' as CustomerCode where false
    {% endif %}
),

fresh as (
    select
        incoming.*,
        row_number() over (order by CustomerCode)
        + coalesce((select max(CustomerKey) from existing), 0) as CustomerKey
    from incoming
    where CustomerCode not in (select CustomerCode from existing)
)

select CustomerKey, CustomerCode, CustomerName, Region from fresh
union all
select existing.CustomerKey, incoming.CustomerCode, incoming.CustomerName, incoming.Region
from incoming
inner join existing on existing.CustomerCode = incoming.CustomerCode
""",
}
