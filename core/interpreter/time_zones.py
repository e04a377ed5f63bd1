"""``AT TIME ZONE`` by Windows zone names (``queries/at-time-zone-transact-sql``).

A datetimeoffset is kept without its offset here, so the result of AT TIME ZONE can only be used
where the offset is dropped again: under CAST or CONVERT to another date type, in a date function,
or under another AT TIME ZONE.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlglot import exp

from core.interpreter.casts import convert
from core.interpreter.errors import Refused, SqlError
from core.tsql import types as t
from core.tsql.types import TypeName
from core.tsql.typing import type_of

if TYPE_CHECKING:
    from core.interpreter.expressions import ExpressionEmitter

#: Windows names of the zones warehouses use, as IANA names (CLDR's windowsZones).
ZONES = {
    "utc": "Etc/UTC",
    "gmt standard time": "Europe/London",
    "greenwich standard time": "Atlantic/Reykjavik",
    "w. europe standard time": "Europe/Berlin",
    "central europe standard time": "Europe/Budapest",
    "central european standard time": "Europe/Warsaw",
    "romance standard time": "Europe/Paris",
    "e. europe standard time": "Europe/Chisinau",
    "fle standard time": "Europe/Kiev",
    "gtb standard time": "Europe/Bucharest",
    "turkey standard time": "Europe/Istanbul",
    "israel standard time": "Asia/Jerusalem",
    "egypt standard time": "Africa/Cairo",
    "south africa standard time": "Africa/Johannesburg",
    "russian standard time": "Europe/Moscow",
    "arab standard time": "Asia/Riyadh",
    "arabian standard time": "Asia/Dubai",
    "iran standard time": "Asia/Tehran",
    "pakistan standard time": "Asia/Karachi",
    "india standard time": "Asia/Kolkata",
    "bangladesh standard time": "Asia/Dhaka",
    "se asia standard time": "Asia/Bangkok",
    "china standard time": "Asia/Shanghai",
    "singapore standard time": "Asia/Singapore",
    "taipei standard time": "Asia/Taipei",
    "w. australia standard time": "Australia/Perth",
    "tokyo standard time": "Asia/Tokyo",
    "korea standard time": "Asia/Seoul",
    "cen. australia standard time": "Australia/Adelaide",
    "aus central standard time": "Australia/Darwin",
    "e. australia standard time": "Australia/Brisbane",
    "aus eastern standard time": "Australia/Sydney",
    "tasmania standard time": "Australia/Hobart",
    "new zealand standard time": "Pacific/Auckland",
    "hawaiian standard time": "Pacific/Honolulu",
    "alaskan standard time": "America/Anchorage",
    "pacific standard time": "America/Los_Angeles",
    "us mountain standard time": "America/Phoenix",
    "mountain standard time": "America/Denver",
    "central standard time": "America/Chicago",
    "canada central standard time": "America/Regina",
    "central america standard time": "America/Guatemala",
    "eastern standard time": "America/New_York",
    "us eastern standard time": "America/Indianapolis",
    "atlantic standard time": "America/Halifax",
    "newfoundland standard time": "America/St_Johns",
    "sa pacific standard time": "America/Bogota",
    "sa eastern standard time": "America/Cayenne",
    "e. south america standard time": "America/Sao_Paulo",
    "argentina standard time": "America/Buenos_Aires",
}


def zone(name: str) -> ZoneInfo:
    """The zone of a Windows name; error 9820 for no zone, `Refused` for one not known here."""
    key = name.strip().lower()
    if key not in ZONES:
        if key.endswith(" standard time") or key.startswith("utc"):
            raise Refused("AT TIME ZONE", f"the time zone {name} is not known to the reference")
        raise SqlError(
            9820,
            f"The time zone parameter '{name}' provided to AT TIME ZONE clause is invalid.",
        )
    try:
        return ZoneInfo(ZONES[key])
    except ZoneInfoNotFoundError:
        raise Refused(
            "AT TIME ZONE", "this machine has no time zone data (the package tzdata has it)"
        ) from None


def moved(moment: str, source: str, target: str) -> str:
    """A local time of one zone as that of another.

    A time that a change of clocks leaves out is moved forward by the length of the gap.
    """
    local = dt.datetime.fromisoformat(moment).replace(tzinfo=zone(source))
    there = local.astimezone(dt.UTC).astimezone(zone(target))
    return there.replace(tzinfo=None).isoformat(sep=" ")


def local_time(emitter: ExpressionEmitter, node: exp.Expr) -> str | None:
    """The local time (a TIMESTAMP) of an ``AT TIME ZONE``; None for another expression."""
    found = _local(emitter, node)
    return None if found is None else found[0]


def _local(emitter: ExpressionEmitter, node: exp.Expr) -> tuple[str, str] | None:
    """The local time and the SQL of the zone it is in."""
    while isinstance(node, exp.Paren):
        node = node.this
    if not isinstance(node, exp.AtTimeZone):
        return None
    target = emitter.converted(node.args["zone"], t.varchar(128))
    inner = _local(emitter, node.this)
    if inner is None:
        type_ = type_of(node.this)
        if type_.name is not TypeName.DATETIMEOFFSET:
            # A time without an offset is taken to be of the zone.
            local, source = convert(emitter.value(node.this), type_, t.DATETIME2), target
        else:
            local, source = f"({emitter.value(node.this)} AT TIME ZONE 'UTC')", "'UTC'"
    else:
        local, source = inner
    arguments = [f"CAST({local} AS TIMESTAMP)", source, target]
    return emitter.context.computed("zone", arguments, t.DATETIME2), target
