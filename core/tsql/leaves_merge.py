"""MERGE, branch by branch."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from core.tsql.leaves import (
    Merge,
    MergeAction,
    MergeMatch,
    MergeWhen,
    ParsedLeaf,
    Target,
)
from core.tsql.leaves_cut import Cutter, Range
from core.tsql.leaves_parts import (
    AssignmentText,
    assignments,
    output_clause,
    table_of,
    take_target,
    top_clause,
)
from core.tsql.leaves_query import QueryText, remote_names, table_hints
from core.tsql.nodes import LeafKind
from core.tsql.tokens import TokenKind


@dataclass
class _When:
    """A branch whose expressions are numbers of scalars not parsed yet."""

    match: MergeMatch
    line: int
    action: MergeAction = MergeAction.DELETE
    condition: int | None = None
    sets: tuple[AssignmentText, ...] = ()
    columns: tuple[str, ...] = ()
    values: tuple[int, ...] = ()


def merge(cutter: Cutter) -> ParsedLeaf:
    """``MERGE [TOP] [INTO] target [AS alias] USING source ON … WHEN … [OUTPUT] [OPTION]``."""
    line = cutter.leaf.line
    cutter.expect("MERGE")
    top = top_clause(cutter)
    cutter.accept("INTO")
    name = take_target(cutter)
    hints = cutter.hints()
    alias = None
    if cutter.accept("AS") or not cutter.at("USING"):
        alias = cutter.name()
    hints += cutter.hints()
    cutter.expect("USING")
    source, on = _source_and_on(cutter)
    query = QueryText(cutter.leaf)
    on_number = query.condition(*on)
    whens: list[_When] = []
    while cutter.accept("WHEN"):
        whens.append(_when(cutter, query))
    output = output_clause(cutter, "OPTION")
    options = cutter.option_clause()
    cutter.expect_end()
    if not whens:
        raise cutter.refuse("a MERGE has no WHEN branch", "MERGE")
    rows, scalars = query.parse(cutter.ctes, source)
    if rows.args.get("joins") or rows.args.get("from_") is None:
        raise cutter.refuse("the source of a MERGE is one table or subquery", "join in USING")
    using = rows.args["from_"].this
    ctes = rows.args.get("with_")
    parsed_whens = tuple(_parsed(when, scalars) for when in whens)
    body = Merge(using, scalars[on_number], parsed_whens)
    names = {cte.alias.casefold() for cte in rows.ctes}
    target = Target(
        table_of(name),
        alias,
        is_cte=len(name.parts) == 1 and name.key[0] in names,
        hints=hints,
    )
    return ParsedLeaf(
        LeafKind.MERGE,
        target=target,
        merge=body,
        ctes=ctes,
        top=top.parsed(cutter) if top else None,
        output=output,
        hints=tuple(dict.fromkeys(hints + table_hints([rows]))),
        options=options,
        remote=remote_names([rows]),
        line=line,
    )


def _source_and_on(cutter: Cutter) -> tuple[Range, Range]:
    """The last ON before the first WHEN is the MERGE's own."""
    first = cutter.position
    _, end = cutter.until("WHEN")
    cutter.position = first
    on_at = -1
    while True:
        cutter.until("ON", end=end)
        if cutter.position >= end:
            break
        on_at = cutter.position
        cutter.position += 1
    if on_at < 0:
        raise cutter.refuse("a MERGE has no ON", "MERGE")
    cutter.position = end
    return (first, on_at), (on_at + 1, end)


def _when(cutter: Cutter, query: QueryText) -> _When:
    line = cutter.leaf.line_of(cutter.position - 1)
    if cutter.accept("NOT", "MATCHED", "BY", "SOURCE"):
        match = MergeMatch.NOT_MATCHED_BY_SOURCE
    elif cutter.accept("NOT", "MATCHED"):
        cutter.accept("BY", "TARGET")
        match = MergeMatch.NOT_MATCHED
    else:
        cutter.expect("MATCHED")
        match = MergeMatch.MATCHED
    when = _When(match, line)
    if cutter.accept("AND"):
        when.condition = query.condition(*cutter.until("THEN"))
    cutter.expect("THEN")
    if cutter.accept("UPDATE", "SET"):
        when.action = MergeAction.UPDATE
        within = cutter.until("WHEN", "OUTPUT", "OPTION")
        when.sets = tuple(assignments(cutter, within))
        cutter.position = within[1]
        when.values = tuple(query.value(*item.value) for item in when.sets)
    elif cutter.accept("INSERT"):
        when.action = MergeAction.INSERT
        _insert_action(cutter, query, when)
    else:
        cutter.expect("DELETE")
    return when


def _insert_action(cutter: Cutter, query: QueryText, when: _When) -> None:
    if cutter.kind() is TokenKind.OPEN:
        when.columns = cutter.names_in_parens()
    if cutter.accept("DEFAULT", "VALUES"):
        return
    cutter.expect("VALUES")
    first = cutter.position
    cutter.skip_parens()
    items = cutter.items((first + 1, cutter.position - 1))
    when.values = tuple(query.value(*item) for item in items)


def _parsed(when: _When, scalars: list[exp.Expr]) -> MergeWhen:
    condition = scalars[when.condition] if when.condition is not None else None
    values = tuple(scalars[number] for number in when.values)
    if when.action is MergeAction.UPDATE:
        sets = tuple(item.parsed(value) for item, value in zip(when.sets, values, strict=True))
        return MergeWhen(when.match, when.action, condition, sets, line=when.line)
    return MergeWhen(when.match, when.action, condition, (), when.columns, values, line=when.line)
