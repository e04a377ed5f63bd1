"""What is honestly known about a column, in a sentence: type, role, where it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from core.dbt.artifacts import ArtifactRequest
from core.project.catalog import CatalogTable, Column, ForeignKeyType, PiiAction
from core.project.names import QualifiedName


@dataclass(frozen=True)
class SingleForeignKey:
    """A foreign key of one column."""

    column: str
    table: QualifiedName
    referenced_column: str


@dataclass(frozen=True)
class CompositeForeignKey:
    """A foreign key of several columns; ``referenced_columns`` are in their order."""

    columns: tuple[str, ...]
    table: QualifiedName
    referenced_columns: tuple[str, ...]


def plain_text(text: str) -> str:
    """Text without Jinja (dbt evaluates descriptions) and without control characters."""
    for opening in ("{{", "{%", "{#"):
        text = text.replace(opening, opening[0] + " " + opening[1])
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def foreign_keys(table: CatalogTable) -> Iterator[SingleForeignKey]:
    """Declared and profiled foreign keys of one column, each once; degenerate ones are none."""
    seen: set[tuple[str, str]] = set()
    for found in (*_declared(table), *_profiled(table)):
        key = (found.column.casefold(), found.table.key)
        if key not in seen:
            seen.add(key)
            yield found


def _declared(table: CatalogTable) -> Iterator[SingleForeignKey]:
    for key in table.foreign_keys:
        if len(key.columns) == 1 and len(key.referenced_columns) == 1 and key.referenced_table:
            referenced = QualifiedName(name=key.referenced_table, schema=key.referenced_schema)
            yield SingleForeignKey(key.columns[0], referenced, key.referenced_columns[0])


def composite_foreign_keys(table: CatalogTable) -> Iterator[CompositeForeignKey]:
    """Declared foreign keys of several columns, each once (a profile knows single columns)."""
    seen: set[CompositeForeignKey] = set()
    for key in table.foreign_keys:
        columns, referenced = tuple(key.columns), tuple(key.referenced_columns)
        if len(columns) > 1 and len(columns) == len(referenced) and key.referenced_table:
            name = QualifiedName(name=key.referenced_table, schema=key.referenced_schema)
            found = CompositeForeignKey(columns, name, referenced)
            if found not in seen:
                seen.add(found)
                yield found


def _profiled(table: CatalogTable) -> Iterator[SingleForeignKey]:
    for key in table.profile.foreign_keys if table.profile else ():
        degenerate = key.fk_type is ForeignKeyType.DEGENERATE
        if not degenerate and key.references_source_relation and key.references_column:
            yield SingleForeignKey(
                key.column, key.references_source_relation, key.references_column
            )


def personal_data(request: ArtifactRequest, name: str) -> dict[str, object]:
    """``contains_pii`` and ``pii_action`` of a column, or nothing."""
    folded = name.casefold()
    profile = request.table.profile
    for pii in profile.pii_actions if profile else ():
        if pii.column.casefold() == folded:
            return {"contains_pii": True, "pii_action": pii.suggested_action.value}
    for sensitive in request.table.sensitivity_classifications:
        if sensitive.column.casefold() == folded:
            return {"contains_pii": True, "pii_action": PiiAction.KEEP.value}
    return {}


def describe_column(request: ArtifactRequest, name: str) -> str:
    """Key role, source and type of a column of the model."""
    table = request.table
    column = table.column(name)
    sentences = [*_roles(request, name), *_origin(request, name)]
    if column is not None:
        sentences.append(_type(column))
    else:
        sentences.append(f"Not a column of {table.display}.")
    return plain_text(" ".join(sentences))


def _roles(request: ArtifactRequest, name: str) -> Iterator[str]:
    table = request.table
    folded = name.casefold()
    key = [c.casefold() for c in table.key_columns]
    if folded in key:
        yield "Primary key." if len(key) == 1 else "Part of the primary key."
    natural = table.profile.natural_key.columns if table.profile else ()
    if folded in (c.casefold() for c in natural) and folded not in key:
        yield "Business key." if len(natural) == 1 else "Part of the business key."
    for foreign in foreign_keys(table):
        if foreign.column.casefold() == folded:
            yield f"Refers to {foreign.table.display}.{foreign.referenced_column}."
    if table.profile and table.profile.watermark.column.casefold() == folded:
        yield "Watermark: new rows are told from old ones by it."
    if personal_data(request, name):
        yield f"Personal data{_entity(request, folded)}."


def _entity(request: ArtifactRequest, folded: str) -> str:
    pii = request.table.profile.pii_actions if request.table.profile else ()
    entity = next((p.entity for p in pii if p.column.casefold() == folded and p.entity), "")
    return f" ({entity})" if entity else ""


def _origin(request: ArtifactRequest, name: str) -> Iterator[str]:
    fact = request.facts.column(name)
    identity = name.casefold() in (c.casefold() for c in request.table.identity_columns)
    if identity:
        yield "Surrogate key, numbered by SQL Server's IDENTITY in the original."
    if fact is None:
        return
    kind, _, column = fact.origin.partition(":")
    if kind == "source":
        yield f"Taken from {column}."
    elif kind == "ref":
        yield f"Taken from {column.partition('.')[0]}, column {column.partition('.')[2]}."
    elif fact.clock:
        yield "Set from the clock when the row is loaded."
    elif not identity and not fact.origin:
        yield "Derived in this model."


def _type(column: Column) -> str:
    nullable = "" if column.is_nullable else ", not null"
    return f"{column.sql_type.upper()}{nullable} in the original."
