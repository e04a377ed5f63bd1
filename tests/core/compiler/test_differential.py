"""Models against their procedures in the interpreter, on random data, over rounds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.compiler import Compiled, CompileOptions, compile_procedure
from core.tsql.parser import parse_procedure
from core.tsql.schema import Schema
from tests.core.compiler import (
    corpus,
    test_control_flow,
    test_data_statements,
    test_first_light,
    test_loops,
)
from tests.core.compiler.differential import compare
from tests.core.compiler.shapes import SHAPES
from tests.core.compiler.warehouse import SCHEMA

OURS = {
    "reload": (test_first_light.RELOAD, "silver.factorders"),
    "upsert": (test_first_light.UPSERT, "silver.customer"),
    "conditional merge": (test_first_light.CONDITIONAL, "silver.dimcustomer"),
    "scd2": (test_data_statements.SCD2, "silver.dimcustomer"),
    "scd2 over merge output": (test_data_statements.SCD2_MERGE, "silver.dimcustomer"),
    "update and insert": (test_data_statements.UPDATE_INSERT, "silver.customer"),
    "temp tables": (test_data_statements.TEMPS, "silver.factorders"),
    "mode": (test_control_flow.MODE, "silver.factorders"),
    "days": (test_loops.DAYS, "silver.factorders"),
    "cursor": (test_loops.CURSOR, "silver.customer"),
}


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("prior", [False, True])
def test_a_model_leaves_what_its_procedure_leaves(name: str, prior: bool) -> None:
    source, target = OURS[name]
    model = _model(source, target, SCHEMA, CompileOptions())
    assert model is not None
    node = parse_procedure(source)
    found = compare(source, node, {target: model}, SCHEMA, wanted=3, prior=prior)
    assert not found.difference, found.difference
    assert found.compared == 3, found


@pytest.mark.parametrize("name", SHAPES)
def test_shapes(name: str) -> None:
    target, source = SHAPES[name]
    model = _model(source, target, SCHEMA, CompileOptions())
    assert model is not None
    found = compare(source, parse_procedure(source), {target: model}, SCHEMA, wanted=6)
    assert not found.difference, found.difference
    assert found.compared == 6, found
    assert not found.empty, found


@pytest.mark.slow
@pytest.mark.parametrize("warehouse", corpus.warehouses())
def test_the_corpus(warehouse: str) -> None:
    """Every model of the corpus: 20 data sets that the procedure survives, two rounds each."""
    wrong: list[str] = []
    compared = 0
    for procedure in corpus.procedures(warehouse):
        compiled = corpus.models_of(procedure)
        if not compiled.models:
            continue
        found = compare(
            procedure.source,
            procedure.node,
            compiled.models,
            procedure.schema,
            modules=procedure.modules,
            wanted=20,
        )
        compared += 1
        if found.difference or found.refused:
            wrong.append(f"{procedure.file}: {found.difference or found.refused}")
        elif found.compared < 20:
            wrong.append(f"{procedure.file}: {found.compared} data sets compared, {found.failed}")
    assert not wrong, "\n".join(wrong)
    assert compared > 0


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("scd2", "    and d.IsCurrent = 1\n", ""),
        ("scd2", "left join unchanged", "inner join unchanged"),
        ("scd2", "coalesce((select max(CustomerKey) from existing_dim_customer), 0)", "0"),
        ("scd2", "coalesce(d.City, '') <>", "d.City <>"),
        ("upsert", "merge_exclude_columns=['CreatedAt', 'UpdatedAt'],", ""),
        ("upsert", "' '", "'-'"),
        ("reload", "decimal(18, 2)", "decimal(18, 3)"),
    ],
)
def test_a_wrong_model_is_told(name: str, right: str, wrong: str) -> None:
    """The comparison is worth something: it sees one changed predicate, join, key or literal."""
    source, target = OURS[name]
    model = _model(source, target, SCHEMA, CompileOptions())
    assert model is not None
    assert right in model.sql
    broken = replace(model, sql=model.sql.replace(right, wrong))
    found = compare(source, parse_procedure(source), {target: broken}, SCHEMA, wanted=20)
    assert found.difference


def _model(source: str, target: str, schema: Schema, options: CompileOptions) -> Compiled | None:
    result = compile_procedure(source, target, schema, options)
    return result if isinstance(result, Compiled) else None
