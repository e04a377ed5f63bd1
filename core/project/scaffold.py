"""``proc2dbt init-dbt``: a dbt project made from the catalog, for projects that have none.

What exists is left alone, always: profiles, models, and a ``dbt_project.yml`` of somebody's own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.project.codes import Code, ProjectError
from core.project.files import write_text
from core.project.names import QualifiedName
from core.project.profiles import find_profiles_file
from core.project.project import MigrationProject


@dataclass(frozen=True)
class Scaffolded:
    """What ``init-dbt`` wrote, and what it left and why; paths relative to the project."""

    written: tuple[str, ...]
    left: tuple[tuple[str, str], ...]
    notes: tuple[str, ...] = ()


def init_dbt(project: MigrationProject, environment: Mapping[str, str] | None = None) -> Scaffolded:
    """Scaffold ``dbt/``: project file, DuckDB profile, sources.

    Raises:
        ProjectError: ``MANIFEST_NOT_FOUND`` or ``MANIFEST_CORRUPT``; ``DBT_PROJECT_MISSING``
            when the folder cannot be made.
    """
    name = project.dbt.project_name or _project_name(project)
    sources, notes = _source_tables(project)
    plan = [
        ("dbt_project.yml", _PROJECT.format(name=name), None),
        (
            "profiles.yml",
            _profile(project.dbt.profile_name or name),
            _profile_elsewhere(project, environment),
        ),
        (".gitignore", "target/\ndbt_packages/\nlogs/\n*.duckdb\n*.duckdb.wal\n", None),
        ("models/staging/_sources.yml", _sources_yml(sources), _sources_elsewhere(project)),
    ]
    written: list[str] = []
    left: list[tuple[str, str]] = []
    for file, text, reason in plan:
        path = project.dbt.root / file
        shown = f"dbt/{file}"
        if path.exists() or path.is_symlink():
            left.append((shown, "it exists"))
        elif reason is not None:
            left.append((shown, reason))
        else:
            _write(path, text, shown)
            written.append(shown)
    undeclared = _undeclared(project, sources) if not _wrote_sources(written) else []
    if undeclared:
        notes += (f"not declared as sources: {', '.join(undeclared)}",)
    return Scaffolded(tuple(written), tuple(left), notes)


def render_scaffolded(done: Scaffolded) -> str:
    """What the command prints."""
    lines = [f"  wrote  {file}" for file in done.written]
    lines += [f"  left   {file} ({reason})" for file, reason in done.left]
    lines += [f"  note   {note}" for note in done.notes]
    return "\n".join(lines)


def _write(path: Path, text: str, shown: str) -> None:
    try:
        write_text(path, text)
    except OSError as error:
        raise ProjectError.of(
            Code.DBT_PROJECT_MISSING,
            f"{shown} cannot be written: {error.strerror or error}.",
            file=shown,
        ) from error


def _wrote_sources(written: list[str]) -> bool:
    return any(file.endswith("_sources.yml") for file in written)


def _project_name(project: MigrationProject) -> str:
    """dbt wants letters, digits and underscores, and a letter first."""
    spelled = project.manifest.source_database or project.root.resolve().name
    name = re.sub(r"[^a-z0-9_]+", "_", spelled.lower()).strip("_")
    return name if re.match(r"[a-z]", name) else f"warehouse_{name}".rstrip("_")


def _profile_elsewhere(
    project: MigrationProject, environment: Mapping[str, str] | None
) -> str | None:
    found = find_profiles_file(project.dbt, environment or {})
    name = project.dbt.profile_name
    if (
        found is None
        or not name
        or not re.search(
            rf"^{re.escape(name)}\s*:", found.read_text(errors="replace"), re.MULTILINE
        )
    ):
        return None
    return f"the profile '{name}' is in {found.parent.name}/profiles.yml"


def _sources_elsewhere(project: MigrationProject) -> str | None:
    files = sorted({source.file for source in project.dbt.sources})
    return f"sources are declared in dbt/{files[0]}" if files else None


def _source_tables(project: MigrationProject) -> tuple[list[QualifiedName], tuple[str, ...]]:
    """Tables no procedure loads; broken catalog files are named and passed over."""
    found: list[QualifiedName] = []
    notes: list[str] = []
    for item_id in project.tables():
        try:
            table = project.table(item_id)
        except ProjectError as error:
            notes.append(error.diagnostic.message.rstrip("."))
            continue
        if table.writer is None and not table.is_seed:
            found.append(table.qualified)
    return found, tuple(notes)


def _undeclared(project: MigrationProject, sources: list[QualifiedName]) -> list[str]:
    return [table.display for table in sources if project.dbt.source_for(table) is None]


_PROJECT = """\
name: {name}
version: "1.0.0"
config-version: 2
profile: {name}

model-paths: ["models"]
seed-paths: ["seeds"]
test-paths: ["tests"]
macro-paths: ["macros"]
clean-targets: ["target", "dbt_packages"]
"""


def _profile(name: str) -> str:
    return (
        f"{name}:\n"
        "  target: dev\n"
        "  outputs:\n"
        "    dev:\n"
        "      type: duckdb\n"
        "      path: warehouse.duckdb\n"
        "      threads: 4\n"
    )


def _sources_yml(tables: list[QualifiedName]) -> str:
    """One source per schema; names quoted as JSON, which YAML reads as it stands."""
    by_schema: dict[str, list[QualifiedName]] = {}
    for table in tables:
        by_schema.setdefault(table.schema.casefold(), []).append(table)
    lines = ["version: 2", ""]
    if not by_schema:
        return "version: 2\n\nsources: []\n"
    lines.append("sources:")
    for group in by_schema.values():
        lines += [f"  - name: {_scalar(group[0].schema)}", "    tables:"]
        lines += [f"      - name: {_scalar(table.name)}" for table in group]
    return "\n".join(lines) + "\n"


_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


def _scalar(text: str) -> str:
    plain = _PLAIN.fullmatch(text) and text.lower() not in _RESERVED
    return text if plain else json.dumps(text)
