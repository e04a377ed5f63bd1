"""The bench of real runs: facts, guard and YAML from ``core.dbt``, verification in its workers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.dbt.artifacts import (
    ArtifactRequest,
    Artifacts,
    SourceAddition,
    emitting_differently,
    render_artifacts,
)
from core.dbt.facts import FactsError, ModelFacts, read_facts
from core.dbt.guard import check_model
from core.dbt.inputs import Inputs, resolve_inputs, target_of
from core.dbt.outcome import Phase, Progress, TestKind, Verification
from core.dbt.sources import SOURCES_PATH, SourcesFileError, add_sources
from core.dbt.values import duckdb_type
from core.dbt.verify import (
    InputRelation,
    ProjectBuild,
    ProjectVerdict,
    Verifier,
    VerifyRequest,
)
from core.generation.author import Assumption, Draft, Job
from core.generation.offloop import off_loop
from core.pipeline.ports import Prepared, Verified
from core.project.codes import Code, ProjectError
from core.project.files import read_text
from core.project.names import QualifiedName

SHARED_PATHS = (f"dbt/{SOURCES_PATH}", "dbt/tests/generic/proc2dbt_recency.sql")
"""Files of the dbt project, relative to the migration project, that several models share."""


@dataclass(frozen=True)
class DbtNeeds:
    """What a prepared model carries for verification, review and the shared files."""

    facts: ModelFacts
    inputs: Inputs
    artifacts: Artifacts
    assumptions: tuple[Assumption, ...] = ()
    replay_only: frozenset[str] = frozenset()
    """Scenarios whose unit test is disabled, so that only the replay plays them."""


class DbtBench:
    """Prepares drafts in threads and verifies them in worker processes."""

    def __init__(self, verifier: Verifier, dbt_root: Path, deadline_s: float = 120.0) -> None:
        """``dbt_root`` is the dbt project of the working place; ``deadline_s`` per verification."""
        self._verifier = verifier
        self._dbt_root = dbt_root
        self._deadline = deadline_s

    async def prepare(self, job: Job, draft: Draft) -> Prepared:
        """Read the draft's facts and render its YAML."""
        return await off_loop(prepare, job, draft)

    async def verify(self, job: Job, prepared: Prepared, progress: Progress) -> Verified:
        """Verify in a worker; once more when a unit test compares what is rightly not emitted."""
        needs = _needs(prepared)
        if needs.inputs.problems:
            problems = needs.inputs.problems
            return Verified(
                prepared, Verification(Phase.PARSE, compile_passed=False, errors=problems)
            )
        verification = await self._verifier.verify(self._request(job, prepared), progress)
        replay_only = emitting_differently(needs.artifacts, verification)
        if not replay_only or verification.lost:
            return Verified(prepared, verification)
        progress("verifying again: some scenarios can only be compared by replay")
        again = await off_loop(_prepared, job, prepared.sql, needs, replay_only)
        verification = await self._verifier.verify(self._request(job, again), progress)
        return Verified(again, verification)

    def _request(self, job: Job, prepared: Prepared) -> VerifyRequest:
        needs = _needs(prepared)
        return VerifyRequest(
            item_id=job.item_id,
            model_name=job.model_name,
            sql=prepared.sql,
            yaml_text=prepared.yaml,
            target=target_of(job.table),
            inputs=needs.inputs.relations,
            spec=job.spec,
            expected_tests=needs.artifacts.expected_tests,
            shared_files=needs.artifacts.shared_files,
            clock=job.project.manifest.extracted_at,
            deadline_s=self._deadline,
        )

    def shared_files(self, wanted: Sequence[tuple[Job, Prepared]]) -> Mapping[str, str]:
        """``_sources.yml`` with what is missing, and our generic test where a model uses it."""
        texts: dict[str, str] = {}
        additions: list[SourceAddition] = []
        for _, prepared in wanted:
            needs = _needs(prepared)
            additions += needs.artifacts.sources
            texts |= {f"dbt/{path}": text for path, text in needs.artifacts.shared_files.items()}
        if additions:
            before = self._present(SOURCES_PATH)
            try:
                after = add_sources(before, additions)
            except SourcesFileError as error:
                raise ProjectError.of(Code.DBT_PROJECT_MISSING, str(error)) from error
            if after != before:
                texts[f"dbt/{SOURCES_PATH}"] = after
        return texts

    def _present(self, path: str) -> str | None:
        try:
            return read_text(self._dbt_root / path)
        except FileNotFoundError:
            return None

    async def build_project(
        self, models: Sequence[tuple[Job, Prepared]], progress: Progress
    ) -> ProjectVerdict | None:
        """One ``dbt build`` of the project on disk in a scratch database."""
        relations: dict[str, InputRelation] = {}
        for _, prepared in models:
            relations |= {r.key: r for r in _needs(prepared).inputs.relations}
        build = ProjectBuild(
            dbt_root=self._dbt_root,
            models=tuple(job.model_name for job, _ in models),
            inputs=tuple(relations.values()),
        )
        return await self._verifier.build_project(build, progress)

    async def aclose(self) -> None:
        """End all worker processes."""
        await self._verifier.aclose()


def prepare(job: Job, draft: Draft) -> Prepared:
    """The two files of a model from a draft, or why its text may not be used."""
    report = check_model(draft.sql)
    if not report.ok:
        return Prepared(sql=draft.sql, refused=tuple(str(f) for f in report.findings))
    facts = read_facts(draft.sql)
    if isinstance(facts, FactsError):
        return _unreadable(draft, facts)
    inputs = resolve_inputs(facts, job.project, job.existing_models, _related(job))
    known = {
        r.key: [(c.name, duckdb_type(c.sql_type)) for c in r.columns] for r in inputs.relations
    }
    facts = read_facts(draft.sql, known)
    if isinstance(facts, FactsError):
        return _unreadable(draft, facts)
    return _prepared(job, draft.sql, _Read(facts, inputs, draft.assumptions), frozenset())


@dataclass(frozen=True)
class _Read:
    """What was read from a text before its YAML was rendered."""

    facts: ModelFacts
    inputs: Inputs
    assumptions: tuple[Assumption, ...]


def _prepared(job: Job, sql: str, read: _Read | DbtNeeds, replay_only: frozenset[str]) -> Prepared:
    facts, inputs = read.facts, read.inputs
    artifacts = render_artifacts(
        ArtifactRequest(
            model_name=job.model_name,
            facts=facts,
            table=job.table,
            spec=job.spec,
            dbt=job.project.dbt,
            writer=job.table.writer.display if job.table.writer is not None else "",
            inputs=inputs.relations,
            models=job.existing_models,
            assumptions=read.assumptions,
            replay_only=replay_only,
        )
    )
    tests = artifacts.expected_tests
    return Prepared(
        sql=sql,
        yaml=artifacts.yaml_text,
        materialized=facts.config.materialized,
        uses_watermark=facts.uses_watermark,
        has_model_description=True,
        has_unit_tests=any(t.body for t in artifacts.unit_tests),
        schema_tests=tuple(t.name for t in tests if t.kind is TestKind.DATA),
        refs=tuple(dict.fromkeys(ref.name for ref in facts.refs)),
        required_vars=facts.required_vars,
        notes=(*artifacts.notes, *_read_as_sources(job, facts, inputs)),
        needs=DbtNeeds(facts, inputs, artifacts, read.assumptions, replay_only),
    )


def _read_as_sources(job: Job, facts: ModelFacts, inputs: Inputs) -> list[str]:
    """Tables that a procedure of ours loads, and that the model reads as a source all the same.

    dbt refuses a whole project over one dangling ``ref``, so a model that is not there yet is
    not referenced.
    """
    notes = []
    read = {f"source:{use.source}.{use.table}" for use in facts.sources}
    for relation in inputs.relations:
        if relation.key not in read or relation.table == job.table.qualified:
            continue
        try:
            writer = job.project.table(relation.table).writer
        except ProjectError:
            continue
        if writer is not None:
            notes.append(
                f"{relation.table.display} is read as a source: its model is not in the project; "
                "run again when it is, and it becomes a ref."
            )
    return notes


def _unreadable(draft: Draft, error: FactsError) -> Prepared:
    place = f"line {error.line}: " if error.line else ""
    return Prepared(sql=draft.sql, refused=(f"{place}{error.message}",))


def _related(job: Job) -> list[QualifiedName]:
    """Tables the YAML's ``relationships`` tests may refer to."""
    profile = job.table.profile
    found = [
        key.references_source_relation
        for key in (profile.foreign_keys if profile is not None else ())
        if key.references_source_relation is not None
    ]
    found += [
        QualifiedName(name=key.referenced_table, schema=key.referenced_schema)
        for key in job.table.foreign_keys
        if key.referenced_table
    ]
    return found


def needs_of(prepared: Prepared) -> DbtNeeds:
    """What the bench remembered about a prepared model."""
    return _needs(prepared)


def _needs(prepared: Prepared) -> DbtNeeds:
    needs = prepared.needs
    if not isinstance(needs, DbtNeeds):
        raise TypeError("the model was not prepared by this bench")
    return needs
