"""Everything that is written beside a model: its YAML, and what it needs in shared files.

The YAML is rendered from values by us, never taken from an author.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from core.dbt.facts import ModelFacts
from core.dbt.outcome import ExpectedTest, ScenarioStatus, TestStatus, Verification
from core.dbt.verify import InputRelation
from core.project.catalog import CatalogTable
from core.project.dbtfiles import DbtProjectFiles
from core.project.testspec import TestSpec


class AssumptionLike(Protocol):
    """What ``core.generation.author.Assumption`` carries."""

    @property
    def kind(self) -> str:
        """``unique``, ``not_null`` or ``other``."""
        ...

    @property
    def text(self) -> str:
        """The assumption in words."""
        ...

    @property
    def relation(self) -> str:
        """The source table it is about; empty: the model."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it is about."""
        ...


@dataclass(frozen=True)
class ArtifactRequest:
    """What the YAML of one model is made from.

    ``inputs`` are the relations the model reads (``core.dbt.inputs.resolve_inputs``).
    ``models`` maps item ids to models that may be referenced with ``ref()``. ``writer`` is
    spelled for people (``silver.usp_load_DimCustomer``). ``replay_only`` names scenarios whose
    unit test is kept disabled because the model rightly emits something other than "rows
    afterwards minus rows before", as their replay showed (:func:`emitting_differently`).
    """

    model_name: str
    facts: ModelFacts
    table: CatalogTable
    spec: TestSpec
    dbt: DbtProjectFiles
    writer: str
    inputs: tuple[InputRelation, ...] = ()
    models: Mapping[str, str] = field(default_factory=dict)
    assumptions: tuple[AssumptionLike, ...] = ()
    replay_only: frozenset[str] = frozenset()


@dataclass(frozen=True)
class SourceAddition:
    """A source table the project has to declare: source name (its schema) and table name."""

    source: str
    table: str


@dataclass(frozen=True)
class RenderedUnitTest:
    """One scenario as it stands in the YAML.

    ``rendering`` is ``as_is``, ``emitted`` (expect minus prior rows), ``disabled`` or
    ``comment`` (nothing to compare with); ``body`` is the YAML entry, empty for a comment.
    """

    scenario: str
    name: str
    rendering: str
    body: Mapping[str, object] = field(default_factory=dict)
    comment: str = ""


@dataclass(frozen=True)
class Artifacts:
    """The YAML of a model, the tests it makes dbt run, and what shared files it needs.

    ``shared_files`` maps paths inside the dbt project to their text (only our generic test);
    sources are in ``sources``, to be merged by ``core.dbt.sources.add_sources``.
    """

    yaml_text: str
    expected_tests: tuple[ExpectedTest, ...]
    unit_tests: tuple[RenderedUnitTest, ...]
    shared_files: Mapping[str, str] = field(default_factory=dict)
    sources: tuple[SourceAddition, ...] = ()
    notes: tuple[str, ...] = ()


def render_artifacts(request: ArtifactRequest) -> Artifacts:
    """Render the YAML of one model; deterministic: same request, same bytes."""
    from core.dbt.schema_yaml import render_model_yaml

    return render_model_yaml(request)


def emitting_differently(artifacts: Artifacts, verification: Verification) -> frozenset[str]:
    """Scenarios whose unit test failed only because of what an incremental model emits.

    Their replay through the real materialization leaves exactly the expected table, so the
    model is right and the comparison of emitted rows is not: render again with these in
    ``ArtifactRequest.replay_only``.
    """
    failed = {t.name for t in verification.tests if t.status is TestStatus.FAIL}
    replayed = {s.name for s in verification.scenarios if s.status is ScenarioStatus.PASS}
    return frozenset(
        test.scenario
        for test in artifacts.unit_tests
        if test.rendering == "emitted" and test.name in failed and test.scenario in replayed
    )
