"""The symbolic executor: statements, one after the other, transform the state.

Control flow is by continuation: a list of statements is executed with what follows them, so that
an IF with an early RETURN is simply "this branch and the rest, or that branch and the rest". The
success path is followed: CATCH, and branches that end in an error, are left out with a note.

A statement that is refused poisons what it writes (`core.compiler.effects`) and execution goes
on; whether that matters is decided by who reads it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp

from core.compiler import (
    data,
    flow,
    jumps,
    routines,
    session_options,
    transactions,
    variables_exec,
)
from core.compiler.binder import Binder, Context
from core.compiler.comments import Comments
from core.compiler.effects import effects_of
from core.compiler.functions import FunctionInliner
from core.compiler.inserts import Inserter, unordered, with_every_name
from core.compiler.options import CompileOptions
from core.compiler.registry import Relations
from core.compiler.relations import Origin, Relation
from core.compiler.result import Assumption, Dropped, Refused, Unsupported
from core.compiler.state import OpenCursor, State
from core.compiler.tables import Tables, poison_all
from core.compiler.updates import Updater
from core.compiler.views import resolver
from core.tsql import nodes
from core.tsql.binding_from import table_name
from core.tsql.leaves import ParsedLeaf

Statements = Sequence[nodes.Statement]
_CALLS = (nodes.Execute, nodes.ExecuteString, nodes.ExecuteSql, nodes.InsertExec)


@dataclass(frozen=True)
class ResultSet:
    """What a SELECT returns, or why that is not known."""

    rows: Relation | None = None
    poison: Unsupported | None = None


@dataclass
class Executor:
    """Runs one procedure (and what it calls) symbolically. Collects notes as it goes."""

    relations: Relations
    options: CompileOptions
    target: str
    procedure: str = ""
    comments: Comments = field(default_factory=Comments)
    notes: list[str] = field(default_factory=list)
    assumptions: list[Assumption] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    depth: int = 0
    forks: int = 0
    final_versions: Mapping[str, int] | None = None
    """From an earlier run: how often each table is written in all, None when not known yet."""
    guard: exp.Expr | None = None
    """The condition of an IF around UPDATE and DELETE statements: one more conjunct of theirs."""
    results: list[ResultSet] | None = None
    """Inside INSERT … EXEC: the rows the SELECTs of the called statements return."""
    running: list[str] = field(default_factory=list)
    """The names of the called procedures that are running, the outermost first."""
    called_from: int = 0
    """The line of the outermost EXEC while a called procedure runs, else 0."""
    date_first: int = 7
    """DATEFIRST from the procedure's first statements on (see `session_options.date_first`)."""

    def __post_init__(self) -> None:
        self.cursors: dict[str, nodes.DeclareCursor] = {}
        self.tables = Tables(
            self.relations, self.options, self.target, final_versions=self.final_versions
        )
        functions = FunctionInliner(self.options, self.relations)
        self.binder = Binder(
            self.relations,
            resolver(self.tables, lambda: self.binder),
            functions.table_function,
            functions.inline_scalars,
            self.tables.narrowed,
        )
        functions.binder = self.binder
        self.inserter = Inserter(self.binder, self.tables, self.options.natural_key)
        self.updater = Updater(self.binder, self.tables, self.assumptions)

    # --- running ------------------------------------------------------------------------------

    def run(self, statements: Statements, state: State) -> State:
        """The state after the statements, run in order from `state` (which is changed)."""
        pending = list(statements)
        while pending:
            statement = pending.pop(0)
            match statement:
                case nodes.Block():
                    pending[:0] = statement.body
                case nodes.TryCatch():
                    self._note_handler(statement)
                    pending[:0] = statement.body
                case nodes.Return():
                    variables_exec.returned(self, statement, state)
                    return state
                case nodes.Break() | nodes.Continue() | nodes.Goto():
                    if not jumps.jumped(self, statement, pending, state):
                        return state
                case nodes.Label():
                    pass
                case nodes.While():
                    pending[:0] = jumps.loop(self, statement, state)
                case jumps.NextTurn():
                    pending[:0] = jumps.next_turn(self, statement, state)
                case nodes.Throw():
                    # Not under an IF: whatever comes before it, the procedure fails.
                    why = Unsupported(
                        "the procedure always ends in THROW", self.line(statement), "THROW"
                    )
                    poison_all(state, why)
                    return state
                case nodes.If():
                    done = flow.branch(self, statement, pending, state)
                    if done is not None:
                        return done
                case _:
                    self.guarded(statement, state)
        return state

    def guarded(self, statement: nodes.Statement, state: State) -> None:
        """Execute one statement; what it writes is poisoned when it is refused."""
        before = state.copy()
        try:
            self.execute(statement, state)
            if not isinstance(statement, _CALLS):
                self.count_writes(before, state)
        except Refused as refusal:
            self.undo(before, state)
            why = refusal.at(self.line(statement))
            if self.results is not None:
                self.results.append(ResultSet(poison=why))
            self.poison([statement], state, why)

    def count_writes(self, before: State, state: State) -> None:
        """Give every table that a statement changed its next version."""
        for key, found in list(state.tables.items()):
            old = before.tables.get(key)
            if found is not old and found.written:
                version = max(old.version if old is not None else 0, found.version) + 1
                state.tables[key] = replace(found, version=version)

    def undo(self, before: State, state: State) -> None:
        """Give a state back what it was before a statement that turned out to be refused."""
        state.tables, state.variables = before.tables, before.variables
        state.lazies, state.cursors = before.lazies, before.cursors
        state.savepoints, state.poison = before.savepoints, before.poison

    def poison(self, statements: Statements, state: State, why: Unsupported) -> None:
        """Everything the statements may write becomes unknown."""
        if transactions.rolls_back(statements):
            transactions.poison_open(state, why)
        if transactions.changes(statements):
            transactions.forget(state)
        effects = effects_of(statements, self.is_harmless)
        state.lazies.pop("@@rowcount", None)
        state.lazies.pop("scope_identity()", None)
        if effects.everything is not None or any(
            not routines.is_known(self, call) for call in effects.calls
        ):
            poison_all(state, why)
            return
        for call in effects.calls:
            for inner in routines.bodies(self, call):
                if self.depth > 12:
                    poison_all(state, why)
                    return
                self.depth += 1
                self.poison(inner, state, why)
                self.depth -= 1
        for name in effects.tables:
            data.poison_table(self, state, name, why)
        for variable in effects.variables:
            known = state.variables.get(variable)
            if known is not None:
                state.variables[variable] = variables_exec.unknown_like(known, why)
            elif variable.startswith("@"):
                data.poison_table_variable(state, variable, why)

    def is_harmless(self, statement: nodes.Statement) -> bool:
        """Calls known to change no table of interest."""
        return isinstance(statement, nodes.Execute) and routines.is_logging_call(self, statement)

    def line(self, node: nodes.Node) -> int:
        """The line a statement has in the compiled procedure's own text."""
        return self.called_from or node.span.line

    def origin(self, node: nodes.Node) -> Origin:
        if self.called_from:
            return Origin(self.called_from, self.called_from)
        return Origin(node.span.line, node.span.end_line, self.comments.above(node.span.line))

    def context(self, node: nodes.Node, state: State) -> Context:
        return Context(state, {}, self.origin(node), self._comments_of)

    def _comments_of(self, first: int, last: int) -> tuple[str, ...]:
        return () if self.called_from else self.comments.above(first)

    def drop(self, text: str, node: nodes.Node) -> None:
        """Note that a statement is left out of the model."""
        item = Dropped(text, self.line(node))
        if item not in self.dropped:
            self.dropped.append(item)

    def _note_handler(self, statement: nodes.TryCatch) -> None:
        effects = effects_of(statement.handler, self.is_harmless)
        written = [str(name) for name in effects.tables if not routines.is_log_name(name.name)]
        if written:
            self.notes.append(
                f"line {self.line(statement)}: the CATCH block writes {', '.join(written)}; the "
                "model follows the path without errors"
            )

    def _open(self, statement: nodes.OpenCursor, state: State) -> None:
        """OPEN: the cursor's rows are those of its query now."""
        declared = self.cursors.get(statement.name.lower())
        state.cursors.pop(statement.name.lower(), None)
        if declared is None:
            return
        parsed = declared.cursor.query.parsed
        if not isinstance(parsed, ParsedLeaf) or parsed.query is None:
            return
        reads = frozenset(
            self.tables.key(table_name(table))
            for table in parsed.query.find_all(exp.Table)
            if isinstance(table.this, exp.Identifier | exp.Parameter)
        )
        query, _ = unordered(parsed.query)
        try:
            context = self.context(declared, state)
            bound = with_every_name(self.binder.query(query, context))
            hint = f"{statement.name.lstrip('@')}_rows"
            rows = self.relations.query(bound, hint, context.origin)
        except Refused:
            return
        state.cursors[statement.name.lower()] = OpenCursor(rows, reads)

    # --- one statement ------------------------------------------------------------------------

    def execute(self, statement: nodes.Statement, state: State) -> None:
        """Transform the state by one statement. Raises `Refused`."""
        match statement:
            case nodes.Leaf():
                data.leaf(self, statement, state)
            case nodes.SelectAssign():
                variables_exec.select_assign(self, statement, state)
            case nodes.Declare():
                variables_exec.declare(self, statement, state)
            case nodes.SetVariable():
                variables_exec.set_variable(self, statement, state)
            case nodes.Execute() | nodes.ExecuteString() | nodes.ExecuteSql():
                routines.execute(self, statement, state)
            case nodes.InsertExec():
                routines.insert_exec(self, statement, state)
            case nodes.DeclareCursor():
                self.cursors[statement.name.lower()] = statement
            case nodes.OpenCursor():
                self._open(statement, state)
            case nodes.Unparsed():
                raise Refused(statement.reason, "syntax", self.line(statement))
            case _:
                self._definition(statement, state)

    def _definition(self, statement: nodes.Statement, state: State) -> None:
        """Table DDL, options, and what changes no data."""
        match statement:
            case nodes.SetOption():
                session_options.set_option(self, statement, state)
            case nodes.CreateTable():
                data.create_table(self, statement, state)
            case nodes.DropTable():
                data.drop_table(self, statement, state)
            case nodes.AlterTable():
                data.alter_table(self, statement, state)
            case _:
                flow.side_statement(self, statement, state)
