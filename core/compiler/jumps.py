"""BREAK, CONTINUE, GOTO and loops run turn by turn: jumps among the statements still to run.

What is left to run is a list, so a jump is a shorter list: BREAK drops everything up to the end of
its loop, CONTINUE everything up to its next turn, GOTO everything up to a label further down.
A jump back to a label that was passed already is refused.

A loop whose condition is known at every turn (a retry loop, a few numbered steps) is run turn by
turn when it has no closed form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.compiler import flow
from core.compiler.fold import truth
from core.compiler.result import Refused, Unsupported
from core.compiler.state import State
from core.compiler.tables import poison_all
from core.compiler.transactions import without_handlers
from core.tsql import nodes

if TYPE_CHECKING:
    from core.compiler.executor import Executor

MAX_TURNS = 40
"""How many turns of a loop are written out before it is refused."""
Jump = nodes.Break | nodes.Continue | nodes.Goto


@dataclass(frozen=True)
class NextTurn(nodes.Statement):
    """The place behind a loop's body: `turn` turns were run. `why`: it has no closed form."""

    loop: nodes.While
    turn: int
    why: Unsupported


def leaves(statements: Sequence[nodes.Statement]) -> bool:
    """Whether the statements may leave the order they stand in: RETURN, or a jump out of them."""
    return any(_leaves(statement) for statement in statements)


def _leaves(statement: nodes.Statement) -> bool:
    if isinstance(statement, nodes.While):
        inner = without_handlers(statement.body)
        return any(isinstance(found, nodes.Return | nodes.Goto) for found in inner)
    kinds = (nodes.Return, nodes.Goto, nodes.Break, nodes.Continue)
    if isinstance(statement, nodes.Block | nodes.TryCatch):
        return leaves(statement.body)
    if isinstance(statement, nodes.If):
        branches = [statement.then, *([statement.otherwise] if statement.otherwise else [])]
        return leaves(branches)
    return isinstance(statement, kinds)


def jumped(ex: Executor, jump: Jump, pending: list[nodes.Statement], state: State) -> bool:
    """Shorten what is left to run by a jump; False (and everything unknown) when it goes back."""
    place = _place(jump, pending)
    if place is None:
        kind = type(jump).__name__.upper()
        poison_all(state, Unsupported(f"{kind} jumps back or out of here", ex.line(jump), kind))
        return False
    del pending[:place]
    return True


def _place(jump: Jump, pending: Sequence[nodes.Statement]) -> int | None:
    """How many of the pending statements a jump skips."""
    for place, statement in enumerate(pending):
        match jump:
            case nodes.Goto(label=label):
                if isinstance(statement, nodes.Label) and statement.name.lower() == label.lower():
                    return place
            case nodes.Break():
                if isinstance(statement, NextTurn):
                    return place + 1
            case _:
                if isinstance(statement, NextTurn):
                    return place
    return None


def loop(ex: Executor, node: nodes.While, state: State) -> list[nodes.Statement]:
    """Run a loop in one step; else gives what to run instead: its body and the next turn."""
    from core.compiler.loops import closed_form

    before = state.copy()
    if _condition(ex, node, state) is False:
        state.lazies["@@rowcount"] = flow.no_rows
        return []
    try:
        closed_form(ex, node, state)
    except Refused as refusal:
        ex.undo(before, state)
        if not _may_end_at_once(node):
            ex.poison([node], state, refusal.at(ex.line(node)))
            return []
        return _turn(ex, node, state, 0, refusal.at(ex.line(node)))
    ex.count_writes(before, state)
    return []


def next_turn(ex: Executor, at: NextTurn, state: State) -> list[nodes.Statement]:
    """Behind the body of a loop that is run turn by turn: what to run next."""
    return _turn(ex, at.loop, state, at.turn, at.why)


def _turn(
    ex: Executor, node: nodes.While, state: State, turn: int, why: Unsupported
) -> list[nodes.Statement]:
    known = _condition(ex, node, state)
    if known is False:
        state.lazies["@@rowcount"] = flow.no_rows
        return []
    if known is None or turn >= MAX_TURNS:
        _give_up(ex, node, state, why)
        return []
    state.lazies["@@rowcount"] = flow.no_rows
    return [node.body, NextTurn(node.span, node, turn + 1, why)]


def _may_end_at_once(node: nodes.While) -> bool:
    """Whether it is worth running turns: not where every turn takes the next rows."""
    inner = list(nodes.statements(node.body))
    if any(isinstance(found, nodes.TryCatch) for found in inner):
        return True
    takes = any(
        isinstance(found, nodes.Leaf) and " TOP" in found.text.upper().replace("(", " (")
        for found in inner
    )
    return not takes and "@@FETCH_STATUS" not in node.condition.text.upper()


def _give_up(ex: Executor, node: nodes.While, state: State, why: Unsupported) -> None:
    """The loop as a whole is the reason, not what one of its turns met."""
    ex.poison([node], state, why)
    inside = range(node.span.line, node.span.end_line + 1)
    for key, found in list(state.tables.items()):
        if found.poison is not None and not ex.called_from and found.poison.line in inside:
            state.tables[key] = replace(found, poison=why)


def _condition(ex: Executor, node: nodes.While, state: State) -> bool | None:
    try:
        return truth(flow.condition_of(ex, node, state.copy()))
    except Refused:
        return None
