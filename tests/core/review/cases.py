"""Procedures with models that are right: the ground on which defects are sown.

Each case is a small project; ``model`` is a sound translation written by hand.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.project.project import MigrationProject
from tests.core.project.builder import ProjectBuilder


@dataclass(frozen=True)
class Case:
    """One procedure, the tables around it, and a sound model."""

    name: str
    target: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    kind: str
    procedure: str
    model: str
    sources: dict[str, tuple[str, ...]]
    watermark: str | None = None
    identity: str = ""
    scenarios: tuple[dict[str, Any], ...] = ()
    models: dict[str, str] = field(default_factory=dict)

    @property
    def item_id(self) -> str:
        return self.target.lower()

    @property
    def model_name(self) -> str:
        return "stg_" + self.item_id.rpartition(".")[2]

    def project(self, root: Path) -> MigrationProject:
        builder = ProjectBuilder(root)
        for name, columns in self.sources.items():
            builder.source(name, *columns)
        extra: dict[str, Any] = {}
        if self.identity:
            extra["auto_increment_columns"] = [
                {"column": self.identity, "seed": 1, "increment": 1, "mechanism": "identity"}
            ]
        builder.table(
            self.target,
            *self.columns,
            kind=self.kind,
            key=self.key,
            watermark=self.watermark,
            **extra,
        )
        builder.procedure(self.procedure)
        scenarios = self.scenarios or (
            {"test": "loads_nothing_from_nothing", "given": {}, "expect": []},
        )
        for scenario in scenarios:
            builder.spec(self.target, **scenario)
        return MigrationProject.open(builder.write())


STORE = Case(
    name="full reload with a left join",
    target="silver.DimStore",
    columns=(
        "StoreID INT NOT NULL",
        "StoreName NVARCHAR(60)",
        "RegionName NVARCHAR(40)",
        "SizeBand VARCHAR(3)",
    ),
    key=("StoreID",),
    kind="dim_non_scd",
    sources={
        "bronze.Store": (
            "StoreID INT NOT NULL",
            "StoreName NVARCHAR(60)",
            "CountryCode CHAR(2)",
            "SquareMeters INT",
            "ClosedOn DATE",
        ),
        "bronze.Country": ("CountryCode CHAR(2)", "RegionName NVARCHAR(40)", "IsActive BIT"),
    },
    procedure="""
CREATE PROCEDURE [silver].[usp_load_DimStore]
AS
BEGIN
    SET NOCOUNT ON
    BEGIN TRY
        TRUNCATE TABLE silver.DimStore

        INSERT INTO silver.DimStore (StoreID, StoreName, RegionName, SizeBand)
        SELECT s.StoreID, LTRIM(RTRIM(s.StoreName)), ISNULL(c.RegionName, 'Unknown'),
               CASE WHEN s.SquareMeters < 200 THEN 'S'
                    WHEN s.SquareMeters < 1000 THEN 'M' ELSE 'L' END
        FROM bronze.Store s WITH (NOLOCK)
        LEFT JOIN bronze.Country c ON c.CountryCode = s.CountryCode AND c.IsActive = 1
        WHERE s.ClosedOn IS NULL
    END TRY
    BEGIN CATCH
        INSERT INTO etl.LoadLog (Msg) SELECT ERROR_MESSAGE()
        ;THROW
    END CATCH
END
""",
    model="""{{ config(materialized='table') }}

with store as (

    select * from {{ source('bronze', 'Store') }}

),

country as (

    select * from {{ source('bronze', 'Country') }}

),

final as (

    select
        store.StoreID,
        trim(store.StoreName) as StoreName,
        coalesce(country.RegionName, 'Unknown') as RegionName,
        case
            when store.SquareMeters < 200 then 'S'
            when store.SquareMeters < 1000 then 'M'
            else 'L'
        end as SizeBand
    from store
    left join country
        on country.CountryCode = store.CountryCode
        and country.IsActive = 1
    where store.ClosedOn is null

)

select * from final
""",
)

CUSTOMER = Case(
    name="MERGE upsert",
    target="silver.DimCustomer",
    columns=(
        "CustomerID INT NOT NULL",
        "FullName NVARCHAR(120)",
        "Email VARCHAR(200)",
        "CountryName NVARCHAR(60)",
        "CreatedOn DATETIME2(3)",
    ),
    key=("CustomerID",),
    kind="dim_scd1",
    sources={
        "bronze.Customer": (
            "CustomerID INT NOT NULL",
            "FirstName NVARCHAR(50)",
            "LastName NVARCHAR(50)",
            "Email VARCHAR(200)",
            "CountryCode CHAR(2)",
            "IsTest BIT",
            "SignedUp DATETIME2(3)",
        ),
        "bronze.Country": ("CountryCode CHAR(2)", "CountryName NVARCHAR(60)"),
    },
    procedure="""
create procedure silver.usp_load_DimCustomer as
begin
  set nocount on;
  MERGE silver.DimCustomer AS tgt
  USING (
      SELECT cu.CustomerID, cu.FirstName + ' ' + cu.LastName AS FullName, LOWER(cu.Email) AS Email,
             co.CountryName, cu.SignedUp
      FROM bronze.Customer cu
      INNER JOIN bronze.Country co ON co.CountryCode = cu.CountryCode
      WHERE cu.IsTest = 0
  ) AS src
  ON tgt.CustomerID = src.CustomerID
  WHEN MATCHED AND (ISNULL(tgt.Email, '') <> ISNULL(src.Email, '')
                    OR tgt.FullName <> src.FullName) THEN
      UPDATE SET FullName = src.FullName, Email = src.Email, CountryName = src.CountryName
  WHEN NOT MATCHED BY TARGET THEN
      INSERT (CustomerID, FullName, Email, CountryName, CreatedOn)
      VALUES (src.CustomerID, src.FullName, src.Email, src.CountryName, src.SignedUp);
end
""",
    model="""{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='CustomerID',
        merge_exclude_columns=['CreatedOn']
    )
}}

with customer as (

    select * from {{ source('bronze', 'Customer') }}

),

country as (

    select * from {{ source('bronze', 'Country') }}

),

customers_with_country as (

    select
        customer.CustomerID,
        customer.FirstName || ' ' || customer.LastName as FullName,
        lower(customer.Email) as Email,
        country.CountryName,
        customer.SignedUp
    from customer
    inner join country
        on country.CountryCode = customer.CountryCode
    where customer.IsTest = 0

),

final as (

    select
        CustomerID,
        FullName,
        Email,
        CountryName,
        SignedUp as CreatedOn
    from customers_with_country

)

select * from final
""",
)

DAILY = Case(
    name="aggregate over a set operation",
    target="gold.SalesDaily",
    columns=(
        "StoreID INT NOT NULL",
        "SoldOn DATE NOT NULL",
        "Amount DECIMAL(18,2)",
        "Orders INT",
    ),
    key=("StoreID", "SoldOn"),
    kind="fact_aggregate",
    sources={
        "silver.Sales": (
            "OrderID INT",
            "StoreID INT",
            "SoldOn DATE",
            "Amount DECIMAL(18,2)",
            "StatusCode CHAR(1)",
        ),
        "silver.WebSales": (
            "OrderID INT",
            "StoreID INT",
            "SoldOn DATE",
            "Amount DECIMAL(18,2)",
            "StatusCode CHAR(1)",
        ),
    },
    procedure="""
CREATE PROC gold.usp_load_SalesDaily
AS
SET NOCOUNT ON
DELETE FROM gold.SalesDaily
;WITH AllSales AS (
    SELECT OrderID, StoreID, SoldOn, Amount FROM silver.Sales WHERE StatusCode IN ('C', 'P')
    UNION ALL
    SELECT OrderID, StoreID, SoldOn, Amount FROM silver.WebSales WHERE StatusCode IN ('C', 'P')
)
INSERT gold.SalesDaily
SELECT StoreID, SoldOn, SUM(Amount), COUNT(DISTINCT OrderID)
FROM AllSales
GROUP BY StoreID, SoldOn
HAVING SUM(Amount) > 0
""",
    model="""{{ config(materialized='table') }}

with sales as (

    select * from {{ source('silver', 'Sales') }}

),

web_sales as (

    select * from {{ source('silver', 'WebSales') }}

),

all_sales as (

    select
        OrderID,
        StoreID,
        SoldOn,
        Amount
    from sales
    where StatusCode in ('C', 'P')

    union all

    select
        OrderID,
        StoreID,
        SoldOn,
        Amount
    from web_sales
    where StatusCode in ('C', 'P')

),

final as (

    select
        StoreID,
        SoldOn,
        sum(Amount) as Amount,
        count(distinct OrderID) as Orders
    from all_sales
    group by StoreID, SoldOn
    having sum(Amount) > 0

)

select * from final
""",
)

CONTACT = Case(
    name="temp tables and a ROW_NUMBER de-duplication",
    target="silver.CustomerContact",
    columns=("Email VARCHAR(200) NOT NULL", "CustomerID INT", "SignedUpAt DATETIME"),
    key=("Email",),
    kind="dim_non_scd",
    sources={
        "bronze.WebSignup": ("SignupID INT", "Email VARCHAR(200)", "SignedUpAt DATETIME"),
        "bronze.Customer": ("CustomerID INT", "Email VARCHAR(200)"),
    },
    procedure="""
CREATE PROCEDURE silver.usp_load_CustomerContact
AS
BEGIN
    IF OBJECT_ID('tempdb..#Ranked') IS NOT NULL DROP TABLE #Ranked
    SELECT w.Email, w.SignedUpAt,
           ROW_NUMBER() OVER (PARTITION BY w.Email
                              ORDER BY w.SignedUpAt DESC, w.SignupID DESC) AS rn
    INTO #Ranked
    FROM bronze.WebSignup w
    WHERE w.Email LIKE '%@%'

    DELETE FROM #Ranked WHERE rn > 1

    TRUNCATE TABLE silver.CustomerContact
    INSERT INTO silver.CustomerContact (Email, CustomerID, SignedUpAt)
    SELECT r.Email, c.CustomerID, r.SignedUpAt
    FROM #Ranked r
    LEFT OUTER JOIN bronze.Customer c ON c.Email = r.Email
    DROP TABLE #Ranked
END
""",
    model="""{{ config(materialized='table') }}

with web_signup as (

    select * from {{ source('bronze', 'WebSignup') }}

),

customer as (

    select * from {{ source('bronze', 'Customer') }}

),

latest_signups as (

    select
        Email,
        SignedUpAt
    from web_signup
    where Email like '%@%'
    qualify row_number() over (partition by Email order by SignedUpAt desc, SignupID desc) = 1

),

final as (

    select
        latest_signups.Email,
        customer.CustomerID,
        latest_signups.SignedUpAt
    from latest_signups
    left join customer
        on customer.Email = latest_signups.Email

)

select * from final
""",
)

EVENTS = Case(
    name="append behind a watermark",
    target="silver.FactEvent",
    columns=(
        "EventID BIGINT NOT NULL",
        "DeviceID INT",
        "Reading DECIMAL(9,3)",
        "LoadedAt DATETIME2(3)",
    ),
    key=("EventID",),
    kind="fact_transaction",
    watermark="LoadedAt",
    sources={
        "bronze.Event": (
            "EventID BIGINT",
            "DeviceID INT",
            "Reading DECIMAL(9,3)",
            "LoadedAt DATETIME2(3)",
        ),
        "bronze.Device": ("DeviceID INT", "IsRetired BIT"),
        "bronze.Quarantine": ("EventID BIGINT",),
    },
    procedure="""
CREATE PROCEDURE silver.usp_load_FactEvent
AS
BEGIN
    DECLARE @since DATETIME2(3)
    SELECT @since = ISNULL(MAX(LoadedAt), '19000101') FROM silver.FactEvent

    INSERT INTO silver.FactEvent (EventID, DeviceID, Reading, LoadedAt)
    SELECT e.EventID, e.DeviceID, e.Reading, e.LoadedAt
    FROM bronze.Event e
    JOIN bronze.Device d ON d.DeviceID = e.DeviceID
    WHERE e.LoadedAt > @since
      AND d.IsRetired = 0
      AND NOT EXISTS (SELECT 1 FROM bronze.Quarantine q WHERE q.EventID = e.EventID)

    PRINT 'rows: ' + CAST(@@ROWCOUNT AS VARCHAR(10))
END
""",
    model="""{{ config(materialized='incremental', incremental_strategy='append') }}

with event as (

    select * from {{ source('bronze', 'Event') }}

),

device as (

    select * from {{ source('bronze', 'Device') }}

),

quarantine as (

    select * from {{ source('bronze', 'Quarantine') }}

),

final as (

    select
        event.EventID,
        event.DeviceID,
        event.Reading,
        event.LoadedAt
    from event
    inner join device
        on device.DeviceID = event.DeviceID
    where device.IsRetired = 0
        and not exists (
            select 1
            from quarantine
            where quarantine.EventID = event.EventID
        )
    {% if is_incremental() %}
        and event.LoadedAt > (
            select coalesce(max(LoadedAt), timestamp '1900-01-01') from {{ this }}
        )
    {% endif %}

)

select * from final
""",
)

SEGMENT = Case(
    name="UPDATE fix-up after a reload, DISTINCT and UNION",
    target="silver.CustomerSegment",
    columns=("CustomerID INT NOT NULL", "Segment VARCHAR(20)"),
    key=("CustomerID",),
    kind="dim_non_scd",
    sources={
        "bronze.Orders": ("OrderID INT", "CustomerID INT", "Total DECIMAL(18,2)"),
        "bronze.Leads": ("CustomerID INT",),
        "bronze.Vip": ("CustomerID INT", "Level VARCHAR(20)"),
    },
    procedure="""
CREATE PROCEDURE silver.usp_load_CustomerSegment AS
TRUNCATE TABLE silver.CustomerSegment
INSERT silver.CustomerSegment (CustomerID, Segment)
SELECT DISTINCT o.CustomerID, 'buyer' FROM bronze.Orders o WHERE o.Total >= 10
UNION
SELECT l.CustomerID, 'lead' FROM bronze.Leads l
UPDATE cs SET Segment = v.Level
FROM silver.CustomerSegment cs INNER JOIN bronze.Vip v ON v.CustomerID = cs.CustomerID
WHERE v.Level <> 'none'
""",
    model="""{{ config(materialized='table') }}

with orders as (

    select * from {{ source('bronze', 'Orders') }}

),

leads as (

    select * from {{ source('bronze', 'Leads') }}

),

vip as (

    select * from {{ source('bronze', 'Vip') }}

),

segments as (

    select distinct
        CustomerID,
        'buyer' as Segment
    from orders
    where Total >= 10

    union

    select
        CustomerID,
        'lead' as Segment
    from leads

),

final as (

    select
        segments.CustomerID,
        coalesce(vip.Level, segments.Segment) as Segment
    from segments
    left join vip
        on vip.CustomerID = segments.CustomerID
        and vip.Level <> 'none'

)

select * from final
""",
)

CASES = (STORE, CUSTOMER, DAILY, CONTACT, EVENTS, SEGMENT)
