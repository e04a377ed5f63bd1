"""Functions of the database inside a query: written in place where that is possible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from core.interpreter.casts import convert
from core.interpreter.context import Context
from core.interpreter.errors import Refused
from core.interpreter.naming import quoted
from core.tsql.binding import bind_expression, bind_query
from core.tsql.errors import LeafError
from core.tsql.nodes import Block, CreateFunction, FunctionKind, Return, Statement
from core.tsql.schema import ScalarFunction, TableFunction
from core.tsql.types import SqlType, duckdb_storage
from core.tsql.typing import type_of

if TYPE_CHECKING:
    from core.interpreter.queries import QueryEmitter


@dataclass(frozen=True)
class MaterializedCall:
    """A multi-statement table function that is run before the statement that reads it."""

    function: TableFunction
    arguments: tuple[str, ...]
    table: str


def inlined_call(
    context: Context,
    function: ScalarFunction,
    definition: CreateFunction,
    arguments: Sequence[tuple[str | None, SqlType]],
    line: int,
) -> str | None:
    """The call as an expression, when the function's body is one RETURN of one."""
    body = _only_return(definition.body)
    if body is None or body.value is None:
        return None
    parsed = body.value.parsed
    if isinstance(parsed, LeafError):
        raise Refused(parsed.construct, parsed.reason, line)
    types = {p.name.lower(): p.type for p in function.parameters}
    values: dict[str, str] = {}
    for (sql, type_), parameter, declared in zip(
        arguments, function.parameters, definition.parameters, strict=True
    ):
        if sql is None:
            sql = _default(context, declared, type_, line)
        values[parameter.name.lower()] = f"({sql})"
    if any(len(sql) > 400 for sql in values.values()):
        return None
    bound = bind_expression(parsed.tree, context.world.schema, types)
    from core.interpreter.queries import QueryEmitter

    emitter = QueryEmitter(context.child(values, types))
    return convert(emitter.expressions.value(bound.tree), type_of(bound.tree), function.returns)


def _only_return(body: Sequence[Statement]) -> Return | None:
    while len(body) == 1 and isinstance(body[0], Block):
        body = body[0].body
    return body[0] if len(body) == 1 and isinstance(body[0], Return) else None


def _default(context: Context, declared: object, type_: SqlType, line: int) -> str:
    default = getattr(declared, "default", None)
    if default is None:
        raise Refused("DEFAULT", "a parameter without a default got none", line)
    parsed = default.parsed
    if isinstance(parsed, LeafError):
        raise Refused(parsed.construct, parsed.reason, line)
    from core.interpreter.queries import QueryEmitter

    bound = bind_expression(parsed.tree, context.world.schema, {})
    emitter = QueryEmitter(context.child({}, {}))
    return convert(emitter.expressions.value(bound.tree), type_of(bound.tree), type_)


def table_function(
    query: QueryEmitter,
    function: TableFunction,
    arguments: Sequence[str | None],
    call: exp.Expr,
    line: int,
) -> str:
    """The rows of a table function: an inline one is written in place."""
    context = query.context
    definition = context.world.function_definition(function.name)
    if definition is None:
        raise Refused("function", f"the text of function {function.name} is not known", line)
    values: dict[str, str] = {}
    pairs = zip(arguments, function.parameters, definition.parameters, strict=True)
    for sql, parameter, declared in pairs:
        value = sql if sql is not None else _default(context, declared, parameter.type, line)
        values[parameter.name.lower()] = f"({value})"
    types = {p.name.lower(): p.type for p in function.parameters}
    if definition.kind is FunctionKind.INLINE_TABLE and definition.query is not None:
        parsed = definition.query.parsed
        if isinstance(parsed, LeafError):
            raise Refused(parsed.construct, parsed.reason, line)
        if parsed.query is None:
            raise Refused("function", f"{function.name} has no query", line)
        bound = bind_query(parsed.query, context.world.schema, types)
        from core.interpreter.queries import QueryEmitter as Emitter

        emitter = Emitter(context.child(values, types))
        return emitter.query(bound.tree, [column.type for column in function.columns])
    if any(column for argument in call.expressions for column in argument.find_all(exp.Column)):
        return _per_row(context, function, values)
    number = next(context.collected.numbers)
    table = f"~tvf{number}"
    selected = tuple(
        f"CAST({values[p.name.lower()]} AS {duckdb_storage(p.type)})" for p in function.parameters
    )
    context.collected.materialized.append(MaterializedCall(function, selected, table))
    columns = ", ".join(f"{quoted(c.name)} AS c{n}" for n, c in enumerate(function.columns, 1))
    return f"SELECT {columns} FROM {quoted(table)}"


def _per_row(context: Context, function: TableFunction, values: Mapping[str, str]) -> str:
    """The rows of a multi-statement function for arguments that differ from row to row.

    It is run once for each list of arguments; its rows come back as one text.
    """
    arguments = [values[p.name.lower()] for p in function.parameters]
    text = context.table_result(function, arguments)
    items = ", ".join(
        f"CAST(r.v[{n}] AS {duckdb_storage(c.type)}) AS c{n}"
        for n, c in enumerate(function.columns, 1)
    )
    return f"""SELECT {items} FROM (SELECT unnest(from_json({text}, '[["VARCHAR"]]')) AS v) AS r"""
