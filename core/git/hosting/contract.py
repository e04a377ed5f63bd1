"""What a hosting service does for a run: open or update one pull request, name merged ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class PullRequestDraft:
    """The pull request to open, or to bring an open one of the same branch up to."""

    title: str
    body: str
    """Markdown."""
    branch: str
    base: str
    """The branch it shall be merged into."""
    labels: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    """User names; on GitHub also ``org/team``; on Azure DevOps identity ids."""
    as_draft: bool = False


@dataclass(frozen=True)
class PullRequest:
    """A pull request that is there."""

    number: int
    url: str
    updated: bool
    """It was open before and got the new title and body."""
    notes: tuple[str, ...] = ()
    """What could not be done (a label, a reviewer); the pull request itself is fine."""


class HostingError(Exception):
    """The service did not do it; the message is a sentence for the user, without secrets."""


class Hosting(Protocol):
    """One repository on one hosting service."""

    def open_or_update(self, draft: PullRequestDraft) -> PullRequest:
        """Open the pull request, or update the open one of the same branch.

        Raises:
            HostingError: the service refused or could not be reached.
        """

    def merged_heads(self, branch: str) -> frozenset[str]:
        """The commits at which pull requests of this branch were merged.

        Raises:
            HostingError: the service refused or could not be reached.
        """
