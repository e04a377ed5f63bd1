"""What a translation can be told: the project's policies and where the clock comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from sqlglot import exp

from core.tsql.types import SqlType


class Collation(StrEnum):
    """How text compares in the target.

    ``ASSUME_CONSISTENT``: the data never differ in case or trailing blanks alone, so ``=`` stays
    ``=``. ``PRESERVE``: comparisons, groups, joins and orders fold case and drop trailing blanks,
    as SQL Server's default collation does.
    """

    ASSUME_CONSISTENT = "assume_consistent"
    PRESERVE = "preserve"


class DivisionByZero(StrEnum):
    """What a float division does when its divisor can be zero.

    DuckDB's ``//`` and ``%`` raise by themselves; only ``/`` on doubles gives infinity.
    ``RAISE`` adds a guard that raises, as SQL Server does (error 8134); ``TRUST`` leaves it out.
    """

    RAISE = "raise"
    TRUST = "trust"


class TextConversion(StrEnum):
    """How text columns become numbers and dates.

    ``EXACT`` accepts and refuses what SQL Server does (``''`` is 0, ``'1.5'`` is no int);
    ``PLAIN`` is the target's own cast.
    """

    EXACT = "exact"
    PLAIN = "plain"


@dataclass(frozen=True)
class Options:
    """Policies of one translation.

    ``clock`` is the target's SQL for the current moment as a timestamp (every one of GETDATE,
    SYSDATETIME, … becomes it, cast where the type differs). ``variable`` gives the target's
    expression for a variable; without it a variable is refused. ``user_function`` does the same
    for the call of a user-defined function, given its name and translated arguments.
    ``date_first`` is SQL Server's DATEFIRST (7: weeks begin on Sunday). ``user`` is the target's
    SQL for who is connected; without it SUSER_SNAME and its like are refused. ``text_order`` sorts
    and ranks text as a case-insensitive collation does even where its equality is taken as it is:
    data that never differ in case alone still come in another order ('apple' before 'Banana').
    """

    collation: Collation = Collation.ASSUME_CONSISTENT
    division_by_zero: DivisionByZero = DivisionByZero.RAISE
    text_conversion: TextConversion = TextConversion.EXACT
    clock: str = "cast(current_timestamp as timestamp)"
    variable: Callable[[str, SqlType], exp.Expr] | None = None
    user_function: Callable[[str, list[exp.Expr]], exp.Expr] | None = None
    date_first: int = 7
    user: str | None = None
    text_order: bool = False
