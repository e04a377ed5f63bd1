"""What is spared in a warm dbt changes nothing: the same texts and results as without it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from core.dbt.dbt_macros import LateNames, format_row, safe_cast

_VERIFY = """
import json, os, sys
from dataclasses import asdict, replace
from pathlib import Path

mode, root = sys.argv[1], Path(sys.argv[2])
os.environ["PROC2DBT_WORK"] = str(root / mode)
if mode == "plain":
    import dbt.version
    dbt.version.__version__ = "9.9.9"
from core.dbt.verification import verify_in
from core.dbt.worker_preload import warm_up
from core.dbt.miniproject import copy_base
from tests.core.dbt.items import build_item, loaded, order_line, scenario, shop_sql

base = warm_up()
folder = root / mode / "worker"
copy_base(base, folder)
os.chdir(folder)
odd = [
    order_line(1, OrderNumber="O'Brien's", Region="\\u00fc{x}", Weight=1e-7, IsGift=False),
    order_line(2, OrderNumber="a\\\\b", Region=None, Weight=-0.0, IsGift=None, Quantity=-3),
    order_line(3, OrderNumber='say "x"', Region="", ShippedAt=None, OrderDate=None),
]
rows = [scenario(7, "odd values", odd, [loaded(row) for row in odd])]
none = [scenario(9, "no rows", [], []), scenario(9, "unexpected", [order_line(1)], [])]
sql = shop_sql(8, "merge")
items = [
    build_item(root / mode / "a", 7, "merge", scenarios=rows),
    build_item(root / mode / "b", 8, "delete+insert", count=4),
    build_item(root / mode / "c", 8, sql=sql.replace("l.Quantity,", "l.Quantity + 1 as Quantity,")),
    build_item(root / mode / "d", 8, sql=sql.replace("l.Quantity,", "l.Quantty as Quantity,")),
    build_item(root / mode / "e", 9, "table", scenarios=none),
]
told = []
for item in items:
    request = item.request
    if item is items[1]:
        text = request.yaml_text.replace("CustomerId: 1,", "Nowhere: 1,", 1)
        request = replace(request, yaml_text=text)
    found = verify_in(folder, request, lambda line: None)
    told.append([found.phase.value, found.errors, found.compiled_sql, found.compiled_incremental])
    told.append([{**asdict(t), "seconds": 0} for t in found.tests])
    told.append([{**asdict(s), "seconds": 0} for s in found.scenarios])
Path(root / (mode + ".json")).write_text(json.dumps(told, default=repr, indent=1))
"""


@pytest.mark.slow
def test_a_dbt_of_an_unknown_version_gives_the_same_results_untuned(tmp_path: Path) -> None:
    """Every test of five items: status, message, rows, and the SQL to the last blank."""
    script = tmp_path / "script.py"
    script.write_text(_VERIFY)
    path = str(Path(__file__).parents[3])
    told = []
    for mode in ("tuned", "plain"):
        (tmp_path / mode).mkdir()
        done = subprocess.run(
            [sys.executable, str(script), mode, str(tmp_path)],
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        text = (tmp_path / f"{mode}.json").read_text()
        told.append(json.loads(text.replace(str(tmp_path / mode), "")))
    statuses = {test["status"] for tests in told[0][1::3] for test in tests}
    assert {"pass", "fail", "error"} <= statuses
    assert told[0] == told[1]


def test_a_cast_is_written_as_dbt_writes_it() -> None:
    assert safe_cast("'x'", "VARCHAR") == "\n    \n    cast('x' as VARCHAR)\n"
    assert safe_cast(None, "VARCHAR") is NotImplemented
    assert safe_cast("x") is NotImplemented


def test_a_row_that_dbt_would_refuse_is_left_to_it() -> None:
    types = {"a": "INTEGER", "b": "character varying(3)"}
    assert format_row({"A": 1, "b": "it's"}, types) == {
        "a": "\n    \n    cast(1 as INTEGER)\n",
        "b": "\n    \n    cast('it''s' as character varying)\n",
    }
    assert format_row({"c": 1}, types) is NotImplemented
    assert format_row({"a": [1]}, types) is NotImplemented
    assert format_row({"a": None}, types) == {"a": "\n    \n    cast(null as INTEGER)\n"}


def test_late_names_are_a_dictionary_to_whoever_asks() -> None:
    made: list[str] = []

    def make(name: str) -> str:
        made.append(name)
        return name.upper()

    names = LateNames({"a": 1, "b": 2}, make)
    assert names
    assert "a" in names
    assert "c" not in names
    assert made == []
    names["b"] = "own"
    assert (names["a"], names.get("a"), names.get("c", 0), names["b"]) == ("A", "A", 0, "own")
    assert made == ["a"]
    late = LateNames({"a": 1, "b": 2}, make)
    assert {**late} == dict(late) == late.copy() == {"a": "A", "b": "B"}
    assert dict(late.items()) == {"a": "A", "b": "B"}
    assert sorted(late) == sorted(late.keys()) == ["a", "b"]
    assert sorted(late.values()) == ["A", "B"]
    assert len(LateNames({"a": 1}, make)) == 1
    other: dict[str, str] = {}
    other.update(LateNames({"a": 1}, make))
    assert other == {"a": "A"}
    with pytest.raises(KeyError):
        late["c"]
