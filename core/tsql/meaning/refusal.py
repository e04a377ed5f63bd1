"""What has no exact meaning in the target: a value that says so, with the line."""

from __future__ import annotations

from sqlglot import exp

from core.tsql.errors import TsqlError
from core.tsql.typing import line_of


class Refused(TsqlError):  # noqa: N818 - reads as a sentence where it is raised
    """A construct that is not translated, because no SQL of the target means the same.

    ``construct`` is a short stable name (``"CHECKSUM"``, ``"FORMAT pattern"``), ``reason`` one
    sentence for the user, ``line`` the source line.
    """

    code = "TSQL_REFUSED"

    def __init__(self, construct: str, reason: str, *, line: int = 1) -> None:
        super().__init__(f"{construct}: {reason}", line=line)
        self.construct = construct
        self.reason = reason


def refuse(node: exp.Expr, construct: str, reason: str) -> Refused:
    """The refusal of a node; raise what this returns."""
    return Refused(construct, reason, line=line_of(node))
