"""Names: parse what they print, compare without case, never split on a dot inside quotes."""

from __future__ import annotations

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.project.names import NameSyntaxError, QualifiedName, bracket, model_name

IDENTIFIERS = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=12)


@given(IDENTIFIERS, IDENTIFIERS)
def test_bracketed_names_come_back(schema: str, name: str) -> None:
    parsed = QualifiedName.parse(f"{bracket(schema)}.{bracket(name)}")
    assert (parsed.schema, parsed.name) == (schema, name)
    assert QualifiedName.parse(parsed.bracketed) == parsed


@given(IDENTIFIERS, IDENTIFIERS)
def test_double_quotes_mean_the_same_as_brackets(schema: str, name: str) -> None:
    quoted = ".".join('"' + part.replace('"', '""') + '"' for part in (schema, name))
    assert QualifiedName.parse(quoted) == QualifiedName.parse(f"{bracket(schema)}.{bracket(name)}")


@given(st.from_regex(r"[A-Za-z_]\w{0,9}\.[A-Za-z_]\w{0,9}", fullmatch=True))
def test_case_and_quotes_do_not_matter(text: str) -> None:
    one = QualifiedName.parse(text.upper())
    other = QualifiedName.parse(".".join(bracket(part) for part in text.lower().split(".")))
    if text.isascii():
        assert one == other
        assert hash(one) == hash(other)
        assert one.item_id == other.item_id == text.lower()


@given(st.text(max_size=30))
def test_any_text_is_a_name_or_a_refusal(text: str) -> None:
    with contextlib.suppress(NameSyntaxError):
        parsed = QualifiedName.parse(text)
        assert parsed.name
        assert QualifiedName.parse(parsed.bracketed).key == parsed.key


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("DimCustomer", ("", "", "", "DimCustomer")),
        ("dw..DimCustomer", ("", "dw", "", "DimCustomer")),
        ("srv.dw.dbo.t", ("srv", "dw", "dbo", "t")),
        ("[a.b].[c]]d]", ("", "", "a.b", "c]d")),
        (' [x] . "y" ', ("", "", "x", "y")),
    ],
)
def test_parts(text: str, parts: tuple[str, ...]) -> None:
    parsed = QualifiedName.parse(text)
    assert (parsed.server, parsed.database, parsed.schema, parsed.name) == parts


@pytest.mark.parametrize("text", ["", ".", "a.", ".a", "a.b.c.d.e", "[a", "a b", "a].b", "a..b."])
def test_refusals(text: str) -> None:
    with pytest.raises(NameSyntaxError):
        QualifiedName.parse(text)


def test_a_missing_schema_is_dbo() -> None:
    assert QualifiedName.parse("T") == QualifiedName.parse("dbo.t")
    assert QualifiedName.parse("T").item_id == "dbo.t"


@given(IDENTIFIERS)
def test_model_names_are_safe_file_and_relation_names(name: str) -> None:
    assert re.fullmatch(r"stg_[a-z0-9_]+", model_name(QualifiedName(name)))
