"""EXEC: procedures of the project are inlined, dynamic SQL that folds to text is executed.

A procedure that is not in the project may do anything. Calls that only log, and system procedures,
are told by their names; every other unknown call makes the state unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from core.compiler import trees
from core.compiler.effects import schema_name
from core.compiler.fold import text_of
from core.compiler.naming import snake
from core.compiler.relations import Relation
from core.compiler.result import Refused, Unsupported
from core.compiler.state import RETURN_CODE, State, TableState, Value
from core.compiler.variables import assigned
from core.compiler.variables_exec import bound_value, type_of, unknown_like
from core.tsql import nodes
from core.tsql import types as t
from core.tsql.errors import TsqlError
from core.tsql.leaves import Target
from core.tsql.parser import parse_procedure, parse_script

if TYPE_CHECKING:
    from core.compiler.executor import Executor

Call = nodes.Execute | nodes.ExecuteString | nodes.ExecuteSql

_LOG_WORDS = frozenset(
    [
        "log",
        "logs",
        "logging",
        "logger",
        "audit",
        "audits",
        "auditing",
        "error",
        "errors",
        "trace",
        "debug",
        "eventlog",
        "errorlog",
        "auditlog",
        "loadlog",
        "runlog",
        "joblog",
        "logentry",
        "logstart",
        "logend",
        "logerror",
        "logevent",
        "joblog",
        "batchlog",
        "etllog",
    ]
)
_MESSAGE_WORDS = frozenset(["mail", "email", "notify", "notification", "alert", "print"])
_WORK_WORDS = frozenset(
    [
        "load",
        "merge",
        "refresh",
        "populate",
        "process",
        "update",
        "calc",
        "calculate",
        "build",
        "transform",
        "dim",
        "fact",
        "stage",
        "sync",
        "rebuild",
        "fill",
        "upsert",
        "import",
        "archive",
        "purge",
        "delete",
    ]
)
_SYSTEM = re.compile(r"^(sp_|xp_)", re.I)
_UNSAFE_SYSTEM = frozenset({"sp_executesql", "sp_rename", "sp_msforeachtable", "sp_execute"})
MAX_DEPTH = 8


def is_log_name(name: str) -> bool:
    """Whether a table's name says that it is a log: one of its words is ``log``, ``audit`` …"""
    return bool(_LOG_WORDS & set(snake(name.rpartition(".")[2]).split("_")))


def _only_logs(name: str) -> bool:
    """Whether a procedure's name says that it does nothing but log or send a message."""
    words = set(snake(name).split("_"))
    return bool(words & (_LOG_WORDS | _MESSAGE_WORDS)) and not words & _WORK_WORDS


def is_logging_call(ex: Executor, node: nodes.Execute) -> bool:
    """A call that changes no table of interest: a system procedure, or an unknown logger."""
    if node.procedure is None:
        return False
    name = node.procedure.name
    if _SYSTEM.match(name):
        return name.lower() not in _UNSAFE_SYSTEM
    return _source(ex, node) is None and _only_logs(name)


def is_known(ex: Executor, node: nodes.Statement) -> bool:
    """Whether what a call does can be read: a procedure of the project."""
    return isinstance(node, nodes.Execute) and _source(ex, node) is not None


def _source(ex: Executor, node: nodes.Execute) -> str | None:
    if node.procedure is None:
        return None
    schema = node.procedure.schema or ex.relations.schema.default_schema
    return ex.options.procedure(f"{schema}.{node.procedure.name}".lower())


def bodies(ex: Executor, node: nodes.Statement) -> Iterator[Sequence[nodes.Statement]]:
    """The statements a known call would run."""
    source = _source(ex, node) if isinstance(node, nodes.Execute) else None
    if source is not None:
        try:
            yield parse_procedure(source).body
        except TsqlError:
            return


def execute(ex: Executor, node: Call, state: State) -> None:
    """Run a call. Raises `Refused` when what it does is not known."""
    match node:
        case nodes.Execute():
            _execute_procedure(ex, node, state)
        case nodes.ExecuteString():
            if node.at_server is not None:
                raise Refused(f"EXEC … AT {node.at_server}", "linked server")
            _execute_text(ex, node.sql, node, state)
        case nodes.ExecuteSql():
            _execute_sql(ex, node, state)


def _execute_procedure(ex: Executor, node: nodes.Execute, state: State) -> None:
    name = node.procedure_variable or str(node.procedure)
    if is_logging_call(ex, node):
        ex.drop(f"EXEC {name}: logging or a system procedure", node)
        _forget_outputs(
            ex, node, state, Unsupported("a value given by a call", ex.line(node), "EXEC")
        )
        return
    source = _source(ex, node)
    if source is None:
        raise Refused(
            f"EXEC {name}: the procedure is not in the project", "EXEC of unknown procedure"
        )
    run_procedure(ex, source, node, state)


def _forget_outputs(ex: Executor, node: Call, state: State, why: Unsupported) -> None:
    names = [a.value.text.lower() for a in node.arguments if a.is_output and a.value is not None]
    result = getattr(node, "return_variable", None)
    for name in [*names, *([result.lower()] if result else [])]:
        if name in state.variables:
            state.variables[name] = unknown_like(state.variables[name], why)


def run_procedure(ex: Executor, source: str, node: nodes.Execute, state: State) -> None:
    """Inline a procedure: its variables are its own, temp tables of the caller are visible."""
    if ex.depth >= MAX_DEPTH:
        raise Refused("procedures call each other too deeply", "recursion")
    try:
        procedure = parse_procedure(source)
    except TsqlError as error:
        raise Refused(f"{node.procedure}: {error.message}", "EXEC") from None
    own = procedure.name.name.lower()
    if own in ex.running or own == ex.procedure.rpartition(".")[2].lower():
        raise Refused(f"{node.procedure} calls itself", "recursion")
    inner, outputs = _arguments(ex, procedure, node, state)
    outer, called_from, target_variables = state.variables, ex.called_from, _table_variables(state)
    temps = {key for key in state.tables if key.startswith("#")}
    inner[RETURN_CODE] = Value(t.INT, exp.Literal.number(0))
    state.variables = inner
    identity = state.lazies.pop("scope_identity()", None)
    caller, state.procedure = state.procedure, procedure.name.name
    ex.called_from = called_from or node.span.line
    ex.depth += 1
    ex.running.append(own)
    try:
        done = ex.run(procedure.body, state)
    finally:
        ex.running.pop()
        ex.depth -= 1
        ex.called_from = called_from
        state.procedure = caller
    finished = done.variables
    if done is not state:
        _adopt(state, done)
    for key in [
        k for k in state.tables if k.startswith("@") or (k.startswith("#") and k not in temps)
    ]:
        del state.tables[key]
    state.tables.update(target_variables)
    state.variables = outer
    for outside, inside in outputs:
        if outside in outer:
            value = finished[inside]
            outer[outside] = (
                Value(outer[outside].type, unknown=value.unknown)
                if value.expression is None
                else assigned(value.expression.copy(), outer[outside].type)
            )
    state.lazies.pop("scope_identity()", None)
    if identity is not None:
        state.lazies["scope_identity()"] = identity
    if node.return_variable and node.return_variable.lower() in outer:
        name = node.return_variable.lower()
        code = finished[RETURN_CODE]
        outer[name] = (
            Value(outer[name].type, unknown=code.unknown)
            if code.expression is None
            else assigned(code.expression.copy(), outer[name].type)
        )


def _adopt(state: State, done: State) -> None:
    state.tables, state.lazies = done.tables, done.lazies
    state.savepoints = done.savepoints
    state.identity_insert, state.poison = done.identity_insert, done.poison


def _table_variables(state: State) -> dict[str, TableState]:
    found = {k: v for k, v in state.tables.items() if k.startswith("@")}
    for key in found:
        del state.tables[key]
    return found


def _argument(node: nodes.Execute, name: str, position: int) -> nodes.Argument | None:
    for argument in node.arguments:
        if argument.name is not None and argument.name.lower() == name.lower():
            return argument if argument.value is not None else None
    positional = [a for a in node.arguments if a.name is None]
    if position < len(positional):
        return positional[position] if positional[position].value is not None else None
    return None


def _arguments(
    ex: Executor, procedure: nodes.CreateProcedure, node: nodes.Execute, state: State
) -> tuple[dict[str, Value], list[tuple[str, str]]]:
    """The variables a procedure starts with, and its OUTPUT arguments with their parameters."""
    inner: dict[str, Value] = {}
    outputs: list[tuple[str, str]] = []
    for position, parameter in enumerate(procedure.parameters):
        argument = _argument(node, parameter.name, position)
        type_ = type_of(ex, parameter.type)
        expression = argument.value if argument is not None else parameter.default
        if expression is None:
            raise Refused(f"{node.procedure} needs a value for {parameter.name}", "EXEC")
        context = ex.context(node, state)
        key = parameter.name.lower()
        inner[key] = assigned(bound_value(ex, expression, context, key), type_)
        if argument is not None and argument.is_output and argument.value is not None:
            outputs.append((argument.value.text.lower(), key))
    return inner, outputs


@contextmanager
def entered(ex: Executor, node: Call, state: State) -> Iterator[Sequence[nodes.Statement]]:
    """The statements a call runs, with the variables they see in `state` while it runs.

    For a body that is run once for all rows of a loop: it may only use its parameters.
    Raises `Refused` for text that is not constant, OUTPUT parameters, and unknown procedures.
    """
    if ex.depth >= MAX_DEPTH:
        raise Refused("procedures call each other too deeply", "recursion")
    body, inner = _entered_body(ex, node, state)
    outer, hidden = state.variables, _table_variables(state)
    called_from, ex.called_from = ex.called_from, ex.called_from or node.span.line
    state.variables = inner
    ex.depth += 1
    try:
        yield body
    finally:
        ex.depth -= 1
        ex.called_from = called_from
        state.tables.update(hidden)
        state.variables = outer


def _entered_body(
    ex: Executor, node: Call, state: State
) -> tuple[Sequence[nodes.Statement], dict[str, Value]]:
    line = ex.line(node)
    if any(a.is_output for a in node.arguments) or getattr(node, "return_variable", None):
        raise Refused("a call in a loop that gives something back", "EXEC in a loop", line)
    if isinstance(node, nodes.Execute):
        source = _source(ex, node)
        if source is None:
            raise Refused(f"EXEC {node.procedure} in a loop", "EXEC in a loop", line)
        try:
            procedure = parse_procedure(source)
        except TsqlError as error:
            raise Refused(f"{node.procedure}: {error.message}", "EXEC") from None
        return procedure.body, _arguments(ex, procedure, node, state)[0]
    if isinstance(node, nodes.ExecuteString) and node.at_server:
        raise Refused(f"EXEC … AT {node.at_server}", "linked server", line)
    context = ex.context(node, state)
    text = text_of(bound_value(ex, node.sql, context, "sql"))
    if text is None:
        raise Refused("dynamic SQL whose text depends on data or parameters", "dynamic SQL", line)
    inner: dict[str, Value] = {}
    if isinstance(node, nodes.ExecuteSql) and node.parameters is not None:
        declared = text_of(bound_value(ex, node.parameters, context, "parameters"))
        if declared is None:
            raise Refused("the parameters of sp_executesql are not constant", "dynamic SQL")
        inner = _parameters(ex, declared, node, state)
    try:
        return parse_script(text).statements, inner
    except TsqlError as error:
        raise Refused(f"dynamic SQL: {error.message}", "dynamic SQL", line) from None


# --- dynamic SQL ----------------------------------------------------------------------------------


def _execute_text(ex: Executor, sql: nodes.Expr, node: nodes.Node, state: State) -> None:
    tree = bound_value(ex, sql, ex.context(node, state), "sql")
    text = text_of(tree)
    if text is None:
        raise Refused("dynamic SQL whose text depends on data or parameters", "dynamic SQL")
    _run_text(ex, text, node, state, {})


def _execute_sql(ex: Executor, node: nodes.ExecuteSql, state: State) -> None:
    context = ex.context(node, state)
    text = text_of(bound_value(ex, node.sql, context, "sql"))
    if text is None:
        raise Refused("dynamic SQL whose text depends on data or parameters", "dynamic SQL")
    inner: dict[str, Value] = {}
    if node.parameters is not None:
        declared = text_of(bound_value(ex, node.parameters, context, "parameters"))
        if declared is None:
            raise Refused("the parameters of sp_executesql are not constant", "dynamic SQL")
        inner = _parameters(ex, declared, node, state)
    finished = _run_text(ex, text, node, state, inner)
    for argument, key in _outputs(node, list(inner)):
        known = state.variables.get(argument)
        value = finished[key]
        if known is not None:
            state.variables[argument] = (
                Value(known.type, unknown=value.unknown)
                if value.unknown is not None or value.expression is None
                else assigned(value.expression.copy(), known.type)
            )


def _parameters(
    ex: Executor, declared: str, node: nodes.ExecuteSql, state: State
) -> dict[str, Value]:
    try:
        head = parse_procedure(f"CREATE PROCEDURE dynamic {declared} AS SELECT 1")
    except TsqlError as error:
        raise Refused(f"the parameters of sp_executesql: {error.message}", "dynamic SQL") from None
    inner: dict[str, Value] = {}
    for position, parameter in enumerate(head.parameters):
        argument = next(
            (a for a in node.arguments if (a.name or "").lower() == parameter.name.lower()), None
        )
        if (
            argument is None
            and position < len(node.arguments)
            and (node.arguments[position].name is None)
        ):
            argument = node.arguments[position]
        if argument is None or argument.value is None:
            raise Refused(f"sp_executesql gives no value for {parameter.name}", "dynamic SQL")
        key = parameter.name.lower()
        value = bound_value(ex, argument.value, ex.context(node, state), key)
        inner[key] = assigned(value, type_of(ex, parameter.type))
    return inner


def _outputs(node: nodes.ExecuteSql, parameters: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The variables an sp_executesql fills, with the parameters they get their values from."""
    for position, argument in enumerate(node.arguments):
        if argument.is_output and argument.value is not None:
            name = (argument.name or parameters[position]).lower()
            yield argument.value.text.strip().lower(), name


def _run_text(
    ex: Executor, text: str, node: nodes.Node, state: State, variables: dict[str, Value]
) -> dict[str, Value]:
    """Run a batch: variables of the caller are not visible in it, its temp tables are.

    Gives the batch's variables as it left them.
    """
    if ex.depth >= MAX_DEPTH:
        raise Refused("dynamic SQL calls itself too deeply", "recursion")
    try:
        script = parse_script(text)
    except TsqlError as error:
        raise Refused(f"dynamic SQL: {error.message}", "dynamic SQL") from None
    outer, called_from, hidden = state.variables, ex.called_from, _table_variables(state)
    state.variables = variables
    ex.called_from = called_from or node.span.line
    ex.depth += 1
    try:
        done = ex.run(script.statements, state)
    finally:
        ex.depth -= 1
        ex.called_from = called_from
    finished = done.variables
    if done is not state:
        _adopt(state, done)
    state.tables.update(hidden)
    state.variables = outer
    return finished


# --- INSERT … EXEC --------------------------------------------------------------------------------


def insert_exec(ex: Executor, node: nodes.InsertExec, state: State) -> None:
    """INSERT of every row that a procedure of the project, or a constant text, returns."""
    call = node.execute
    if isinstance(call, nodes.Execute) and _source(ex, call) is None:
        raise Refused(f"INSERT … EXEC {call.procedure}: not in the project", "INSERT EXEC")
    if ex.results is not None:
        raise Refused("INSERT … EXEC inside INSERT … EXEC", "INSERT EXEC")
    ex.results = []
    try:
        execute(ex, call, state)
        results = ex.results
    finally:
        ex.results = None
    if any(found.poison is not None for found in results):
        raise Refused("the rows an EXEC returns are not known", "INSERT EXEC")
    insert_results(ex, node, [found.rows for found in results if found.rows], state)


def insert_results(
    ex: Executor, node: nodes.InsertExec, results: Sequence[Relation], state: State
) -> None:
    """Append result sets, one after the other, to a table."""
    from core.compiler.data import set_count, set_identity

    name = schema_name(node.target)
    key = ex.tables.key(name)
    context = ex.context(node, state)
    table = exp.to_table(str(name)) if not name.is_temporary else exp.Table()
    added: list[Relation] = []
    for rows in results:
        found = ex.tables.state_of(name, state, ex.line(node))
        if found.poison is not None:
            raise Refused(found.poison.reason, found.poison.construct, found.poison.line)
        query = trees.select([trees.column(column) for column in rows.names], rows.ref())
        target = Target(table, columns=node.columns)
        keep = key in state.identity_insert
        state.tables[key], new = ex.inserter.insert(
            found, target, query, context, keep_identity=keep
        )
        state.tables[key] = replace(state.tables[key], version=found.version + 1)
        set_identity(state, found.table, new)
        added.append(new)
    set_count(state, added, ex.line(node))
