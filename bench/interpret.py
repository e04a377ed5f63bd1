"""How fast the reference runs: median milliseconds per procedure run on tables of 20 rows.

    python -m bench.interpret [--rows 20] [--repeat 5]

Every procedure of the demo project runs on generated rows: once cold (its statements are translated
then), then `repeat` times warm. Loading and resetting are measured apart from running.
"""

from __future__ import annotations

import argparse
import datetime as dt
import random
import statistics
import time
from decimal import Decimal
from importlib.resources import as_file

from core.demo import demo_project
from core.interpreter import Reference
from core.interpreter.project_reference import project_reference
from core.project.project import MigrationProject
from core.tsql.schema import Column, Table
from core.tsql.types import TypeName


def value(column: Column, random_: random.Random, number: int) -> object:
    """A value a column takes; keys are numbered so that they differ."""
    type_ = column.type
    if column.nullable and random_.random() < 0.1:
        return None
    if type_.name is TypeName.BIT:
        return random_.randrange(2)
    if type_.is_integer:
        return number + 1 if not column.nullable else random_.randrange(1, 20)
    if type_.is_numeric:
        return Decimal(random_.randrange(1, 99_999)) / 100
    if type_.name is TypeName.TIME:
        return dt.time(10, random_.randrange(60))
    if type_.is_datetime:
        return dt.datetime(2024, random_.randrange(1, 13), random_.randrange(1, 28))
    if type_.is_binary:
        return bytes([random_.randrange(256)])
    length = type_.length if type_.length and type_.length > 0 else 20
    return f"{random_.choice('ABCD')}{number}"[:length]


def rows(table: Table, count: int, seed: int) -> list[dict[str, object]]:
    random_ = random.Random(f"{seed}{table.name}")
    columns = [c for c in table.columns if not c.identity and c.computed is None]
    made, keys = [], set()
    for number in range(count):
        row = {c.name: value(c, random_, number) for c in columns}
        key = tuple(str(row.get(n)).lower() for names in table.keys for n in names)
        if key and key in keys:
            continue
        keys.add(key)
        made.append(row)
    return made


def fill(reference: Reference, count: int, seed: int) -> None:
    for table in reference.tables():
        reference.load(str(table.name), rows(table, count, seed))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    with as_file(demo_project()) as folder:
        project = MigrationProject.open(folder)
        started = time.perf_counter()
        reference = project_reference(project)
        print(f"reference of {len(reference.tables())} tables: {_ms(started):.0f} ms")
        cold, warm, loads = [], [], []
        for name in project.procedures:
            for repeat in range(options.repeat + 1):
                started = time.perf_counter()
                reference.reset()
                fill(reference, options.rows, repeat)
                loads.append(_ms(started))
                started = time.perf_counter()
                reference.run_procedure(name)
                (warm if repeat else cold).append(_ms(started))
        reference.close()
    print(f"reset and load of all tables: median {statistics.median(loads):.1f} ms")
    print(f"first run of a procedure: median {statistics.median(cold):.1f} ms")
    print(f"run of a procedure: median {statistics.median(warm):.1f} ms ({len(warm)} runs)")


def _ms(since: float) -> float:
    return (time.perf_counter() - since) * 1000


if __name__ == "__main__":
    main()
