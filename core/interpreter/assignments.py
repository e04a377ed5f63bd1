"""Variables filled by a query or changed in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from core.interpreter.changes import COMPOUND
from core.interpreter.context import Context
from core.interpreter.errors import Refused
from core.interpreter.inserts import max_recursion
from core.interpreter.queries import QueryEmitter
from core.interpreter.translate import Translation, parsed_expression, parsed_leaf
from core.tsql import types as t
from core.tsql.binding import variable_name
from core.tsql.nodes import Expr, Leaf
from core.tsql.scope import OutputColumn

if TYPE_CHECKING:
    from core.interpreter.session import Session


def compound(session: Session, name: str, operator: str, value: Expr) -> None:
    """``SET @v += value``: ``@v = @v + (value)``."""
    node = COMPOUND.get(operator)
    if node is None:
        raise Refused(operator, f"the assignment {operator} is not supported", value.span.line)
    variable = session.variable(name, value.span.line)

    def build() -> Translation:
        own = exp.Parameter(this=exp.Var(this=name.lstrip("@")))
        tree = node(this=own, expression=exp.Paren(this=parsed_expression(value).tree.copy()))
        bound = session.translator.bind_value(tree)
        context = session.translator.context()
        sql = QueryEmitter(context).expressions.converted(bound, variable.type)
        return session.translator.made(context, f"SELECT {sql}", (OutputColumn("", t.INT),))

    translation = session.translator.remembered(value, f"compound:{name}:{operator}", build)
    variable.value = session.scalar(translation)


def select_assign(session: Session, leaf: Leaf) -> int:
    """``SELECT @a = x, @b = y FROM …``: the last row wins; without rows nothing changes.

    https://learn.microsoft.com/en-us/sql/t-sql/language-elements/select-local-variable-transact-sql
    """
    parsed = parsed_leaf(leaf)
    assert parsed.query is not None
    names = [(a.variable or "").lower() for a in parsed.assignments]
    variables = [session.variable(name, leaf.span.line) for name in names]
    own = _refers_to_itself(parsed.query, names)

    def build() -> Translation:
        query = parsed.query
        assert query is not None
        tree = query.copy()
        if isinstance(tree, exp.Select):
            for index, assignment in enumerate(parsed.assignments):
                if assignment.operator == "=":
                    continue
                node = COMPOUND.get(assignment.operator)
                if node is None:
                    raise Refused(assignment.operator, "this is not supported", assignment.line)
                name = (assignment.variable or "").lstrip("@")
                left = exp.Parameter(this=exp.Var(this=name))
                value = tree.expressions[index].copy()
                tree.expressions[index].replace(node(this=left, expression=exp.Paren(this=value)))
        bound = session.translator.bind(tree)
        context = session.translator.context()
        context.max_recursion = max_recursion(parsed.options)
        sql = _sql(context, bound.tree, [v.type for v in variables])
        has_from = isinstance(bound.tree, exp.Select) and bool(bound.tree.args.get("from_"))
        return session.translator.made(context, sql, bound.columns, {"has_from": has_from})

    translation = session.translator.remembered(leaf, "assign", build)
    compounded = any(a.operator != "=" for a in parsed.assignments)
    if translation.extra["has_from"] and (own or compounded):
        return _row_by_row(session, translation, names)
    rows = session.run(translation)
    if rows:
        if not translation.extra["has_from"] and own and len(names) > 1:
            # SELECT @a = 1, @b = @a: assignments happen from left to right.
            return _left_to_right(session, translation, names)
        for name, value in zip(names, rows[-1], strict=True):
            session.variable(name).value = value
    return len(rows)


def _sql(context: Context, tree: exp.Expr, types: list[t.SqlType]) -> str:
    return QueryEmitter(context).query(tree, types)


def _refers_to_itself(query: exp.Expr, names: list[str]) -> bool:
    wanted = set(names)
    return any(variable_name(p).lower() in wanted for p in query.find_all(exp.Parameter))


def _row_by_row(session: Session, translation: Translation, names: list[str]) -> int:
    """``SELECT @s = @s + x FROM t``: each row sees the value the row before it left."""
    total = int(
        session.execute(translation, f"SELECT count(*) FROM ({translation.sql}) AS q")[0][0]
    )
    for number in range(total):
        sql = f"SELECT * FROM ({translation.sql}) AS q LIMIT 1 OFFSET {number}"
        row = session.execute(translation, sql)[0]
        for name, value in zip(names, row, strict=True):
            session.variable(name).value = value
    return total


def _left_to_right(session: Session, translation: Translation, names: list[str]) -> int:
    for position, name in enumerate(names):
        row = session.run(translation)[0]
        session.variable(name).value = row[position]
    return 1
