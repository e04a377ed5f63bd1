"""Statements in dynamic SQL whose text is put together from constants.

Only for finding out which tables a procedure may touch: variables are followed in the order of
the source, both branches of every IF. The compiler itself folds the text where it is executed.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from core.compiler.fold import text_of
from core.tsql import nodes
from core.tsql.errors import TsqlError
from core.tsql.leaves import ParsedExpr, ParsedLeaf
from core.tsql.parser import parse_script


def statements_in_texts(procedure: nodes.CreateProcedure) -> Iterator[nodes.Statement]:
    """The statements of every ``EXEC (…)`` and ``sp_executesql`` with a constant text."""
    known: dict[str, str] = {}
    for node in nodes.walk(procedure):
        match node:
            case nodes.Variable() if node.value is not None:
                _assign(known, node.name, _text(node.value, known))
            case nodes.SetVariable() if node.value is not None:
                text = _text(node.value, known)
                if node.operator == "+=":
                    before = known.get(node.name.lower())
                    text = before + text if before is not None and text is not None else None
                _assign(known, node.name, text)
            case nodes.SelectAssign():
                _select(node, known)
            case nodes.ExecuteString() if node.at_server is None:
                yield from _parsed(_text(node.sql, known))
            case nodes.ExecuteSql():
                yield from _parsed(_text(node.sql, known))
            case _:
                pass


def _select(node: nodes.SelectAssign, known: dict[str, str]) -> None:
    parsed = node.leaf.parsed
    if not isinstance(parsed, ParsedLeaf):
        return
    for assignment in parsed.assignments:
        if assignment.variable:
            text = _folded(assignment.value, known) if assignment.operator == "=" else None
            _assign(known, assignment.variable, text)


def _assign(known: dict[str, str], name: str, text: str | None) -> None:
    if text is None:
        known.pop(name.lower(), None)
    else:
        known[name.lower()] = text


def _text(node: nodes.Expr, known: dict[str, str]) -> str | None:
    parsed = node.parsed
    return _folded(parsed.tree, known) if isinstance(parsed, ParsedExpr) else None


def _folded(tree: exp.Expr, known: dict[str, str]) -> str | None:
    def value(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Parameter):
            text = known.get(f"@{node.name.lower().lstrip('@')}")
            if text is not None:
                return exp.Literal.string(text)
        return node

    return text_of(tree.copy().transform(value))


def _parsed(text: str | None) -> Iterator[nodes.Statement]:
    if text is None:
        return
    try:
        yield from parse_script(text).statements
    except TsqlError:
        return
