"""Queries while columns are inferred: their sources, their scopes, the columns they give."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp

from core.compiler.inferred_rows import Rowset, Scope
from core.compiler.inferred_types import Cell
from core.compiler.inferred_values import Values
from core.tsql import nodes
from core.tsql.binding_from import table_name
from core.tsql.errors import TsqlError
from core.tsql.leaves import ParsedLeaf
from core.tsql.parser import parse_script
from core.tsql.schema import ObjectName, Schema, TableKind

Key = tuple[str, str, str]
_CATALOG_SCHEMAS = frozenset({"sys", "information_schema"})


@dataclass
class Queries:
    """Reads queries against a schema; tables it does not describe are gathered in `unknown`."""

    schema: Schema
    views: dict[str, str]
    unknown: dict[Key, Rowset] = field(default_factory=dict)
    local: dict[str, Rowset] = field(default_factory=dict)
    """Temp tables, table variables and tables made by SELECT INTO, by lower-case name."""
    values: Values = field(init=False)
    alike: list[tuple[Rowset, Rowset]] = field(default_factory=list)
    """Tables that have the same columns, because rows are switched between them."""
    _views: dict[str, Rowset] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.values = Values(self.rows)

    def rows(self, node: exp.Expr, parent: Scope) -> Rowset:
        """The columns a query gives, after reading everything in it."""
        match node:
            case exp.Subquery():
                # A WITH may stand on the parentheses.
                inner = Scope(parent=parent)
                self.common_tables(node.args.get("with_"), inner)
                return self.rows(node.this, inner)
            case exp.SetOperation():
                inner = Scope(parent=parent)
                self.common_tables(node.args.get("with_"), inner)
                left, right = self.rows(node.this, inner), self.rows(node.expression, inner)
                for (_, mine), (_, its) in zip(
                    left.outputs or [], right.outputs or [], strict=False
                ):
                    mine.same_as(its)
                return left
            case exp.Select():
                return self._select(node, parent)
            case exp.Values():
                return self._values(node, parent)
            case _:
                return Rowset(opaque=True)

    def scope(self, query: exp.Expr, parent: Scope) -> Scope:
        """The scope of a SELECT's own level, its WHERE and joins read."""
        scope = Scope(parent=parent)
        self.common_tables(query.args.get("with_"), scope)
        source = query.args.get("from_")
        if source is not None:
            self.source(source.this, scope)
        for join in query.args.get("joins") or ():
            self.source(join.this, scope)
            self.values.value(join.args.get("on"), scope)
        for lateral in query.args.get("laterals") or ():
            self.source(lateral, scope)
        for part in ("where", "group", "having"):
            if (found := query.args.get(part)) is not None:
                self.values.value(found, scope)
        return scope

    def _select(self, node: exp.Select, parent: Scope) -> Rowset:
        scope = self.scope(node, parent)
        rows = Rowset()
        for position, item in enumerate(node.expressions):
            if isinstance(item, exp.Star):
                for source in scope.sources.values():
                    source.starred |= not isinstance(node.parent, exp.Exists)
                rows.open += list(scope.sources.values())
                rows.opaque |= any(source.opaque for source in scope.sources.values())
                continue
            if isinstance(item, exp.Column) and isinstance(item.this, exp.Star):
                source = scope.sources.get(item.table.lower(), Rowset(opaque=True))
                source.starred = True
                rows.open.append(source)
                rows.opaque |= source.opaque
                continue
            cell = self.values.value(item, scope)
            name = output_name(item)
            shown = Cell(name)
            shown.same_as(cell)
            if not name or name.lower() in rows.columns:
                # Without a name of its own a column cannot be asked for, only counted.
                rows.columns[f"\0{position}"] = shown
            else:
                rows.add(name, shown)
            if name:
                scope.aliases[name.lower()] = shown
        if (order := node.args.get("order")) is not None:
            self.values.value(order, scope)
        return rows

    def _values(self, node: exp.Values, parent: Scope) -> Rowset:
        rows = Rowset()
        names = _alias_columns(node)
        for row in node.expressions:
            for position, item in enumerate(getattr(row, "expressions", ())):
                name = names[position] if position < len(names) else ""
                cell = rows.columns.setdefault(name.lower() or f"\0{position}", Cell(name))
                cell.same_as(self.values.value(item, parent))
        return rows

    def common_tables(self, with_: exp.Expr | None, scope: Scope) -> None:
        """Registers the CTEs of a WITH."""
        for cte in with_.expressions if isinstance(with_, exp.With) else ():
            name = cte.alias.lower()
            names = _alias_columns(cte)
            anchor = cte.this
            if isinstance(anchor, exp.SetOperation):
                # The recursive part reads the CTE: what the anchor gives is known by then.
                while isinstance(anchor, exp.SetOperation):
                    anchor = anchor.this
                scope.ctes[name] = _renamed(self.rows(anchor, scope), names)
            scope.ctes[name] = _renamed(self.rows(cte.this, scope), names)

    # --- sources -----------------------------------------------------------------------------

    def source(self, node: exp.Expr, scope: Scope) -> None:
        """Adds one item of FROM to a scope."""
        alias = node.alias_or_name.lower()
        match node:
            case exp.Paren():
                self.source(node.this, scope)
                return
            case exp.Table():
                rows = self._table_source(node, scope)
                if isinstance(node.this, exp.Identifier | exp.Parameter):
                    alias = (node.alias or table_name(node).name).lower()
            case exp.Lateral():
                inner = node.this
                if isinstance(inner, exp.Subquery):
                    rows = self.rows(inner, scope)
                else:
                    self.values.value(inner, scope)
                    rows = Rowset(opaque=True)
            case exp.Subquery():
                if isinstance(node.this, exp.Table):
                    self.source(node.this, scope)
                    for join in node.args.get("joins") or ():
                        self.source(join.this, scope)
                        self.values.value(join.args.get("on"), scope)
                    return
                # A derived table sees the CTEs, not its neighbours.
                rows = self.rows(node, Scope(ctes=scope.ctes, parent=scope.parent))
            case exp.Values():
                rows = self._values(node, scope)
            case _:
                rows = Rowset(opaque=True)
        rows = _renamed(rows, _alias_columns(node))
        for pivot in node.args.get("pivots") or ():
            rows = self._pivoted(pivot, rows, scope)
            alias = (pivot.alias or alias).lower()
        scope.sources[alias or f"\0{len(scope.sources)}"] = rows
        for join in node.args.get("joins") or () if isinstance(node, exp.Table) else ():
            self.source(join.this, scope)
            self.values.value(join.args.get("on"), scope)

    def _table_source(self, node: exp.Table, scope: Scope) -> Rowset:
        if not isinstance(node.this, exp.Identifier | exp.Parameter | exp.Dot):
            self.values.value(node.this, scope)
            return Rowset(opaque=True)
        return self.table(node, scope)

    def table(self, node: exp.Table, scope: Scope) -> Rowset:
        """The rowset behind a table's name: a CTE, a local table, a described one, or a guess."""
        if not isinstance(node.this, exp.Identifier | exp.Parameter):
            return Rowset(opaque=True)
        name = table_name(node)
        if not name.schema and (cte := scope.cte(name.name.lower())) is not None:
            return cte
        if name.is_temporary:
            return self.local.get(name.name.lower(), Rowset(opaque=True))
        dotted = ".".join(name.key)
        if dotted in self.local:
            return self.local[dotted]
        known = self.schema.table(name)
        if known is not None and known.kind is not TableKind.VIEW:
            return Rowset.of(known)
        if dotted in self.views:
            return self._view(dotted)
        if known is not None:
            return Rowset.of(known)
        if name.server or name.name.startswith("__") or name.key[0] in _CATALOG_SCHEMAS:
            return Rowset(opaque=True)
        foreign = (name.database or "").lower() if self.schema.is_foreign(name) else ""
        full = ObjectName(name.name, name.schema or "dbo", name.database)
        return self.unknown.setdefault((foreign, *name.key), Rowset(full))

    def _view(self, key: str) -> Rowset:
        if key in self._views:
            return self._views[key]
        self._views[key] = Rowset(opaque=True)  # against views that read each other
        try:
            script = parse_script(self.views[key])
        except TsqlError:
            return self._views[key]
        view = next((s for s in script.statements if isinstance(s, nodes.CreateView)), None)
        if view is not None:
            parsed = view.query.parsed
            if isinstance(parsed, ParsedLeaf) and parsed.query is not None:
                rows = self.rows(parsed.query, Scope())
                self._views[key] = _renamed(rows, list(view.columns))
        return self._views[key]

    def _pivoted(self, pivot: exp.Expr, rows: Rowset, scope: Scope) -> Rowset:
        """PIVOT adds its headers to the columns it keeps; UNPIVOT its value and label."""
        inner = Scope(sources={"": rows}, parent=scope)
        turned = Rowset(open=[rows], opaque=rows.opaque)
        fields = pivot.args.get("fields") or ()
        if pivot.args.get("unpivot"):
            for item in fields:
                for column in item.find_all(exp.Column):
                    if column is not item.this:
                        rows.need(column.name)
                turned.add(item.this.name)
            for item in pivot.expressions:
                turned.add(item.name)
            return turned
        for item in pivot.expressions:
            self.values.value(item, inner)
        for item in fields:
            rows.need(item.this.name)
            for header in item.expressions:
                turned.add(header.alias_or_name)
        return turned


def output_name(item: exp.Expr) -> str:
    """The name of a select list's item, empty when it has none."""
    return str(item.alias_or_name) if isinstance(item, exp.Alias | exp.Column) else ""


def _alias_columns(node: exp.Expr) -> list[str]:
    alias = node.args.get("alias")
    if not isinstance(alias, exp.TableAlias):
        return []
    return [column.name for column in alias.args.get("columns") or ()]


def _renamed(rows: Rowset, names: list[str]) -> Rowset:
    """Rows under the names of an alias's column list."""
    outputs = rows.outputs
    if not names:
        return rows
    renamed = Rowset()
    for position, name in enumerate(names):
        cell = Cell(name)
        if outputs is not None and position < len(outputs):
            cell.same_as(outputs[position][1])
        renamed.add(name, cell)
    return renamed
