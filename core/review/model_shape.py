"""The shape of a model: its incremental branch, every input named by its table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from core.dbt.facts import FactsError, render_branches
from core.dbt.template import REQUIRED, Rendered, quoted
from core.review.procedure_shape import ColumnsOf
from core.review.shape import Lineage, Relation, Shape
from core.review.trace import Tracer, ViewOf

_TABLE = "__table"


@dataclass(frozen=True)
class _TableNames:
    """Renders every input as ``"__table"."schema.table"``."""

    target: str
    tables: Mapping[str, str]

    def ref(self, name: str) -> str:
        return self._named(f"ref:{name}", name)

    def source(self, source: str, table: str) -> str:
        return self._named(f"source:{source}.{table}", f"{source}.{table}")

    def _named(self, key: str, otherwise: str) -> str:
        return f"{quoted(_TABLE)}.{quoted(self.tables.get(key, otherwise).casefold())}"

    def this(self) -> str:
        return f"{quoted(_TABLE)}.{quoted(self.target)}"

    def var(self, name: str, default: object) -> object:
        return "0" if default is REQUIRED else default

    def current_timestamp(self) -> str:
        return "proc2dbt_now()"


@dataclass(frozen=True)
class HardCoded:
    """A table named in the SQL itself: its text and the model's line."""

    text: str
    line: int


@dataclass
class ModelShape:
    """What a model reads, joins, filters, groups and returns; lines are the model's."""

    shape: Shape
    columns: Mapping[str, Lineage] = field(default_factory=dict)
    is_open: bool = False
    hard_coded: tuple[HardCoded, ...] = ()
    derived_tables: tuple[int, ...] = ()
    """Lines of subqueries in FROM, where a CTE would read better."""
    ends_in_final: bool = True
    """Whether the last SELECT is ``select * from final``."""
    rendered: Rendered | None = None

    def line(self, rendered_line: int) -> int:
        """The model's line of a line in the traced text."""
        return self.rendered.model_line(rendered_line) if self.rendered else rendered_line


@dataclass(frozen=True)
class Unreadable:
    """Why a model has no shape."""

    message: str
    line: int = 0


def model_shape(
    sql: str,
    target: str,
    tables: Mapping[str, str],
    columns_of: ColumnsOf,
    view_of: ViewOf = lambda _: None,
) -> ModelShape | Unreadable:
    """Trace a model.

    ``tables`` maps relation keys (``ref:name``, ``source:schema.table``) to ``schema.table``.
    """
    branches = render_branches(sql, _TableNames(target, tables))
    if isinstance(branches, FactsError):
        return Unreadable(branches.message, branches.line)
    rendered = branches.incremental
    try:
        tree = sqlglot.parse_one(rendered.text, read="duckdb")
    except SqlglotError as error:
        return Unreadable(f"the SQL cannot be parsed: {str(error).splitlines()[0]}")

    def resolve(table: exp.Table) -> Relation | None:
        if table.db == _TABLE:
            return Relation.of_table(table.name, columns_of(table.name))
        if table.name:
            key = f"{table.db or 'dbo'}.{table.name}".casefold()
            return Relation.of_table(key, columns_of(key))
        return None

    tracer = Tracer(resolve, view_of)
    relation = tracer.query(tree)
    return ModelShape(
        shape=tracer.shape,
        columns=relation.columns,
        is_open=relation.is_open,
        hard_coded=_hard_coded(tree, rendered),
        derived_tables=_derived(tree, rendered),
        ends_in_final=_ends_in_final(tree),
        rendered=rendered,
    )


def _hard_coded(tree: exp.Expr, rendered: Rendered) -> tuple[HardCoded, ...]:
    ctes = {cte.alias.casefold() for cte in tree.find_all(exp.CTE)}
    found = []
    for table in tree.find_all(exp.Table):
        is_cte = not table.db and table.name.casefold() in ctes
        if table.name and table.db != _TABLE and not is_cte:
            line = rendered.model_line(int(table.this.meta.get("line", 0)))
            found.append(HardCoded(table.sql(dialect="duckdb"), line))
    return tuple(found)


def _derived(tree: exp.Expr, rendered: Rendered) -> tuple[int, ...]:
    lines = []
    for node in tree.find_all(exp.Subquery):
        if isinstance(node.parent, exp.From | exp.Join) and isinstance(node.this, exp.Query):
            inside = [int(n.meta["line"]) for n in node.walk() if "line" in n.meta]
            lines.append(rendered.model_line(min(inside, default=0)))
    return tuple(lines)


def _ends_in_final(tree: exp.Expr) -> bool:
    if not isinstance(tree, exp.Select) or len(tree.selects) != 1 or not tree.is_star:
        return False
    source = tree.args.get("from_")
    extra = ("where", "joins", "group", "having", "distinct", "order", "limit", "qualify")
    return (
        source is not None
        and source.this.name.casefold() == "final"
        and not any(tree.args.get(name) for name in extra)
    )
