"""A view counts as what it reads, whether the model reads the view or spells it out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.project.project import MigrationProject
from core.review.material import ReviewRequest, material_of
from core.review.reviewer import review
from tests.core.project.builder import ProjectBuilder
from tests.core.review.test_defects import error_codes

READS_VIEW = """{{ config(materialized='table') }}

with open_orders as (

    select * from {{ source('bronze', 'vw_OpenOrders') }}

),

final as (

    select OrderID, Amount from open_orders

)

select * from final
"""

SPELLED_OUT = """{{ config(materialized='table') }}

with orders as (

    select * from {{ source('bronze', 'Orders') }}

),

open_orders as (

    select OrderID, Total as Amount from orders where ClosedOn is null

),

final as (

    select OrderID, Amount from open_orders

)

select * from final
"""


@pytest.fixture
def project(tmp_path: Path) -> MigrationProject:
    return MigrationProject.open(
        ProjectBuilder(tmp_path)
        .source("bronze.Orders", "OrderID INT", "Total DECIMAL(9,2)", "ClosedOn DATE")
        .source("bronze.vw_OpenOrders", "OrderID INT", "Amount DECIMAL(9,2)")
        .ddl(
            "views",
            "CREATE VIEW bronze.vw_OpenOrders AS\n"
            "SELECT OrderID, Total AS Amount FROM bronze.Orders WHERE ClosedOn IS NULL",
        )
        .table("silver.Backlog", "OrderID INT NOT NULL", "Amount DECIMAL(9,2)", key=["OrderID"])
        .procedure(
            "CREATE PROC silver.usp_load_Backlog AS\nTRUNCATE TABLE silver.Backlog\n"
            "INSERT silver.Backlog SELECT v.OrderID, v.Amount FROM bronze.vw_OpenOrders v"
        )
        .spec("silver.Backlog", given={}, expect=[])
        .write()
    )


@pytest.mark.parametrize("sql", [READS_VIEW, SPELLED_OUT], ids=["reads it", "spells it out"])
def test_both_ways_of_reading_a_view_are_sound(project: MigrationProject, sql: str) -> None:
    table = project.table("silver.Backlog")
    assert table.writer is not None
    request = ReviewRequest(
        item_id="silver.backlog",
        model_name="stg_backlog",
        sql=sql,
        yaml_text="",
        table=table,
        spec=project.test_spec("silver.Backlog"),
        procedure=project.procedure(table.writer),
        project=project,
    )
    expected = material_of(request).expected
    assert expected is not None
    yaml_text = expected.yaml_text
    assert error_codes(review(replace(request, yaml_text=yaml_text))) == set()
