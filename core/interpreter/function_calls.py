"""Functions with a body of statements: run by the machine, for queries that call them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from core.interpreter.definitions import from_body, schema_name, type_of_name
from core.interpreter.errors import Refused, SqlError
from core.interpreter.naming import quoted
from core.interpreter.routines import MaterializedCall
from core.interpreter.state import Frame, Variable
from core.interpreter.translate import Translation
from core.tsql.nodes import CreateFunction, Statement
from core.tsql.schema import ObjectName, TableKind
from core.tsql.types import duckdb_storage

if TYPE_CHECKING:
    from core.interpreter.session import Session
    from core.interpreter.tables import StoredTable

_MAX_NESTING = 32


def scalar_result(session: Session, key: str) -> object:
    """The result of a call described by the text a query asked with."""
    name, *texts = key.split(chr(1))
    schema, _, last = name.partition(".")
    definition = session.functions.get((schema, last))
    if definition is None:
        raise Refused("function", f"the function {name} is not known")
    frame = _frame(session, definition)
    _arguments(session, definition, frame, texts)
    if definition.table is not None:
        return _rows_as_text(session, definition, frame)
    if definition.returns is None:
        raise Refused("function", f"the function {name} is not known")
    returns = type_of_name(definition.returns, session.schema.alias_types, definition.span.line)
    frame.variables["@@return"] = Variable(returns)
    found = _run(session, frame, definition.body)
    if found is None:
        return None
    text_of = session.engine.query(
        f"SELECT CAST(CAST($x AS {duckdb_storage(returns)}) AS VARCHAR)", {"x": found}
    )
    return text_of[0][0]


def _arguments(
    session: Session, definition: CreateFunction, frame: Frame, texts: Sequence[str]
) -> None:
    """The parameters of a call as variables of its frame."""
    for parameter, text in zip(definition.parameters, texts, strict=True):
        type_ = type_of_name(parameter.type, session.schema.alias_types, parameter.span.line)
        if text == chr(3):
            value = None
            if parameter.default is not None:
                value = session.scalar(session.translator.value(parameter.default, type_))
        elif text == chr(2):
            value = None
        else:
            rows = session.engine.query(f"SELECT CAST($x AS {duckdb_storage(type_)})", {"x": text})
            value = rows[0][0]
        frame.variables[parameter.name.lower()] = Variable(type_, value)


def _rows_as_text(session: Session, definition: CreateFunction, frame: Frame) -> str:
    """The rows of a multi-statement table function as a JSON array of arrays of texts."""
    found: list[list[str | None]] = []

    def read(stored: StoredTable) -> None:
        cells = ", ".join(f"CAST({quoted(c.name)} AS VARCHAR)" for c in stored.columns)
        sql = f"SELECT {cells} FROM {quoted(stored.physical.name)} ORDER BY rowid"
        found.extend(list(row) for row in session.engine.query(sql))

    _run_into_table(session, definition, frame, read)
    return json.dumps(found)


def _run_into_table(
    session: Session,
    definition: CreateFunction,
    frame: Frame,
    read: Callable[[StoredTable], None],
) -> None:
    """Run a multi-statement table function; `read` sees the table it returns."""
    assert definition.table is not None
    name = ObjectName(definition.table_variable or "")
    known = session.store.find(name)
    if known is not None:
        frame.hidden.append(known)
    stored = session.store.create(
        from_body(name, definition.table, session.schema.alias_types, TableKind.VARIABLE),
        frame.number,
    )
    frame.created.append(stored)
    _run(session, frame, definition.body, finish=lambda: read(stored))


def materialize(session: Session, translation: Translation, call: MaterializedCall) -> None:
    """Run a multi-statement table function and keep its rows where the query reads them."""
    definition = session.functions.get(call.function.name.key)
    if definition is None or definition.table is None or definition.table_variable is None:
        raise Refused("function", f"the function {call.function.name} cannot be run")
    values: Sequence[object] = ()
    if call.arguments:
        sql = f"SELECT {', '.join(call.arguments)}"
        parameters = {
            name: session.resolve(source)
            for name, source in translation.parameters.items()
            if f"${name}" in sql
        }
        values = session.engine.query(sql, parameters)[0]
    frame = _frame(session, definition)
    for parameter, value in zip(call.function.parameters, values, strict=True):
        frame.variables[parameter.name.lower()] = Variable(parameter.type, value)
    target = quoted(call.table)

    def read(stored: StoredTable) -> None:
        physical = quoted(stored.physical.name)
        session.engine.query(
            f"CREATE OR REPLACE TEMP TABLE {target} AS FROM {physical} ORDER BY rowid"
        )

    _run_into_table(session, definition, frame, read)


def _frame(session: Session, definition: CreateFunction) -> Frame:
    if len(session.frames) > _MAX_NESTING:
        raise SqlError(
            217,
            "Maximum stored procedure, function, trigger, or view nesting level exceeded "
            f"(limit {_MAX_NESTING}).",
        )
    session.frame_numbers += 1
    key = schema_name(definition.name).key
    return Frame(
        f"{key[0]}.{definition.name.name}",
        session.frame_numbers,
        is_function=True,
        lines_before=definition.lines_before,
    )


def _run(
    session: Session, frame: Frame, body: Sequence[Statement], finish: object = None
) -> object:
    """The value of RETURN; the state a function may not change is put back."""
    from core.interpreter.calls import leave
    from core.interpreter.machine import Machine, ReturnFrom

    kept = (session.rowcount, session.error_number, session.identity, session.try_depth)
    session.try_depth += 1
    session.frames.append(frame)
    try:
        Machine(session).execute(body)
        found: object = None
    except ReturnFrom as returned:
        found = returned.value
    finally:
        if callable(finish):
            finish()
        leave(session, frame)
        session.rowcount, session.error_number, session.identity, session.try_depth = kept
    return found
