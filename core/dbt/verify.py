"""What a verification is asked: a model, its inputs, its scenarios; and who answers.

``core.dbt.pool.WorkerPool`` is the implementation; tests of other parts can put any object
with the same three methods in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from core.dbt.outcome import ExpectedTest, Progress, TestOutcome, Verification
from core.project.codes import Code
from core.project.names import QualifiedName
from core.project.testspec import TestSpec


class InputKind(StrEnum):
    """How a model reads a relation."""

    SOURCE = "source"
    REF = "ref"


@dataclass(frozen=True)
class InputColumn:
    """A column by its name and its T-SQL type (``NVARCHAR(50)``), as the catalog has it.

    ``default`` is the DEFAULT expression of the catalog, if it knows one.
    """

    name: str
    sql_type: str
    nullable: bool = True
    identity: bool = False
    default: str = ""


@dataclass(frozen=True)
class InputRelation:
    """One relation the model reads, as the model names it, and the table it stands for.

    ``source`` is the source's name (empty for a ``ref``), ``name`` the source table or the
    model or seed. ``table`` is the warehouse table by which test specs name it.
    """

    kind: InputKind
    name: str
    table: QualifiedName
    columns: tuple[InputColumn, ...]
    source: str = ""

    @property
    def key(self) -> str:
        """``ref:name`` or ``source:source.name``, as ``core.dbt.facts`` writes relations."""
        return (
            f"ref:{self.name}"
            if self.kind is InputKind.REF
            else f"source:{self.source}.{self.name}"
        )


@dataclass(frozen=True)
class TargetTable:
    """The table the model replaces."""

    table: QualifiedName
    columns: tuple[InputColumn, ...]


@dataclass(frozen=True)
class VerifyRequest:
    """One model to be verified; everything a worker needs, picklable.

    ``inputs`` has every relation the model or its YAML refers to (``core.dbt.inputs`` finds
    them). ``expected_tests`` comes from ``core.dbt.artifacts``. ``vars`` are values of the dbt
    project's vars. ``clock`` is the moment of scenarios that have none of their own (the
    manifest's ``extracted_at``). ``clock_columns`` are target columns known to be fed by the
    clock beyond those the model's text shows. ``deadline_s`` counts from when a worker starts.
    """

    item_id: str
    model_name: str
    sql: str
    yaml_text: str
    target: TargetTable
    inputs: tuple[InputRelation, ...]
    spec: TestSpec
    expected_tests: tuple[ExpectedTest, ...] = ()
    shared_files: Mapping[str, str] = field(default_factory=dict)
    vars: Mapping[str, object] = field(default_factory=dict)
    clock: datetime | None = None
    clock_columns: frozenset[str] = frozenset()
    deadline_s: float = 60.0
    replay: bool = True


@dataclass(frozen=True)
class ProjectBuild:
    """The whole dbt project, to be built once in a scratch database at the end of a run.

    ``models`` are the accepted ones. ``inputs`` are tables to create empty (sources), all
    others that the project declares are created with the columns its YAML lists.
    """

    dbt_root: Path
    models: tuple[str, ...]
    inputs: tuple[InputRelation, ...] = ()
    vars: Mapping[str, object] = field(default_factory=dict)
    deadline_s: float = 600.0


@dataclass(frozen=True)
class ProjectVerdict:
    """How the build of the project ended.

    ``scope`` is ``project`` or ``accepted models``; in the second case ``reason`` says why the
    whole project could not be built on the embedded DuckDB.
    """

    passed: bool
    scope: str = "project"
    reason: str = ""
    results: tuple[TestOutcome, ...] = ()
    models_built: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    lost: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class TargetRequest:
    """A model to be compiled and tested on the project's own warehouse (``--target NAME``).

    ``dbt_root`` is the dbt project with the model's files already written; the model is built
    there (``dbt build --select``). ``profiles_dir`` holds the ``profiles.yml`` that
    ``core.dbt.profiles.find_profile`` found. ``env`` is the environment the profile may read
    (``env_var``); the worker that sees it is not used again.
    """

    item_id: str
    model_name: str
    dbt_root: Path
    target: str
    expected_tests: tuple[ExpectedTest, ...] = ()
    profiles_dir: str = ""
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    deadline_s: float = 300.0


@dataclass(frozen=True)
class TargetCheck:
    """Whether a ``--target`` run may begin: ``code`` is ``None`` when it may."""

    code: Code | None = None
    message: str = ""

    @property
    def ok(self) -> bool:
        """Whether the warehouse answered."""
        return self.code is None


class Verifier(Protocol):
    """Answers verification requests; several may be under way at once."""

    async def verify(self, request: VerifyRequest, progress: Progress) -> Verification:
        """Guard, dbt's verdict, and the replay of every scenario."""
        ...

    async def precheck(self, request: VerifyRequest) -> Verification:
        """Guard and the unit tests run natively: fast, for the inner loop, not a verdict."""
        ...

    async def build_project(self, build: ProjectBuild, progress: Progress) -> ProjectVerdict:
        """One ``dbt build`` of the project."""
        ...

    async def aclose(self) -> None:
        """End all workers."""
        ...
