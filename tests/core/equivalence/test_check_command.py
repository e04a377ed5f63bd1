"""``proc2dbt check``: its JSON, its replay, and files that are none of ours."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.core.equivalence.test_correction import RIGHT, WRONG
from tests.core.pipeline.small_project import write_project
from tui.cli import main


@dataclass(frozen=True)
class Done:
    """What a command ended with and printed."""

    exit_code: int
    stdout: str
    output: str


def proc2dbt(*words: str) -> Done:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
        main(list(words))
    return Done(int(ended.value.code or 0), out.getvalue(), out.getvalue() + err.getvalue())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_project(tmp_path, ["silver.Customer"])
    return tmp_path


def put_model(root: Path, text: str) -> None:
    file = root / "dbt/models/staging/stg_customer.sql"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    (file.parent / "_stg_customer.yml").write_text(
        "version: 2\nmodels:\n  - name: stg_customer\n"
        "    description: 'Migrated from silver.usp_LoadCustomer. Target: silver.Customer.'\n",
        encoding="utf-8",
    )
    (file.parent / "_sources.yml").write_text(
        "version: 2\nsources:\n  - name: bronze\n    tables:\n      - name: Customer\n",
        encoding="utf-8",
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not a counterexample file"),
        ("[1, 2]", "is not a counterexample file"),
        ('{"name": "a package", "version": "1.0"}', "is not a counterexample file"),
        ('{"rounds": [], "item_id": "silver.customer"}', "it has no rounds"),
        ('{"rounds": [{"clock": "soon", "tables": {}}], "item_id": "x.y"}', "soon"),
        ('{"rounds": [{"clock": "2024-01-01", "tables": {"a.b": [1]}}]}', "not a counterexample"),
        ('{"rounds": [{"clock": "2024-01-01", "tables": {}}]}', "names no table"),
    ],
)
def test_a_file_that_is_no_counterexample_is_named(root: Path, text: str, said: str) -> None:
    file = root / "odd.json"
    file.write_text(text, encoding="utf-8")
    done = proc2dbt("check", "--project", str(root), "--replay", str(file))
    assert done.exit_code == 2, done.output
    assert said in done.output
    assert "Traceback" not in done.output


def test_a_file_of_bytes_is_named(root: Path) -> None:
    file = root / "odd.json"
    file.write_bytes(b"\xff\xfe\x00\x80")
    done = proc2dbt("check", "--project", str(root), "--replay", str(file))
    assert done.exit_code == 2, done.output
    assert "Traceback" not in done.output


@pytest.mark.slow
def test_refuted_replayed_and_mended(root: Path) -> None:
    put_model(root, WRONG)
    done = proc2dbt("check", "silver.Customer", "--project", str(root), "--json")
    assert done.exit_code == 1, done.output
    (document,) = json.loads(done.stdout)
    assert document["verdict"] == "refuted"
    assert document["item_id"] == "silver.customer"
    file = root / "counterexample.json"
    file.write_text(json.dumps(document["counterexample"]), encoding="utf-8")
    again = proc2dbt("check", "--project", str(root), "--replay", str(file), "--json")
    assert again.exit_code == 1, again.output
    assert json.loads(again.stdout)[0]["counterexample"] == document["counterexample"]
    put_model(root, RIGHT)
    mended = proc2dbt("check", "--project", str(root), "--replay", str(file))
    assert mended.exit_code == 0, mended.output
    assert "no difference on the rows of the file" in mended.output
