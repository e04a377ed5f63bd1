"""Column and constraint definitions, as in CREATE TABLE, table variables, returned tables."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.tsql.nodes import (
    ColumnDefinition,
    ConstraintKind,
    Expr,
    Identity,
    ObjectName,
    TableBody,
    TableConstraint,
    TypeName,
)
from core.tsql.stream import Stream
from core.tsql.tokens import TokenKind
from core.tsql.type_names import type_name

_CLUSTERING = ("CLUSTERED", "NONCLUSTERED", "HASH", "COLUMNSTORE")


def table_body(stream: Stream) -> TableBody:
    """The parenthesised list of columns, constraints and inline indexes."""
    first = stream.position
    close = stream.match[first] if stream.kind() is TokenKind.OPEN else -1
    if close < 0:
        raise stream.stuck("expected column definitions in parentheses")
    stream.position += 1
    columns, constraints = definitions(stream)
    if stream.position != close:
        raise stream.stuck("cannot read this column definition")
    stream.position += 1
    return TableBody(stream.span(first), columns, constraints)


def definitions(
    stream: Stream,
) -> tuple[tuple[ColumnDefinition, ...], tuple[TableConstraint, ...]]:
    """Columns and constraints with commas between them."""
    columns: list[ColumnDefinition] = []
    constraints: list[TableConstraint] = []
    while not stream.at_end and stream.kind() is not TokenKind.CLOSE:
        if _at_constraint(stream):
            constraints.append(_table_constraint(stream))
        else:
            columns.append(column_definition(stream))
        if stream.kind() is TokenKind.COMMA:
            stream.position += 1
        elif not _at_constraint(stream):
            break
    return tuple(columns), tuple(constraints)


# --- columns ---


@dataclass
class _Column:
    """What has been read of a column so far."""

    type: TypeName | None = None
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
    referenced_columns: tuple[str, ...] = ()
    actions: tuple[str, str] = ("", "")
    other: list[str] = field(default_factory=list)
    name: str | None = None
    names: list[tuple[str, str]] = field(default_factory=list)

    def named(self, kind: str) -> None:
        """The name behind the last CONSTRAINT belongs to what was just read."""
        if self.name is not None:
            self.names.append((kind, self.name))
            self.name = None


def column_definition(stream: Stream) -> ColumnDefinition:
    first = stream.position
    name = stream.name()
    column = _Column()
    if stream.accept("AS"):
        column.computed = _computed(stream)
        column.persisted = stream.accept("PERSISTED")
    elif name.casefold() == "timestamp" and stream.kind() in (TokenKind.COMMA, TokenKind.CLOSE):
        column.type = TypeName(stream.span(first), "timestamp", (), stream.text(first))
    else:
        column.type = type_name(stream)
    while _column_clause(stream, column):
        pass
    return ColumnDefinition(
        stream.span(first),
        name,
        column.type,
        column.nullable,
        column.identity,
        column.default,
        column.computed,
        column.persisted,
        column.collation,
        column.primary_key,
        column.unique,
        column.check,
        column.references,
        tuple(column.other),
        column.referenced_columns,
        *column.actions,
        tuple(column.names),
    )


def _computed(stream: Stream) -> Expr:
    return stream.expression("PERSISTED", "NOT", "CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK")


def _column_clause(stream: Stream, column: _Column) -> bool:
    """Read one clause behind a column's type; False when there is none."""
    if stream.accept("NOT", "NULL"):
        column.nullable = False
    elif stream.accept("NULL"):
        column.nullable = True
    elif stream.at("IDENTITY"):
        column.identity = _identity(stream)
    elif stream.accept("DEFAULT"):
        column.default = default_value(stream)
        column.named("default")
        stream.accept("WITH", "VALUES")
    elif stream.accept("COLLATE"):
        column.collation = stream.name()
    elif stream.accept("CONSTRAINT"):
        column.name = stream.name()
    else:
        return _key_clause(stream, column) or _rare_clause(stream, column)
    return True


def _identity(stream: Stream) -> Identity:
    first = stream.position
    stream.position += 1
    seed, increment = 1, 1
    if stream.kind() is TokenKind.OPEN:
        inside = stream.skip_parens()[1:-1].split(",")
        try:
            seed = int(inside[0])
            increment = int(inside[1]) if len(inside) > 1 else 1
        except ValueError:
            raise stream.stuck("IDENTITY needs two whole numbers") from None
    stream.accept("NOT", "FOR", "REPLICATION")
    return Identity(stream.span(first), seed, increment)


def default_value(stream: Stream) -> Expr:
    """A constant, a call or a parenthesised expression; stops before the next column clause."""
    first = stream.position
    _operand(stream)
    while stream.kind() is TokenKind.OPERATOR:
        stream.position += 1
        _operand(stream)
    end, stream.position = stream.position, first
    return stream.expression_to(end)


def _operand(stream: Stream) -> None:
    while stream.at_any("-", "+", "~"):
        stream.position += 1
    if stream.accept("NEXT", "VALUE", "FOR"):
        stream.object_name()
        return
    if stream.kind() is TokenKind.OPEN:
        stream.skip_parens()
        return
    stream.take()
    while stream.kind() is TokenKind.DOT:
        stream.position += 1
        stream.take()
    if stream.kind() is TokenKind.OPEN:
        stream.skip_parens()


def _key_clause(stream: Stream, column: _Column) -> bool:
    if stream.accept("PRIMARY", "KEY"):
        column.primary_key = True
        column.named("key")
        _index_options(stream, with_columns=True)
    elif stream.accept("UNIQUE"):
        column.unique = True
        column.named("key")
        _index_options(stream, with_columns=True)
    elif stream.accept("CHECK"):
        stream.accept("NOT", "FOR", "REPLICATION")
        column.check = _check(stream)
        column.named("check")
    elif stream.at("FOREIGN", "KEY") or stream.at("REFERENCES"):
        stream.accept("FOREIGN", "KEY")
        column.references, column.referenced_columns, column.actions = _references(stream)
        column.named("references")
    else:
        return False
    return True


def _check(stream: Stream) -> Expr:
    close = stream.match[stream.position] if stream.kind() is TokenKind.OPEN else -1
    if close < 0:
        raise stream.stuck("expected a condition in parentheses")
    return stream.expression_to(close + 1, is_condition=True)


def _references(stream: Stream) -> tuple[ObjectName, tuple[str, ...], tuple[str, str]]:
    """The referenced table, its columns, and what ON DELETE and ON UPDATE do."""
    stream.expect("REFERENCES")
    table = stream.object_name()
    columns = stream.names_in_parens() if stream.kind() is TokenKind.OPEN else ()
    actions = {"DELETE": "", "UPDATE": ""}
    while stream.at("ON", "DELETE") or stream.at("ON", "UPDATE"):
        event = stream.upper(1)
        stream.position += 2
        if stream.accept("CASCADE"):
            actions[event] = "CASCADE"
        elif not stream.accept("NO", "ACTION"):
            stream.expect("SET")
            actions[event] = f"SET {stream.upper()}"
            stream.take()
    stream.accept("NOT", "FOR", "REPLICATION")
    return table, columns, (actions["DELETE"], actions["UPDATE"])


_RARE_WORDS = ("ROWGUIDCOL", "SPARSE", "FILESTREAM", "HIDDEN", "PERSISTED")


def _rare_clause(stream: Stream, column: _Column) -> bool:
    first = stream.position
    if stream.at_any(*_RARE_WORDS):
        stream.position += 1
    elif stream.accept("GENERATED", "ALWAYS", "AS"):
        stream.take()
        stream.take()
    elif stream.accept("MASKED", "WITH") or stream.accept("ENCRYPTED", "WITH"):
        stream.skip_parens()
    elif stream.accept("INDEX"):
        stream.name()
        _index_options(stream, with_columns=False)
    else:
        return False
    column.other.append(stream.text(first))
    return True


def _index_options(stream: Stream, *, with_columns: bool) -> None:
    """Clustering, key columns of an inline key, WITH (…), ON filegroup."""
    while stream.at_any(*_CLUSTERING):
        stream.position += 1
    if with_columns and stream.kind() is TokenKind.OPEN:
        stream.skip_parens()
    if stream.accept("WITH"):
        if stream.accept("FILLFACTOR"):
            stream.expect("=")
            stream.take()
        else:
            stream.skip_parens()
    if stream.at("ON") and stream.upper(1) not in ("DELETE", "UPDATE"):
        stream.position += 1
        stream.name()
        if stream.kind() is TokenKind.OPEN:
            stream.skip_parens()
    if not stream.accept("NOT", "ENFORCED"):
        stream.accept("ENFORCED")


# --- table constraints ---

_CONSTRAINT_STARTS = (
    ("CONSTRAINT",),
    ("PRIMARY", "KEY"),
    ("UNIQUE",),
    ("FOREIGN", "KEY"),
    ("CHECK",),
    ("PERIOD", "FOR"),
)


def _at_constraint(stream: Stream) -> bool:
    if stream.at("INDEX") and stream.kind(1) in (TokenKind.WORD, TokenKind.QUOTED):
        # A column may be called Index only in brackets: INDEX is reserved.
        return True
    return any(stream.at(*words) for words in _CONSTRAINT_STARTS) or (
        stream.at("DEFAULT") and stream.kind() is TokenKind.WORD
    )


def _table_constraint(stream: Stream) -> TableConstraint:
    first = stream.position
    name = stream.name() if stream.accept("CONSTRAINT") else None
    if stream.accept("PRIMARY", "KEY"):
        return _key_constraint(stream, first, name, ConstraintKind.PRIMARY_KEY)
    if stream.accept("UNIQUE"):
        return _key_constraint(stream, first, name, ConstraintKind.UNIQUE)
    if stream.accept("INDEX"):
        return _inline_index(stream, first)
    if stream.accept("FOREIGN", "KEY"):
        columns = stream.names_in_parens()
        table, referenced, (on_delete, on_update) = _references(stream)
        return TableConstraint(
            stream.span(first),
            ConstraintKind.FOREIGN_KEY,
            columns,
            name,
            table,
            referenced,
            on_delete=on_delete,
            on_update=on_update,
        )
    if stream.accept("CHECK"):
        stream.accept("NOT", "FOR", "REPLICATION")
        check = _check(stream)
        return TableConstraint(stream.span(first), ConstraintKind.CHECK, (), name, expression=check)
    if stream.accept("DEFAULT"):
        value = default_value(stream)
        stream.expect("FOR")
        column = stream.name()
        stream.accept("WITH", "VALUES")
        return TableConstraint(
            stream.span(first), ConstraintKind.DEFAULT, (column,), name, expression=value
        )
    if stream.accept("PERIOD", "FOR", "SYSTEM_TIME"):
        columns = stream.names_in_parens()
        return TableConstraint(stream.span(first), ConstraintKind.PERIOD, columns, name)
    raise stream.stuck("cannot read this constraint")


def _key_constraint(
    stream: Stream, first: int, name: str | None, kind: ConstraintKind
) -> TableConstraint:
    while stream.at_any(*_CLUSTERING):
        stream.position += 1
    columns = stream.names_in_parens()
    _index_options(stream, with_columns=False)
    return TableConstraint(stream.span(first), kind, columns, name)


def _inline_index(stream: Stream, first: int) -> TableConstraint:
    name = stream.name()
    stream.accept("UNIQUE")
    while stream.at_any(*_CLUSTERING):
        stream.position += 1
    columns = stream.names_in_parens() if stream.kind() is TokenKind.OPEN else ()
    if stream.accept("INCLUDE"):
        stream.skip_parens()
    if stream.accept("WHERE"):
        stream.expression("WITH", "ON", is_condition=True)
    _index_options(stream, with_columns=False)
    return TableConstraint(stream.span(first), ConstraintKind.INDEX, columns, name)
