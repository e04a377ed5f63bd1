"""One job for the compiler: the project's names, keys, sources and models as its options."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Mapping

from core.compiler.options import (
    Collation,
    CompileOptions,
    Correction,
    Input,
    ModelInput,
    SourceInput,
)
from core.compiler.result import Compiled, Unsupported
from core.generation.author import Job
from core.project.names import NameSyntaxError, QualifiedName
from core.project.project import MigrationProject
from core.warehouse import Warehouse

_warehouses: weakref.WeakKeyDictionary[MigrationProject, Warehouse] = weakref.WeakKeyDictionary()
_turn = threading.Lock()


def compile_job(job: Job, corrections: frozenset[Correction]) -> Compiled | Unsupported:
    """Compile the job's procedure for its table; never raises for what it cannot do."""
    from core.compiler.compile import compile_procedure

    with _turn:
        warehouse = _warehouses.get(job.project)
        if warehouse is None:
            warehouse = _warehouses[job.project] = Warehouse(job.project)
        schema = warehouse.schema_for(job.procedure.text)
        return compile_procedure(
            job.procedure.text, job.table.item_id, schema, options_for(job, corrections)
        )


def options_for(job: Job, corrections: frozenset[Correction] = frozenset()) -> CompileOptions:
    """What the compiler is told about the project."""
    project, table = job.project, job.table
    profile = table.profile
    return CompileOptions(
        model_name=job.model_name,
        relation=lambda key: relation_of(project, job.existing_models, key),
        procedure=lambda key: _text(project.find_procedure, key),
        view=lambda key: _text(project.view, key),
        function=lambda key: _text(project.function, key),
        classification=table.kind.value if table.kind is not None else None,
        primary_key=table.key_columns,
        natural_key=profile.natural_key.columns if profile is not None else (),
        watermark=(profile.watermark.column or None) if profile is not None else None,
        collation=Collation(job.collation),
        corrections=corrections,
    )


def relation_of(project: MigrationProject, models: Mapping[str, str], key: str) -> Input | None:
    """How the dbt project reads a table: model, seed, declared source, or source by catalog name.

    A table that a writer loads is a ``ref`` only when its model is there (``models``): dbt refuses
    a whole project over one dangling ``ref``. ``None`` for a name the project does not know.
    """
    try:
        name = QualifiedName.parse(key)
    except NameSyntaxError:
        return None
    model = models.get(name.item_id)
    if model is not None:
        return ModelInput(model)
    known = project.knows_table(name) and project.has_catalog_file(name)
    table = project.table(name) if known else None
    if table is not None and table.is_seed:
        seed = project.dbt.seed_for(table.qualified)
        if seed is not None:
            return ModelInput(seed)
    declared = project.dbt.source_for(name)
    if declared is not None:
        return SourceInput(declared.source_name, declared.table_name)
    if table is not None:
        return SourceInput(table.schema_name, table.object_name)
    return None


def _text(find: Callable[[str], object], key: str) -> str | None:
    found = find(key)
    text = getattr(found, "text", None)
    return text if isinstance(text, str) else None
