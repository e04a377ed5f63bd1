"""The Jinja of a model: config, source, ref, this, var. Nothing else is ever written."""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.compiler.layout import quoted
from core.compiler.options import Input, ModelInput
from core.compiler.plan import Plan
from core.compiler.result import Refused
from core.tsql.types import SqlType, duckdb_storage

LOADED_BY = "'{{ var('loaded_by', 'dbo') }}'"
"""What SUSER_SNAME and its like become: who runs a model is for the project to say."""

_PLAIN = re.compile(r"^[^'\"{}\\\r\n]*$")
_NOT_NAME = re.compile(r"[^a-z0-9_]+")


@dataclass(frozen=True)
class Variable:
    """A parameter as a dbt var. `default` is the literal's text; None: NULL; `required`: none."""

    name: str
    type: SqlType
    default: str | None
    required: bool


def text(value: str) -> str:
    """A Jinja string literal. Raises `Refused` for what would need escaping."""
    if not _PLAIN.match(value):
        raise Refused(f"the name or default '{value}' cannot be written in Jinja", "Jinja")
    return f"'{value}'"


def variable_name(procedure: str, parameter: str) -> str:
    """``<proc>_<param>``, lower case."""
    raw = f"{procedure}_{parameter.lstrip('@')}".lower()
    return _NOT_NAME.sub("_", raw)


def variable_sql(variable: Variable) -> str:
    """The SQL that holds a var's value with its type."""
    storage = duckdb_storage(variable.type).lower()
    name = text(variable.name)
    if variable.type.is_numeric:
        default = "" if variable.required else f", {_number(variable.default)}"
        call = f"{{{{ var({name}{default}) }}}}"
        return call if variable.type.is_integer else f"cast({call} as {storage})"
    if variable.required:
        quoted_call = f"'{{{{ var({name}) }}}}'"
    elif variable.default is not None:
        quoted_call = f"'{{{{ var({name}, {text(variable.default)}) }}}}'"
    elif variable.type.is_string:
        return (
            f"{{% if var({name}, none) == none %}}null"
            f"{{% else %}}'{{{{ var({name}, none) }}}}'{{% endif %}}"
        )
    else:
        quoted_call = f"nullif('{{{{ var({name}, '') }}}}', '')"
    if variable.type.is_string:
        return quoted_call
    return f"cast({quoted_call} as {storage})"


def _number(default: str | None) -> str:
    if default is None:
        return "'null'"
    if re.fullmatch(r"-?\d+(\.\d+)?", default) is None:
        raise Refused(f"the default {default} of a number is not a number", "parameter default")
    return default


def reader(found: Input) -> str:
    """``{{ source('a', 'b') }}`` or ``{{ ref('m') }}``."""
    if isinstance(found, ModelInput):
        return f"{{{{ ref({text(found.model)}) }}}}"
    return f"{{{{ source({text(found.schema)}, {text(found.table)}) }}}}"


def config(plan: Plan) -> str:
    """The config block."""
    entries = [("materialized", f"'{plan.materialization}'")]
    if plan.strategy:
        entries.append(("incremental_strategy", f"'{plan.strategy}'"))
    if plan.unique_key:
        keys = [text(name) for name in plan.unique_key]
        entries.append(("unique_key", keys[0] if len(keys) == 1 else f"[{', '.join(keys)}]"))
    if plan.excluded:
        names = ", ".join(text(name) for name in plan.excluded)
        entries.append(("merge_exclude_columns", f"[{names}]"))
    if plan.replaces_all:
        entries.append(
            (
                "merge_clauses",
                "{\n"
                "            'when_not_matched': [\n"
                "                {'action': 'insert', 'mode': 'by_name'},\n"
                "                {'by': 'source', 'action': 'delete'},\n"
                "            ],\n"
                "        }",
            )
        )
    if len(entries) == 1:
        return f"{{{{ config({entries[0][0]}={entries[0][1]}) }}}}"
    body = "".join(f"        {name}={value},\n" for name, value in entries)
    return "{{\n    config(\n" + body + "    )\n}}"


__all__ = ["Variable", "config", "quoted", "reader", "text", "variable_name", "variable_sql"]
