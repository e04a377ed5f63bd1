"""What people decide about the items of a run: accept, refuse, take back, have done again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable

from core.pipeline import events as ev
from core.pipeline.attempts import AttemptFiles, RecordedDrafts, file_stem
from core.pipeline.decisions import (
    Action,
    DecisionError,
    accepted_by,
    decide,
    headless_decision,
    require_allowed,
)
from core.pipeline.item import Request
from core.pipeline.itemresult import RunItem
from core.pipeline.modelfiles import ModelFiles
from core.pipeline.plan import RunPlan
from core.pipeline.result import ItemResult
from core.pipeline.state import ItemPhase, ItemState, RunState
from core.pipeline.stream import RunStream
from core.project.clock import Clock
from core.project.files import write_text


class Decided(ABC):
    """A run as far as it is decided about. Every decision is an event, and stands in the item's
    result file with who and when; the rules are in ``core.pipeline.decisions``.
    """

    def __init__(
        self,
        plan: RunPlan,
        stream: RunStream,
        files: ModelFiles,
        clock: Clock,
        *,
        person: str,
        interactive: bool,
    ) -> None:
        """``person`` is who decides; ``interactive`` runs wait for decisions of a person."""
        self.plan = plan
        self.stream = stream
        self.files = files
        self.attempts = AttemptFiles(files.place.runs)
        self.clock = clock
        self.person = person
        self.interactive = interactive

    @property
    def state(self) -> RunState:
        """The run as the events tell it."""
        return self.stream.state

    @abstractmethod
    def _enqueue(
        self,
        item: RunItem,
        request: Request,
        recorded: RecordedDrafts | None = None,
        *,
        resumed: bool = False,
    ) -> None:
        """Have something done with an item."""

    def approve(self, item_ids: Iterable[str], by: str = "") -> None:
        """Accept ``ok`` items.

        Raises:
            DecisionError: one of them may not be approved; then none was.
        """
        self._decide(Action.APPROVE, item_ids, "", by)

    def override(self, item_ids: Iterable[str], reason: str, by: str = "") -> None:
        """Accept ``partial`` items for a reason."""
        self._decide(Action.OVERRIDE, item_ids, reason, by)

    def reject(self, item_ids: Iterable[str], reason: str = "", by: str = "") -> None:
        """Refuse items; their files are restored when the run is closed."""
        self._decide(Action.REJECT, item_ids, reason, by)

    def _decide(self, action: Action, item_ids: Iterable[str], reason: str, by: str) -> None:
        wanted = list(dict.fromkeys(item_ids))
        for item_id in wanted:
            require_allowed(action, self._finished(item_id), reason)
        for item_id in wanted:
            decision = decide(action, by or self.person, self.clock, reason)
            self.stream.emit(
                ev.DecisionMade(
                    item_id=item_id, decision=decision, accepted=accepted_by(action.value)
                )
            )
            self._record_decision(item_id)

    def undo(self, item_id: str, by: str = "") -> None:
        """Take back the last decision about an item, as long as nothing is committed."""
        state = self.state.items.get(item_id)
        if state is None or state.accepted is None:
            raise DecisionError("There is no decision to undo.")
        if state.commit:
            raise DecisionError("The decision is committed already.")
        self.stream.emit(ev.DecisionUndone(item_id=item_id, by=by or self.person))
        self._record_decision(item_id)
        if self.interactive and self.state.items[item_id].accepted is None:
            self.stream.emit(ev.NeedsPerson(item_id=item_id, reason="awaiting approval"))

    def decide_headless(self) -> None:
        """Apply ``--approve`` to every finished item without a decision."""
        for item_id, state in self.state.items.items():
            if state.result is None or state.accepted is not None:
                continue
            decision = headless_decision(self.plan.settings.approve, state.result, self.clock)
            if decision is not None:
                self.stream.emit(ev.DecisionMade(item_id=item_id, decision=decision, accepted=True))
                self._record_decision(item_id)

    def revise(self, item_id: str, words: str, by: str = "") -> None:
        """Ask the author for a revision of the item's version, in a person's words."""
        state = self._may_redo(Action.REVISE, item_id, words)
        kept = state.kept
        if kept is None:
            raise DecisionError(f"{state.table_ref} has no version to revise; retry it instead.")
        self._redo(Action.REVISE, item_id, Request("revise", words, kept.attempt, by), words, by)

    def edit(self, item_id: str, sql: str, by: str = "") -> None:
        """Put a person's own text in place of the item's model; it is verified at once."""
        state = self._may_redo(Action.EDIT, item_id, "edited by hand")
        number = max((a.attempt for a in state.attempts), default=0) + 1
        self.attempts.write(item_id, number, sql, "")
        self._redo(Action.EDIT, item_id, Request("edit", "", number, by or self.person), "", by)

    def retry(
        self, item_ids: Iterable[str], *, hint: str = "", author: str = "", from_tests: bool = False
    ) -> None:
        """Do finished items again: afresh, or from the tests on with the version they have.

        ``hint`` is passed to the author as a person's words about the present version.
        """
        for item_id in dict.fromkeys(item_ids):
            state = self.state.items[item_id]
            if state.phase is not ItemPhase.DONE or item_id in self.plan.refused:
                continue
            kept = state.kept
            if kept is not None and (from_tests or hint):
                kind = "revise" if hint else "recheck"
                request = Request(kind, hint, kept.attempt, self.person, author)
            else:
                request = Request("retry", hint, 0, self.person, author)
            self._enqueue(self.plan.item(item_id), request)

    def _may_redo(self, action: Action, item_id: str, words: str) -> ItemState:
        state = self.state.items.get(item_id)
        if state is None or state.phase is not ItemPhase.DONE:
            raise DecisionError("The item is not finished yet.")
        if state.commit:
            raise DecisionError("The item is committed already.")
        if action is Action.REVISE:
            require_allowed(action, state.result, words)
        if item_id in self.plan.refused:
            raise DecisionError(f"{state.table_ref} did not pass its guards.")
        return state

    def _redo(self, action: Action, item_id: str, request: Request, reason: str, by: str) -> None:
        decision = decide(action, by or self.person, self.clock, reason)
        self.stream.emit(ev.DecisionMade(item_id=item_id, decision=decision))
        self._enqueue(self.plan.item(item_id), request)

    def _finished(self, item_id: str) -> ItemResult | None:
        state = self.state.items.get(item_id)
        return state.result if state is not None else None

    def _record_decision(self, item_id: str) -> None:
        """Put the decision in force into the item's result file."""
        state = self.state.items[item_id]
        if state.result is not None:
            file = self.files.place.runs / f"{file_stem(item_id)}.json"
            write_text(file, state.result.model_dump_json(indent=2) + "\n")
