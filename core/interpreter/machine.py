"""Statements one after the other: control flow, errors and transactions as the server has them.

What an error does (``errors-events``, ``language-elements/try-catch-transact-sql``,
``statements/set-xact-abort-transact-sql``):

* inside TRY (also a caller's) control goes to the CATCH;
* otherwise the statement ends and the next one runs, unless the error is one that ends the batch
  (conversion errors, missing objects), XACT_ABORT is on, or it comes from THROW: then the batch
  ends, and with XACT_ABORT or such an error the transaction is rolled back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from core.interpreter import assignments, calls, changes, cursors, ddl, inserts, merges
from core.interpreter.definitions import from_body, schema_name, type_of_name
from core.interpreter.errors import Refused, SqlError
from core.interpreter.messages import formatted
from core.interpreter.queries import QueryEmitter
from core.interpreter.state import ResultSet, Variable
from core.interpreter.trace import Step
from core.interpreter.translate import Translation, parsed_leaf
from core.tsql import nodes as n
from core.tsql import types as t
from core.tsql.nodes import LeafKind, Statement
from core.tsql.schema import ObjectName, TableKind

if TYPE_CHECKING:
    from core.interpreter.session import Session


class BreakLoop(Exception):  # noqa: N818 - control flow
    pass


class ContinueLoop(Exception):  # noqa: N818
    pass


class Jump(Exception):  # noqa: N818
    def __init__(self, label: str) -> None:
        self.label = label.casefold()


class ReturnFrom(Exception):  # noqa: N818
    def __init__(self, value: object) -> None:
        self.value = value


class Machine:
    """Executes statements on a session."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.steps: list[Step] | None = None
        self.watch: Callable[[Step], None] | None = None
        #: The line of the statement that runs, for what is not foreseen.
        self.line = 0

    # --- statement lists --------------------------------------------------------------------------

    def execute(self, statements: Sequence[Statement]) -> None:
        """Run a list; GOTO to one of its labels stays inside it."""
        position = 0
        while position < len(statements):
            try:
                self.statement(statements[position])
            except Jump as jump:
                target = _label_position(statements, jump.label)
                if target is None:
                    raise
                position = target
                continue
            position += 1

    def statement(self, node: Statement) -> None:
        """Run one statement and decide what its error does."""
        session = self.session
        self.line = node.span.line
        session.engine.count_statement(node.span.line)
        handler = _HANDLERS.get(type(node))
        if handler is None:
            raise Refused(type(node).__name__, "this statement is not supported", node.span.line)
        if type(node) in _COMPOUND:
            handler(self, node)
            return
        session.coverage.ran(session.frame.name or "", node.span.line, node.span.column)
        session.new_statement()
        try:
            handler(self, node)
        except SqlError as error:
            self._record(node, -1)
            self.failed(error, node)
        except Refused as refusal:
            if not refusal.line:
                refusal.line = node.span.line
            raise
        else:
            if not isinstance(node, n.RaiseError):
                session.error_number = 0
            self._record(node, session.rowcount)

    def failed(self, error: SqlError, node: Statement) -> None:
        """An error of a statement: to the CATCH, to the end of the batch, or on."""
        session = self.session
        if error.line == 0:
            error.line = node.span.line
        if error.number in _ARITHMETIC and not (session.arithabort or session.ansi_warnings):
            # statements/set-arithabort-transact-sql: then the result is NULL and a warning.
            raise Refused(
                "SET ARITHABORT OFF",
                "with ARITHABORT and ANSI_WARNINGS OFF this is NULL and a warning, which is not "
                f"supported ({error.message})",
                error.line,
            )
        if error.lines_before is None:
            error.lines_before = session.frame.lines_before
        if error.procedure is None:
            error.procedure = session.frame.name
        session.error_number = error.number
        if not isinstance(node, n.RaiseError | n.Throw):
            session.rowcount = 0
        from_raiserror = isinstance(node, n.RaiseError)
        ends_batch = (
            error.aborts_batch
            or isinstance(node, n.Throw)
            or (session.xact_abort and not from_raiserror)
            or error.severity >= 20
        )
        if session.try_depth > 0:
            if session.trancount and (session.xact_abort or error.aborts_batch):
                session.doomed = True
            raise error
        if ends_batch:
            if session.trancount and ((session.xact_abort) or error.aborts_batch):
                self.rollback_all()
            raise error
        session.sink.errors.append(error)

    def _record(self, node: Statement, rows: int) -> None:
        if self.steps is None:
            return
        step = Step(self.session.frame.name, node.span.line, type(node).__name__, rows)
        self.steps.append(step)
        if self.watch is not None:
            self.watch(step)

    # --- control flow -----------------------------------------------------------------------------

    def block(self, node: n.Block) -> None:
        self.execute(node.body)

    def condition(self, expr: n.Expr, node: Statement, kind: str) -> bool:
        session = self.session
        session.coverage.ran(session.frame.name or "", node.span.line, node.span.column)
        session.new_statement()
        try:
            value = session.scalar(session.translator.condition(expr))
        except SqlError as error:
            self.failed(error, node)
            value = None
        session.rowcount = 0
        session.error_number = 0
        outcome = "true" if value else "false" if value is not None else "unknown"
        for possible in ("true", "false"):
            session.coverage.branch(
                session.frame.name or "", node.span.line, node.span.column, kind, possible, 0
            )
        session.coverage.branch(
            session.frame.name or "", node.span.line, node.span.column, kind, outcome
        )
        return bool(value)

    def if_(self, node: n.If) -> None:
        if self.condition(node.condition, node, "if"):
            self.statement(node.then)
        elif node.otherwise is not None:
            self.statement(node.otherwise)

    def while_(self, node: n.While) -> None:
        while self.condition(node.condition, node, "while"):
            self.session.engine.count_statement(node.span.line)
            try:
                self.statement(node.body)
            except BreakLoop:
                break
            except ContinueLoop:
                continue

    def break_(self, node: n.Break) -> None:
        raise BreakLoop

    def continue_(self, node: n.Continue) -> None:
        raise ContinueLoop

    def goto(self, node: n.Goto) -> None:
        raise Jump(node.label)

    def label(self, node: n.Label) -> None:
        """A label does nothing."""

    def return_(self, node: n.Return) -> None:
        value: object = None
        if node.value is not None:
            target = self.session.frame.variables.get("@@return")
            type_ = target.type if target is not None else t.INT
            value = self.session.scalar(self.session.translator.value(node.value, type_))
        raise ReturnFrom(value)

    def try_(self, node: n.TryCatch) -> None:
        session = self.session
        depth = session.try_depth
        level = session.frame.number
        session.try_depth = depth + 1
        try:
            self.execute(node.body)
            return
        except SqlError as error:
            if error.frame == level or error.severity >= 20:
                # Errors of compiling a statement are not caught at their own level.
                session.try_depth = depth
                if depth == 0 and session.trancount:
                    self.rollback_all()
                raise
            caught = error
        finally:
            session.try_depth = depth
        session.coverage.branch(
            session.frame.name or "", node.span.line, node.span.column, "try", "caught"
        )
        session.caught.append(caught)
        try:
            self.execute(node.handler)
        finally:
            session.caught.pop()

    # --- data -------------------------------------------------------------------------------------

    def leaf(self, node: n.Leaf) -> None:
        session = self.session
        if session.doomed and node.kind not in (LeafKind.SELECT, LeafKind.SELECT_ASSIGN):
            raise SqlError(
                3930,
                "The current transaction cannot be committed and cannot support operations that "
                "write to the log file. Roll back the transaction.",
            )
        match node.kind:
            case LeafKind.SELECT:
                session.rowcount = self.select(node)
            case LeafKind.SELECT_INTO:
                session.rowcount = inserts.select_into(session, node)
            case LeafKind.INSERT:
                session.rowcount = inserts.insert(session, node)
            case LeafKind.UPDATE:
                session.rowcount = changes.update(session, node)
            case LeafKind.DELETE:
                session.rowcount = changes.delete(session, node)
            case LeafKind.MERGE:
                session.rowcount = merges.merge(session, node)
            case LeafKind.TRUNCATE:
                parsed = parsed_leaf(node)
                assert parsed.target is not None
                from core.tsql.binding_from import table_name

                ddl.truncate(session, table_name(parsed.target.table), node.span.line)
                session.rowcount = 0
            case _:
                raise Refused(str(node.kind), "this statement is not supported", node.span.line)

    def select(self, node: n.Leaf) -> int:
        session = self.session

        def build() -> Translation:
            parsed = parsed_leaf(node)
            if parsed.query is None:
                raise Refused("SELECT", "there is no query", node.span.line)
            bound = session.translator.bind(parsed.query)
            context = session.translator.context()
            context.max_recursion = inserts.max_recursion(parsed.options)
            emitter = QueryEmitter(context)
            if bound.tree.meta.get("tsql_for_xml") is not None:
                from core.tsql.scope import OutputColumn

                mark = bound.tree.meta["tsql_for_xml"]
                type_ = t.nvarchar(t.MAX) if mark.language == "JSON" else t.XML
                sql = emitter.xml_text(bound.tree, escaped=True)
                sql = f"SELECT * FROM ({sql}) AS d(c1) WHERE d.c1 IS NOT NULL"
                return session.translator.made(context, sql, (OutputColumn("", type_),))
            return session.translator.made(context, emitter.query(bound.tree), bound.columns)

        translation = session.translator.remembered(node, "select", build)
        rows = session.run(translation)
        session.engine.count_rows(len(rows))
        session.give(ResultSet(translation.columns, tuple(rows)))
        return len(rows)

    def select_assign(self, node: n.SelectAssign) -> None:
        self.session.rowcount = assignments.select_assign(self.session, node.leaf)

    # --- variables --------------------------------------------------------------------------------

    def declare(self, node: n.Declare) -> None:
        session = self.session
        for variable in node.variables:
            name = variable.name.lower()
            if session.frame.declared.setdefault(name, variable) is not variable:
                error = SqlError(
                    134,
                    f"The variable name '{variable.name}' has already been declared. Variable "
                    "names must be unique within a query batch or stored procedure.",
                    severity=15,
                )
                error.aborts_batch = True
                raise error
            if variable.table is not None:
                self._table_variable(variable)
            elif variable.is_cursor:
                session.frame.cursor_variables.add(name)
            elif variable.type is not None:
                body = session.table_types.get(_type_key(variable.type))
                if body is not None:
                    self._typed_table(variable, body)
                    continue
                if variable.type.name == "cursor":
                    session.frame.cursor_variables.add(name)
                    continue
                type_ = type_of_name(variable.type, session.schema.alias_types, variable.span.line)
                known = session.frame.variables.get(name)
                if known is None:
                    session.frame.variables[name] = Variable(type_)
                if variable.value is not None:
                    self._assign(name, variable.value)
                    session.rowcount = 1  # as a SET: functions/rowcount-transact-sql

    def _table_variable(self, variable: n.Variable) -> None:
        assert variable.table is not None
        name = ObjectName(variable.name)
        known = self.session.store.find(name)
        if known is not None and known.owner == self.session.frame.number:
            # A DECLARE in a loop declares once.
            return
        ddl.create_table(
            self.session,
            from_body(name, variable.table, self.session.schema.alias_types, TableKind.VARIABLE),
        )

    def _typed_table(self, variable: n.Variable, body: n.TableBody) -> None:
        name = ObjectName(variable.name)
        known = self.session.store.find(name)
        if known is not None and known.owner == self.session.frame.number:
            return
        ddl.create_table(
            self.session,
            from_body(name, body, self.session.schema.alias_types, TableKind.VARIABLE),
        )

    def _assign(self, name: str, expr: n.Expr) -> None:
        session = self.session
        variable = session.variable(name, expr.span.line)
        variable.value = session.scalar(session.translator.value(expr, variable.type))

    def set_variable(self, node: n.SetVariable) -> None:
        session = self.session
        if node.cursor is not None:
            cursors.set_cursor(session, node.name, node.cursor)
            return
        if node.value is None:
            raise Refused("SET", "this SET is not supported", node.span.line)
        name = node.name.lower()
        if name in session.frame.cursor_variables:
            cursors.copy_cursor(session, name, node.value.text)
        elif node.operator == "=":
            self._assign(name, node.value)
        else:
            assignments.compound(session, name, node.operator, node.value)
        session.rowcount = 1

    def set_option(self, node: n.SetOption) -> None:
        session = self.session
        on = node.value.strip().upper() == "ON"
        for name in node.names:
            upper = name.upper()
            if upper == "XACT_ABORT":
                session.xact_abort = on
            elif upper == "NOCOUNT":
                session.nocount = on
            elif upper == "IDENTITY_INSERT" and node.target is not None:
                self._identity_insert(schema_name(node.target), on, node.span.line)
            elif upper == "DATEFIRST":
                session.date_first = int(node.value)
            elif upper == "ROWCOUNT" and node.value.strip() != "0":
                raise Refused("SET ROWCOUNT", "SET ROWCOUNT is not supported", node.span.line)
            elif upper == "DATEFORMAT" and node.value.strip().lower() != "mdy":
                raise Refused("SET DATEFORMAT", "only mdy is supported", node.span.line)
            elif upper == "ANSI_WARNINGS":
                session.ansi_warnings = on
            elif upper == "ARITHABORT":
                session.arithabort = on
            elif upper in ("CONCAT_NULL_YIELDS_NULL", "ANSI_NULLS"):
                if not on:
                    raise Refused(f"SET {upper} OFF", "only ON is supported", node.span.line)
            elif upper in ("LANGUAGE",) and "english" not in node.value.lower():
                raise Refused("SET LANGUAGE", "only us_english is supported", node.span.line)
            elif upper in ("IMPLICIT_TRANSACTIONS", "NOEXEC", "PARSEONLY", "FMTONLY") and on:
                raise Refused(f"SET {upper} ON", "this option is not supported", node.span.line)
        session.rowcount = 0

    def _identity_insert(self, name: ObjectName, on: bool, line: int) -> None:
        session = self.session
        stored = session.stored(name, line)
        key = stored.table.name.key
        if not on:
            if session.identity_insert == key:
                session.identity_insert = None
            return
        if stored.identity is None:
            raise SqlError(
                8106,
                f"Table '{stored.shown}' does not have the identity property. Cannot perform SET "
                "operation.",
            )
        if session.identity_insert not in (None, key):
            other = ".".join(session.identity_insert or ())
            raise SqlError(
                8107,
                f"IDENTITY_INSERT is already ON for table '{other}'. Cannot perform SET operation "
                f"for table '{stored.shown}'.",
            )
        session.identity_insert = key

    # --- messages ---------------------------------------------------------------------------------

    def print_(self, node: n.Print) -> None:
        session = self.session
        value = session.scalar(session.translator.value(node.value, t.nvarchar(t.MAX)))
        session.say("" if value is None else str(value))
        session.rowcount = 0

    def throw(self, node: n.Throw) -> None:
        session = self.session
        if node.number is None:
            if not session.caught:
                raise SqlError(
                    10704,
                    "To rethrow an error, a THROW statement must be used inside a CATCH block.",
                    severity=15,
                )
            original = session.caught[-1]
            error = SqlError(
                original.number,
                original.message,
                severity=original.severity,
                state=original.state,
                line=original.line,
            )
            error.procedure = original.procedure
            error.lines_before = original.lines_before
            raise error
        assert node.message is not None
        assert node.state is not None
        number = session.scalar(session.translator.value(node.number, t.INT))
        message = session.scalar(session.translator.value(node.message, t.nvarchar(2048)))
        state = session.scalar(session.translator.value(node.state, t.INT))
        if not isinstance(number, int) or number < 50000:
            raise SqlError(
                35100,
                f"Error number {number} in the THROW statement is outside the valid range. Specify "
                "an error number in the valid range of 50000 to 2147483647.",
            )
        raise SqlError(number, str(message or ""), state=int(str(state or 1)))

    def raise_error(self, node: n.RaiseError) -> None:
        session = self.session
        value = session.translator.value
        message = session.scalar(value(node.message, None))
        severity = (
            int(str(session.scalar(value(node.severity, t.INT)) or 0)) if node.severity else 16
        )
        state = int(str(session.scalar(value(node.state, t.INT)) or 1)) if node.state else 1
        arguments = [session.scalar(value(a, None)) for a in node.arguments]
        number = 50000
        if node.number is not None:  # RAISERROR 50001 'text'
            number = int(str(session.scalar(value(node.number, t.INT)) or 50000))
            text = str(message or "")
        elif isinstance(message, int) and message < 13000:
            number = 2732
            text = (
                f"Error number {message} is invalid. The number must be from 13000 through "
                "2147483647 and it cannot be 50000."
            )
        elif isinstance(message, int):
            # sys.messages has no messages of users here.
            number = 18054
            text = (
                f"Error {message}, severity {severity}, state {state} was raised, but no message "
                "with that error number was found in sys.messages. If error is larger than 50000, "
                "make sure the user-defined message is added using sp_addmessage."
            )
        else:
            text = formatted(str(message or ""), arguments)
        severity = max(0, min(severity, 25))
        if severity <= 10:
            session.say(text)
            session.error_number = 0 if "SETERROR" not in node.options else number
            session.rowcount = 0
            return
        session.rowcount = 0
        raise SqlError(number, text, severity=severity, state=max(0, min(state, 255)) or 1)

    # --- transactions -----------------------------------------------------------------------------

    def begin_transaction(self, node: n.BeginTransaction) -> None:
        session = self.session
        session.trancount += 1
        if session.trancount == 1:
            session.store.begin(node.name)
        session.rowcount = 0

    def commit(self, node: n.CommitTransaction) -> None:
        session = self.session
        if session.trancount == 0:
            raise SqlError(
                3902, "The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION."
            )
        if session.doomed:
            raise SqlError(
                3930,
                "The current transaction cannot be committed and cannot support operations that "
                "write to the log file. Roll back the transaction.",
            )
        session.trancount -= 1
        if session.trancount == 0:
            session.store.forget()
        session.rowcount = 0

    def rollback(self, node: n.RollbackTransaction) -> None:
        session = self.session
        if session.trancount == 0:
            raise SqlError(
                3903, "The ROLLBACK TRANSACTION request has no corresponding BEGIN TRANSACTION."
            )
        if node.name is not None:
            position = self._savepoint(node)
            if position > 0:
                if session.doomed:
                    raise SqlError(
                        3931,
                        "The current transaction cannot be committed and cannot be rolled back to "
                        "a savepoint. Roll back the entire transaction.",
                    )
                name = session.store.savepoints[position].name
                session.store.rollback(position)
                session.store.begin(name)
                return
        self.rollback_all()

    def _savepoint(self, node: n.RollbackTransaction) -> int:
        session = self.session
        wanted = self._name(node.name or "")
        for position in range(len(session.store.savepoints) - 1, -1, -1):
            name = session.store.savepoints[position].name
            if name is not None and self._name(name).casefold() == wanted.casefold():
                return position
        raise SqlError(
            6401,
            f"Cannot roll back {wanted}. No transaction or savepoint of that name was found.",
        )

    def _name(self, name: str) -> str:
        if name.startswith("@"):
            return str(self.session.variable(name).value or "")
        return name

    def rollback_all(self) -> None:
        session = self.session
        session.store.rollback(0)
        session.trancount = 0
        session.doomed = False

    def save(self, node: n.SaveTransaction) -> None:
        if self.session.trancount == 0:
            raise SqlError(
                628, "Cannot issue SAVE TRANSACTION when there is no active transaction."
            )
        self.session.store.begin(self._name(node.name))

    # --- the rest ---------------------------------------------------------------------------------

    def create_table(self, node: n.CreateTable) -> None:
        ddl.create(self.session, node)

    def drop_table(self, node: n.DropTable) -> None:
        ddl.drop(self.session, node)

    def alter_table(self, node: n.AlterTable) -> None:
        ddl.alter(self.session, node)

    def index(self, node: n.IndexStatement) -> None:
        ddl.index(self.session, node)

    def side(self, node: n.SideStatement) -> None:
        kind = node.kind.upper()
        if kind.startswith(("BULK", "BACKUP", "RESTORE", "SHUTDOWN", "KILL", "RECONFIGURE")):
            raise Refused(kind, "the reference reaches nothing outside of itself", node.span.line)
        if kind == "USE" or kind.startswith("USE "):
            self._use(node)
        if kind.startswith("DBCC"):
            calls.dbcc(self.session, node)
        self.session.rowcount = 0

    def _use(self, node: n.SideStatement) -> None:
        database = node.text.split()[-1].strip("[]; \t\r\n")
        own = self.session.schema.database
        if own is None and database.casefold() not in ("master", "tempdb"):
            # A script says by USE what its database is called.
            store = self.session.store
            store.schema = replace(store.schema, database=database)
            return
        if own is not None and database.casefold() not in (own.casefold(), "master"):
            raise Refused("USE", f"{database} is another database", node.span.line)

    def other(self, node: n.OtherDefinition) -> None:
        ddl.other(self.session, node)

    def define(self, node: Statement) -> None:
        calls.define(self.session, node)

    def call(self, node: n.Execute | n.ExecuteString | n.ExecuteSql) -> None:
        calls.call(self, node)

    def insert_exec(self, node: n.InsertExec) -> None:
        calls.insert_exec(self, node)

    def cursor(self, node: Statement) -> None:
        cursors.statement(self.session, node)

    def unparsed(self, node: n.Unparsed) -> None:
        raise Refused("syntax", node.reason, node.span.line)


def _label_position(statements: Sequence[Statement], label: str) -> int | None:
    for position, statement in enumerate(statements):
        if isinstance(statement, n.Label) and statement.name.casefold() == label:
            return position
    return None


def _type_key(name: n.TypeName) -> tuple[str, str]:
    from core.interpreter.calls import type_key

    return type_key(name)


#: Division by zero and overflow.
_ARITHMETIC = (8134, 8115, 220, 232, 3623)
_COMPOUND = (n.Block, n.If, n.While, n.TryCatch, n.Label, n.Break, n.Continue, n.Goto)
_HANDLERS: dict[type[Statement], Callable[..., None]] = {
    n.Block: Machine.block,
    n.If: Machine.if_,
    n.While: Machine.while_,
    n.Break: Machine.break_,
    n.Continue: Machine.continue_,
    n.Goto: Machine.goto,
    n.Label: Machine.label,
    n.Return: Machine.return_,
    n.TryCatch: Machine.try_,
    n.Leaf: Machine.leaf,
    n.SelectAssign: Machine.select_assign,
    n.Declare: Machine.declare,
    n.SetVariable: Machine.set_variable,
    n.SetOption: Machine.set_option,
    n.Print: Machine.print_,
    n.Throw: Machine.throw,
    n.RaiseError: Machine.raise_error,
    n.BeginTransaction: Machine.begin_transaction,
    n.CommitTransaction: Machine.commit,
    n.RollbackTransaction: Machine.rollback,
    n.SaveTransaction: Machine.save,
    n.CreateTable: Machine.create_table,
    n.DropTable: Machine.drop_table,
    n.AlterTable: Machine.alter_table,
    n.IndexStatement: Machine.index,
    n.SideStatement: Machine.side,
    n.OtherDefinition: Machine.other,
    n.CreateProcedure: Machine.define,
    n.CreateFunction: Machine.define,
    n.CreateView: Machine.define,
    n.CreateTrigger: Machine.define,
    n.CreateType: Machine.define,
    n.Execute: Machine.call,
    n.ExecuteString: Machine.call,
    n.ExecuteSql: Machine.call,
    n.InsertExec: Machine.insert_exec,
    n.DeclareCursor: Machine.cursor,
    n.OpenCursor: Machine.cursor,
    n.Fetch: Machine.cursor,
    n.CloseCursor: Machine.cursor,
    n.DeallocateCursor: Machine.cursor,
    n.Unparsed: Machine.unparsed,
}

#: Statement kinds the machine can run, for the scan before a run.
SUPPORTED = frozenset(_HANDLERS)
