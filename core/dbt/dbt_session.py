"""One dbt, warm, in this process: parse, test, run of a mini-project; events and results as values.

Only worker processes import this module: dbt is neither light nor thread-safe.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from core.dbt.dbt_tuning import fast_tests, manifest_kept, queries_heard

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_QUIET = [
    "--no-static-parser",  # its threads do not survive the fork of a worker: it would hang
    "--no-write-json",
    "--log-level",
    "none",
    "--log-level-file",
    "none",
    "--no-use-colors",
    "--no-version-check",
    "--no-populate-cache",
    "--no-send-anonymous-usage-stats",
]
_DATABASE_SAID = re.compile(r"returned the following error:\s*>?(.*?)\n\s*Check your", re.DOTALL)
_TOLD_EVENTS = frozenset({"LogTestResult", "LogModelResult"})


@dataclass(frozen=True)
class DbtResult:
    """What one invocation left. ``error`` is dbt's exception as text, empty if there was none."""

    results: tuple[Any, ...] = ()
    error: str = ""
    manifest: Any = None
    warnings: tuple[str, ...] = ()
    succeeded: bool = False


@dataclass
class DbtSession:
    """Runs dbt commands in one project folder.

    ``scratch`` takes dbt's target and log folders (the project folder if it is ours);
    ``options`` are added to every command (``--target``, ``--profiles-dir``, ``--vars``).
    """

    folder: Path
    say: Callable[[str], None] = lambda line: None
    scratch: Path | None = None
    options: tuple[str, ...] = ()
    manifest: Any = None
    recorded: list[str] = field(default_factory=list)
    _recording: str = ""
    _warnings: list[str] = field(default_factory=list)
    _debug_lines: list[str] = field(default_factory=list)

    def parse(self) -> DbtResult:
        """Parse the project; what follows uses this manifest."""
        self.manifest = None
        result = self._invoke(["parse"])
        self.manifest = result.manifest
        return result

    def test(self, select: str) -> DbtResult:
        """``dbt test --select``; parses first if nothing was parsed, and keeps the manifest."""
        with fast_tests(), manifest_kept(self._keep):
            return self._invoke(["test", "--select", select])

    def build(self, select: tuple[str, ...] = ()) -> DbtResult:
        """``dbt build``, of everything or of what is selected."""
        selection = ["--select", *select] if select else []
        return self._invoke(["build", *selection])

    def debug(self) -> DbtResult:
        """``dbt debug --connection``; its error is what the database answered."""
        done = self._invoke(["debug", "--connection"])
        found = _DATABASE_SAID.search("\n".join(self._debug_lines))
        return replace(done, error=found[1].strip()) if found and not done.error else done

    def run(self, model: str, *, full_refresh: bool) -> tuple[DbtResult, list[str]]:
        """``dbt run --select`` one model; also the SQL that dbt sent for it, in order."""
        arguments = ["run", "--select", model]
        if full_refresh:
            arguments.append("--full-refresh")
        self.recorded = []
        self._recording = f"model.proc2dbt_mini.{model}"
        try:
            with queries_heard():
                result = self._invoke(arguments)
        finally:
            self._recording = ""
        return result, list(self.recorded)

    def _invoke(self, arguments: list[str]) -> DbtResult:
        from dbt import deprecations
        from dbt.cli.main import dbtRunner

        deprecations.reset_deprecations()
        self._warnings = []
        place = str(self.folder)
        runner = dbtRunner(manifest=self.manifest, callbacks=[self._on_event])
        options = [*_QUIET, *self._places(arguments[0]), *self.options]
        if arguments[0] == "test":
            # Handing each test to a thread doubles its time. (Materializations need the
            # thread: without it dbt-duckdb closes the connection under them.)
            options.append("--single-threaded")
        done = runner.invoke([*arguments, *options])
        error = plain(str(done.exception), place) if done.exception is not None else ""
        results = tuple(getattr(done.result, "results", None) or ())
        manifest = done.result if arguments[0] == "parse" and not error else None
        warnings = tuple(dict.fromkeys(self._warnings))
        return DbtResult(results, error, manifest, warnings, bool(done.success))

    def _keep(self, manifest: Any) -> None:
        self.manifest = manifest

    def _places(self, command: str) -> list[str]:
        scratch = self.scratch or self.folder
        places = ["--project-dir", str(self.folder), "--log-path", str(scratch / "logs")]
        if "--profiles-dir" not in self.options:
            places += ["--profiles-dir", str(self.folder)]
        if command == "debug":  # has no such option, and writes nothing there
            return places
        return [*places, "--target-path", str(scratch / "target")]

    def _on_event(self, event: Any) -> None:
        name = event.info.name
        if name == "SQLQuery":
            if self._recording and event.data.node_info.unique_id == self._recording:
                self.recorded.append(event.data.sql)
        elif name == "DebugCmdResult":
            self._debug_lines.append(plain(event.info.msg, str(self.folder)))
        elif name in _TOLD_EVENTS:
            self.say(_told(event.data))
        elif name == "UnusedResourceConfigPath" and "proc2dbt_mini" in event.info.msg:
            return  # about the dbt project made for this check, which no one else ever sees
        elif name == "NoNodeForYamlKey" or event.info.level == "warn":
            self._warnings.append(plain(event.info.msg, str(self.folder)))


def _told(data: Any) -> str:
    node = data.node_info
    kind = {"unit_test": "unit test", "test": "data test"}.get(node.resource_type, "model")
    return f"{kind} {node.node_name}: {data.status}"


def plain(message: str, folder: str = "") -> str:
    """dbt's message without colours and without the worker's own paths."""
    text = _COLOURS.sub("", message).strip()
    return text.replace(folder + "/", "") if folder else text


def close_database() -> None:
    """Let go of dbt's DuckDB, so that this process may fork or start afresh."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    DuckDBConnectionManager.close_all_connections()
