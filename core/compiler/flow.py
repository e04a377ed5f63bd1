"""Control flow: IF becomes a choice between two states, guarded row group by row group.

Both branches run on copies of the state. Groups that are the same in both are shared; a group that
only one branch has is kept under the condition, the other branch's under "condition is not true".
The condition is a closed expression, so the guard is one more conjunct of a WHERE.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from core.compiler import jumps, transactions, trees
from core.compiler.effects import effects_of, schema_name
from core.compiler.fold import truth
from core.compiler.keys import unique_keys
from core.compiler.relations import Relation, RelationKind
from core.compiler.result import Refused
from core.compiler.state import Group, State, TableState, Value
from core.compiler.variables import converted
from core.compiler.variables_exec import closed, unknown_like
from core.tsql import nodes
from core.tsql import types as t
from core.tsql.errors import LeafError
from core.tsql.schema import ObjectName

if TYPE_CHECKING:
    from core.compiler.executor import Executor

Statements = Sequence[nodes.Statement]
MAX_FORKS = 16
"""How many conditions on data before a RETURN or jump are followed: each doubles what is left."""


def branch(ex: Executor, node: nodes.If, rest: Statements, state: State) -> State | None:
    """Execute an IF. Gives the final state when it also ran `rest` (an early RETURN), else None."""
    then = [node.then]
    otherwise = [node.otherwise] if node.otherwise is not None else []
    if ends_in_error(then):
        ex.drop("IF … that raises an error: a validation; make it a dbt test", node)
        return _continue(ex, otherwise, rest, state)
    if otherwise and ends_in_error(otherwise):
        ex.drop("ELSE that raises an error: a validation; make it a dbt test", node)
        return _continue(ex, then, rest, state)
    metadata = _metadata(ex, node, state)
    if metadata is not None:
        return _continue(ex, then if metadata else otherwise, rest, state)
    returns = jumps.leaves(then) or jumps.leaves(otherwise)
    effects = effects_of([*then, *otherwise], ex.is_harmless)
    quiet = not (
        effects.tables
        or effects.variables
        or effects.calls
        or effects.everything
        or transactions.changes([*then, *otherwise])
    )
    if quiet and not returns:
        ex.drop("IF without effect on data", node)
        state.lazies["@@rowcount"] = no_rows
        return None
    try:
        condition = condition_of(ex, node, state)
    except Refused as refusal:
        why = refusal.at(ex.line(node))
        ex.poison([*then, *otherwise, *(rest if returns else ())], state, why)
        return state if returns else None
    state.lazies["@@rowcount"] = no_rows  # the condition is a statement of its own
    known = truth(condition)
    if known is not None:
        return _continue(ex, then if known else otherwise, rest, state)
    if ex.results is not None and _returns_rows([*then, *otherwise, *(rest if returns else ())]):
        raise Refused("rows are returned under a condition", "INSERT EXEC", ex.line(node))
    if not otherwise and _is_predicated(then):
        before, ex.guard = ex.guard, trees.all_of([ex.guard, condition])
        try:
            ex.run(then, state)
        finally:
            ex.guard = before
        return None
    if returns:
        if ex.forks >= MAX_FORKS:
            raise_at = Refused("too many early RETURNs", "early RETURN")
            ex.poison(rest, state, raise_at.at(ex.line(node)))
            return state
        ex.forks += 1
        first = ex.run([*then, *rest], state.copy())
        second = ex.run([*otherwise, *rest], state.copy())
    else:
        first = ex.run(then, state.copy())
        second = ex.run(otherwise, state.copy())
    joined(ex, condition, first, second, state, node)
    return state if returns else None


def _returns_rows(statements: Statements) -> bool:
    return any(
        (isinstance(s, nodes.Leaf) and s.kind is nodes.LeafKind.SELECT)
        or isinstance(s, nodes.Execute | nodes.ExecuteSql | nodes.ExecuteString)
        for statement in statements
        for s in nodes.statements(statement)
    )


def _is_predicated(statements: Statements) -> bool:
    """Only UPDATEs and DELETEs of tables: the condition can be one more of their own."""
    flat = _flattened(statements)
    return bool(flat) and all(
        isinstance(s, nodes.Print)
        or (
            isinstance(s, nodes.Leaf)
            and s.kind in (nodes.LeafKind.UPDATE, nodes.LeafKind.DELETE)
            and not isinstance(s.parsed, LeafError)
            and s.parsed.target is not None
            and not s.parsed.target.is_cte
            and s.parsed.output is None
        )
        for s in flat
    )


def _continue(ex: Executor, chosen: Statements, rest: Statements, state: State) -> State | None:
    if jumps.leaves(chosen):
        return ex.run([*chosen, *rest], state)
    ex.run(chosen, state)
    return None


def condition_of(ex: Executor, node: nodes.If | nodes.While, state: State) -> exp.Expr:
    """The condition as a closed expression. Raises `Refused`."""
    parsed = node.condition.parsed
    if isinstance(parsed, LeafError):
        raise Refused(parsed.reason, parsed.construct)
    tree = closed(ex, parsed.tree, ex.context(node, state), "condition")
    for column in trees.columns_in(tree):
        if column.find_ancestor(exp.Select) is None:
            raise Refused(f"the condition reads a column {column.name}", "IF condition")
    return tree


def ends_in_error(statements: Statements) -> bool:
    """Whether a branch raises an error and goes no further.

    THROW, or RAISERROR of severity 11 and more followed by RETURN (or at the end of the branch).
    The model follows the path without errors, so the branch is a validation.
    """
    flat = _flattened(statements)
    if not flat:
        return False
    raising = [s for s in flat if isinstance(s, nodes.Throw) or _is_severe(s)]
    if not raising:
        return False
    last = flat[-1]
    return isinstance(last, nodes.Throw | nodes.Return) or _is_severe(last)


def _flattened(statements: Statements) -> list[nodes.Statement]:
    found: list[nodes.Statement] = []
    for statement in statements:
        if isinstance(statement, nodes.Block):
            found += _flattened(statement.body)
        else:
            found.append(statement)
    return found


def _is_severe(statement: nodes.Statement) -> bool:
    if not isinstance(statement, nodes.RaiseError):
        return False
    text = statement.severity.text.strip() if statement.severity is not None else "16"
    return not text.isdecimal() or int(text) >= 11


# --- conditions on metadata -----------------------------------------------------------------------


def _metadata(ex: Executor, node: nodes.If, state: State) -> bool | None:
    """Whether the condition only asks if an object exists, and then whether it does."""
    effects = effects_of([node.then], ex.is_harmless)
    ddl = all(
        isinstance(
            s,
            nodes.Block
            | nodes.DropTable
            | nodes.CreateTable
            | nodes.IndexStatement
            | nodes.OtherDefinition
            | nodes.AlterTable
            | nodes.SideStatement
            | nodes.Print,
        )
        for s in nodes.statements(node.then)
    )
    text = node.condition.text.upper()
    about = any(
        word in text
        for word in ("OBJECT_ID", "SYS.", "INFORMATION_SCHEMA", "SYSOBJECTS", "SYSINDEXES")
    )
    if not about:
        return None
    if ddl:
        drops = any(isinstance(s, nodes.DropTable) for s in nodes.statements(node.then))
        if drops:
            return True
        creates = [s for s in nodes.statements(node.then) if isinstance(s, nodes.CreateTable)]
        return not all(_exists(ex, schema_name(s.name), state) for s in creates)
    parsed = node.condition.parsed
    if isinstance(parsed, LeafError) or effects.everything is not None:
        return None
    tree = trees.unwrapped(parsed.tree)
    negated = isinstance(tree, exp.Not)
    inner = trees.unwrapped(tree.this) if negated else tree
    if not isinstance(inner, exp.Is) or not isinstance(inner.this, exp.Anonymous):
        return None
    call = inner.this
    if call.name.upper() != "OBJECT_ID" or not call.expressions:
        return None
    name = call.expressions[0].name
    try:
        there = _exists(ex, ObjectName.parse(name.replace("tempdb..", "")), state)
    except ValueError:
        return None
    return there if negated else not there


def _exists(ex: Executor, name: ObjectName, state: State) -> bool:
    if name.is_temporary:
        return ex.tables.key(name) in state.tables
    return ex.relations.schema.table(name) is not None


# --- joining two states ---------------------------------------------------------------------------


def joined(
    ex: Executor,
    condition: exp.Expr,
    first: State,
    second: State,
    into: State,
    node: nodes.Node,
) -> None:
    """Make `into` the state that is `first` where the condition holds and else `second`."""
    into.poison = first.poison or second.poison
    into.savepoints = first.savepoints if _same_points(first, second) else None
    into.identity_insert = first.identity_insert & second.identity_insert
    into.lazies = {k: v for k, v in first.lazies.items() if second.lazies.get(k) is v}
    transactions.note_count(into)
    for key in [*first.tables, *(k for k in second.tables if k not in first.tables)]:
        one, other = first.tables.get(key), second.tables.get(key)
        if one is None or other is None:
            present = one or other
            assert present is not None
            if key.startswith(("#", "@")):
                into.tables[key] = present
                continue
            untouched = ex.tables.state_of(present.table.name, State(), 0)
            one, other = one or untouched, other or untouched
        into.tables[key] = one if one == other else _either(ex, condition, one, other, node)
    for name in [*first.variables, *(v for v in second.variables if v not in first.variables)]:
        into.variables[name] = _either_value(
            condition, first.variables.get(name), second.variables.get(name)
        )


def _same_points(first: State, second: State) -> bool:
    """Whether the same transactions are open in both states."""
    one, other = first.savepoints, second.savepoints
    return (
        one is not None
        and other is not None
        and len(one) == len(other)
        and all(a is b for a, b in zip(one, other, strict=True))
    )


def _either(
    ex: Executor, condition: exp.Expr, one: TableState, other: TableState, node: nodes.Node
) -> TableState:
    if one.poison is not None or other.poison is not None:
        return replace(one, poison=one.poison or other.poison, written=True)
    if one.table != other.table:
        why = Refused("a table that is created with different columns", "IF").at(ex.line(node))
        return one.poisoned(why)
    shared = [group for group in one.groups if group in other.groups]
    groups: list[Group] = []
    for group in one.groups:
        groups.append(group if group in shared else _guarded(ex, group, condition))
    for group in other.groups:
        if group not in shared:
            groups.append(_guarded(ex, group, trees.is_not_true(condition.copy())))
    return replace(
        one,
        groups=tuple(groups),
        version=max(one.version, other.version) + 1,
        deleted=one.deleted or other.deleted,
        written=one.written or other.written,
        reseeded=one.reseeded and other.reseeded,
        upsert=None,
    )


def _guarded(ex: Executor, group: Group, condition: exp.Expr) -> Group:
    """A group that is only there when a closed condition holds."""
    relation = group.relation
    query = relation.query
    if isinstance(query, exp.Select) and _can_filter(query, relation):
        query = query.copy()
        where = query.args.get("where")
        both = trees.all_of([where.this if where is not None else None, condition.copy()])
        assert both is not None
        query.set("where", exp.Where(this=both))
    else:
        query = trees.select([exp.Star()], relation.ref(), condition.copy())
    kind = relation.kind if relation.kind is RelationKind.ALIGNMENT else RelationKind.QUERY
    hint = relation.hint if relation.query is not None else f"kept_{relation.hint}"
    made = ex.relations.query(query, hint, relation.origin, kind, keys=relation.keys)
    return replace(group, relation=made)


def _can_filter(query: exp.Select, relation: Relation) -> bool:
    """Whether a closed condition may join the WHERE: not where an aggregate gives a row anyway."""
    if any(query.args.get(key) is not None for key in ("limit", "group", "having")):
        return False
    return frozenset() not in unique_keys(query, {r.id: r for r in relation.inputs})


def _either_value(condition: exp.Expr, one: Value | None, other: Value | None) -> Value:
    if one is None or other is None:
        found = one or other
        assert found is not None
        return found
    if one == other:
        return one
    why = one.unknown or other.unknown
    if why is not None:
        return unknown_like(one, why)
    assert one.expression is not None
    assert other.expression is not None
    filled = _coalesced(condition, one, other)
    if filled is not None:
        return Value(one.type, filled)
    case = exp.Case(
        ifs=[exp.If(this=condition.copy(), true=one.expression.copy())],
        default=other.expression.copy(),
    )
    return Value(one.type, converted(case, one.type))


def _coalesced(condition: exp.Expr, one: Value, other: Value) -> exp.Expr | None:
    """``IF @p IS NULL SET @p = e`` is ``ISNULL(@p, e)``."""
    node = trees.unwrapped(condition)
    if not isinstance(node, exp.Is) or not isinstance(node.expression, exp.Null):
        return None
    assert one.expression is not None
    assert other.expression is not None
    if node.this != other.expression:
        return None
    return trees.call("ISNULL", other.expression.copy(), one.expression.copy())


# --- the rest -------------------------------------------------------------------------------------


def no_rows() -> Value:
    """``@@ROWCOUNT`` after a statement that is not about rows."""
    return Value(t.INT, exp.Literal.number(0))


def side_statement(ex: Executor, node: nodes.Statement, state: State) -> None:
    """Statements without effect on the rows of tables."""
    match node:
        case nodes.Throw():
            raise Refused("the procedure always ends in THROW here", "THROW")
        case nodes.Print() | nodes.RaiseError():
            ex.drop(f"{type(node).__name__}: messages do not change data", node)
            state.lazies["@@rowcount"] = no_rows
        case (
            nodes.BeginTransaction()
            | nodes.CommitTransaction()
            | nodes.RollbackTransaction()
            | nodes.SaveTransaction()
        ):
            transactions.transaction(ex, node, state)
            state.lazies["@@rowcount"] = no_rows
        case nodes.IndexStatement() | nodes.SideStatement():
            ex.drop("index, statistics and session statements", node)
            state.lazies["@@rowcount"] = no_rows
        case nodes.CloseCursor() | nodes.DeallocateCursor():
            state.cursors.pop(node.name.lower(), None)
        case nodes.Fetch():
            for name in node.into:
                known = state.variables.get(name.lower())
                if known is not None:
                    why = Refused("a value fetched from a cursor", "cursor").at(ex.line(node))
                    state.variables[name.lower()] = unknown_like(known, why)
        case nodes.OtherDefinition():
            ex.drop(node.kind, node)
        case _:
            raise Refused(f"{type(node).__name__} is not understood", type(node).__name__)
