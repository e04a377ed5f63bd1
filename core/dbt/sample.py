"""The tiny item on which a worker warms up: one of everything a real one has."""

from __future__ import annotations

from datetime import datetime

from core.dbt.outcome import ExpectedTest, TestKind
from core.dbt.verify import InputColumn, InputKind, InputRelation, TargetTable, VerifyRequest
from core.project.names import QualifiedName
from core.project.testspec import TestSpec

_SQL = """\
{{ config(materialized='incremental', incremental_strategy='merge', unique_key='id') }}
with things as (
    select * from {{ source('raw', 'thing') }}
),
others as (
    select * from {{ ref('stg_other') }}
),
final as (
    select things.id, things.amount, others.name
    from things
    left join others on others.id = things.id
    {% if is_incremental() %}
    where things.id >= (select coalesce(max(id), 0) from {{ this }})
    {% endif %}
)
select * from final
"""

_YAML = """\
version: 2
models:
  - name: stg_thing
    columns:
      - name: id
        data_tests:
          - unique
          - not_null
          - relationships:
              arguments:
                to: ref('stg_other')
                field: id
unit_tests:
  - name: thing_loaded
    model: stg_thing
    overrides:
      macros:
        is_incremental: true
    given:
      - input: source('raw', 'thing')
        rows: [{id: 1, amount: '1.50'}]
      - input: ref('stg_other')
        rows: [{id: 1, name: 'x'}]
      - input: this
        rows: []
    expect:
      rows: [{id: 1, amount: '1.50', name: 'x'}]
"""


def sample_request(clock: datetime) -> VerifyRequest:
    """A request that passes."""
    thing = QualifiedName("thing", "raw")
    other = QualifiedName("other", "silver")
    target = QualifiedName("Thing", "silver")
    number, amount = InputColumn("id", "INT"), InputColumn("amount", "DECIMAL(9,2)")
    name = InputColumn("name", "NVARCHAR(20)")
    spec = {
        "item_id": "silver.thing",
        "unit_tests": [
            {
                "name": "thing_loaded",
                "target_table": "silver.Thing",
                "given": [
                    {"table": "raw.thing", "rows": [{"id": 1, "amount": "1.50"}]},
                    {"table": "silver.other", "rows": [{"id": 1, "name": "x"}]},
                    {"table": "silver.Thing", "rows": [{"id": 1, "amount": "1.00"}]},
                ],
                "expect": {"rows": [{"id": 1, "amount": "1.50", "name": "x"}]},
            }
        ],
    }
    return VerifyRequest(
        item_id="silver.thing",
        model_name="stg_thing",
        sql=_SQL,
        yaml_text=_YAML,
        target=TargetTable(target, (number, amount, name)),
        inputs=(
            InputRelation(InputKind.SOURCE, "thing", thing, (number, amount), "raw"),
            InputRelation(InputKind.REF, "stg_other", other, (number, name)),
        ),
        spec=TestSpec.model_validate(spec),
        expected_tests=(ExpectedTest("thing_loaded", TestKind.UNIT),),
        clock=clock,
    )
