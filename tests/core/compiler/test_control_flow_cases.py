"""Loops, jumps, transactions and calls: the models leave what the procedures leave."""

from __future__ import annotations

import pytest

from core.compiler import Compiled, CompileOptions, compile_procedure
from core.tsql.parser import parse_procedure
from tests.core.compiler.control_flow_cases import CALLED, CASES
from tests.core.compiler.differential import compare
from tests.core.compiler.warehouse import SCHEMA


@pytest.mark.parametrize("name", CASES)
def test_a_model_leaves_what_its_procedure_leaves(name: str) -> None:
    targets, source = CASES[name]
    options = CompileOptions(procedure=CALLED.get)
    models: dict[str, Compiled] = {}
    for target in targets:
        result = compile_procedure(source, target, SCHEMA, options)
        assert isinstance(result, Compiled), result
        models[target] = result
    modules = tuple(CALLED.values())
    node = parse_procedure(source)
    found = compare(source, node, models, SCHEMA, modules=modules, wanted=8)
    assert not found.difference, found.difference
    assert not found.refused, found.refused
    assert found.compared == 8, found
