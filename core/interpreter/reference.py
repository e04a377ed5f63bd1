"""`Reference`: a database that behaves like the source's, to run the original procedures on."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable, Mapping
from dataclasses import replace

from core.interpreter import calls, ddl
from core.interpreter.context import Profile
from core.interpreter.coverage import Coverage
from core.interpreter.definitions import (
    Constraints,
    Definition,
    Identity,
    from_table,
    schema_name,
)
from core.interpreter.engine import Engine, Limits
from core.interpreter.errors import NotExecutable, Refused, SqlError, unforeseen
from core.interpreter.machine import BreakLoop, ContinueLoop, Jump, Machine, ReturnFrom
from core.interpreter.results import BatchResult, ErrorInfo, RunResult, TableRows
from core.interpreter.scan import scan
from core.interpreter.session import Session
from core.interpreter.state import Sink
from core.interpreter.trace import Step
from core.interpreter.values import coerced
from core.tsql import nodes as n
from core.tsql.errors import TsqlError
from core.tsql.nodes import CreateFunction, CreateProcedure, CreateType, CreateView
from core.tsql.parser import parse_script
from core.tsql.schema import ObjectName, Schema, Table, TableKind

Module = CreateProcedure | CreateFunction | CreateView | CreateType | n.OtherDefinition


class Reference:
    """A private in-memory database with SQL Server's behaviour.

    `schema` gives the tables (created empty), `modules` the procedures, functions, views and types
    as syntax trees or as T-SQL texts. Tables are filled by `load`, procedures run by
    `run_procedure`; `reset` empties what was touched, so that one Reference serves thousands of
    runs. With `full_coverage`, the outcomes of WHERE and HAVING conjuncts, CASE arms and joins are
    counted too (see `Coverage`), which costs a query each until they have been seen. Not
    thread-safe; close it when done.
    """

    def __init__(
        self,
        schema: Schema | None = None,
        modules: Iterable[Module | str] = (),
        profile: Profile | None = None,
        *,
        limits: Limits | None = None,
        full_coverage: bool = False,
        definitions: Iterable[Definition] = (),
        identities: Mapping[tuple[str, str], Identity] | None = None,
        constraints: Mapping[tuple[str, str], Constraints] | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.engine = Engine(self.limits)
        given = schema or Schema()
        base = Schema(
            database=given.database,
            default_schema=given.default_schema,
            functions=given.functions,
            alias_types=given.alias_types,
        )
        self.session = Session(self.engine, base, profile or Profile(), probing=full_coverage)
        self.machine = Machine(self.session)
        exact = {definition.table.name.key: definition for definition in definitions}
        for key, table in given.tables.items():
            if table.kind is TableKind.VIEW:
                self.session.store.schema = self.session.schema.with_table(table)
                continue
            identity = (identities or {}).get(key)
            rules = (constraints or {}).get(key)
            self._create(exact.pop(key) if key in exact else from_table(table, identity, rules))
        for definition in exact.values():
            self._create(definition)
        for module in modules:
            self.define(module)
        self._base = list(self.session.store.stored.values())
        self._modules = self._known_modules()
        self._names = frozenset(self.session.schema.tables)

    def _create(self, definition: Definition) -> None:
        if any(column.computed is not None for column in definition.table.columns):
            definition = self.session.typed(definition)
        self.session.store.create(definition)

    def _known_modules(self) -> tuple[dict[tuple[str, str], object], ...]:
        s = self.session
        found = (s.procedures, s.functions, s.views, s.table_types, s.sequences)
        return tuple(dict(objects) for objects in found)

    def _forget_modules(self) -> None:
        """Procedures, functions, views and types that a script defined go."""
        s = self.session
        for objects, base in zip(
            (s.procedures, s.functions, s.views, s.table_types, s.sequences),
            self._modules,
            strict=True,
        ):
            if objects != base:
                objects.clear()  # type: ignore[attr-defined]
                objects.update(base)  # type: ignore[attr-defined]
        if s.schema.functions.keys() != s.functions.keys():
            kept = {k: f for k, f in s.schema.functions.items() if k in s.functions}
            s.store.schema = replace(s.schema, functions=kept)
        known = {
            key
            for key in s.schema.tables
            if key in s.store.stored or key in s.views or key in self._names
        }
        if known != s.schema.tables.keys():
            tables = {k: t for k, t in s.schema.tables.items() if k in known}
            s.store.schema = replace(s.schema, tables=tables)

    def close(self) -> None:
        self.engine.close()

    def __enter__(self) -> Reference:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # --- the database -----------------------------------------------------------------------------

    def define(self, module: Module | str) -> None:
        """Add procedures, functions, views or types. Raises `SqlError` for what cannot be bound."""
        nodes = parse_script(module).statements if isinstance(module, str) else (module,)
        for node in nodes:
            if isinstance(node, CreateProcedure):
                self.session.procedures[schema_name(node.name).key] = node
            elif isinstance(node, CreateFunction):
                key = schema_name(node.name).key
                self.session.functions[key] = node
                if key not in self.session.schema.functions:
                    self.session.functions.pop(key)
                    calls.define(self.session, node)
            elif isinstance(node, CreateView):
                key = schema_name(node.name).key
                self.session.views[key] = node
                if self.session.schema.tables.get(key) is None:
                    self.session.views.pop(key)
                    calls.define(self.session, node)
            elif isinstance(node, CreateType):
                calls.define(self.session, node)
            elif isinstance(node, n.OtherDefinition) and node.kind.upper() == "CREATE SEQUENCE":
                ddl.create_sequence(self.session, node)

    def load(
        self,
        table: str,
        rows: Iterable[Mapping[str, object]],
        *,
        shuffle: int | None = None,
    ) -> int:
        """Add rows to a table; how many. Absent columns are NULL, an absent identity is numbered.

        `shuffle` is a seed: the rows are stored in a random order, to see what depends on it.
        Raises `SqlError` (208 for an unknown table, conversion errors).
        """
        listed = list(rows)
        if shuffle is not None:
            random.Random(shuffle).shuffle(listed)
        stored = self.session.stored(ObjectName.parse(table))
        return self.session.store.load(stored, listed)

    def table(self, name: str) -> TableRows:
        """The content of a table, computed columns included; error 208 when there is none."""
        stored = self.session.stored(ObjectName.parse(name))
        rows = tuple(self.session.store.rows(stored))
        columns = stored.columns
        return TableRows(stored.shown, columns, rows)

    def tables(self) -> tuple[Table, ...]:
        """The permanent tables there are."""
        return tuple(
            s.table
            for s in self.session.store.stored.values()
            if not s.table.name.is_temporary and s.table.name.key[0] not in _SYSTEM_SCHEMAS
        )

    def set_clock(self, moment: dt.datetime) -> None:
        """What GETDATE and its relatives answer from now on."""
        self.session.clock = moment

    def set_seed(self, seed: int) -> None:
        """The seed of RAND and NEWID, used from the next `reset` on."""
        self.session.seed = seed

    def reset(self) -> None:
        """Empty every table that was touched, drop what was created, forget the session's state."""
        session = self.session
        if session.trancount:
            self.machine.rollback_all()
        for frame in reversed(session.frames):
            calls.leave(session, frame)
        base = {id(stored) for stored in self._base}
        current = list(session.store.stored.items())
        for _key, stored in current:
            if id(stored) not in base and stored.table.name.key[0] not in _SYSTEM_SCHEMAS:
                session.store.drop(stored)
        for stored in self._base:
            if session.store.stored.get(session.store._key(stored.table.name)) is not stored:
                self._recreate(stored.definition)
            elif stored.dirty:
                session.store.clear(stored)
        self._forget_modules()
        for sequence in session.sequences.values():
            sequence.reset()
        session.reset_state()

    def _recreate(self, definition: Definition) -> None:
        found = self.session.store.create(definition)
        key = definition.table.name.key
        self._base = [s for s in self._base if s.table.name.key != key] + [found]

    # --- running ----------------------------------------------------------------------------------

    @property
    def coverage(self) -> Coverage:
        """What ran so far, over all runs since it was cleared."""
        return self.session.coverage

    def not_executable(self, procedure: str) -> tuple[NotExecutable, ...]:
        """What the interpreter cannot run in a procedure and in what it calls, before it runs."""
        name = ObjectName.parse(procedure)
        node = self.session.procedures.get(name.key)
        if node is None:
            return (NotExecutable("EXEC", 0, f"there is no procedure {procedure}"),)
        return scan(self.session, node)

    def run_procedure(
        self,
        name: str,
        parameters: Mapping[str, object] | None = None,
        *,
        trace: bool = False,
        watch: Iterable[str] = (),
    ) -> RunResult:
        """Run a procedure on the tables as they are.

        `parameters` by name, with or without ``@``. With `trace`, the result lists the statements;
        tables named in `watch` are recorded after each.
        """
        session = self.session
        node = session.procedures.get(ObjectName.parse(name).key)
        if node is None:
            error = ErrorInfo(2812, f"Could not find stored procedure '{name}'.", 0)
            return RunResult(error=error, errors=(error,))
        session.sink = Sink()
        session.findings.clear()
        self._start_trace(trace, list(watch))
        ended: SqlError | Refused | None = None
        code = 0
        frame = None
        self.engine.start()
        try:
            values = self._parameters(node, parameters or {})
            frame = calls._frame(session, node, values)
            code = calls.run_frame(self.machine, frame, node.body)
        except (SqlError, Refused) as error:
            ended = error
        except RecursionError:
            ended = Refused("nesting", "the procedure is nested too deeply", node.span.line)
        except (BreakLoop, ContinueLoop, Jump) as error:
            ended = SqlError(133, f"A GOTO, BREAK or CONTINUE leads nowhere ({error!r}).")
        except Exception as error:  # nothing may reach a user as a traceback
            ended = unforeseen(error, self.machine.line)
        finally:
            self.engine.stop()
        self._finish(ended)
        outputs = {}
        if frame is not None:
            outputs = {
                p.name: frame.variables[p.name.lower()].value
                for p in node.parameters
                if p.is_output and p.name.lower() in frame.variables
            }
        return self._result(ended, code, outputs)

    def _parameters(self, node: CreateProcedure, given: Mapping[str, object]) -> dict[str, object]:
        from core.interpreter.definitions import type_of_name

        values: dict[str, object] = {}
        known = {p.name.lower(): p for p in node.parameters}
        for name, value in given.items():
            key = name.lower() if name.startswith("@") else f"@{name.lower()}"
            parameter = known.get(key)
            if parameter is None:
                raise SqlError(8145, f"{name} is not a parameter for procedure {node.name.name}.")
            if self.session.table_types.get(calls.type_key(parameter.type)) is not None:
                values[key] = value
                continue
            type_ = type_of_name(parameter.type, self.session.schema.alias_types, node.span.line)
            values[key] = coerced(value, type_)
        return values

    def _finish(self, ended: SqlError | Refused | None) -> None:
        """After a run: what an error leaves open is rolled back, also what RETURN left open."""
        session = self.session
        while len(session.frames) > 1:
            calls.leave(session, session.frames[-1])
        session.try_depth = 0
        session.caught.clear()
        if ended is not None and isinstance(ended, Refused) and session.trancount:
            self.machine.rollback_all()
            return
        if session.trancount:
            if ended is None:
                error = SqlError(
                    266,
                    "Transaction count after EXECUTE indicates a mismatching number of BEGIN and "
                    f"COMMIT statements. Previous count = 0, current count = {session.trancount}.",
                )
                session.sink.errors.append(error)
            # The connection closes: what was not committed is undone.
            self.machine.rollback_all()

    def _result(
        self, ended: SqlError | Refused | None, code: int, outputs: Mapping[str, object]
    ) -> RunResult:
        session = self.session
        errors = [ErrorInfo.of(e) for e in session.sink.errors]
        if ended is not None:
            errors.append(ErrorInfo.of(ended))
        first = errors[-1] if isinstance(ended, Refused) else errors[0] if errors else None
        steps = tuple(self.machine.steps or ())
        self.machine.steps = None
        return RunResult(
            tuple(session.sink.result_sets),
            tuple(session.sink.messages),
            first,
            tuple(errors),
            code,
            dict(outputs),
            tuple(session.findings),
            steps,
        )

    def _start_trace(self, trace: bool, watch: list[str]) -> None:
        self.machine.steps = [] if trace else None
        self.machine.watch = None
        if trace and watch:
            self.machine.watch = lambda step: self._record_tables(step, watch)

    def _record_tables(self, step: Step, watch: list[str]) -> None:
        for name in watch:
            stored = self.session.store.find(ObjectName.parse(name))
            if stored is not None:
                step.tables[name] = tuple(self.session.store.rows(stored))

    def run_script(self, text: str) -> list[BatchResult]:
        """Run a script batch by batch, as a client would; a batch that fails does not stop it."""
        try:
            script = parse_script(text)
        except TsqlError as error:
            info = ErrorInfo.of(unforeseen(error, error.line))
            return [BatchResult((), (), 0, info, (info,))]
        results = []
        for batch in script.batches:
            for _ in range(max(1, min(batch.repeat, 1000))):
                results.append(self._batch(batch))
        return results

    def _batch(self, batch: n.Batch) -> BatchResult:
        session = self.session
        statements = batch.statements
        session.frames[0].lines_before = batch.lines_before
        session.sink = Sink()
        session.findings.clear()
        # Variables live for one batch, temp tables and open transactions for the connection.
        frame = session.frames[0]
        frame.variables.clear()
        frame.declared.clear()
        frame.cursors.clear()
        frame.cursor_variables.clear()
        frame.aliases.clear()
        self._drop_table_variables()
        ended: SqlError | Refused | None = None
        self.engine.start()
        try:
            for statement in statements:
                if isinstance(statement, n.Unparsed):
                    raise SqlError(
                        102,
                        f"Incorrect syntax: {statement.reason}.",
                        severity=15,
                        line=statement.span.line,
                    )
            self.machine.execute(statements)
        except ReturnFrom:
            pass
        except (SqlError, Refused) as error:
            ended = error
        except RecursionError:
            ended = Refused("nesting", "an expression of this batch is nested too deeply")
        except (BreakLoop, ContinueLoop, Jump):
            ended = SqlError(133, "A GOTO, BREAK or CONTINUE statement leads nowhere.")
        except Exception as error:  # nothing may reach a user as a traceback
            ended = unforeseen(error, self.machine.line)
        finally:
            self.engine.stop()
        self._close_batch(ended)
        errors = [ErrorInfo.of(e) for e in session.sink.errors]
        if ended is not None:
            errors.append(ErrorInfo.of(ended))
        shown = errors[-1] if isinstance(ended, Refused) else errors[0] if errors else None
        return BatchResult(
            tuple(session.sink.result_sets),
            tuple(session.sink.messages),
            session.rowcount,
            shown,
            tuple(errors),
            tuple(session.findings),
        )

    def _close_batch(self, ended: SqlError | Refused | None) -> None:
        session = self.session
        while len(session.frames) > 1:
            calls.leave(session, session.frames[-1])
        session.try_depth = 0
        session.caught.clear()
        if session.doomed:
            self.machine.rollback_all()
            if ended is None:
                session.sink.errors.append(
                    SqlError(
                        3998,
                        "Uncommittable transaction is detected at the end of the batch. The "
                        "transaction is rolled back.",
                    )
                )

    def _drop_table_variables(self) -> None:
        session = self.session
        frame = session.frames[0]
        for stored in list(frame.created):
            if stored.table.name.name.startswith("@"):
                frame.created.remove(stored)
                session.store.drop(stored)


_SYSTEM_SCHEMAS = ("sys", "information_schema")
