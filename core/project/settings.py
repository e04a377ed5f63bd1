"""Every setting of the product: its type, its default, what it is for, and where it came from.

A flag beats the environment, the environment beats ``proc2dbt.toml``, the file beats the
default. The dataclasses here are the one definition; ``core.project.settings_file`` reads the
sources into them, and ``proc2dbt config`` and ``docs/settings.md`` print them.
"""

from __future__ import annotations

import dataclasses
import os
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.project.names import QualifiedName, model_name

SETTINGS_FILE = "proc2dbt.toml"
ENVIRONMENT_PREFIX = "PROC2DBT_"


def _setting(
    default: Any,
    doc: str,
    *,
    choices: tuple[str, ...] = (),
    minimum: float | None = None,
    maximum: float | None = None,
) -> Any:
    metadata = {"doc": doc, "choices": choices, "minimum": minimum, "maximum": maximum}
    if isinstance(default, dict):
        return field(default_factory=dict, metadata=metadata)
    return field(default=default, metadata=metadata)


EFFORTS = ("low", "medium", "high", "xhigh", "max")
PROVIDERS = ("api", "aws", "google", "bedrock", "vertex", "foundry")


@dataclass(frozen=True)
class ClaudeAuthorSettings:
    """``[claude.author]``: the Claude that writes models."""

    model: str = _setting("claude-opus-5-5", "the model that writes dbt models")
    fallback: str | None = _setting(
        None, "the model that is asked where this one declines, or fails alike twice"
    )
    effort: str = _setting("medium", "how hard it thinks", choices=EFFORTS)
    max_tokens: int = _setting(
        32_000, "the most it may think and write in one answer", minimum=1_024, maximum=128_000
    )


@dataclass(frozen=True)
class ClaudeReviewerSettings:
    """``[claude.reviewer]``: the Claude that reviews models."""

    model: str = _setting("claude-sonnet-5-5", "the model that reviews; another than the author's")
    fallback: str | None = _setting(None, "the model that is asked where this one declines")
    effort: str = _setting("medium", "how hard it thinks", choices=EFFORTS)
    max_tokens: int = _setting(
        16_000, "the most it may think and write in one answer", minimum=1_024, maximum=128_000
    )


@dataclass(frozen=True)
class ClaudeSettings:
    """``[claude]``: how Claude is reached; it is used only when ``author`` asks for it."""

    provider: str = _setting("api", "who serves Claude", choices=PROVIDERS)
    base_url: str | None = _setting(None, "another address of the API; default: the provider's")
    parallel: int = _setting(4, "requests at the same time", minimum=1, maximum=64)
    longest_wait: float = _setting(
        300.0, "seconds to wait out a rate limit before giving up", minimum=0, maximum=86_400
    )
    author: ClaudeAuthorSettings = field(default_factory=ClaudeAuthorSettings)
    reviewer: ClaudeReviewerSettings = field(default_factory=ClaudeReviewerSettings)

    @property
    def models(self) -> tuple[str, ...]:
        """Every model that may be asked, without repetition: author, reviewer, fallbacks."""
        roles = (self.author, self.reviewer)
        names = (name for role in roles for name in (role.model, role.fallback))
        return tuple(dict.fromkeys(name for name in names if name))


@dataclass(frozen=True)
class PullRequestSettings:
    """``[pr]``: the pull request of a run."""

    title: str | None = _setting(None, "its title; default: one made from the tables")
    labels: tuple[str, ...] = _setting((), "labels to put on it")
    reviewers: tuple[str, ...] = _setting((), "people or teams to ask for a review")


@dataclass(frozen=True)
class EquivalenceSettings:
    """``[equivalence]``: how procedure and model are compared by running both."""

    seconds: float = _setting(
        20.0, "time for one item's comparisons; 0 compares nothing", minimum=0, maximum=86_400
    )
    seed: int = _setting(1, "the seed of the generated data", minimum=0, maximum=2**63 - 1)
    exclude: tuple[str, ...] = _setting(
        (), "columns that are not compared, as column or schema.table.column"
    )


@dataclass(frozen=True)
class Settings:
    """The effective settings of one invocation; ``origins`` says where each came from."""

    author: str = _setting(
        "compiler",
        "what writes the models: the compiler, Claude, or the compiler first and then Claude",
        choices=("compiler", "claude", "both"),
    )
    jobs: int | None = _setting(
        None,
        "items worked on at the same time; default: one per processor core",
        minimum=1,
        maximum=256,
    )
    target: str | None = _setting(
        None, "a target of the project's dbt profile to verify on; default: an embedded DuckDB"
    )
    approve: str = _setting(
        "auto",
        "what a headless run accepts: ok items, also partial ones, or nothing",
        choices=("auto", "all", "none"),
    )
    max_cost: float | None = _setting(
        None,
        "US dollars a run may spend on Claude; default: no limit",
        minimum=0,
        maximum=1_000_000,
    )
    worktrees_dir: str = _setting(
        "../worktrees", "where worktrees are made, relative to the repository"
    )
    base: str = _setting("HEAD", "the commit that branches start from")
    keep_runs: int = _setting(50, "finished runs kept for History", minimum=1, maximum=10_000)
    collation: str = _setting(
        "assume-consistent",
        "whether equal text is text as it is, or folded to lower case as SQL Server compares it",
        choices=("assume-consistent", "preserve"),
    )
    datefirst: int = _setting(
        7,
        "the first day of the week on the source server (1 Monday to 7 Sunday)",
        minimum=1,
        maximum=7,
    )
    retry_on_refuted: bool = _setting(
        True, "give a counterexample back to the author once, if a correction is left"
    )
    deadline: float = _setting(
        900.0,
        "seconds one item may take in all; by default four times as many where Claude writes",
        minimum=1,
        maximum=86_400,
    )
    send_rows: bool = _setting(
        False, "let Claude see rows of test specs: given, expected and failing ones"
    )
    mask_literals: bool = _setting(
        False, "replace text and number literals before a procedure is sent to Claude"
    )
    claude: ClaudeSettings = field(default_factory=ClaudeSettings)
    pr: PullRequestSettings = field(default_factory=PullRequestSettings)
    equivalence: EquivalenceSettings = field(default_factory=EquivalenceSettings)
    model_names: Mapping[str, str] = _setting(
        {}, 'model names of tables that may not have the usual one: "gold.customer" = "stg_x"'
    )
    keys: Mapping[str, str] = _setting(
        {}, 'keys of the app\'s actions: action = "key" or "key,key"'
    )
    origins: Mapping[str, str] = field(default_factory=dict)
    """Setting name to where its value came from; names that are missing have their default."""

    @property
    def workers(self) -> int:
        """How many items are worked on at the same time."""
        return self.jobs or os.cpu_count() or 1

    def deadline_of(self, author: str) -> float:
        """Seconds an item may take with that author.

        One answer of Claude takes minutes, and an item may need six: a draft, three corrections,
        two reviews. A deadline that somebody set holds for every author.
        """
        unset = self.deadline == 900.0 and self.origin("deadline") == "default"
        return self.deadline * 4 if unset and author in ("claude", "both") else self.deadline

    def model_name(self, table: QualifiedName) -> str:
        """The model's name for ``table``: the configured one, else ``stg_<table>``."""
        return self.model_names.get(table.item_id) or model_name(table)

    def worktrees_folder(self, repository: Path) -> Path:
        """The folder of worktrees for a repository."""
        return (repository / Path(self.worktrees_dir).expanduser()).resolve()

    def origin(self, name: str) -> str:
        """Where the value of the setting came from: a flag, a variable, a file, ``default``."""
        return self.origins.get(name, "default")


@dataclass(frozen=True)
class SettingInfo:
    """What is known about one setting before anything is read."""

    name: str
    """Dotted name, as in ``claude.author.model``."""
    kind: str
    """``text``, ``whole number``, ``number``, ``true or false``, ``list of texts``, ``table``."""
    optional: bool
    default: Any
    doc: str
    choices: tuple[str, ...]
    minimum: float | None
    maximum: float | None

    @property
    def environment(self) -> str:
        """The variable that sets it."""
        return ENVIRONMENT_PREFIX + self.name.replace(".", "_").upper()


_KINDS: dict[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    tuple: "list of texts",
    Mapping: "table",
}


def all_settings() -> tuple[SettingInfo, ...]:
    """Every setting, in the order of their definition, tables last."""
    return tuple(_infos(Settings, ""))


def _infos(cls: type[Any], prefix: str) -> list[SettingInfo]:
    hints = typing.get_type_hints(cls)
    plain: list[SettingInfo] = []
    nested: list[SettingInfo] = []
    for item in dataclasses.fields(cls):
        if item.name == "origins":
            continue
        hint = hints[item.name]
        name = prefix + item.name
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            nested += _infos(hint, name + ".")
            continue
        optional = type(None) in typing.get_args(hint)
        if isinstance(hint, types.UnionType):
            hint = next(arg for arg in typing.get_args(hint) if arg is not type(None))
        base = typing.get_origin(hint) or hint
        kind = "table" if base is not tuple and base not in _KINDS else _KINDS[base]
        info = SettingInfo(
            name=name,
            kind=kind,
            optional=optional,
            default={} if kind == "table" else item.default,
            doc=item.metadata["doc"],
            choices=item.metadata["choices"],
            minimum=item.metadata["minimum"],
            maximum=item.metadata["maximum"],
        )
        (nested if kind == "table" else plain).append(info)
    return plain + nested


def value_of(settings: Settings, name: str) -> Any:
    """The value of the setting with a dotted name."""
    value: Any = settings
    for part in name.split("."):
        value = getattr(value, part)
    return value
