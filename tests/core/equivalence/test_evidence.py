"""The counterexample as others use it: as a dbt unit test, and the same bytes in any process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.dbt.database import connect, wipe
from core.dbt.dbt_session import DbtSession
from core.dbt.miniproject import DATABASE, write_item
from core.dbt.replay import create_inputs
from core.equivalence.subject import Subject
from tests.core.equivalence.bugs import SAMPLES
from tests.core.equivalence.kit import check, subject, worker_folder

pytestmark = pytest.mark.slow


def wrong_orders() -> Subject:
    """Orders without a customer are lost."""
    sample = SAMPLES[0]
    wrong = sample.sound.replace("left join customers", "inner join customers")
    return subject(sample.ddl, sample.procedure, sample.target, wrong)


@pytest.mark.parametrize(("is_sound", "wanted"), [(False, "fail"), (True, "pass")])
def test_the_unit_test_tells_the_wrong_model_from_the_sound_one_in_dbt(
    is_sound: bool, wanted: str
) -> None:
    refuted = wrong_orders()
    document = check(refuted).counterexample
    assert document is not None
    folder = worker_folder()
    connection = connect(DATABASE)
    wipe(connection)
    create_inputs(connection, refuted.inputs, refuted.model_name)
    sql = SAMPLES[0].sound if is_sound else refuted.sql
    yaml_text = f"version: 2\n{document['unit_test']}"
    write_item(folder, refuted.model_name, sql, yaml_text, refuted.inputs)
    session = DbtSession(folder)
    assert not session.parse().error
    done = session.test(refuted.model_name)
    wipe(connection)
    connection.close()
    assert [str(result.status) for result in done.results] == [wanted], done


def test_the_same_bytes_whatever_the_order_of_hashes() -> None:
    code = (
        "import json; from tests.core.equivalence.test_evidence import wrong_orders; "
        "from tests.core.equivalence.kit import check; "
        "print(json.dumps(check(wrong_orders()).model_dump(mode='json')))"
    )
    root = Path(__file__).parents[3]
    printed = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
            cwd=root,
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert printed[0] == printed[1]
    assert b"counterexample" in printed[0]
