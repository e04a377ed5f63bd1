"""Leaf statements: from tokens to `ParsedLeaf`."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from core.tsql.errors import LeafError, TsqlError
from core.tsql.leaves import ParsedExpr, ParsedLeaf, Target
from core.tsql.leaves_cut import NOTHING, Cutter, Range
from core.tsql.leaves_merge import merge
from core.tsql.leaves_parts import (
    assignments,
    output_clause,
    table_of,
    take_target,
    target_in,
    top_clause,
    with_scalars,
)
from core.tsql.leaves_query import QueryText, Refused, parsed, remote_names, table_hints
from core.tsql.leaves_text import LeafSource, LeafText
from core.tsql.nodes import Expr, Leaf, LeafKind, Span
from core.tsql.tokens import TokenKind, string_value

#: The construct of a refusal that no rule foresaw: a defect of this package, or a tree of broken
#: input with a hole where a node is expected. It never occurs on text that SQL Server accepts.
INTERNAL = "internal"

_HOLES = (AttributeError, TypeError, ValueError, KeyError, IndexError, RecursionError)

#: The name under which the inner statement of INSERT … SELECT FROM (MERGE … OUTPUT …) stands.
NESTED = "__nested_dml__"
_DML = ("MERGE", "UPDATE", "DELETE", "INSERT")


def leaf_from_tokens(leaf: Leaf) -> ParsedLeaf | LeafError:
    """Entry point of ``leaf.parsed``."""
    try:
        return _parse(leaf)
    except Refused as error:
        return LeafError(error.message, error.line, error.column, error.construct)
    except TsqlError as error:
        return LeafError(error.message, error.line, error.column, "syntax")
    except _HOLES as error:
        return _internal(error, leaf.span)


def expression_from_tokens(expr: Expr) -> ParsedExpr | LeafError:
    """Entry point of ``expr.parsed``."""
    simple = _simple(expr)
    if simple is not None:
        return ParsedExpr(simple, expr.span.line)
    source = LeafSource.of(expr)
    query = QueryText(source)
    everything = (0, len(source.tokens))
    try:
        if not source.tokens:
            raise Refused("there is no expression here", "expression", expr.span.line)
        if expr.is_condition:
            query.condition(*everything)
        else:
            query.value(*everything)
        return ParsedExpr(query.parse()[1][0], expr.span.line)
    except Refused as error:
        return LeafError(error.message, error.line, error.column, error.construct)
    except _HOLES as error:
        return _internal(error, expr.span)


def _internal(error: Exception, span: Span) -> LeafError:
    """A refusal that is a gap of this package, told from those that are about the source."""
    reason = f"this cannot be read ({type(error).__name__})"
    return LeafError(reason, span.line, span.column, INTERNAL)


def _simple(expr: Expr) -> exp.Expr | None:
    """The tree of a lone variable or constant: half of all expressions, not worth a parser."""
    if expr.tokens is None or len(expr.tokens) != 1 or expr.is_condition:
        return None
    token = expr.tokens[0]
    if token.kind is TokenKind.VARIABLE and token.text[:2] != "@@" and len(token.text) > 1:
        return exp.Parameter(this=exp.Var(this=token.text[1:]))
    if token.kind is TokenKind.NUMBER and token.text.isdecimal():
        return exp.Literal.number(token.text)
    if token.kind is TokenKind.STRING and token.text[0] == "'":
        return exp.Literal.string(string_value(token))
    return exp.Null() if token.upper == "NULL" else None


def _parse(leaf: Leaf) -> ParsedLeaf:
    cutter = Cutter(LeafSource.of(leaf))
    if cutter.at_end:
        raise Refused("there is no statement here", "syntax", leaf.span.line)
    if cutter.at("WITH", "XMLNAMESPACES"):
        raise cutter.refuse("XML namespaces are not supported", "WITH XMLNAMESPACES")
    if leaf.kind is LeafKind.TRUNCATE:
        return _truncate(cutter)
    cutter.take_ctes()
    match leaf.kind:
        case LeafKind.INSERT:
            return _insert(cutter)
        case LeafKind.UPDATE:
            return _update(cutter)
        case LeafKind.DELETE:
            return _delete(cutter)
        case LeafKind.MERGE:
            return merge(cutter)
        case LeafKind.SELECT_ASSIGN:
            return _select_assign(cutter)
        case _:
            return _select(cutter, leaf.kind)


# --- SELECT ---


def _query(cutter: Cutter, body: Range) -> exp.Query | exp.Values:
    """The tree of a query at `body`, with the CTEs in front of it."""
    text = LeafText(cutter.leaf)
    text.tokens(*cutter.ctes)
    text.tokens(*body)
    tree = parsed(text)
    while isinstance(tree, exp.Subquery) and tree.is_wrapper:
        tree = tree.this
    if not isinstance(tree, (exp.Query, exp.Values)):
        raise cutter.refuse("expected a query", "syntax")
    return tree


def _select(cutter: Cutter, kind: LeafKind) -> ParsedLeaf:
    body = cutter.until("OPTION")
    options = cutter.option_clause()
    cutter.expect_end()
    query, target = _query(cutter, body), None
    first: exp.Expr = query
    while isinstance(first, exp.SetOperation):
        first = first.this
    into = first.args.get("into")
    if into is not None:
        target = Target(into.this.pop())
        first.set("into", None)
    if (kind is LeafKind.SELECT_INTO) != (target is not None):
        raise cutter.refuse("INTO is not where it can be read", "SELECT INTO")
    if target is not None and any(_is_identity(item) for item in query.selects):
        raise cutter.refuse(
            "IDENTITY(…) numbers the rows of SELECT INTO in an order that is not defined",
            "IDENTITY()",
        )
    return ParsedLeaf(
        kind,
        query,
        target,
        hints=table_hints([query]),
        options=options,
        for_xml=query.meta.get("tsql_for_xml"),
        remote=remote_names([query]),
        line=cutter.leaf.line,
    )


def _is_identity(item: exp.Expr) -> bool:
    call = item.unalias()
    return isinstance(call, exp.Anonymous) and call.name.upper() == "IDENTITY"


def _select_assign(cutter: Cutter) -> ParsedLeaf:
    """``SELECT [TOP …] @a = x, @b += y FROM …``: the values become the select list."""
    first = cutter.position
    cutter.expect("SELECT")
    while cutter.at_any("ALL", "DISTINCT"):
        cutter.position += 1
    top_clause(cutter)
    start = cutter.position
    head = (first, start)
    within = cutter.until("FROM", "WHERE", "GROUP", "HAVING", "ORDER", "UNION", "FOR", "OPTION")
    items = assignments(cutter, within)
    cutter.position = within[1]
    if any(item.variable is None or item.column is not None for item in items):
        raise cutter.refuse(
            "a SELECT that assigns variables may not return columns", "SELECT @v = and columns"
        )
    rest = cutter.until("OPTION")
    options = cutter.option_clause()
    cutter.expect_end()
    text = LeafText(cutter.leaf)
    text.tokens(*cutter.ctes)
    text.tokens(*head)
    for number, item in enumerate(items):
        text.word(", (" if number else "(")
        text.tokens(*item.value)
        text.word(")")
    text.tokens(*rest)
    query = parsed(text)
    if not isinstance(query, exp.Select) or len(query.expressions) != len(items):
        raise cutter.refuse("cannot read these assignments", "SELECT @v =")
    values = [node.this if isinstance(node, exp.Paren) else node for node in query.expressions]
    query.set("expressions", values)
    pairs = zip(items, query.expressions, strict=True)
    return ParsedLeaf(
        LeafKind.SELECT_ASSIGN,
        query,
        assignments=tuple(item.parsed(value) for item, value in pairs),
        hints=table_hints([query]),
        options=options,
        for_xml=query.meta.get("tsql_for_xml"),
        remote=remote_names([query]),
        line=cutter.leaf.line,
    )


# --- TRUNCATE, INSERT ---


def _truncate(cutter: Cutter) -> ParsedLeaf:
    cutter.expect("TRUNCATE", "TABLE")
    target = Target(table_of(cutter.object_name()))
    if not cutter.at_end:
        raise cutter.refuse("TRUNCATE of single partitions is not supported", "TRUNCATE WITH")
    return ParsedLeaf(LeafKind.TRUNCATE, target=target, line=cutter.leaf.line)


def _insert(cutter: Cutter) -> ParsedLeaf:
    cutter.expect("INSERT")
    top = top_clause(cutter)
    cutter.accept("INTO")
    name = take_target(cutter)
    hints = cutter.hints()
    columns: tuple[str, ...] = ()
    if cutter.kind() is TokenKind.OPEN and not _opens_query(cutter):
        columns = cutter.names_in_parens()
    output = output_clause(cutter, "SELECT", "VALUES", "DEFAULT")
    query: exp.Query | exp.Values | None = None
    nested: ParsedLeaf | None = None
    options: tuple[str, ...] = ()
    if not cutter.accept("DEFAULT", "VALUES"):
        nested = _nested_dml(cutter)
        body = cutter.until("OPTION")
        options = cutter.option_clause()
        query = _insert_source(cutter, body, nested)
    cutter.expect_end()
    target = Target(table_of(name), None, columns, hints=hints)
    trees: list[exp.Expr] = [query] if query is not None else []
    return ParsedLeaf(
        LeafKind.INSERT,
        query,
        target,
        nested=nested,
        top=top.parsed(cutter) if top else None,
        output=output,
        hints=tuple(dict.fromkeys(hints + table_hints(trees))),
        options=options,
        for_xml=query.meta.get("tsql_for_xml") if query is not None else None,
        remote=remote_names(trees),
        line=cutter.leaf.line,
    )


def _opens_query(cutter: Cutter) -> bool:
    ahead = 1
    while cutter.kind(ahead) is TokenKind.OPEN:
        ahead += 1
    return cutter.upper(ahead) in ("SELECT", "VALUES", "WITH")


def _insert_source(
    cutter: Cutter, body: Range, nested: ParsedLeaf | None
) -> exp.Query | exp.Values:
    if nested is None:
        return _query(cutter, body)
    opening = _nested_position(cutter, body)
    text = LeafText(cutter.leaf)
    text.tokens(*cutter.ctes)
    text.tokens(body[0], opening)
    text.word(NESTED)
    text.tokens(cutter.match[opening] + 1, body[1])
    tree = parsed(text)
    if not isinstance(tree, exp.Query):
        raise cutter.refuse("expected a query", "syntax")
    return tree


def _nested_position(cutter: Cutter, body: Range) -> int:
    for index in range(*body):
        if (
            cutter.match[index] >= 0
            and index + 1 < body[1]
            and cutter.tokens[index + 1].upper in _DML
            and cutter.tokens[index - 1].upper in ("FROM", ",", "JOIN")
        ):
            return index
    return -1


def _nested_dml(cutter: Cutter) -> ParsedLeaf | None:
    """The statement inside ``FROM (MERGE … OUTPUT …) AS x``, if there is one."""
    body = (cutter.position, len(cutter.tokens))
    opening = _nested_position(cutter, body)
    if opening < 0:
        return None
    inner = cutter.tokens[opening + 1 : cutter.match[opening]]
    source = cutter.leaf
    line, column = source.position(inner[0].start)
    span = Span(source.base + inner[0].start, source.base + inner[-1].end, line, column, line)
    text = source.text[inner[0].start : inner[-1].end]
    kind = LeafKind(inner[0].upper.lower())
    moved = tuple(token._replace(start=token.start + source.base) for token in inner)
    return _parse(Leaf(span, kind, text, moved))


# --- UPDATE, DELETE ---


def _update(cutter: Cutter) -> ParsedLeaf:
    cutter.expect("UPDATE")
    top = top_clause(cutter)
    name = take_target(cutter)
    hints = cutter.hints()
    cutter.expect("SET")
    set_list = cutter.until("OUTPUT", "FROM", "WHERE", "OPTION")
    sets = assignments(cutter, set_list)
    cutter.position = set_list[1]
    output = output_clause(cutter, "FROM", "WHERE", "OPTION")
    table, where, options = _from_where_option(cutter)
    rows, assigned = with_scalars(cutter, sets, table, where)
    target = target_in(rows, name, cutter, hints)
    return ParsedLeaf(
        LeafKind.UPDATE,
        rows,
        target,
        assigned,
        top=top.parsed(cutter) if top else None,
        output=output,
        hints=tuple(dict.fromkeys(hints + table_hints([rows]))),
        options=options,
        remote=remote_names([rows]),
        line=cutter.leaf.line,
    )


def _from_where_option(cutter: Cutter) -> tuple[Range, Range, tuple[str, ...]]:
    table = where = NOTHING
    if cutter.accept("FROM"):
        table = cutter.until("WHERE", "OPTION")
    if cutter.at("WHERE", "CURRENT", "OF"):
        raise cutter.refuse("this writes the row of a cursor", "WHERE CURRENT OF")
    if cutter.accept("WHERE"):
        where = cutter.until("OPTION")
    options = cutter.option_clause()
    cutter.expect_end()
    return table, where, options


def _delete(cutter: Cutter) -> ParsedLeaf:
    cutter.expect("DELETE")
    top = top_clause(cutter)
    cutter.accept("FROM")
    name = take_target(cutter)
    hints = cutter.hints()
    output = output_clause(cutter, "FROM", "WHERE", "OPTION")
    table, where, options = _from_where_option(cutter)
    rows, _ = with_scalars(cutter, [], table, where)
    target = target_in(rows, name, cutter, hints)
    parsed_leaf = ParsedLeaf(
        LeafKind.DELETE,
        rows,
        target,
        top=top.parsed(cutter) if top else None,
        output=output,
        options=options,
        remote=remote_names([rows]),
        line=cutter.leaf.line,
    )
    return replace(parsed_leaf, hints=tuple(dict.fromkeys(hints + table_hints([rows]))))
