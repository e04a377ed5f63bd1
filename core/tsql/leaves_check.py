"""Whether a tree says everything its source says.

sqlglot is forgiving: what it does not know becomes an opaque Command, an alias, or nothing at all.
Here the tree is compared with the tokens it was made from. Every name, number, string and variable
of the source must occur in the tree as often as in the source, and every clause keyword must have
its node. A tree that says less is refused; it is never repaired.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from sqlglot import exp

from core.tsql.leaves_text import is_plain_name
from core.tsql.reserved import RESERVED, TYPE_WORDS
from core.tsql.tokens import Token, TokenKind, string_value, unquoted

#: Trees deeper than this overflow Python's stack in whoever walks them by recursion.
MAX_TREE_DEPTH = 300


def _is_comma(join: exp.Join) -> bool:
    """A comma of FROM is a Join without anything; so is APPLY, but for its Lateral."""
    keys = ("kind", "side", "on", "using", "method")
    return not any(join.args.get(key) for key in keys) and not isinstance(join.this, exp.Lateral)


def _between(node: exp.Expr) -> int:
    """BETWEEN is a predicate, a window frame, or a temporal period."""
    if isinstance(node, exp.Version):
        return 1 if node.args.get("kind") == "BETWEEN" else 0
    return 1 if isinstance(node, (exp.Between, exp.WindowSpec)) else 0


def _negations(node: exp.Expr) -> int:
    """NOT is a node of its own, or a flag of the predicate it stands in (``a NOT LIKE b``)."""
    if isinstance(node, (exp.Not, exp.NullSafeEQ, exp.NullSafeNEQ)):
        return 1
    return 1 if node.args.get("negate") else 0


def _distincts(node: exp.Expr) -> int:
    if isinstance(node, (exp.NullSafeEQ, exp.NullSafeNEQ, exp.Distinct)):
        return 1
    return 1 if isinstance(node, exp.SetOperation) and node.args.get("distinct") else 0


# Which nodes a clause keyword may become.
_CLAUSE_NODES: dict[str, tuple[type[exp.Expr], ...]] = {
    "SELECT": (exp.Select,),
    "WHERE": (exp.Where,),
    "HAVING": (exp.Having,),
    "GROUP BY": (exp.Group,),
    "ORDER BY": (exp.Order,),
    "OVER": (
        exp.Window,
        exp.NextValueFor,
    ),
    "UNION": (exp.Union,),
    "EXCEPT": (exp.Except,),
    "INTERSECT": (exp.Intersect,),
    "CASE": (exp.Case,),
    "WHEN": (exp.If,),
    "EXISTS": (exp.Exists,),
    "LIKE": (
        exp.Like,
        exp.ILike,
    ),
    "ESCAPE": (exp.Escape,),
    "COLLATE": (exp.Collate,),
    "TOP": (exp.Limit,),
    "OFFSET": (exp.Offset,),
    "OR": (exp.Or,),
    "IN": (exp.In,),
    "NULL": (exp.Null,),
    "VALUES": (exp.Values,),
    "ROLLUP": (exp.Rollup,),
    "CUBE": (exp.Cube,),
    "SETS": (exp.GroupingSets,),
    "IS": (exp.Is, exp.NullSafeEQ, exp.NullSafeNEQ),
    "AND": (exp.And, exp.Between, exp.WindowSpec, exp.Version),
    "-": (exp.Sub, exp.Neg),
    "*": (exp.Mul, exp.Star),
    "/": (exp.Div,),
    "%": (exp.Mod,),
    "<": (exp.LT,),
    ">": (exp.GT,),
    "<=": (exp.LTE,),
    ">=": (exp.GTE,),
    "!>": (exp.LTE,),
    "!<": (exp.GTE,),
    "<>": (exp.NEQ,),
    "!=": (exp.NEQ,),
    "FOR": (
        exp.ForClause,
        exp.Version,
        exp.NextValueFor,
        exp.Pivot,
    ),
}
# Keywords whose nodes need a closer look.
_CLAUSE_COUNTS: dict[str, Callable[[exp.Expr], int]] = {
    "PARTITION": lambda node: 1 if node.args.get("partition_by") else 0,
    "BETWEEN": _between,
    "PIVOT": lambda node: 1 if isinstance(node, exp.Pivot) and not node.args["unpivot"] else 0,
    "UNPIVOT": lambda node: 1 if isinstance(node, exp.Pivot) and node.args["unpivot"] else 0,
    "JOIN": lambda node: 1 if isinstance(node, exp.Join) and not _is_comma(node) else 0,
    "DISTINCT": _distincts,
    "NOT": _negations,
}


def complaint(
    tokens: Sequence[Token], nodes: Sequence[exp.Expr], synthetic: Counter[str]
) -> tuple[str, str] | None:
    """Why a tree does not stand for its tokens: (construct, sentence), or None when it does.

    `nodes` are what `flattened` gives; `synthetic` counts the keywords that were added
    to the text given to sqlglot.
    """
    return (
        _empty_item(tokens)
        or _forbidden(tokens, nodes)
        or _lost_words(tokens, nodes)
        or _lost_clause(tokens, nodes, synthetic)
    )


def flattened(tree: exp.Expr) -> tuple[list[exp.Expr], int]:
    """All nodes of a tree, level by level, and the number of levels."""
    nodes: list[exp.Expr] = []
    depth, level = 0, [tree]
    while level:
        depth += 1
        nodes += level
        level = [child for node in level for child in node.iter_expressions()]
    return nodes, depth


_LIST_ENDS = frozenset(
    {
        *(",", ")", ";", "FROM", "WHERE", "GROUP", "ORDER", "HAVING", "INTO", "UNION", "EXCEPT"),
        *("INTERSECT", "ON", "FOR", "OPTION"),
    }
)


def _empty_item(tokens: Sequence[Token]) -> tuple[str, str] | None:
    """``a,, b`` and ``a, FROM``: sqlglot passes over an item that is missing."""
    for index, token in enumerate(tokens):
        if token.kind is not TokenKind.COMMA:
            continue
        before = tokens[index - 1] if index else None
        after = tokens[index + 1] if index + 1 < len(tokens) else None
        if before is None or before.kind is TokenKind.OPEN:
            return "syntax", "there is nothing before this comma"
        if after is None or (after.kind is not TokenKind.QUOTED and after.upper in _LIST_ENDS):
            return "syntax", "there is nothing behind this comma"
    return None


def _forbidden(tokens: Sequence[Token], nodes: Iterable[exp.Expr]) -> tuple[str, str] | None:
    # The headers of PIVOT and UNPIVOT lose their brackets when they are parsed.
    bracketed = {unquoted(t).upper() for t in tokens if t.kind is TokenKind.QUOTED}
    for node in nodes:
        if isinstance(node, exp.Command):
            return "opaque statement", f"this is not understood: {str(node.this)[:40]}"
        if (
            isinstance(node, exp.Identifier)
            and not is_default_argument(node.parent)
            and not node.args.get("quoted")
            and node.name.upper() in RESERVED
            and node.name.upper() not in bracketed
        ):
            return (
                "reserved word as a name",
                f"{node.name.upper()} would be read as a name here, which it cannot be in T-SQL",
            )
    return None


def is_default_argument(node: exp.Expr | None) -> bool:
    """``dbo.fn(x, DEFAULT)``: DEFAULT as an argument of a user function."""
    return (
        isinstance(node, exp.Column)
        and node.name.upper() == "DEFAULT"
        and not node.args.get("table")
        and isinstance(node.parent, exp.Anonymous)
        and isinstance(node.parent.parent, (exp.Dot, exp.Table))
    )


# --- names, constants, variables ---


def _lost_words(tokens: Sequence[Token], nodes: Sequence[exp.Expr]) -> tuple[str, str] | None:
    wanted: Counter[str] = Counter()
    for index, token in enumerate(tokens):
        word = _significant(tokens, index, token)
        if word is not None:
            wanted[word] += 1
    have: Counter[str] = Counter()
    for node in nodes:
        have.update(_words_of(node))
    for word, count in wanted.items():
        if have[word] < count:
            return "lost clause", f"{word!r} is lost when this is read; it is not used"
    return None


def _significant(tokens: Sequence[Token], index: int, token: Token) -> str | None:
    kind = token.kind
    if kind is TokenKind.QUOTED:
        name = unquoted(token)
        return None if name.upper() in TYPE_WORDS else name.lstrip("#").casefold()
    if kind is TokenKind.STRING:
        return string_value(token).casefold()
    if kind is TokenKind.VARIABLE:
        return token.text.lstrip("@").casefold()
    if kind is TokenKind.NUMBER:
        return _number(token.text) or None  # the empty binary 0x
    if kind is TokenKind.MONEY:
        return _number(token.text[1:] or "0")
    if kind is TokenKind.WORD and is_plain_name(tokens, index):
        return token.text.casefold()
    if token.upper == "GROUPING" and _is_before(tokens, index, "SETS"):
        return None
    if kind is TokenKind.WORD and token.upper not in _NOT_COUNTED:
        return token.text.lstrip("#").casefold()
    return None


def _is_before(tokens: Sequence[Token], index: int, word: str) -> bool:
    return index + 1 < len(tokens) and tokens[index + 1].upper == word


def _number(text: str) -> str:
    if text[:2] in ("0x", "0X"):
        return text[2:].casefold()
    text = text.casefold()
    return "0" + text if text.startswith(".") else text


# Words that are part of a syntax of their own and may be stored as a flag, a type or not at all.
# Losing one of them changes nothing that the counted clauses would not show.
_SYNTAX = frozenset(
    {
        *("AT", "TIME", "ZONE", "OFFSET", "ROWS", "ROW", "ONLY", "NEXT", "FIRST", "LAST", "VALUE"),
        *("RANGE", "UNBOUNDED", "PRECEDING", "FOLLOWING", "PARTITION", "TIES", "APPLY"),
        *("SETS", "SYSTEM_TIME", "CONTAINED", "MATCHED", "WITHIN", "CAST", "CONVERT", "TRY_CAST"),
        *("TRY_CONVERT", "ROLLUP", "CUBE", "LEADING", "TRAILING", "BOTH", "HASH", "LOOP"),
        *("REMOTE", "IGNORE", "RESPECT", "NULLS", "XML", "JSON", "SAMPLE", "REPEATABLE", "MAX"),
        *("OPENJSON", "TRIM", "USING", "TYPE", "ELEMENTS", "XSINIL", "ABSENT", "WINDOW", "IS"),
        *("PERCENT", "FULL", "OUTER"),
    }
)


_NOT_COUNTED = RESERVED | _SYNTAX | TYPE_WORDS


def _words_of(node: exp.Expr) -> list[str]:
    """The words a node of the tree stands for, without those of its children."""
    if isinstance(node, (exp.Identifier, exp.Var, exp.Anonymous, exp.National, exp.HexString)):
        # ELEMENTS XSINIL is one Var; a Var may hold a whole phrase.
        text = str(node.this).casefold()
        return [text, *text.split()] if " " in text else [text]
    if isinstance(node, exp.Literal):
        text = node.name.casefold()
        return [text] if node.is_string else [_number(text)]
    if isinstance(node, exp.DataType):
        kind = node.args.get("kind")
        return str(kind).replace("[", "").replace("]", "").casefold().split(".") if kind else []
    if isinstance(node, exp.CurrentUser):
        return ["current_user", "system_user", "user"]
    if isinstance(node, exp.Func):
        return [name.casefold() for name in type(node).sql_names()]
    if isinstance(node, exp.Join):
        parts = (node.args.get(key) for key in ("side", "kind", "hint", "method"))
        return [str(part).casefold() for part in parts if part]
    return []


# --- clauses ---


def _lost_clause(
    tokens: Sequence[Token], nodes: Sequence[exp.Expr], synthetic: Counter[str]
) -> tuple[str, str] | None:
    wanted = _clause_words(tokens)
    types = Counter(map(type, nodes))
    for clause, needed in wanted.items():
        if clause in _CLAUSE_NODES:
            found = sum(types[kind] for kind in _CLAUSE_NODES[clause])
        elif clause in _CLAUSE_COUNTS:
            found = sum(map(_CLAUSE_COUNTS[clause], nodes))
        else:
            continue
        if needed and found < needed + synthetic[clause]:
            return "lost clause", f"a {clause} is lost when this is read; it is not used"
    return None


def _operator(tokens: Sequence[Token], index: int) -> str:
    """The operator at `index`; ``< =`` with a space between is one, its second half none."""
    text = tokens[index].text
    if text in "<>!" and index + 1 < len(tokens) and tokens[index + 1].text in ("=", "<", ">"):
        return text + tokens[index + 1].text
    if text in "=<>" and index and tokens[index - 1].text in ("<", ">", "!"):
        return ""
    return text


def _clause_words(tokens: Sequence[Token]) -> Counter[str]:
    """How often each clause keyword and operator stands in the source."""
    words = [token.upper if token.kind is TokenKind.WORD else "" for token in tokens]
    found: Counter[str] = Counter()
    for index, word in enumerate(words):
        following = words[index + 1] if index + 1 < len(words) else ""
        if word in ("GROUP", "ORDER"):
            found[f"{word} BY"] += following == "BY"
        elif word and not is_plain_name(tokens, index):
            found[word] += 1
        elif tokens[index].kind is TokenKind.OPERATOR:
            found[_operator(tokens, index)] += 1
    found["JOIN"] += found["APPLY"]
    return found
