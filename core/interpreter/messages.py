"""RAISERROR's message formats (``language-elements/raiserror-transact-sql``)."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SPEC = re.compile(
    r"%(?P<flags>[-+0# ]*)(?P<width>\*|\d+)?(?:\.(?P<precision>\*|\d+))?"
    r"(?P<size>h|l|I64)?(?P<type>[disuoxX%])"
)


def formatted(message: str, arguments: Sequence[object]) -> str:
    """The message with ``%s``, ``%d`` … replaced; at most 2,047 characters."""
    values = iter(arguments)

    def replacement(match: re.Match[str]) -> str:
        if match["type"] == "%":
            return "%"
        width, precision = match["width"], match["precision"]
        if width == "*":
            width = str(next(values, ""))
        if precision == "*":
            precision = str(next(values, ""))
        value = next(values, None)
        if value is None:
            return "(null)"
        spec = f"%{match['flags']}{width or ''}{f'.{precision}' if precision else ''}"
        kind = match["type"]
        if kind == "s":
            return str((spec + "s") % (value,))
        number = int(str(value)) if not isinstance(value, int) else value
        if kind in "uoxX" and number < 0:
            number += 2**64 if match["size"] == "I64" else 2**32
        if kind == "o":  # C writes a prefix of 0, Python one of 0o
            return str((spec + kind) % (number,)).replace("0o", "0")
        return str((spec + ("d" if kind in "iu" else kind)) % (number,))

    return _SPEC.sub(replacement, message)[:2047]
