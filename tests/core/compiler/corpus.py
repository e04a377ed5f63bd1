"""The procedures of the T-SQL corpus with the schema of their warehouse, for compiler tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from core.compiler import (
    Compiled,
    CompileOptions,
    ModelInput,
    Unsupported,
    compile_procedure,
    report,
)
from core.compiler.folder import Database
from core.compiler.inference import with_inferred
from core.compiler.options import Input
from core.project.files import read_text
from core.tsql import nodes
from core.tsql.parser import parse_script
from core.tsql.schema import Schema
from tests.core.compiler.differential import in_order, ref_name

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
    files = [FOLDER / "tables" / f"{warehouse}.sql", *sorted(FOLDER.glob(f"{warehouse}_*.sql"))]
    yield from procedures_of({path.name: parse_script(read_text(path)) for path in files})


def procedures_of(scripts: Mapping[str, nodes.Script]) -> Iterator[CorpusProcedure]:
    """The procedures of files, by their names, that write a permanent table."""
    database = Database.of(scripts.values())
    options, modules = database.options(), database.modules
    for file, script in scripts.items():
        for node in script.procedures:
            source = script.text_of(node)
            targets = tuple(report.targets_of(node, database))
            if targets:
                schema, _ = with_inferred(database.schema(), [node], database.views)
                yield CorpusProcedure(file, source, node, targets, schema, options, modules)


@dataclass(frozen=True)
class CorpusModels:
    """The models of one procedure's targets, and why the others have none.

    ``linked``: they read each other through ``ref()``. Where that is refused, or goes in a circle,
    every model sees the other targets as the procedure found them.
    """

    models: dict[str, Compiled]
    unsupported: dict[str, Unsupported]
    linked: bool


def models_of(procedure: CorpusProcedure) -> CorpusModels:
    """Compile every target of a procedure, linked by ``ref()`` where that is possible."""
    alone = _compile(procedure, procedure.options)
    if len(alone.models) < 2:
        return alone
    refs: dict[str, Input] = {key: ModelInput(ref_name(key)) for key in alone.models}
    linked = _compile(procedure, replace(procedure.options, relation=refs.get))
    if linked.models.keys() == alone.models.keys() and in_order(linked.models) is not None:
        return replace(linked, linked=True)
    return alone


def _compile(procedure: CorpusProcedure, options: CompileOptions) -> CorpusModels:
    models: dict[str, Compiled] = {}
    unsupported: dict[str, Unsupported] = {}
    for target in procedure.targets:
        found = compile_procedure(procedure.source, target, procedure.schema, options)
        if isinstance(found, Compiled):
            models[target] = found
        else:
            unsupported[target] = found
    return CorpusModels(models, unsupported, False)
