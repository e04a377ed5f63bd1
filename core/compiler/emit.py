"""The emitter: the plan's relations become a dbt model that reads as if a person had written it.

Import CTEs first (one per table, named after it), then one CTE per relation in the order of the
procedure, then ``final`` with the target's columns in their original case, and
``select * from final``. Comments of the procedure stand above the CTE they belong to.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from core.compiler import jinja, trees
from core.compiler.check import bound_types
from core.compiler.closed_values import hoisted
from core.compiler.compose import composed
from core.compiler.final import converted, starred
from core.compiler.layout import (
    INDENT,
    flat,
    lines,
    placeholder_lengths,
    quoted,
    written_length,
)
from core.compiler.naming import unique
from core.compiler.options import CompileOptions, Input, SourceInput
from core.compiler.plan import Plan, wants_casts
from core.compiler.relations import REL, Relation, RelationKind
from core.compiler.result import CteLines, Refused
from core.compiler.tidy import outer_selects, tidied
from core.compiler.translate import CLOCK, USER, placeholder
from core.tsql.schema import Column, Table
from core.tsql.types import duckdb_storage

FINAL = "final"
"""The last CTE; a relation's id is never this."""


@dataclass(frozen=True)
class Emitted:
    """The model's text, where its CTEs come from, and what it reads."""

    sql: str
    cte_map: tuple[CteLines, ...]
    inputs: tuple[str, ...]
    variables: tuple[str, ...]
    required: tuple[str, ...]


@dataclass
class Emitter:
    """Writes one model."""

    options: CompileOptions
    variables: Mapping[str, jinja.Variable]
    values: Sequence[tuple[str, exp.Expr]] = ()
    """What local variables hold, in DuckDB's SQL, where it depends on no table."""

    def emit(self, plan: Plan, table: Table, used: Sequence[str]) -> Emitted:
        """The text of the model. Raises `Refused` when DuckDB would not accept it."""
        final, reads = self._final(plan, table)
        order = composed(_in_order(reads), {relation.id for relation in reads})
        names = self._names(order)
        texts = {r.id: tidied(_named(r.duckdb, names)) for r in order if r.duckdb is not None}
        texts[FINAL] = tidied(_named(final, names))
        lengths = {placeholder(n): len(jinja.variable_sql(v)) for n, v in self.variables.items()}
        with placeholder_lengths({**lengths, CLOCK: len(self.options.clock), USER: 30}):
            return self._written(plan, table, order, names, texts)

    def _written(
        self,
        plan: Plan,
        table: Table,
        order: Sequence[Relation],
        names: Mapping[str, str],
        texts: dict[str, exp.Expr],
    ) -> Emitted:
        """The model's text from the queries of its CTEs, by relation id."""
        parameters = unique("parameters", set(names.values()))
        short, values = hoisted(texts, self.values, parameters, lambda t: written_length(flat(t)))
        if values is not None:
            try:
                self._cast(short, plan, table, order, names, (parameters, values))
            except Refused:  # a place where DuckDB takes no subquery
                values = None
        if values is None:
            self._cast(texts, plan, table, order, names, None)
        else:
            texts = short
        query = texts[FINAL]
        listed = {
            names[r.id]: [i.alias_or_name for i in texts[r.id].expressions]
            for r in order
            if isinstance(texts.get(r.id), exp.Select)
            and not any(i.is_star for i in texts[r.id].expressions)
        }
        starred(query, listed)
        blocks: list[list[str]] = []
        needed = _needed(order, texts)
        origins: list[CteLines] = []
        told: set[tuple[str, ...]] = set()
        for relation in order:
            if values is not None and relation.query is not None:
                blocks.append(_cte(parameters, lines(values)))
                values = None
            name = names[relation.id]
            new = relation.origin.comments not in told
            told.add(relation.origin.comments)
            comments = [f"-- {line}" for line in relation.origin.comments if new]
            blocks.append([*comments, *_cte(name, self._body(relation, texts, needed))])
            if relation.origin.first_line:
                span = (relation.origin.first_line, relation.origin.last_line)
                origins.append(CteLines(name, (span,)))
        if values is not None:
            blocks.append(_cte(parameters, lines(values)))
        blocks.append(_cte(FINAL, lines(query)))
        spans = sorted({s for r in plan.rows if (s := _span(r)) is not None})
        origins.append(CteLines(FINAL, tuple(spans)))
        text = "\n".join([jinja.config(plan), "", _joined(blocks, order)]) + "\n"
        text = self._with_jinja(text)
        keys = [r.source for r in order if r.kind is RelationKind.IMPORT]
        mentioned = [v for v in self.variables.values() if f"var('{v.name}'" in text]
        return Emitted(
            text,
            tuple(origins),
            tuple(dict.fromkeys(keys)),
            tuple(v.name for v in mentioned),
            tuple(v.name for v in mentioned if v.required),
        )

    def _cast(
        self,
        texts: Mapping[str, exp.Expr],
        plan: Plan,
        table: Table,
        order: Sequence[Relation],
        names: Mapping[str, str],
        values: tuple[str, exp.Select] | None,
    ) -> None:
        """Cast every column of ``final`` that DuckDB would store in another type.

        Raises `Refused` when DuckDB does not accept the queries.
        """
        wanted = {c.name.lower(): duckdb_storage(c.type) for c in table.columns}
        blocks = [_cte(values[0], lines(values[1]))] if values is not None else []
        blocks += [_cte(names[r.id], self._plain_body(r, texts)) for r in order]
        selects = outer_selects(texts[FINAL])
        blocks += [_cte(f"branch_{n}", lines(select)) for n, select in enumerate(selects)]
        blocks.append(_cte(FINAL, lines(texts[FINAL])))
        branches = ", ".join(f"branch_{n}" for n, _ in enumerate(selects))
        plain = _joined(blocks, order).removesuffix("from final") + f"from final, {branches}"
        for name, variable in self.variables.items():
            storage = duckdb_storage(variable.type)
            plain = plain.replace(placeholder(name), f"cast(null as {storage})")
        plain = plain.replace(CLOCK, "cast(current_timestamp as timestamp)")
        types = bound_types(plain.replace(USER, "'dbo'"))[len(wanted) :]
        converted(texts[FINAL], types, wanted, every=wants_casts(self.options))

    def _plain_body(self, relation: Relation, texts: Mapping[str, exp.Expr]) -> list[str]:
        if relation.query is None:
            return _no_typed_rows(relation.columns)
        return lines(texts[relation.id])

    # --- the final select -----------------------------------------------------------------------

    def _final(self, plan: Plan, table: Table) -> tuple[exp.Expr, list[Relation]]:
        """The query of ``final`` and the relations it reads."""
        if not plan.rows:
            return _no_rows(table), []
        uses = _uses(plan.rows)
        queries: list[exp.Expr] = []
        reads: list[Relation] = []
        for relation in plan.rows:
            inline = uses.get(relation.id, 0) == 0 and self._can_inline(relation, plan)
            if inline:
                assert relation.duckdb is not None
                queries.append(relation.duckdb.copy())
                reads += relation.inputs
            else:
                columns = [_column(c.name) for c in relation.columns]
                queries.append(trees.select(columns, relation.ref()))
                reads.append(relation)
        final = queries[0]
        for query in queries[1:]:
            final = exp.Union(this=final, expression=query, distinct=False)
        return final, list(dict.fromkeys(reads))

    def _can_inline(self, relation: Relation, plan: Plan) -> bool:
        """Whether a relation's query can stand in ``final`` itself."""
        query = relation.duckdb
        if relation.kind is RelationKind.ALIGNMENT:
            return True
        if relation.kind is not RelationKind.QUERY or len(plan.rows) > 1 or relation.recursive:
            return False
        if not isinstance(query, exp.Select) or any(item.is_star for item in query.expressions):
            return False
        return not relation.origin.comments

    # --- CTEs -----------------------------------------------------------------------------------

    def _names(self, order: Sequence[Relation]) -> dict[str, str]:
        names: dict[str, str] = {}
        taken: set[str] = {"final"}
        for relation in order:
            name = unique(relation.hint, taken)
            taken.add(name)
            names[relation.id] = name
        return names

    def _body(
        self, relation: Relation, texts: Mapping[str, exp.Expr], needed: Collection[str] | None
    ) -> list[str]:
        if relation.kind is RelationKind.IMPORT:
            return [f"select * from {jinja.reader(self._input(relation))}"]
        if relation.kind is RelationKind.EXISTING:
            return _existing(relation, needed)
        return lines(texts[relation.id])

    def _input(self, relation: Relation) -> Input:
        found = self.options.relation(relation.source)
        if found is not None:
            return found
        return SourceInput(*relation.spelled)

    def _with_jinja(self, text: str) -> str:
        for name, variable in self.variables.items():
            word = placeholder(name)
            if word in text:
                value = jinja.variable_sql(variable)
                # A negative value behind a minus sign would begin a comment.
                text = text.replace(f"-{word}", f"-({value})").replace(word, value)
        return text.replace(CLOCK, self.options.clock).replace(USER, jinja.LOADED_BY)


def _span(relation: Relation) -> tuple[int, int] | None:
    origin = relation.origin
    return (origin.first_line, origin.last_line) if origin.first_line else None


def _column(name: str) -> exp.Column:
    return exp.Column(this=exp.to_identifier(name, quoted=True))


def _no_rows(table: Table) -> exp.Expr:
    items = [_typed_null(c.name, duckdb_storage(c.type)) for c in table.columns]
    query = exp.Select(expressions=items)
    query.set("where", exp.Where(this=exp.false()))
    return query


def _typed_null(name: str, storage: str) -> exp.Expr:
    to = exp.DataType.build(storage, dialect="duckdb")
    value = exp.Cast(this=exp.Null(), to=to)
    return exp.Alias(this=value, alias=exp.to_identifier(name, quoted=True))


def _needed(order: Sequence[Relation], texts: Mapping[str, exp.Expr]) -> set[str] | None:
    """The columns of the target's prior rows that are read (lower case); None for all of them."""
    readers = [texts[r.id] for r in order if any(i.kind is RelationKind.EXISTING for i in r.inputs)]
    found: set[str] = set()
    for query in [*readers, texts[FINAL]]:
        if any(item.is_star for select in query.find_all(exp.Select) for item in select.selects):
            return None
        found |= {column.name.lower() for column in query.find_all(exp.Column)}
    return found


def _existing(relation: Relation, needed: Collection[str] | None) -> list[str]:
    """The target's prior rows; none on the first run, with the columns that are read."""
    columns = [c for c in relation.columns if needed is None or c.name.lower() in needed]
    return [
        "{% if is_incremental() %}",
        "",
        "select * from {{ this }}",
        "",
        "{% else %}",
        "",
        *_no_typed_rows(columns or relation.columns),
        "",
        "{% endif %}",
    ]


def _no_typed_rows(of: Sequence[Column]) -> list[str]:
    columns = [
        f"{INDENT}cast(null as {duckdb_storage(c.type).lower()}) as {quoted(c.name)}" for c in of
    ]
    return ["select", *[f"{column}," for column in columns[:-1]], *columns[-1:], "where false"]


def _joined(blocks: Sequence[Sequence[str]], order: Sequence[Relation]) -> str:
    """The CTEs one after the other, and the last select."""
    recursive = any(relation.recursive for relation in order)
    out = ["with recursive" if recursive else "with", ""]
    for position, block in enumerate(blocks):
        out += block
        if position < len(blocks) - 1:
            out[-1] += ","
        out.append("")
    out.append("select * from final")
    return "\n".join(out)


def _cte(name: str, body: Sequence[str]) -> list[str]:
    return [f"{name} as (", "", *(INDENT + line if line else "" for line in body), "", ")"]


def _uses(rows: Sequence[Relation]) -> dict[str, int]:
    """How many relations read a relation, `final` not counted."""
    found: dict[str, int] = {}
    for relation in _in_order(rows):
        for read in relation.inputs:
            found[read.id] = found.get(read.id, 0) + 1
    return found


def _in_order(reads: Sequence[Relation]) -> list[Relation]:
    """Everything that is read, inputs first: imports, then queries as the procedure makes them."""
    found: dict[str, Relation] = {}

    def visit(relation: Relation) -> None:
        if relation.id in found:
            return
        for read in relation.inputs:
            visit(read)
        found[relation.id] = relation

    for relation in reads:
        visit(relation)
    imports = [r for r in found.values() if r.query is None]
    return imports + [r for r in found.values() if r.query is not None]


def _named(tree: exp.Expr, names: Mapping[str, str]) -> exp.Expr:
    """A copy in which relations have their CTE's names, with an alias only where it differs."""
    tree = tree.copy()
    for table in tree.find_all(exp.Table):
        if table.db != REL:
            continue
        name = names[table.name]
        alias = table.alias
        new = exp.Table(this=exp.to_identifier(name, quoted=True))
        if alias and alias.lower() != name:
            new.set("alias", table.args["alias"])
        for key in ("joins", "pivots"):
            if table.args.get(key):
                new.set(key, table.args[key])
        if not alias:
            _requalify(tree, table.name, name)
        table.replace(new)
    return tree


def _requalify(tree: exp.Expr, relation_id: str, name: str) -> None:
    for column in tree.find_all(exp.Column):
        if column.table == relation_id:
            column.set("table", exp.to_identifier(name, quoted=True))
