"""Procedures, sound models of them, and models with one wrong thing each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """One procedure; ``wrong`` maps the name of a bug to what is replaced by what."""

    name: str
    ddl: str
    procedure: str
    target: str
    sound: str
    wrong: dict[str, tuple[str, str]]


ORDERS = """
CREATE TABLE src.Orders (
    OrderID int NOT NULL PRIMARY KEY, CustomerCode varchar(10) NULL, Status varchar(12) NULL,
    Quantity int NULL, Amount decimal(10,2) NULL, OrderDate date NULL, ModifiedAt datetime NULL)
GO
CREATE TABLE src.Customers (
    CustomerCode varchar(10) NULL, CustomerName nvarchar(40) NULL, Region varchar(8) NULL)
GO
CREATE TABLE dw.OrderFacts (
    OrderID int NULL, CustomerName nvarchar(40) NULL, Share int NULL, NameLength int NULL,
    Months int NULL, Status varchar(12) NULL, Amount decimal(10,2) NULL)
"""

SAMPLES = (
    Sample(
        "order facts",
        ORDERS,
        """
create procedure dw.usp_LoadOrderFacts as
begin
  set nocount on
  begin try
    truncate table dw.OrderFacts
    insert into dw.OrderFacts (OrderID, CustomerName, Share, NameLength, Months, Status, Amount)
    select o.OrderID, c.CustomerName, o.Quantity / 4, LEN(c.CustomerName),
           DATEDIFF(MONTH, o.OrderDate, '2024-06-15'), ISNULL(o.Status, 'NONE'), o.Amount
    from [src].[Orders] o with (nolock)
    left join src.Customers c on c.CustomerCode = o.CustomerCode
    where o.Amount >= 10 or o.Amount is null
  end try
  begin catch
    declare @m nvarchar(400) = ERROR_MESSAGE()
    raiserror(@m, 16, 1)
  end catch
end
""",
        "dw.OrderFacts",
        """{{ config(materialized='table') }}
with orders as (
    select * from {{ source('src', 'Orders') }}
),

customers as (
    select * from {{ source('src', 'Customers') }}
),

final as (
    select
        orders.OrderID,
        customers.CustomerName,
        orders.Quantity // 4 as Share,
        length(rtrim(customers.CustomerName, ' ')) as NameLength,
        datediff('month', orders.OrderDate, date '2024-06-15') as Months,
        coalesce(orders.Status, 'NONE') as Status,
        orders.Amount
    from orders
    left join customers on orders.CustomerCode = customers.CustomerCode
    where orders.Amount >= 10 or orders.Amount is null
)

select * from final
""",
        {
            "LEN as length": (
                "length(rtrim(customers.CustomerName, ' '))",
                "length(customers.CustomerName)",
            ),
            "integer division": (
                "orders.Quantity // 4",
                "cast(round(orders.Quantity / 4) as integer)",
            ),
            "months by days": (
                "datediff('month', orders.OrderDate, date '2024-06-15')",
                "datediff('day', orders.OrderDate, date '2024-06-15') // 30",
            ),
            "inner for left": ("left join customers", "inner join customers"),
            "lost null branch": (" or orders.Amount is null", ""),
            "off by one": ("Amount >= 10", "Amount > 10"),
            "lost coalesce": ("coalesce(orders.Status, 'NONE') as Status", "orders.Status"),
            "wrong literal": ("'NONE'", "'None'"),
        },
    ),
    Sample(
        "latest order per customer",
        ORDERS
        + """
GO
CREATE TABLE dw.LatestOrder (
    CustomerCode varchar(10) NULL, OrderID int NULL, Amount decimal(10,2) NULL)
""",
        """
CREATE PROC [dw].[LoadLatestOrder]
AS
SET NOCOUNT ON;
IF OBJECT_ID('tempdb..#ranked') IS NOT NULL DROP TABLE #ranked;
SELECT CustomerCode, OrderID, Amount,
       ROW_NUMBER() OVER (PARTITION BY CustomerCode ORDER BY OrderDate DESC, OrderID DESC) AS rn
INTO #ranked
FROM src.Orders
WHERE CustomerCode IS NOT NULL;
DELETE FROM dw.LatestOrder;
INSERT dw.LatestOrder SELECT CustomerCode, OrderID, Amount FROM #ranked WHERE rn = 1;
""",
        "dw.LatestOrder",
        """{{ config(materialized='table') }}
with orders as (
    select * from {{ source('src', 'Orders') }}
),

ranked as (
    select
        CustomerCode,
        OrderID,
        Amount,
        row_number() over (
            partition by CustomerCode order by OrderDate desc nulls last, OrderID desc
        ) as rn
    from orders
    where CustomerCode is not null
)

select CustomerCode, OrderID, Amount from ranked where rn = 1
""",
        {
            "wrong tie-break": ("OrderID desc\n", "OrderID asc\n"),
            "lost dedupe": (" where rn = 1", ""),
            "first instead of latest": ("OrderDate desc nulls last", "OrderDate asc nulls first"),
            "nulls first": ("OrderDate desc nulls last", "OrderDate desc nulls first"),
            "lost filter": ("    where CustomerCode is not null\n", ""),
        },
    ),
    Sample(
        "status totals",
        ORDERS
        + """
GO
CREATE TABLE dw.StatusTotals (
    Status varchar(12) NULL, Orders int NULL, Customers int NULL, Average int NULL,
    Amount decimal(18,2) NULL)
""",
        """
create or alter procedure dw.usp_StatusTotals
as
begin
    truncate table dw.StatusTotals;
    with all_orders as (
        select Status, CustomerCode, Quantity, Amount from src.Orders where Quantity > 0
        union all
        select Status, CustomerCode, Quantity, Amount from src.Orders where Amount > 100
    )
    insert into dw.StatusTotals
    select Status, count(*), count(distinct CustomerCode), avg(Quantity), sum(Amount)
    from all_orders
    group by Status
end
""",
        "dw.StatusTotals",
        """{{ config(materialized='table') }}
with orders as (
    select * from {{ source('src', 'Orders') }}
),

all_orders as (
    select Status, CustomerCode, Quantity, Amount from orders where Quantity > 0
    union all
    select Status, CustomerCode, Quantity, Amount from orders where Amount > 100
)

select
    Status,
    count(*) as Orders,
    count(distinct CustomerCode) as Customers,
    cast(trunc(avg(Quantity)) as integer) as Average,
    sum(Amount) as Amount
from all_orders
group by Status
""",
        {
            "union for union all": ("union all", "union"),
            "count of all": ("count(distinct CustomerCode)", "count(CustomerCode)"),
            "rounded average": ("trunc(avg(Quantity))", "round(avg(Quantity))"),
            "counts without NULL": ("count(*) as Orders", "count(Amount) as Orders"),
        },
    ),
    Sample(
        "customer merge",
        ORDERS
        + """
GO
CREATE TABLE dw.DimCustomer (
    CustomerKey int IDENTITY(1,1) NOT NULL PRIMARY KEY,
    CustomerCode varchar(10) NULL, CustomerName nvarchar(40) NULL, Region varchar(8) NULL)
""",
        """
CREATE PROCEDURE dw.usp_MergeCustomer AS
BEGIN
  SET NOCOUNT ON
  MERGE dw.DimCustomer AS t
  USING (SELECT CustomerCode, MAX(CustomerName) AS CustomerName, MAX(Region) AS Region
         FROM src.Customers WHERE CustomerCode IS NOT NULL GROUP BY CustomerCode) AS s
  ON t.CustomerCode = s.CustomerCode
  WHEN MATCHED THEN UPDATE SET CustomerName = s.CustomerName, Region = s.Region
  WHEN NOT MATCHED BY TARGET THEN
    INSERT (CustomerCode, CustomerName, Region) VALUES (s.CustomerCode, s.CustomerName, s.Region);
END
""",
        "dw.DimCustomer",
        """{{ config(materialized='incremental', incremental_strategy='merge',
    unique_key='CustomerCode') }}
with customers as (
    select * from {{ source('src', 'Customers') }}
),

incoming as (
    select CustomerCode, max(CustomerName) as CustomerName, max(Region) as Region
    from customers
    where CustomerCode is not null
    group by CustomerCode
),

existing as (
    {% if is_incremental() %}
    select CustomerKey, CustomerCode from {{ this }}
    {% else %}
    select cast(null as integer) as CustomerKey, cast(null as varchar) as CustomerCode where 1 = 0
    {% endif %}
)

select
    coalesce(
        existing.CustomerKey,
        (select coalesce(max(CustomerKey), 0) from existing)
            + row_number() over (
                partition by existing.CustomerKey is null order by incoming.CustomerCode
            )
    ) as CustomerKey,
    incoming.CustomerCode,
    incoming.CustomerName,
    incoming.Region
from incoming
left join existing on incoming.CustomerCode = existing.CustomerCode
""",
        {
            "wrong merge key": ("unique_key='CustomerCode'", "unique_key='CustomerName'"),
            "append for merge": (",\n    unique_key='CustomerCode'", ""),
            "only new rows": (
                "left join existing on incoming.CustomerCode = existing.CustomerCode\n",
                "left join existing on incoming.CustomerCode = existing.CustomerCode\n"
                "where existing.CustomerKey is null\n",
            ),
            "table for merge": (
                "materialized='incremental', incremental_strategy='merge',\n    unique_key='CustomerCode'",  # noqa: E501
                "materialized='table'",
            ),
            "min for max": ("max(Region)", "min(Region)"),
        },
    ),
)
