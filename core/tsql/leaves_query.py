"""Queries and expressions: the part of a leaf that sqlglot parses.

Everything else in a leaf is cut away first, so what arrives here is a SELECT (with CTEs and set
operations), a VALUES list, or scalar expressions. Expressions are parsed inside a SELECT too: it is
the one statement sqlglot reads well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlglot import exp
from sqlglot.errors import SqlglotError

from core.tsql.dialect import TSqlLeaf, negation_outside
from core.tsql.errors import TsqlError
from core.tsql.leaves import ForXml
from core.tsql.leaves_check import MAX_TREE_DEPTH, complaint, flattened, is_default_argument
from core.tsql.leaves_text import LeafSource, LeafText

_DIALECT = TSqlLeaf()


class Refused(TsqlError):  # noqa: N818
    """A leaf has no usable tree. Never leaves `core.tsql`: it becomes a `LeafError`."""

    code = "TSQL_LEAF_REFUSED"

    def __init__(self, reason: str, construct: str, line: int, column: int = 1) -> None:
        super().__init__(reason, line=line, column=column)
        self.construct = construct


@dataclass
class QueryText:
    """A query being put together: CTEs, then values and conditions, then FROM and WHERE.

    `value` and `condition` add a scalar to be parsed and return its number; ``parse()`` gives the
    query and the scalars in that order.
    """

    source: LeafSource
    text: LeafText = field(init=False)
    scalars: list[tuple[int, int, bool]] = field(default_factory=list)
    _added: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.text = LeafText(self.source)

    def value(self, start: int, end: int) -> int:
        self.scalars.append((start, end, False))
        return len(self.scalars) - 1

    def condition(self, start: int, end: int) -> int:
        self.scalars.append((start, end, True))
        return len(self.scalars) - 1

    def parse(
        self,
        ctes: tuple[int, int] = (0, 0),
        table: tuple[int, int] = (0, 0),
        where: tuple[int, int] = (0, 0),
    ) -> tuple[exp.Select, list[exp.Expr]]:
        """``<ctes> SELECT <scalars> FROM <table> WHERE <where>``; token ranges, empty for none.

        The query comes back as ``SELECT *``, the scalars apart from it.
        """
        text = self.text
        text.tokens(*ctes)
        text.word("SELECT")
        self._added["SELECT"] += 1
        if not self.scalars:
            text.word("1")
        for number, (start, end, is_condition) in enumerate(self.scalars):
            text.word(", CASE WHEN" if number else "CASE WHEN")
            if not is_condition:
                text.word("1 = 1 THEN")
            if self._is_default(number):
                text.word("1")
            else:
                text.tokens(start, end)
            text.word("THEN 1 END" if is_condition else "END")
        self._added.update({"CASE": len(self.scalars), "WHEN": len(self.scalars)})
        for word, (start, end) in (("FROM", table), ("WHERE", where)):
            if end > start:
                text.word(word)
                text.tokens(start, end)
                self._added[word] += 1
        tree = parsed(self.text, self._added)
        if not isinstance(tree, exp.Select):
            raise self._unreadable()
        values = [self._scalar(node, number) for number, node in enumerate(tree.expressions)]
        if self.scalars and len(values) != len(self.scalars):
            raise self._unreadable()
        tree.set("expressions", [exp.Star()])
        return tree, values if self.scalars else []

    def _scalar(self, node: exp.Expr, number: int) -> exp.Expr:
        if not self.scalars:
            return node
        branches = node.args.get("ifs") if isinstance(node, exp.Case) else None
        if not branches or len(branches) != 1 or node.args.get("default") is not None:
            raise self._unreadable()
        found: exp.Expr | None = branches[0].this
        if not self.scalars[number][2]:
            found = branches[0].args.get("true")
        if found is None:
            raise self._unreadable()
        return exp.Var(this="DEFAULT") if self._is_default(number) else found.pop()

    def _is_default(self, number: int) -> bool:
        """Whether a value is the word DEFAULT, which is no expression."""
        start, end, _ = self.scalars[number]
        return end - start == 1 and self.source.tokens[start].upper == "DEFAULT"

    def _unreadable(self) -> Refused:
        return Refused("this is not an expression", "expression", self.source.line)


def parsed(text: LeafText, added: Counter[str] | None = None) -> exp.Expr:
    """The checked tree of one query; `added` counts the keywords that are not in the source."""
    source = text.source
    try:
        statements = _DIALECT.parse(text.text)
    except SqlglotError as error:
        line, column = _error_position(text, error)
        detail = str(error).split("\n")[0].split(". Line")[0]
        raise Refused(f"this cannot be parsed: {detail}", "syntax", line, column) from None
    except RecursionError:
        raise Refused("this is nested too deeply", "nesting", source.line) from None
    except (ValueError, TypeError, AttributeError, KeyError, IndexError, AssertionError) as error:
        # sqlglot trips over some broken input instead of reporting it.
        raise Refused(f"this cannot be parsed: {error}", "syntax", source.line) from None
    if len(statements) != 1 or statements[0] is None:
        raise Refused("expected one statement", "syntax", source.line)
    tree = statements[0]
    nodes, depth = flattened(tree)
    found = complaint(text.emitted, nodes, added or Counter())
    if found:
        construct, reason = found
        raise Refused(reason, construct, source.line)
    if depth > MAX_TREE_DEPTH:
        _join_literals(nodes)
        nodes, depth = flattened(tree)
    if depth > MAX_TREE_DEPTH:
        reason = f"this is nested more than {MAX_TREE_DEPTH} levels deep"
        raise Refused(reason, "nesting", source.line)
    text.locate(nodes)
    normalise(nodes, source)
    return tree


#: The longest text that ``'a' + 'b'`` can be before it is cut (varchar; an nvarchar has half).
_LONGEST = 8000


def _join_literals(nodes: Sequence[exp.Expr]) -> None:
    """``'a' + 'b' + 'c'`` as one constant, in place: dynamic SQL is written line by line."""
    for node in reversed(nodes):
        if not isinstance(node, exp.Add):
            continue
        left, right = node.this, node.expression
        plain = all(isinstance(side, exp.Literal) and side.is_string for side in (left, right))
        national = isinstance(left, exp.National) and isinstance(right, exp.National)
        limit = _LONGEST if plain else _LONGEST // 2
        if (plain or national) and len(joined := left.name + right.name) <= limit:
            left.pop().set("this", joined)
            node.replace(left)


def _error_position(text: LeafText, error: SqlglotError) -> tuple[int, int]:
    details = getattr(error, "errors", None)
    if details and details[0].get("line") is not None:
        wanted, column = details[0]["line"], details[0]["col"]
        lines = text.text.split("\n")
        offset = sum(len(line) + 1 for line in lines[: wanted - 1]) + max(column - 1, 0)
        return text.source_position(offset)
    return text.source.line, text.source.column


# --- normalisation of the tree ---


def normalise(nodes: Sequence[exp.Expr], source: LeafSource) -> None:
    """The conventions of `core.tsql.leaves`, applied in place."""
    for node in nodes:
        if isinstance(node, (exp.Cast, exp.TryCast)):
            node.meta["tsql_type"] = _type_text(node.args.get("to"))
        elif isinstance(node, exp.Convert):
            node.meta["tsql_type"] = _type_text(node.this)
            if node.args.get("style") is not None:
                node.meta["tsql_style"] = node.args["style"].sql("tsql")
        elif isinstance(node, exp.With):
            _mark_recursive(node)
        elif isinstance(node, exp.Join) and isinstance(node.this, exp.Lateral):
            crosses = node.this.args.get("cross_apply")
            node.meta["tsql_apply"] = "CROSS" if crosses else "OUTER"
        elif node.args.get("negate"):
            negation_outside(node)
        elif isinstance(node, exp.Column) and _is_user(node):
            node.replace(exp.CurrentUser())
        elif is_default_argument(node):
            node.replace(exp.Var(this="DEFAULT"))
        elif isinstance(node, exp.Table):
            _table(node)
        elif isinstance(node, exp.Query) and node.args.get("for_"):
            node.meta["tsql_for_xml"] = _for_xml(node.args["for_"], source.line)


# Hints that old code writes without WITH (``queries/hints-transact-sql-table``).
_BARE_HINTS = frozenset(
    {
        *("NOLOCK", "READUNCOMMITTED", "UPDLOCK", "REPEATABLEREAD", "SERIALIZABLE", "HOLDLOCK"),
        *("READCOMMITTED", "TABLOCK", "TABLOCKX", "PAGLOCK", "ROWLOCK", "NOWAIT", "READPAST"),
        *("XLOCK", "SNAPSHOT", "NOEXPAND"),
    }
)


def _table(node: exp.Table) -> None:
    """``db..t`` has no schema; ``t AS x (READPAST, ROWLOCK)`` names hints, not columns."""
    if node.args.get("db") == "":
        node.set("db", None)
    alias = node.args.get("alias")
    columns = alias.args.get("columns") if isinstance(alias, exp.TableAlias) else None
    if (
        alias is not None
        and columns
        and isinstance(node.this, exp.Identifier)
        and all(column.name.upper() in _BARE_HINTS for column in columns)
    ):
        words = [exp.Var(this=column.name) for column in columns]
        node.set("hints", [exp.WithTableHint(expressions=words)])
        alias.set("columns", None)


# Types that sqlglot's generator does not write as T-SQL does.
_TYPE_NAMES = {
    exp.DType.FLOAT: "real",
    exp.DType.DOUBLE: "float",
    exp.DType.TEXT: "text",
    exp.DType.INT: "int",
    exp.DType.DECIMAL: "decimal",
}


def _type_text(node: exp.Expr | None) -> str:
    """The declared type in lower case: ``decimal(18, 2)``, ``nvarchar(max)``, ``dbo.flag``."""
    if node is None:
        return ""
    name = _TYPE_NAMES.get(node.this) if isinstance(node, exp.DataType) else None
    if name is None:
        return node.sql("tsql").lower()
    arguments = ", ".join(argument.sql("tsql") for argument in node.expressions)
    return f"{name}({arguments})" if arguments else name


def _is_user(node: exp.Column) -> bool:
    """``USER`` without quotes is a function without parentheses, never a column."""
    name = node.this
    return (
        isinstance(name, exp.Identifier)
        and not name.args.get("quoted")
        and name.name.upper() == "USER"
        and not node.args.get("table")
    )


def _mark_recursive(node: exp.With) -> None:
    """T-SQL has no RECURSIVE: a CTE that names itself is recursive."""
    for cte in node.expressions:
        name = cte.alias.casefold()
        if any(t.name.casefold() == name and not t.db for t in cte.this.find_all(exp.Table)):
            node.set("recursive", True)


def _for_xml(clause: exp.Expr, line: int) -> ForXml:
    options = []
    for option in clause.expressions:
        key = option.this
        if key is None:
            continue
        if isinstance(key, exp.XMLKeyValueOption):
            value = key.args.get("expression")
            options.append((key.this.name.upper(), value.name if value is not None else None))
        else:
            options.append((key.name.upper(), None))
    mode, element = options[0] if options else ("", None)
    rest = tuple(k if v is None else f"{k}('{v}')" for k, v in options[1:])
    return ForXml(str(clause.args.get("kind")), mode, element, rest, line)


def table_hints(trees: Sequence[exp.Expr]) -> tuple[str, ...]:
    """Names of the table hints in the trees, in upper case, without repetition."""
    found: dict[str, None] = {}
    for tree in trees:
        for hint in tree.find_all(exp.WithTableHint):
            for item in hint.expressions:
                found[item.name.upper()] = None
    return tuple(found)


_REMOTE_FUNCTIONS = frozenset({"openquery", "openrowset", "opendatasource"})


def remote_names(trees: Sequence[exp.Expr]) -> tuple[str, ...]:
    """What is read from elsewhere: OPENQUERY and the like, and four-part names."""
    found: dict[str, None] = {}
    for tree in trees:
        for node in tree.find_all(exp.Table):
            function = node.this
            if (
                isinstance(function, exp.Anonymous)
                and function.name.casefold() in _REMOTE_FUNCTIONS
            ):
                found[function.name.upper()] = None
            elif isinstance(function, exp.Dot) and node.args.get("catalog") is not None:
                found[node.sql("tsql")] = None
    return tuple(found)
