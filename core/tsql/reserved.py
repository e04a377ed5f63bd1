"""T-SQL's reserved words, which are never names without quotes.

Source: https://learn.microsoft.com/en-us/sql/t-sql/language-elements/reserved-keywords-transact-sql
(the Transact-SQL list; words that are also functions or row-set providers are left out, because
they stand where a name could stand).
"""

from __future__ import annotations

RESERVED = frozenset(
    {
        *("ADD", "ALL", "ALTER", "AND", "ANY", "AS", "ASC", "AUTHORIZATION", "BACKUP", "BEGIN"),
        *("BETWEEN", "BREAK", "BROWSE", "BULK", "BY", "CASCADE", "CASE", "CHECK", "CHECKPOINT"),
        *("CLOSE", "CLUSTERED", "COLLATE", "COLUMN", "COMMIT", "COMPUTE", "CONSTRAINT"),
        *("CONTINUE", "CREATE", "CROSS", "CURRENT", "CURSOR", "DBCC", "DEALLOCATE", "DECLARE"),
        *("DEFAULT", "DELETE", "DENY", "DESC", "DISTINCT", "DISTRIBUTED", "DROP", "ELSE", "END"),
        *("ERRLVL", "ESCAPE", "EXCEPT", "EXEC", "EXECUTE", "EXISTS", "EXIT", "EXTERNAL", "FETCH"),
        *("FILLFACTOR", "FOR", "FOREIGN", "FROM", "FULL", "FUNCTION", "GOTO", "GRANT", "GROUP"),
        *("HAVING", "HOLDLOCK", "IF", "IN", "INDEX", "INNER", "INSERT", "INTERSECT", "INTO"),
        *("IS", "JOIN", "KEY", "KILL", "LIKE", "MERGE", "NOCHECK", "NONCLUSTERED", "NOT", "NULL"),
        *("OF", "OFF", "OFFSETS", "ON", "OPEN", "OPTION", "OR", "ORDER", "OUTER", "OVER"),
        *("PERCENT", "PIVOT", "PLAN", "PRIMARY", "PRINT", "PROC", "PROCEDURE", "PUBLIC"),
        *("RAISERROR", "READ", "READTEXT", "RECONFIGURE", "REFERENCES", "REPLICATION"),
        *("RESTORE", "RESTRICT", "RETURN", "REVERT", "REVOKE", "ROLLBACK", "ROWCOUNT", "RULE"),
        *("SAVE", "SCHEMA", "SELECT", "SET", "SETUSER", "SHUTDOWN", "SOME", "STATISTICS"),
        *("TABLE", "TABLESAMPLE", "THEN", "TO", "TOP", "TRAN", "TRANSACTION", "TRIGGER"),
        *("TRUNCATE", "UNION", "UNIQUE", "UNPIVOT", "UPDATETEXT", "USE", "VALUES", "VARYING"),
        *("VIEW", "WAITFOR", "WHEN", "WHERE", "WHILE", "WITH", "WRITETEXT"),
    }
)

#: Words that other databases reserve and T-SQL does not: here they are always names.
FOREIGN_WORDS = frozenset(
    {
        *("ANTI", "ARRAY", "ASOF", "CLUSTER", "CONNECT", "DESCRIBE", "DISTRIBUTE", "DIV", "FINAL"),
        *("GLOB", "ILIKE", "INTERVAL", "LATERAL", "LIMIT", "MAP", "NATURAL", "OVERLAPS", "PRAGMA"),
        *("PREWHERE", "QUALIFY", "REGEXP", "RETURNING", "RLIKE", "SAMPLE", "SEMI", "SETTINGS"),
        *("SHOW", "SIMILAR", "SORT", "START", "STRUCT", "UNNEST", "XOR"),
    }
)

#: Words that are part of a clause in one place and a name in every other.
SOFT_WORDS = frozenset({"CUBE", "OFFSET", "ROLLUP", "SETS", "PARTITION", "WINDOW"})

#: Words of the system's type names. They are not reserved: a column may be called Date.
TYPE_WORDS = frozenset(
    {
        *("INT", "INTEGER", "BIGINT", "SMALLINT", "TINYINT", "BIT", "DECIMAL", "NUMERIC", "DEC"),
        *("MONEY", "SMALLMONEY", "FLOAT", "REAL", "DATE", "DATETIME", "DATETIME2"),
        *("SMALLDATETIME", "DATETIMEOFFSET", "CHAR", "VARCHAR", "NCHAR", "NVARCHAR", "TEXT"),
        *("NTEXT", "IMAGE", "BINARY", "VARBINARY", "UNIQUEIDENTIFIER", "SQL_VARIANT", "SYSNAME"),
        *("CHARACTER", "VARYING", "PRECISION", "DOUBLE", "NATIONAL", "TIMESTAMP", "ROWVERSION"),
    }
)
