"""What must not leave the machine is replaced before a text is sent, and put back in the answer.

Secrets (passwords, keys, connection strings, literals that look random) are always replaced. With
``mask_literals`` every text and number literal of a procedure is, except 0 and 1 and the lengths
of types. A literal that was replaced is written back where the answer uses its placeholder; what
was found in a comment is not.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.tsql.tokens import Token

HIDDEN = "***"
"""What stands for a secret that is not a literal."""
_FIRST_NUMBER = 8_800_000_001

_VALUE = r"""(?:'[^']*'|"[^"]*"|\{[^}]*\}|[^\s;,'"()]+)"""
_NAMED = re.compile(
    r"(?P<name>\b(?:password|passwd|pwd|secret|client_?secret|api_?key|access_?key|account_?key"
    r"|shared_?access_?key|sas_?token|token|credential|user\s+id|uid)\b\s*(?:=|:|\bis\b)\s*)"
    rf"(?:N?)(?P<value>{_VALUE})",
    re.IGNORECASE,
)
_KNOWN_FORMS = re.compile(
    r"sk-[A-Za-z0-9_-]{16,}|AKIA[0-9A-Z]{12,}|gh[pousr]_[A-Za-z0-9]{20,}|xox[abpr]-[\w-]{10,}"
    r"|eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?|Bearer\s+[\w.~+/-]{12,}=*|AIza[\w-]{30,}"
    r"|(?<=sig=)[\w%+/=-]{16,}|://[^\s/:@']+:[^\s/@']+@",
    re.IGNORECASE,
)
_PRIVATE_KEY = re.compile(r"-----BEGIN[^-]*-----.*?(?:-----END[^-]*-----|\Z)", re.DOTALL)
_CONNECTION = re.compile(
    r"\b(?:data\s+source|server|initial\s+catalog|provider|driver|accountname|endpoint)\s*=[^;']*;",
    re.IGNORECASE,
)
_RANDOM = re.compile(r"[A-Za-z0-9+/=_.~!@#$%^&*-]{16,}")
_SQL_PIECE = re.compile(
    r"(?P<jinja>\{\{.*?\}\}|\{%.*?%\})|(?P<comment>--[^\n]*|/\*.*?\*/)"
    r"|(?P<name>\"(?:[^\"]|\"\")*\")|(?P<text>'(?:[^']|'')*')"
    r"|(?P<number>(?<![\w.])(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))",
    re.DOTALL,
)
_TYPES = frozenset(
    {
        *("CHAR", "VARCHAR", "NCHAR", "NVARCHAR", "BINARY", "VARBINARY", "DECIMAL", "NUMERIC"),
        *("FLOAT", "TIME", "DATETIME2", "DATETIMEOFFSET", "IDENTITY"),
    }
)


class Masker:
    """The replacements of one procedure; the same text always gives the same placeholders."""

    def __init__(self, procedure: str, *, literals: bool, also: Iterable[str] = ()) -> None:
        """``literals``: the setting ``mask_literals``. ``also`` are further T-SQL texts that are
        sent with the procedure (views, functions it uses)."""
        self._literals = literals
        self._tokens: dict[str, str] = {}
        """Contents of replaced text literals to their placeholders."""
        self._numbers: dict[str, str] = {}
        self._texts: dict[str, str] = {}
        """T-SQL texts that were masked to what became of them."""
        for text in (procedure, *also):
            self.tsql(text)

    # --- out --------------------------------------------------------------------------------

    def tsql(self, text: str) -> str:
        """A T-SQL text with its literals and secrets replaced; lines stay where they are."""
        known = self._texts.get(text)
        if known is None:
            known = self._texts[text] = self._masked_tsql(text)
        return known

    def _masked_tsql(self, text: str) -> str:
        from core.tsql.lexer import tokenize
        from core.tsql.tokens import TokenKind

        parts: list[str] = []
        tokens = tokenize(text)
        for index, token in enumerate(tokens):
            if token.kind is TokenKind.STRING:
                parts.append(self._text_literal(token.text, "".join(parts[-14:])))
            elif token.kind in (TokenKind.NUMBER, TokenKind.MONEY) and self._literals:
                parts.append(self._number_literal(token.text, tokens[:index]))
            elif token.kind in (TokenKind.COMMENT, TokenKind.UNKNOWN, TokenKind.SQLCMD):
                parts.append(self.prose(token.text))
            else:
                parts.append(token.text)
        # Once more over the whole: a secret may be put together from several tokens.
        return self._hidden("".join(parts))

    def model(self, sql: str) -> str:
        """A model's text (DuckDB SQL with Jinja) with the known literals replaced."""

        def replaced(match: re.Match[str]) -> str:
            if match["text"] is not None:
                content = match["text"][1:-1].replace("''", "'")
                token = self._tokens.get(content)
                if token is None and looks_secret(content):
                    token = self._token(content)
                return f"'{token}'" if token is not None else match[0]
            if match["number"] is not None:
                return self._numbers.get(match[0], match[0])
            if match["comment"] is not None:
                return self.prose(match[0])
            if match["jinja"] is not None and "var(" in match[0]:
                return _in_jinja(match[0], self._tokens, self._numbers)
            return match[0]

        return _SQL_PIECE.sub(replaced, sql)

    def prose(self, text: str) -> str:
        """A comment, a message, a description: secrets hidden, known literals replaced."""
        text = self._hidden(text)
        for content, token in sorted(self._tokens.items(), key=lambda t: -len(t[0])):
            if len(content) >= 4:
                text = text.replace(content, token)
        return text

    def value(self, value: object) -> object:
        """A cell of a row: a value that is a replaced literal gets its placeholder."""
        if isinstance(value, str):
            token = self._tokens.get(value)
            return token if token is not None else self._hidden(value)
        return value

    def _text_literal(self, literal: str, before: str) -> str:
        quote = literal.index("'")
        content = literal[quote + 1 : -1].replace("''", "'")
        secret = looks_secret(content) or _is_secret_place(before)
        if not content or not (self._literals or secret):
            return literal
        breaks = content.count("\n")
        if not breaks:
            return f"{literal[:quote]}'{self._token(content)}'"
        # A literal over several lines is code as a rule, and keeps its lines: numbers of lines
        # stay right. Of code, only what is secret in it is hidden.
        if self._literals:
            return literal[:quote] + "'" + HIDDEN + "\n" * breaks + "'"
        return literal[:quote] + self._hidden(literal[quote:])

    def _token(self, content: str) -> str:
        return self._tokens.setdefault(content, f"MASKED_TEXT_{len(self._tokens) + 1}")

    def _number_literal(self, number: str, before: tuple[Token, ...]) -> str:
        if number in ("0", "1") or _in_type(before):
            return number
        return self._numbers.setdefault(number, str(_FIRST_NUMBER + len(self._numbers)))

    def _hidden(self, text: str) -> str:
        text = _PRIVATE_KEY.sub(lambda m: HIDDEN + "\n" * m[0].count("\n"), text)
        text = _NAMED.sub(lambda m: m["name"] + _kept_or_hidden(m["value"]), text)
        return _KNOWN_FORMS.sub(HIDDEN, text)

    # --- back -------------------------------------------------------------------------------

    def restored(self, sql: str) -> str:
        """An answer's SQL with the literals put back, where it uses them as literals."""
        texts = {token: content for content, token in self._tokens.items()}
        numbers = {token: content for content, token in self._numbers.items()}

        def back(match: re.Match[str]) -> str:
            if match["text"] is not None:
                content = texts.get(match["text"][1:-1])
                return match[0] if content is None else "'" + content.replace("'", "''") + "'"
            if match["number"] is not None:
                return numbers.get(match[0], match[0])
            if match["jinja"] is not None:
                return _in_jinja(match[0], texts, numbers)
            return match[0]

        return _SQL_PIECE.sub(back, sql)


_JINJA_LITERAL = re.compile(r"'(?P<text>[^'\\]*)'|(?P<number>(?<![\w.])\d[\d.]*(?![\w.]))")
_NOT_IN_JINJA = re.compile(r"['\\{}%#\n]")


def _in_jinja(span: str, texts: Mapping[str, str], numbers: Mapping[str, str]) -> str:
    """Literals of a call (the default of a ``var``) replaced, where they are harmless there."""

    def replaced(match: re.Match[str]) -> str:
        if match["text"] is None:
            return numbers.get(match[0], match[0])
        other = texts.get(match["text"])
        if other is None or _NOT_IN_JINJA.search(other):
            return match[0]
        return f"'{other}'"

    return _JINJA_LITERAL.sub(replaced, span)


def looks_secret(content: str) -> bool:
    """Whether a literal looks like a key, a password, a token or a connection string."""
    if _KNOWN_FORMS.search(content) or _NAMED.search(content) or _PRIVATE_KEY.search(content):
        return True
    if len(_CONNECTION.findall(content)) >= 2:
        return True
    return any(_is_random(word) for word in _RANDOM.findall(content))


def _is_random(word: str) -> bool:
    """Long, of several kinds of characters, and without much repetition."""
    kinds = (r"[a-z]", r"[A-Z]", r"\d", r"[^A-Za-z0-9]")
    mixed = sum(re.search(kind, word) is not None for kind in kinds)
    is_hex = len(word) >= 32 and re.fullmatch(r"[0-9a-fA-F]+", word) is not None
    if re.fullmatch(r"[\d.:/TZ+-]+|[%\w]+(?:[._-][A-Za-z]+)+", word):
        return False  # a date, a number, a dotted name
    if not is_hex and (mixed < 3 or not re.search(r"\d", word)):
        return False
    counts = Counter(word)
    entropy = -sum(n / len(word) * math.log2(n / len(word)) for n in counts.values())
    return entropy > 3.0


_SECRET_PLACE = re.compile(
    r"(?:\b(?:password|passwd|pwd|secret|token|api_?key|access_?key|account_?key|identified\s+by"
    r"|decryption\s+by\s+password|passphrase|credential)\w*\]?\s*(?:(?:as\s+)?n?(?:var)?char\s*(?:\(\s*\w+\s*\))?\s*)?(?:=|,|\()?\s*N?"
    r"|\b(?:opendatasource|openrowset)\s*\((?:[^()]*,)?\s*|encryptbypassphrase\s*\(\s*"
    r"|decryptbypassphrase\s*\(\s*)$",
    re.IGNORECASE,
)


def _is_secret_place(before: str) -> bool:
    """Whether a literal stands where a password or a connection string belongs."""
    return _SECRET_PLACE.search(before) is not None


def _kept_or_hidden(value: str) -> str:
    """The value after ``password =``: hidden, unless it is a placeholder or names a variable."""
    inner = value.strip("'\"")
    if inner.startswith(("@", "MASKED_TEXT_", HIDDEN)) or not inner:
        return value
    quote = value[0] if value[0] in "'\"" else ""
    return f"{quote}{HIDDEN}{quote}"


def _in_type(before: tuple[Token, ...]) -> bool:
    """Whether a number stands in the brackets behind a type's name: ``DECIMAL(18, 2)``."""
    for token in reversed(before[-8:]):
        if token.is_trivia or token.text == "," or token.text.isdigit():
            continue
        if token.text == "(":
            continue
        return token.upper in _TYPES or token.text.strip("[]").upper() in _TYPES
    return False
