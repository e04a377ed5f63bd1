"""User-defined functions: inline table functions and scalar functions of one RETURN are inlined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from core.compiler import trees
from core.compiler.options import CompileOptions
from core.compiler.registry import Relations
from core.compiler.result import Refused
from core.compiler.variables import variable_name
from core.tsql import nodes
from core.tsql import types as t
from core.tsql.errors import LeafError, TsqlError
from core.tsql.leaves import line_of
from core.tsql.parser import parse_script

if TYPE_CHECKING:
    from core.compiler.binder import Binder, Context

_LIMIT = 40
"""How many calls are inlined in one expression: functions that call each other end somewhere."""


class FunctionInliner:
    """Replaces calls of the project's functions by what they compute."""

    binder: Binder

    def __init__(self, options: CompileOptions, relations: Relations) -> None:
        self.options = options
        self.relations = relations

    def _definition(self, schema: str, name: str, line: int) -> nodes.CreateFunction | None:
        text = self.options.function(f"{schema or 'dbo'}.{name}".lower())
        if text is None:
            return None
        try:
            script = parse_script(text)
        except TsqlError as error:
            raise Refused(f"the function {name}: {error.message}", "function", line) from None
        found = next((s for s in script.statements if isinstance(s, nodes.CreateFunction)), None)
        if found is None:
            raise Refused(f"the text of the function {name} is not understood", "function", line)
        return found

    def table_function(self, item: exp.Table, context: Context) -> exp.Expr | None:
        """The query of an inline table function with its arguments put in; None for a built-in."""
        call = item.this
        if not item.db:
            return None
        definition = self._definition(item.db, call.name, line_of(item))
        if definition is None or definition.query is None:
            raise Refused(
                f"the table function {item.db}.{call.name} is no inline function of the project",
                "table function",
                line_of(item),
            )
        parsed = definition.query.parsed
        if isinstance(parsed, LeafError) or parsed.query is None:
            raise Refused(f"the function {call.name} is not understood", "function", line_of(item))
        query = parsed.query.copy()
        return self._filled(query, definition, list(call.expressions), line_of(item))

    def inline_scalars(self, tree: exp.Expr, context: Context) -> None:
        """Replace calls ``schema.function(…)`` in place. Raises `Refused` for others."""
        for _ in range(_LIMIT):
            call = next(
                (
                    node
                    for node in tree.find_all(exp.Dot)
                    if isinstance(node.expression, exp.Anonymous)
                    and not isinstance(node.parent, exp.Dot)
                    and isinstance(node.this, exp.Identifier | exp.Column | exp.Dot)
                    and not isinstance(node.parent, exp.Table | exp.Lateral)
                    and node.expression.name.lower() not in ("value", "nodes", "query", "exist")
                ),
                None,
            )
            if call is None or call is tree:
                return
            call.replace(self._scalar(call, context))
        raise Refused("functions call each other too deeply", "function")

    def _scalar(self, call: exp.Dot, context: Context) -> exp.Expr:
        name = call.expression.name
        parts = [part.name for part in call.this.find_all(exp.Identifier)]
        schema = parts[-1] if parts else ""
        line = line_of(call)
        definition = self._definition(schema, name, line)
        if definition is None:
            raise Refused(
                f"the function {schema}.{name} is not in the project", "user function", line
            )
        body = list(definition.body)
        while len(body) == 1 and isinstance(body[0], nodes.Block):
            body = list(body[0].body)
        last = body[-1] if body else None
        if not isinstance(last, nodes.Return) or last.value is None or definition.returns is None:
            raise Refused(
                f"the function {schema}.{name} has no single RETURN", "user function", line
            )
        parsed = last.value.parsed
        if isinstance(parsed, LeafError):
            raise Refused(f"the function {schema}.{name}: {parsed.reason}", "user function", line)
        result = parsed.tree.copy()
        if len(body) > 1:
            result = self._with_locals(result, body[:-1], f"{schema}.{name}", line)
        if result.find(exp.Select) is not None:
            self._only_parameters(result, definition, line)
        holder = exp.Paren(this=result)
        filled = self._filled(holder, definition, list(call.expression.expressions), line)
        return trees.cast(filled.this, self._type(definition.returns, line))

    def _only_parameters(self, tree: exp.Expr, definition: nodes.CreateFunction, line: int) -> None:
        raise Refused(
            f"the function {definition.name} reads tables", "user function with a query", line
        )

    def _with_locals(
        self, result: exp.Expr, statements: list[nodes.Statement], name: str, line: int
    ) -> exp.Expr:
        """Local variables that are set once, in order, put into the RETURN expression."""
        values: dict[str, exp.Expr] = {}
        types: dict[str, t.SqlType] = {}
        for statement in statements:
            if isinstance(statement, nodes.Declare):
                for variable in statement.variables:
                    if variable.type is None:
                        raise Refused(
                            f"the function {name} is not one expression", "user function", line
                        )
                    types[variable.name.lower()] = self._type(variable.type, line)
                    if variable.value is not None:
                        self._set(values, types, variable.name, variable.value, name, line)
            elif (
                isinstance(statement, nodes.SetVariable)
                and statement.value is not None
                and statement.operator == "="
            ):
                self._set(values, types, statement.name, statement.value, name, line)
            else:
                raise Refused(f"the function {name} is not one expression", "user function", line)
        return _replaced(result, values)

    def _set(
        self,
        values: dict[str, exp.Expr],
        types: dict[str, t.SqlType],
        variable: str,
        value: nodes.Expr,
        name: str,
        line: int,
    ) -> None:
        parsed = value.parsed
        key = variable.lower()
        if isinstance(parsed, LeafError) or key not in types:
            raise Refused(f"the function {name} is not one expression", "user function", line)
        values[key] = trees.cast(_replaced(parsed.tree.copy(), values), types[key])

    def _type(self, name: nodes.TypeName, line: int) -> t.SqlType:
        try:
            return t.parse_type(name.text, aliases=self.relations.schema.alias_types)
        except t.UnknownTypeError as error:
            raise Refused(error.reason, "unknown type", line) from None

    def _filled(
        self,
        tree: exp.Expr,
        definition: nodes.CreateFunction,
        arguments: list[exp.Expr],
        line: int,
    ) -> exp.Expr:
        """`tree` with parameters replaced by (converted) arguments."""
        values: dict[str, exp.Expr] = {}
        for position, parameter in enumerate(definition.parameters):
            given = arguments[position] if position < len(arguments) else None
            if given is None or trees.is_default(given):
                if parameter.default is None:
                    raise Refused(f"{definition.name} needs {parameter.name}", "function", line)
                parsed = parameter.default.parsed
                if isinstance(parsed, LeafError):
                    raise Refused(parsed.reason, "function", line)
                given = parsed.tree.copy()
            values[parameter.name.lower()] = trees.cast(
                given.copy(), self._type(parameter.type, line)
            )
        return _replaced(tree, values)


def _replaced(tree: exp.Expr, values: dict[str, exp.Expr]) -> exp.Expr:
    holder = exp.Paren(this=tree)
    for node in list(holder.find_all(exp.Parameter)):
        name = variable_name(node)
        if name in values and not isinstance(node.parent, exp.Table):
            node.replace(values[name].copy())
    found: exp.Expr = holder.this
    found.pop()
    return found
