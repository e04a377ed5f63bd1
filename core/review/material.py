"""What a review looks at, as plain values that can travel to a worker process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from core.dbt.artifacts import ArtifactRequest, Artifacts, AssumptionLike, render_artifacts
from core.dbt.facts import FactsError, ModelFacts, read_facts
from core.dbt.inputs import resolve_inputs
from core.dbt.verify import InputRelation
from core.project.catalog import CatalogTable
from core.project.codes import ProjectError
from core.project.ddl import ProcedureSource
from core.project.project import MigrationProject
from core.project.testspec import TestSpec
from core.warehouse import warehouse_of


@dataclass(frozen=True)
class ReviewRequest:
    """What the reviewer sees. ``models`` maps item ids to names of models that may be ref'd.

    ``replay_only`` names scenarios whose unit test is rightly disabled (``core.dbt.artifacts``).
    ``inputs`` and ``expected`` (the artifacts as they are rendered from the same model, catalog and
    test spec) are found out here where the caller does not have them at hand.
    ``expected_name`` is the name the model should have (empty: ``model_name`` is right).
    """

    item_id: str
    model_name: str
    sql: str
    yaml_text: str
    table: CatalogTable
    spec: TestSpec
    procedure: ProcedureSource
    project: MigrationProject
    models: Mapping[str, str] = field(default_factory=dict)
    assumptions: tuple[AssumptionLike, ...] = ()
    replay_only: frozenset[str] = frozenset()
    inputs: tuple[InputRelation, ...] | None = None
    expected: Artifacts | None = None
    expected_name: str = ""


@dataclass(frozen=True)
class ReviewMaterial:
    """One version of a model, and the part of the project that it and its procedure can name.

    ``tables`` maps relation keys of the model (``ref:x``, ``source:a.b``) to ``schema.table``;
    ``columns`` are the columns of tables, ``views`` the texts of views, by ``schema.name`` in lower
    case. ``expected`` is empty where the model's text cannot be read.
    """

    item_id: str
    model_name: str
    expected_name: str
    sql: str
    yaml_text: str
    table: CatalogTable
    procedure: ProcedureSource
    expected: Artifacts | None
    tables: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    views: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def facts(self) -> ModelFacts | FactsError:
        """What can be read from the model's text."""
        return read_facts(self.sql)

    @property
    def writer(self) -> str:
        """The procedure's name for people."""
        return writer_of(self.table, self.procedure)


def material_of(request: ReviewRequest) -> ReviewMaterial:
    """Look everything up that a review may need; not on the event loop."""
    inputs, expected = _known(request)
    tables = {relation.key: relation.table.item_id for relation in inputs}
    project = request.project
    reached = warehouse_of(project).reachable([request.procedure.text, request.sql])
    reached |= set(tables.values())
    target = request.item_id.casefold()
    columns = {
        key: found for key in sorted(reached) if (found := _columns(project, key)) is not None
    }
    columns[target] = tuple(c.name for c in request.table.columns)
    return ReviewMaterial(
        item_id=request.item_id,
        model_name=request.model_name,
        expected_name=request.expected_name or request.model_name,
        sql=request.sql,
        yaml_text=request.yaml_text,
        table=request.table,
        procedure=request.procedure,
        expected=expected,
        tables=tables,
        columns=columns,
        views={key: project.views[key].text for key in sorted(reached) if key in project.views},
    )


def _known(request: ReviewRequest) -> tuple[tuple[InputRelation, ...], Artifacts | None]:
    """The model's inputs and the artifacts it should have, as given or found out."""
    if request.inputs is not None and request.expected is not None:
        return request.inputs, request.expected
    facts = read_facts(request.sql)
    if isinstance(facts, FactsError):
        return (), None
    inputs = request.inputs
    if inputs is None:
        inputs = resolve_inputs(facts, request.project, request.models).relations
    return inputs, request.expected or _rendered(request, facts, inputs)


def _rendered(
    request: ReviewRequest, facts: ModelFacts, inputs: tuple[InputRelation, ...]
) -> Artifacts:
    """The YAML this model should have."""
    wanted = ArtifactRequest(
        model_name=request.model_name,
        facts=facts,
        table=request.table,
        spec=request.spec,
        dbt=request.project.dbt,
        writer=writer_of(request.table, request.procedure),
        inputs=inputs,
        models=request.models,
        assumptions=request.assumptions,
        replay_only=request.replay_only,
    )
    return render_artifacts(wanted)


def writer_of(table: CatalogTable, procedure: ProcedureSource) -> str:
    """The writer as the catalog spells it, else as the procedure is called."""
    return table.writer.display if table.writer is not None else procedure.name.display


def _columns(project: MigrationProject, key: str) -> tuple[str, ...] | None:
    try:
        return tuple(c.name for c in project.table(key).columns)
    except ProjectError:
        return None
