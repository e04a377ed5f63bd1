"""Claude as an author: drafts a model, corrects it from evidence, and is believed in nothing.

Every request of a job begins with the same blocks and ends with the task, so that a correction
reads its prefix from the cache. There is no conversation: a correction is a fresh request with the
present model and what is wrong with it. What comes back is text that has yet to pass guard, tests,
review and equivalence like any other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.claude.call import Ask, Block, canonical, digest
from core.claude.client import Claude
from core.claude.context import Material, material, system_blocks
from core.claude.edits import edited
from core.claude.evidence import findings
from core.claude.failure import ClaudeFailure
from core.claude.foreign import facts, foreign
from core.claude.personal import Privacy
from core.claude.prompts import prompt_version
from core.claude.schema import (
    AUTHORED_SCHEMA,
    AssumptionKind,
    Authored,
    Relation,
    read_answer,
)
from core.generation.author import (
    Assumption,
    CteOrigin,
    Draft,
    Failure,
    Job,
    Refusal,
    Say,
)
from core.generation.offloop import off_loop
from core.project.catalog import CatalogTable
from core.project.codes import ProjectError
from core.project.names import printable
from core.project.settings import EFFORTS, ClaudeAuthorSettings, Settings

NAME = "claude"
ANSWERS = 2
"""Answers that may be of no use (another shape, edits that do not fit) before it is given up."""

_FENCE = re.compile(r"\A\s*```[a-z]*\n(?P<text>.*?)\n?```\s*\Z", re.DOTALL)
_DRAFT = "Write the first draft of this model."
_AFTER_REFUSAL = (
    "Write the first draft of this model. The compiler, which translates statement by statement "
    "and guesses nothing, refused the procedure for the reason above; what it does not name is "
    "ordinary. If the reason is that there can be no faithful model, say so as a blocker."
)
_CORRECT = (
    "This is the present model, as data, and what is wrong with it. Correct it with the smallest "
    "set of edits that mends all findings; the scenarios are right and the procedure is right."
)


@dataclass(frozen=True)
class _Task:
    """What is asked for now; ``base`` is the present model as it is sent."""

    purpose: str
    blocks: tuple[Block, ...]
    base: str = ""
    again: bool = False
    """Whether the last correction was asked for with the same findings."""


class ClaudeAuthor:
    """Writes models with Claude; keeps no state between items."""

    def __init__(self, claude: Claude, settings: Settings) -> None:
        self._claude = claude
        self._settings = settings

    @property
    def name(self) -> str:
        """``claude``."""
        return NAME

    @property
    def configuration(self) -> str:
        """Models, effort, prompt, shape of the answer, and what is kept from Claude.

        Not how much it may write or who serves it: an answer is complete or there is none.
        """
        role, settings = self._settings.claude.author, self._settings
        return canonical(
            {
                "model": role.model,
                "fallback": role.fallback,
                "effort": role.effort,
                "prompt": prompt_version("author"),
                "schema": digest(AUTHORED_SCHEMA),
                "mask_literals": settings.mask_literals,
                "send_rows": settings.send_rows,
            }
        )

    async def draft(self, job: Job, say: Say) -> Draft | Refusal:
        """Ask for a first version."""
        sent = await off_loop(self._material, job)
        task = await off_loop(self._first, job, sent)
        return await self._written(job, sent, task, say)

    async def correct(self, job: Job, draft: Draft, failure: Failure, say: Say) -> Draft | Refusal:
        """Ask for a correction of ``draft`` from what is known about the failure."""
        sent = await off_loop(self._material, job)
        task = await off_loop(self._correction, job, sent, draft, failure)
        return await self._written(job, sent, task, say)

    def first_ask(self, job: Job) -> Ask:
        """The request of a first draft, for an estimate; nothing is sent."""
        sent = self._material(job)
        return self._ask(job, sent, self._first(job, sent), ())

    def _material(self, job: Job) -> Material:
        return material(job, mask_literals=self._settings.mask_literals)

    def _first(self, job: Job, sent: Material) -> _Task:
        refused = self._refused(job, self._privacy(job, sent))
        return _Task("draft", (*refused, _text(_AFTER_REFUSAL if refused else _DRAFT)))

    def _correction(self, job: Job, sent: Material, draft: Draft, failure: Failure) -> _Task:
        base = sent.masker.model(draft.sql)
        privacy = self._privacy(job, sent, base)
        blocks = (
            _text(foreign("present model", job.model_name, base)),
            _text(facts("about the present model", _about(draft, privacy))),
            *self._refused(job, privacy),
            _text(facts("findings", findings(failure, privacy))),
            _text(_CORRECT),
        )
        return _Task("correct", blocks, base, failure.again and draft.author == NAME)

    def _privacy(self, job: Job, sent: Material, *more: str) -> Privacy:
        texts = (sent.procedure, sent.catalog, *more)
        return Privacy(job, sent.masker, send_rows=self._settings.send_rows, sent=texts)

    def _refused(self, job: Job, privacy: Privacy) -> tuple[Block, ...]:
        """What an author before this one could not translate; in no block of the prefix."""
        if job.refused is None:
            return ()
        said = {
            "by": job.refused.author,
            "reason": privacy.message(job.refused.reason),
            "construct": job.refused.construct,
            "procedure_line": job.refused.line,
        }
        return (_text(facts("refusal", said)),)

    def _ask(self, job: Job, sent: Material, task: _Task, problems: Sequence[str]) -> Ask:
        role = self._settings.claude.author
        model, effort = escalated(role) if task.again else (role.model, role.effort)
        blocks = task.blocks
        if problems:
            again = facts("problems with your last answer", {"problems": list(problems)})
            blocks = (*blocks, _text(again))
        shared = sent.blocks()
        return Ask(
            purpose=task.purpose,
            item_id=job.item_id,
            model=model,
            max_tokens=role.max_tokens,
            system=system_blocks(
                "author",
                job.project,
                an_hour=self._claude.prices.keep_an_hour(role.model, role.fallback),
            ),
            content=(*shared, *blocks),
            schema=AUTHORED_SCHEMA,
            effort=effort,
            stable=len(shared),
            fallback=role.fallback or "",
        )

    async def _written(self, job: Job, sent: Material, task: _Task, say: Say) -> Draft | Refusal:
        problems: tuple[str, ...] = ()
        if task.again:
            model, effort = escalated(self._settings.claude.author)
            say(f"the same findings again: asking {model} with effort {effort}")
        for _ in range(ANSWERS):
            answered = await self._claude.ask(self._ask(job, sent, task, problems), say)
            if isinstance(answered, ClaudeFailure):
                return _refusal(answered)
            authored = read_answer(Authored, answered.text)
            if isinstance(authored, ClaudeFailure):
                problems = (authored.sentence,)
                say("the answer had another shape; asking again")
                continue
            if authored.blockers:
                return _blocked(authored, job)
            text = _model_text(authored, task.base)
            if isinstance(text, str):
                return _draft(authored, sent.masker.restored(text), job)
            problems = text
            say("the edits did not fit; asking for the whole text")
        return Refusal(
            f"Claude gave no answer that can be used: {problems[0].rstrip('.')}",
            construct="unusable answer",
            author=NAME,
        )


def escalated(role: ClaudeAuthorSettings) -> tuple[str, str]:
    """Model and effort for a second correction of the same findings.

    More effort up to ``high`` first; beyond it an answer costs several times as
    much, so then the fallback model is asked, where one is set.
    """
    step = EFFORTS.index(role.effort)
    if step < EFFORTS.index("high"):
        return role.model, EFFORTS[step + 1]
    return role.fallback or role.model, role.effort


def _about(draft: Draft, privacy: Privacy) -> dict[str, object]:
    """Who wrote the present model, and what its author said about it."""
    return {
        "written_by": draft.author.partition(":")[0],
        "notes": [privacy.message(note) for note in draft.notes[:20]],
        "assumptions": [privacy.message(each.text) for each in draft.assumptions[:20]],
        "left_out": [privacy.message(part) for part in draft.dropped[:20]],
        "changed_before": [privacy.message(change) for change in draft.changes[:20]],
    }


def _text(text: str) -> Block:
    return {"type": "text", "text": text}


def _model_text(authored: Authored, base: str) -> str | tuple[str, ...]:
    """The model an answer comes to, or what is wrong with the answer."""
    text = authored.model_sql
    if text.strip():
        fenced = _FENCE.match(text)
        text = fenced["text"] if fenced is not None else text
        return text.replace("\r\n", "\n").strip("\n") + "\n"
    if not base:
        return ("model_sql is empty; it holds the whole text of the model",)
    if not authored.edits:
        return ("there are neither edits nor a model_sql",)
    done = edited(base, authored.edits)
    if isinstance(done, str):
        return done
    return (*done, "no edit was made; give the whole text in model_sql")


def _draft(authored: Authored, sql: str, job: Job) -> Draft:
    lines = job.procedure.text.count("\n") + 1
    notes = [note for note in (_clean(authored.design, 900),) if note]
    origins: dict[str, list[tuple[int, int]]] = {}
    dropped = []
    for part in authored.equivalence:
        first, last = part.first_line, part.last_line
        known = 1 <= first <= last <= lines
        place = f"lines {first} to {last}: " if known else ""
        if part.relation is Relation.DROPPED:
            dropped.append(place + (_clean(part.note) or "left out"))
        elif part.relation is Relation.CHANGED and part.note:
            notes.append(place + _clean(part.note))
        if known and part.target and re.fullmatch(r"\w+", part.target):
            origins.setdefault(part.target, []).append((first, last))
    return Draft(
        sql=sql,
        author=NAME,
        notes=tuple(notes),
        assumptions=tuple(_assumptions(authored, job)),
        cte_map=tuple(CteOrigin(cte, tuple(ranges)) for cte, ranges in origins.items()),
        changes=tuple(_clean(change) for change in authored.changes[:20] if change.strip()),
        dropped=tuple(dropped[:50]),
    )


def _assumptions(authored: Authored, job: Job) -> list[Assumption]:
    """Assumptions become tests only about tables and columns that exist; others are words."""
    found = []
    for each in authored.assumptions[:50]:
        table = _table_of(each.relation, job)
        columns = tuple(
            column.name
            for column in (
                table.column(name) if table is not None else None for name in each.columns
            )
            if column is not None
        )
        whole = table is not None and bool(columns) and len(columns) == len(each.columns)
        kind = each.kind if whole else AssumptionKind.OTHER
        about_model = table is None or table.item_id == job.item_id
        found.append(
            Assumption(
                kind=kind.value,
                text=_clean(each.text),
                relation="" if about_model or table is None else table.display,
                columns=columns if whole else (),
                line=max(0, min(each.line, job.procedure.text.count("\n") + 1)),
            )
        )
    return found


def _table_of(relation: str, job: Job) -> CatalogTable | None:
    if relation.strip() in ("", job.model_name):
        return job.table
    try:
        return job.project.table(relation.strip())
    except (ProjectError, ValueError):
        return None


def _blocked(authored: Authored, job: Job) -> Refusal:
    first = authored.blockers[0]
    lines = job.procedure.text.count("\n") + 1
    return Refusal(
        f"Claude says: {_clean(first.reason) or 'there can be no faithful model'}",
        line=first.line if 1 <= first.line <= lines else 0,
        construct=_clean(first.kind, 60) or "blocker",
        author=NAME,
    )


def _refusal(failure: ClaudeFailure) -> Refusal:
    return Refusal(
        failure.sentence, construct=f"Claude: {failure.kind.value}", author=NAME, code=failure.code
    )


def _clean(text: str, most: int = 400) -> str:
    """Words of an answer for a person: one line, no control characters, nothing dbt evaluates."""
    line = printable(text).strip()
    for mark, harmless in (("{{", "{ {"), ("}}", "} }"), ("{%", "{ %"), ("{#", "{ #")):
        line = line.replace(mark, harmless)
    return line[:most]
