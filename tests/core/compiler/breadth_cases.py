"""Procedures of many trades and hands, each file a small warehouse with its tables."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from core.compiler import Compiled, CompileOptions, Unsupported, compile_procedure, report
from core.compiler.inference import with_inferred
from core.project.files import read_text
from core.tsql.parser import parse_script
from tests.core.compiler.corpus import CorpusProcedure

FOLDER = Path(__file__).parent / "breadth"


@cache
def names() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in FOLDER.glob("*.sql")))


def procedures(name: str) -> Iterator[CorpusProcedure]:
    """The procedures of one file that write a permanent table."""
    script = parse_script(read_text(FOLDER / f"{name}.sql"))
    database = report.Database()
    report.collect(script, database)
    report.count_databases(script, database)
    options = CompileOptions(
        procedure=database.procedures.get,
        view=database.views.get,
        function=database.functions.get,
    )
    modules = (
        *database.views.values(),
        *database.functions.values(),
        *database.procedures.values(),
    )
    for node in script.procedures:
        source = script.text_of(node)
        targets = tuple(report.targets_of(source, database))
        if targets:
            schema, _ = with_inferred(database.schema(), [node], database.views)
            yield CorpusProcedure(f"{name}.sql", source, node, targets, schema, options, modules)


def results(procedure: CorpusProcedure) -> dict[str, Compiled | Unsupported]:
    """What the compiler says of each target of a procedure."""
    return {
        target: compile_procedure(procedure.source, target, procedure.schema, procedure.options)
        for target in procedure.targets
    }
