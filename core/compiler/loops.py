"""WHILE loops with a closed form. Everything else is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.compiler.result import Refused
from core.compiler.state import State
from core.tsql import nodes

if TYPE_CHECKING:
    from core.compiler.executor import Executor


def closed_form(ex: Executor, node: nodes.While, state: State) -> None:
    """Apply a loop in one step. Raises `Refused` when it has no closed form that is known."""
    raise Refused("a WHILE loop without a closed form", "WHILE")
