"""Models of procedures that lean on T-SQL's own ways, against the interpreter."""

from __future__ import annotations

import pytest

from core.compiler import CompileOptions, report
from core.compiler.folder import Database
from core.tsql.parser import parse_procedure, parse_script
from tests.core.compiler import corpus
from tests.core.compiler.differential import compare
from tests.core.compiler.hostile import DDL, PROCEDURES

DATABASE = Database.of([parse_script(DDL)])


def _compared(name: str, wanted: int) -> None:
    source = PROCEDURES[name]
    schema, node = DATABASE.schema(), parse_procedure(source)
    targets = tuple(report.targets_of(node, DATABASE))
    procedure = corpus.CorpusProcedure(name, source, node, targets, schema, CompileOptions(), ())
    compiled = corpus.models_of(procedure)
    assert not compiled.unsupported
    found = compare(source, node, compiled.models, schema, wanted=wanted)
    assert not found.difference, found.difference
    assert not found.refused, found.refused
    assert found.compared == wanted, found
    assert not found.empty, found


@pytest.mark.parametrize("name", PROCEDURES)
def test_what_is_peculiar_to_tsql_is_kept(name: str) -> None:
    _compared(name, 4)


@pytest.mark.slow
@pytest.mark.parametrize("name", PROCEDURES)
def test_what_is_peculiar_to_tsql_is_kept_on_many_data_sets(name: str) -> None:
    _compared(name, 25)
