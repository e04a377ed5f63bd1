"""Data statements: what is read of each clause, and what is refused instead of being misread."""

# ruff: noqa: E501 - one example per line reads best
from __future__ import annotations

from typing import Any

import pytest
from sqlglot import exp

from core.tsql import nodes as n
from core.tsql.dialect import parse_leaf_text
from core.tsql.errors import LeafError
from core.tsql.leaves import MergeAction, MergeMatch, ParsedExpr, ParsedLeaf, line_of, name_of
from core.tsql.parser import parse_script


def leaf(text: str) -> n.Leaf:
    (statement,) = parse_script(text).statements
    found: Any = statement.leaf if isinstance(statement, n.SelectAssign) else statement
    assert isinstance(found, n.Leaf)
    return found


def parsed(text: str) -> ParsedLeaf:
    result = leaf(text).parsed
    assert isinstance(result, ParsedLeaf), result
    return result


def refused(text: str) -> LeafError:
    result = leaf(text).parsed
    assert isinstance(result, LeafError), result
    return result


def sql(node: exp.Expr | None) -> str:
    return "" if node is None else node.sql("tsql")


# --- UPDATE ---


def test_update_from_join() -> None:
    found = parsed(
        "UPDATE c SET c.name = s.name, qty += 1, @v = z = 3, w = DEFAULT OUTPUT deleted.name AS old INTO @t (old) "
        "FROM dbo.Customer AS c WITH (NOLOCK) JOIN stg.Cust s ON s.id = c.id WHERE c.name <> s.name OPTION (RECOMPILE, MAXDOP 1)"
    )
    assert found.target is not None
    assert (sql(found.target.table), found.target.alias) == ("dbo.Customer", "c")
    assert [(sql(a.column), a.variable, a.operator, sql(a.value)) for a in found.assignments] == [
        ("[c].[name]", None, "=", "s.name"),
        ("[qty]", None, "+=", "1"),
        ("[z]", "@v", "=", "3"),
        ("[w]", None, "=", "DEFAULT"),
    ]
    assert (
        sql(found.query)
        == "SELECT * FROM dbo.Customer AS c WITH (NOLOCK) JOIN stg.Cust AS s ON s.id = c.id WHERE c.name <> s.name"
    )
    assert found.output is not None
    assert ([sql(i) for i in found.output.items], found.output.into_columns) == (
        ["deleted.name AS old"],
        ("old",),
    )
    assert (found.hints, found.options) == (("NOLOCK",), ("RECOMPILE", "MAXDOP 1"))


@pytest.mark.parametrize(
    ("text", "table", "alias", "query"),
    [
        ("UPDATE dbo.T SET a = 1 WHERE b = 2", "dbo.T", None, "SELECT * FROM dbo.T WHERE b = 2"),
        ("UPDATE T SET a = s.a FROM dbo.T JOIN s ON s.i = T.i", "dbo.T", None, None),
        ("UPDATE dbo.T SET a = s.a FROM dbo.T x JOIN s ON s.i = x.i", "dbo.T", "x", None),
        (
            "UPDATE t SET a = s.a FROM s WHERE s.i = t.i",
            "t",
            None,
            "SELECT * FROM s CROSS JOIN t WHERE s.i = t.i",
        ),
        ("UPDATE a SET x = 1 FROM T AS a, T AS b WHERE a.i = b.i", "T", "a", None),
        ("UPDATE #t SET a = 1", "#t", None, "SELECT * FROM #t"),
        ("UPDATE @t SET a = 1", "@t", None, "SELECT * FROM @t"),
    ],
)
def test_the_target_of_an_update(
    text: str, table: str, alias: str | None, query: str | None
) -> None:
    found = parsed(text)
    assert found.target is not None
    assert sql(found.target.table) == table
    assert found.target.alias == alias
    assert query is None or sql(found.query) == query


def test_update_and_delete_through_a_cte() -> None:
    found = parsed(
        "WITH d AS (SELECT a, ROW_NUMBER() OVER (ORDER BY b) AS rn FROM t) DELETE FROM d WHERE rn > 1"
    )
    assert found.target is not None
    assert found.target.is_cte
    assert found.query is not None
    assert [cte.alias for cte in found.query.ctes] == ["d"]


# --- DELETE, TRUNCATE ---


@pytest.mark.parametrize(
    ("text", "table", "query"),
    [
        ("DELETE FROM dbo.t", "dbo.t", "SELECT * FROM dbo.t"),
        ("DELETE t WHERE a = 1", "t", "SELECT * FROM t WHERE a = 1"),
        (
            "DELETE c FROM Cust c LEFT JOIN s ON s.i = c.i WHERE s.i IS NULL",
            "Cust",
            "SELECT * FROM Cust AS c LEFT JOIN s ON s.i = c.i WHERE s.i IS NULL",
        ),
        (
            "DELETE FROM c FROM Cust AS c WHERE c.a = 1",
            "Cust",
            "SELECT * FROM Cust AS c WHERE c.a = 1",
        ),
    ],
)
def test_delete(text: str, table: str, query: str) -> None:
    found = parsed(text)
    assert found.target is not None
    assert (sql(found.target.table), sql(found.query)) == (table, query)


def test_delete_top_and_output() -> None:
    found = parsed(
        "DELETE TOP (@n) PERCENT FROM t OUTPUT deleted.a, deleted.b INTO dbo.log (a, b) WHERE a < 3"
    )
    assert found.top is not None
    assert (sql(found.top.count), found.top.percent) == ("(@n)", True)
    assert found.output is not None
    assert sql(found.output.into) == "dbo.log"


def test_truncate() -> None:
    found = parsed("TRUNCATE TABLE [a].[b].[c]")
    assert found.target is not None
    assert sql(found.target.table) == "a.b.c"
    assert isinstance(found.tree, exp.TruncateTable)


# --- INSERT ---


def test_insert_select() -> None:
    found = parsed(
        "WITH s AS (SELECT 1 AS x) INSERT INTO dbo.t WITH (TABLOCK) (a, [b c]) OUTPUT inserted.a SELECT x, x FROM s UNION ALL SELECT 2, 3 OPTION (MAXDOP 1)"
    )
    assert found.target is not None
    assert (found.target.columns, found.hints) == (("a", "b c"), ("TABLOCK",))
    assert isinstance(found.query, exp.Union)
    assert (found.output is not None, found.options) == (True, ("MAXDOP 1",))


def test_insert_values() -> None:
    found = parsed("INSERT t VALUES (1, DEFAULT, $5.25), (2, N'x', NULL)")
    assert isinstance(found.query, exp.Values)
    assert sql(found.query) == "VALUES (1, DEFAULT, CAST(5.25 AS MONEY)), (2, N'x', NULL)"
    assert parsed("INSERT t DEFAULT VALUES").query is None


def test_insert_over_merge_output() -> None:
    found = parsed(
        "INSERT INTO d (a) SELECT a FROM (MERGE t USING s ON t.k = s.k WHEN MATCHED THEN UPDATE SET c = 0 "
        "OUTPUT $action, s.a) AS m (act, a) WHERE act = 'UPDATE'"
    )
    assert found.nested is not None
    assert (found.nested.kind, found.nested.output is not None) == (n.LeafKind.MERGE, True)
    assert sql(found.query) == "SELECT a FROM __nested_dml__ AS m(act, a) WHERE act = 'UPDATE'"


# --- MERGE ---


def test_merge() -> None:
    found = parsed(
        "WITH c AS (SELECT 1 AS k) MERGE TOP (5) INTO dbo.T WITH (HOLDLOCK) AS t USING (SELECT k, v FROM s) AS s (k, v)\n"
        "ON t.k = s.k AND t.d IS NULL\n"
        "WHEN MATCHED AND CASE WHEN t.v = s.v THEN 0 ELSE 1 END = 1 THEN UPDATE SET t.v = s.v, n += 1\n"
        "WHEN NOT MATCHED BY TARGET THEN INSERT (k, v) VALUES (s.k, DEFAULT)\n"
        "WHEN NOT MATCHED BY SOURCE AND t.v = 1 THEN DELETE\n"
        "OUTPUT $action, inserted.k INTO #o OPTION (LOOP JOIN);"
    )
    assert found.merge is not None
    assert found.target is not None
    update, insert, delete = found.merge.whens
    assert (sql(found.target.table), found.target.alias, sql(found.merge.on)) == (
        "dbo.T",
        "t",
        "t.k = s.k AND t.d IS NULL",
    )
    assert (update.match, update.action, sql(update.condition)) == (
        MergeMatch.MATCHED,
        MergeAction.UPDATE,
        "CASE WHEN t.v = s.v THEN 0 ELSE 1 END = 1",
    )
    assert [(a.operator, sql(a.value)) for a in update.assignments] == [("=", "s.v"), ("+=", "1")]
    assert (insert.columns, [sql(v) for v in insert.values]) == (("k", "v"), ["s.k", "DEFAULT"])
    assert (delete.match, delete.action) == (MergeMatch.NOT_MATCHED_BY_SOURCE, MergeAction.DELETE)
    assert [when.line for when in found.merge.whens] == [3, 4, 5]
    assert found.output is not None
    assert found.output.into is not None
    assert name_of(found.output.into) == "#o"
    assert isinstance(found.tree, exp.Merge)


# --- SELECT ---


def test_select_into_and_assignments() -> None:
    found = parsed("SELECT a INTO [#x] FROM t")
    assert found.target is not None
    assert (name_of(found.target.table), sql(found.query)) == ("#x", "SELECT a FROM t")
    found = parsed(
        "SELECT TOP 1 @a = MAX(x), @b += y FROM t WITH (NOLOCK) WHERE z = @c ORDER BY y DESC"
    )
    assert [(a.variable, a.operator, sql(a.value)) for a in found.assignments] == [
        ("@a", "=", "MAX(x)"),
        ("@b", "+=", "y"),
    ]
    assert (
        sql(found.query)
        == "SELECT TOP 1 MAX(x), y FROM t WITH (NOLOCK) WHERE z = @c ORDER BY y DESC"
    )


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("SELECT 'n' = a, [m] = b FROM t", "SELECT a AS [n], b AS [m] FROM t"),
        ("SELECT a FROM t WHERE b < = 1 AND c > = 2 AND d ! = 3", "SELECT a FROM t WHERE b <= 1 AND c >= 2 AND d <> 3"),
        ("SELECT a FROM t WHERE b !< 1 AND c !> 2", "SELECT a FROM t WHERE b >= 1 AND c <= 2"),
        ("SELECT $1.5 + $", "SELECT CAST(1.5 AS MONEY) + CAST(0 AS MONEY)"),
        ("SELECT 1 UNION SELECT 2 INTERSECT SELECT 3", "SELECT 1 UNION (SELECT 2 INTERSECT SELECT 3)"),
        ("SELECT a FROM t WHERE b LIKE c + '%' AND NOT d = 1 OR e BETWEEN 1 AND 2 + 3", "SELECT a FROM t WHERE b LIKE c + '%' AND NOT d = 1 OR e BETWEEN 1 AND 2 + 3"),
        ("SELECT 1 WHERE a NOT LIKE 'x' ESCAPE '!' AND b NOT LIKE 'y' AND c NOT IN (1)", "SELECT 1 WHERE NOT a LIKE 'x' ESCAPE '!' AND NOT b LIKE 'y' AND NOT c IN (1)"),
        ("SELECT Limit, t.Offset, Interval, Offset FROM dbo.Cube AS t WHERE Qualify = 1", "SELECT [Limit], t.[Offset], [Interval], [Offset] FROM dbo.[Cube] AS t WHERE [Qualify] = 1"),
        ("SELECT a\u00a0FROM\u00a0t", "SELECT a FROM t"),
        ("SELECT a /*+ note */ FROM t -- end", "SELECT a /*  note */ FROM t"),
        ("SELECT a, SUM(b) FROM t GROUP BY a WITH ROLLUP", "SELECT a, SUM(b) FROM t GROUP BY a WITH ROLLUP"),
        ("SELECT STRING_AGG(a, ',') WITHIN GROUP (ORDER BY b) FROM t", "SELECT STRING_AGG(a, ',') WITHIN GROUP (ORDER BY b) FROM t"),
        ("SELECT NEXT VALUE FOR dbo.s", "SELECT NEXT VALUE FOR dbo.s"),
        ("SELECT * FROM t FOR SYSTEM_TIME AS OF @d AS h", "SELECT * FROM t FOR SYSTEM_TIME AS OF @d AS h"),
        ("SELECT x.value('(a)[1]', 'int') FROM @d.nodes('/r') AS t(x)", "SELECT x.value('(a)[1]', 'int') FROM @d.NODES('/r') AS t(x)"),
        ("SELECT * FROM (SELECT m, v FROM s) p PIVOT (SUM(v) FOR m IN ([Jan], [Feb])) q", "SELECT * FROM (SELECT m AS m, v AS v FROM s) AS p PIVOT(SUM(v) FOR m IN ([Jan], [Feb])) AS q"),
        ("SELECT dbo.f(a, DEFAULT) FROM t", "SELECT dbo.f(a, DEFAULT) FROM t"),
    ],
)  # fmt: skip
def test_queries(text: str, read: str) -> None:
    assert sql(parsed(text).query) == read


def test_apply_is_marked() -> None:
    found = parsed("SELECT 1 FROM a CROSS APPLY dbo.f(a.x) b OUTER APPLY (SELECT TOP 1 * FROM c) d")
    assert found.query is not None
    assert [join.meta["tsql_apply"] for join in found.query.args["joins"]] == ["CROSS", "OUTER"]


def test_casts_keep_their_declared_type_and_style() -> None:
    found = parsed(
        "SELECT CONVERT(varchar(7), d, 120), CAST(a AS real), TRY_CAST(b AS [decimal](9, 2)), CONVERT(float, c)"
    )
    assert found.query is not None
    metas = [node.meta for node in found.query.selects]
    assert [meta["tsql_type"] for meta in metas] == ["varchar(7)", "real", "decimal(9, 2)", "float"]
    assert metas[0]["tsql_style"] == "120"


def test_recursive_ctes_are_marked() -> None:
    found = parsed(
        "WITH r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT n FROM r OPTION (MAXRECURSION 0)"
    )
    assert found.query is not None
    assert found.query.args["with_"].args["recursive"]
    assert found.options == ("MAXRECURSION 0",)


def test_for_xml_is_recorded() -> None:
    found = parsed("SELECT a FROM t FOR XML RAW('r'), ELEMENTS, ROOT('x')")
    assert found.for_xml is not None
    assert (found.for_xml.mode, found.for_xml.element, found.for_xml.directives) == (
        "RAW",
        "r",
        ("ELEMENTS", "ROOT('x')"),
    )
    inner = parsed("SELECT STUFF((SELECT ',' + n FROM t FOR XML PATH('')), 1, 1, '')")
    assert inner.query is not None
    assert [
        s.meta["tsql_for_xml"].mode
        for s in inner.query.find_all(exp.Select)
        if "tsql_for_xml" in s.meta
    ] == ["PATH"]


def test_remote_sources_are_recorded() -> None:
    assert parsed("SELECT a FROM OPENQUERY(srv, 'select 1') q").remote == ("OPENQUERY",)
    assert parsed("SELECT a FROM srv.db.dbo.t").remote == ("srv.db.dbo.t",)


def test_parts_know_their_line() -> None:
    script = parse_script("\n\nUPDATE t\nSET a = 1,\n    b = x + y\nWHERE c =\n  d")
    found = script.statements[0]
    assert isinstance(found, n.Leaf)
    result = found.parsed
    assert isinstance(result, ParsedLeaf)
    assert [a.line for a in result.assignments] == [4, 5]
    assert line_of(result.assignments[1].value) == 5
    assert result.query is not None
    column = next(c for c in result.query.find_all(exp.Column) if c.name == "d")
    assert line_of(column) == 7


# --- expressions ---


def test_expressions_and_conditions() -> None:
    (statement,) = parse_script(
        "IF EXISTS (SELECT 1 FROM t) AND @a = 1 PRINT 'x' + CAST(@b AS varchar(5))"
    ).statements
    assert isinstance(statement, n.If)
    assert isinstance(statement.then, n.Print)
    condition, value = statement.condition.parsed, statement.then.value.parsed
    assert isinstance(condition, ParsedExpr)
    assert isinstance(value, ParsedExpr)
    assert sql(condition.tree) == "EXISTS(SELECT 1 FROM t) AND @a = 1"
    assert sql(value.tree) == "'x' + CAST(@b AS VARCHAR(5))"


@pytest.mark.parametrize("text", ["1", "'it''s'", "@a", "NULL", "-1", "@@ROWCOUNT", "N'x'", "1.50"])
def test_simple_expressions_are_what_the_parser_makes_of_them(text: str) -> None:
    """The short cut for lone constants gives the same tree as the parser."""
    declare = parse_script(f"DECLARE @x int = {text}").statements[0]
    assert isinstance(declare, n.Declare)
    short = declare.variables[0].value
    assert short is not None
    long = n.Expr(short.span, short.text)
    assert isinstance(short.parsed, ParsedExpr)
    assert isinstance(long.parsed, ParsedExpr)
    assert sql(short.parsed.tree) == sql(long.parsed.tree)


# --- what is refused ---


@pytest.mark.parametrize(
    ("text", "construct"),
    [
        ("UPDATE t SET x.modify('delete /a') WHERE a = 1", "assignment"),
        ("UPDATE t SET a = 1 WHERE CURRENT OF c", "WHERE CURRENT OF"),
        ("UPDATE x SET a = 1 FROM (VALUES (1)) AS x (a)", "derived table as target"),
        ("UPDATE dbo.T SET a = 1 FROM dbo.T x JOIN dbo.T y ON x.i = y.i", "ambiguous target"),
        ("UPDATE OPENQUERY(s, 'x') SET a = 1", "OPENQUERY"),
        ("SELECT @a = 1, b FROM t", "assignment"),
        ("TRUNCATE TABLE t WITH (PARTITIONS (1))", "TRUNCATE WITH"),
        (
            "MERGE t USING a JOIN b ON a.i = b.i ON t.i = a.i WHEN MATCHED THEN DELETE;",
            "join in USING",
        ),
        ("WITH XMLNAMESPACES ('u' AS n) SELECT 1", "WITH XMLNAMESPACES"),
        ("SELECT a FROM t WHERE", "syntax"),
        ("SELECT a,, b FROM t", "syntax"),
        ("SELECT a, FROM t", "syntax"),
        ("SELECT f(, a) FROM t", "syntax"),
        ("SELECT a FROM t x y", "syntax"),
        ("SELECT (a FROM t", "syntax"),
        ("SELECT " + "(" * 5000 + "1" + ")" * 5000, "nesting"),
    ],
)
def test_what_is_refused(text: str, construct: str) -> None:
    error = refused(text)
    assert error.construct == construct
    assert error.line == 1


@pytest.mark.parametrize("words", ["SELECT a AS where FROM t", "SELECT a order FROM t"])
def test_a_reserved_word_is_no_alias(words: str) -> None:
    """sqlglot takes many keywords for aliases; a leaf that needs that is not used."""
    assert isinstance(leaf(words).parsed, LeafError)


def test_a_lost_clause_is_noticed() -> None:
    """The check itself: tokens with a WHERE, a tree without one."""
    from collections import Counter

    from core.tsql.leaves_check import complaint, flattened
    from core.tsql.lexer import tokenize

    source = "SELECT a FROM t WHERE b = 1"
    tokens = [token for token in tokenize(source) if not token.is_trivia]
    whole = exp.select("a").from_("t").where("b = 1")
    assert complaint(tokens, flattened(whole)[0], Counter()) is None
    for poorer in (exp.select("a").from_("t"), exp.select("a").from_("t").where("c = 1")):
        assert complaint(tokens, flattened(poorer)[0], Counter()) is not None


# --- shapes of old and of long code ---


@pytest.mark.parametrize(
    ("hints", "names"),
    [
        ("WITH (INDEX = ix_1)", ("INDEX",)),
        ("WITH (INDEX = (ix_1, ix_2), NOLOCK)", ("INDEX", "NOLOCK")),
        ("WITH (INDEX = 0)", ("INDEX",)),
        ("WITH (NOLOCK INDEX(ix_1))", ("NOLOCK", "INDEX")),
        ("WITH (FORCESEEK (ix_1 (a, b)), ROWLOCK)", ("FORCESEEK", "ROWLOCK")),
        ("(READPAST, UPDLOCK)", ("READPAST", "UPDLOCK")),
        ("(NOLOCK)", ("NOLOCK",)),
    ],
)
def test_table_hints_in_every_spelling(hints: str, names: tuple[str, ...]) -> None:
    found = parsed(f"SELECT x.a FROM dbo.t AS x {hints} JOIN s ON s.i = x.i")
    assert found.hints == names
    assert "alias" not in sql(found.query)
    assert found.query is not None
    assert not found.query.find(exp.TableAlias).args.get("columns")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "text",
    [
        "DELETE x FROM (SELECT ROW_NUMBER() OVER (PARTITION BY b ORDER BY i) AS n FROM t) x WHERE n > 1",
        "UPDATE x SET a = n FROM (SELECT a, i, 1 AS n FROM t) AS x JOIN s ON s.i = x.i",
        "WITH c AS (SELECT 1 AS one) DELETE x FROM c, (SELECT i FROM t) x WHERE x.i = c.one",
    ],
)
def test_a_derived_table_as_target_is_a_cte_of_its_alias(text: str) -> None:
    found = parsed(text)
    assert found.target is not None
    assert found.query is not None
    assert (name_of(found.target.table), found.target.is_cte) == ("x", True)
    assert found.query.ctes[-1].alias == "x"
    assert not found.query.find(exp.Subquery)


@pytest.mark.parametrize(
    "text",
    [
        "DELETE t FROM (SELECT i FROM t) AS t WHERE i = 1",
        "DELETE x FROM t CROSS APPLY (SELECT i FROM s) AS x",
        "DELETE x FROM (VALUES (1)) AS x (i)",
    ],
)
def test_a_derived_target_whose_name_means_something_else_is_refused(text: str) -> None:
    assert refused(text).construct == "derived table as target"


def test_identity_numbers_of_select_into_are_refused_as_what_they_are() -> None:
    assert refused("SELECT IDENTITY(int, 1, 1) AS rn, a INTO #n FROM t").construct == "IDENTITY()"


def test_the_empty_binary_constant_and_the_current_user() -> None:
    found = parsed("SELECT 0x AS e, USER AS u, [user] AS c FROM t")
    assert found.query is not None
    e, u, c = found.query.selects
    assert (sql(e.this), type(u.this), type(c.this)) == (
        "CAST('' AS VARBINARY(1))",
        exp.CurrentUser,
        exp.Column,
    )


def assigned(text: str) -> ParsedExpr | LeafError:
    (statement,) = parse_script(text).statements
    assert isinstance(statement, n.SetVariable)
    assert statement.value is not None
    return statement.value.parsed


def test_hundreds_of_pieces_of_text() -> None:
    folded = assigned(f"SET @sql = {' + '.join([chr(39) + 'abc' + chr(39)] * 500)}")
    assert isinstance(folded, ParsedExpr)
    assert folded.tree.name == "abc" * 500
    long = f"N'{'x' * 100}'"
    cut = assigned(f"SET @sql = {' + '.join([long] * 100)}")
    assert isinstance(cut, ParsedExpr)
    assert isinstance(cut.tree, exp.Add), "SQL Server cuts at 4000 characters, piece by piece"
    assert isinstance(assigned(f"SET @sql = {' + '.join([long] * 400)}"), LeafError)
    assert isinstance(leaf("SELECT a" + " + 'x' + a" * 145 + " AS v FROM t").parsed, ParsedLeaf)
    assert refused("SELECT a" + " + 'x' + a" * 400 + " AS v FROM t").construct == "nesting"


def test_not_like_is_a_not_on_every_route() -> None:
    tree = parse_leaf_text("SELECT a FROM t WHERE a NOT LIKE 'x!%' ESCAPE '!' AND b NOT LIKE 'y'")
    assert len(list(tree.find_all(exp.Not))) == 2
    assert not [node for node in tree.walk() if node.args.get("negate")]
