"""What an invocation answers where nothing can run: one sentence, one document, the right code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.core.pipeline.small_project import write_project
from tests.e2e.test_guards import proc2dbt


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_project(tmp_path / "project", ["silver.Customer", "silver.Store"])


LISTS = {
    "@nofile.txt": "nofile.txt cannot be read: No such file or directory",
    "@.": "cannot be read: Is a directory",
    "@empty.txt": "empty.txt names no table",
    " ": "A table's name is empty",
}


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    "command", [("--headless", "--in-place"), ("status",), ("check",)], ids=lambda c: c[0]
)
def test_a_list_that_cannot_be_used_is_a_usage_error(
    command: tuple[str, ...], name: str, root: Path
) -> None:
    (root / "empty.txt").write_text("# nothing yet\n")
    done = proc2dbt(*command, "--json", "silver.Customer", name, cwd=root)
    assert done.returncode == 2
    assert LISTS[name] in done.stderr
    (error,) = json.loads(done.stdout)["errors"]
    assert error["code"] is None
    assert not (root / ".migration-runs").exists()


def test_a_list_of_tables_is_read_as_people_write_it(root: Path) -> None:
    (root / "wave.txt").write_bytes(
        b"\xef\xbb\xbf# first wave\r\n\r\n-- later\r\n[silver].[CUSTOMER]  # big\r\n"
        b'"silver"."Store",\r\nsilver.Nope\r\n'
    )
    done = proc2dbt("--headless", "--in-place", "--dry-run", "--json", "@wave.txt", cwd=root)
    assert done.returncode == 1
    entries = json.loads(done.stdout)["items"]
    assert [e["table_ref"] for e in entries] == ["silver.Customer", "silver.Store", "silver.nope"]
    assert "wave.txt line 6" in entries[2]["sentence"]


@pytest.mark.parametrize("command", ["status", "check"])
def test_tables_that_are_all_unknown_are_an_error_in_json_too(command: str, root: Path) -> None:
    done = proc2dbt(command, "--json", "silver.Custmer", cwd=root)
    assert done.returncode == 2
    document = json.loads(done.stdout)
    assert [e["code"] for e in document["errors"]] == ["TABLE_UNKNOWN"]
    assert "total" not in document, "the counts belong to runs"


def test_status_names_what_it_does_not_know_beside_what_it_does(root: Path) -> None:
    done = proc2dbt("status", "--json", "silver.Customer", "silver.Nope", cwd=root)
    assert done.returncode == 0
    document = json.loads(done.stdout)
    assert [t["item_id"] for t in document["tables"]] == ["silver.customer"]
    assert [e["item_id"] for e in document["errors"]] == ["silver.nope"]


def test_a_resume_of_an_unknown_table_takes_up_nothing(root: Path) -> None:
    done = proc2dbt("--headless", "--resume", "silver.Nope", cwd=root)
    assert done.returncode == 2
    assert "silver.Nope" in done.stderr


def test_other_commands_answer_json_without_counts_of_a_run(root: Path) -> None:
    done = proc2dbt("compile-report", "nofolder", "--json", cwd=root)
    assert done.returncode == 2
    document = json.loads(done.stdout)
    assert list(document) == ["errors"]
    assert "nofolder" in document["errors"][0]["message"]


def test_a_full_disk_is_said_in_one_document_and_is_no_defect(
    root: Path,
) -> None:
    run = [sys.executable, "-m", "tui", "--headless", "--in-place", "--json"]
    limited = ["sh", "-c", 'ulimit -f 1; exec "$@"', "sh", *run, "silver.Customer"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    full = subprocess.run(limited, cwd=root, env=environment, capture_output=True, text=True)
    assert full.returncode in (1, 2)
    assert "Traceback" not in full.stderr
    assert "please report" not in full.stdout, "a full disk is no defect"
    assert json.loads(full.stdout)["ok"] == 0
