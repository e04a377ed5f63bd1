"""DECLARE, SET and SELECT @v = …: variables get closed expressions as values.

A query inside a value becomes a relation of one row, named after the variable, so that the model
shows ``last_load as (select max(…) …)`` and not the same subquery three times.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from core.compiler import trees
from core.compiler.binder import Context, with_names
from core.compiler.inserts import unordered
from core.compiler.keys import conjuncts, unique_keys
from core.compiler.relations import REL, Relation
from core.compiler.result import Assumption, AssumptionKind, Refused, Unsupported
from core.compiler.state import RETURN_CODE, State, TableState, Value
from core.compiler.variables import assigned, lookup, variable_name
from core.tsql import nodes
from core.tsql import types as t
from core.tsql.errors import LeafError
from core.tsql.leaves import ParsedLeaf
from core.tsql.schema import ObjectName, TableKind
from core.tsql.types import SqlType

if TYPE_CHECKING:
    from core.compiler.executor import Executor

_COMPOUND = {"+=": exp.Add, "-=": exp.Sub, "*=": exp.Mul, "/=": exp.Div, "%=": exp.Mod}


def unknown_like(value: Value, why: Unsupported) -> Value:
    return Value(value.type, unknown=why)


def type_of(ex: Executor, name: nodes.TypeName) -> SqlType:
    """The type of a declaration. Raises `Refused` for one that is not known."""
    try:
        return t.parse_type(name.text, aliases=ex.relations.schema.alias_types)
    except t.UnknownTypeError as error:
        raise Refused(error.reason, "unknown type", ex.called_from or name.span.line) from None


def declare(ex: Executor, node: nodes.Declare, state: State) -> None:
    for variable in node.variables:
        name = variable.name.lower()
        if variable.table is not None:
            from core.compiler.data import table_of

            if name in state.tables:
                continue  # declared once: the next turn of a loop finds its rows
            table = table_of(ex, ObjectName(variable.name), variable.table, TableKind.VARIABLE)
            state.tables[name] = TableState(table, written=True, reseeded=True, deleted=True)
            continue
        if variable.type is None:
            continue
        try:
            type_ = type_of(ex, variable.type)
        except Refused as refusal:
            state.variables[name] = Value(t.NULL, unknown=refusal.at(ex.line(node)))
            continue
        if variable.value is not None or name not in state.variables:
            state.variables[name] = Value(type_, trees.cast(exp.Null(), type_))
        if variable.value is not None:
            assign(ex, name, variable.value, node, state)


def set_variable(ex: Executor, node: nodes.SetVariable, state: State) -> None:
    if node.value is None:
        raise Refused("a cursor variable", "cursor")
    assign(ex, node.name.lower(), node.value, node, state, node.operator)
    state.lazies["@@rowcount"] = lambda: Value(t.INT, trees.one())


def returned(ex: Executor, node: nodes.Return, state: State) -> None:
    """RETURN: the code the caller gets, should it ask."""
    if node.value is not None and RETURN_CODE in state.variables:
        assign(ex, RETURN_CODE, node.value, node, state)


def assign(
    ex: Executor,
    name: str,
    value: nodes.Expr,
    node: nodes.Node,
    state: State,
    operator: str = "=",
) -> None:
    """Set a variable; what is not understood makes it unknown, which only its readers mind."""
    known = state.variables.get(name)
    if known is None:
        raise Refused(f"the variable {name} is not declared", "undeclared variable")
    try:
        tree = bound_value(ex, value, ex.context(node, state), name)
        if operator != "=":
            kind = _COMPOUND.get(operator)
            if kind is None:
                raise Refused(f"the operator {operator}", "compound assignment")
            old = lookup(state, name, ex.line(node))
            if old.expression is None:
                raise Refused(f"the value of {name} is not known", "unknown variable")
            tree = kind(this=old.expression.copy(), expression=exp.Paren(this=tree))
        state.variables[name] = assigned(tree, known.type)
    except Refused as refusal:
        state.variables[name] = Value(known.type, unknown=refusal.at(ex.line(node)))


def bound_value(ex: Executor, value: nodes.Expr, context: Context, hint: str) -> exp.Expr:
    """A closed expression: variables replaced, queries turned into relations of one row."""
    parsed = value.parsed
    if isinstance(parsed, LeafError):
        raise Refused(parsed.reason, parsed.construct, 0 if ex.called_from else parsed.line)
    return closed(ex, parsed.tree, context, hint)


def closed(ex: Executor, tree: exp.Expr, context: Context, hint: str) -> exp.Expr:
    """See `bound_value`; for a tree that is parsed already."""
    holder = exp.Paren(this=ex.binder.expression(tree, context, tables=False))
    for query in list(holder.find_all(exp.Subquery)):
        inner = query.this
        if not isinstance(inner, exp.Select | exp.SetOperation) or query.parent is None:
            continue
        if query.find_ancestor(exp.Select) is not None or isinstance(query.parent, exp.In):
            continue
        if _is_value(inner):
            continue
        query.set("this", _one_row(ex, inner, context, hint))
    ex.binder.tables(holder, context)
    found: exp.Expr = holder.this
    found.pop()
    return found


def _is_value(query: exp.Expr) -> bool:
    """``SELECT v FROM relation`` of a variable that was put in already."""
    source = query.args.get("from_")
    return (
        isinstance(query, exp.Select)
        and source is not None
        and isinstance(source.this, exp.Table)
        and source.this.db == REL
        and len(query.expressions) == 1
        and isinstance(query.expressions[0], exp.Column)
        and not any(query.args.get(key) for key in ("where", "joins", "group", "limit", "order"))
    )


def _one_row(ex: Executor, query: exp.Expr, context: Context, hint: str) -> exp.Expr:
    name = hint.lstrip("@") or "value"
    bound = ex.binder._bound(query, context)
    named = with_names(bound, [name])
    if named is None:
        inner = ex.relations.query(bound, name, context.origin)
        relation = ex.binder.projected(inner, [name], name, context.origin)
    else:
        relation = ex.relations.query(named, name, context.origin)
    return scalar(relation, name)


def scalar(relation: Relation, column: str) -> exp.Select:
    """``SELECT column FROM relation``."""
    return trees.select([trees.column(column)], relation.ref())


def select_assign(ex: Executor, node: nodes.SelectAssign, state: State) -> None:
    parsed = node.leaf.parsed
    if isinstance(parsed, LeafError):
        raise Refused(parsed.reason, parsed.construct)
    query = parsed.query
    context = ex.context(node, state)
    if not isinstance(query, exp.Select) or query.args.get("from_") is None:
        for assignment in parsed.assignments:
            name = (assignment.variable or "").lower()
            _assign_tree(ex, name, assignment.value, assignment.operator, context, state)
        state.lazies["@@rowcount"] = lambda: Value(t.INT, trees.one())
        return
    _assign_from(ex, parsed, query, context, state)
    state.lazies.pop("@@rowcount", None)


def _assign_tree(
    ex: Executor,
    name: str,
    value: exp.Expr,
    operator: str,
    context: Context,
    state: State,
) -> None:
    known = state.variables.get(name)
    if known is None:
        raise Refused(f"the variable {name} is not declared", "undeclared variable")
    try:
        tree = closed(ex, value, context, name)
        if operator != "=":
            old = lookup(state, name, context.origin.first_line)
            kind = _COMPOUND.get(operator)
            if kind is None or old.expression is None:
                raise Refused(f"the operator {operator}", "compound assignment")
            tree = kind(this=old.expression.copy(), expression=exp.Paren(this=tree))
        state.variables[name] = assigned(tree, known.type)
    except Refused as refusal:
        state.variables[name] = Value(known.type, unknown=refusal.at(context.origin.first_line))


def _assign_from(
    ex: Executor, parsed: ParsedLeaf, query: exp.Select, context: Context, state: State
) -> None:
    """``SELECT @a = …, @b = … FROM …``: without rows the variables keep their values."""
    names = [(assignment.variable or "").lower() for assignment in parsed.assignments]
    for name in names:
        if name not in state.variables:
            raise Refused(f"the variable {name} is not declared", "undeclared variable")
    own = set(names)
    for assignment in parsed.assignments:
        reads = {variable_name(p) for p in assignment.value.find_all(exp.Parameter)}
        if reads & own or assignment.operator != "=":
            raise Refused(
                "a variable is built up row by row", "row-by-row SELECT @v", assignment.line
            )
    columns = [name.lstrip("@") for name in names]
    bound = ex.binder.query(unordered(query)[0], context)
    if len(set(columns)) != len(columns):
        raise Refused("a variable is assigned twice in one SELECT", "SELECT @v")
    if isinstance(bound, exp.Select) and bound.args.get("order") is not None:
        items = [
            trees.alias(item.this if isinstance(item, exp.Alias) else item, name)
            for item, name in zip(bound.expressions, columns, strict=True)
        ]
        bound.set("expressions", items)
        named: exp.Expr | None = bound
    else:
        named = with_names(bound, columns)
    if named is None:
        raise Refused("the columns of SELECT @v = … are not known", "SELECT @v")
    hint = columns[0] if len(columns) == 1 else f"{columns[0]}_values"
    relation = ex.relations.query(named, hint, context.origin)
    one = _has_one_row(named, relation)
    if not one and not _at_most_one(named, relation):
        ex.assumptions.append(
            Assumption(
                AssumptionKind.OTHER,
                f"the query that fills {', '.join(names)} gives at most one row",
                line=context.origin.first_line,
            )
        )
    for name, column in zip(names, columns, strict=True):
        old = state.variables[name]
        value: exp.Expr = exp.Subquery(this=scalar(relation, column))
        if not one and not _is_null(old):
            if old.expression is None:
                raise Refused(f"the value of {name} before this line is not known", "SELECT @v")
            some = trees.exists(trees.select([trees.one()], relation.ref()))
            branch = exp.If(this=some, true=value)
            value = exp.Case(ifs=[branch], default=old.expression.copy())
        state.variables[name] = assigned(value, old.type)


def _is_null(value: Value) -> bool:
    node = value.expression
    while isinstance(node, exp.Cast | exp.Paren):
        node = node.this
    return isinstance(node, exp.Null)


def _has_one_row(query: exp.Expr, relation: Relation) -> bool:
    """An aggregate without GROUP BY."""
    return (
        isinstance(query, exp.Select)
        and query.args.get("group") is None
        and query.args.get("having") is None
        and frozenset() in unique_keys(query, {r.id: r for r in relation.inputs})
    )


def _at_most_one(query: exp.Expr, relation: Relation) -> bool:
    limit = query.args.get("limit")
    if (
        limit is not None
        and limit.find(exp.Literal) is not None
        and (limit.find(exp.Literal).name == "1")
    ):
        return True
    return relation.is_unique_on(set()) or _finds_by_key(query, relation)


def _finds_by_key(query: exp.Expr, relation: Relation) -> bool:
    """``WHERE key = constant`` over one relation with that key."""
    where = query.args.get("where")
    if where is None or query.args.get("joins") or len(relation.inputs) != 1:
        return False
    fixed = set()
    for part in conjuncts(where.this):
        if not isinstance(part, exp.EQ):
            continue
        for one, other in ((part.this, part.expression), (part.expression, part.this)):
            if isinstance(one, exp.Column) and not trees.columns_in(other):
                fixed.add(one.name.lower())
    return relation.inputs[0].is_unique_on(fixed)
