"""Transactions: ROLLBACK gives the tables back what they held at BEGIN or SAVE TRANSACTION.

The procedure is taken to be called outside of a transaction. Table variables and variables keep
their values over a ROLLBACK, temporary and permanent tables do not
(Transact-SQL reference, ROLLBACK TRANSACTION, and the table type's remarks).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from core.compiler.result import Refused, Unsupported
from core.compiler.state import Savepoint, State, TableState, Value
from core.tsql import nodes
from core.tsql import types as t

if TYPE_CHECKING:
    from core.compiler.executor import Executor

Transaction = (
    nodes.BeginTransaction
    | nodes.CommitTransaction
    | nodes.RollbackTransaction
    | nodes.SaveTransaction
)


def transaction(ex: Executor, node: Transaction, state: State) -> None:
    """Apply a transaction statement. Raises `Refused` where it is not known what is open."""
    match node:
        case nodes.BeginTransaction():
            _push(state, Savepoint((node.name or "").lower(), dict(state.tables)))
        case nodes.SaveTransaction():
            _push(state, Savepoint(node.name.lower(), dict(state.tables), is_transaction=False))
        case nodes.CommitTransaction():
            _commit(state)
        case nodes.RollbackTransaction():
            _rollback(ex, node, state)
    note_count(state)


def note_count(state: State) -> None:
    """``@@TRANCOUNT`` and ``XACT_STATE()`` as they are now."""
    count = state.open_transactions
    if count is None:
        state.lazies.pop("@@trancount", None)
        state.lazies.pop("xact_state()", None)
        return
    number = Value(t.INT, exp.Literal.number(count))
    is_open = Value(t.SMALLINT, exp.Literal.number(min(count, 1)))
    state.lazies["@@trancount"] = lambda: number
    state.lazies["xact_state()"] = lambda: is_open


def rolls_back(statements: Sequence[nodes.Statement]) -> bool:
    """Whether a ROLLBACK is among the statements (CATCH blocks left out)."""
    return any(
        isinstance(found, nodes.RollbackTransaction)
        for statement in statements
        for found in without_handlers(statement)
    )


def changes(statements: Sequence[nodes.Statement]) -> bool:
    """Whether a transaction is opened, saved, ended or undone."""
    return any(
        isinstance(found, Transaction)
        for statement in statements
        for found in without_handlers(statement)
    )


def without_handlers(statement: nodes.Statement) -> list[nodes.Statement]:
    """A statement and those inside it, but for what stands in CATCH blocks."""
    if isinstance(statement, nodes.TryCatch):
        return [s for inner in statement.body for s in without_handlers(inner)]
    if isinstance(statement, nodes.Block):
        return [s for inner in statement.body for s in without_handlers(inner)]
    found = [statement]
    if isinstance(statement, nodes.If):
        found += without_handlers(statement.then)
        if statement.otherwise is not None:
            found += without_handlers(statement.otherwise)
    elif isinstance(statement, nodes.While):
        found += without_handlers(statement.body)
    return found


def forget(state: State) -> None:
    """It is not known any more which transactions are open."""
    state.savepoints = None
    note_count(state)


def poison_open(state: State, why: Unsupported) -> None:
    """It is not known whether a ROLLBACK happens: what the transaction changed is unknown."""
    if not state.savepoints:
        return
    before = state.savepoints[0].tables
    for key, found in list(state.tables.items()):
        if before.get(key) is not found and not key.startswith("@"):
            state.tables[key] = found.poisoned(why)


def _push(state: State, point: Savepoint) -> None:
    if state.savepoints is not None:
        state.savepoints = (*state.savepoints, point)


def _commit(state: State) -> None:
    if state.savepoints is None:
        return
    opened = [i for i, point in enumerate(state.savepoints) if point.is_transaction]
    if not opened:
        return  # error 3902 when nothing is open; the procedure goes on
    state.savepoints = () if len(opened) == 1 else state.savepoints[: opened[-1]]


def _rollback(ex: Executor, node: nodes.RollbackTransaction, state: State) -> None:
    points = state.savepoints
    if points is None:
        raise Refused("it is not known what ROLLBACK undoes", "ROLLBACK", ex.line(node))
    if not points:
        return  # error 3903 when nothing is open; the procedure goes on
    name = (node.name or "").lower()
    place = 0
    keeps_open = False
    if name:
        found = [i for i, point in enumerate(points) if point.name == name]
        if not found:
            raise Refused(f"ROLLBACK to {node.name}, which is not open", "ROLLBACK", ex.line(node))
        saved = [i for i in found if not points[i].is_transaction]
        place, keeps_open = (saved[-1], True) if saved else (found[0], False)
        if not keeps_open and place:
            raise Refused("ROLLBACK of an inner transaction", "ROLLBACK", ex.line(node))
    before = points[place].tables
    for key, now in list(state.tables.items()):
        if key.startswith("@"):
            continue
        old = before.get(key)
        if old is not None:
            state.tables[key] = _restored(old, now)
        elif key.startswith("#"):
            del state.tables[key]
        else:
            base = ex.tables.state_of(now.table.name, State(), ex.line(node))
            state.tables[key] = _restored(replace(base, version=0), now)
    for key, old in before.items():
        if key not in state.tables and not key.startswith("@"):
            state.tables[key] = old
    state.savepoints = points[: place + 1] if keeps_open else ()
    ex.drop("ROLLBACK: what the transaction wrote is undone", node)


def _restored(old: TableState, now: TableState) -> TableState:
    """The old content; its version says that it was written since."""
    return old if old is now else replace(old, version=max(old.version, now.version) + 1)
