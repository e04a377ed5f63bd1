"""Items as the pipeline makes them: catalog, scenarios and model of an order-line fact.

``shop_item(7, "merge")`` differs from ``shop_item(8, "merge")`` in names and values, so that
nothing can be answered from a cache.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from core.dbt.artifacts import ArtifactRequest, Artifacts, render_artifacts
from core.dbt.facts import ModelFacts, read_facts
from core.dbt.inputs import resolve_inputs, target_of
from core.dbt.verify import InputRelation, VerifyRequest
from core.project.catalog import CatalogTable
from core.project.project import MigrationProject
from core.project.testspec import TestSpec


@dataclass(frozen=True)
class Assumed:
    """What an author says it takes for granted."""

    kind: str
    text: str
    relation: str = ""
    columns: tuple[str, ...] = ()


COLUMNS = [
    ("OrderLineKey", "BIGINT"),
    ("OrderNumber", "NVARCHAR(20)"),
    ("CustomerId", "INT"),
    ("CustomerName", "NVARCHAR(100)"),
    ("Region", "NCHAR(10)"),
    ("Quantity", "INT"),
    ("UnitPrice", "DECIMAL(18,2)"),
    ("Discount", "DECIMAL(9,4)"),
    ("NetAmount", "DECIMAL(18,4)"),
    ("Weight", "FLOAT"),
    ("IsGift", "BIT"),
    ("OrderDate", "DATE"),
    ("ShippedAt", "DATETIME2(7)"),
    ("Comment", "NVARCHAR(MAX)"),
    ("ModifiedAt", "DATETIME2(7)"),
    ("LoadedAt", "DATETIME2(7)"),
]


@dataclass(frozen=True)
class Item:
    """One item with everything derived from it."""

    project: MigrationProject
    model_name: str
    sql: str
    facts: ModelFacts
    artifacts: Artifacts
    request: VerifyRequest
    inputs: tuple[InputRelation, ...]
    table: CatalogTable
    spec: TestSpec


def write_project(root: Path, number: int, scenarios: list[dict[str, object]]) -> MigrationProject:
    """A small migration project: an order-line source, a customer dimension, one fact."""
    fact = f"FactOrderLine{number}"
    tables = {
        "bronze.orderline": {
            "schema": "bronze",
            "name": "OrderLine",
            "columns": [{"name": n, "sql_type": t} for n, t in COLUMNS[:-1]],
            "is_source": True,
        },
        "silver.dimcustomer": {
            "schema": "silver",
            "name": "DimCustomer",
            "columns": [
                {"name": "CustomerId", "sql_type": "INT", "is_nullable": False},
                {"name": "CustomerName", "sql_type": "NVARCHAR(100)"},
            ],
        },
        f"silver.{fact.lower()}": {
            "schema": "silver",
            "name": fact,
            "columns": [
                {"name": n, "sql_type": t, "is_nullable": n not in ("OrderLineKey", "OrderNumber")}
                for n, t in COLUMNS
            ],
            "scoping": {"status": "resolved", "selected_writer": f"[silver].[usp_Load{fact}]"},
            "profile": {
                "status": "ok",
                "classification": {"resolved_kind": "fact_transaction"},
                "primary_key": {"columns": ["OrderLineKey"], "primary_key_type": "natural"},
                "watermark": {"column": "ModifiedAt"},
                "foreign_keys": [
                    {
                        "column": "CustomerId",
                        "references_source_relation": "silver.DimCustomer",
                        "references_column": "CustomerId",
                    }
                ],
                "pii_actions": [
                    {"column": "CustomerName", "entity": "name", "suggested_action": "mask"}
                ],
            },
        },
    }
    for name, value in tables.items():
        path = root / "catalog" / "tables" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value))
    (root / "manifest.json").write_text(
        json.dumps({"technology": "sql_server", "dialect": "tsql", "source_database": "Shop"})
    )
    spec = {"item_id": f"silver.{fact.lower()}", "status": "ok", "unit_tests": scenarios}
    (root / "test-specs").mkdir(exist_ok=True)
    (root / "test-specs" / f"silver.{fact.lower()}.json").write_text(json.dumps(spec))
    dbt = root / "dbt"
    (dbt / "models" / "staging").mkdir(parents=True, exist_ok=True)
    (dbt / "dbt_project.yml").write_text(
        "name: shop\nversion: '1.0'\nprofile: shop\nmodel-paths: [models]\n"
    )
    (dbt / "models" / "staging" / "stg_dimcustomer.sql").write_text(
        "select 1 as CustomerId, 'x' as CustomerName\n"
    )
    return MigrationProject.open(root)


def order_line(key: int, **changed: object) -> dict[str, object]:
    """A source row."""
    row: dict[str, object] = {
        "OrderLineKey": key,
        "OrderNumber": f"SO-{key:05d}",
        "CustomerId": key % 3 + 1,
        "Region": "North",
        "Quantity": 2,
        "UnitPrice": "10.50",
        "Discount": "0.1",
        "Weight": 1.25,
        "IsGift": True,
        "OrderDate": "2024-01-15",
        "ShippedAt": "2024-01-16 08:30:00.000",
        "Comment": None,
        "ModifiedAt": "2024-01-15T00:00:00",
    }
    return {**row, **changed}


def loaded(row: dict[str, object], customer: str | None = None) -> dict[str, object]:
    """What the procedure makes of a source row."""
    number = row["CustomerId"]
    out = {k: v for k, v in row.items() if k not in ("Comment",)}
    out["CustomerName"] = customer if customer is not None else f"Customer {number}"
    price, quantity = float(str(row["UnitPrice"])), int(str(row["Quantity"]))
    out["NetAmount"] = f"{price * quantity * (1 - float(str(row['Discount']))):.4f}"
    return out


CUSTOMERS = [{"CustomerId": i, "CustomerName": f"Customer {i}"} for i in (1, 2, 3)]


def scenario(
    number: int,
    name: str,
    source: list[dict[str, object]],
    expect: list[dict[str, object]],
    prior: list[dict[str, object]] | None = None,
    **more: object,
) -> dict[str, object]:
    """One ``unit_tests[]`` entry."""
    fact = f"FactOrderLine{number}"
    given: list[dict[str, object]] = [
        {"table": "[bronze].[OrderLine]", "rows": source},
        {"table": "[silver].[DimCustomer]", "rows": CUSTOMERS},
    ]
    if prior is not None:
        given.append({"table": f"[silver].[{fact}]", "rows": prior})
    return {
        "name": name,
        "target_table": f"[silver].[{fact}]",
        "procedure": f"[silver].[usp_Load{fact}]",
        "given": given,
        "expect": {"rows": expect},
        **more,
    }


def shop_scenarios(number: int, kind: str, count: int = 2) -> list[dict[str, object]]:
    """``count`` scenarios that are right for ``shop_sql`` of that kind."""
    made = []
    for index in range(count):
        first, second = order_line(number * 100 + index), order_line(number * 100 + index + 50)
        if index % 2 == 0 or kind == "table":
            expect = [loaded(first), loaded(second)]
            made.append(scenario(number, f"first_load_{index}", [first, second], expect))
            continue
        old = {**loaded(first), "Quantity": 1}
        changed = {**first, "ModifiedAt": "2024-02-01"}
        expect = [loaded(changed)] if kind != "append" else [old, loaded(changed)]
        made.append(scenario(number, f"changed_row_{index}", [changed], expect, prior=[old]))
    return made


CONFIGS = {
    "table": "materialized='table'",
    "append": "materialized='incremental', incremental_strategy='append'",
    "merge": "materialized='incremental', incremental_strategy='merge', unique_key='OrderLineKey'",
    "delete+insert": "materialized='incremental', incremental_strategy='delete+insert', "
    "unique_key=['OrderLineKey']",
}


def shop_sql(number: int, kind: str) -> str:
    """The model of ``FactOrderLine<number>``."""
    condition = (
        "    {% if is_incremental() %}\n"
        "    where l.ModifiedAt > (select coalesce(max(ModifiedAt), timestamp '1900-01-01') "
        "from {{ this }})\n"
        "    {% endif %}\n"
    )
    return f"""{{{{ config({CONFIGS[kind]}) }}}}

-- order lines of batch {number}
with order_lines as (

    select * from {{{{ source('bronze', 'OrderLine') }}}}

),

customers as (

    select * from {{{{ ref('stg_dimcustomer') }}}}

),

final as (

    select
        l.OrderLineKey,
        l.OrderNumber,
        l.CustomerId,
        c.CustomerName,
        l.Region,
        l.Quantity,
        l.UnitPrice,
        l.Discount,
        cast(l.Quantity * l.UnitPrice * (1 - l.Discount) as decimal(18, 4)) as NetAmount,
        l.Weight,
        l.IsGift,
        l.OrderDate,
        l.ShippedAt,
        l.Comment,
        l.ModifiedAt,
        cast({{{{ current_timestamp() }}}} as timestamp) as LoadedAt
    from order_lines as l
    left join customers as c
        on c.CustomerId = l.CustomerId
{condition if kind != "table" else ""}
)

select * from final
"""


def build_item(
    root: Path,
    number: int = 1,
    kind: str = "merge",
    *,
    sql: str | None = None,
    scenarios: list[dict[str, object]] | None = None,
    count: int = 2,
    replay_only: frozenset[str] = frozenset(),
    deadline_s: float = 60.0,
    assumptions: tuple[Assumed, ...] = (),
) -> Item:
    """The item, rendered and ready to be verified."""
    chosen = scenarios if scenarios is not None else shop_scenarios(number, kind, count)
    project = write_project(root, number, chosen)
    text = sql if sql is not None else shop_sql(number, kind)
    item_id = f"silver.factorderline{number}"
    model = f"stg_factorderline{number}"
    models = {"silver.dimcustomer": "stg_dimcustomer", item_id: model}
    facts = read_facts(text)
    assert isinstance(facts, ModelFacts), facts
    table = project.table(item_id)
    spec = project.test_spec(item_id)
    inputs = resolve_inputs(facts, project, models)
    artifacts = render_artifacts(
        ArtifactRequest(
            model_name=model,
            facts=facts,
            table=table,
            spec=spec,
            dbt=project.dbt,
            writer=f"silver.usp_LoadFactOrderLine{number}",
            inputs=inputs.relations,
            models=models,
            replay_only=replay_only,
            assumptions=assumptions,
        )
    )
    request = VerifyRequest(
        item_id=item_id,
        model_name=model,
        sql=text,
        yaml_text=artifacts.yaml_text,
        target=target_of(table),
        inputs=inputs.relations,
        spec=spec,
        expected_tests=artifacts.expected_tests,
        shared_files=artifacts.shared_files,
        deadline_s=deadline_s,
    )
    return Item(project, model, text, facts, artifacts, request, inputs.relations, table, spec)
