"""Models against their procedures in the interpreter, on random data, over rounds."""

from __future__ import annotations

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
    found = compare(
        source, parse_procedure(source), {target: model}, SCHEMA, seeds=range(3), prior=prior
    )
    assert not found.difference, found.difference
    assert found.compared > 0


@pytest.mark.parametrize("name", SHAPES)
def test_shapes(name: str) -> None:
    target, source = SHAPES[name]
    model = _model(source, target, SCHEMA, CompileOptions())
    assert model is not None
    node = parse_procedure(source)
    found = compare(source, node, {target: model}, SCHEMA, seeds=range(4), prior=True)
    assert not found.difference, found.difference
    assert found.compared > 0


@pytest.mark.slow
@pytest.mark.parametrize("warehouse", corpus.warehouses())
def test_the_corpus(warehouse: str) -> None:
    """Every compiled procedure of the corpus, 20 data sets, two rounds, prior rows."""
    differences: list[str] = []
    compared = 0
    for procedure in corpus.procedures(warehouse):
        models = {
            target: model
            for target in procedure.targets
            if (model := _model(procedure.source, target, procedure.schema, procedure.options))
        }
        if not models:
            continue
        found = compare(
            procedure.source,
            procedure.node,
            models,
            procedure.schema,
            modules=procedure.modules,
            rounds=2,
            prior=True,
        )
        compared += found.compared
        if found.difference:
            differences.append(f"{procedure.file}: {found.difference}")
    assert not differences, "\n".join(differences)
    assert compared > 0


def _model(source: str, target: str, schema: Schema, options: CompileOptions) -> Compiled | None:
    result = compile_procedure(source, target, schema, options)
    return result if isinstance(result, Compiled) else None
