"""What a migration writes passes the guard, and DuckDB agrees that it is SQL."""

# ruff: noqa: E501 - one case, one line

from __future__ import annotations

import pytest

from core.dbt.facts import ModelFacts, read_facts
from core.dbt.guard import check_model
from tests.core.dbt.items import CONFIGS, shop_sql

T = "{{ source('bronze', 'T') }}"
U = "{{ ref('stg_u') }}"
IMPORTS = f"with t as (\n    select * from {T}\n),\n\nu as (\n    select * from {U}\n)\n\n"

BODIES = {
    "columns": "select id, name from t",
    "left join": "select t.id, u.name from t left join u on u.id = t.id",
    "full join": "select coalesce(t.id, u.id) as id from t full join u on u.id = t.id",
    "cross join": "select t.id from t cross join u",
    "group by": "select id, sum(amount) as amount, count(*) as n from t group by id",
    "group by all": "select id, count(distinct name) as n from t group by all having count(*) > 1",
    "rollup": "select a, b, grouping(a) as g, sum(c) as c from t group by rollup (a, b)",
    "grouping sets": "select a, sum(c) as c from t group by grouping sets ((a), ())",
    "window": "select id, row_number() over (partition by a order by b desc) as rn from t",
    "qualify": "select * from t qualify row_number() over (partition by id order by d) = 1",
    "lag": "select id, lag(a, 1, 0) over (order by id) as before from t",
    "running total": (
        "select sum(a) over (order by d rows between unbounded preceding and current row) as s "
        "from t"
    ),
    "case": "select case when a > 1 then 'x' when a is null then 'y' else 'z' end as c from t",
    "simple case": "select case a when 1 then 'x' end as c from t",
    "casts": "select cast(a as decimal(18, 4)) as a, b::date as b, try_cast(c as int) as c from t",
    "dates": (
        "select date_diff('day', a, b) as d, date_trunc('month', a) as m, "
        "extract(year from a) as y, a + interval 1 day as n, strftime(a, '%Y%m%d') as k from t"
    ),
    "date literals": "select date '2024-01-01' as a, timestamp '2024-01-01 00:00:00' as b from t",
    "strings": (
        "select upper(trim(a)) as a, left(b, 3) as b, replace(c, 'x', 'y') as c, "
        "a || '-' || b as d, substring(a, 1, 2) as e, concat_ws(' ', a, b) as f from t"
    ),
    "like": "select * from t where a like 'x%' escape '!' and b not ilike '%y'",
    "in": "select * from t where a in (1, 2, 3) and b not in (select id from u)",
    "exists": "select * from t where exists (select 1 from u where u.id = t.id)",
    "not exists": "select * from t where not exists (select 1 from u where u.id = t.id)",
    "between": "select * from t where a between 1 and 2",
    "is distinct from": "select * from t where a is distinct from b and (a = b) is not true",
    "union all": "select id from t union all select id from u",
    "except": "select id from t except select id from u",
    "intersect": "select id from t intersect select id from u",
    "distinct": "select distinct id, name from t",
    "distinct on": "select distinct on (id) * from t order by id, d desc",
    "order and limit": "select * from t order by a desc nulls last limit 10 offset 5",
    "star with exclude": "select t.* exclude (a), u.b from t join u using (id)",
    "star with replace": "select * replace (upper(a) as a) from t",
    "scalar subquery": "select id, (select max(a) from u where u.id = t.id) as m from t",
    "lateral": "select t.id, l.m from t, lateral (select max(a) as m from u where u.id = t.id) as l",
    "values": "select * from (values (1, 'x'), (2, 'y')) as v (id, name)",
    "unknown member": "select -1 as id, 'Unknown' as name union all select id, name from t",
    "series": "select d.i from generate_series(1, 12) as d (i)",
    "range and unnest": "select unnest([1, 2, 3]) as a, r.range from range(3) as r",
    "recursive": (
        "select * from (with recursive h as (select 1 as n union all select n + 1 from h "
        "where n < 5) select * from h) as x"
    ),
    "aggregates": (
        "select string_agg(a, ', ' order by a) as s, max_by(a, b) as m, "
        "sum(a) filter (where b > 1) as f, median(c) as q, bool_or(d) as o from t"
    ),
    "conditional aggregation": "select sum(case when a = 1 then b else 0 end) as x from t",
    "hash": "select md5(concat_ws('|', a, b)) as key, hash(a) as h from t",
    "round": "select round(a, 2) as a, floor(b) as b, a // 2 as c, a % 2 as d, abs(-a) as e from t",
    "lists and structs": "select [a, b] as l, {'x': a} as s, list_filter([1], x -> x > 0) as f from t",
    "json": "select json_extract_string(a, '$.x') as x, a ->> '$.y' as y from t",
    "pivot by hand": "select * from t pivot (sum(a) for b in ('x', 'y'))",
    "nested ctes": "select * from (with z as (select id from t) select * from z) as n",
    "quoted names": 'select t."Order ID" as "Order ID", t."select" from t',
    "comments": "select id -- not {a jinja} thing\n/* nor { this } */ from t",
    "at time zone": "select a at time zone 'UTC' as a from t",
    "clock": "select cast({{ current_timestamp() }} as timestamp) as loaded_at from t",
    "collate": "select * from t order by a collate nocase",
}

TEMPLATES = {
    "scd2": """{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key='customer_key',
    on_schema_change='fail'
) }}
{#- current rows are expired, new versions inserted -#}
with customers as (
    select * from {{ source('bronze', 'T') }}
),
existing as (
    {% if is_incremental() %}
    select * from {{ this }} where is_current = 1
    {% else %}
    select cast(null as bigint) as customer_key, cast(null as int) as id,
        cast(null as varchar) as name, cast(null as timestamp) as valid_from,
        cast(null as timestamp) as valid_to, 0 as is_current
    where 1 = 0
    {% endif %}
),
changed as (
    select c.*, e.customer_key
    from customers as c
    inner join existing as e on e.id = c.id
    where (e.name = c.name) is not true
),
expired as (
    select e.customer_key, e.id, e.name, e.valid_from,
        cast({{ current_timestamp() }} as timestamp) as valid_to, 0 as is_current
    from existing as e
    inner join changed as c on c.customer_key = e.customer_key
),
added as (
    select
        (select coalesce(max(customer_key), 0) from existing)
            + row_number() over (order by c.id) as customer_key,
        c.id, c.name, cast({{ current_timestamp() }} as timestamp) as valid_from,
        cast(null as timestamp) as valid_to, 1 as is_current
    from customers as c
    left join existing as e on e.id = c.id
    where e.id is null or c.id in (select id from changed)
),
final as (
    select * from expired
    union all
    select * from added
)
select * from final
""",
    "vars": """{{ config(materialized='table', tags=['daily', 'sales:core']) }}
select * from {{ source('bronze', 'T') }}
where d >= cast('{{ var('usp_load_from', '2020-01-01') }}' as date)
  and n > {{ var('usp_load_min', 0) }}
""",
    "branches on a var": """{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=true if var('usp_load_mode', 'INC') == 'FULL' else none
) }}
select * from {{ source('bronze', 'T') }}
{% if is_incremental() and var('usp_load_mode', 'INC') != 'FULL' %}
where modified > (select max(modified) from {{ this }})
{% elif var('usp_load_days', none) is none %}
where 1 = 1
{% else %}
where d > current_date - {{ var('usp_load_days', 1) }}
{% endif %}
""",
    "var without default": "select '{{ var('usp_load_region') }}' as region, 1 as id\n",
    "comment before config": "-- a comment\n{# another #}\n{{ config(materialized='view') }}\nselect 1 as a",
    "trimmed": "{{- config(materialized='table') -}}\nselect 1 as a {%- if is_incremental() %}, 2 as b{% endif %}\n",
    "delete+insert": """{{ config(materialized='incremental', incremental_strategy='delete+insert',
    unique_key=['order_id', '"Line No"'], merge_exclude_columns=['created_at']) }}
select order_id, "Line No", 1 as created_at from {{ source('bronze', 'T') }}
""",
    "meta": "{{ config(materialized='table', meta={'owner': 'finance', 'tier': 1}) }} select 1 as a",
    **{f"shop {kind}": shop_sql(1, kind) for kind in CONFIGS},
}


@pytest.mark.parametrize("name", BODIES)
def test_a_select_passes(name: str) -> None:
    assert check_model(IMPORTS + BODIES[name]).findings == ()


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_passes_and_can_be_read(name: str) -> None:
    assert check_model(TEMPLATES[name]).findings == ()
    assert isinstance(read_facts(TEMPLATES[name]), ModelFacts)


def test_there_are_enough_of_them() -> None:
    assert len(BODIES) + len(TEMPLATES) >= 40
