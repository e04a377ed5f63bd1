"""Which tables stand behind the ``source()`` and ``ref()`` calls of a model and of its YAML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from core.dbt.facts import ModelFacts
from core.dbt.verify import InputColumn, InputKind, InputRelation, TargetTable
from core.project.catalog import CatalogTable
from core.project.codes import ProjectError
from core.project.names import QualifiedName
from core.project.project import MigrationProject


@dataclass(frozen=True)
class Inputs:
    """The relations found, and a sentence for each that could not be resolved."""

    relations: tuple[InputRelation, ...]
    problems: tuple[str, ...] = ()


def table_columns(table: CatalogTable) -> tuple[InputColumn, ...]:
    """The columns of a catalog table as verification wants them."""
    identity = {name.casefold() for name in table.identity_columns}
    return tuple(
        InputColumn(
            name=c.name,
            sql_type=c.sql_type,
            nullable=c.is_nullable,
            identity=c.name.casefold() in identity,
            default=c.default or "",
        )
        for c in table.columns
    )


def target_of(table: CatalogTable) -> TargetTable:
    """The target table of an item."""
    return TargetTable(table.qualified, table_columns(table))


def resolve_inputs(
    facts: ModelFacts,
    project: MigrationProject,
    models: Mapping[str, str],
    also: Iterable[QualifiedName] = (),
) -> Inputs:
    """Find the table behind every relation a model reads.

    ``models`` maps item ids to model names that may be referenced. ``also`` names tables the
    YAML's ``relationships`` tests refer to; one that cannot be found is passed over.
    """
    found: dict[str, InputRelation] = {}
    problems: list[str] = []
    by_model = {model: item for item, model in models.items()}
    relation: InputRelation | str | None
    for use in facts.sources:
        named = _behind_source(project, use.source, use.table)
        where = f"source('{use.source}', '{use.table}')"
        relation = _relation(project, InputKind.SOURCE, use.source, use.table, named)
        if isinstance(relation, str):
            problems.append(f"line {use.line}: {where} {relation}")
        else:
            found.setdefault(relation.key, relation)
    for ref in facts.refs:
        item = by_model.get(ref.name)
        table = QualifiedName.parse(item) if item else _behind_ref(project, ref.name)
        if table is None:
            problems.append(
                f"line {ref.line}: ref('{ref.name}') is neither a model of this project "
                "nor a seed with a catalog file"
            )
            continue
        relation = _relation(project, InputKind.REF, "", ref.name, table)
        if isinstance(relation, str):
            problems.append(f"line {ref.line}: ref('{ref.name}') {relation}")
        else:
            found.setdefault(relation.key, relation)
    for other in also:
        relation = as_input(project, models, other)
        if isinstance(relation, InputRelation):
            found.setdefault(relation.key, relation)
    return Inputs(tuple(found.values()), tuple(problems))


def as_input(
    project: MigrationProject, models: Mapping[str, str], table: QualifiedName
) -> InputRelation | None:
    """A table as a model of this project may refer to it: model, seed, or declared source."""
    model = models.get(table.item_id) or project.dbt.seed_for(table)
    if model:
        relation = _relation(project, InputKind.REF, "", model, table)
    else:
        declared = project.dbt.source_for(table)
        if declared is None:
            return None
        relation = _relation(
            project, InputKind.SOURCE, declared.source_name, declared.table_name, table
        )
    return None if isinstance(relation, str) else relation


def _behind_source(project: MigrationProject, source: str, table: str) -> QualifiedName:
    for declared in project.dbt.sources:
        if (declared.source_name, declared.table_name) == (source, table):
            return QualifiedName(name=declared.identifier, schema=declared.schema)
    return QualifiedName(name=table, schema=source)


def _behind_ref(project: MigrationProject, name: str) -> QualifiedName | None:
    """The table a seed or an unlisted model stands for."""
    generated = project.dbt.generated_for(name) if name in project.dbt.models else None
    if generated is not None:
        return generated
    for item in project.tables():
        table = QualifiedName.parse(item)
        if project.dbt.seed_for(table) == name:
            return table
    return None


def _relation(
    project: MigrationProject, kind: InputKind, source: str, name: str, table: QualifiedName
) -> InputRelation | str:
    try:
        catalog = project.table(table)
    except ProjectError as error:
        return f"has no columns: {error.diagnostic.message}"
    return InputRelation(kind, name, catalog.qualified, table_columns(catalog), source)
