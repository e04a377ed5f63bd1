"""One relation's T-SQL query to DuckDB: binding and meaning are `core.tsql`'s, shape is ours.

What comes back still names relations by id; variables and the clock are placeholders
(``__var_days__``, ``__clock__``) that the emitter replaces by Jinja.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from core.compiler import trees
from core.compiler.letters import Known, Letters, needs_folding, output_letters
from core.compiler.options import Collation, CompileOptions, Correction
from core.compiler.registry import Translated
from core.compiler.result import Refused
from core.tsql.binding import bind_query, from_star, is_not_null
from core.tsql.meaning.duckdb import DuckDb
from core.tsql.meaning.duckdb_casts import hash_size
from core.tsql.meaning.options import Collation as MeaningCollation
from core.tsql.meaning.options import DivisionByZero, Options, TextConversion
from core.tsql.meaning.refusal import Refused as MeaningRefused
from core.tsql.meaning.translate import Translator as MeaningTranslator
from core.tsql.schema import Column, ObjectName, Schema
from core.tsql.types import SqlType, TypeName, varbinary
from core.tsql.typing import BindError

CLOCK = "__clock__"
USER = "__user__"


def placeholder(name: str) -> str:
    """The word that stands for a variable until the emitter writes its Jinja."""
    return f"__var_{name.lstrip('@').lower()}__"


@dataclass
class DuckDbTranslator:
    """`core.compiler.registry.Translator` for DuckDB.

    ``parameters`` are the compiled procedure's own, by lower-case name with ``@``; the ones that
    were used are collected in ``used``.
    """

    parameters: Mapping[str, SqlType]
    options: CompileOptions
    tables: Known = field(default_factory=dict)
    """How texts of permanent tables can be written, by ``schema.table`` and column."""
    date_first: int = 7
    """SQL Server's DATEFIRST while the procedure runs (7: weeks begin on Sunday)."""

    def __post_init__(self) -> None:
        self.used: dict[str, None] = {}
        self.letters: dict[str, dict[str, Letters]] = {}
        self._preserves = self.options.collation is Collation.PRESERVE or (
            Correction.FOLD_COLLATION in self.options.corrections
        )
        self._folding = self._meaning_with(MeaningCollation.PRESERVE)
        self._plain = self._meaning_with(MeaningCollation.ASSUME_CONSISTENT)

    def _meaning_with(self, collation: MeaningCollation) -> MeaningTranslator:
        return MeaningTranslator(
            DuckDb(),
            Options(
                collation=collation,
                division_by_zero=DivisionByZero.RAISE,
                text_conversion=TextConversion.EXACT,
                clock=CLOCK,
                date_first=self.date_first,
                user=USER,
                variable=self._variable,
                text_order=True,
            ),
        )

    def _variable(self, name: str, type_: SqlType) -> exp.Expr:
        key = name.lower()
        if key not in self.parameters:
            raise Refused(f"the variable {name} is not known here", "undeclared variable")
        self.used[key] = None
        return exp.Var(this=placeholder(key))

    def query(self, tree: exp.Expr, schema: Schema) -> Translated:
        """Translate one query. Raises `Refused` with the line of what is not understood."""
        if Correction.ADD_TIE_BREAKERS in self.options.corrections:
            tree = with_tie_breakers(tree, schema)
        try:
            bound = bind_query(tree, schema, self.parameters)
            folds = self._preserves or needs_folding(bound.tree, self.letters)
            translated = (self._folding if folds else self._plain).queries.query(bound.tree)
        except BindError as error:
            raise Refused(error.message, "name or type", _line(error.line)) from None
        except MeaningRefused as error:
            raise Refused(
                f"{error.construct}: {error.reason}", error.construct, _line(error.line)
            ) from None
        columns: list[Column] = []
        for position, column in enumerate(bound.columns):
            if column.name is None:
                raise Refused(f"column {position + 1} of the query has no name", "unnamed column")
            type_ = _hash_type(translated, position) or column.type
            columns.append(Column(column.name, type_, column.nullable))
        letters = tuple(output_letters(bound.tree, self.letters))
        return Translated(tuple(columns), _with_stars(_negations(translated), tree), letters)

    def imported(self, relation: str, source: str) -> None:
        """The relation under which queries read a permanent table."""
        self.letters[relation] = dict(self.tables.get(source, {}))

    def named(self, relation: str, translated: Translated) -> None:
        """The relation a translated query became: others will read it under that name."""
        self.letters[relation] = {
            column.name.lower(): letters
            for column, letters in zip(translated.columns, translated.letters, strict=False)
        }


def _hash_type(query: exp.Expr, position: int) -> SqlType | None:
    """The exact type of a column that is a hash: HASHBYTES itself says varbinary(8000)."""
    if not isinstance(query, exp.Select) or position >= len(query.expressions):
        return None
    size = hash_size(query.expressions[position].unalias())
    return None if size is None else varbinary(size)


def with_tie_breakers(tree: exp.Expr, schema: Schema) -> exp.Expr:
    """ROW_NUMBER and TOP ordered by the remaining columns too, so that ties have one winner."""
    tree = tree.copy()
    for select in tree.find_all(exp.Select):
        source = select.args.get("from_")
        if source is None or not isinstance(source.this, exp.Table):
            continue
        table = schema.table(ObjectName(source.this.name, source.this.db or None))
        if table is None or select.args.get("group") or select.args.get("distinct"):
            continue
        alias = source.this.alias_or_name
        orders = [
            window.args["order"]
            for item in select.expressions
            for window in item.find_all(exp.Window)
            if isinstance(window.this, exp.Anonymous)
            and window.this.name.upper() == "ROW_NUMBER"
            and window.args.get("order") is not None
        ]
        if select.args.get("limit") is not None and select.args.get("order") is not None:
            orders.append(select.args["order"])
        for order in orders:
            known = {item.this.name.lower() for item in order.expressions}
            for column in table.columns:
                if column.name.lower() not in known and column.type.name not in _UNORDERED:
                    order.append("expressions", exp.Ordered(this=trees.column(column.name, alias)))
    return tree


_UNORDERED = (TypeName.XML, TypeName.TEXT, TypeName.NTEXT, TypeName.IMAGE)


def _line(line: int) -> int:
    """A line of 1 is what the binder says when it does not know."""
    return line if line > 1 else 0


def _opposite(condition: exp.Expr) -> exp.Expr:
    """The rows a condition does not select, as simply as NULLs allow."""
    if isinstance(condition, exp.Is) and isinstance(condition.expression, exp.Null):
        return exp.Not(this=condition)
    inner = trees.unwrapped(condition.this) if isinstance(condition, exp.Not) else None
    if isinstance(inner, exp.Is) and isinstance(inner.expression, exp.Null):
        return inner
    kind = trees.OPPOSITE.get(type(condition))
    if kind is not None and all(
        isinstance(side, exp.Literal) or (isinstance(side, exp.Column) and is_not_null(side))
        for side in (condition.this, condition.expression)
    ):
        return kind(this=condition.this, expression=condition.expression)
    return exp.Not(this=exp.Is(this=exp.Paren(this=condition), expression=exp.true()))


def _with_stars(translated: exp.Expr, tree: exp.Expr) -> exp.Expr:
    """``*`` written where the author wrote it: binding spells out its columns.

    Only for a SELECT with one ``*``; the columns it stands for are marked by binding.
    """
    if isinstance(tree, exp.SetOperation) and isinstance(translated, exp.SetOperation):
        _with_stars(translated.this, tree.this)
        _with_stars(translated.expression, tree.expression)
        return translated
    if not isinstance(tree, exp.Select) or not isinstance(translated, exp.Select):
        return translated
    stars = [item for item in tree.expressions if item.is_star]
    if len(stars) != 1:
        return translated
    items: list[exp.Expr] = []
    for item in translated.expressions:
        value = item.this if isinstance(item, exp.Alias) else item
        if not from_star(value) and not from_star(item):
            items.append(item)
        elif not items or not items[-1].is_star:
            star = stars[0].copy()
            items.append(star)
    if sum(item.is_star for item in items) == 1:
        translated.set("expressions", items)
    return translated


def _negations(tree: exp.Expr) -> exp.Expr:
    """``CASE WHEN p THEN 1 ELSE 0 END = 0`` is ``(p) is not true`` in DuckDB."""
    for node in list(tree.find_all(exp.EQ)):
        inner = exp.EQ(this=trees.unwrapped(node.this), expression=node.expression)
        condition = trees.negated_case(inner)
        if condition is None:
            continue
        plain = trees.unwrapped(condition)
        never_null = isinstance(plain, exp.Exists) or (
            isinstance(plain, exp.Not) and isinstance(trees.unwrapped(plain.this), exp.Exists)
        )
        if never_null:
            new: exp.Expr = (
                plain.this.copy() if isinstance(plain, exp.Not) else exp.Not(this=plain.copy())
            )
        else:
            new = _opposite(plain.copy())
        if node is tree:
            return new
        node.replace(new)
    return tree
