"""Comparisons of text whose outcome depends on the server's collation.

SQL Server's usual collations compare text without case and without trailing blanks; DuckDB compares
it exactly. Under ``assume-consistent`` the data sets do not vary case, and every comparison that
could come out otherwise if they did is listed once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from core.equivalence.operands import operand_after, operand_before
from core.equivalence.subject import Subject
from core.tsql.lexer import tokenize
from core.tsql.tokens import Token, TokenKind, unquoted

_COMPARISONS = frozenset({"=", "<>", "!=", "<", ">", "<=", ">="})
_NAMES = (TokenKind.WORD, TokenKind.QUOTED)


def affected_comparisons(subject: Subject) -> list[str]:
    """``line 12: c.City = s.City`` for each comparison, IN, LIKE or trim of a text column."""
    text_columns = {
        column.name.lower()
        for table in subject.tables
        for column in table.columns
        if column.type.is_string
    }
    tokens = [t for t in tokenize(subject.procedure_text) if not t.is_trivia]
    return list(dict.fromkeys(_found(tokens, text_columns)))


def _found(tokens: Sequence[Token], text_columns: set[str]) -> Iterator[str]:
    for position, token in enumerate(tokens):
        if token.upper not in _COMPARISONS and token.upper not in ("IN", "LIKE"):
            continue
        left = operand_before(tokens, position, _ENDS)
        right = operand_after(tokens, position, _ENDS)
        is_text = _is_text(left, text_columns) or _is_text(right, text_columns)
        if is_text and not _sets(tokens, position):
            shown = " ".join((_spelled(left), token.text, _spelled(right)))
            yield f"line {token.line}: {shown}"


_BOUNDARIES = """
AND OR NOT ON WHERE WHEN THEN ELSE END CASE SET IF BEGIN SELECT FROM INSERT UPDATE DELETE MERGE
USING GROUP ORDER HAVING UNION INNER LEFT RIGHT FULL CROSS JOIN WHILE RETURN BY INTO DECLARE EXEC
EXECUTE PRINT TRUNCATE WITH , ;
"""
_ENDS = frozenset(_BOUNDARIES.split())


def _is_text(operand: Sequence[Token], text_columns: set[str]) -> bool:
    if not 0 < len(operand) <= 24:
        return False
    return any(t.kind in _NAMES and unquoted(t).lower() in text_columns for t in operand) and (
        not any(t.upper in ("LEN", "DATALENGTH", "CHARINDEX", "COUNT") for t in operand)
    )


def _sets(tokens: Sequence[Token], position: int) -> bool:
    """Whether ``=`` assigns: of SET and UPDATE, and of an alias in a select list."""
    if tokens[position].upper != "=":
        return False
    for token in reversed(tokens[:position]):
        if token.upper in ("WHERE", "ON", "AND", "OR", "WHEN", "IF", "HAVING", "WHILE"):
            return False
        if token.upper in ("SET", "SELECT", "DECLARE", "PROC", "PROCEDURE", "EXEC"):
            return True
    return False


def _spelled(operand: Sequence[Token]) -> str:
    text = ""
    for token in operand:
        tight = token.text in (".", "(", ")", ",") or text.endswith((".", "("))
        text += token.text if tight or not text else f" {token.text}"
    return text
