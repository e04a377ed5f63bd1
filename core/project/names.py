"""Names of SQL Server objects: parsed, compared and printed in one place.

A name has one to four parts (``server.database.schema.object``), each bare, ``[bracketed]``
or ``"double quoted"``; ``db..table`` leaves the schema out. Comparison is case-insensitive, as
under SQL Server's default collations. Nothing else in the product splits a name on dots.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

DEFAULT_SCHEMA = "dbo"

_PART = re.compile(
    r"""\s*(?:\[(?P<bracket>(?:[^\]]|\]\])*)\]|"(?P<quote>(?:[^"]|"")*)"|(?P<bare>[^\s.\[\]"]+))\s*"""
)
_NOT_IDENTIFIER = re.compile(r"[^a-z0-9_]")


class NameSyntaxError(ValueError):
    """The text is not a SQL Server object name; the message says why."""


@dataclass(frozen=True, eq=False)
class QualifiedName:
    """A possibly qualified object name. Parts keep their spelling; equality ignores case.

    ``schema`` is empty only when the source left it out; ``key`` and ``item_id`` then take
    the default schema. ``database`` and ``server`` do not take part in comparison of
    ``key``; they do in ``==``.
    """

    name: str
    schema: str = ""
    database: str = ""
    server: str = ""

    @classmethod
    def parse(cls, text: str) -> QualifiedName:
        """Parse ``[a].[b]``, ``a.b``, ``db..t`` and the like.

        Raises:
            NameSyntaxError: when the text is not one to four parts joined by dots.
        """
        parts = _split_parts(text)
        if len(parts) > 4:
            raise NameSyntaxError(f"'{text}' has {len(parts)} parts; a name has at most four")
        if not parts[-1]:
            raise NameSyntaxError(f"'{text}' does not end in an object name")
        server, database, schema, name = [""] * (4 - len(parts)) + parts
        return cls(name=name, schema=schema, database=database, server=server)

    @property
    def key(self) -> str:
        """The case-folded ``schema.object`` by which tables and procedures are looked up."""
        return f"{self.schema or DEFAULT_SCHEMA}.{self.name}".casefold()

    @property
    def item_id(self) -> str:
        """``schema.table`` in lower case without brackets: the name of an item and its files."""
        return f"{self.schema or DEFAULT_SCHEMA}.{self.name}".lower()

    @property
    def display(self) -> str:
        """``schema.object`` as it was written, for people."""
        return f"{self.schema or DEFAULT_SCHEMA}.{self.name}"

    @property
    def bracketed(self) -> str:
        """``[schema].[object]``, safe to put into T-SQL."""
        return f"{bracket(self.schema or DEFAULT_SCHEMA)}.{bracket(self.name)}"

    def _folded(self) -> tuple[str, ...]:
        schema = self.schema or DEFAULT_SCHEMA
        return tuple(p.casefold() for p in (self.server, self.database, schema, self.name))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, QualifiedName) and self._folded() == other._folded()

    def __hash__(self) -> int:
        return hash(self._folded())

    def __str__(self) -> str:
        return self.display


def _split_parts(text: str) -> list[str]:
    parts: list[str] = []
    position = 0
    while True:
        match = _PART.match(text, position)
        if match is not None:
            parts.append(_unquoted(match))
            position = match.end()
        elif text[position : position + 1] == "." and parts:
            parts.append("")  # db..table
        else:
            raise NameSyntaxError(f"'{text}' is not a SQL Server object name")
        if position == len(text):
            return parts
        if text[position] != ".":
            raise NameSyntaxError(f"'{text}' is not a SQL Server object name")
        position += 1


def _unquoted(match: re.Match[str]) -> str:
    if match["bracket"] is not None:
        return match["bracket"].replace("]]", "]")
    if match["quote"] is not None:
        return match["quote"].replace('""', '"')
    return match["bare"]


def bracket(identifier: str) -> str:
    """Quote one identifier for T-SQL: ``a]b`` becomes ``[a]]b]``."""
    return "[" + identifier.replace("]", "]]") + "]"


def printable(text: str) -> str:
    """``text`` without line ends and control characters, which a terminal would obey."""
    return "".join(character if character.isprintable() else " " for character in text)


def model_name(table: QualifiedName) -> str:
    """The dbt model's name for a table: ``stg_`` and the lower-cased table name."""
    return "stg_" + _NOT_IDENTIFIER.sub("_", table.name.lower())
