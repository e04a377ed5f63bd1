"""Sequences: ``CREATE SEQUENCE``, ``NEXT VALUE FOR`` and what changes them.

A query that takes values is written with the sequence's next value as a parameter and counts its
rows from there; after it ran, the session moves the sequence by as many rows. Numbers that were
given out are never taken back (``statements/create-sequence-transact-sql``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from core.interpreter.errors import SqlError, raising
from core.tsql.schema import ObjectName

_RANGES = {
    "tinyint": (0, 255),
    "smallint": (-(2**15), 2**15 - 1),
    "int": (-(2**31), 2**31 - 1),
    "bigint": (-(2**63), 2**63 - 1),
}
_OPTION = re.compile(
    r"\bAS\s+\[?(?P<type>\w+)\]?|START\s+WITH\s+(?P<start>-?\d+)|"
    r"RESTART(?:\s+WITH\s+(?P<restart>-?\d+))?|INCREMENT\s+BY\s+(?P<step>-?\d+)|"
    r"(?P<no_low>NO\s+MINVALUE)|MINVALUE\s+(?P<low>-?\d+)|"
    r"(?P<no_high>NO\s+MAXVALUE)|MAXVALUE\s+(?P<high>-?\d+)|"
    r"(?P<no_cycle>NO\s+CYCLE)|(?P<cycle>\bCYCLE)",
    re.IGNORECASE,
)


@dataclass
class SequenceObject:
    """A sequence and where it stands: `taken` values were given out since it (re)started."""

    name: ObjectName
    type: str
    start: int
    step: int
    low: int
    high: int
    cycles: bool
    taken: int = 0
    begins: int = field(default=0)

    @property
    def first_run(self) -> int:
        """How many values there are from where it begins to its end."""
        edge = self.high if self.step > 0 else self.low
        return abs(edge - self.begins) // abs(self.step) + 1

    @property
    def full_run(self) -> int:
        """How many values there are from one end to the other."""
        return (self.high - self.low) // abs(self.step) + 1

    def value(self, position: int) -> int:
        """The value at a position since the (re)start; error 11728 beyond the end."""
        if position < self.first_run:
            return self.begins + position * self.step
        if not self.cycles:
            raise SqlError(
                11728,
                f"The sequence object '{self.name.name}' has reached its minimum or maximum value. "
                "Restart the sequence object to allow new values to be generated.",
            )
        again = (position - self.first_run) % self.full_run
        return (self.low if self.step > 0 else self.high) + again * self.step

    @property
    def current(self) -> int:
        """The last value given out, or the first one there will be."""
        return self.value(self.taken - 1) if self.taken else self.begins

    def reset(self) -> None:
        """As if it had just been created."""
        self.taken, self.begins = 0, self.start

    def state(self) -> list[str]:
        """What `value_sql` needs to know, as a query's parameter."""
        edge = self.low if self.step > 0 else self.high
        return [
            str(number)
            for number in (
                self.taken,
                self.begins,
                self.step,
                self.first_run,
                self.full_run,
                edge,
                int(self.cycles),
            )
        ]


def value_sql(sequence: SequenceObject, parameter: str, row: str) -> str:
    """The value for a row (from 0) of a query; ``$parameter`` holds `SequenceObject.state`."""
    exhausted = raising(
        11728,
        f"The sequence object '{sequence.name.name}' has reached its minimum or maximum value. "
        "Restart the sequence object to allow new values to be generated.",
    )
    place = f"(s[1] + ({row}))"
    value = (
        f"CASE WHEN {place} < s[4] THEN s[2] + {place} * s[3] WHEN s[7] = 1 "
        f"THEN s[6] + (({place} - s[4]) % s[5]) * s[3] ELSE {exhausted} END"
    ).replace("s[", f"CAST(CAST(${parameter} AS VARCHAR[]) AS HUGEINT[])[")
    return f"CAST({value} AS BIGINT)"


def created(name: ObjectName, text: str) -> SequenceObject:
    """A sequence as CREATE SEQUENCE writes it down; errors 11700 and up for what it cannot be."""
    options = _options(text)
    type_ = (options.get("type") or "bigint").lower()
    low, high = _RANGES.get(type_, _RANGES["bigint"])
    step = int(options.get("step") or 1)
    if step == 0:
        raise SqlError(11700, f"The increment for sequence object '{name.name}' cannot be zero.")
    low, high = int(options.get("low") or low), int(options.get("high") or high)
    start = int(options.get("start") or (low if step > 0 else high))
    if low >= high:
        raise SqlError(
            11705,
            f"The minimum value for sequence object '{name.name}' must be less than its maximum "
            "value.",
        )
    if not low <= start <= high:
        raise SqlError(
            11703,
            f"The start value for sequence object '{name.name}' must be between the minimum and "
            "maximum value of the sequence object.",
        )
    return SequenceObject(name, type_, start, step, low, high, bool(options.get("cycle")), 0, start)


def altered(sequence: SequenceObject, text: str) -> None:
    """``ALTER SEQUENCE``: RESTART, INCREMENT BY, MINVALUE, MAXVALUE, CYCLE."""
    options = _options(text)
    following = sequence.current + sequence.step if sequence.taken else sequence.begins
    limits = _RANGES.get(sequence.type, _RANGES["bigint"])
    if options.get("low") or options.get("no_low"):
        sequence.low = int(options.get("low") or limits[0])
    if options.get("high") or options.get("no_high"):
        sequence.high = int(options.get("high") or limits[1])
    if options.get("cycle") or options.get("no_cycle"):
        sequence.cycles = bool(options.get("cycle"))
    if options.get("step"):
        following = sequence.current + int(options["step"]) if sequence.taken else sequence.begins
        sequence.step = int(options["step"])
    if re.search(r"\bRESTART\b", text, re.IGNORECASE):
        following = int(options.get("restart") or sequence.start)
        sequence.start = following
    sequence.taken, sequence.begins = 0, following


def _options(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for match in _OPTION.finditer(text):
        found.update({k: v for k, v in match.groupdict().items() if v is not None})
    return found
