"""What can go wrong while reading T-SQL.

Two kinds, on purpose:

* **Exceptions** (`TsqlError` and its children) are raised only when there is no result to give
  back: the text is no procedure, or it is nested deeper than any real procedure is.
* **Values** (`LeafError`, and the `Unparsed` node of `nodes`) are results. A procedure with one
  statement that nobody understands still has a structure; the reader decides what to do with the
  hole, and the hole knows its line.

Nothing in `core.tsql` raises anything else, whatever the input.
"""

from __future__ import annotations

from dataclasses import dataclass


class TsqlError(Exception):
    """The base of every exception this package raises.

    `code` is stable and meant for reports; `line` and `column` are 1-based positions in the text
    that was handed in.
    """

    code = "TSQL_ERROR"

    def __init__(self, message: str, *, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}"


class TooDeep(TsqlError):  # noqa: N818 - reads as a sentence where it is raised
    """The text nests blocks or parentheses deeper than the parser accepts."""

    code = "TSQL_TOO_DEEP"


class NotAProcedure(TsqlError):  # noqa: N818
    """`parse_procedure` was given a text without a CREATE PROCEDURE."""

    code = "TSQL_NOT_A_PROCEDURE"


@dataclass(frozen=True, slots=True)
class LeafError:
    """A statement or expression that has no usable tree. A value, never raised.

    `reason` is one sentence for the user; `line` and `column` are positions in the source file;
    `construct` is a short stable name of what was met (``"FOR XML EXPLICIT"``, ``"lost clause"``).
    """

    reason: str
    line: int
    column: int
    construct: str
