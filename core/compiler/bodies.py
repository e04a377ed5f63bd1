"""The statements of a loop's or a procedure's body, one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from core.tsql import nodes

IDLE = (
    nodes.Print,
    nodes.BeginTransaction,
    nodes.CommitTransaction,
    nodes.SideStatement,
    nodes.RaiseError,
    nodes.SetOption,
)
"""Statements that change no row and no variable."""


def steps(statement: nodes.Statement) -> Iterator[nodes.Statement]:
    """The statements of a body in order, blocks and TRY blocks opened."""
    if isinstance(statement, nodes.Block | nodes.TryCatch):
        for inner in statement.body:
            yield from steps(inner)
    else:
        yield statement


def flattened(statements: Iterable[nodes.Statement]) -> list[nodes.Statement]:
    """`steps` of all statements, without the idle ones."""
    return [s for outer in statements for s in steps(outer) if not isinstance(s, IDLE)]
