"""Git for a run: worktree and branch, snapshots, commits, pull request, cleanup.

How a caller uses it is in ``docs/git.md``; each module is one step. git itself does the work:
hooks, filters, signing and worktrees are its own behaviour, which no library repeats exactly.
"""
