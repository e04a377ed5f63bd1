"""SET options: the few that change what later statements mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.compiler.effects import schema_name
from core.compiler.result import Refused, Unsupported
from core.compiler.state import State
from core.tsql import nodes

if TYPE_CHECKING:
    from core.compiler.executor import Executor

_HARMLESS = {
    "ROWCOUNT": {"0"},
    "DATEFORMAT": {"MDY"},
    "LANGUAGE": {"US_ENGLISH", "ENGLISH"},
}
_SUNDAY = 7


def date_first(body: Sequence[nodes.Statement]) -> int:
    """DATEFIRST while a procedure runs: what ``SET DATEFIRST n`` among its first statements says.

    The setting ends with the procedure
    (https://learn.microsoft.com/sql/t-sql/statements/set-statements-transact-sql), so only the
    statements before the SET can see another one; those must be SETs and plain declarations.
    """
    pending = list(body)
    while pending:
        statement = pending.pop(0)
        match statement:
            case nodes.Block() | nodes.TryCatch():
                pending[:0] = statement.body
            case nodes.SetOption() if "DATEFIRST" in statement.names:
                value = statement.value.strip()
                return int(value) if value in {"1", "2", "3", "4", "5", "6", "7"} else _SUNDAY
            case nodes.SetOption():
                pass
            case nodes.Declare() if not any("date" in _text(v) for v in statement.variables):
                pass
            case _:
                return _SUNDAY
    return _SUNDAY


def _text(variable: nodes.Variable) -> str:
    return variable.value.text.lower() if variable.value is not None else ""


def set_option(ex: Executor, node: nodes.SetOption, state: State) -> None:
    """SET IDENTITY_INSERT matters; NOCOUNT, XACT_ABORT and their like do not."""
    if "IDENTITY_INSERT" in node.names and node.target is not None:
        key = ex.tables.key(schema_name(node.target))
        on = node.value.strip().upper() == "ON"
        state.identity_insert = (
            state.identity_insert | {key} if on else state.identity_insert - {key}
        )
        return
    value = node.value.strip().upper()
    if {"ANSI_NULLS", "CONCAT_NULL_YIELDS_NULL"} & set(node.names) and value == "OFF":
        raise Refused(f"SET {node.names[0]} OFF changes what NULL means", "SET option")
    harmless = _HARMLESS | {"DATEFIRST": {str(ex.date_first)}}
    for name in node.names:
        if value.strip("'") not in harmless.get(name, {value.strip("'")}):
            state.poison = state.poison or Unsupported(
                f"SET {name} {node.value} changes the meaning of what follows",
                ex.line(node),
                f"SET {name}",
            )
