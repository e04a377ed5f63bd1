"""Every attack is rejected, with a line and a sentence that says what is wrong."""

# ruff: noqa: E501 - one case, one line

from __future__ import annotations

import pytest

from core.dbt.guard import check_model
from core.dbt.yaml_guard import check_yaml

BASE = "with a as (select * from {{ source('bronze', 'T') }})\n"

JINJA_ATTACKS = {
    "python through a materialization macro": (
        "{% do model.update({'language': 'python'}) %}"
        "{% do context['materialization_table_duckdb'](model) %}select 1"
    ),
    "update of the model's dictionary": "{{ model.update({'config': {}}) }} select 1",
    "update of the context": "{{ context.update({'x': 1}) }} select 1",
    "environment variable": "select '{{ env_var('SECRET_TOKEN') }}' as x",
    "run_query": "{{ run_query('drop table x') }} select 1",
    "run_query inside if": "{% if run_query('drop table x') %}select 1{% endif %}",
    "statement block": "{% call statement('x') %}drop table x{% endcall %} select 1",
    "adapter": "{{ adapter.drop_relation(this) }} select 1",
    "pre_hook": "{{ config(pre_hook='drop table x') }} select 1",
    "post_hook": "{{ config(materialized='table', post_hook=['drop table x']) }} select 1",
    "sql_header": "{{ config(sql_header='drop table x;') }} select 1",
    "alias": "{{ config(alias='other_table') }} select 1",
    "schema": "{{ config(schema='raw') }} select 1",
    "database": "{{ config(database='prod') }} select 1",
    "location": "{{ config(materialized='external', location='/tmp/x.csv') }} select 1",
    "external materialization": "{{ config(materialized='external') }} select 1",
    "incremental predicates": "{{ config(incremental_predicates=['1=1); drop table x; --']) }} select 1",
    "unique_key with SQL": "{{ config(unique_key='id); drop table x; --') }} select 1",
    "config with a dictionary": "{{ config({'pre_hook': 'drop table x'}) }} select 1",
    "config with star kwargs": "{{ config(**model.config) }} select 1",
    "set": "{% set x = run_query('select 1') %}select 1",
    "macro": "{% macro generate_schema_name() %}x{% endmacro %}select 1",
    "for loop": "{% for i in range(1000000000) %}{{ i }}{% endfor %}select 1",
    "include": "{% include 'profiles.yml' %}select 1",
    "import": "{% import 'x' as y %}select 1",
    "filter": "select {{ 'x' | upper }}",
    "attr filter": "select {{ ''|attr('__class__') }}",
    "class of a string": "select {{ ''.__class__.__mro__ }}",
    "globals of cycler": "select {{ cycler.__init__.__globals__ }}",
    "target": "select '{{ target.path }}'",
    "flags": "select '{{ flags }}'",
    "invocation arguments": "select '{{ invocation_args_dict }}'",
    "attribute of this": "select '{{ this.schema }}'",
    "subscript": "select {{ var('x')[0] }}",
    "call of a call": "{{ var('x')() }} select 1",
    "computed ref": "select * from {{ ref('a' ~ 'b') }}",
    "ref of a var": "select * from {{ ref(var('x')) }}",
    "ref with quotes": "select * from {{ ref('x\"; drop table y') }}",
    "source with a quote": "select * from {{ source('a', \"b'; drop table y\") }}",
    "jinja in a var default": "select '{{ var('x', '{{ env_var(1) }}') }}'",
    "raw block": "{% raw %}{{ run_query('x') }}{% endraw %} select 1",
    "log": "{{ log('x', info=true) }} select 1",
    "exceptions": "{{ exceptions.raise_compiler_error('x') }} select 1",
    "builtins": "select * from {{ builtins.ref('x') }}",
    "modules": "select '{{ modules.os.environ }}'",
    "fromjson": "select {{ fromjson('[1]') }}",
    "graph": "select '{{ graph.nodes }}'",
    "dispatch": "{{ adapter.dispatch('x')() }} select 1",
    "concat": "select {{ 'a' ~ 'b' }}",
}

SQL_ATTACKS = {
    "two statements": "select 1; drop table x",
    "ddl": "drop table x",
    "insert": "insert into x select 1",
    "delete in a CTE": "with gone as (delete from x returning *) select * from gone",
    "update in a CTE": "with u as (update x set a = 1 returning *) select * from u",
    "insert in a CTE": "with i as (insert into x values (1) returning *) select * from i",
    "escape from the materialization": "select 1 as a); drop table x; select (1",
    "escape through a comment": "select 1 /* */ ; drop table x; --",
    "nested comments": "select 1 /* /* */ */ ; attach 'x' as y",
    "dollar quotes": "select $$a$$ ; drop table x",
    "copy": "copy (select 1) to '/tmp/x.csv'",
    "copy from": "copy x from '/etc/passwd'",
    "attach": "attach '/tmp/x.db' as other",
    "export": "export database '/tmp/x'",
    "install": "install httpfs",
    "load": "load httpfs",
    "pragma": "pragma database_list",
    "set": "set enable_external_access = true",
    "call": "call pragma_version()",
    "file as a table": "select * from '/etc/passwd'",
    "csv as a table": "select * from 'https://example.com/x.csv'",
    "read_csv": "select * from read_csv('/etc/passwd')",
    "read_csv in quotes": "select * from \"read_csv\"('/etc/passwd')",
    "read_text as a value": "select (select content from read_text('/etc/passwd')) as x",
    "read_blob with a schema": "select * from main.read_blob('/etc/passwd')",
    "read_parquet in a join": "select 1 from a join read_parquet('x') p on true",
    "glob": "select * from glob('/**')",
    "query": "select * from query('drop table x')",
    "query_table": "select * from query_table('secrets')",
    "duckdb_settings": "select * from duckdb_settings()",
    "duckdb_secrets": "select * from duckdb_secrets()",
    "pragma function": "select * from pragma_storage_info('x')",
    "getenv": "select getenv('SECRET_TOKEN') as x",
    "current_setting": "select current_setting('threads') as x",
    "getvariable": "select getvariable('x') as x",
    "sequence": "select nextval('s') as x",
    "method call": "select '/etc/passwd'.read_text() as x",
    "sleep": "select sleep_ms(100000) as x",
    "write_log": "select write_log('x') as x",
    "user": "select current_user as x",
    "hard-coded table": "select * from raw.customers",
    "hard-coded table, bare": "select * from customers",
    "hard-coded table in a subquery": "select 1 as x where exists (select 1 from raw.customers)",
    "hard-coded table in a scalar": "select (select max(id) from raw.customers) as x",
    "hard-coded table in a lateral join": "select * from a, lateral (select * from raw.c) as l",
    "table of the catalog": "select * from information_schema.tables",
    "table of another database": "select * from memory.main.x",
    "a CTE of another scope": (
        "select * from secret, (with secret as (select 1 as x) select * from secret) as y"
    ),
    "reserved stub": 'select * from "__ref"."x"',
    "reserved source stub": 'select * from "__src:bronze"."Other"',
    "describe": "describe select 1",
    "summarize": "summarize select 1",
    "show": "show tables",
    "tablesample": "select * from a tablesample 10%",
    "parameter": "select $1 as x",
    "branch behind a var": (
        "{% if var('mode', 'x') == 'y' %}drop table x{% else %}select 1 as x{% endif %}"
    ),
    "text behind a var": "select 1 as x {{ '; drop table x' if var('m', 'a') == 'b' else '' }}",
    "branch of incremental runs": "{% if is_incremental() %}drop table x{% else %}select 1{% endif %}",
    "merge": "merge into x using a on true when matched then delete",
    "pivot statement": "pivot raw.x on y using sum(z)",
    "not SQL": "exec xp_cmdshell 'dir'",
    "empty": "-- nothing\n",
    "nul": "select 1 \x00",
}


@pytest.mark.parametrize("name", JINJA_ATTACKS)
def test_an_attack_in_jinja_is_rejected(name: str) -> None:
    report = check_model(JINJA_ATTACKS[name])
    assert not report.ok
    assert report.findings[0].line == 1
    assert report.findings[0].message.endswith(".")


@pytest.mark.parametrize("name", SQL_ATTACKS)
def test_an_attack_in_sql_is_rejected(name: str) -> None:
    text = SQL_ATTACKS[name]
    with_import = BASE + text if text.startswith(("select", "{%")) else text
    for attempt in (text, with_import):
        report = check_model(attempt)
        assert not report.ok
        assert all(finding.message.endswith(".") for finding in report.findings)


def test_a_finding_names_the_line_of_the_model() -> None:
    report = check_model(
        "{{ config(\n    materialized='table'\n) }}\n\nselect\n    1 as a,\n    getenv('X') as b\n"
    )
    assert [finding.line for finding in report.findings] == [7]


def test_a_relation_that_is_not_an_input_is_rejected() -> None:
    sql = "select * from {{ ref('stg_other') }}"
    assert check_model(sql, {"ref:stg_other"}).ok
    assert "stg_other" in check_model(sql, {"ref:stg_customer"}).findings[0].message
    source = "select * from {{ source('bronze', 'customer') }}"
    assert not check_model(source, {"source:bronze.Customer"}).ok


YAML_ATTACKS = {
    "env_var in a description": "models:\n  - name: m\n    description: \"{{ env_var('X') }}\"\n",
    "jinja in a fixture": (
        "unit_tests:\n  - name: t\n    model: m\n    given: []\n"
        "    expect: {rows: [{a: \"{{ run_query('x') }}\"}]}\n"
    ),
    "hook": "models:\n  - name: m\n    config: {post_hook: 'drop table x'}\n",
    "macro file": "macros:\n  - name: generate_schema_name\n",
    "unit tests under a model": "models:\n  - name: m\n    unit_tests: [{name: t}]\n",
    "two unit tests of one name": (
        "unit_tests:\n  - {name: t, model: m}\n  - {name: t, model: m}\n"
    ),
    "comment tag": "models:\n  - name: m\n    description: '{# x #}'\n",
    "block in a test argument": (
        "models:\n  - name: m\n    columns:\n      - name: a\n        data_tests:\n"
        "          - unique: {config: {where: \"{% do run_query('x') %}\"}}\n"
    ),
    "not YAML": "models: [\n",
    "not a mapping": "- a\n- b\n",
}


@pytest.mark.parametrize("name", YAML_ATTACKS)
def test_yaml_that_dbt_would_evaluate_or_ignore_is_rejected(name: str) -> None:
    assert check_yaml(YAML_ATTACKS[name])
