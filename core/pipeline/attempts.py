"""Every version an author wrote, under ``.migration-runs/attempts/<item_id>/<n>.{sql,yml}``.

Files are written before the event that names them, so an event never refers to nothing. A resumed
run reads finished drafts back instead of asking (and paying) an author again, as long as nothing
the author was given has changed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.generation.author import (
    Assumption,
    Author,
    CteOrigin,
    Draft,
    Job,
    configuration_of,
)
from core.pipeline import events as ev
from core.pipeline.events import CteLines
from core.project.files import read_text, write_text
from core.version import VERSION

_SAFE = re.compile(r"[a-z0-9_][a-z0-9_.$#@ -]{0,150}")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d) *(?:\..*)?")
"""Names of devices, with or without an ending: Windows opens no such file
(https://learn.microsoft.com/windows/win32/fileio/naming-a-file)."""


def file_stem(item_id: str) -> str:
    """The name of an item's files: its id, made harmless where a table has an odd name.

    A bracketed SQL Server name may hold slashes, quotes or control characters.
    """
    safe = _SAFE.fullmatch(item_id) and not item_id.endswith((".", " "))
    if safe and not _RESERVED.fullmatch(item_id):
        return item_id
    digest = hashlib.sha256(item_id.encode("utf-8", "surrogatepass")).hexdigest()[:10]
    return re.sub(r"[^a-z0-9_]+", "_", item_id.lower())[:100].strip("_") + "-" + digest


def text_hash(text: str) -> str:
    """SHA-256 of a text as UTF-8, in hex."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def inputs_hash(job: Job, author: Author) -> str:
    """Names everything an author is given for a job, and how it is set up: a change is noticed."""
    parts = (
        VERSION,
        author.name,
        configuration_of(author),
        job.model_name,
        job.procedure.text,
        job.collation,
        job.table.model_dump_json(),
        job.spec.model_dump_json(),
        repr(sorted(job.existing_models.items())),
    )
    return text_hash("\0".join(parts))


class AttemptFiles:
    """The attempts of one run on disk."""

    def __init__(self, runs: Path) -> None:
        self._folder = runs / "attempts"

    def path(self, item_id: str, attempt: int, ending: str) -> Path:
        """``attempts/<item_id>/<n>.<ending>``; ``ending`` is ``sql`` or ``yml``."""
        return self._folder / file_stem(item_id) / f"{attempt}.{ending}"

    def write(self, item_id: str, attempt: int, sql: str, yaml: str) -> None:
        """Keep one version; an attempt whose YAML could not be rendered has only SQL."""
        write_text(self.path(item_id, attempt, "sql"), sql)
        if yaml:
            write_text(self.path(item_id, attempt, "yml"), yaml)

    def read(self, item_id: str, attempt: int) -> tuple[str, str]:
        """SQL and YAML of an attempt; empty texts for what is not there."""
        texts = []
        for ending in ("sql", "yml"):
            try:
                texts.append(read_text(self.path(item_id, attempt, ending)))
            except OSError:
                texts.append("")
        return texts[0], texts[1]

    def draft(self, event: ev.DraftReady) -> Draft | None:
        """The draft an event speaks of; ``None`` when its text is gone or was changed."""
        sql, _ = self.read(event.item_id, event.attempt)
        if not sql or text_hash(sql) != event.sql_hash:
            return None
        return Draft(
            sql=sql,
            author=event.author,
            notes=event.notes,
            assumptions=tuple(_assumption(a) for a in event.assumptions),
            cte_map=tuple(CteOrigin(c.cte, c.lines) for c in event.cte_map),
            changes=event.changes,
            dropped=event.dropped,
        )


def draft_event(
    item_id: str, attempt: int, cause: str, draft: Draft, yaml: str, materialized: str, inputs: str
) -> ev.DraftReady:
    """The event that announces a draft whose files are written."""
    return ev.DraftReady(
        item_id=item_id,
        attempt=attempt,
        author=draft.author,
        cause=cause,
        sql_hash=text_hash(draft.sql),
        yaml_hash=text_hash(yaml) if yaml else "",
        inputs_hash=inputs,
        materialized=materialized,
        changes=draft.changes,
        notes=draft.notes,
        assumptions=tuple(
            {
                "kind": a.kind,
                "text": a.text,
                "relation": a.relation,
                "columns": list(a.columns),
                "line": a.line,
            }
            for a in draft.assumptions
        ),
        cte_map=tuple(CteLines(cte=c.cte, lines=c.lines) for c in draft.cte_map),
        dropped=draft.dropped,
    )


def _assumption(value: Mapping[str, Any]) -> Assumption:
    return Assumption(
        kind=str(value.get("kind", "other")),
        text=str(value.get("text", "")),
        relation=str(value.get("relation", "")),
        columns=tuple(str(c) for c in value.get("columns", ())),
        line=int(value.get("line", 0)),
    )


@dataclass
class RecordedDrafts:
    """Drafts of one item that an interrupted process had finished, in the order they were made.

    They are handed out one by one while the item is done again; the first that does not fit what
    is asked for (another cause, other inputs, a changed file) ends it.
    """

    drafts: list[tuple[ev.DraftReady, Draft]]

    @classmethod
    def of(cls, events: Iterable[ev.DraftReady], files: AttemptFiles) -> RecordedDrafts:
        """Read the drafts back; the files decide, a missing one ends the list."""
        found: list[tuple[ev.DraftReady, Draft]] = []
        for event in events:
            draft = files.draft(event)
            if draft is None:
                break
            found.append((event, draft))
        return cls(found)

    def next(self, cause: str, attempt: int, inputs: str) -> Draft | None:
        """The recorded draft for this step, if there is one."""
        if not self.drafts:
            return None
        event, draft = self.drafts[0]
        if (event.cause, event.attempt, event.inputs_hash) != (cause, attempt, inputs):
            self.drafts.clear()
            return None
        self.drafts.pop(0)
        return draft
