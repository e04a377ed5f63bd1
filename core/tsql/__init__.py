"""The source language: T-SQL scripts and procedures, read without guessing.

``parse_script(text)`` gives the structure of a whole file, ``parse_procedure(text)`` the first
procedure in it; see `core.tsql.nodes` for the tree and `core.tsql.leaves` for what is inside a
data statement.
"""

from __future__ import annotations

from core.tsql.parser import parse_procedure, parse_script

__all__ = ["parse_procedure", "parse_script"]
