"""Who accepts what: the rules of decisions about finished items, and of headless approval."""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from core.pipeline.result import Decision, ItemResult, ItemStatus
from core.project.clock import Clock


class Action(StrEnum):
    """What can be decided about an item."""

    APPROVE = "approve"
    """Accept an ``ok`` item."""
    OVERRIDE = "override"
    """Accept a ``partial`` item although something is wrong with it; needs a reason."""
    REJECT = "reject"
    """Refuse an item; its files are restored."""
    REVISE = "revise"
    """Ask the author for a revision, in words."""
    EDIT = "edit"
    """Replace the SQL by a text of one's own."""


class DecisionError(Exception):
    """A decision that the item's state does not allow; the message says why."""


ACCEPTED: Mapping[str, bool] = {
    Action.APPROVE.value: True,
    Action.OVERRIDE.value: True,
    Action.REJECT.value: False,
}


def accepted_by(action: str) -> bool | None:
    """What an action comes to: accepted, refused, or still open."""
    return ACCEPTED.get(action)


def require_allowed(action: Action, result: ItemResult | None, reason: str = "") -> None:
    """Check a decision about an item.

    Raises:
        DecisionError: the item is not finished, has no model, or a reason is missing.
    """
    if result is None:
        raise DecisionError("The item is not finished yet.")
    name = result.output.table_ref
    if action is Action.REJECT:
        return
    if result.status is ItemStatus.ERROR:
        raise DecisionError(f"{name} has no model that could be accepted; retry it instead.")
    if action is Action.APPROVE and result.status is not ItemStatus.OK:
        raise DecisionError(f"{name} is {result.status.value}: accepting it is an override.")
    if action is Action.OVERRIDE and not reason.strip():
        raise DecisionError(f"Overriding {name} needs a reason; it goes into the pull request.")
    if action is Action.REVISE and not reason.strip():
        raise DecisionError("Say in words what should be different.")


def decide(action: Action, by: str, clock: Clock, reason: str = "") -> Decision:
    """The record of a decision."""
    return Decision(action=action.value, by=by, at=clock().isoformat(), reason=reason.strip())


def headless_decision(mode: str, result: ItemResult, clock: Clock) -> Decision | None:
    """What ``--approve auto|all|none`` decides about a finished item; ``None``: nothing."""
    by = f"--approve {mode}"
    if mode == "none" or result.status is ItemStatus.ERROR:
        return None
    if result.status is ItemStatus.OK:
        return decide(Action.APPROVE, by, clock)
    if mode == "all":
        return decide(Action.OVERRIDE, by, clock, "accepted with its warnings by --approve all")
    return None


def would_accept(mode: str, status: ItemStatus | None) -> bool:
    """Whether an item that ended so will be there for others to reference.

    In the app a person decides later, so a ``partial`` item counts as accepted until then.
    """
    if status is ItemStatus.OK:
        return True
    return status is ItemStatus.PARTIAL and mode != "auto"


def current_person(folder: Path) -> str:
    """Who is at the keyboard: git's identity in ``folder``, else the login name."""
    from core.project.process import ProgramMissingError, ProgramTimeoutError, run

    found = []
    for key in ("user.name", "user.email"):
        try:
            asked = run(["git", "config", "--get", key], cwd=folder, timeout=10)
        except (ProgramMissingError, ProgramTimeoutError, OSError):
            break
        if asked.ok and asked.stdout.strip():
            found.append(asked.stdout.strip())
    if len(found) == 2:
        return f"{found[0]} <{found[1]}>"
    if found:
        return found[0]
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return os.environ.get("USERNAME", "unknown")
