"""EXEC: procedures of the database, text built at run time, the few system procedures that matter.

Also what CREATE PROCEDURE, FUNCTION, VIEW and TYPE do to the session.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.interpreter.definitions import from_body, schema_name, type_of_name
from core.interpreter.errors import Refused, SqlError
from core.interpreter.naming import quoted
from core.interpreter.state import Frame, Sink, Variable
from core.tsql import nodes as n
from core.tsql import types as t
from core.tsql.errors import TsqlError
from core.tsql.nodes import CreateProcedure, DefinitionVerb, Statement
from core.tsql.parser import parse_script
from core.tsql.schema import ObjectName, TableKind
from core.tsql.types import TypeName

if TYPE_CHECKING:
    from core.interpreter.machine import Machine
    from core.interpreter.session import Session

_MAX_NESTING = 32
_OUTSIDE = ("xp_", "sp_oa", "sp_send_dbmail", "sp_configure", "sp_addlinkedserver", "sp_start_job")
_HARMLESS = (
    "sp_updatestats",
    "sp_recompile",
    "sp_refreshview",
    "sp_getapplock",
    "sp_releaseapplock",
    "sp_addextendedproperty",
    "sp_updateextendedproperty",
)


def type_key(name: n.TypeName) -> tuple[str, str]:
    return ((name.schema or "dbo").lower(), name.name.lower())


# --- definitions --------------------------------------------------------------------------------


def define(session: Session, node: Statement) -> None:
    """CREATE or ALTER of a module: it exists from now on."""
    match node:
        case n.CreateProcedure():
            _put(session.procedures, schema_name(node.name).key, node, node.verb, node.name.name)
        case n.CreateFunction():
            _function(session, node)
        case n.CreateView():
            _view(session, node)
        case n.CreateType():
            _type(session, node)
        case _:
            raise Refused(type(node).__name__, "triggers are not supported", node.span.line)


def _put(
    objects: dict[tuple[str, str], object] | dict[tuple[str, str], CreateProcedure],
    key: tuple[str, str],
    node: Statement,
    verb: DefinitionVerb,
    name: str,
) -> None:
    if verb is DefinitionVerb.CREATE and key in objects:
        raise SqlError(2714, f"There is already an object named '{name}' in the database.")
    if verb is DefinitionVerb.ALTER and key not in objects:
        raise SqlError(208, f"Invalid object name '{name}'.")
    objects[key] = node  # type: ignore[assignment]


def _function(session: Session, node: n.CreateFunction) -> None:
    from core.warehouse_routines import with_routines

    key = schema_name(node.name).key
    _put(session.functions, key, node, node.verb, node.name.name)  # type: ignore[arg-type]
    schema, failures = with_routines(session.schema, {".".join(key): node})
    for reason in failures.values():
        raise SqlError(102, reason, line=node.span.line)
    session.store.schema = schema


def _view(session: Session, node: n.CreateView) -> None:
    from core.warehouse_routines import with_routines

    key = schema_name(node.name).key
    _put(session.views, key, node, node.verb, node.name.name)  # type: ignore[arg-type]
    schema, failures = with_routines(session.schema, {".".join(key): node})
    for reason in failures.values():
        session.views.pop(key, None)
        raise SqlError(102, reason, line=node.span.line)
    session.store.schema = schema


def _type(session: Session, node: n.CreateType) -> None:
    key = schema_name(node.name).key
    if node.table is not None:
        session.table_types[key] = node.table
    elif node.base is not None:
        from dataclasses import replace

        base = type_of_name(node.base, session.schema.alias_types, node.span.line)
        aliases = {**session.schema.alias_types, key[1]: base, ".".join(key): base}
        session.store.schema = replace(session.schema, alias_types=aliases)


# --- EXEC ---------------------------------------------------------------------------------------


def call(machine: Machine, node: n.Execute | n.ExecuteString | n.ExecuteSql) -> None:
    """Run an EXEC; @@ROWCOUNT stays what the last statement inside left."""
    match node:
        case n.ExecuteString():
            if node.at_server:
                raise Refused("EXEC AT", "linked servers are not supported", node.span.line)
            _dynamic(machine, _text(machine.session, node.sql), node, {}, [])
        case n.ExecuteSql():
            _execute_sql(machine, node)
        case n.Execute():
            _procedure(machine, node)


def _text(session: Session, expr: n.Expr) -> str | None:
    value = session.scalar(session.translator.value(expr, t.nvarchar(t.MAX)))
    return None if value is None else str(value)


def _procedure(machine: Machine, node: n.Execute) -> None:
    session = machine.session
    name = _called_name(session, node)
    plain = name.name.lower()
    if name.server or session.schema.is_foreign(name):
        raise Refused(
            "linked server" if name.server else "another database",
            f"{name} is not in this database",
            node.span.line,
        )
    if plain == "sp_executesql":
        raise Refused("sp_executesql", "this call cannot be read", node.span.line)
    if plain.startswith(_OUTSIDE):
        raise Refused(plain, "the reference reaches nothing outside of itself", node.span.line)
    procedure = session.procedures.get(name.key)
    if procedure is None and not name.schema:
        procedure = session.procedures.get((session.schema.default_schema.lower(), plain))
    if procedure is None and not name.schema and session.frame.name:
        own = session.frame.name.rpartition(".")[0].lower()
        procedure = session.procedures.get((own, plain))
    if procedure is None:
        if plain in _HARMLESS:
            return
        if plain.startswith("sp_") and name.schema in (None, "sys"):
            _system_procedure(session, plain, node)
            return
        raise SqlError(2812, f"Could not find stored procedure '{name}'.", severity=16, state=62)
    values = _bound_arguments(session, procedure, node.arguments)
    code = invoke(machine, procedure, values, node.arguments)
    if node.return_variable:
        session.variable(node.return_variable).value = code


def _called_name(session: Session, node: n.Execute) -> ObjectName:
    if node.procedure is not None:
        return schema_name(node.procedure)
    value = session.variable(node.procedure_variable or "").value
    try:
        return ObjectName.parse(str(value))
    except ValueError:
        raise SqlError(2812, f"Could not find stored procedure '{value}'.") from None


def _system_procedure(session: Session, name: str, node: n.Execute) -> None:
    if name == "sp_rename":
        raise Refused("sp_rename", "sp_rename is not supported", node.span.line)
    if name == "sp_sequence_get_range":
        _sequence_range(session, node)
        return
    if name == "sp_set_session_context":
        values = [
            session.scalar(session.translator.value(a.value, None))
            for a in node.arguments
            if a.value is not None
        ]
        if len(values) >= 2:
            session.context_info[str(values[0]).lower()] = values[1]
        return
    raise Refused(name, f"the system procedure {name} is not supported", node.span.line)


_RANGE_PARAMETERS = (
    "@sequence_name",
    "@range_size",
    "@range_first_value",
    "@range_last_value",
    "@range_cycle_count",
    "@sequence_increment",
    "@sequence_min_value",
    "@sequence_max_value",
)


def _sequence_range(session: Session, node: n.Execute) -> None:
    """sp_sequence_get_range: a run of values at once; its ends go to OUTPUT arguments."""
    given = {
        (a.name or _RANGE_PARAMETERS[position]).lower(): a
        for position, a in enumerate(node.arguments)
    }
    values = {
        key: session.scalar(session.translator.value(a.value, None))
        for key, a in given.items()
        if a.value is not None and not a.is_output
    }
    name = ObjectName.parse(str(values["@sequence_name"]))
    sequence = session.sequence(name)
    if sequence is None:
        raise SqlError(208, f"Invalid object name '{name}'.")
    size = int(str(values["@range_size"]))
    results: dict[str, object] = {
        "@range_first_value": sequence.value(sequence.taken),
        "@range_last_value": sequence.value(sequence.taken + size - 1),
        "@range_cycle_count": 0,
        "@sequence_increment": sequence.step,
        "@sequence_min_value": sequence.low,
        "@sequence_max_value": sequence.high,
    }
    sequence.taken += size
    for key, argument in given.items():
        if argument.is_output and argument.value is not None and key in results:
            target = session.variable(argument.value.text.strip())
            if target.type.name is TypeName.SQL_VARIANT:  # the page's own type for it
                target.value = str(results[key])
                continue
            target.value = _as_type(session, Variable(t.BIGINT, results[key]), target)


class Missing:
    """An argument that was not passed: the parameter's default applies."""


MISSING = Missing()


def _bound_arguments(
    session: Session, procedure: CreateProcedure, arguments: Sequence[n.Argument]
) -> dict[str, object]:
    """Values by parameter name; errors 8144, 8145, 8143."""
    parameters = procedure.parameters
    names = {p.name.lower(): p for p in parameters}
    values: dict[str, object] = {}
    _check_arguments(procedure, arguments)
    for position, argument in enumerate(arguments):
        if argument.name is not None:
            key = argument.name.lower()
            if key not in names:
                raise SqlError(
                    8145,
                    f"{argument.name} is not a parameter for procedure {procedure.name.name}.",
                )
            if key in values:
                raise SqlError(8143, f"Parameter '{argument.name}' was supplied multiple times.")
        elif position >= len(parameters):
            raise SqlError(
                8144,
                f"Procedure or function {procedure.name.name} has too many arguments specified.",
            )
        else:
            key = parameters[position].name.lower()
        parameter = names[key]
        if argument.value is None:
            continue
        if parameter.type.name == "cursor":
            raise Refused("CURSOR parameter", "cursor parameters are not supported", 0)
        if session.table_types.get(type_key(parameter.type)) is not None:
            values[key] = argument.value.text.strip().lower()
            continue
        type_ = type_of_name(parameter.type, session.schema.alias_types, procedure.span.line)
        values[key] = _argument(session, argument.value, type_)
    return values


def _check_arguments(procedure: CreateProcedure, arguments: Sequence[n.Argument]) -> None:
    """Errors 8146 and 119 (``language-elements/execute-transact-sql``)."""
    if arguments and not procedure.parameters:
        raise SqlError(
            8146,
            f"Procedure {procedure.name.name} has no parameters and arguments were supplied.",
        )
    named = False
    for position, argument in enumerate(arguments, 1):
        if named and argument.name is None:
            raise SqlError(
                119,
                f"Must pass parameter number {position} and subsequent parameters as "
                "'@name = value'. After the form '@name = value' has been used, all subsequent "
                "parameters must be passed in the form '@name = value'.",
                severity=15,
            )
        named = argument.name is not None


def _argument(session: Session, value: n.Expr, type_: t.SqlType) -> object:
    """A constant or variable passed to a parameter: what cannot be converted is error 8114."""
    try:
        return session.scalar(session.translator.value(value, type_))
    except SqlError as error:
        if error.number not in (241, 242, 244, 245, 248, 8169):
            raise
        source = session.frame.types.get(value.text.strip().lower())
        unicode = value.text.lstrip()[:1].lower() == "n"
        kind = source.name if source is not None else "nvarchar" if unicode else "varchar"
        raise SqlError(8114, f"Error converting data type {kind} to {type_.name}.") from error


def invoke(
    machine: Machine,
    procedure: CreateProcedure,
    values: dict[str, object],
    arguments: Sequence[n.Argument] = (),
) -> int:
    """Run a procedure in a frame of its own; its return code. OUTPUT arguments are written back."""
    session = machine.session
    if len(session.frames) > _MAX_NESTING:
        raise SqlError(
            217,
            "Maximum stored procedure, function, trigger, or view nesting level exceeded "
            f"(limit {_MAX_NESTING}).",
        )
    caller = session.frame
    frame = _frame(session, procedure, values)
    before = session.trancount
    options = (session.xact_abort, session.nocount, session.date_first, session.identity_insert)
    code = run_frame(machine, frame, procedure.body)
    # SET options made inside a procedure end with it.
    session.xact_abort, session.nocount, session.date_first, session.identity_insert = options
    _write_back(session, procedure, frame, caller, arguments)
    if session.trancount != before:
        error = SqlError(
            266,
            "Transaction count after EXECUTE indicates a mismatching number of BEGIN and COMMIT "
            f"statements. Previous count = {before}, current count = {session.trancount}.",
            state=2,
        )
        error.procedure = frame.name
        if session.try_depth and not session.xact_abort:
            raise error
        session.sink.errors.append(error)
    return code


def _frame(session: Session, procedure: CreateProcedure, values: dict[str, object]) -> Frame:
    session.frame_numbers += 1
    schema = procedure.name.schema or session.schema.default_schema
    frame = Frame(f"{schema}.{procedure.name.name}", session.frame_numbers)
    frame.trancount = session.trancount
    frame.lines_before = procedure.lines_before
    for parameter in procedure.parameters:
        name = parameter.name.lower()
        body = session.table_types.get(type_key(parameter.type))
        if body is not None:
            _table_parameter(session, frame, parameter, body, values.get(name))
            continue
        if parameter.type.name == "cursor":
            raise Refused(
                "CURSOR parameter", "cursor parameters are not supported", parameter.span.line
            )
        type_ = type_of_name(parameter.type, session.schema.alias_types, parameter.span.line)
        value = values.get(name, MISSING)
        if value is MISSING:
            value = _default(session, procedure, parameter, type_)
        frame.variables[name] = Variable(type_, value)
    return frame


def _default(
    session: Session, procedure: CreateProcedure, parameter: n.Parameter, type_: t.SqlType
) -> object:
    if parameter.default is None:
        if parameter.is_output:
            return None
        raise SqlError(
            201,
            f"Procedure or function '{procedure.name.name}' expects parameter "
            f"'{parameter.name}', which was not supplied.",
        )
    return session.scalar(session.translator.value(parameter.default, type_))


def _table_parameter(
    session: Session, frame: Frame, parameter: n.Parameter, body: n.TableBody, source: object
) -> None:
    """A table-valued parameter is a read-only copy of the caller's table variable."""
    name = ObjectName(parameter.name)
    definition = from_body(name, body, session.schema.alias_types, TableKind.VARIABLE)
    given = session.store.find(ObjectName(str(source))) if source else None
    known = session.store.find(name)
    if known is not None:
        frame.hidden.append(known)
    stored = session.store.create(definition, frame.number)
    frame.created.append(stored)
    if given is not None:
        session.engine.query(
            f"INSERT INTO {quoted(stored.physical.name)} FROM {quoted(given.physical.name)}"
        )


def run_frame(machine: Machine, frame: Frame, body: Sequence[Statement]) -> int:
    """Run statements in a frame and clean up its temp tables; the return code."""
    from core.interpreter.machine import ReturnFrom

    session = machine.session
    _hide_table_variables(session, frame)
    session.frames.append(frame)
    try:
        machine.execute(body)
    except ReturnFrom as found:
        return int(found.value) if isinstance(found.value, int) else 0
    finally:
        leave(session, frame)
    return 0


def _hide_table_variables(session: Session, frame: Frame) -> None:
    """Table variables of the caller are not seen inside."""
    for key, stored in list(session.store.stored.items()):
        if stored.table.name.name.startswith("@") and stored.owner != frame.number:
            del session.store.stored[key]
            session.store.schema = session.schema.without_table(stored.table.name)
            frame.hidden.append(stored)


def leave(session: Session, frame: Frame) -> None:
    """A scope ends: its temp tables go, the ones they hid come back."""
    for stored in reversed(frame.created):
        if session.store.stored.get(session.store._key(stored.table.name)) is stored:
            session.store.drop(stored)
    for stored in frame.hidden:
        session.store.restore_visible(stored)
    frame.created.clear()
    frame.hidden.clear()
    if session.frames and session.frames[-1] is frame:
        session.frames.pop()


def _write_back(
    session: Session,
    procedure: CreateProcedure,
    frame: Frame,
    caller: Frame,
    arguments: Sequence[n.Argument],
) -> None:
    for position, argument in enumerate(arguments):
        if not argument.is_output or argument.value is None:
            continue
        name = argument.name or (
            procedure.parameters[position].name if position < len(procedure.parameters) else ""
        )
        target = caller.variables.get(argument.value.text.strip().lower())
        source = frame.variables.get(name.lower())
        if target is not None and source is not None:
            target.value = _as_type(session, source, target)


def _as_type(session: Session, source: Variable, target: Variable) -> object:
    from core.interpreter.casts import convert
    from core.tsql.types import duckdb_storage

    if source.value is None or source.type == target.type:
        return source.value
    sql = convert(f"CAST($x AS {duckdb_storage(source.type)})", source.type, target.type)
    if "$x" not in sql:
        return source.value
    return session.engine.query(f"SELECT {sql}", {"x": source.value})[0][0]


# --- dynamic SQL --------------------------------------------------------------------------------

_PARSED: dict[str, n.Script] = {}


def parsed_text(text: str, line: int) -> n.Script:
    """A text as a script, remembered: loops build the same texts over and over."""
    found = _PARSED.get(text)
    if found is None:
        try:
            found = parse_script(text)
        except TsqlError as error:
            raise SqlError(102, error.message, line=line) from error
        if len(_PARSED) > 2000:
            _PARSED.clear()
        _PARSED[text] = found
    return found


def _dynamic(
    machine: Machine,
    text: str | None,
    node: Statement,
    variables: dict[str, Variable],
    arguments: Sequence[tuple[str, str]],
) -> int:
    """Run a text as a batch of its own: own variables, the caller's temp tables."""
    session = machine.session
    if text is None or not text.strip():
        return 0
    if len(session.frames) > _MAX_NESTING:
        raise SqlError(217, "Maximum nesting level exceeded (limit 32).")
    script = parsed_text(text, node.span.line)
    for statement in script.statements:
        if isinstance(statement, n.Unparsed):
            raise SqlError(102, f"Incorrect syntax: {statement.reason}.", severity=15)
    caller = session.frame
    session.frame_numbers += 1
    frame = Frame(None, session.frame_numbers, variables)
    frame.scope_identity = None
    options = (session.xact_abort, session.nocount, session.date_first, session.identity_insert)
    code = run_frame(machine, frame, script.statements)
    session.xact_abort, session.nocount, session.date_first, session.identity_insert = options
    for inner, outer in arguments:
        source, target = frame.variables.get(inner), caller.variables.get(outer)
        if source is not None and target is not None:
            target.value = _as_type(session, source, target)
    return code


def _require_unicode(session: Session, expr: n.Expr, parameter: str) -> None:
    """Error 214: sp_executesql takes nvarchar, and varchar is not converted to it."""
    written = expr.text.strip()
    variable = session.frame.variables.get(written.lower())
    kind = variable.type.name if variable is not None else None
    if written.startswith("'") or kind in (TypeName.VARCHAR, TypeName.CHAR):
        raise SqlError(
            214, f"Procedure expects parameter '{parameter}' of type 'ntext/nchar/nvarchar'."
        )


def _execute_sql(machine: Machine, node: n.ExecuteSql) -> None:
    """sp_executesql: the declared parameters are variables of the text."""
    session = machine.session
    _require_unicode(session, node.sql, "@statement")
    if node.parameters is not None:
        _require_unicode(session, node.parameters, "@params")
    text = _text(session, node.sql)
    declared = _text(session, node.parameters) if node.parameters is not None else None
    parameters = _declared(declared, node.span.line) if declared and declared.strip() else ()
    names = {p.name.lower(): p for p in parameters}
    variables: dict[str, Variable] = {}
    outputs: list[tuple[str, str]] = []
    for position, argument in enumerate(node.arguments):
        if argument.name is not None:
            key = argument.name.lower()
        elif position < len(parameters):
            key = parameters[position].name.lower()
        else:
            raise SqlError(8144, "Procedure or function has too many arguments specified.")
        parameter = names.get(key)
        if parameter is None:
            raise SqlError(8145, f"{argument.name} is not a parameter for procedure .")
        type_ = type_of_name(parameter.type, session.schema.alias_types, node.span.line)
        value: object = None
        if argument.value is not None:
            value = session.scalar(session.translator.value(argument.value, type_))
            if argument.is_output and parameter.is_output:
                outputs.append((key, argument.value.text.strip().lower()))
        variables[key] = Variable(type_, value)
    for parameter in parameters:
        key = parameter.name.lower()
        if key in variables:
            continue
        if parameter.default is None:
            raise SqlError(
                8178,
                f"The parameterized query expects the parameter '{parameter.name}', which was not "
                "supplied.",
            )
        type_ = type_of_name(parameter.type, session.schema.alias_types, node.span.line)
        value = session.scalar(session.translator.value(parameter.default, type_))
        variables[key] = Variable(type_, value)
    code = _dynamic(machine, text, node, variables, outputs)
    if node.return_variable:
        session.variable(node.return_variable).value = code


def _declared(text: str, line: int) -> tuple[n.Parameter, ...]:
    """``@a int, @b nvarchar(10) OUTPUT`` read as the head of a procedure."""
    script = parsed_text(f"CREATE PROCEDURE p {text} AS RETURN", line)
    for statement in script.statements:
        if isinstance(statement, n.CreateProcedure):
            return statement.parameters
    raise SqlError(102, "Incorrect syntax in the parameter list of sp_executesql.", line=line)


# --- INSERT … EXEC ------------------------------------------------------------------------------


def insert_exec(machine: Machine, node: n.InsertExec) -> None:
    """Every result set of the call becomes rows of the target."""
    from core.interpreter.inserts import insert_rows

    session = machine.session
    outer, inner = session.sink, Sink()
    session.sink = inner
    try:
        call(machine, node.execute)
    finally:
        session.sink = outer
        outer.messages.extend(inner.messages)
        outer.errors.extend(inner.errors)
    stored = session.stored(schema_name(node.target), node.span.line)
    session.rowcount = sum(
        insert_rows(session, stored, node.columns, result.columns, result.rows)
        for result in inner.result_sets
    )


# --- DBCC ---------------------------------------------------------------------------------------

_RESEED = re.compile(
    r"CHECKIDENT\s*\(\s*(?P<table>N?'[^']+'|\"[^\"]+\"|[\w.\[\]#]+)\s*"
    r"(?:,\s*(?P<verb>RESEED|NORESEED)\s*(?:,\s*(?P<value>-?\w+|@\w+))?)?\s*\)",
    re.IGNORECASE,
)


def dbcc(session: Session, node: n.SideStatement) -> None:
    """DBCC CHECKIDENT changes the next identity value; other DBCC commands change nothing."""
    match = _RESEED.search(node.text)
    if match is None:
        if "CHECKIDENT" in node.text.upper():
            raise Refused("DBCC CHECKIDENT", "this form is not supported", node.span.line)
        return
    name = ObjectName.parse(match["table"].lstrip("Nn").strip("'\""))
    stored = session.stored(name, node.span.line)
    if stored.identity is None:
        raise SqlError(7997, f"'{stored.shown}' does not contain an identity column.")
    if (match["verb"] or "").upper() != "RESEED" or match["value"] is None:
        return
    text = match["value"]
    value = session.variable(text).value if text.startswith("@") else int(text)
    number = int(str(value))
    rows = session.engine.query(f"SELECT count(*) FROM {quoted(stored.physical.name)}")[0][0]
    used = rows or stored.identity.current is not None
    # A table that never had rows starts with the value itself.
    step = stored.identity.definition.increment
    stored.identity.current = number if used else number - step
