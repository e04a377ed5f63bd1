"""How values and names are written in DuckDB SQL."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from core.tsql.schema import ObjectName

_LONG = 60
_numbers = itertools.count(1)


def quoted(name: str) -> str:
    """A quoted identifier. DuckDB's pseudo column ``rowid`` stays reachable beside a real one."""
    if name.casefold() == "rowid":
        name = "~" + name
    return '"' + name.replace('"', '""') + '"'


def once(sql: str, body: Callable[[str], str]) -> str:
    """`body` over a value that is written, and evaluated, only once.

    Conversions mention their operand several times; nested ones would grow without bound. A long
    operand is therefore given a name, by way of a list of one element.
    """
    if len(sql) <= _LONG:
        return body(sql)
    name = f"v{next(_numbers)}"
    return f"list_transform([{sql}], lambda {name}: {body(name)})[1]"


def physical_name(name: ObjectName) -> str:
    """The name of the DuckDB table that holds a table of the database."""
    schema, last = name.key
    return last if not schema else f"{schema}.{last}"


def parameter_name(variable: str) -> str:
    """The name of a prepared statement's parameter for ``@variable``; distinct for distinct names.

    Case does not matter in T-SQL. Characters DuckDB does not take in a parameter are spelt out.
    """
    plain = variable.lower().lstrip("@")
    return "v_" + "".join(c if c.isascii() and c.isalnum() else f"_{ord(c):x}_" for c in plain)
