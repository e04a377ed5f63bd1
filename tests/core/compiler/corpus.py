"""The procedures of the T-SQL corpus with the schema of their warehouse, for compiler tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core.compiler import CompileOptions, report
from core.compiler.inference import with_inferred
from core.project.files import read_text
from core.tsql import nodes
from core.tsql.parser import parse_script
from core.tsql.schema import Schema

FOLDER = Path(__file__).parents[1] / "tsql" / "corpus"


@dataclass(frozen=True)
class CorpusProcedure:
    """One procedure: its file, text, tree, the tables it writes, and what surrounds it."""

    file: str
    source: str
    node: nodes.CreateProcedure
    targets: tuple[str, ...]
    schema: Schema
    options: CompileOptions
    modules: tuple[str, ...]


@cache
def warehouses() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in (FOLDER / "tables").glob("*.sql")))


def procedures(warehouse: str) -> Iterator[CorpusProcedure]:
    """The procedures of one warehouse that write a permanent table."""
    database = report.Database()
    files = [FOLDER / "tables" / f"{warehouse}.sql", *sorted(FOLDER.glob(f"{warehouse}_*.sql"))]
    scripts = [(path.name, parse_script(read_text(path))) for path in files]
    for _, script in scripts:
        report.collect(script, database)
    for _, script in scripts:
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
    for file, script in scripts:
        for node in script.procedures:
            source = script.text_of(node)
            targets = tuple(report.targets_of(source, database))
            if targets:
                schema, _ = with_inferred(database.schema(), [node], database.views)
                yield CorpusProcedure(file, source, node, targets, schema, options, modules)
