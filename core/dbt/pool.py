"""The pool of warm worker processes: the implementation of :class:`core.dbt.verify.Verifier`."""

from __future__ import annotations

from core.dbt.outcome import Progress, Verification
from core.dbt.verify import ProjectBuild, ProjectVerdict, VerifyRequest


class WorkerPool:
    """Up to ``jobs`` workers; ``start_method`` is ``forkserver``, ``spawn`` or chosen by us.

    Call :meth:`start_early` before a Textual app takes the terminal.
    """

    def __init__(self, jobs: int, start_method: str | None = None) -> None:
        self.jobs = jobs
        self.start_method = start_method

    def start_early(self) -> None:
        """Start the process that workers are forked from; returns at once."""
        raise NotImplementedError

    def resize(self, jobs: int) -> None:
        """Use up to ``jobs`` workers from now on."""
        self.jobs = jobs

    def cancel(self, item_id: str) -> None:
        """Stop what is under way for an item; its verification ends as lost (``CANCELLED``)."""
        raise NotImplementedError

    async def verify(self, request: VerifyRequest, progress: Progress) -> Verification:
        """Guard, dbt's verdict, and the replay of every scenario."""
        raise NotImplementedError

    async def precheck(self, request: VerifyRequest) -> Verification:
        """Guard and the unit tests run natively."""
        raise NotImplementedError

    async def build_project(self, build: ProjectBuild, progress: Progress) -> ProjectVerdict:
        """One ``dbt build`` of the project."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """End all workers."""
