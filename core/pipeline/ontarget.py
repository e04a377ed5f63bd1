"""``--target NAME``: what was verified on the embedded DuckDB also runs on the project's own.

After all items are done their models are built and tested there, one by one. A connection that
is lost leaves the rest verified on the embedded DuckDB, with the warning
``DBT_CONNECTION_FAILED``; the results say which checks ran where.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from core.dbt.outcome import Progress, Verification
from core.dbt.profiles import FoundProfile, find_profile
from core.dbt.verify import TargetCheck, TargetRequest
from core.pipeline import events as ev
from core.pipeline.bench import DbtNeeds
from core.pipeline.closing import write_shared_files
from core.pipeline.itemresult import PARTIAL_CODES, counts
from core.pipeline.reports import report_of
from core.pipeline.result import ItemResult, ItemStatus
from core.pipeline.run import RunController
from core.pipeline.version import failure_sentence
from core.project.codes import Code, Diagnostic, Severity
from core.project.project import MigrationProject


class TargetVerifier(Protocol):
    """What is needed of ``core.dbt.pool.WorkerPool`` here."""

    async def check_target(self, request: TargetRequest) -> TargetCheck:
        """Whether the warehouse answers."""
        ...

    async def verify_on_target(self, request: TargetRequest, progress: Progress) -> Verification:
        """Build and test one model there."""
        ...


@dataclass(frozen=True)
class Target:
    """A target that answered: its name and where its profile is."""

    name: str
    profiles_dir: Path

    def request(self, item_id: str, model: str, dbt_root: Path) -> TargetRequest:
        """The question about one model."""
        return TargetRequest(
            item_id=item_id,
            model_name=model,
            dbt_root=dbt_root,
            target=self.name,
            profiles_dir=str(self.profiles_dir),
            env=dict(os.environ),
        )


async def reach_target(
    project: MigrationProject, name: str, verifier: TargetVerifier
) -> Target | Diagnostic:
    """Find the profile and test the connection; a diagnostic fails every item."""
    found = find_profile(project.dbt, name)
    if not isinstance(found, FoundProfile):
        return Diagnostic.of(found.code or Code.DBT_PROFILE_MISSING, found.message)
    target = Target(name, found.profiles_dir)
    check = await verifier.check_target(target.request("", "", project.dbt.root))
    if not check.ok:
        return Diagnostic.of(check.code or Code.DBT_CONNECTION_FAILED, check.message)
    return target


async def verify_on_target(run: RunController, target: Target, verifier: TargetVerifier) -> None:
    """Build and test every model of the run on the target, in the order of the run.

    The models and the sources they need are in the dbt project by then.
    """
    await write_shared_files(run)
    lost = ""
    for item in run.plan.items:
        state = run.state.items[item.item_id]
        prepared = run.prepared.get(item.item_id)
        if state.result is None or state.status is ItemStatus.ERROR or prepared is None:
            continue
        if lost:
            _emit(run, _not_reached(state.result, target, lost), state.seconds)
            continue
        request = target.request(item.item_id, item.model_name, run.plan.project.dbt.root)
        if isinstance(prepared.needs, DbtNeeds):
            tests = prepared.needs.artifacts.expected_tests
            request = replace(request, expected_tests=tests)
        verification = await verifier.verify_on_target(
            request, lambda line: run.stream.emit_soon(ev.RunProgress(line=line))
        )
        if verification.lost:
            lost = verification.lost
            _emit(run, _not_reached(state.result, target, lost), state.seconds)
            continue
        kept = state.kept
        run.stream.emit(
            ev.VerificationFinished(
                item_id=item.item_id,
                attempt=kept.attempt if kept is not None else 0,
                report=report_of(verification),
            )
        )
        _emit(run, _with_verdict(state.result, target, verification), state.seconds)


def _emit(run: RunController, result: ItemResult, seconds: float) -> None:
    state = run.state.items[result.item_id]
    attempt = state.kept.attempt if state.kept is not None else 0
    run.write_result(result)
    run.stream.emit(
        ev.ItemFinished(item_id=result.item_id, result=result, attempt=attempt, seconds=seconds)
    )


def _not_reached(result: ItemResult, target: Target, why: str) -> ItemResult:
    warning = Diagnostic.of(
        Code.DBT_CONNECTION_FAILED,
        f"{result.output.model_name} was verified on the embedded DuckDB only: the target "
        f"{target.name} was lost ({why.rstrip('.')}).",
        result.item_id,
    ).model_copy(update={"severity": Severity.WARNING})
    return _with_warning(result, warning)


def _with_verdict(result: ItemResult, target: Target, verification: Verification) -> ItemResult:
    where = f"{result.output.execution.where} and target {target.name}"
    execution = result.output.execution.model_copy(update={"where": where})
    result = result.model_copy(
        update={"output": result.output.model_copy(update={"execution": execution})}
    )
    if verification.tests_passed:
        return result
    code = Code.DBT_TEST_FAILED if verification.compile_passed else Code.DBT_COMPILE_FAILED
    failing = counts(verification)
    warning = Diagnostic.of(
        code,
        f"{result.output.model_name} passes on the embedded DuckDB and not on the target "
        f"{target.name}: {failure_sentence(verification).rstrip('.')}.",
        result.item_id,
        unit_failed=failing.unit_failed,
        data_failed=failing.data_failed,
    )
    return _with_warning(result, warning)


def _with_warning(result: ItemResult, warning: Diagnostic) -> ItemResult:
    assert warning.code in PARTIAL_CODES
    output = result.output.model_copy(update={"warnings": (*result.output.warnings, warning)})
    return result.model_copy(update={"status": ItemStatus.PARTIAL, "output": output})
