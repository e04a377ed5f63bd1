"""The compiler's front door: a procedure's text and a target table give a dbt model or a reason."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sqlglot import exp

from core.compiler import jinja, trees
from core.compiler.closed_values import closed
from core.compiler.comments import Comments
from core.compiler.emit import Emitter
from core.compiler.executor import Executor
from core.compiler.fold import NotConstant, fold
from core.compiler.letters import AS_STORED, LOWER, UPPER, Known, Letters
from core.compiler.options import CompileOptions, ModelInput
from core.compiler.plan import planned
from core.compiler.registry import Relations
from core.compiler.result import Compiled, Refused, Unsupported
from core.compiler.routines import is_log_name
from core.compiler.session_options import date_first
from core.compiler.state import Lazy, State, TableState, Value
from core.compiler.translate import DuckDbTranslator
from core.compiler.variables_exec import type_of
from core.tsql import nodes
from core.tsql import types as t
from core.tsql.errors import TsqlError
from core.tsql.leaves import ParsedExpr
from core.tsql.parser import parse_procedure
from core.tsql.schema import ObjectName, Schema, TableKind


def compile_procedure(
    source: str, target: str, schema: Schema, options: CompileOptions | None = None
) -> Compiled | Unsupported:
    """The dbt model that leaves the same rows in `target` as the procedure, or why there is none.

    `target` is ``schema.table`` in any case. Deterministic: the same input gives the same bytes.
    """
    options = options or CompileOptions()
    try:
        procedure = parse_procedure(source)
    except TsqlError as error:
        return Unsupported(error.message, error.line, "syntax")
    try:
        return _compiled(source, procedure, target.lower(), schema, options)
    except Refused as refusal:
        return refusal.at(procedure.span.line)
    except RecursionError:
        return Unsupported("the procedure is nested too deeply", procedure.span.line, "nesting")


def _compiled(
    source: str,
    procedure: nodes.CreateProcedure,
    target: str,
    schema: Schema,
    options: CompileOptions,
) -> Compiled | Unsupported:
    name = ObjectName.parse(target)
    table = schema.table(name)
    types, variables, table_parameters = _parameters(procedure, schema)
    first_day = date_first(procedure.body)

    def execute(
        versions: Mapping[str, int] | None, letters: Known
    ) -> tuple[Executor, State, DuckDbTranslator]:
        translator = DuckDbTranslator(types, options, letters, first_day)
        executor = Executor(
            Relations(schema, translator),
            options,
            target,
            str(procedure.name),
            Comments.of(source),
            final_versions=versions,
            date_first=first_day,
        )
        values = _initial(procedure, types, executor, table_parameters)
        initial = started(values, procedure.name.name)
        return executor, executor.run(procedure.body, initial), translator

    executor, state, translator = execute(None, {})
    versions = None
    if any(
        found.written and key != target and isinstance(options.relation(key), ModelInput)
        for key, found in state.tables.items()
    ):
        versions = {key: found.version for key, found in state.tables.items()}
    letters = _letters(state, translator)
    if versions is not None or letters:
        executor, state, translator = execute(versions, letters)
    if state.poison is not None:
        return state.poison
    final = state.tables.get(target)
    if final is None or not final.written:
        return Unsupported(
            f"the procedure does not write {target}", procedure.span.line, "no write to the target"
        )
    if final.poison is not None:
        return final.poison
    if table is not None and table.kind is TableKind.VIEW:
        return Unsupported(f"{target} is a view", procedure.span.line, "view as target")
    plan = planned(final, target, options)
    for relation in plan.rows:
        executor.tables.check_available(relation)
    emitter = Emitter(options, variables, _closed_values(source, executor))
    emitted = emitter.emit(plan, final.table, tuple(translator.used))
    return Compiled(
        sql=emitted.sql,
        materialization=plan.materialization,
        strategy=plan.strategy,
        unique_key=plan.unique_key,
        notes=tuple(
            dict.fromkeys(
                (
                    *plan.notes,
                    *executor.notes,
                    *_loaded_by(emitted.sql),
                    *_kept_up(state, emitted.inputs, options),
                )
            )
        ),
        assumptions=tuple(dict.fromkeys((*executor.assumptions, *plan.assumptions))),
        dropped=tuple(executor.dropped),
        cte_map=emitted.cte_map,
        other_targets=_others(state, target),
        inputs=emitted.inputs,
        variables=emitted.variables,
        required_variables=emitted.required,
    )


def _letters(state: State, translator: DuckDbTranslator) -> Known:
    """How the procedure itself writes texts into permanent tables, where not as it reads them.

    What an earlier run left is read by the next one, so this is known only after a first look.
    """
    found: dict[str, dict[str, Letters]] = {}
    seen = frozenset().union(*(x for each in translator.letters.values() for x in each.values()))
    if not seen & {UPPER, LOWER}:
        return found  # literals alone are written like the data
    for key, table in state.tables.items():
        if table.table.name.is_temporary:
            continue
        columns: dict[str, Letters] = {}
        for group in table.groups:
            for column, letters in translator.letters.get(group.relation.id, {}).items():
                if letters - {AS_STORED}:
                    columns[column] = columns.get(column, frozenset({AS_STORED})) | letters
        if columns:
            found[key] = columns
    return found


def started(variables: dict[str, Value], procedure: str = "") -> State:
    """The state before the first statement. The path without errors has ``@@ERROR = 0``."""
    zero = Value(t.INT, exp.Literal.number(0))
    none = Value(t.parse_type("numeric(38, 0)"), exp.Null())
    lazies: dict[str, Lazy] = {
        "@@error": lambda: zero,
        "@@trancount": lambda: zero,
        "xact_state()": lambda: zero,
        "scope_identity()": lambda: none,
    }
    return State(variables=variables, lazies=lazies, procedure=procedure)


def _parameters(
    procedure: nodes.CreateProcedure, schema: Schema
) -> tuple[dict[str, t.SqlType], dict[str, jinja.Variable], list[str]]:
    """Types by name, vars by name, and the parameters that are tables."""
    types: dict[str, t.SqlType] = {}
    variables: dict[str, jinja.Variable] = {}
    tables: list[str] = []
    for parameter in procedure.parameters:
        key = parameter.name.lower()
        if parameter.is_readonly:
            tables.append(key)
            continue
        try:
            type_ = t.parse_type(parameter.type.text, aliases=schema.alias_types)
        except t.UnknownTypeError as error:
            if parameter.type.schema:
                tables.append(key)
                continue
            raise Refused(error.reason, "unknown type", parameter.span.line) from None
        types[key] = type_
        default = parameter.default
        variables[key] = jinja.Variable(
            jinja.variable_name(procedure.name.name, parameter.name),
            type_,
            _default(default) if default is not None else None,
            default is None and not parameter.is_output,
        )
    return types, variables, tables


def _default(default: nodes.Expr) -> str | None:
    parsed = default.parsed
    if not isinstance(parsed, ParsedExpr):
        raise Refused("the default of a parameter is not understood", "parameter default")
    try:
        value = fold(parsed.tree)
    except NotConstant:
        text = default.text.strip()
        if text.isidentifier():
            return text  # a bare word is a string: @mode varchar(10) = FULL
        raise Refused(f"the default {text} is not a constant", "parameter default") from None
    return None if value is None else str(value)


def _initial(
    procedure: nodes.CreateProcedure,
    types: Mapping[str, t.SqlType],
    executor: Executor,
    tables: list[str],
) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for parameter in procedure.parameters:
        key = parameter.name.lower()
        if key in tables:
            continue
        node = exp.Parameter(this=exp.Var(this=parameter.name.lstrip("@")))
        found[key] = Value(type_of(executor, parameter.type), node)
    return found


def _kept_up(state: State, inputs: tuple[str, ...], options: CompileOptions) -> list[str]:
    """A note for each table the model reads that the procedure itself keeps up to date."""
    return [
        f"the procedure reads {key} and writes it too (a control table?): the model only reads it, "
        "so something else has to keep it up to date"
        for key in inputs
        if (found := state.tables.get(key)) is not None
        and found.written
        and not isinstance(options.relation(key), ModelInput)
    ]


def _closed_values(source: str, executor: Executor) -> list[tuple[str, exp.Expr]]:
    """What local variables held, translated, where no table is read for it."""
    found: list[tuple[str, exp.Expr]] = []
    for (name, _), value in executor.binder.read_variables.items():
        tree = value.expression
        if tree is None or not closed(tree):
            continue
        query = exp.Select(expressions=[trees.alias(tree.copy(), "value")])
        try:
            translated = executor.relations.translated(query)
        except Refused:
            continue
        spelled = re.search(rf"{re.escape(name)}\b", source, re.IGNORECASE)
        shown = spelled.group() if spelled is not None else name
        found.append((shown[1:], translated.expressions[0].unalias()))
    return found


def _loaded_by(sql: str) -> list[str]:
    if jinja.LOADED_BY not in sql:
        return []
    return ["the login that SUSER_SNAME() gave is now the var loaded_by, 'dbo' unless it is set"]


def _others(state: State, target: str) -> tuple[str, ...]:
    """The other permanent tables the procedure writes, logs left out."""
    return tuple(
        sorted(
            key for key, found in state.tables.items() if _is_other(key, found) and key != target
        )
    )


def _is_other(key: str, found: TableState) -> bool:
    return found.written and not key.startswith(("#", "@")) and not is_log_name(key)
