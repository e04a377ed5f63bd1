"""Claude in one run: author, reviewer, consent and money, told to the run's stream and ledger.

``core.claude`` knows no run; this is where its calls become events and lines of the ledger, and
where a person of the app is asked for consent.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from core.claude.author import NAME as CLAUDE
from core.claude.author import ClaudeAuthor
from core.claude.budget import Budget
from core.claude.call import CallRecord
from core.claude.client import Claude, Waits, nothing_is_asked, price_unknown
from core.claude.connection import Route
from core.claude.consent import (
    FILE,
    Agreements,
    ConsentDesk,
    Terms,
    consent_text,
    terms_of,
)
from core.claude.estimate import Estimate, estimate
from core.claude.ledger import FILE as LEDGER
from core.claude.ledger import Ledger, spent
from core.claude.prices import load_prices
from core.claude.reviewer import ClaudeReviewer, require_two_models
from core.generation.author import Job
from core.generation.offloop import off_loop
from core.git.repository import find_repository
from core.pipeline import events as ev
from core.pipeline.claude_use import ClaudeUse
from core.pipeline.deadline import uncounted
from core.pipeline.judges import RulesReviewer, review_request
from core.pipeline.ports import Candidate
from core.pipeline.result import Usage
from core.project.clock import Clock, system_clock
from core.project.codes import Code, ProjectError
from core.project.settings import Settings
from core.review.verdict import ReviewResult, Verdict

if TYPE_CHECKING:
    from core.pipeline.run import RunController


def require_claude(settings: Settings, project: Path) -> None:
    """Check before any work that Claude can be used as the settings say; sends nothing.

    Raises:
        ProjectError: ``SETTINGS_INVALID``.
    """
    require_two_models(settings)
    if settings.max_cost is None:
        return
    prices = load_prices(settings.claude.provider, project)
    for model in settings.claude.models:
        if prices.of(model) is None:
            raise ProjectError.of(
                Code.SETTINGS_INVALID,
                price_unknown(model, settings.claude.provider).sentence,
                field="max_cost",
            )


class ClaudeDesk:
    """One run's Claude. Made before the run; :meth:`attach` ties it to it."""

    def __init__(
        self,
        settings: Settings,
        project: Path,
        use: ClaudeUse | None = None,
        *,
        clock: Clock = system_clock,
        waits: Waits | None = None,
    ) -> None:
        """``project`` is the root of the migration project, for its prices and agreements."""
        use = use or ClaudeUse()
        limit = settings.max_cost
        self._settings = settings
        self._clock = clock
        self._run: RunController | None = None
        self._ledger: Ledger | None = None
        self._asked: asyncio.Future[str | None] | None = None
        self._expected: Estimate | None = None
        self.budget = Budget(None if limit is None else Decimal(str(limit)))
        self.consent = ConsentDesk(
            settings,
            Agreements(agreements_file(project)),
            self._host,
            clock,
            project=folder_of(project),
            agreed_by="--yes" if use.yes else "",
        )
        self.claude = Claude(
            Route(settings.claude.provider, settings.claude.base_url, use.record, use.replay),
            load_prices(settings.claude.provider, project),
            self.budget,
            self,
            parallel=settings.claude.parallel,
            longest_wait=settings.claude.longest_wait,
            # A replay sends nothing to anybody.
            consent=nothing_is_asked if use.replay is not None else self.consent,
            waits=waits,
            aside=uncounted,
        )
        self.author = ClaudeAuthor(self.claude, settings)
        self.reviewer = ClaudeReviewer(self.claude, settings)

    def attach(self, run: RunController) -> None:
        """From now on calls are told to this run; its ledger says what is spent already."""
        self._run = run
        file = run.files.place.runs / LEDGER
        self._ledger = Ledger(file, self._clock)
        self.budget.spent = spent(file)
        # The project the run was started in: its own prices need not be committed to the worktree.
        self.claude.prices = load_prices(self._settings.claude.provider, run.plan.project.root)
        self.consent.ask = self._ask_person if run.interactive else self._tell_terms
        self.consent.told = self._tell_agreed
        self.consent.estimate = self._estimated

    async def aclose(self) -> None:
        """Close the connection."""
        await self.claude.aclose()

    # --- what the client tells ----------------------------------------------------------------

    def waiting(self, seconds: float, reason: str, item_id: str) -> None:
        """A pause, for the screen."""
        self._emit(ev.ClaudeWaiting(seconds=round(seconds, 1), reason=reason, item_id=item_id))

    def called(self, record: CallRecord) -> None:
        """An attempt at a call: a line in the ledger, then an event."""
        if self._ledger is not None:
            # The money is spent, whether the line can be written or not.
            with contextlib.suppress(OSError):
                self._ledger.append(record)
        self._emit(
            ev.ClaudeCall(
                item_id=record.item_id,
                model=record.model,
                purpose=record.purpose,
                usage=Usage(
                    calls=1,
                    input_tokens=record.tokens.prompt,
                    output_tokens=record.tokens.output,
                    cost_usd=None if record.cost is None else float(record.cost),
                ),
                seconds=round(record.seconds, 3),
                request_id=record.request_id,
            )
        )

    def _emit(self, event: ev.ClaudeWaiting | ev.ClaudeCall) -> None:
        if self._run is not None:
            self._run.stream.emit_soon(event)

    # --- consent ------------------------------------------------------------------------------

    def answer_consent(self, given: bool, by: str = "") -> None:
        """A person's answer to ``ConsentAsked``; without effect when nothing is asked."""
        if self._asked is not None and not self._asked.done():
            self._asked.set_result(by or "somebody" if given else None)

    def reopen_consent(self) -> None:
        """Who wants Claude to try again may agree after all; an agreement stays one."""
        self.consent.reopen()

    async def _ask_person(self, terms: Terms, text: str) -> str | None:
        run = self._run
        assert run is not None
        self._asked = asyncio.get_running_loop().create_future()
        self._tell(terms, text)
        run.stream.emit(ev.NeedsPerson(reason="consent to send to Claude"))
        by = await self._asked
        run.stream.emit(ev.ConsentGiven(given=by is not None, by=by or run.person))
        return by

    async def _tell_terms(self, terms: Terms, text: str) -> str | None:
        """Nobody can be asked; the log says what would have been."""
        self._tell(terms, text)
        return None

    async def _tell_agreed(self, terms: Terms, text: str) -> str | None:
        """Somebody agreed beforehand; the log says to what."""
        self._tell(terms, text)
        assert self._run is not None
        self._run.stream.emit(ev.ConsentGiven(given=True, by="--yes"))
        return None

    def _tell(self, terms: Terms, text: str) -> None:
        assert self._run is not None
        items = tuple(item.item_id for item in self._run.plan.ready)
        high = self._expected.high if self._expected is not None else None
        self._run.stream.emit(
            ev.ConsentAsked(
                host=terms.host,
                items=items,
                estimate_usd=None if high is None else float(high),
                text=text,
            )
        )

    async def _host(self) -> str:
        return (await self.claude.connection()).host

    async def _estimated(self) -> str:
        run = self._run
        assert run is not None
        jobs = [run.plan.job(i.item_id, run.plan.existing_models) for i in run.plan.ready]
        self._expected = await self.estimate(jobs)
        at_most = self._settings.author == "both"
        return self._expected.sentence(at_most=at_most)

    # --- before a run -------------------------------------------------------------------------

    async def estimate(self, jobs: Sequence[Job], *, count: bool = False) -> Estimate:
        """What these jobs may cost; ``count`` sends their prompts, free of charge."""
        asks = await off_loop(lambda: [self.author.first_ask(job) for job in jobs])
        return await estimate(asks, self.claude, self._settings, count=count)

    async def describe(self, jobs: Sequence[Job]) -> tuple[str, Estimate]:
        """What a run would send where, for a dry run; prompts leave only when that was agreed to.

        Raises:
            ClaudeError: the provider cannot be used as it is set up.
        """
        terms = terms_of(self._settings, await self._host(), self.consent.project)
        agreed = self.consent.agreed(terms)
        found = await self.estimate(jobs, count=agreed)
        return consent_text(terms, found.sentence()), found


class RulesThenClaude:
    """The deterministic review first; Claude's on top of it, for models that Claude wrote."""

    def __init__(self, rules: RulesReviewer, claude: ClaudeReviewer) -> None:
        self._rules = rules
        self._claude = claude

    async def review(self, candidate: Candidate, earlier: Sequence[ReviewResult]) -> ReviewResult:
        """What the rules refuse anyway is not paid for."""
        found = await self._rules.review(candidate, earlier)
        if candidate.author != CLAUDE or found.status is Verdict.REVISION_REQUESTED:
            return found
        return await self._claude.review(review_request(candidate), found, _unheard)

    async def recheck(self, candidate: Candidate) -> ReviewResult:
        """Only the rules."""
        return await self._rules.recheck(candidate)


def _unheard(line: str) -> None:
    """A review's progress is not shown: its stage is."""


def folder_of(project: Path) -> str:
    """The project's folder in its repository, the same in every worktree; empty without one."""
    try:
        repository = find_repository(project)
    except ProjectError:
        return ""
    return "" if repository is None else repository.prefix.as_posix()


def agreements_file(project: Path) -> Path:
    """Where agreements are kept: beside the kept runs, shared by all worktrees."""
    try:
        repository = find_repository(project)
    except ProjectError:
        repository = None
    if repository is None:
        return project / ".migration-runs" / "history" / FILE
    return repository.common_dir / "proc2dbt" / FILE
