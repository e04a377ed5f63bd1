"""The freshness of an incremental model's watermark, as a warning.

With ``dbt_utils`` in the project its ``recency`` test is used; without, a generic test of our
own that goes into the project's ``tests/generic``, so that a fresh clone builds without
``dbt deps``.
"""

from __future__ import annotations

from typing import Any

RECENCY_TEST = "proc2dbt_recency"
RECENCY_PATH = f"tests/generic/{RECENCY_TEST}.sql"
MAX_AGE_DAYS = 2
"""How old the newest row may be: a daily load and a day of grace."""

RECENCY_SQL = """\
{#- Fails when the newest value of a date or timestamp column is older than max_age_days.
    An empty table passes. -#}
{% test proc2dbt_recency(model, column_name, max_age_days) %}

select max({{ column_name }}) as newest
from {{ model }}
having cast(max({{ column_name }}) as date)
    < cast({{ dbt.dateadd('day', -max_age_days, dbt.current_timestamp()) }} as date)

{% endtest %}
"""


def recency_entry(model: str, column: str, has_dbt_utils: bool) -> tuple[str, dict[str, Any]]:
    """The test's name in the results and its YAML entry (a model-level data test)."""
    name = f"recency_{model}_{column}"
    config = {"severity": "warn"}
    if has_dbt_utils:
        arguments: dict[str, Any] = {"datepart": "day", "field": column, "interval": MAX_AGE_DAYS}
        return name, {"dbt_utils.recency": {"name": name, "arguments": arguments, "config": config}}
    arguments = {"column_name": column, "max_age_days": MAX_AGE_DAYS}
    return name, {RECENCY_TEST: {"name": name, "arguments": arguments, "config": config}}
