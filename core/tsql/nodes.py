"""The syntax tree of a T-SQL script: batches, procedures, statements.

How to read it
    `Script.batches` hold `Batch.statements`; a `CreateProcedure` is a statement whose `body` is a
    tuple of statements. `If`, `While`, `TryCatch` and `Block` contain statements in turn.
    ``walk(node)`` yields a node and everything below it in source order, ``statements(node)`` only
    the statements. Dispatch with ``match``; every node is a frozen dataclass.

What a node knows
    `Node.span` gives offsets into the text that was parsed (``text[span.start:span.end]``) and
    1-based line and column of its first character. A statement's span covers its own tokens and
    not the ``;`` behind it, which belongs to the enclosing node.

What is parsed when
    The structure is parsed at once and never depends on semicolons. What is inside a *leaf*
    (`Leaf`: SELECT, INSERT, UPDATE, DELETE, MERGE, TRUNCATE) and inside an expression (`Expr`) is
    parsed on first use: ``leaf.parsed`` and ``expr.parsed`` give a value of `core.tsql.leaves` or a
    `LeafError`. The trees inside are shared: copy before changing.

What was not understood is an `Unparsed` node with its reason, in its place.

Names (`ObjectName`, variables, columns, labels) keep the author's spelling without quotes;
compare with ``.casefold()`` or the ``key`` properties.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.tsql.errors import LeafError
    from core.tsql.leaves import ParsedExpr, ParsedLeaf
    from core.tsql.tokens import Token


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of source: offsets `start` (inclusive) to `end` (exclusive), 1-based position.

    `end_line` is the 1-based line of the last character.
    """

    start: int
    end: int
    line: int
    column: int
    end_line: int

    def to(self, last: Span) -> Span:
        """The stretch from the start of this span to the end of `last`."""
        return Span(self.start, last.end, self.line, self.column, last.end_line)


@dataclass(frozen=True)
class Node:
    """Anything with a place in the source."""

    span: Span


@dataclass(frozen=True)
class ObjectName(Node):
    """``server.database.schema.name``: 1 to 4 parts without quotes.

    A part that was left out is ``''`` (``db..t`` is ``("db", "", "t")``). Temp tables keep their
    ``#``, table variables their ``@``.
    """

    parts: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.parts[-1]

    @property
    def schema(self) -> str | None:
        return self._part(2)

    @property
    def database(self) -> str | None:
        return self._part(3)

    @property
    def server(self) -> str | None:
        return self._part(4)

    def _part(self, from_the_end: int) -> str | None:
        if len(self.parts) < from_the_end:
            return None
        return self.parts[-from_the_end] or None

    @property
    def key(self) -> tuple[str, ...]:
        """The parts, folded for comparison: T-SQL names are case-insensitive here."""
        return tuple(part.casefold() for part in self.parts)

    @property
    def is_temporary(self) -> bool:
        """A ``#temp`` table or an ``@table`` variable."""
        return self.name[:1] in ("#", "@")

    def __str__(self) -> str:
        return ".".join(self.parts)


@dataclass(frozen=True)
class TypeName(Node):
    """A type as written: ``decimal(18, 2)`` has name ``decimal`` and arguments ``("18", "2")``.

    `name` is lower case without schema ``sys``; ``max`` is an argument in lower case; a user type
    keeps its schema in `schema`. `text` is the source.
    """

    name: str
    arguments: tuple[str, ...]
    text: str
    schema: str | None = None


@dataclass(frozen=True)
class Expr(Node):
    """A scalar expression or a condition, unparsed.

    `text` is the source; ``expr.parsed`` its tree (`ParsedExpr`) or the reason there is none.
    `is_condition` tells a predicate (``IF``, ``WHILE``) from a value.
    """

    text: str
    is_condition: bool = False
    tokens: tuple[Token, ...] | None = field(default=None, repr=False, compare=False)

    @cached_property
    def parsed(self) -> ParsedExpr | LeafError:
        from core.tsql.leaves import parse_expr

        return parse_expr(self)


# --- statements -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Statement(Node):
    """The base of everything that can stand in a statement list."""


@dataclass(frozen=True)
class Unparsed(Statement):
    """Tokens nobody understood. `reason` is one sentence; `text` the source."""

    reason: str
    text: str


@dataclass(frozen=True)
class Block(Statement):
    """``BEGIN … END``. `atomic_options` are those of a native ``BEGIN ATOMIC WITH (…)``."""

    body: tuple[Statement, ...]
    atomic_options: str | None = None


@dataclass(frozen=True)
class If(Statement):
    """``IF condition then [ELSE otherwise]``; each branch is one statement (often a `Block`)."""

    condition: Expr
    then: Statement
    otherwise: Statement | None = None


@dataclass(frozen=True)
class While(Statement):
    condition: Expr
    body: Statement


@dataclass(frozen=True)
class Break(Statement):
    pass


@dataclass(frozen=True)
class Continue(Statement):
    pass


@dataclass(frozen=True)
class TryCatch(Statement):
    """``BEGIN TRY body END TRY BEGIN CATCH handler END CATCH``."""

    body: tuple[Statement, ...]
    handler: tuple[Statement, ...]


@dataclass(frozen=True)
class Return(Statement):
    value: Expr | None = None


@dataclass(frozen=True)
class Goto(Statement):
    label: str


@dataclass(frozen=True)
class Label(Statement):
    name: str


# --- variables ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Variable(Node):
    """One variable of a DECLARE: a scalar (`type`), a table (`table`) or a cursor (neither).

    `name` includes the ``@``. ``DECLARE @t dbo.SomeTableType`` is a `type` with a schema: only the
    catalog knows that it is a table.
    """

    name: str
    type: TypeName | None = None
    value: Expr | None = None
    table: TableBody | None = None

    @property
    def is_cursor(self) -> bool:
        return self.type is None and self.table is None


@dataclass(frozen=True)
class Declare(Statement):
    variables: tuple[Variable, ...]


@dataclass(frozen=True)
class SetVariable(Statement):
    """``SET @v = value``; `operator` is ``=`` or a compound one such as ``+=``.

    `cursor` is filled for ``SET @c = CURSOR … FOR select`` (then `value` is None); a method call
    ``SET @x.modify(…)`` is an `Unparsed` statement.
    """

    name: str
    operator: str
    value: Expr | None
    cursor: Cursor | None = None


@dataclass(frozen=True)
class SetOption(Statement):
    """``SET NOCOUNT ON``: `names` in upper case (``SET A, B ON`` has two), `value` as written.

    ``SET IDENTITY_INSERT t ON`` fills `target`. ``SET TRANSACTION ISOLATION LEVEL READ COMMITTED``
    has names ``("TRANSACTION ISOLATION LEVEL",)``.
    """

    names: tuple[str, ...]
    value: str
    target: ObjectName | None = None


@dataclass(frozen=True)
class SelectAssign(Statement):
    """``SELECT @a = …, @b = … [FROM …]``. The assignments are in ``leaf.parsed.assignments``."""

    leaf: Leaf


# --- leaves ---------------------------------------------------------------------------------------


class LeafKind(StrEnum):
    SELECT = "select"
    SELECT_INTO = "select_into"
    SELECT_ASSIGN = "select_assign"
    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"
    MERGE = "merge"
    TRUNCATE = "truncate"


@dataclass(frozen=True)
class Leaf(Statement):
    """A data statement with its CTEs, without the ``;``. ``leaf.parsed`` is its tree or the reason.

    ``INSERT … EXEC`` is not a leaf but an `InsertExec`.
    """

    kind: LeafKind
    text: str
    tokens: tuple[Token, ...] | None = field(default=None, repr=False, compare=False)

    @cached_property
    def parsed(self) -> ParsedLeaf | LeafError:
        from core.tsql.leaves import parse_leaf

        return parse_leaf(self)


# --- procedures called ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Argument(Node):
    """One argument of an EXEC. `value` is None for ``DEFAULT``; `name` includes the ``@``.

    A bare word (``EXEC p abc``) is the string ``abc`` in T-SQL: `value.text` is then ``'abc'``
    in quotes while the span still covers the bare word.
    """

    value: Expr | None
    name: str | None = None
    is_output: bool = False


@dataclass(frozen=True)
class Execute(Statement):
    """``EXEC [@return =] procedure arguments [WITH options]``.

    `procedure` is None when the name is in a variable (``EXEC @proc``): then `procedure_variable`.
    """

    procedure: ObjectName | None
    arguments: tuple[Argument, ...] = ()
    return_variable: str | None = None
    procedure_variable: str | None = None
    options: str | None = None


@dataclass(frozen=True)
class ExecuteString(Statement):
    """``EXEC ('…' + @sql) [AT server]``; `sql` is the concatenation inside the parentheses."""

    sql: Expr
    at_server: str | None = None
    as_user: str | None = None
    arguments: tuple[Argument, ...] = ()


@dataclass(frozen=True)
class ExecuteSql(Statement):
    """``EXEC sp_executesql @stmt, N'@p int', @p = 1``.

    `parameters` is the declaration string, `arguments` what is passed for them.
    """

    sql: Expr
    parameters: Expr | None = None
    arguments: tuple[Argument, ...] = ()
    return_variable: str | None = None


@dataclass(frozen=True)
class InsertExec(Statement):
    """``INSERT [INTO] target [(columns)] EXEC …``."""

    target: ObjectName
    columns: tuple[str, ...]
    execute: Execute | ExecuteString | ExecuteSql


# --- messages and errors --------------------------------------------------------------------------


@dataclass(frozen=True)
class Print(Statement):
    value: Expr


@dataclass(frozen=True)
class Throw(Statement):
    """``THROW number, message, state``, or all None for the re-raising ``THROW``."""

    number: Expr | None = None
    message: Expr | None = None
    state: Expr | None = None


@dataclass(frozen=True)
class RaiseError(Statement):
    """``RAISERROR(message, severity, state, arguments…) WITH options`` (options in upper case).

    `number` is that of the old form ``RAISERROR 50001 'text'``, whose severity is 16.
    """

    number: Expr | None = field(default=None, kw_only=True)
    message: Expr
    severity: Expr | None = None
    state: Expr | None = None
    arguments: tuple[Expr, ...] = ()
    options: tuple[str, ...] = ()


# --- transactions ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class BeginTransaction(Statement):
    name: str | None = None
    mark: Expr | None = None


@dataclass(frozen=True)
class CommitTransaction(Statement):
    name: str | None = None


@dataclass(frozen=True)
class RollbackTransaction(Statement):
    name: str | None = None


@dataclass(frozen=True)
class SaveTransaction(Statement):
    name: str


# --- cursors --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cursor(Node):
    """The right side of a cursor declaration: options in upper case and the query behind FOR."""

    options: tuple[str, ...]
    query: Leaf
    for_update: bool = False
    update_columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class DeclareCursor(Statement):
    name: str
    cursor: Cursor


@dataclass(frozen=True)
class OpenCursor(Statement):
    name: str


@dataclass(frozen=True)
class Fetch(Statement):
    """``FETCH [NEXT|PRIOR|FIRST|LAST|ABSOLUTE n|RELATIVE n] [FROM] cursor [INTO @a, @b]``."""

    cursor: str
    direction: str = "NEXT"
    offset: Expr | None = None
    into: tuple[str, ...] = ()


@dataclass(frozen=True)
class CloseCursor(Statement):
    name: str


@dataclass(frozen=True)
class DeallocateCursor(Statement):
    name: str


# --- tables and other objects ---------------------------------------------------------------------


@dataclass(frozen=True)
class Identity(Node):
    seed: int = 1
    increment: int = 1


@dataclass(frozen=True)
class ColumnDefinition(Node):
    """One column. `nullable` is None when neither NULL nor NOT NULL is written.

    A computed column has `computed` and no `type`. `references` is the table of an inline foreign
    key; `other` are clauses kept as text (ROWGUIDCOL, MASKED …). `constraint_names` are pairs of a
    kind (``check``, ``key``, ``references``, ``default``) and the name behind CONSTRAINT.
    """

    name: str
    type: TypeName | None
    nullable: bool | None = None
    identity: Identity | None = None
    default: Expr | None = None
    computed: Expr | None = None
    persisted: bool = False
    collation: str | None = None
    primary_key: bool = False
    unique: bool = False
    check: Expr | None = None
    references: ObjectName | None = None
    other: tuple[str, ...] = ()
    referenced_columns: tuple[str, ...] = ()
    on_delete: str = ""
    on_update: str = ""
    constraint_names: tuple[tuple[str, str], ...] = ()


class ConstraintKind(StrEnum):
    PRIMARY_KEY = "primary_key"
    UNIQUE = "unique"
    FOREIGN_KEY = "foreign_key"
    CHECK = "check"
    DEFAULT = "default"
    INDEX = "index"
    PERIOD = "period"


@dataclass(frozen=True)
class TableConstraint(Node):
    """A table-level constraint or inline index; `columns` in key order.

    `on_delete` and `on_update` of a foreign key are ``CASCADE``, ``SET NULL``, ``SET DEFAULT`` or
    empty (no action).
    """

    kind: ConstraintKind
    columns: tuple[str, ...] = ()
    name: str | None = None
    references: ObjectName | None = None
    referenced_columns: tuple[str, ...] = ()
    expression: Expr | None = None
    on_delete: str = ""
    on_update: str = ""


@dataclass(frozen=True)
class TableBody(Node):
    """What stands between the parentheses of CREATE TABLE, a table variable or a returned table."""

    columns: tuple[ColumnDefinition, ...]
    constraints: tuple[TableConstraint, ...] = ()

    @property
    def keys(self) -> tuple[tuple[str, ...], ...]:
        """The columns of every primary key and unique constraint."""
        return tuple(
            constraint.columns
            for constraint in self.constraints
            if constraint.kind in (ConstraintKind.PRIMARY_KEY, ConstraintKind.UNIQUE)
        ) + tuple((column.name,) for column in self.columns if column.primary_key or column.unique)

    @property
    def primary_key(self) -> tuple[str, ...]:
        """Key columns, from a column or a table constraint; empty without a primary key."""
        for constraint in self.constraints:
            if constraint.kind is ConstraintKind.PRIMARY_KEY:
                return constraint.columns
        return tuple(column.name for column in self.columns if column.primary_key)


@dataclass(frozen=True)
class CreateTable(Statement):
    """``CREATE TABLE``. ``CREATE TABLE … AS SELECT`` has `query` and a body without columns."""

    name: ObjectName
    body: TableBody
    options: str | None = None
    query: Leaf | None = None


@dataclass(frozen=True)
class DropTable(Statement):
    names: tuple[ObjectName, ...]
    if_exists: bool = False


@dataclass(frozen=True)
class AlterTable(Statement):
    """``ALTER TABLE``: what is understood is in `add`/`drop_columns`/`action`, all of it in `text`.

    `action` is one of ``ADD``, ``DROP COLUMN``, ``DROP CONSTRAINT``, ``ALTER COLUMN``, ``SWITCH``,
    ``CHECK``, ``NOCHECK``, ``ENABLE``, ``DISABLE``, ``REBUILD``, ``SET`` or ``OTHER``.
    """

    name: ObjectName
    action: str
    text: str
    add: TableBody | None = None
    drop_columns: tuple[str, ...] = ()
    alter_column: ColumnDefinition | None = None


class IndexAction(StrEnum):
    CREATE = "create"
    DROP = "drop"
    ALTER = "alter"


@dataclass(frozen=True)
class IndexStatement(Statement):
    """CREATE, DROP or ALTER INDEX (columnstore too). `is_unique` matters for CREATE only."""

    action: IndexAction
    text: str
    table: ObjectName | None = None
    name: str | None = None
    columns: tuple[str, ...] = ()
    is_unique: bool = False


@dataclass(frozen=True)
class SideStatement(Statement):
    """A statement that changes no row of a project table: WAITFOR, USE, DBCC, GRANT, UPDATE
    STATISTICS, CREATE STATISTICS, CHECKPOINT, sp_ calls are `Execute` …

    `kind` is its leading words in upper case (``"UPDATE STATISTICS"``), `text` the source.
    """

    kind: str
    text: str
    target: ObjectName | None = None


@dataclass(frozen=True)
class OtherDefinition(Statement):
    """CREATE/ALTER/DROP of an object that is neither table, index, view, procedure nor function.

    `kind` is e.g. ``"CREATE SCHEMA"``, ``"DROP PROCEDURE"``, ``"CREATE SEQUENCE"``.
    """

    kind: str
    name: ObjectName | None
    text: str


# --- modules --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Parameter(Node):
    """One parameter of a procedure or function. `name` includes the ``@``."""

    name: str
    type: TypeName
    default: Expr | None = None
    is_output: bool = False
    is_readonly: bool = False
    is_varying: bool = False
    nullable: bool | None = None


class DefinitionVerb(StrEnum):
    CREATE = "CREATE"
    ALTER = "ALTER"
    CREATE_OR_ALTER = "CREATE OR ALTER"


@dataclass(frozen=True)
class CreateProcedure(Statement):
    """A procedure with its body, a statement list.

    A body written as one ``BEGIN … END`` is a tuple with one `Block`; statements that follow that
    END in the same batch are part of the procedure for SQL Server but are nearly always a test call
    left in the file: they are in `trailing`, in the order of the source, and `body` holds only the
    block. Use ``procedure.all_statements`` for what SQL Server would execute. `lines_before` is the
    number of lines of the file before the procedure's batch, from which ERROR_LINE counts.
    """

    name: ObjectName
    parameters: tuple[Parameter, ...]
    body: tuple[Statement, ...]
    verb: DefinitionVerb = DefinitionVerb.CREATE
    options: tuple[str, ...] = ()
    group_number: int | None = None
    for_replication: bool = False
    trailing: tuple[Statement, ...] = ()
    lines_before: int = 0

    @property
    def all_statements(self) -> tuple[Statement, ...]:
        return self.body + self.trailing


class FunctionKind(StrEnum):
    SCALAR = "scalar"
    INLINE_TABLE = "inline_table"
    TABLE = "table"
    EXTERNAL = "external"


@dataclass(frozen=True)
class CreateFunction(Statement):
    """A function. SCALAR has `returns` and a `body`; INLINE_TABLE a `query`; the multi-statement
    TABLE has a `body`, the `table_variable` it returns and its `table`.
    """

    name: ObjectName
    parameters: tuple[Parameter, ...]
    kind: FunctionKind
    verb: DefinitionVerb = DefinitionVerb.CREATE
    returns: TypeName | None = None
    body: tuple[Statement, ...] = ()
    query: Leaf | None = None
    table_variable: str | None = None
    table: TableBody | None = None
    options: tuple[str, ...] = ()
    lines_before: int = 0


@dataclass(frozen=True)
class CreateView(Statement):
    name: ObjectName
    columns: tuple[str, ...]
    query: Leaf
    verb: DefinitionVerb = DefinitionVerb.CREATE
    options: tuple[str, ...] = ()
    with_check_option: bool = False


@dataclass(frozen=True)
class CreateTrigger(Statement):
    """A DML trigger (`table` is its target) or a DDL trigger (`table` is None)."""

    name: ObjectName
    table: ObjectName | None
    timing: str
    events: tuple[str, ...]
    body: tuple[Statement, ...]
    verb: DefinitionVerb = DefinitionVerb.CREATE
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class CreateType(Statement):
    """``CREATE TYPE name AS TABLE (…)`` or ``CREATE TYPE name FROM base``."""

    name: ObjectName
    table: TableBody | None = None
    base: TypeName | None = None


# --- scripts --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Batch(Node):
    """The statements between two GO lines. `repeat` is the count of ``GO 5``.

    `lines_before` is the number of lines of the file before it, up to and with the GO line.
    """

    statements: tuple[Statement, ...]
    repeat: int = 1
    lines_before: int = 0


@dataclass(frozen=True)
class Script(Node):
    """A whole file. `sqlcmd` are the lines only sqlcmd understands (``:setvar``, ``:r``)."""

    source: str = field(repr=False)
    batches: tuple[Batch, ...]
    sqlcmd: tuple[Span, ...] = ()

    @property
    def statements(self) -> tuple[Statement, ...]:
        return tuple(s for batch in self.batches for s in batch.statements)

    @property
    def procedures(self) -> tuple[CreateProcedure, ...]:
        return tuple(s for s in self.statements if isinstance(s, CreateProcedure))

    def text_of(self, node: Node) -> str:
        return self.source[node.span.start : node.span.end]


# --- walking --------------------------------------------------------------------------------------


def children(node: Node) -> Iterator[Node]:
    """The direct children of a node in the order of its fields, which is source order."""
    for spec in fields(node):
        value: Any = getattr(node, spec.name)
        if isinstance(value, Node):
            yield value
        elif isinstance(value, tuple):
            for item in value:
                if isinstance(item, Node):
                    yield item


def walk(node: Node) -> Iterator[Node]:
    """`node` and everything below it, parents first. Iterative, so depth costs no stack."""
    pending = [node]
    while pending:
        current = pending.pop()
        yield current
        pending.extend(reversed(list(children(current))))


def statements(node: Node) -> Iterator[Statement]:
    """Every statement at or below `node`, blocks and branches included, parents first."""
    return (found for found in walk(node) if isinstance(found, Statement))
