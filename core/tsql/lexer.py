"""The lexer: a source text becomes tokens, and not one character is lost.

Lexical rules are those of Microsoft's pages on constants
(https://learn.microsoft.com/en-us/sql/t-sql/data-types/constants-transact-sql) and on identifiers
(https://learn.microsoft.com/en-us/sql/relational-databases/databases/database-identifiers). GO and
``:setvar`` are no T-SQL but lines that sqlcmd and SSMS read; they are tokens of their own because
they must not be seen inside strings and comments.
"""

from __future__ import annotations

import re

from core.tsql.tokens import Token, TokenKind

_NAME_REST = r"[\w@$#]"

# Quantifiers are possessive: an unclosed string must not be matched by giving a quote back.
_TOKEN = re.compile(
    rf"""
      (?P<SPACE>\s+)
    | (?P<COMMENT>--[^\r\n]*+)
    | (?P<STRING>[Nn]?'[^']*+(?:''[^']*+)*+')
    | (?P<QUOTED>\[[^\]]*+(?:\]\][^\]]*+)*+\]|"[^"]*+(?:""[^"]*+)*+")
    | (?P<VARIABLE>@{_NAME_REST}*)
    | (?P<NUMBER>0[xX][0-9A-Fa-f]*|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]*)?)
    | (?P<WORD>(?:[^\W\d]|\#){_NAME_REST}*|\$[A-Za-z_]{_NAME_REST}*|\$\(\w+\))
    | (?P<MONEY>[$£€¥¢¤][0-9]*\.?[0-9]*)
    | (?P<OPERATOR>\|\|=|[-+*/%&^|]=|<>|<=|>=|!=|!<|!>|::|\|\||[-+*/%&|^~=<>!:?])
    | (?P<OPEN>\()
    | (?P<CLOSE>\))
    | (?P<COMMA>,)
    | (?P<DOT>\.)
    | (?P<SEMICOLON>;)
    | (?P<BOM>\ufeff)
    """,
    re.VERBOSE,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_NEWLINE = re.compile(r"\r\n|\r|\n")
# What may stand behind GO on its line: a count, a semicolon, a comment.
_GO = re.compile(
    r"[Gg][Oo](?![\w@$#.(])(?:[^\S\r\n]+[0-9]+)?(?=[^\S\r\n]*;?[^\S\r\n]*(?:--|/\*|\r|\n|\Z))"
)
_SQLCMD = re.compile(
    r"(?::\s*(?:setvar|r|connect|on\s+error|out|error|list|listvar|reset|serverlist|xml|help"
    r"|quit|exit|perftrace|ed)\b|!!)[^\r\n]*",
    re.IGNORECASE,
)
_KINDS = {kind.name: kind for kind in TokenKind}


def tokenize(text: str) -> tuple[Token, ...]:
    """All tokens of `text`; joining their `text` gives `text` back. Raises nothing.

    What cannot start a token, and a string, name or comment that is never closed, is UNKNOWN.
    """
    tokens: list[Token] = []
    position, line, line_start, size = 0, 1, 0, len(text)
    at_line_start = True
    match_token = _TOKEN.match
    while position < size:
        kind, end = None, position
        if at_line_start:
            kind, end = _line_token(text, position)
        if kind is None:
            found = match_token(text, position)
            if found is not None and text[position : position + 2] != "/*":
                kind, end = _KINDS[found.lastgroup or "UNKNOWN"], found.end()
            else:
                kind, end = _other_token(text, position)
        value = text[position:end]
        upper = value.upper() if kind is TokenKind.WORD else value
        tokens.append(Token(kind, value, position, line, position - line_start + 1, upper))
        at_line_start = at_line_start and kind in (TokenKind.BOM, TokenKind.SPACE)
        if "\n" in value or "\r" in value:
            for newline in _NEWLINE.finditer(value):
                line += 1
                line_start = position + newline.end()
            at_line_start = kind is TokenKind.SPACE
        position = end
    return _strings_in_double_quotes(tokens)


def _line_token(text: str, position: int) -> tuple[TokenKind | None, int]:
    """GO and sqlcmd commands, which exist only at the start of a line."""
    go = _GO.match(text, position)
    if go:
        return TokenKind.GO, go.end()
    command = _SQLCMD.match(text, position)
    if command:
        return TokenKind.SQLCMD, command.end()
    return None, position


def _other_token(text: str, position: int) -> tuple[TokenKind, int]:
    """Block comments, which nest, and whatever no pattern matches."""
    if text.startswith("/*", position):
        depth = 0
        for edge in _COMMENT_EDGE.finditer(text, position):
            depth += 1 if edge.group() == "/*" else -1
            if depth == 0:
                return TokenKind.COMMENT, edge.end()
        return TokenKind.UNKNOWN, len(text)
    if text[position] in "'[\"" or text[position : position + 2] in ("N'", "n'"):
        return TokenKind.UNKNOWN, len(text)
    return TokenKind.UNKNOWN, position + 1


def _strings_in_double_quotes(tokens: list[Token]) -> tuple[Token, ...]:
    """After ``SET QUOTED_IDENTIFIER OFF`` a "text" is a string, not a name.

    The setting is read in the order of the text, which is what SQL Server does when it parses
    (https://learn.microsoft.com/en-us/sql/t-sql/statements/set-quoted-identifier-transact-sql).
    """
    if not any(token.upper == "QUOTED_IDENTIFIER" for token in tokens):
        return tuple(tokens)
    strings, awaiting = False, False
    for index, token in enumerate(tokens):
        if token.upper == "QUOTED_IDENTIFIER":
            awaiting = True
        elif awaiting and token.kind is TokenKind.WORD and token.upper in ("ON", "OFF"):
            strings, awaiting = token.upper == "OFF", False
        elif strings and token.kind is TokenKind.QUOTED and token.text[0] == '"':
            tokens[index] = token._replace(kind=TokenKind.STRING)
    return tuple(tokens)
