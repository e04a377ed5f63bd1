"""One ``dbt build`` of the whole project in a scratch database, at the end of a run.

All accepted models are built together, on empty sources, with every test of the project. Where
the project as a whole cannot be built on the embedded DuckDB (packages that are not installed,
models in another dialect), the accepted models and what they refer to are built instead.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.dbt.database import connect, wipe
from core.dbt.dbt_session import DbtResult, DbtSession, plain
from core.dbt.miniproject import DATABASE, PROJECT_FILES, write_profile
from core.dbt.outcome import TestOutcome
from core.dbt.recency import RECENCY_PATH, RECENCY_SQL
from core.dbt.results import outcomes
from core.dbt.template import quoted
from core.dbt.values import duckdb_type
from core.dbt.verify import InputKind, InputRelation, ProjectBuild, ProjectVerdict
from core.dbt.yaml_text import dump
from core.project.dbtfiles import DbtProjectFiles

if TYPE_CHECKING:
    import duckdb

_LEFT_OUT = ("target", "logs", ".git", "profiles.yml", ".user.yml", "dbt_internal_packages")
_GOOD = frozenset({"success", "pass", "warn", "skipped", "no-op"})


def build_in(folder: Path, build: ProjectBuild, progress: Callable[[str], None]) -> ProjectVerdict:
    """Build the project of ``build`` in ``folder``."""
    started = time.perf_counter()
    verdict = _whole_project(folder / "project", build, progress)
    if verdict.reason:
        progress(f"building the accepted models only: {verdict.reason}")
        verdict = _accepted_only(folder / "accepted", build, progress, verdict.reason)
    from dataclasses import replace

    return replace(verdict, seconds=time.perf_counter() - started)


def _whole_project(
    folder: Path, build: ProjectBuild, progress: Callable[[str], None]
) -> ProjectVerdict:
    """The project as it is; a verdict with a ``reason`` when that cannot be judged here."""
    shutil.copytree(build.dbt_root, folder, ignore=shutil.ignore_patterns(*_LEFT_OUT))
    name = DbtProjectFiles(folder).profile_name or "proc2dbt"
    write_profile(folder, name)
    _seeds_by_rows(folder / "dbt_project.yml")
    session = DbtSession(folder, progress, options=_vars(build))
    parsed = session.parse()
    if parsed.error:
        return ProjectVerdict(False, reason=_reason(parsed.error))
    connection = connect(DATABASE)
    try:
        wipe(connection)
        problem = _create_sources(connection, parsed.manifest, build.inputs)
        if problem:
            return ProjectVerdict(False, reason=problem)
        done = session.build()
        foreign = _foreign_failure(done, build)
        if done.error or foreign:
            return ProjectVerdict(False, reason=_reason(done.error or foreign))
        return _verdict(done, connection, "project", "")
    finally:
        connection.close()


def _seeds_by_rows(project_file: Path) -> None:
    """Have dbt insert seeds row by row: the locked DuckDB may not read the CSV files itself."""
    import yaml

    try:
        data = yaml.safe_load(project_file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):
        return  # dbt says what is wrong with it
    if isinstance(data, dict):
        seeds = data.get("seeds")
        data["seeds"] = {**(seeds if isinstance(seeds, dict) else {}), "+fast": False}
        _write(project_file, yaml.safe_dump(data, sort_keys=False, allow_unicode=True))


def _accepted_only(
    folder: Path, build: ProjectBuild, progress: Callable[[str], None], reason: str
) -> ProjectVerdict:
    """A project of the accepted models, with what else they read as empty relations."""
    files = DbtProjectFiles(build.dbt_root)
    project = PROJECT_FILES["dbt_project.yml"].replace("      +schema: __ref\n", "      {}\n")
    _write(folder / "dbt_project.yml", project.replace("    refs:\n      {}\n", "    {}\n"))
    _write(folder / RECENCY_PATH, RECENCY_SQL)
    for name in ("packages/dbt_utils/dbt_project.yml", "packages/dbt_utils/macros/tests.sql"):
        _write(folder / name, PROJECT_FILES[name])
    for model in build.models:
        path = files.models.get(model)
        if path is None:
            return ProjectVerdict(False, "accepted models", reason, errors=(f"{model} is missing",))
        source = build.dbt_root / path
        _write(folder / "models" / f"{model}.sql", source.read_text(encoding="utf-8"))
        properties = source.with_name(f"_{model}.yml")
        if properties.is_file():
            text = properties.read_text(encoding="utf-8")
            _write(folder / "models" / f"_{model}.yml", text)
    declared: dict[str, list[dict[str, str]]] = {}
    for relation in build.inputs:
        if relation.kind is InputKind.REF and relation.name not in build.models:
            _write(folder / "models" / "refs" / f"{relation.name}.sql", _empty(relation))
        elif relation.kind is InputKind.SOURCE:
            declared.setdefault(relation.source, []).append({"name": relation.name})
    sources = [{"name": name, "tables": tables} for name, tables in declared.items()]
    if sources:
        _write(folder / "models" / "_sources.yml", dump({"version": 2, "sources": sources}))
    write_profile(folder, "proc2dbt")
    session = DbtSession(folder, progress, options=_vars(build))
    parsed = session.parse()
    if parsed.error:
        return ProjectVerdict(False, "accepted models", reason, errors=(parsed.error,))
    connection = connect(DATABASE)
    try:
        wipe(connection)
        _create_sources(connection, parsed.manifest, build.inputs)
        return _verdict(session.build(), connection, "accepted models", reason)
    finally:
        connection.close()


def _empty(relation: InputRelation) -> str:
    columns = ", ".join(
        f"cast(null as {duckdb_type(c.sql_type)}) as {quoted(c.name)}" for c in relation.columns
    )
    return f"select {columns or 'null as nothing'} where false\n"


def _verdict(
    done: DbtResult, connection: duckdb.DuckDBPyConnection, scope: str, reason: str
) -> ProjectVerdict:
    results: tuple[TestOutcome, ...] = outcomes(done.results, (), connection)
    models = [r for r in done.results if str(getattr(r.node, "resource_type", "")) == "model"]
    errors = [done.error] if done.error else []
    for result in models:
        status = str(result.status)
        if status == "skipped":
            errors.append(f"{result.node.name}: not built, because one of its tests failed")
        elif status not in _GOOD:
            errors.append(f"{result.node.name}: {plain(str(result.message or status))}")
    return ProjectVerdict(
        passed=not errors and all(r.ok for r in results),
        scope=scope,
        reason=reason,
        results=results,
        models_built=tuple(str(r.node.name) for r in models if str(r.status) == "success"),
        errors=tuple(errors),
    )


def _foreign_failure(done: DbtResult, build: ProjectBuild) -> str:
    """The failure of something that is not an accepted model or a test of one."""
    accepted = set(build.models)
    for result in done.results:
        node = result.node
        name = str(node.name)
        parents = getattr(node.depends_on, "nodes", ())  # a seed depends on macros only
        ours = name in accepted or any(str(p).rpartition(".")[2] in accepted for p in parents)
        if str(result.status) not in (*_GOOD, "fail") and not ours:
            return f"{name} does not build on DuckDB: {plain(str(result.message or ''))}"
    return ""


def _create_sources(
    connection: duckdb.DuckDBPyConnection, manifest: Any, inputs: Iterable[InputRelation]
) -> str:
    """Create every declared source empty; returns why that is not possible, or nothing."""
    import duckdb

    known_sources = {r.key: r for r in inputs if r.kind is InputKind.SOURCE}
    for source in manifest.sources.values():
        known = known_sources.get(f"source:{source.source_name}.{source.name}")
        if known is not None:
            columns = [(c.name, duckdb_type(c.sql_type)) for c in known.columns]
        else:
            columns = [(c.name, str(c.data_type or "varchar")) for c in source.columns.values()]
        described = ", ".join(f"{quoted(n)} {t}" for n, t in columns) or "nothing varchar"
        place = f"{quoted(source.schema)}.{quoted(source.identifier)}"
        try:
            if source.database not in (None, "", "memory"):
                attached = quoted(source.database)
                connection.execute(f"attach if not exists ':memory:' as {attached}")
                place = f"{attached}.{place}"
            connection.execute(f"create schema if not exists {place.rpartition('.')[0]}")
            connection.execute(f"create table if not exists {place} ({described})")
        except duckdb.Error as error:
            name = f"{source.source_name}.{source.name}"
            return f"the source {name} cannot be made on DuckDB: {str(error).splitlines()[0]}"
    return ""


def _reason(error: str) -> str:
    return " ".join(error.split())[:400]


def _vars(build: ProjectBuild) -> tuple[str, ...]:
    return ("--vars", json.dumps(dict(build.vars))) if build.vars else ()


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
