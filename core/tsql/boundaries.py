"""Where statements begin: the rules that make semicolons unnecessary.

T-SQL ends a statement where the next one begins, and a next one begins with a reserved word that
the statement being read cannot contain at this place. So: outside parentheses and CASE, a word of
`STARTERS` begins a statement, unless the tokens around it say otherwise (`_CONTINUES`). Reserved
words cannot be names without quotes
(https://learn.microsoft.com/en-us/sql/t-sql/language-elements/reserved-keywords-transact-sql),
which is what makes this safe; the few starters that are not reserved (THROW, labels, ENABLE) have
rules of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.tsql.tokens import Token, TokenKind

STARTERS = frozenset(
    {
        *("ALTER", "BACKUP", "BEGIN", "BREAK", "BULK", "CHECKPOINT", "CLOSE", "COMMIT"),
        *("CONTINUE", "CREATE", "DBCC", "DEALLOCATE", "DECLARE", "DELETE", "DENY", "DROP"),
        *("ELSE", "END", "EXEC", "EXECUTE", "FETCH", "GOTO", "GRANT", "IF", "INSERT", "KILL"),
        *("MERGE", "OPEN", "PRINT", "RAISERROR", "READTEXT", "RECONFIGURE", "RESTORE", "RETURN"),
        *("REVERT", "REVOKE", "ROLLBACK", "SAVE", "SELECT", "SET", "SHUTDOWN", "TRUNCATE"),
        *("UPDATE", "UPDATETEXT", "USE", "WAITFOR", "WHILE", "WITH", "WRITETEXT"),
    }
)

# Starters that no parentheses ever contain: an open parenthesis before one of them is a slip, and
# must not swallow the rest of the procedure.
_NEVER_IN_PARENS = frozenset(
    {
        *("BEGIN", "BREAK", "COMMIT", "CONTINUE", "CREATE", "DEALLOCATE", "DECLARE", "DROP"),
        *("GOTO", "IF", "PRINT", "RAISERROR", "RETURN", "ROLLBACK", "TRUNCATE", "WAITFOR", "WHILE"),
    }
)

_NOT_A_CTE_NAME = frozenset({"TIES", "ROLLUP", "CUBE", "CHECK", "NOCHECK", "VALUES"})
_NAMES = (TokenKind.WORD, TokenKind.QUOTED)
_OPERAND_ENDS = (
    TokenKind.WORD,
    TokenKind.QUOTED,
    TokenKind.VARIABLE,
    TokenKind.STRING,
    TokenKind.NUMBER,
    TokenKind.MONEY,
    TokenKind.CLOSE,
)


def matching_parens(tokens: Sequence[Token]) -> list[int]:
    """For each ``(`` the index of its ``)``, else -1; a slip is confined to its statement."""
    match = [-1] * len(tokens)
    open_parens: list[int] = []
    for index, token in enumerate(tokens):
        if token.kind is TokenKind.OPEN:
            open_parens.append(index)
        elif token.kind is TokenKind.CLOSE:
            if open_parens:
                match[open_parens.pop()] = index
        elif open_parens and (
            token.kind is TokenKind.SEMICOLON
            or (token.upper in _NEVER_IN_PARENS and _upper(tokens, index - 1) != ".")
        ):
            open_parens.clear()
    return match


def _upper(tokens: Sequence[Token], index: int) -> str:
    return tokens[index].upper if 0 <= index < len(tokens) else ""


def _kind(tokens: Sequence[Token], index: int) -> TokenKind | None:
    return tokens[index].kind if 0 <= index < len(tokens) else None


# --- words that look like a start and are not ---


def _with_is_no_cte(tokens: Sequence[Token], index: int) -> bool:
    """``WITH (NOLOCK)``, ``WITH ROLLUP``, ``WITH RECOMPILE`` against ``WITH name AS (`` and
    ``WITH name (columns) AS (``."""
    following, after = _upper(tokens, index + 1), _upper(tokens, index + 2)
    if following == "XMLNAMESPACES":
        return after != "("
    if _kind(tokens, index + 1) not in _NAMES:
        return True
    return after != "AS" and (after != "(" or following in _NOT_A_CTE_NAME)


def _select_after_set_operator(tokens: Sequence[Token], index: int) -> bool:
    before = _upper(tokens, index - 1)
    if before in ("ALL", "DISTINCT"):
        before = _upper(tokens, index - 2)
    return before in ("UNION", "EXCEPT", "INTERSECT")


def _fetch_of_offset(tokens: Sequence[Token], index: int) -> bool:
    """``OFFSET 5 ROWS FETCH NEXT 10 ROWS ONLY`` against ``FETCH NEXT FROM c``."""
    return (
        _upper(tokens, index - 1) in ("ROW", "ROWS")
        and _upper(tokens, index + 1) in ("NEXT", "FIRST")
        and _upper(tokens, index + 2) != "FROM"
    )


def _merge_is_a_join_hint(tokens: Sequence[Token], index: int) -> bool:
    return _upper(tokens, index + 1) == "JOIN"


def _update_is_a_function(tokens: Sequence[Token], index: int) -> bool:
    """``IF UPDATE(column)`` of a trigger; ``FOR UPDATE`` of a cursor; ``ON UPDATE`` of a key."""
    before = _upper(tokens, index - 1)
    if before == "FOR" or _after_on(tokens, index):
        return True
    return _upper(tokens, index + 1) == "(" and before in ("IF", "AND", "OR", "NOT", "(")


def _after_on(tokens: Sequence[Token], index: int) -> bool:
    """``ON DELETE CASCADE`` of a key against ``SET NOCOUNT ON DELETE FROM t``."""
    return _upper(tokens, index - 1) == "ON" and _upper(tokens, index + 1) in (
        "CASCADE",
        "NO",
        "SET",
    )


def _if_exists(tokens: Sequence[Token], index: int) -> bool:
    """``DROP TABLE IF EXISTS t``: an IF EXISTS with a query has a parenthesis behind it."""
    return _upper(tokens, index + 1) == "EXISTS" and _upper(tokens, index + 2) != "("


_CONTINUES: dict[str, Callable[[Sequence[Token], int], bool]] = {
    "WITH": _with_is_no_cte,
    "SELECT": _select_after_set_operator,
    "FETCH": _fetch_of_offset,
    "MERGE": _merge_is_a_join_hint,
    "UPDATE": _update_is_a_function,
    "DELETE": _after_on,
    "IF": _if_exists,
}


def starts_statement(tokens: Sequence[Token], index: int) -> bool:
    """Whether the token can only be the first of a new statement (or an END or ELSE)."""
    token = tokens[index]
    if token.kind is not TokenKind.WORD:
        return False
    word = token.upper
    if word in STARTERS:
        if index and tokens[index - 1].kind is TokenKind.DOT:
            return False
        continues = _CONTINUES.get(word)
        return continues is None or not continues(tokens, index)
    if word == "THROW":
        return _throw_starts(tokens, index)
    if word in ("ENABLE", "DISABLE"):
        return _upper(tokens, index + 1) == "TRIGGER" and _upper(tokens, index - 1) != "TABLE"
    if word == "COPY":
        return _upper(tokens, index + 1) == "INTO" and _upper(tokens, index - 1) != "SELECT"
    if word == "RENAME":
        return _upper(tokens, index + 1) == "OBJECT"
    return is_label(tokens, index)


def _throw_starts(tokens: Sequence[Token], index: int) -> bool:
    """THROW is no reserved word: it is a start only where a name could not be.

    With arguments nothing else fits; alone, it is taken for an alias by SQL Server too, which is
    why the documentation wants a semicolon before it.
    """
    return _kind(tokens, index + 1) in (TokenKind.NUMBER, TokenKind.VARIABLE) and (
        _upper(tokens, index + 2) == ","
    )


def is_label(tokens: Sequence[Token], index: int) -> bool:
    return (
        tokens[index].kind in _NAMES
        and _upper(tokens, index + 1) == ":"
        and (index == 0 or tokens[index - 1].kind is not TokenKind.DOT)
    )


# --- ends ---


def expression_end(
    tokens: Sequence[Token], match: Sequence[int], start: int, stops: frozenset[str]
) -> int:
    """Index behind the expression at `start`: before a comma, a stop word or a statement start."""
    index, cases = start, 0
    while index < len(tokens):
        token = tokens[index]
        if token.kind is TokenKind.OPEN and match[index] >= 0:
            index = match[index] + 1
            continue
        if token.kind in (TokenKind.SEMICOLON, TokenKind.COMMA, TokenKind.CLOSE):
            return index
        if token.kind is TokenKind.WORD:
            cases, ends = _case_step(token.upper, cases)
            if ends or (not cases and token.upper in stops):
                return index
            if not (cases and token.upper in ("ELSE", "END")) and token.upper not in _CASE_WORDS:
                if starts_statement(tokens, index):
                    return index
                if index > start and token.upper == "THROW" and _ends_operand(tokens, index - 1):
                    return index
        index += 1
    return index


_CASE_WORDS = frozenset({"CASE", "ELSE", "END"})


def _case_step(word: str, cases: int) -> tuple[int, bool]:
    """The number of open CASEs behind `word`, and whether `word` ends the stretch being read."""
    if word == "CASE":
        return cases + 1, False
    if word == "END":
        return (cases - 1, False) if cases else (0, True)
    if word == "ELSE":
        return cases, not cases
    return cases, False


def _ends_operand(tokens: Sequence[Token], index: int) -> bool:
    return tokens[index].kind in _OPERAND_ENDS and tokens[index].upper not in (
        "AND",
        "OR",
        "NOT",
        "IN",
        "LIKE",
        "BETWEEN",
    )


def leaf_end(
    tokens: Sequence[Token],
    match: Sequence[int],
    start: int,
    *,
    sets: int = 0,
    is_merge: bool = False,
    in_cursor: bool = False,
) -> int:
    """Index behind the data statement whose verb (or source query) is at `start`.

    `sets` is how many SET words belong to it (one for UPDATE); in a MERGE the actions behind THEN
    belong to it; a cursor's query ends before ``FOR UPDATE`` and ``FOR READ ONLY``.
    """
    index, cases = start, 0
    if index < len(tokens) and tokens[index].kind is TokenKind.WORD:
        index += 1
    while index < len(tokens):
        token = tokens[index]
        if token.kind is TokenKind.OPEN and match[index] >= 0:
            index = match[index] + 1
            continue
        if token.kind in (TokenKind.SEMICOLON, TokenKind.CLOSE):
            return index
        if token.kind is TokenKind.WORD:
            word = token.upper
            cases, ends = _case_step(word, cases)
            if ends:
                return index
            if word == "WITH" and _upper(tokens, index + 1) == "CHECK":
                return index  # of a view: WITH CHECK OPTION
            if in_cursor and word == "FOR" and _upper(tokens, index + 1) in ("READ", "UPDATE"):
                return index
            if word == "SET" and sets:
                sets -= 1
            elif is_merge and _belongs_to_merge(tokens, index):
                pass
            elif word not in _CASE_WORDS and starts_statement(tokens, index):
                return index
        elif is_label(tokens, index):
            return index
        index += 1
    return index


def _belongs_to_merge(tokens: Sequence[Token], index: int) -> bool:
    before = _upper(tokens, index - 1)
    return (tokens[index].upper in ("UPDATE", "DELETE", "INSERT") and before == "THEN") or (
        tokens[index].upper == "SET" and before == "UPDATE"
    )
