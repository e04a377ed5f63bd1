"""What Claude is told about a job: the project, the tables the procedure touches, the procedure.

The blocks are ordered from what all jobs share to what only one has, and the same job always gives
the same bytes: that is what the prompt cache and a replay live on. No clock, path or run id.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.claude.call import Block
from core.claude.foreign import facts, foreign
from core.claude.masking import Masker
from core.claude.prompts import prompt
from core.compiler.options import ModelInput
from core.generation.author import Job
from core.generation.compiling import relation_of
from core.project.catalog import CatalogTable
from core.project.codes import ProjectError
from core.project.ddl import DdlObject
from core.project.project import MigrationProject

MOST_TABLES = 60
"""Tables described to Claude at most; a procedure that names more is told so."""

_WORD = re.compile(r"[\w@$#]+|\[(?:[^\]]|\]\])+\]|\"(?:[^\"]|\"\")+\"")


@dataclass(frozen=True)
class Material:
    """The texts of a job as they are sent, and the masker that made them."""

    masker: Masker
    catalog: str
    procedure: str

    def blocks(self) -> tuple[Block, ...]:
        """The user blocks that draft and corrections share, the last one ends the prefix."""
        return (
            {"type": "text", "text": self.catalog},
            {"type": "text", "text": self.procedure, "cache_control": {"type": "ephemeral"}},
        )


def system_blocks(name: str, project: MigrationProject, *, an_hour: bool) -> tuple[Block, ...]:
    """The system blocks all jobs of a run share; ``an_hour``: how long they are to be cached."""
    control: dict[str, Any] = {"type": "ephemeral"}
    if an_hour:
        control["ttl"] = "1h"
    return (
        {"type": "text", "text": prompt(name), "cache_control": control},
        {"type": "text", "text": _about_project(project), "cache_control": control},
    )


def _about_project(project: MigrationProject) -> str:
    """What a run does not change: how relations are read is said for each job's own tables."""
    dbt = project.dbt
    try:
        database = project.manifest.source_database
    except ProjectError:
        database = ""
    return facts(
        "project",
        {
            "dialect": "DuckDB",
            "dbt_project": dbt.project_name,
            "source_database": database or "",
            "model_names": "stg_<table in lower case>",
        },
    )


def material(job: Job, *, mask_literals: bool) -> Material:
    """Everything about a job that is sent, masked."""
    routines = _routines(job)
    masker = Masker(
        job.procedure.text, literals=mask_literals, also=[r.text for r in routines.values()]
    )
    names = _words(job.procedure.text, *(r.text for r in routines.values()))
    tables = _tables(job, names)
    catalog = facts(
        "catalog",
        {
            "item": job.item_id,
            "model_name": job.model_name,
            "writer": job.procedure.name.display,
            "text_comparison": _COLLATIONS.get(job.collation, job.collation),
            "target": _table(job.table, masker, target=True) | {"read_as": "{{ this }}"},
            "tables": [
                _table(table, masker) | {"read_as": _read_as(job, table)}
                for table in tables[:MOST_TABLES]
            ],
            "tables_left_out": [table.display for table in tables[MOST_TABLES:]],
            "routines": [
                {"kind": r.kind, "name": r.name.display, "lines": masker.tsql(r.text).splitlines()}
                for _, r in sorted(routines.items())
            ],
            "scenarios": [test.name for test in job.spec.unit_tests],
        },
    )
    procedure = foreign("procedure", job.procedure.name.display, masker.tsql(job.procedure.text))
    return Material(masker, catalog, procedure)


_COLLATIONS: Mapping[str, str] = {
    "assume-consistent": "texts are spelled consistently; compare them as they are",
    "preserve": "compare texts without case and trailing blanks: lower(rtrim(x))",
}


def _words(*texts: str) -> frozenset[str]:
    found: set[str] = set()
    for text in texts:
        found |= {word.strip('[]"').casefold() for word in _WORD.findall(text)}
    return frozenset(found)


def _routines(job: Job) -> dict[str, DdlObject]:
    """Views, functions and procedures that the procedure can reach by name."""
    project = job.project
    known = {**project.views, **project.functions, **project.procedures}
    found: dict[str, DdlObject] = {}
    waiting = [job.procedure.text]
    while waiting and len(found) < MOST_TABLES:
        words = _words(waiting.pop())
        for key, routine in sorted(known.items()):
            itself = routine.name == job.procedure.name
            if key not in found and not itself and routine.name.name.casefold() in words:
                found[key] = routine
                waiting.append(routine.text)
    return found


def _tables(job: Job, words: frozenset[str]) -> list[CatalogTable]:
    found = []
    for item_id in sorted(job.project.tables()):
        if item_id == job.item_id:
            continue
        name = job.project.name_of(item_id)
        if name.name.casefold() not in words:
            continue
        try:
            found.append(job.project.table(item_id))
        except ProjectError:
            continue
    return found


def _table(table: CatalogTable, masker: Masker, *, target: bool = False) -> dict[str, Any]:
    profile = table.profile
    described: dict[str, Any] = {
        "name": table.display,
        "columns": [
            {
                "name": c.name,
                "type": c.sql_type,
                "nullable": c.is_nullable,
                **({"default": masker.tsql(c.default)} if c.default else {}),
            }
            for c in table.columns
        ],
        "key": list(table.key_columns),
    }
    if target:
        described |= {
            "kind": table.kind.value if table.kind is not None else "",
            "identity": list(table.identity_columns),
            "natural_key": list(profile.natural_key.columns) if profile is not None else [],
            "watermark": profile.watermark.column if profile is not None else "",
        }
    return described


def _read_as(job: Job, table: CatalogTable) -> str:
    relation = relation_of(job.project, job.existing_models, table.item_id)
    if relation is None:
        return ""
    if isinstance(relation, ModelInput):
        return f"{{{{ ref('{relation.model}') }}}}"
    return f"{{{{ source('{relation.schema}', '{relation.table}') }}}}"
