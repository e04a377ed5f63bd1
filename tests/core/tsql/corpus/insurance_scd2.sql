/****** Object:  StoredProcedure dwh.sp_DIM_POLICY_Scd2    Script Date: 3/6/2019 10:26:41 AM ******/
SET ANSI_NULLS ON
GO
SET QUOTED_IDENTIFIER ON
GO
ALTER Procedure dwh.sp_DIM_POLICY_Scd2 @AsOf datetime = NULL
AS
Set Nocount on;
IF @AsOf Is null
    set @AsOf = Getdate();

INSERT INTO dwh.DIM_POLICY (PolicyNumber, PolicyHolder, ProductLine, Branch, SumInsured, ValidFrom, ValidTo, IsCurrent)
SELECT PolicyNumber, PolicyHolder, ProductLine, Branch, SumInsured, @AsOf, Null, 1
from (
    MERGE dwh.DIM_POLICY AS d
    USING InsDWH.staging.Policy AS s
       ON d.PolicyNumber = s.PolicyNumber and d.IsCurrent = 1
    WHEN MATCHED and (d.ProductLine <> s.ProductLine OR d.Branch <> s.Branch) THEN
        UPDATE SET d.IsCurrent = 0, d.ValidTo = @AsOf
    WHEN NOT MATCHED THEN
        insert (PolicyNumber, PolicyHolder, ProductLine, Branch, SumInsured, ValidFrom, IsCurrent)
        VALUES (s.PolicyNumber, s.PolicyHolder, s.ProductLine, s.Branch, s.SumInsured, @AsOf, 1)
    OUTPUT $action as act, s.PolicyNumber, s.PolicyHolder, s.ProductLine, s.Branch, s.SumInsured
) as changes
WHERE changes.act = 'UPDATE';
return 0;
--SELECT TOP 100 * FROM InsDWH.staging.Policy
