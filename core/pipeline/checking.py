"""``proc2dbt check``: step 5 alone, for the model on disk or for what the compiler writes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from core.dbt.pool import Lost, WorkerPool
from core.equivalence.subject import Subject, subject_of
from core.equivalence.task import CompareTask
from core.equivalence.verdict import EquivalenceResult
from core.generation.author import Draft, Job, Refusal
from core.generation.compiler_author import CompilerAuthor
from core.generation.compiling import PooledCompiler
from core.generation.offloop import off_loop
from core.pipeline.bench import needs_of, prepare
from core.pipeline.comparing import unknown
from core.pipeline.plan import RunPlan
from core.project.codes import ProjectError
from core.project.files import read_text
from core.project.settings import EquivalenceSettings
from core.tsql.errors import TsqlError


async def check_tables(
    plan: RunPlan,
    item_ids: Sequence[str],
    settings: EquivalenceSettings,
    pool: WorkerPool,
    replayed: Mapping[str, Any] | None = None,
) -> dict[str, EquivalenceResult]:
    """A verdict for every item, in their order; ``replayed`` is a counterexample's document."""
    found: dict[str, EquivalenceResult] = {}

    async def one(item_id: str) -> None:
        refused = plan.refused.get(item_id)
        if refused is not None:
            found[item_id] = unknown(f"{refused.code.value}: {refused.message}")
            return
        job = plan.job(item_id, {k: v for k, v in plan.existing_models.items() if k != item_id})
        subject = await _subject(job, plan, settings, pool)
        if isinstance(subject, str):
            found[item_id] = unknown(subject)
            return
        task = CompareTask(subject, dict(replayed) if replayed is not None else None)
        answer = await pool.run_task(task, 60.0 + settings.seconds * 6, lambda line: None)
        found[item_id] = (
            unknown(f"the comparison was not finished: {answer.reason}")
            if isinstance(answer, Lost)
            else answer
        )

    await asyncio.gather(*(one(item_id) for item_id in item_ids))
    return {item_id: found[item_id] for item_id in item_ids}


async def _subject(
    job: Job, plan: RunPlan, settings: EquivalenceSettings, pool: WorkerPool
) -> Subject | str:
    """The item with the model on disk, else with what the compiler writes; or why not."""
    draft: Draft | Refusal
    if job.item_id in plan.existing_models:
        file = plan.project.dbt.models[job.model_name]
        text = await asyncio.to_thread(read_text, plan.project.dbt.root / file)
        draft = Draft(text, "file")
    else:
        draft = await CompilerAuthor(PooledCompiler(pool)).draft(job, lambda line: None)
    if isinstance(draft, Refusal):
        place = f"line {draft.line}: " if draft.line else ""
        return f"there is no model, and the procedure does not compile: {place}{draft.reason}"
    prepared = await off_loop(prepare, job, draft)
    if prepared.refused:
        return f"the model may not be run: {prepared.refused[0]}"
    needs = needs_of(prepared)
    if needs.inputs.problems:
        return f"the model cannot be run: {needs.inputs.problems[0]}"
    try:
        return await off_loop(
            subject_of, job, draft.sql, needs.inputs.relations, settings, draft.cte_map
        )
    except (ProjectError, TsqlError) as error:
        return f"the comparison cannot be prepared: {error}"
