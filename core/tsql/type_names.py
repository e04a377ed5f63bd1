"""The names of types in declarations, as written; what they mean is not decided here."""

from __future__ import annotations

from core.tsql.nodes import TypeName
from core.tsql.stream import Stream
from core.tsql.tokens import TokenKind

# Types of more than one word, with the single word they mean. Longest first.
_LONG_TYPES: tuple[tuple[tuple[str, ...], str], ...] = (
    (("NATIONAL", "CHARACTER", "VARYING"), "nvarchar"),
    (("NATIONAL", "CHAR", "VARYING"), "nvarchar"),
    (("NATIONAL", "CHARACTER"), "nchar"),
    (("NATIONAL", "CHAR"), "nchar"),
    (("NATIONAL", "TEXT"), "ntext"),
    (("CHARACTER", "VARYING"), "varchar"),
    (("CHAR", "VARYING"), "varchar"),
    (("BINARY", "VARYING"), "varbinary"),
    (("DOUBLE", "PRECISION"), "float"),
)


def type_name(stream: Stream) -> TypeName:
    """``decimal(18, 2)``, ``nvarchar(max)``, ``[dbo].[Flag]``, ``double precision``, ``xml(…)``."""
    first = stream.position
    schema = None
    for words, meaning in _LONG_TYPES:
        if stream.accept(*words):
            name = meaning
            break
    else:
        parts = stream.object_name().parts
        name, schema = parts[-1], parts[-2] if len(parts) > 1 else None
        if schema is None or schema.casefold() == "sys":
            name, schema = name.lower(), None
    arguments: tuple[str, ...] = ()
    if stream.kind() is TokenKind.OPEN:
        inside = stream.skip_parens()[1:-1]
        arguments = tuple(part.strip().lower() for part in inside.split(","))
    return TypeName(stream.span(first), name, arguments, stream.text(first), schema)
