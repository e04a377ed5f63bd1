"""The files of a run in the dbt project: written once per item, atomically, restored if refused.

A thin asynchronous layer over ``core.git.snapshot.RunSnapshot``: one writer at a time, in a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.git.snapshot import RunSnapshot
from core.git.worktree import Workplace
from core.pipeline.itemresult import RunItem


class ModelFiles:
    """Writes and restores the files of items in one working place."""

    def __init__(self, place: Workplace) -> None:
        self.place = place
        self.snapshot = RunSnapshot(place)
        self._turn = asyncio.Lock()

    async def write(self, item: RunItem, sql: str, yaml: str) -> None:
        """Write a model and its YAML.

        The YAML comes first: it says whose the model is, so a run killed between the two does not
        leave a model of nobody.

        Raises:
            ProjectError: ``GIT_NOT_READY``; a file holds a person's uncommitted work.
        """
        await self.write_all({item.paths.model_yaml: yaml, item.paths.model_sql: sql})

    async def write_all(self, texts: Mapping[str, str]) -> None:
        """Write several files in order; those that hold the text already are left alone."""
        async with self._turn:
            await asyncio.to_thread(self._write_all, dict(texts))

    def _write_all(self, texts: Mapping[str, str]) -> None:
        for path, text in texts.items():
            if not self._holds(path, text):
                self.snapshot.write(path, text)

    def _holds(self, path: str, text: str) -> bool:
        file: Path = self.place.root / path
        try:
            same = file.read_bytes() == text.encode("utf-8")
        except OSError:
            return False
        return same and self.snapshot.is_as_written(path)

    async def restore(self, items: Sequence[RunItem], shared: Sequence[str] = ()) -> list[str]:
        """Give the items' files (and shared ones) back what they held before the run.

        Returns a sentence for each file that a person changed since, which is left alone.
        """
        paths = [
            path
            for item in items
            if item.model_name
            for path in (item.paths.model_sql, item.paths.model_yaml)
        ]
        async with self._turn:
            done = await asyncio.to_thread(self.snapshot.restore, [*paths, *shared])
        return [f"{path} was changed by hand since and is left as it is." for path in done.kept]

    def shared(self, items: Sequence[RunItem]) -> list[str]:
        """Files the run wrote to that are no item's own, also before it was killed."""
        own = {p for i in items if i.model_name for p in (i.paths.model_sql, i.paths.model_yaml)}
        return [path for path in self.snapshot.claimed if path not in own]

    def endangered(self, item: RunItem) -> tuple[str, ...]:
        """Files of the item that hold a person's uncommitted work. Reads only."""
        return self.snapshot.would_overwrite([item.paths.model_sql, item.paths.model_yaml])
