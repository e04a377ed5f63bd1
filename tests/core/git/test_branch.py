"""Branch names: git and Windows accept every one, and they stay within their length."""

from __future__ import annotations

import itertools
import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.git.branch import branch_name, branch_names, is_ours

RESERVED = {"con", "prn", "aux", "nul", *(f"{p}{n}" for p in ("com", "lpt") for n in range(1, 10))}
names = st.text(min_size=1, max_size=30)


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        (["silver.dimcustomer"], "feature/generate-model-silver-dimcustomer"),
        (
            ["silver.dimcustomer", "silver.factinternetsales"],
            "feature/generate-model-silver-dimcustomer-silver-factinternetsales",
        ),
        (
            ["silver.dimcustomer", "silver.factinternetsales", "silver.dimdate"],
            "feature/generate-model-silver-dimcustomer-silver-factinternetsales-s",
        ),
        (["Silver.DimCustomer"], "feature/generate-model-silver-dimcustomer"),
        (["dbo.order details"], "feature/generate-model-dbo-order-details"),
        (["dbo.a~b^c:d?e*f[g\\h"], "feature/generate-model-dbo-a-b-c-d-e-f-g-h"),
        (["dbo.what?"], "feature/generate-model-dbo-what"),
        (["dbo.größe"], "feature/generate-model-dbo-größe"),
        (["dbo.tmp#1"], "feature/generate-model-dbo-tmp#1"),
        (["dbo.a/../b"], "feature/generate-model-dbo-a----b"),
        (["dbo.x.lock"], "feature/generate-model-dbo-x-lock"),
        (["con.aux"], "feature/generate-model-con-aux"),
        (["nul.con"], "feature/generate-model-nul-con"),
    ],
)
def test_name(tables: list[str], expected: str) -> None:
    assert branch_name(tables) == expected


def test_forty_tables_fit_in_sixty_characters() -> None:
    name = branch_name([f"silver.dim{n:02}" for n in range(40)])
    assert len(name.removeprefix("feature/")) == 60
    assert name.startswith("feature/generate-model-silver-dim00-silver-dim01-")


def test_truncation_never_leaves_a_hyphen_at_the_end() -> None:
    table = "s." + "x" * 42  # the 60th character is the hyphen before the second table
    assert branch_name([table, "s.y"]) == "feature/generate-model-s-" + "x" * 42
    assert len(branch_name([table, "s.y"]).removeprefix("feature/")) == 59


def test_taken_names_get_a_number_within_the_sixty() -> None:
    tables = [f"silver.dim{n:02}" for n in range(40)]
    first, second, third = itertools.islice(branch_names(tables), 3)
    assert first == branch_name(tables)
    assert second.endswith("-2")
    assert third.endswith("-3")
    assert len(second.removeprefix("feature/")) <= 60
    assert second.removesuffix("-2") == first[: len(second) - 2]


def test_numbers_of_short_names_are_appended() -> None:
    assert list(itertools.islice(branch_names(["a.b"]), 3)) == [
        "feature/generate-model-a-b",
        "feature/generate-model-a-b-2",
        "feature/generate-model-a-b-3",
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(names, min_size=1, max_size=40))
@example([". .", "@{", "..", "-"])
@example(["silver.\x00\x7f\ud7ff"])
@example(["ﬁ.İ", "a.\u0301b"])
def test_git_and_windows_accept_every_name(tables: list[str]) -> None:
    for name in itertools.islice(branch_names(tables), 12):
        folder, _, last = name.partition("/")
        assert folder == "feature"
        assert len(last) <= 60
        assert not last.endswith(("-", ".", " "))
        assert not set(last) & set('<>:"|?*\\/ ')
        assert last.split(".")[0] not in RESERVED
        assert is_ours(name)
        checked = subprocess.run(
            ["git", "check-ref-format", "--branch", name], capture_output=True, check=False
        )
        assert checked.returncode == 0, name


@given(st.lists(names, min_size=1, max_size=5))
def test_the_numbered_names_differ(tables: list[str]) -> None:
    first = list(itertools.islice(branch_names(tables), 120))
    assert len(set(first)) == len(first)
