"""Who is connected: SUSER_SNAME and its like (``functions/suser-sname-transact-sql``)."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from core.tsql.meaning import sql
from core.tsql.meaning.refusal import refuse
from core.tsql.meaning.rules import Rule
from core.tsql.meaning.values import Call


def _user(call: Call) -> exp.Expr:
    """The login of the session; of another one (an argument) nothing is known."""
    if call.arguments:
        raise refuse(call.node, call.name, "another login is not known in the target.")
    if call.options.user is None:
        raise refuse(call.node, call.name, "the login is not known in the target.")
    return sql.parsed(call.options.user)


RULES: Mapping[str, Rule] = {
    "SUSER_SNAME": _user,
    "SUSER_NAME": _user,
    "USER_NAME": _user,
    "ORIGINAL_LOGIN": _user,
}
