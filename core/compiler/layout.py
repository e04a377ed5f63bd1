"""How SQL is laid out: a DuckDB tree becomes the lines a person would have written.

dbt's style: lower-case keywords, four spaces, trailing commas, one column per line, conditions
broken at AND and OR. Identifiers keep their spelling and are quoted only where DuckDB needs it.
Nothing here changes what a query means.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB

WIDTH = 96
INDENT = "    "

_PART = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"")
_SAFE = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")
# Keywords DuckDB does not accept as a bare name (duckdb_keywords(): reserved, type_function).
RESERVED = frozenset(
    [
        "all",
        "analyse",
        "analyze",
        "and",
        "anti",
        "any",
        "array",
        "as",
        "asc",
        "asof",
        "asymmetric",
        "at",
        "authorization",
        "binary",
        "both",
        "by",
        "case",
        "cast",
        "check",
        "collate",
        "collation",
        "column",
        "columns",
        "concat",
        "concurrently",
        "constraint",
        "create",
        "cross",
        "default",
        "deferrable",
        "desc",
        "describe",
        "distinct",
        "do",
        "else",
        "end",
        "except",
        "exists",
        "extract",
        "false",
        "fetch",
        "for",
        "foreign",
        "freeze",
        "from",
        "full",
        "generated",
        "glob",
        "group",
        "having",
        "ilike",
        "in",
        "initially",
        "inner",
        "intersect",
        "into",
        "is",
        "isnull",
        "join",
        "lambda",
        "lateral",
        "leading",
        "left",
        "like",
        "limit",
        "map",
        "natural",
        "not",
        "notnull",
        "null",
        "offset",
        "on",
        "only",
        "or",
        "order",
        "outer",
        "overlaps",
        "pivot",
        "pivot_longer",
        "pivot_wider",
        "placing",
        "positional",
        "primary",
        "qualify",
        "references",
        "returning",
        "right",
        "select",
        "semi",
        "show",
        "similar",
        "some",
        "struct",
        "summarize",
        "symmetric",
        "table",
        "tablesample",
        "then",
        "to",
        "trailing",
        "true",
        "try_cast",
        "tuple",
        "union",
        "unique",
        "unpack",
        "unpivot",
        "using",
        "values",
        "variadic",
        "verbose",
        "when",
        "where",
        "window",
        "with",
        "rowid",
        "row",
        "interval",
        "position",
        "substring",
        "overlay",
        "trim",
        "coalesce",
        "nullif",
    ]
)


class _Readable(DuckDB.Generator):  # type: ignore[misc, valid-type]
    """DuckDB's SQL with negations where people write them: ``x not in (…)``, ``x is not null``."""

    def exists_sql(self, expression: exp.Exists) -> str:
        return f"EXISTS ({self.sql(expression, 'this')})"

    def not_sql(self, expression: exp.Not) -> str:
        inner = expression.this
        if isinstance(inner, exp.Is):
            return f"{self.sql(inner, 'this')} IS NOT {self.sql(inner, 'expression')}"
        for kind, word in ((exp.In, " IN ("), (exp.Like, " LIKE "), (exp.Between, " BETWEEN ")):
            if type(inner) is kind:
                subject = self.sql(inner, "this")
                text = self.sql(inner)
                if text.startswith(subject + word):
                    return f"{subject} NOT{text[len(subject) :]}"
        return str(super().not_sql(expression))


def quoted(name: str) -> str:
    """An identifier, quoted only where DuckDB needs it."""
    if _SAFE.match(name) and name.lower() not in RESERVED:
        return name
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def flat(node: exp.Expr) -> str:
    """A tree on one line."""
    return tidy(
        _Readable(dialect="duckdb", identify=True, normalize_functions="lower").generate(node)
    )


def tidy(sql: str) -> str:
    """Generated SQL with keywords in lower case and without needless quotes."""
    parts: list[str] = []
    position = 0
    for match in _PART.finditer(sql):
        parts.append(sql[position : match.start()].lower())
        text = match.group()
        if text[0] == '"':
            text = quoted(text[1:-1].replace('""', '"'))
        else:
            text = without_jinja(text)
        parts.append(text)
        position = match.end()
    parts.append(sql[position:].lower())
    return "".join(parts)


def without_jinja(literal: str) -> str:
    """A string literal in which dbt finds no Jinja: ``'{{'`` becomes ``('{' || '{')``."""
    if not re.search(r"\{[{%#]|[}%#]\}", literal):
        return literal
    return "(" + re.sub(r"([{}%#])(?=[{}%#])", r"\1' || '", literal) + ")"


def lines(node: exp.Expr, width: int = WIDTH) -> list[str]:
    """A query or expression as lines without leading indentation."""
    if isinstance(node, exp.Select):
        return _select(node, width)
    if isinstance(node, exp.SetOperation):
        return _set_operation(node, width)
    return _expression(node, width)


_PLACEHOLDER = re.compile(r"__(?:var_\w+?|clock|user)__")
_LENGTHS: ContextVar[Mapping[str, int]] = ContextVar("placeholder_lengths")


@contextmanager
def placeholder_lengths(found: Mapping[str, int]) -> Iterator[None]:
    """How long the Jinja is that will stand for each placeholder, while lines are broken."""
    token = _LENGTHS.set(found)
    try:
        yield
    finally:
        _LENGTHS.reset(token)


def written_length(text: str) -> int:
    """The length of a text once its placeholders are Jinja."""
    if "__" not in text:
        return len(text)
    known = _LENGTHS.get({})
    words = _PLACEHOLDER.findall(text)
    return len(text) + sum(known.get(word, len(word)) - len(word) for word in words)


def _indented(text: Iterable[str]) -> list[str]:
    return [INDENT + line if line else line for line in text]


def _select(node: exp.Select, width: int) -> list[str]:
    if node.args.get("with_") is not None:
        return _with(node, width)
    head = "select"
    if node.args.get("distinct") is not None:
        head += " distinct"
    out: list[str] = []
    items = node.expressions
    if len(items) == 1 and _is_short(items[0]):
        out.append(f"{head} {flat(items[0])}")
    else:
        out.append(head)
        out += _indented(_listed(items, width - 4))
    source = node.args.get("from_")
    if source is not None:
        out += _prefixed("from ", source.this, width)
    for join in node.args.get("joins") or ():
        out += _join(join, width)
    for lateral in node.args.get("laterals") or ():
        out += _prefixed("", lateral, width)
    out += _clauses(node, width)
    return out


def _is_short(item: exp.Expr) -> bool:
    return isinstance(item, exp.Star | exp.Literal | exp.Column | exp.Boolean) or (
        isinstance(item, exp.Alias) and len(flat(item)) <= 60 and item.find(exp.Subquery) is None
    )


def _with(node: exp.Query, width: int) -> list[str]:
    body = node.copy()
    with_ = body.args["with_"]
    body.set("with_", None)
    head = "with recursive" if with_.args.get("recursive") else "with"
    out: list[str] = []
    for position, cte in enumerate(with_.expressions):
        start = f"{head} " if position == 0 else ""
        alias = flat(cte.args["alias"])
        out.append(f"{start}{alias} as (")
        out += _indented(lines(cte.this, width - 4))
        out.append(")," if position < len(with_.expressions) - 1 else ")")
    return out + lines(body, width)


def _listed(items: list[exp.Expr], width: int) -> list[str]:
    out: list[str] = []
    for position, item in enumerate(items):
        text = _expression(item, width)
        if position < len(items) - 1:
            text[-1] += ","
        out += text
    return out


def _clauses(node: exp.Select, width: int) -> list[str]:
    out: list[str] = []
    if (where := node.args.get("where")) is not None:
        out += _condition("where", where.this, width)
    if (group := node.args.get("group")) is not None:
        out += _wrapped(flat(group), "group by", list(group.expressions), group, width)
    if (having := node.args.get("having")) is not None:
        out += _condition("having", having.this, width)
    if (qualify := node.args.get("qualify")) is not None:
        out += _condition("qualify", qualify.this, width)
    for key in ("order", "limit", "offset"):
        if (clause := node.args.get(key)) is not None:
            out.append(flat(clause).strip())
    return out


def _wrapped(text: str, head: str, items: list[exp.Expr], node: exp.Expr, width: int) -> list[str]:
    simple = not any(node.args.get(k) for k in ("grouping_sets", "cube", "rollup", "totals", "all"))
    if written_length(text) <= width or not simple:
        return [text.strip()]
    return [head, *_indented(_listed(items, width - 4))]


def _condition(head: str, node: exp.Expr, width: int) -> list[str]:
    operands = _operands(node, exp.And)
    if len(operands) == 1:
        out = _prefixed(f"{head} ", operands[0], width)
        if isinstance(operands[0], exp.Or):
            return [out[0], *_indented(out[1:])]
        return out
    out = _prefixed(f"{head} ", operands[0], width)
    for operand in operands[1:]:
        out += _indented(_prefixed("and ", operand, width - 4))
    return out


def _operands(node: exp.Expr, kind: type[exp.Expr]) -> list[exp.Expr]:
    if isinstance(node, kind):
        return _operands(node.this, kind) + _operands(node.expression, kind)
    return [node]


def _join(join: exp.Join, width: int) -> list[str]:
    words = [str(join.args.get(k) or "").lower() for k in ("method", "side", "kind")]
    words = [word for word in words if word]
    lateral = isinstance(join.this, exp.Lateral)
    if not words:
        words = ["inner"] if join.args.get("on") is not None else ["cross"]
    if join.args.get("using"):
        return [flat(join).strip()]
    text = _prefixed(" ".join([*words, "join"]) + " ", join.this, width)
    on = join.args.get("on")
    if on is None:
        return text
    operands = _operands(on, exp.And)
    one_line = written_length(flat(on) + text[-1]) < width
    if len(operands) == 1 and one_line and not _has_block(on):
        text[-1] += f" on {flat(on)}"
        return text
    if lateral and isinstance(on, exp.Boolean):
        text[-1] += " on true"
        return text
    text += _indented(_prefixed("on ", operands[0], width - 4))
    for operand in operands[1:]:
        text += _indented(_prefixed("and ", operand, width - 4))
    return text


def _has_block(node: exp.Expr) -> bool:
    return node.find(exp.Select) is not None and len(flat(node)) > 60


def _prefixed(head: str, node: exp.Expr, width: int) -> list[str]:
    text = _expression(node, width - len(head))
    text[0] = head + text[0]
    return text


def _set_operation(node: exp.SetOperation, width: int) -> list[str]:
    if node.args.get("with_") is not None:
        return _with(node, width)
    word = type(node).__name__.lower()
    if isinstance(node, exp.Union) or not node.args.get("distinct"):
        word += "" if node.args.get("distinct") else " all"
    out = _operand_of_set(node, node.this, width)
    out += ["", word, ""]
    out += _operand_of_set(node, node.expression, width, right=True)
    for key in ("order", "limit", "offset"):
        if (clause := node.args.get(key)) is not None:
            out.append(flat(clause).strip())
    return out


def _operand_of_set(
    node: exp.SetOperation, operand: exp.Expr, width: int, *, right: bool = False
) -> list[str]:
    same = type(operand) is type(node) and operand.args.get("distinct") == node.args.get("distinct")
    bare = isinstance(operand, exp.Select) and not (
        operand.args.get("order") or operand.args.get("limit") or operand.args.get("with_")
    )
    if bare or (same and not right and not operand.args.get("order")):
        return lines(operand, width)
    if isinstance(operand, exp.Subquery):
        return _expression(operand, width)
    return ["(", *_indented(lines(operand, width - 4)), ")"]


def _expression(node: exp.Expr, width: int) -> list[str]:
    text = flat(node)
    if written_length(text) <= width and not _needs_block(node):
        return [text]
    for kind, split in _SPLITS:
        if isinstance(node, kind):
            return split(node, width)
    return [text]


def _needs_block(node: exp.Expr) -> bool:
    """A query inside an expression is set out in lines unless it is tiny; so is a long CASE."""
    if isinstance(node, exp.Query) and not isinstance(node, exp.Subquery):
        return True
    if any(len(flat(query)) > 60 for query in node.find_all(exp.Select)):
        return True
    return any(
        len(case.args["ifs"]) > 1 and len(flat(case)) > 60 for case in node.find_all(exp.Case)
    )


def _alias(node: exp.Expr, width: int) -> list[str]:
    text = _expression(node.this, width)
    text[-1] += f" as {flat(node.args['alias'])}"
    return text


def _paren(node: exp.Expr, width: int) -> list[str]:
    inner = lines(node.this, width - 4)
    text = ["(", *_indented(inner), ")"]
    alias = node.args.get("alias")
    if alias is not None:
        text[-1] += f" as {flat(alias)}"
    return text


def _between(node: exp.Expr, width: int) -> list[str]:
    text = _prefixed("between ", node.args["low"], width)
    text += _prefixed("and ", node.args["high"], width)
    return [*_expression(node.this, width), *_indented(text)]


def _exists(node: exp.Expr, width: int) -> list[str]:
    return ["exists (", *_indented(lines(node.this, width - 4)), ")"]


def _in(node: exp.Expr, width: int) -> list[str]:
    query = node.args.get("query")
    if query is None:
        return [flat(node)]
    inner = query.this if isinstance(query, exp.Subquery) else query
    text = _expression(node.this, width)
    text[-1] += " in ("
    return [*text, *_indented(lines(inner, width - 4)), ")"]


def _not(node: exp.Expr, width: int) -> list[str]:
    inner = node.this
    if isinstance(inner, exp.In) and inner.args.get("query") is not None:
        text = _in(inner, width)
        subject = len(_expression(inner.this, width)) - 1
        text[subject] = text[subject].removesuffix("in (") + "not in ("
        return text
    if isinstance(inner, exp.Is) and isinstance(inner.this, exp.Paren):
        text = _paren(inner.this, width)
        text[-1] += f" is not {flat(inner.expression)}"
        return text
    if isinstance(inner, exp.Exists | exp.Paren):
        return _prefixed("not ", inner, width)
    return [flat(node)]


def _connector(node: exp.Expr, width: int) -> list[str]:
    kind = type(node)
    word = "and" if kind is exp.And else "or"
    operands = _operands(node, kind)
    out = _expression(operands[0], width)
    for operand in operands[1:]:
        out += _prefixed(f"{word} ", operand, width)
    return out


def _case(node: exp.Expr, width: int) -> list[str]:
    head = "case"
    if node.this is not None:
        head += f" {flat(node.this)}"
    out = [head]
    for branch in node.args["ifs"]:
        condition = _prefixed("when ", branch.this, width - 4)
        value = _expression(branch.args["true"], width - 8)
        one = len(condition) == 1 and len(value) == 1
        if one and written_length(condition[0] + value[0]) + 10 <= width:
            out += _indented([f"{condition[0]} then {value[0]}"])
        else:
            out += _indented(condition)
            value[0] = f"then {value[0]}"
            out += _indented(_indented(value))
    default = node.args.get("default")
    if default is not None:
        out += _indented(_prefixed("else ", default, width - 9))
    out.append("end")
    return out


def _cast(node: exp.Expr, width: int) -> list[str]:
    word = "try_cast" if isinstance(node, exp.TryCast) else "cast"
    inner = _expression(node.this, width - 5)
    to = node.args["to"].sql(dialect="duckdb").lower()
    if len(inner) == 1:
        return [flat(node)]
    return [f"{word}(", *_indented(inner), f"{INDENT}as {to}", ")"]


def _call(node: exp.Expr, width: int) -> list[str]:
    text = flat(node)
    match = re.match(r"[a-z_0-9]+\(", text)
    arguments = _arguments(node)
    if (
        match is None
        or not arguments
        or f"{match.group()}{', '.join(map(flat, arguments))})" != text
    ):
        return [text]
    return [match.group(), *_indented(_listed(arguments, width - 4)), ")"]


def _arguments(node: exp.Expr) -> list[exp.Expr]:
    found: list[exp.Expr] = []
    for key in node.arg_types:
        value = node.args.get(key)
        if isinstance(value, exp.Expr):
            found.append(value)
        elif isinstance(value, list):
            found.extend(item for item in value if isinstance(item, exp.Expr))
    return found


def _binary(node: exp.Expr, width: int) -> list[str]:
    text = flat(node)
    left, right = flat(node.this), flat(node.expression)
    word = text[len(left) : len(text) - len(right)].strip()
    if not text.startswith(left) or not text.endswith(right) or " " in word or not word:
        return [text]
    out = _expression(node.this, width)
    return out + _prefixed(f"{word} ", node.expression, width)


def _window(node: exp.Expr, width: int) -> list[str]:
    parts: list[str] = []
    partition = node.args.get("partition_by") or []
    if partition:
        parts.append("partition by " + ", ".join(flat(item) for item in partition))
    order = node.args.get("order")
    if order is not None:
        one = "order by " + ", ".join(flat(item) for item in order.expressions)
        if written_length(one) <= width - 4:
            parts.append(one)
        else:
            parts += ["order by", *_indented(_listed(order.expressions, width - 8))]
    spec = node.args.get("spec")
    if spec is not None:
        parts.append(flat(spec))
    return [f"{flat(node.this)} over (", *_indented(parts), ")"]


def _lateral(node: exp.Expr, width: int) -> list[str]:
    inner = node.this
    if not isinstance(inner, exp.Subquery):
        return [flat(node)]
    text = ["lateral (", *_indented(lines(inner.this, width - 4)), ")"]
    alias = node.args.get("alias")
    if alias is not None:
        text[-1] += f" as {flat(alias)}"
    return text


_SPLITS = (
    (exp.Select, lines),
    (exp.SetOperation, lines),
    (exp.Alias, _alias),
    (exp.Exists, _exists),
    (exp.Subquery, _paren),
    (exp.Paren, _paren),
    (exp.In, _in),
    (exp.Between, _between),
    (exp.Not, _not),
    (exp.Case, _case),
    (exp.And, _connector),
    (exp.Or, _connector),
    (exp.Cast, _cast),
    (exp.Lateral, _lateral),
    (exp.Window, _window),
    (exp.Binary, _binary),
    (exp.Func, _call),
)
