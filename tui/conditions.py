"""Why an action on a run's tables does not work now: one sentence, or nothing when it does.

Apart from the action list because the states of a run are not needed for the first screen, and
take a fifth of a second to import.
"""

from __future__ import annotations

from core.pipeline.result import ItemStatus
from core.pipeline.state import ItemPhase, RunPhase
from tui.actions import Situation
from tui.viewmodels import run as run_vm


def live(s: Situation) -> str:
    """A run that can be steered from here."""
    if s.run is None:
        return "There is no run."
    if not s.live:
        return "This run is over; only a run under way can be steered."
    return ""


def can_cancel(s: Situation) -> str:
    """Something is under way."""
    if why := live(s):
        return why
    if not any(i.phase is not ItemPhase.DONE for i in s.targets):
        return "Nothing is under way here: it is finished already."
    return ""


def unfinished(s: Situation) -> str:
    """Tables are left to do."""
    if why := live(s):
        return why
    assert s.run is not None
    return "" if s.run.totals.done < s.run.totals.total else "Every table is done."


def decidable(s: Situation) -> str:
    """Every table is done and still open to a decision."""
    if why := live(s):
        return why
    if not s.targets:
        return "There is no table here."
    if any(i.phase is not ItemPhase.DONE for i in s.targets):
        return "Not finished yet: wait until the table is done."
    return ""


def can_approve(s: Situation) -> str:
    """Every table is ok."""
    if why := decidable(s):
        return why
    for item in s.targets:
        if item.status is ItemStatus.PARTIAL:
            return f"{item.table_ref} is partial: accepting it is an override (O) with a reason."
        if item.status is ItemStatus.ERROR:
            return f"{item.table_ref} has no model that could be accepted; retry it (R)."
    return ""


def can_override(s: Situation) -> str:
    """Something is partial, and nothing without a model."""
    if why := decidable(s):
        return why
    for item in s.targets:
        if item.status is ItemStatus.ERROR:
            return f"{item.table_ref} has no model that could be accepted; retry it (R)."
    if all(i.status is ItemStatus.OK for i in s.targets):
        return "These tables are ok: approve them (a)."
    return ""


def can_revise(s: Situation) -> str:
    """There is a model that its author could correct."""
    if why := decidable(s):
        return why
    if s.item is None or s.item.status is ItemStatus.ERROR or s.item.kept is None:
        return "There is no model to revise; retry the table (R)."
    return ""


def can_edit(s: Situation) -> str:
    """There is a model."""
    if s.item is None or s.item.kept is None:
        return "There is no model to open."
    return ""


def can_undo(s: Situation) -> str:
    """There is a decision that is not committed."""
    if why := live(s):
        return why
    if not any(i.accepted is not None for i in s.targets):
        return "There is no decision to undo here."
    if all(i.commit for i in s.targets):
        return "It is committed already."
    return ""


def can_commit(s: Situation) -> str:
    """Nothing runs and nothing is left over."""
    if why := live(s):
        return why
    assert s.run is not None
    t = s.run.totals
    if t.running or (t.queued and s.run.phase is not RunPhase.DRAINING):
        return f"{t.total - t.done} tables are not done yet; wait, or drain (D) or cancel (c)."
    if t.queued:
        return "Tables are left in the queue: cancel them (c) or quit and resume later."
    return ""


def consent_open(s: Situation) -> str:
    """A question about sending is not answered."""
    if why := live(s):
        return why
    assert s.run is not None
    return "" if run_vm.consent_open(s.run) else "Nobody asks whether something may be sent."


def has_groups(s: Situation) -> str:
    """Something failed."""
    if s.run is None or not s.run.groups:
        return "No table failed."
    return ""


def needs_anyone(s: Situation) -> str:
    """A table waits for a person."""
    if s.run is not None and s.run.waiting_for_person:
        return ""
    return "Nothing needs you."


def attempts(s: Situation) -> str:
    """There is more than one version."""
    if s.item is None or len(s.item.attempts) < 2:
        return "There is only one version."
    return ""


def has_map(s: Situation) -> str:
    """There is a model to step through."""
    return "" if s.item is not None and s.item.attempts else "There is no model to step through."
