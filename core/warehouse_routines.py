"""Views and functions of the source database as entries of a ``Schema``.

The columns of a view or an inline function are those of its query, so it is bound like any query;
one that uses another one has to wait until that is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.tsql.binding import bind_query
from core.tsql.errors import LeafError, TsqlError
from core.tsql.nodes import CreateFunction, CreateView, FunctionKind, Leaf, TableBody
from core.tsql.nodes import ObjectName as NameNode
from core.tsql.nodes import Parameter as ParameterNode
from core.tsql.schema import (
    Column,
    Function,
    ObjectName,
    Parameter,
    ScalarFunction,
    Schema,
    Table,
    TableFunction,
    TableKind,
)
from core.tsql.types import SqlType, UnknownTypeError, parse_type

Routine = CreateView | CreateFunction
"""An object whose columns follow from its definition."""


def with_routines(schema: Schema, routines: Mapping[str, Routine]) -> tuple[Schema, dict[str, str]]:
    """``schema`` with every routine that can be understood, and the reasons of the others."""
    waiting = dict(routines)
    while True:
        failures: dict[str, str] = {}
        for name, routine in waiting.items():
            try:
                schema = _with_routine(schema, routine)
            except (TsqlError, UnknownTypeError) as error:
                failures[name] = str(error)
        if len(failures) == len(waiting):  # nothing more was understood
            return schema, failures
        waiting = {name: waiting[name] for name in failures}


def _with_routine(schema: Schema, routine: Routine) -> Schema:
    if isinstance(routine, CreateView):
        columns = _query_columns(schema, routine.query, {}, routine.columns)
        return schema.with_table(Table(_name(routine.name), columns, TableKind.VIEW))
    function = _function(schema, routine)
    functions = {**schema.functions, function.name.key: function}
    return Schema(
        database=schema.database,
        default_schema=schema.default_schema,
        tables=schema.tables,
        functions=functions,
        alias_types=schema.alias_types,
    )


def _function(schema: Schema, node: CreateFunction) -> Function:
    name = _name(node.name)
    parameters = tuple(_parameter(schema, parameter) for parameter in node.parameters)
    if node.kind is FunctionKind.SCALAR and node.returns is not None:
        returns = parse_type(node.returns.text, aliases=schema.alias_types)
        return ScalarFunction(name, parameters, returns)
    if node.table is not None:
        return TableFunction(name, parameters, _body_columns(schema, node.table))
    if node.query is None:
        raise TsqlError("the function has no query", line=node.span.line)
    variables = {parameter.name: parameter.type for parameter in parameters}
    return TableFunction(name, parameters, _query_columns(schema, node.query, variables, ()))


def _parameter(schema: Schema, node: ParameterNode) -> Parameter:
    return Parameter(node.name, parse_type(node.type.text, aliases=schema.alias_types))


def _body_columns(schema: Schema, body: TableBody) -> tuple[Column, ...]:
    return tuple(
        Column(
            column.name,
            parse_type(column.type.text, aliases=schema.alias_types),
            nullable=column.nullable is not False and not column.primary_key,
            identity=column.identity is not None,
            default=column.default.text if column.default else None,
        )
        for column in body.columns
        if column.type is not None
    )


def _query_columns(
    schema: Schema, query: Leaf, variables: Mapping[str, SqlType], names: Sequence[str]
) -> tuple[Column, ...]:
    parsed = query.parsed
    if isinstance(parsed, LeafError):
        raise TsqlError(parsed.reason, line=parsed.line)
    if parsed.query is None:
        raise TsqlError("the definition is not a query", line=query.span.line)
    bound = bind_query(parsed.query, schema, variables)
    if names and len(names) != len(bound.columns):
        raise TsqlError("the column list does not fit the query", line=query.span.line)
    columns = []
    for index, output in enumerate(bound.columns):
        name = names[index] if names else output.name
        if name is None:
            raise TsqlError(f"column {index + 1} has no name", line=query.span.line)
        columns.append(Column(name, output.type, nullable=output.nullable))
    return tuple(columns)


def _name(node: NameNode) -> ObjectName:
    return ObjectName(node.name, node.schema)
