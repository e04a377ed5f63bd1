"""``--target NAME``: a model built and tested on the project's own warehouse, in a worker."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from core.dbt.dbt_session import DbtResult, DbtSession, close_database
from core.dbt.outcome import Phase, Verification
from core.dbt.results import outcomes
from core.dbt.verify import TargetCheck, TargetRequest
from core.project.codes import Code

_NO_CONNECTION = re.compile(
    r"Could not set lock on file|Conflicting lock|IO Error|unable to open|Cannot open (?:file|data)"
    r"|database is locked|Connection Error|not a valid DuckDB database|Could not connect",
    re.IGNORECASE,
)
_NO_ADAPTER = re.compile(
    r"Could not find adapter type|No module named 'dbt\.adapters", re.IGNORECASE
)
_LOCK = re.compile(r"Could not set lock on file|Conflicting lock", re.IGNORECASE)


def check_target_in(
    folder: Path, request: TargetRequest, progress: Callable[[str], None]
) -> TargetCheck:
    """Whether the warehouse answers: ``dbt debug --connection``, after its profile was found."""
    session = _session(folder, request, progress)
    done = session.debug()
    if not done.error and done.succeeded:
        return TargetCheck()
    message = done.error or "; ".join(done.warnings) or _why_not(request)
    return _refusal(request, message)


def verify_on_target(
    folder: Path, request: TargetRequest, progress: Callable[[str], None]
) -> Verification:
    """``dbt build --select`` the model there: unit tests, the model itself, its data tests."""
    session = _session(folder, request, progress)
    where = f"target {request.target}"
    parsed = session.parse()
    if parsed.error:
        refusal = _refusal(request, parsed.error)
        if _NO_CONNECTION.search(parsed.error) or refusal.code is Code.DIALECT_NOT_SUPPORTED:
            return _lost(refusal, where)
        return Verification(Phase.PARSE, False, errors=(parsed.error,), where=where)
    done = session.build((request.model_name,))
    failures = _failures(done)
    broken = next((f for f in failures if _NO_CONNECTION.search(f)), "")
    if broken:
        return _lost(_refusal(request, broken), where)
    tests = outcomes(done.results, request.expected_tests, None)
    bad = not all(test.ok for test in tests)
    errors = tuple(f for f in failures if f not in {t.message for t in tests})
    return Verification(
        phase=Phase.COMPILE if done.error else Phase.TEST if errors or bad else Phase.DONE,
        compile_passed=not done.error,
        tests=tests,
        errors=errors,
        where=where,
    )


def _session(folder: Path, request: TargetRequest, say: Callable[[str], None]) -> DbtSession:
    close_database()
    os.environ.update(request.env)
    options = ("--profiles-dir", request.profiles_dir, "--target", request.target)
    return DbtSession(request.dbt_root, say, scratch=folder / "on_target", options=options)


def _failures(done: DbtResult) -> list[str]:
    from core.dbt.dbt_session import plain

    failures = [done.error] if done.error else []
    for result in done.results:
        if str(result.status) in ("error", "runtime error"):
            failures.append(plain(str(result.message or "dbt reported an error")))
    return failures


def _refusal(request: TargetRequest, message: str) -> TargetCheck:
    first = " ".join(message.split())[:300]
    if _NO_ADAPTER.search(message):
        return TargetCheck(
            Code.DIALECT_NOT_SUPPORTED,
            f"The adapter of target '{request.target}' is not installed: {first}",
        )
    if _LOCK.search(message):
        return TargetCheck(
            Code.DBT_CONNECTION_FAILED,
            f"The database of target '{request.target}' is in use by another process; close it "
            f"and run again ({first}).",
        )
    return TargetCheck(
        Code.DBT_CONNECTION_FAILED, f"Target '{request.target}' does not answer: {first}"
    )


def _why_not(request: TargetRequest) -> str:
    return f"dbt debug reports no connection with the profile in {request.profiles_dir}"


def _lost(refusal: TargetCheck, where: str) -> Verification:
    code = refusal.code.value if refusal.code else ""
    return Verification(Phase.TEST, False, lost=refusal.message, lost_code=code, where=where)
