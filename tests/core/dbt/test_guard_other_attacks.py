"""A second round of attacks on the guard: other spellings, other places, other functions.

Each is rejected with a line and a sentence, or shown to be harmless.
"""

# ruff: noqa: E501 - one case, one line; look-alike characters are the point

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from core.dbt.facts import ModelFacts, read_facts
from core.dbt.guard import LOCKED_CONFIG, check_model
from core.dbt.precheck import precheck
from core.dbt.yaml_guard import check_yaml
from tests.core.dbt.items import build_item, loaded, order_line, scenario

BASE = "with a as (select * from {{ source('bronze', 'T') }})\n"

JINJA_ATTACKS = {
    "jinja in a config value": "{{ config(materialized='{{ env_var(\"X\") }}') }} select 1 as x",
    "jinja in meta": "{{ config(meta={'a': '{{ run_query(1) }}'}) }} select 1 as x",
    "jinja in meta key": "{{ config(meta={'{% do run_query(1) %}': 1}) }} select 1 as x",
    "jinja split over two strings in meta": "{{ config(meta={'a': '{', 'b': '{ env_var(1) }}'}) }} select 1 as x",
    "jinja in tags": "{{ config(tags=['{{ env_var(1) }}']) }} select 1 as x",
    "hook with a dash": "{{ config(**{'post-hook': 'drop table x'}) }} select 1 as x",
    "hook by unicode escape": "{{ config(p\\u006fst_hook='drop table x') }} select 1 as x",
    "escape in a string": "{{ config(materialized='\\x7b\\x7b env_var(1) \\x7d\\x7d') }} select 1 as x",
    "escape in var default": "select '{{ var('a', '\\x7b\\x7b env_var(1) \\x7d\\x7d') }}' as x",
    "quote in var default": "select '{{ var('a', \"'; drop table x; --\") }}' as x",
    "quote by escape in var default": "select '{{ var('a', '\\x27; drop table x; --') }}' as x",
    "unicode quote in ref": "select * from {{ ref('x\\u0022; drop table y; --') }}",
    "newline in source": "select * from {{ source('a', 'b\\nc') }}",
    "fullwidth names": "select * from {{ ｒｅｆ('x') }}",
    "do run_query": "{% do run_query('drop table x') %} select 1 as x",
    "do adapter": "{% do adapter.execute('drop table x') %} select 1 as x",
    "dispatch": "{{ adapter.dispatch('get_where_subquery')(this) }} select 1 as x",
    "dispatch with namespace": "{{ adapter.dispatch('x', 'dbt')() }} select 1 as x",
    "our macro": "{{ duckdb__current_timestamp() }} select 1 as x",
    "macro named like ours": "{% macro duckdb__current_timestamp() %}(select 1){% endmacro %} select 1 as x",
    "generic test in a model": "{% test unique(model, column_name) %}select 1{% endtest %} select 1 as x",
    "materialization in a model": "{% materialization table, adapter='duckdb' %}{% endmaterialization %} select 1 as x",
    "snapshot": "{% snapshot s %}select 1{% endsnapshot %}",
    "docs block": "{% docs x %}{{ env_var('X') }}{% enddocs %} select 1 as x",
    "line statement": "# for x in range(10)\nselect 1 as x",
    "whitespace control": "{%- do run_query('x') -%} select 1 as x",
    "comment trick": "{# #}{{ run_query('x') }}{# #} select 1 as x",
    "dunder": "{{ ref.__class__ }} select 1 as x",
    "dunder by subscript": "{{ ref['__globals__'] }} select 1 as x",
    "getattr by attr": "{{ ref|attr('__globals__') }} select 1 as x",
    "var of a var": "{{ var(var('x')) }} select 1 as x",
    "condition with getattr": "{% if target.name == 'x' %}select 1{% endif %}",
    "condition with a call": "{% if adapter.get_relation('a','b','c') %}select 1 as x{% endif %}",
    "config.get": "{{ config.get('x') }} select 1 as x",
    "config.require": "{{ config.require('x') }} select 1 as x",
    "return": "{{ return('x') }} select 1 as x",
    "self": "{{ self }} select 1 as x",
    "loop": "{{ loop }} select 1 as x",
    "caller": "{{ caller() }} select 1 as x",
    "namespace": "{% set ns = namespace(x=1) %} select 1 as x",
    "print": "{{ print('x') }} select 1 as x",
    "store_result": "{{ store_result('main', response='x') }} select 1 as x",
    "load_result": "{{ load_result('main') }} select 1 as x",
    "submit python": "{{ submit_python_job(model, 'import os') }} select 1 as x",
    "local_md5": "{{ local_md5('x') }} select 1 as x",
    "toyaml": "{{ toyaml(model) }} select 1 as x",
    "zip": "{{ zip([1],[2]) }} select 1 as x",
    "doc": "{{ doc('x') }} select 1 as x",
    "metric": "{{ metric('x') }} select 1 as x",
    "function()": "{{ function('x') }} select 1 as x",
    "selected_resources": "{{ selected_resources }} select 1 as x",
    "ref with a package": "select * from {{ ref('other', 'x') }}",
    "ref with a version": "select * from {{ ref('x', v=2) }}",
    "merge_clauses with SQL": "{{ config(materialized='incremental', merge_clauses={'when_matched': [{'action': 'update', 'condition': '1=1); drop table x; --'}]}) }} select 1 as x",
    "partition_by": "{{ config(partition_by='x') }} select 1 as x",
    "indexes": "{{ config(indexes=[{'columns': ['a); drop table x; --']}]) }} select 1 as x",
    "grants": "{{ config(grants={'select': ['public']}) }} select 1 as x",
    "contract": "{{ config(contract={'enforced': true}) }} select 1 as x",
    "plugin": "{{ config(plugin='excel') }} select 1 as x",
    "overrides of ref through builtins": "{{ builtins['ref']('x') }} select 1 as x",
    "huge power": "{% if 9 ** 9 ** 9 %}select 1 as x{% endif %}",
    "huge string product": "select '{{ 'a' * 999999999 }}' as x",
    "deep nesting": "{% if " + "not " * 3000 + "true %}select 1 as x{% endif %}",
    "deep parentheses": "select " + "(" * 5000 + "1" + ")" * 5000 + " as x",
}

SQL_ATTACKS = {
    "read_csv named by chr": "select * from query('select * from ' || chr(34) || '/etc/passwd' || chr(34))",
    "read_csv_auto": "select * from read_csv_auto('/etc/passwd')",
    "read_json": "select * from read_json_auto('/etc/passwd')",
    "read_ndjson objects": "select * from read_ndjson_objects('/etc/passwd')",
    "read_parquet list": "select * from parquet_scan(['/etc/passwd'])",
    "parquet_metadata": "select * from parquet_metadata('/etc/passwd')",
    "sniff_csv": "select * from sniff_csv('/etc/passwd')",
    "glob as scalar subquery": "select (select max(file) from glob('/etc/*')) as x",
    "case of the name": "select * from ReAd_TeXt('/etc/passwd')",
    "unicode escaped name": "select * from U&\"r\\0065ad_text\"('/etc/passwd')",
    "escape string": "select * from E'/etc/pass\\x77d'",
    "dollar-quoted file": "select * from $$/etc/passwd$$",
    "file in a FROM-first query": "from '/etc/passwd' select *",
    "from-first function": "from read_text('/etc/passwd')",
    "table statement": "table secrets",
    "values with a subquery": "values ((select content from read_text('/etc/passwd')))",
    "json_execute": "select * from json_execute_serialized_sql(json_serialize_sql('select 1'))",
    "json_serialize_plan": "select json_serialize_plan('select 1') as x",
    "pragma_table_info": "select * from pragma_table_info('x')",
    "duckdb_tables": "select * from duckdb_tables()",
    "duckdb_functions": "select * from duckdb_functions()",
    "duckdb_secrets in a CTE": "with s as (select * from duckdb_secrets()) select * from s",
    "which_secret": "select * from which_secret('s3://x', 's3')",
    "getenv upper case": "select GETENV('HOME') as x",
    "getenv in a lambda": "select list_transform(['HOME'], x -> getenv(x)) as x",
    "getenv as a method": "select 'HOME'.getenv() as x",
    "getenv in order by": "select 1 as x order by getenv('HOME')",
    "getenv in a window frame": "select sum(1) over (order by getenv('HOME')) as x",
    "getenv in limit": "select 1 as x limit length(getenv('HOME'))",
    "getenv in filter": "select count(*) filter (where getenv('HOME') = 'x') as x",
    "getenv in qualify": "select 1 as x qualify row_number() over (order by getenv('H')) = 1",
    "getenv in group by": "select 1 as x group by getenv('H')",
    "getenv in having": "select 1 as x having getenv('H') = 'x'",
    "getenv in using sample": "select 1 as x using sample 10",
    "getenv in values": "select * from (values (getenv('H'))) as v(x)",
    "getenv in a struct": "select {'a': getenv('H')} as x",
    "getenv in a list": "select [getenv('H')] as x",
    "getenv in a case": "select case when getenv('H') = 'x' then 1 end as x",
    "getenv in unnest": "select * from unnest([getenv('H')]) as u(x)",
    "getenv in a star expression": "select * replace (getenv('H') as y) from (select 1 as y)",
    "getenv in columns()": "select columns(c -> getenv('H') = 'x') from (select 1 as y)",
    "getenv in pivot": "select * from (select 1 as y) pivot (max(getenv('H')) for y in (1))",
    "getenv in a join condition": "select 1 as x from (select 1 as y) q join (select 1 as z) r on getenv('H') = 'x'",
    "getenv in distinct on": "select distinct on (getenv('H')) 1 as x",
    "getenv in a cast": "select cast(getenv('H') as int) as x",
    "getenv in a between": "select 1 between getenv('H') and 2 as x",
    "getenv in a recursive CTE": "with recursive r as (select 1 as n union all select n + length(getenv('H')) from r where n < 3) select * from r",
    "query in a lateral": "select * from (select 1 as y) q, lateral (select * from query('select 1')) as l",
    "copy in a CTE": "with c as (copy (select 1) to 'x') select * from c",
    "copy to stdout": "copy (select 1) to '/dev/stdout'",
    "attach through a string": "attach 'http://x/y.db' as z (type postgres)",
    "use": "use other",
    "detach": "detach memory",
    "checkpoint": "checkpoint",
    "vacuum": "vacuum",
    "prepare": "prepare p as select 1",
    "execute": "execute p",
    "explain analyze": "explain analyze select 1",
    "begin": "begin; select 1 as x",
    "create macro": "create macro f() as 1",
    "create secret": "create secret s (type s3)",
    "create view": "create view v as select 1",
    "select into": "select 1 as x into y",
    "load with quotes": "load '/tmp/x.duckdb_extension'",
    "force install": "force install httpfs from 'http://x'",
    "pragma with assignment": "pragma memory_limit='1TB'",
    "reset": "reset all",
    "set variable": "set variable x = 1",
    "comment on": "comment on table x is 'y'",
    "import database": "import database '/tmp/x'",
    "update extensions": "update extensions",
    "kill comment": "select 1 as x --\n; drop table x",
    "nested block comment": "select 1 as x /* /* */ ; drop table x; /* */ */ ; drop table y",
    "zero-width": "select\u200b 1 as x; drop table x",
    "nbsp": "select\u00a01 as x ;\u00a0drop table x",
    "fullwidth semicolon": "select 1 as x； drop table x",
    "quoted function": "select \"getenv\"('H') as x",
    "schema function": "select system.main.getenv('H') as x",
    "pg_catalog function": "select pg_catalog.pg_get_viewdef('x') as x",
    "catalog table": "select * from pg_catalog.pg_tables",
    "sqlite_master": "select * from sqlite_master",
    "temp schema": "select * from temp.main.x",
    "information schema unquoted": "select * from INFORMATION_SCHEMA.columns",
    "getvariable": "select getvariable('x') as x",
    "current_setting": "select current_setting('home_directory') as x",
    "current_query": "select current_query() as x",
    "txid": "select txid_current() as x",
    "pg functions": "select pg_sleep(10) as x",
    "nextval": "select nextval('s') as x",
    "setseed": "select setseed(0.1) as x",
    "in_search_path": "select in_search_path('a','b') as x",
    "add_parquet_key": "pragma add_parquet_encryption_key('k','v')",
    "st_read": "select * from st_read('/etc/passwd')",
    "postgres_scan": "select * from postgres_scan('x','y','z')",
    "sqlite_scan": "select * from sqlite_scan('/x','y')",
    "arrow_scan": "select * from arrow_scan(1,2,3)",
    "pandas_scan": "select * from pandas_scan(1)",
    "python replacement": "select * from sys",
    "seq_scan": "select * from seq_scan('x')",
    "summary": "select * from summary((select 1))",
    "checkpoint func": "select * from force_checkpoint()",
    "test_all_types": "select * from test_all_types()",
    "duckdb_logs": "select * from duckdb_logs()",
    "enable_logging": "call enable_logging()",
    "parse_path": "select parse_path('/etc') as x",
    "struct star": "select * from (select getenv('H') as y)",
    "using key": "with recursive r(a) using key (a) as (select 1 union select getenv('H') from r) select * from r",
    "asof": "select 1 as x from (select 1 as y) q asof join (select 1 as y) r on q.y >= length(getenv('H'))",
    "positional join": "select * from (select 1 as y) positional join read_text('/etc/passwd')",
    "semi join": "select 1 as x from (select 1 as y) q semi join read_text('/etc/passwd') r on true",
    "trailing dot method": "select ('/etc/passwd').read_text() as x",
    "merge returning": "with m as (merge into t using a on true when matched then delete returning *) select * from m",
}


@pytest.mark.parametrize("name", JINJA_ATTACKS)
def test_an_attack_in_jinja_is_rejected(name: str) -> None:
    report = check_model(JINJA_ATTACKS[name])
    assert not report.ok
    _assert_spoken(report.findings[0].message)


@pytest.mark.parametrize("name", SQL_ATTACKS)
def test_an_attack_in_sql_is_rejected(name: str) -> None:
    for attempt in (SQL_ATTACKS[name], BASE + SQL_ATTACKS[name]):
        report = check_model(attempt)
        assert not report.ok
        for finding in report.findings:
            _assert_spoken(finding.message)


def _assert_spoken(message: str) -> None:
    assert message.endswith(".")
    assert not message.endswith("..")
    assert "\n" not in message


def test_a_hook_in_meta_is_only_text() -> None:
    facts = read_facts("{{ config(meta={'post_hook': 'drop table x'}) }}\nselect 1 as x\n")
    assert isinstance(facts, ModelFacts)
    assert facts.config.materialized == "view"


@pytest.mark.parametrize(
    "function", ["getenv", "read_text", "query", "current_setting", "write_log"]
)
def test_a_function_named_by_a_string_has_to_be_an_aggregate(function: str) -> None:
    """``list_aggregate`` is allowed: DuckDB looks the name up among the aggregates only."""
    connection = duckdb.connect(":memory:", config=dict(LOCKED_CONFIG))
    with connection, pytest.raises(duckdb.Error):
        connection.execute(f"select list_aggregate(['HOME'], '{function}')")


YAML_ATTACKS = {
    "python tag": "models:\n  - name: !!python/object/apply:os.system ['id']\n",
    "python name tag": "models:\n  - name: !!python/name:os.system\n",
    "own tag": "models:\n  - name: !include /etc/passwd\n",
    "tag directive": "%TAG ! tag:yaml.org,2002:python/\n---\nmodels:\n  - name: !object/apply:os.system ['id']\n",
    "anchor and alias": "models:\n  - &m\n    name: m\n  - *m\n",
    "merge key": "models:\n  - &m {name: m}\n  - {<<: *m, description: x}\n",
    "many laughs": "models:\n"
    + "".join(f"  - &a{n} [{', '.join([f'*a{n - 1}' if n else 'x'] * 9)}]\n" for n in range(30)),
    "itself": "models: &m\n  - name: m\n    config: {meta: {x: *m}}\n",
    "two documents": "models: []\n---\nmacros: []\n",
    "jinja as a key": "models:\n  - name: m\n    config: {meta: {\"{{ env_var('X') }}\": 1}}\n",
    "jinja behind an escape": 'models:\n  - name: m\n    description: "\\x7b\\x7b env_var(1) }}"\n',
    "jinja in a block text": "models:\n  - name: m\n    description: |\n      {%- do run_query(1) %}\n",
    "jinja in a test": (
        'models:\n  - name: m\n    data_tests:\n      - unique: {arguments: {column_name: "{{ x }}"}}\n'
    ),
    "overridden macro with jinja": (
        "unit_tests:\n  - name: t\n    model: m\n    given: []\n"
        "    overrides: {macros: {current_timestamp: \"{{ env_var('X') }}\"}}\n    expect: {rows: []}\n"
    ),
    "hook of the model": "models:\n  - name: m\n    config: {pre-hook: 'drop table x'}\n",
    "sql header": "models:\n  - name: m\n    config: {sql_header: 'drop table x;'}\n",
    "fixture that reads a file": (
        "unit_tests:\n  - name: t\n    model: m\n    expect: {rows: []}\n"
        "    given: [{input: this, format: sql, rows: \"select * from read_text('/etc/passwd')\"}]\n"
    ),
    "fixture with two statements": (
        "unit_tests:\n  - name: t\n    model: m\n    given: []\n"
        "    expect: {format: sql, rows: 'select 1; drop table x'}\n"
    ),
    "seeds": "seeds:\n  - name: x\n    config: {post_hook: 'drop table x'}\n",
    "exposures": "exposures:\n  - name: x\n",
}


@pytest.mark.parametrize("name", YAML_ATTACKS)
def test_an_attack_in_yaml_is_rejected(name: str) -> None:
    findings = check_yaml(YAML_ATTACKS[name])
    assert findings
    for finding in findings:
        _assert_spoken(finding.message)


YAML_IN_VALUES = [
    "!!python/object/apply:os.system ['id']",
    "!include /etc/passwd",
    "&anchor",
    "*alias",
    "<<",
    "---",
    "...",
    "%TAG ! x",
    "? x",
    "- x",
    "# x",
    "'; drop table x; --",
    '"; drop table x; --',
    "\u2028\u0085\ufeff",
    "{ {env_var('HOME')} }",
    "${HOME}",
    "yes",
    "1:30",
    "0x1F",
    "1e-07",
]


@pytest.mark.parametrize("value", YAML_IN_VALUES)
def test_values_of_a_specification_stay_values(tmp_path: Path, value: str) -> None:
    """As a fixture's value and as a scenario's name: no tag, anchor or key comes of it."""
    line = order_line(1, OrderNumber=value[:20])
    item = build_item(
        tmp_path, 1, "table", scenarios=[scenario(1, f"{value} happens", [line], [loaded(line)])]
    )
    assert check_yaml(item.request.yaml_text) == []
    found = precheck(item.request)
    assert [t.status.value for t in found.tests] == ["pass"], found.tests


def test_jinja_in_a_specification_disables_the_scenario(tmp_path: Path) -> None:
    line = order_line(1, OrderNumber="{{ env_var(1) }}")
    item = build_item(tmp_path, 1, "table", scenarios=[scenario(1, "x", [line], [loaded(line)])])
    assert check_yaml(item.request.yaml_text) == []
    (test,) = item.artifacts.unit_tests
    assert test.rendering == "disabled"
    assert "Jinja" in test.comment
