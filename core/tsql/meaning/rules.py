"""The form of a translation rule."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from core.tsql.meaning.values import Call

Rule = Callable[[Call], exp.Expr]
"""Turns one call, arguments translated, into the target's tree; raises ``Refused``."""
