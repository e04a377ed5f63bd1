"""``TABLE...`` arguments."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.project.codes import Code
from core.project.guards import ModelNames, is_ready
from core.project.project import MigrationProject
from core.project.selection import SelectionError, select_tables
from tests.core.project.builder import ProjectBuilder


def project(root: Path) -> MigrationProject:
    builder = ProjectBuilder(root).source("bronze.Customer").source("silver.Raw")
    builder.ready("silver.DimCustomer").ready("silver.DimProduct").ready("gold.FactSales")
    return MigrationProject.open(builder.table("gold.Unfinished").write())


def test_names_in_any_spelling_are_taken_once_in_order(tmp_path: Path) -> None:
    names = ["[Silver].[DimProduct]", "GOLD.factsales", "silver.dimproduct"]
    selection = select_tables(project(tmp_path), names)
    assert selection.items == ("silver.dimproduct", "gold.factsales")
    assert selection.unknown == ()


def test_patterns_mean_targets(tmp_path: Path) -> None:
    opened = project(tmp_path)
    assert select_tables(opened, ["Silver.*"]).items == ("silver.dimcustomer", "silver.dimproduct")
    assert select_tables(opened, ["[silver].Dim?roduct"]).items == ("silver.dimproduct",)
    assert "bronze.customer" not in select_tables(opened, ["*"]).items
    assert select_tables(opened, ["silver.raw"]).items == ("silver.raw",)


def test_a_file_of_names(tmp_path: Path) -> None:
    opened = project(tmp_path)
    (tmp_path / "wave1.txt").write_bytes(
        b"\xef\xbb\xbf# first wave\r\n\r\n[silver].[DimCustomer]  # the big one\r\n"
        b"  gold.*\r\nsilver.Nope\r\n"
    )
    selection = select_tables(opened, ["@wave1.txt"], folder=tmp_path)
    assert selection.items == ("silver.dimcustomer", "gold.factsales", "gold.unfinished")
    [unknown] = selection.unknown
    assert unknown.code is Code.TABLE_UNKNOWN
    assert "wave1.txt line 5" in unknown.message


def test_what_finds_nothing_is_named(tmp_path: Path) -> None:
    opened = project(tmp_path)
    selection = select_tables(opened, ["silver.DimCustmer", "plat*.x", "a b"])
    assert selection.items == ()
    messages = [problem.message for problem in selection.unknown]
    assert any("did you mean silver.dimcustomer" in message for message in messages)
    assert any("'plat*.x'" in message for message in messages)
    assert len(messages) == 3


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("@none.txt", "none.txt cannot be read"),
        ("@empty.txt", "names no table"),
        ("@", "cannot be read"),
        ("  ", "is empty"),
    ],
)
def test_what_cannot_be_a_selection_is_an_error(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "empty.txt").write_text("# nothing yet\n\n")
    with pytest.raises(SelectionError, match=said):
        select_tables(project(tmp_path), ["silver.dimcustomer", name], folder=tmp_path)


def test_all_means_every_ready_table(tmp_path: Path) -> None:
    opened = project(tmp_path)
    ready = is_ready(opened, ModelNames.of(opened))
    selection = select_tables(opened, [], all_ready=True, is_ready=ready)
    assert selection.items == ("gold.factsales", "silver.dimcustomer", "silver.dimproduct")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(
    st.lists(
        st.text(max_size=15).filter(lambda text: text.strip() and not text.startswith("@")),
        max_size=5,
    )
)
def test_any_argument_is_answered(tmp_path: Path, names: list[str]) -> None:
    selection = select_tables(project(tmp_path), names)
    assert len(set(selection.items)) == len(selection.items)
    assert not names or selection.items or selection.unknown
