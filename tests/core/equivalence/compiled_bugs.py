"""One wrong thing each, in models of ``models/``: what is replaced by what, by the bug's name."""

from __future__ import annotations

Bugs = dict[str, tuple[str, str]]

WRONG: dict[str, Bugs] = {
    "reload": {
        "wrong status literal": ("Status = 'Paid'", "Status = 'Open'"),
        "inner for left": ("left join customer as c", "inner join customer as c"),
        "price instead of total": ("Amount * Qty as Total", "Amount as Total"),
        "key of the wrong side": (
            "c.CustomerID,\n        p.OrderDate",
            "p.CustomerID,\n        p.OrderDate",
        ),
    },
    "upsert": {
        "wrong merge key": ("unique_key='CustomerID'", "unique_key='City'"),
        "swapped names": (
            "FirstName || ' ' || LastName",
            "LastName || ' ' || FirstName",
        ),
        "null-safe concatenation": (
            "FirstName || ' ' || LastName",
            "concat(FirstName, ' ', LastName)",
        ),
    },
    "scd2": {
        "version not expired": (
            "        and coalesce(d.City, '') <> coalesce(c.City, '')\n",
            "        and false\n",
        ),
        "NULL not a change": (
            "coalesce(d.City, '') <> coalesce(c.City, '')",
            "d.City <> c.City",
        ),
        "expired row stays current": ("cast(0 as utinyint) as IsCurrent", "d.IsCurrent"),
        "only new customers": (
            "        and d.IsCurrent = 1\n    where d.CustomerID is null",
            "    where d.CustomerID is null",
        ),
    },
    "update_and_insert": {
        "either for both": (
            "where t.City <> s.City or t.FullName <> s.FirstName",
            "where t.City <> s.City and t.FullName <> s.FirstName",
        ),
        "null-safe change": ("t.City <> s.City or", "t.City is distinct from s.City or"),
    },
    "cursor": {
        "lost upper": ("upper(loop_rows.loop_city)", "loop_rows.loop_city"),
        "lost filter": ("    where City is not null\n", ""),
        "upper of new rows, too": (
            "loop_city as City\n    from c_rows_chosen_2",
            "upper(loop_city) as City\n    from c_rows_chosen_2",
        ),
    },
    "temp_tables": {
        "off by one": ("where i.n > 1", "where i.n >= 1"),
        "doubled before": ("Amount * 2 as decimal", "Amount + 2 as decimal"),
        "lost delete": ("            and b.Status = 'Void'\n", "            and false\n"),
        "wrong threshold": ("and b.Qty > 1", "and b.Qty > 2"),
    },
    "conditional_merge": {
        "lost change condition": ("    where t.City <> s.City\n", ""),
        "null-safe change": ("where t.City <> s.City", "where t.City is distinct from s.City"),
        "name updated, too": (
            "t.FullName,\n        s.City,\n        cast",
            "s.FirstName as FullName,\n        s.City,\n        cast",
        ),
    },
    "mode": {
        "wrong default": ("cast(2 as int)", "cast(0 as int)"),
        "strict for at least": ("where Qty >=", "where Qty >"),
    },
    "chained_daily_sales": {
        "counts a column": ("count(*) as Orders", "count(distinct OrderID) - 1 as Orders"),
        "merge for append": (
            "incremental_strategy='append',",
            "incremental_strategy='merge',\n        unique_key='OrderDate',",
        ),
    },
    "retail_dedupe__stg_customer": {
        "oldest kept": (
            "order by ModifiedAt desc, CustomerNo",
            "order by ModifiedAt asc, CustomerNo",
        ),
        "wrong tie-break": ("ModifiedAt desc, CustomerNo)", "ModifiedAt desc, CustomerNo desc)"),
        "window over less": ("partition by CustomerName, City", "partition by CustomerName"),
        "off-by-one window": ("where rn <= 1", "where rn <= 2"),
    },
    "hospital_temp_chain__rpt_encountersummary": {
        "lost unknown": ("case when cls is null then 'UNK' else cls end", "cls"),
        "count of all": ("count(distinct ent)", "count(ent)"),
        "negative totals lost": ("where amt <> 0", "where amt > 0"),
        "day for month": (
            "rpad(strftime(t.AdmitDate, '%Y%m%d'), 6, ' ')",
            "strftime(t.AdmitDate, '%Y%m%d')",
        ),
        "inner for left": ("left join patient as e", "inner join patient as e"),
    },
    "insurance_scd2_b__dwh_dim_policy": {
        "a tracked column forgotten": ("            or d.Branch <> s.Branch\n", ""),
        "version not expired": ("cast(0 as utinyint) as IsCurrent", "d.IsCurrent"),
        "expired versions looked up": (
            "        and d.IsCurrent = 1\n    where d.POLICY_SK is null",
            "    where d.POLICY_SK is null",
        ),
        "sentinel collides": (
            "coalesce(d.SumInsured, -1) <> coalesce(s.SumInsured, -1)",
            "coalesce(d.SumInsured, 0) <> coalesce(s.SumInsured, 0)",
        ),
    },
    "retail_watermark__dbo_factsales": {
        "expired customers, too": ("        and d.IsCurrent = 1\n", ""),
        # A lost `rn = 1` is no bug here: OrderId is the primary key of stg.SalesOrder, so every
        # partition has one row.
        "loaded twice": ("        and f.OrderId is null\n", ""),
        "missing late rows": ("or ModifiedAt >= coalesce", "or ModifiedAt > coalesce"),
    },
    "retail_merge__dbo_segmentcode": {
        "lost trim": ("upper(ltrim(rtrim(Segment)))", "upper(rtrim(Segment))"),
        # A lost `upper` is no bug under assume-consistent: keys are of one case, the upper one.
        "lost suffix": ("c.code || ' (new)'", "c.code"),
    },
    "hospital_upsert__rpt_dimpatient": {
        "ward not updated": (
            "        src.Ward,\n        src.DepositAmt,\n        tgt.",
            "        tgt.Ward,\n        src.DepositAmt,\n        tgt.",
        ),
        "only new rows": ("    where tgt.IsCurrent = 1\n", "    where false\n"),
    },
    "banking_delete_range__core_posting_month": {
        "left for inner": ("inner join account as e", "left join account as e"),
        "lost having": ("    having cast(sum(t.EntryCount) as int) > 0\n", ""),
        "other months lost": (
            "where (YearMonth = '{{ var('p_posting_month_month_ym') }}') is not true",
            "where false",
        ),
    },
    "banking_interest__lnd_posting": {
        "bankers' year": ("= 29 then 366", "= 29 then 365"),
        "closed products, too": ("        where PRODUCT_TEXT not like '%closed%'\n", ""),
        "negative rate lost": ("when bal < 0 then", "when bal < -1000000 then"),
    },
    "insurance_merge__dwh_dim_policy": {
        "NULL not a change": (
            "coalesce(tgt.PolicyHolder, '') <> coalesce(src.PolicyHolder, '')",
            "tgt.PolicyHolder <> src.PolicyHolder",
        ),
        "wrong start": ("cast('1900-01-01' as timestamp)", "cast('1900-01-02' as timestamp)"),
    },
    "hospital_watermark__rpt_factencounter": {
        "lost unknown member": ("coalesce(d.PatientKey, -1)", "d.PatientKey"),
        "inner for left": ("left join dim_patient as d", "inner join dim_patient as d"),
        "rows behind the watermark": (
            "t.ModifiedAt > coalesce((select last from last_value), cast('1900-01-01' as timestamp))",  # noqa: E501
            "t.ModifiedAt > coalesce((select last from last_value), cast('2000-01-01' as timestamp)) - interval 1 day",  # noqa: E501
        ),
        "integer division": (
            "cast(cast(TotalCharge * 10000000000000 as int128) // nullif(LengthOfStay, 0) as decimal(38, 0))\n            * 0.0000000000001",  # noqa: E501
            "cast(cast(TotalCharge as int) // nullif(LengthOfStay, 0) as decimal(38, 0))",
        ),
    },
    "retail_full_reload__dbo_dimcustomer": {
        "lost trim": ("ltrim(rtrim(CustomerName))", "rtrim(CustomerName)"),
        "empty is not NULL": ("case when City = '' then null else City end", "City"),
        "lost filter": ("    where CustomerNo is not null\n", "    where Segment is not null\n"),
    },
    "retail_swap__dbo_factsales": {
        "table for append": (
            "materialized='incremental',\n        incremental_strategy='append',",
            "materialized='table',",
        ),
        "wrong unknown key": ("-1 as CustomerKey", "0 as CustomerKey"),
    },
    # insurance_params with its NOT EXISTS lost is no bug: the merge by POLICY_SK writes the same
    # unknown member over the one that every run of the procedure leaves.
}
