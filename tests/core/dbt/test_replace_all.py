"""``merge_clauses``: only the form that replaces a table's content is let through."""

from __future__ import annotations

import pytest

from core.dbt.allowlist import REPLACE_ALL
from core.dbt.facts import FactsError, ModelFacts, read_facts

MODEL = """{{{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        merge_clauses={clauses},
    )
}}}}

with existing as (

    {{% if is_incremental() %}}
    select * from {{{{ this }}}}
    {{% else %}}
    select 1 as id where false
    {{% endif %}}

),

final as (

    select id from existing where id > 3

)

select * from final
"""


def test_replacing_everything_is_allowed() -> None:
    facts = read_facts(MODEL.format(clauses=REPLACE_ALL))
    assert isinstance(facts, ModelFacts)
    assert facts.config.other["merge_clauses"] == REPLACE_ALL


@pytest.mark.parametrize(
    "clauses",
    [
        "{'when_matched': [{'action': 'delete'}]}",
        "{'when_not_matched': [{'action': 'error', 'error_message': 'x'}]}",
        "{'when_not_matched': [{'action': 'insert', 'condition': '1=1; drop table x'}]}",
        "var('clauses')",
        "[1]",
    ],
)
def test_every_other_form_is_refused(clauses: str) -> None:
    facts = read_facts(MODEL.format(clauses=clauses))
    assert isinstance(facts, FactsError)
    assert "merge_clauses" in facts.message
