"""The clauses INSERT, UPDATE, DELETE and MERGE share: target, TOP, SET lists, OUTPUT."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from core.tsql.leaves import Assignment, Output, Target, Top
from core.tsql.leaves_cut import Cutter, Range
from core.tsql.leaves_query import QueryText, parsed
from core.tsql.leaves_text import LeafText
from core.tsql.nodes import ObjectName
from core.tsql.tokens import TokenKind, unquoted

ASSIGNMENTS = frozenset({"=", "+=", "-=", "*=", "/=", "%=", "&=", "^=", "|=", "||="})
_REMOTE = frozenset({"OPENQUERY", "OPENROWSET", "OPENDATASOURCE"})


@dataclass(frozen=True)
class TopText:
    """A TOP clause whose count is not parsed yet."""

    count: Range
    percent: bool
    with_ties: bool

    def parsed(self, cutter: Cutter) -> Top:
        return Top(scalars(cutter, [self.count])[0], self.percent, self.with_ties)


def scalars(cutter: Cutter, ranges: list[Range]) -> list[exp.Expr]:
    """The trees of scalar expressions, parsed in one go."""
    query = QueryText(cutter.leaf)
    for start, end in ranges:
        query.value(start, end)
    return query.parse()[1] if ranges else []


def top_clause(cutter: Cutter) -> TopText | None:
    if not cutter.accept("TOP"):
        return None
    first = cutter.position
    if cutter.kind() is TokenKind.OPEN:
        cutter.skip_parens()
    else:
        cutter.take()
    count = (first, cutter.position)
    percent = cutter.accept("PERCENT")
    return TopText(count, percent, cutter.accept("WITH", "TIES"))


def take_target(cutter: Cutter) -> ObjectName:
    if cutter.upper() in _REMOTE:
        raise cutter.refuse(
            f"writing through {cutter.upper()} changes another server", cutter.upper()
        )
    return cutter.object_name()


def table_of(name: ObjectName) -> exp.Table:
    """The sqlglot table of a name, as sqlglot itself would build it."""
    parts = name.parts
    this: exp.Expr = _part(parts[-1])
    if len(parts) == 4:
        this = exp.Dot(this=_part(parts[-2]), expression=this)
        return exp.Table(this=this, db=_part(parts[1]), catalog=_part(parts[0]))
    db = _part(parts[-2]) if len(parts) > 1 and parts[-2] else None
    catalog = _part(parts[-3]) if len(parts) > 2 and parts[-3] else None
    return exp.Table(this=this, db=db, catalog=catalog)


def _part(name: str) -> exp.Expr:
    if name.startswith("@"):
        return exp.Parameter(this=exp.Var(this=name[1:]))
    if name.startswith("#"):
        return exp.Identifier(this=name.lstrip("#"), quoted=False, temporary=True)
    plain = name.replace("_", "a").isalnum() and not name[:1].isdigit()
    return exp.Identifier(this=name, quoted=not plain)


# --- SET lists ---


@dataclass(frozen=True)
class AssignmentText:
    """``[@v =] [column] operator value`` with the value not parsed yet."""

    value: Range
    operator: str
    column: tuple[str, ...] | None
    variable: str | None
    line: int

    def parsed(self, value: exp.Expr) -> Assignment:
        column = None
        if self.column is not None:
            names = [exp.to_identifier(part, quoted=True) for part in reversed(self.column)]
            column = exp.Column(
                **dict(zip(("this", "table", "db", "catalog"), names, strict=False))
            )
        return Assignment(value, column, self.variable, self.operator, self.line)


def assignments(cutter: Cutter, within: Range) -> list[AssignmentText]:
    """The items of a SET list (or of a SELECT that assigns variables)."""
    return [_assignment(cutter, start, end) for start, end in cutter.items(within)]


def _assignment(cutter: Cutter, start: int, end: int) -> AssignmentText:
    tokens = cutter.tokens
    line = cutter.leaf.line_of(start)
    cutter.position = start
    variable, column = None, None
    if start < end and tokens[start].kind is TokenKind.VARIABLE:
        variable = tokens[start].text
        operator_at = start + 1
        if (
            operator_at < end
            and tokens[operator_at].text == "="
            and (behind := _column_end(cutter, operator_at + 1, end)) is not None
            and tokens[behind].text in ASSIGNMENTS
        ):
            column = _names(cutter, operator_at + 1, behind)
            operator_at = behind
    else:
        found = _column_end(cutter, start, end)
        if found is None:
            raise cutter.refuse("cannot read this assignment", "assignment")
        operator_at = found
        column = _names(cutter, start, found)
    if operator_at >= end or tokens[operator_at].text not in ASSIGNMENTS:
        raise cutter.refuse(
            "cannot read this assignment (a method call such as .WRITE or .modify?)", "assignment"
        )
    if operator_at + 1 >= end:
        raise cutter.refuse("an assignment has no value", "assignment")
    operator = tokens[operator_at].text
    return AssignmentText((operator_at + 1, end), operator, column, variable, line)


def _column_end(cutter: Cutter, start: int, end: int) -> int | None:
    """Index behind ``a.b.c`` at `start`, if something of the list follows it."""
    index = start
    while index < end and cutter.tokens[index].kind in (TokenKind.WORD, TokenKind.QUOTED):
        index += 1
        if index < end and cutter.tokens[index].kind is TokenKind.DOT:
            index += 1
        else:
            return index if index < end else None
    return None


def _names(cutter: Cutter, start: int, end: int) -> tuple[str, ...]:
    return tuple(
        unquoted(token) for token in cutter.tokens[start:end] if token.kind is not TokenKind.DOT
    )


# --- OUTPUT ---


def output_clause(cutter: Cutter, *stops: str) -> Output | None:
    """``OUTPUT items [INTO target [(columns)]]`` up to one of `stops`."""
    if not cutter.accept("OUTPUT"):
        return None
    items = cutter.until("INTO", "OUTPUT", *stops)
    into: exp.Table | None = None
    columns: tuple[str, ...] = ()
    if cutter.accept("INTO"):
        into = table_of(cutter.object_name())
        if cutter.kind() is TokenKind.OPEN and cutter.upper(1) not in ("SELECT", "WITH", "VALUES"):
            columns = cutter.names_in_parens()
    if cutter.at("OUTPUT"):
        raise cutter.refuse("a second OUTPUT clause is not supported", "OUTPUT twice")
    text = LeafText(cutter.leaf)
    text.word("SELECT")
    text.tokens(*items)
    tree = parsed(text)
    if not isinstance(tree, exp.Select) or not tree.expressions:
        raise cutter.refuse("cannot read this OUTPUT clause", "OUTPUT")
    return Output(tuple(tree.expressions), into, columns)


def with_scalars(
    cutter: Cutter,
    sets: list[AssignmentText],
    table: Range,
    where: Range,
) -> tuple[exp.Select, tuple[Assignment, ...]]:
    """``SELECT * FROM table WHERE where`` and the assignments, parsed together."""
    query = QueryText(cutter.leaf)
    for item in sets:
        query.value(*item.value)
    rows, values = query.parse(cutter.ctes, table, where)
    return rows, tuple(item.parsed(value) for item, value in zip(sets, values, strict=True))


def target_in(rows: exp.Select, name: ObjectName, cutter: Cutter, hints: tuple[str, ...]) -> Target:
    """The target of an UPDATE or DELETE: which table of the FROM clause it is.

    An alias of the FROM clause wins; else the one table of that name; a target that FROM does not
    mention joins it without a condition, as SQL Server does. See
    https://learn.microsoft.com/en-us/sql/t-sql/queries/update-transact-sql#from--table_source-
    """
    tables = _from_tables(rows)
    wanted = name.key
    ctes = {cte.alias.casefold() for cte in rows.ctes}
    if len(wanted) == 1:
        for table in tables:
            if table.alias.casefold() == wanted[0]:
                return _resolved(table, table.alias, ctes, hints)
        lifted = _lifted(rows, wanted[0])
        if lifted is not None:
            return Target(lifted, lifted.name, is_cte=True, hints=hints)
        if wanted[0] in _derived_aliases(rows):
            raise cutter.refuse(
                f"{name} is a derived table; writing through it is not supported",
                "derived table as target",
            )
    same = [t for t in tables if _is_named(t, wanted)]
    if len(same) > 1:
        raise cutter.refuse(
            f"{name} stands more than once in FROM; which one is written is not said",
            "ambiguous target",
        )
    if same:
        return _resolved(same[0], same[0].alias or None, ctes, hints)
    target = table_of(name)
    if rows.args.get("from_") is None:
        rows.set("from_", exp.From(this=target.copy()))
    else:
        rows.append("joins", exp.Join(this=target.copy(), kind="CROSS"))
    return _resolved(target, None, ctes, hints)


def _from_tables(rows: exp.Select) -> list[exp.Table]:
    """Tables of the FROM clause itself, also inside parenthesised joins, not in subqueries."""
    source = rows.args.get("from_")
    pending = [source.this] if source is not None else []
    pending += [join.this for join in rows.args.get("joins") or []]
    found: list[exp.Table] = []
    while pending:
        node = pending.pop(0)
        if isinstance(node, exp.Subquery) and isinstance(node.this, (exp.Table, exp.Subquery)):
            pending.append(node.this)
        elif isinstance(node, exp.Table):
            found.append(node)
        pending += [join.this for join in node.args.get("joins") or []]
    return found


def _derived_aliases(rows: exp.Select) -> set[str]:
    """Aliases of what stands in FROM and is no table: subqueries, VALUES, APPLY."""
    source = rows.args.get("from_")
    nodes = [source.this] if source is not None else []
    nodes += [join.this for join in rows.args.get("joins") or []]
    return {node.alias.casefold() for node in nodes if not isinstance(node, exp.Table)} - {""}


def _lifted(rows: exp.Select, alias: str) -> exp.Table | None:
    """The table for a derived table of FROM that is written through, made a CTE of its alias.

    ``DELETE x FROM (SELECT …) AS x`` says what ``WITH x AS (SELECT …) DELETE x`` says. None when
    there is no such derived table, or when the CTE's name would be taken for something else.
    """
    source = rows.args.get("from_")
    nodes = [source.this] if source is not None else []
    nodes += [join.this for join in rows.args.get("joins") or []]
    for node in nodes:
        if not (isinstance(node, exp.Subquery) and node.alias.casefold() == alias):
            continue
        extras = {key for key, value in node.args.items() if value} - {"this", "alias"}
        clashes = any(
            table.name.casefold() == alias and not table.db for table in rows.find_all(exp.Table)
        ) or any(cte.alias.casefold() == alias for cte in rows.ctes)
        if extras or clashes or not isinstance(node.this, exp.Query):
            return None
        with_ = rows.args.get("with_") or exp.With(expressions=[])
        named = node.args["alias"]
        node.replace(table := exp.Table(this=named.this.copy()))
        with_.append("expressions", exp.CTE(this=node.this.pop(), alias=named))
        rows.set("with_", with_)
        return table.copy()
    return None


def _is_named(table: exp.Table, wanted: tuple[str, ...]) -> bool:
    """Whether the names agree in the parts both have."""
    if isinstance(table.this, exp.Anonymous):
        return False
    own = [table.name, table.db, table.catalog]
    theirs = list(reversed(wanted))
    if own[0].casefold() != theirs[0].lstrip("#@"):
        return False
    is_temp = isinstance(table.this, exp.Parameter) or bool(table.this.args.get("temporary"))
    if is_temp != (theirs[0][:1] in ("#", "@")):
        return False
    return all(
        not mine or not other or mine.casefold() == other
        for mine, other in zip(own[1:], theirs[1:], strict=False)
    )


def _resolved(
    table: exp.Table, alias: str | None, ctes: set[str], hints: tuple[str, ...]
) -> Target:
    plain = table.copy()
    for key in ("alias", "joins", "hints"):
        plain.set(key, None)
    is_cte = not table.db and table.name.casefold() in ctes
    return Target(plain, alias, is_cte=is_cte, hints=hints)
