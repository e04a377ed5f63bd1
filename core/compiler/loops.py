"""WHILE loops with a closed form: every iteration's work in one step. Everything else is refused.

* *chunks*: ``DELETE TOP (n) …`` until no row is left (`core.compiler.chunks`);
* *counters*: ``WHILE @d <= @end … SET @d = DATEADD(day, 1, @d)`` runs its body for every value of
  a series, upwards or downwards;
* *work lists*: ``WHILE EXISTS (rows of #todo)`` or ``@id IS NOT NULL`` runs its body for every row
  it takes off (`core.compiler.work_lists`);
* *cursors*: ``WHILE @@FETCH_STATUS = 0`` runs its body for every row of the cursor's query.

All but the first run each statement of the body once, over all rows
(`core.compiler.row_loops`), which is only right when iterations do not see each other's work; that
is checked there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlglot import exp

from core.compiler import chunks, trees, work_lists
from core.compiler.bodies import flattened
from core.compiler.fold import truth
from core.compiler.relations import Relation
from core.compiler.result import Refused
from core.compiler.row_loops import RowLoop
from core.compiler.state import State, Value
from core.compiler.variables import lookup, variable_name
from core.compiler.variables_exec import closed, unknown_like
from core.tsql import nodes
from core.tsql import types as t
from core.tsql.errors import LeafError
from core.tsql.leaves import ParsedLeaf

if TYPE_CHECKING:
    from core.compiler.executor import Executor


def closed_form(ex: Executor, node: nodes.While, state: State) -> None:
    """Apply a loop in one step. Raises `Refused` when it has no closed form that is known."""
    body = flattened([node.body])
    assigned = {s.name.lower() for s in body if isinstance(s, nodes.SetVariable)}
    if _is_cursor_loop(node):
        _cursor(ex, node, body, state)
    elif (listed := work_lists.work_list(ex, node, body, state)) is not None:
        work_lists.run(ex, node, listed, state)
    elif (chunk := chunks.chunk_of(ex, node, state)) is not None:
        before = state.copy()
        try:
            chunks.run(ex, node, chunk, state)
        except Refused as refusal:
            ex.undo(before, state)
            if not body or _step(body[-1]) is None:
                raise
            try:
                _counted(ex, node, body, state)
            except Refused:
                raise refusal from None
    else:
        _counted(ex, node, body, state)
    for name in assigned | _selected(body):
        if name in state.variables:
            why = Refused("a variable set in a loop", "WHILE").at(ex.line(node))
            state.variables[name] = unknown_like(state.variables[name], why)
    state.lazies.pop("@@rowcount", None)


def _selects(body: Sequence[nodes.Statement]) -> list[nodes.Statement]:
    """Every SELECT @v = … in a body, also under an IF."""
    found = (inner for statement in body for inner in nodes.statements(statement))
    return [inner for inner in found if isinstance(inner, nodes.SelectAssign)]


def _selected(body: Sequence[nodes.Statement]) -> set[str]:
    found: set[str] = set()
    for statement in body:
        for inner in nodes.statements(statement):
            if isinstance(inner, nodes.SetVariable):
                found.add(inner.name.lower())
            elif isinstance(inner, nodes.SelectAssign) and isinstance(
                inner.leaf.parsed, ParsedLeaf
            ):
                found |= {(a.variable or "").lower() for a in inner.leaf.parsed.assignments}
    return found


# --- counters -------------------------------------------------------------------------------------


def _counted(ex: Executor, node: nodes.While, body: list[nodes.Statement], state: State) -> None:
    """``WHILE @i <= limit``, the body's last statement adding a step to @i; or downwards."""
    step = _step(body[-1]) if body else None
    if step is None:
        raise Refused("a WHILE loop without a closed form", "WHILE")
    name = step.name
    plain = (nodes.SetVariable, nodes.SelectAssign)
    steps = [s for s in body if isinstance(s, plain) and name in _selected([s])]
    if any(name in _selected([s]) for s in _selects(body) if s is not body[-1]):
        raise Refused(f"{name} is filled from a query in the loop", "WHILE")
    condition = node.condition.parsed
    if len(steps) != 1 or isinstance(condition, LeafError):
        raise Refused("a WHILE loop without a closed form", "WHILE")
    tree = _counter_first(trees.unwrapped(condition.tree), name)
    if tree is None:
        raise Refused("a WHILE loop without a closed form", "WHILE")
    step = _with_values(ex, node, step, _selected(body), state)
    start = lookup(state, name, ex.line(node))
    if start.expression is None:
        raise Refused(f"the first value of {name} is not known", "WHILE")
    assigned = _selected(body)
    reads = {variable_name(p) for p in tree.expression.find_all(exp.Parameter)}
    if reads & assigned:
        raise Refused("the limit of a loop changes in it", "WHILE")
    column = f"loop_{name.lstrip('@')}"
    series = _series(ex, node, step, column, start, tree, state)
    loop = RowLoop(ex, node, {name: (column, start.type)}, is_series=True)
    loop.run(body[:-1], series, state)


@dataclass(frozen=True)
class _Step:
    """How a counter moves: ``name operator value``, the name in lower case."""

    name: str
    operator: str
    value: exp.Expr


def _step(statement: nodes.Statement) -> _Step | None:
    """``SET @i = @i + 1``, or ``SELECT`` in its place."""
    match statement:
        case nodes.SetVariable() if statement.value is not None:
            parsed = statement.value.parsed
            if isinstance(parsed, LeafError):
                return None
            return _Step(statement.name.lower(), statement.operator, trees.unwrapped(parsed.tree))
        case nodes.SelectAssign():
            leaf = statement.leaf.parsed
            if isinstance(leaf, LeafError) or len(leaf.assignments) != 1:
                return None
            if leaf.query is not None and leaf.query.args.get("from_") is not None:
                return None
            one = leaf.assignments[0]
            return _Step((one.variable or "").lower(), one.operator, trees.unwrapped(one.value))
        case _:
            return None


def _counter_first(condition: exp.Expr, name: str) -> exp.Expr | None:
    """A comparison of the counter with its limit, the counter on the left; else None."""
    if not isinstance(condition, exp.LT | exp.LTE | exp.GT | exp.GTE):
        return None
    left, right = (trees.unwrapped(condition.args[k]) for k in ("this", "expression"))
    if isinstance(left, exp.Parameter) and variable_name(left) == name:
        return condition
    if isinstance(right, exp.Parameter) and variable_name(right) == name:
        return trees.MIRRORED[type(condition)](this=right.copy(), expression=left.copy())
    return None


def _with_values(
    ex: Executor, node: nodes.While, step: _Step, assigned: set[str], state: State
) -> _Step:
    """The step with the value of a variable that stays the same in the loop: ``@i + @batch``.

    A step of zero or backwards never ends, so a procedure that does end has none.
    """
    value = step.value.copy()
    for parameter in list(value.find_all(exp.Parameter)):
        name = variable_name(parameter)
        if name is None or name == step.name or name in assigned or name.startswith("@@"):
            continue
        known = closed(ex, parameter.copy(), ex.context(node, state), "step")
        known.meta[_STEADY] = True
        if parameter is value:
            value = known
        else:
            parameter.replace(known)
    return replace(step, value=value)


_STEADY = "steady"


def _series(
    ex: Executor,
    node: nodes.While,
    step: _Step,
    column: str,
    start: Value,
    condition: exp.Expr,
    state: State,
) -> Relation:
    """All values of the counter, as a recursive query."""
    context = ex.context(node, state)
    limit = closed(ex, condition.args["expression"], context, "limit")
    assert start.expression is not None
    kind = type(condition)
    first = exp.Select(expressions=[trees.alias(_typed(start.expression, start.type), column)])
    first.set("where", exp.Where(this=kind(this=start.expression.copy(), expression=limit.copy())))
    hint = f"{column.removeprefix('loop_')}_series"
    anchor = ex.relations.query(first, f"{hint}_start", context.origin)
    stand_in = ex.relations.recursive(anchor, hint, context.origin)
    down = isinstance(condition, exp.GT | exp.GTE)
    following = _next(step, trees.column(column), start, down=down)
    again = trees.select(
        [trees.alias(following, column)],
        stand_in.ref(),
        kind(this=following.copy(), expression=limit.copy()),
    )
    whole = exp.Union(this=first, expression=again, distinct=False)
    made = ex.relations.recursion(stand_in, whole, hint, context.origin)
    object.__setattr__(made, "keys", (frozenset({column}),))
    return made


def _typed(value: exp.Expr, type_: t.SqlType) -> exp.Expr:
    if isinstance(value, exp.Cast) and value.meta.get("tsql_type") == type_.sql():
        return value.copy()
    return trees.cast(value.copy(), type_)


def _next(step: _Step, column: exp.Column, start: Value, *, down: bool) -> exp.Expr:
    """The counter's next value: plus (`down`: minus) a positive number, or DATEADD of one."""
    tree, name = step.value, step.name
    kind = exp.Sub if down else exp.Add
    moved: exp.Expr | None = None
    if step.operator == ("-=" if down else "+="):
        moved = tree if _positive(tree) else None
    elif step.operator == "=" and isinstance(tree, kind) and variable_name(tree.this) == name:
        moved = tree.expression if _positive(tree.expression) else None
    elif (
        step.operator == "="
        and isinstance(tree, exp.Anonymous)
        and tree.name.upper() == "DATEADD"
        and len(tree.expressions) == 3
        and variable_name(tree.expressions[2]) == name
    ):
        part, amount, _ = tree.expressions
        plain = trees.unwrapped(amount)
        forward = plain.this if down and isinstance(plain, exp.Neg) else plain
        if (isinstance(plain, exp.Neg) or not down) and _positive(forward):
            return trees.cast(trees.call("DATEADD", part.copy(), amount.copy(), column), start.type)
    if moved is None:
        raise Refused("the step of a loop is not understood", "WHILE")
    return trees.cast(kind(this=column, expression=moved.copy()), start.type)


def _positive(node: exp.Expr) -> bool:
    """A positive literal, or a variable that stays the same in the loop."""
    if node.meta.get(_STEADY):
        return True
    node = trees.unwrapped(node)
    if node.meta.get(_STEADY):
        return True
    return (
        isinstance(node, exp.Literal)
        and not node.is_string
        and node.name.isdecimal()
        and (int(node.name) > 0)
    )


# --- cursors --------------------------------------------------------------------------------------


def _is_cursor_loop(node: nodes.While) -> bool:
    if "@@FETCH_STATUS" in node.condition.text.upper():
        return True
    return any(isinstance(s, nodes.Fetch) for s in flattened([node.body])[:1])


def _cursor(ex: Executor, node: nodes.While, body: list[nodes.Statement], state: State) -> None:
    """``WHILE @@FETCH_STATUS = 0``: the body for every row of the cursor's query."""
    fetch, inner = _fetched(node, body)
    opened = state.cursors.get(fetch.cursor.lower())
    if opened is None:
        raise Refused(f"the cursor {fetch.cursor} is not opened here", "cursor")
    rows = opened.rows
    if len(fetch.into) != len(rows.columns):
        raise Refused(
            "FETCH fills another number of variables than the cursor has columns", "cursor"
        )
    # Names of their own: a column of the cursor must not be taken for one of a table.
    own = [f"loop_{name.lstrip('@').lower()}" for name in fetch.into]
    if len(set(own)) != len(own):
        raise Refused("FETCH fills a variable twice", "cursor")
    rows = ex.binder.projected(rows, own, rows.hint, rows.origin)
    columns: dict[str, tuple[str, t.SqlType]] = {}
    for name, column in zip(fetch.into, own, strict=True):
        known = state.variables.get(name.lower())
        if known is None:
            raise Refused(f"the variable {name} is not declared", "undeclared variable")
        columns[name.lower()] = (column, known.type)
    loop = RowLoop(ex, node, columns, cursor_reads=opened.reads)
    loop.run(inner, rows, state)


def _fetched(
    node: nodes.While, body: list[nodes.Statement]
) -> tuple[nodes.Fetch, Sequence[nodes.Statement]]:
    """The FETCH of a cursor loop, and what is done with each row.

    Either the next row is fetched at the end and the condition asks for it, or a row is fetched
    first and ``IF @@FETCH_STATUS <> 0 BREAK`` follows.
    """
    fetches = [s for s in body if isinstance(s, nodes.Fetch)]
    if len(fetches) != 1 or fetches[0].direction.upper() != "NEXT":
        raise Refused("a cursor that is not fetched once in the loop", "cursor")
    parsed = node.condition.parsed
    if isinstance(parsed, LeafError):
        raise Refused(parsed.reason, parsed.construct)
    if body[-1] is fetches[0] and _is_fetched(parsed.tree):
        return fetches[0], body[:-1]
    if body[0] is fetches[0] and truth(trees.unwrapped(parsed.tree)) is True and len(body) > 1:
        leave = body[1]
        inner = flattened([leave.then]) if isinstance(leave, nodes.If) else []
        tree = leave.condition.parsed if isinstance(leave, nodes.If) else None
        if (
            isinstance(leave, nodes.If)
            and leave.otherwise is None
            and len(inner) == 1
            and isinstance(inner[0], nodes.Break)
            and tree is not None
            and not isinstance(tree, LeafError)
            and _is_fetched(tree.tree, negated=True)
        ):
            return fetches[0], body[2:]
    raise Refused("the condition of a cursor loop is not @@FETCH_STATUS = 0", "cursor")


def _is_fetched(tree: exp.Expr, *, negated: bool = False) -> bool:
    """``@@FETCH_STATUS = 0`` or ``<> -1`` (a row of a read-only cursor is never -2)."""
    tree = trees.unwrapped(tree)
    if not isinstance(tree, exp.EQ | exp.NEQ) or variable_name(tree.this) != "@@fetch_status":
        return False
    value = trees.unwrapped(tree.expression).sql()
    return value == ("0" if isinstance(tree, exp.EQ) != negated else "-1")
