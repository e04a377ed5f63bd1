"""What every worker needs in memory before its first item; imported once by the forkserver.

Importing dbt takes seconds and its first run seconds more (macros, Jinja caches). Here both
happen once, on a tiny item, in the process from which the workers are forked.
"""

from __future__ import annotations

import gc
import os
import sys
from datetime import datetime
from pathlib import Path

WORK_ENV = "PROC2DBT_WORK"
"""The folder in which this process tree keeps its mini-projects."""

KEPT_ENV = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", WORK_ENV)
"""Environment variables a worker keeps; everything else might be a secret."""

_warm: list[Path] = []


def clean_environment() -> dict[str, str]:
    """The environment of a worker."""
    kept = {name: os.environ[name] for name in KEPT_ENV if name in os.environ}
    return {**kept, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"}


def warm_up() -> Path:
    """Import dbt, write the base project, run one item in it; returns the base project's folder."""
    if _warm:
        return _warm[0]
    os.environ.setdefault("DBT_SEND_ANONYMOUS_USAGE_STATS", "false")
    os.environ.setdefault("DO_NOT_TRACK", "1")
    from core.dbt.dbt_tuning import tune
    from core.dbt.miniproject import copy_base, write_base
    from core.dbt.sample import sample_request
    from core.dbt.verification import verify_in

    tune()
    base = Path(os.environ[WORK_ENV]) / f"base-{os.getpid()}"
    write_base(base)
    from core.dbt.dbt_session import DbtSession, close_database
    from core.dbt.guard import release_parser
    from core.dbt.precheck import precheck, release_database

    DbtSession(base).parse()
    trial = base.with_name(f"trial-{os.getpid()}")
    copy_base(base, trial)
    verify_in(trial, sample_request(datetime(2024, 1, 1)), lambda line: None)
    precheck(sample_request(datetime(2024, 1, 1)))
    close_database()
    release_database()
    release_parser()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    _warm.append(base)
    return base


def _in_forkserver() -> bool:
    """Whether this import is the forkserver's preload."""
    return any("multiprocessing.forkserver" in argument for argument in sys.orig_argv)


def silence() -> None:
    """Nothing of ours may reach the terminal another program is painting on."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.close(nothing)


if _in_forkserver():
    silence()
    warm_up()
