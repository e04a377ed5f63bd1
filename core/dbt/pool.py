"""The pool of warm worker processes: the implementation of :class:`core.dbt.verify.Verifier`.

One request per worker at a time. A request that passes its deadline is ended by killing the
worker; a worker that dies takes nothing with it, its request is tried once more on another.
Waiting on workers happens in threads that only block on pipes, never on the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from core.dbt.launch import default_start_method, start_forkserver, start_worker, work_folder
from core.dbt.outcome import Phase, Progress, Verification
from core.dbt.verify import (
    ProjectBuild,
    ProjectVerdict,
    TargetCheck,
    TargetRequest,
    VerifyRequest,
)
from core.project.codes import Code

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

RECYCLE_AFTER = 500
"""Requests a worker answers before another takes its place; hygiene, no leak is known."""

_ONCE = frozenset({"build", "target", "target-check"})
"""Operations after which a worker is not used again: it saw another project or secrets."""

T = TypeVar("T")


@dataclass(frozen=True)
class Lost:
    """Why a request has no answer; ``error`` names the exception where the defect is ours."""

    code: Code
    reason: str
    error: str = ""


class WorkerTask(Protocol):
    """Work of another part, picklable; it runs in a worker's mini-project folder.

    A class may name its kind of work in ``doing`` (``compilation``), for sentences about it.
    """

    @property
    def item_id(self) -> str:
        """What :meth:`WorkerPool.cancel` calls it by."""
        ...

    def run(self, folder: Path, progress: Progress) -> Any:
        """Do it; what is returned must be picklable."""
        ...


@dataclass
class _Worker:
    """One process and our end of its pipe."""

    process: BaseProcess
    pipe: Connection
    served: int = 0
    lost: Lost | None = None

    def kill(self) -> None:
        """End it at once; whoever waits on the pipe sees it close."""
        if self.process.is_alive():
            self.process.kill()

    def discard(self) -> None:
        """End it and remove what it left."""
        self.kill()
        self.process.join()
        self.pipe.close()
        shutil.rmtree(work_folder() / f"worker-{self.process.pid}", ignore_errors=True)


@dataclass
class _Running:
    """A request under way."""

    worker: _Worker
    item_id: str


@dataclass
class WorkerPool:
    """Up to ``jobs`` workers; ``start_method`` is ``forkserver``, ``spawn`` or chosen by us.

    Call :meth:`start_early` before a Textual app takes the terminal. Workers start when they
    are first needed.
    """

    jobs: int
    start_method: str | None = None
    recycle_after: int = RECYCLE_AFTER
    _idle: list[_Worker] = field(default_factory=list)
    _running: list[_Running] = field(default_factory=list)
    _waiting: list[asyncio.Future[None]] = field(default_factory=list)
    _busy: int = 0
    _threads: ThreadPoolExecutor | None = None
    _drained: asyncio.Future[None] | None = None
    _closed: bool = False

    @property
    def workers(self) -> tuple[int, ...]:
        """Process ids of the workers that are waiting for work."""
        return tuple(worker.process.pid or 0 for worker in self._idle)

    def start_early(self) -> None:
        """Start the process that workers are forked from; returns at once."""
        work_folder()
        if self._method() == "forkserver":
            start_forkserver()

    def resize(self, jobs: int) -> None:
        """Use up to ``jobs`` workers from now on; what is under way goes on."""
        self.jobs = max(1, jobs)
        while len(self._idle) + self._busy > self.jobs and self._idle:
            self._idle.pop().discard()
        self._wake()

    def cancel(self, item_id: str) -> None:
        """Stop what is under way for an item; its verification ends as lost (``CANCELLED``)."""
        for running in list(self._running):
            if running.item_id == item_id:
                running.worker.lost = Lost(Code.CANCELLED, "It was cancelled.")
                running.worker.kill()

    async def verify(self, request: VerifyRequest, progress: Progress) -> Verification:
        """Guard, dbt's verdict, and the replay of every scenario."""
        return _verification(await self._ask("verify", request, request.deadline_s, progress))

    async def precheck(self, request: VerifyRequest) -> Verification:
        """Guard and the unit tests run natively; no verdict, for the inner loop."""
        return _verification(await self._ask("precheck", request, request.deadline_s, _ignore))

    async def verify_on_target(self, request: TargetRequest, progress: Progress) -> Verification:
        """Compile and test on the project's own warehouse."""
        answer = await self._ask("target", request, request.deadline_s, progress)
        return _verification(answer)

    async def check_target(self, request: TargetRequest) -> TargetCheck:
        """Whether the project's own warehouse can be used."""
        answer = await self._ask("target-check", request, request.deadline_s, _ignore)
        if isinstance(answer, Lost):
            return TargetCheck(Code.DBT_CONNECTION_FAILED, answer.reason)
        assert isinstance(answer, TargetCheck)
        return answer

    async def run_task(self, task: WorkerTask, deadline_s: float, progress: Progress) -> Any | Lost:
        """Another part's work that needs a warm dbt and its database, or why it was lost."""
        return await self._ask("task", task, deadline_s, progress)

    async def build_project(self, build: ProjectBuild, progress: Progress) -> ProjectVerdict:
        """One ``dbt build`` of the project, in a worker that is not used again."""
        answer = await self._ask("build", build, build.deadline_s, progress)
        if isinstance(answer, Lost):
            return ProjectVerdict(passed=False, lost=answer.reason)
        assert isinstance(answer, ProjectVerdict)
        return answer

    async def aclose(self) -> None:
        """End all workers, also those at work."""
        self._closed = True
        for running in list(self._running):
            running.worker.lost = Lost(Code.CANCELLED, "The run was ended.")
            running.worker.kill()
        self._wake(everyone=True)
        workers, self._idle = self._idle, []
        await asyncio.to_thread(_discard_all, workers)
        if self._busy:
            self._drained = asyncio.get_running_loop().create_future()
            await self._drained
        if self._threads is not None:
            self._threads.shutdown(wait=False)
            self._threads = None

    # -- requests ----------------------------------------------------------------------------

    async def _ask(
        self, operation: str, request: Any, deadline: float, progress: Callable[[str], None]
    ) -> Any:
        """The worker's answer, or :class:`Lost`. A dead worker's request is tried once more."""
        answer: Any = None
        for _ in range(2):
            answer = await self._ask_once(operation, request, deadline, progress)
            if not (isinstance(answer, Lost) and answer.code is Code.WORKER_LOST):
                return answer
        return answer

    async def _ask_once(
        self, operation: str, request: Any, deadline: float, progress: Callable[[str], None]
    ) -> Any:
        await self._turn()
        worker: _Worker | None = None
        try:
            try:
                worker = self._idle.pop() if self._idle else await self._started()
            except (OSError, EOFError, RuntimeError, ValueError) as error:
                return Lost(Code.WORKER_LOST, f"No worker could be started: {error}.")
            running = _Running(worker, str(getattr(request, "item_id", "")))
            self._running.append(running)
            loop = asyncio.get_running_loop()

            def tell(line: str) -> None:
                loop.call_soon_threadsafe(progress, line)

            try:
                answer = await self._in_thread(
                    lambda: _converse(running.worker, operation, request, deadline, tell)
                )
            except asyncio.CancelledError:
                worker.kill()
                raise
            finally:
                self._running.remove(running)
            return answer
        finally:
            if worker is not None:
                self._take_back(worker, once=operation in _ONCE)
            self._busy -= 1
            self._wake()
            if self._busy == 0 and self._drained is not None and not self._drained.done():
                self._drained.set_result(None)

    async def _turn(self) -> None:
        """Wait until a worker may be used."""
        while self._busy >= self.jobs and not self._closed:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            try:
                await waiter
            finally:
                if waiter in self._waiting:
                    self._waiting.remove(waiter)
        if self._closed:
            raise asyncio.CancelledError("the pool is closed")
        self._busy += 1

    def _wake(self, *, everyone: bool = False) -> None:
        for waiter in list(self._waiting):
            if not waiter.done():
                waiter.set_result(None)
                if not everyone:
                    return

    async def _started(self) -> _Worker:
        started: list[_Worker] = []

        def start() -> _Worker:
            process, pipe = start_worker(self._method(), work_folder())
            worker = _Worker(process, pipe)
            started.append(worker)
            try:
                pipe.recv()  # "ready": it has warmed up
            except (EOFError, OSError):
                worker.discard()
                raise
            return worker

        try:
            return await self._in_thread(start)
        except asyncio.CancelledError:
            for worker in started:
                worker.kill()
            raise

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(64, thread_name_prefix="proc2dbt-pipe")
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _take_back(self, worker: _Worker, *, once: bool) -> None:
        worker.served += 1
        usable = worker.lost is None and worker.process.is_alive() and not self._closed
        used_up = once or worker.served >= self.recycle_after
        if usable and not used_up and len(self._idle) + self._busy <= self.jobs:
            self._idle.append(worker)
        else:
            worker.discard()

    def _method(self) -> str:
        return self.start_method or default_start_method()


def _discard_all(workers: list[_Worker]) -> None:
    for worker in workers:
        worker.discard()


def _converse(
    worker: _Worker, operation: str, request: Any, deadline: float, tell: Callable[[str], None]
) -> Any:
    """Send a request and wait for its answer, in a thread."""
    ends = time.monotonic() + deadline
    doing = _doing(operation, request)
    try:
        worker.pipe.send((operation, request))
        while True:
            if not worker.pipe.poll(max(0.0, ends - time.monotonic())):
                worker.lost = Lost(
                    Code.DEADLINE_EXCEEDED,
                    f"The {doing} did not finish within {deadline:g} seconds.",
                )
                worker.kill()
                return worker.lost
            kind, value = worker.pipe.recv()
            if kind == "progress":
                with contextlib.suppress(RuntimeError):
                    tell(value)
            elif kind == "failed":
                return Lost(
                    Code.GENERATION_FAILED,
                    f"The {doing} itself failed ({value}), please report it.",
                    error=value,
                )
            else:
                return value
    except (EOFError, OSError):
        if worker.lost is None:
            worker.lost = Lost(Code.WORKER_LOST, "The worker process ended unexpectedly.")
        return worker.lost


_DOING = {"build": "build of the project", "target-check": "check of the target", "task": "work"}


def _doing(operation: str, request: Any) -> str:
    """What a worker is busy with, as sentences call it."""
    return str(getattr(request, "doing", _DOING.get(operation, "verification")))


def _verification(answer: Any) -> Verification:
    if isinstance(answer, Verification):
        return answer
    assert isinstance(answer, Lost)
    return Verification(Phase.TEST, False, lost=answer.reason, lost_code=answer.code.value)


def _ignore(line: str) -> None:
    return
