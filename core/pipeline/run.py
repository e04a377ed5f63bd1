"""A run: its items worked on in parallel, steered and decided about by whoever holds it.

``RunController`` knows no terminal: the app and the headless command use the same one. It owns the
queue, the running items and the decisions; one item's failure never reaches another. What happened
is only in the stream.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from core.generation.author import Draft
from core.pipeline import events as ev
from core.pipeline.attempts import RecordedDrafts, file_stem
from core.pipeline.deadline import deadline
from core.pipeline.decided import Decided
from core.pipeline.decisions import would_accept
from core.pipeline.endings import cancelled, crashed, past_deadline, unwritable
from core.pipeline.item import ItemProcess, Request, Trail
from core.pipeline.itemresult import RunItem, failed, result_of
from core.pipeline.modelfiles import ModelFiles
from core.pipeline.plan import RunPlan
from core.pipeline.ports import Parts, Prepared
from core.pipeline.result import ItemResult, ItemStatus, Usage
from core.pipeline.state import ItemPhase, ItemState
from core.pipeline.stream import RunStream
from core.project.clock import Clock
from core.project.codes import Code, ProjectError
from core.project.files import write_text


@dataclass(frozen=True)
class _Queued:
    item: RunItem
    request: Request
    recorded: RecordedDrafts | None = None


class RunController(Decided):
    """Carries out one plan. Create it inside a running event loop; see ``core.pipeline.open``."""

    def __init__(
        self,
        plan: RunPlan,
        parts: Parts,
        stream: RunStream,
        files: ModelFiles,
        clock: Clock,
        *,
        person: str = "",
        interactive: bool = False,
    ) -> None:
        """``person`` is who decides; ``interactive`` runs wait for decisions of a person."""
        super().__init__(plan, stream, files, clock, person=person, interactive=interactive)
        self.parts = parts
        self.prepared: dict[str, Prepared] = {}
        """The files of items that finished in this process, as they were prepared."""
        self._jobs = plan.settings.workers
        self._queue: list[_Queued] = []
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._cancelled: dict[str, str] = {}
        self._paused = False
        self._draining = False
        self._closed = False
        self._wake = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None
        stream.bind_loop()
        if parts.claude is not None:
            parts.claude.attach(self)

    # --- the queue --------------------------------------------------------------------------

    def begin(self, recorded: Mapping[str, RecordedDrafts] | None = None) -> None:
        """Queue every item that has no result yet; items that failed a guard end at once.

        ``recorded`` (a resumed run) holds exactly the items to be done again, each with the
        drafts that were finished before.
        """
        for item in self.plan.items:
            state = self.state.items.get(item.item_id)
            if recorded is not None and item.item_id not in recorded:
                continue
            refused = self.plan.refused.get(item.item_id)
            if refused is not None:
                self._settle_now(item, failed(item, [refused]))
                continue
            request = _pending_request(state) if recorded is not None else Request()
            drafts = (recorded or {}).get(item.item_id)
            self._enqueue(item, request, drafts, resumed=recorded is not None)

    def _enqueue(
        self,
        item: RunItem,
        request: Request,
        recorded: RecordedDrafts | None = None,
        *,
        resumed: bool = False,
    ) -> None:
        if request.kind != "generate" and self.parts.claude is not None:
            # A person wants it done again; after a refusal they may agree this time.
            self.parts.claude.reopen_consent()
        self.stream.emit(
            ev.ItemQueued(
                item_id=item.item_id,
                table_ref=item.table_ref,
                model_name=item.model_name,
                writer=item.writer,
                request=request.kind,
                resumed=resumed and request.kind == "generate",
                words=request.words,
                author=request.author,
                from_attempt=request.from_attempt,
                by=request.by,
            )
        )
        self._queue.append(_Queued(item, request, recorded))
        self._kick()

    def _kick(self) -> None:
        self._wake.set()
        if self._closed:
            return
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work(), name="run")

    async def idle(self) -> None:
        """Return when nothing is under way and nothing will start by itself."""
        while self._worker is not None and not self._worker.done():
            await asyncio.shield(self._worker)

    async def _work(self) -> None:
        while not self._closed:
            self._wake.clear()
            self._admit()
            if not self._tasks and (not self._queue or self._draining):
                return
            await self._wake.wait()

    def _admit(self) -> None:
        while self._queue and len(self._tasks) < self._jobs:
            if self._paused or self._draining:
                return
            index = self._next_ready()
            if index is None:
                return
            queued = self._queue.pop(index)
            item_id = queued.item.item_id
            task = asyncio.create_task(self._run_item(queued), name=item_id)
            self._tasks[item_id] = task
            task.add_done_callback(partial(self._ended, item_id))

    def _ended(self, item_id: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(item_id) is task:
            del self._tasks[item_id]
        if not task.cancelled():
            task.exception()  # retrieved here; _run_item has dealt with it
        self._wake.set()

    def _next_ready(self) -> int | None:
        """The first item whose models-to-reference are done; in a circle, the first of all."""
        waiting = {queued.item.item_id for queued in self._queue}
        for index, queued in enumerate(self._queue):
            if queued.item.item_id in self._tasks:
                continue
            needs = self.plan.depends.get(queued.item.item_id, ())
            if not any(n in waiting or n in self._tasks for n in needs):
                return index
        return 0 if not self._tasks else None

    # --- one item ---------------------------------------------------------------------------

    def models_for(self, item_id: str) -> dict[str, str]:
        """Models the item may reference: of the project, and of this run as far as accepted."""
        mode = "interactive" if self.interactive else self.plan.settings.approve
        models = dict(self.plan.existing_models)
        models.pop(item_id, None)
        for item in self.plan.items:
            if item.item_id == item_id:
                continue
            state = self.state.items.get(item.item_id)
            done = state is not None and state.phase is ItemPhase.DONE
            refused_by_person = state is not None and state.accepted is False
            if done and state is not None and would_accept(mode, state.status):
                if not refused_by_person:
                    models[item.item_id] = item.model_name
            elif not done and item.item_id not in self.plan.refused:
                models.pop(item.item_id, None)
        return models

    async def _run_item(self, queued: _Queued) -> None:
        item = queued.item
        begun = time.monotonic()
        author = queued.request.author or self.plan.settings.author
        self.stream.emit(
            ev.ItemStarted(
                item_id=item.item_id,
                author=author,
                waits_for=self.plan.depends.get(item.item_id, ()),
            )
        )
        trail = Trail()
        seconds = self.plan.settings.deadline_of(author)
        try:
            async with deadline(seconds):
                process = self._process(queued, author)
                trail = process.trail
                await process.run()
            result = result_of(item, trail, self._usage(item.item_id))
        except asyncio.CancelledError:
            if self._closed or item.item_id not in self._cancelled:
                raise
            result = self._cancelled_result(item)
        except TimeoutError:
            result = failed(item, [past_deadline(item, seconds)])
        except ProjectError as error:
            result = failed(item, [error.diagnostic.model_copy(update={"item_id": item.item_id})])
        except Exception as error:
            result = failed(item, [crashed(item, error, self.files.place.runs)])
        await self._settle(item, result, trail, time.monotonic() - begun)

    def _process(self, queued: _Queued, author_name: str) -> ItemProcess:
        item, request = queued.item, queued.request
        author = self.parts.authors.get(author_name)
        if author is None:
            raise ProjectError.of(
                Code.GENERATION_FAILED,
                f"The author '{author_name}' is not available in this installation.",
                item.item_id,
            )
        state = self.state.items[item.item_id]
        last = max((a.attempt for a in state.attempts), default=0)
        return ItemProcess(
            self.plan.job(item.item_id, self.models_for(item.item_id)),
            request,
            author,
            self.parts,
            self.stream,
            self.attempts,
            recorded=queued.recorded,
            next_attempt=last + 1,
            base=self._base(item, request),
            corrections_spent=self._spent(state) if request.kind == "revise" else 0,
            retry_on_refuted=self.plan.settings.retry_on_refuted,
        )

    def _spent(self, state: ItemState) -> int:
        """Self-corrections of the version a person wants revised; their own wish is not one."""
        return sum(1 for a in state.attempts if a.cause not in ("draft", "person", "edit"))

    def _base(self, item: RunItem, request: Request) -> Draft | None:
        if not request.from_attempt:
            return None
        sql, _ = self.attempts.read(item.item_id, request.from_attempt)
        state = self.state.items[item.item_id]
        known = next((a for a in state.attempts if a.attempt == request.from_attempt), None)
        if known is None:
            return Draft(sql=sql, author=f"person: {request.by}" if request.by else "person")
        draft = self.attempts.draft(
            ev.DraftReady(
                item_id=item.item_id,
                attempt=known.attempt,
                author=known.author,
                cause=known.cause,
                sql_hash=known.sql_hash,
                notes=known.notes,
                assumptions=tuple(dict(a) for a in known.assumptions),
                cte_map=known.cte_map,
                dropped=known.dropped,
            )
        )
        return draft or Draft(sql=sql, author=known.author)

    def _usage(self, item_id: str) -> Usage | None:
        usage = self.state.items[item_id].usage
        return usage if usage.calls else None

    # --- the end of an item -----------------------------------------------------------------

    async def _settle(
        self, item: RunItem, result: ItemResult, trail: Trail, seconds: float
    ) -> None:
        """Write the files, then the result, then the event: the order a resume relies on."""
        try:
            await self._write_files(item, result, trail)
        except ProjectError as error:
            result = failed(
                item,
                [error.diagnostic.model_copy(update={"item_id": item.item_id})],
                result.output.notes,
            )
        except OSError as error:
            result = failed(item, [unwritable(item, error)], result.output.notes)
        self.write_result(result)
        attempt = trail.version.attempt if trail.version is not None else 0
        self.stream.emit(
            ev.ItemFinished(
                item_id=item.item_id, result=result, attempt=attempt, seconds=round(seconds, 3)
            )
        )
        self._cancelled.pop(item.item_id, None)
        if self.interactive:
            self._ask_person(result)
        await self.stream.sync()

    def _settle_now(self, item: RunItem, result: ItemResult) -> None:
        """The end of an item that was never started."""
        self.write_result(result)
        self.stream.emit(ev.ItemFinished(item_id=item.item_id, result=result))
        if self.interactive:
            self._ask_person(result)

    def _ask_person(self, result: ItemResult) -> None:
        reason = "failed" if result.status is ItemStatus.ERROR else "awaiting approval"
        self.stream.emit(ev.NeedsPerson(item_id=result.item_id, reason=reason))

    async def _write_files(self, item: RunItem, result: ItemResult, trail: Trail) -> None:
        version = trail.version
        if result.status is ItemStatus.ERROR or version is None:
            await self.files.restore([item])
        else:
            await self.files.write(item, version.prepared.sql, version.prepared.yaml)
            self.prepared[item.item_id] = version.prepared

    def write_result(self, result: ItemResult) -> None:
        """Write an item's result, and its counterexample if it has one."""
        runs, stem = self.files.place.runs, file_stem(result.item_id)
        equivalence = result.output.equivalence
        found = equivalence.counterexample if equivalence is not None else None
        if found is not None:
            write_text(runs / f"{stem}.counterexample.json", json.dumps(found, indent=2) + "\n")
        write_text(runs / f"{stem}.json", result.model_dump_json(indent=2) + "\n")

    def _cancelled_result(self, item: RunItem) -> ItemResult:
        return failed(item, [cancelled(item, self._cancelled.get(item.item_id, ""))])

    # --- steering ---------------------------------------------------------------------------

    def pause(self) -> None:
        """Start no new item until :meth:`resume`."""
        if not self._paused:
            self._paused = True
            self.stream.emit(ev.RunPaused())

    def resume(self) -> None:
        """End a pause."""
        if self._paused:
            self._paused = False
            self.stream.emit(ev.RunResumed())
            self._kick()

    def drain(self) -> None:
        """Finish what is under way and start nothing more."""
        if not self._draining:
            self._draining = True
            self.stream.emit(ev.RunDraining())
            self._kick()

    def set_jobs(self, jobs: int) -> None:
        """Work on up to ``jobs`` items at once from now on."""
        jobs = max(1, jobs)
        if jobs != self._jobs:
            self._jobs = jobs
            self.stream.emit(ev.ConcurrencyChanged(jobs=jobs))
            self._kick()

    def cancel(self, item_id: str, by: str = "") -> None:
        """Stop work on one item; it ends as ``CANCELLED``. No effect on a finished one."""
        queued = next((q for q in self._queue if q.item.item_id == item_id), None)
        task = self._tasks.get(item_id)
        if queued is None and task is None:
            return
        self._cancelled[item_id] = by or self.person
        self.stream.emit(ev.ItemCancelled(item_id=item_id, by=by or self.person))
        if queued is not None:
            self._queue.remove(queued)
            self._settle_now(queued.item, self._cancelled_result(queued.item))
            self._cancelled.pop(item_id, None)
            self._wake.set()
        elif task is not None:
            task.cancel()

    async def interrupt(self, reason: str) -> None:
        """Stop at once and leave a run that ``--resume`` takes up; items get no result."""
        if self._closed:
            return
        self._closed = True
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        self._wake.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.stream.emit(ev.RunInterrupted(reason=reason))
        await self.stream.sync()

    def answer_consent(self, given: bool, by: str = "") -> None:
        """Answer ``ConsentAsked``: whether the texts it names may be sent to Claude."""
        if self.parts.claude is not None:
            self.parts.claude.answer_consent(given, by or self.person)


def _pending_request(state: ItemState | None) -> Request:
    """What was asked of an item that an interrupted run did not finish."""
    if state is None or state.request in ("", "generate"):
        return Request()
    return Request(state.request, state.words, state.from_attempt, state.by, state.asked_author)
