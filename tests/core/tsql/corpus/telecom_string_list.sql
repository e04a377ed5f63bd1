CREATE PROCEDURE mart.prc_region_list (@sep varchar(2) = ';', @list varchar(max) OUT)
AS
BEGIN
    DECLARE @r nvarchar(50)
    SET @list = ''
    DECLARE regions INSENSITIVE SCROLL CURSOR FOR SELECT DISTINCT Region FROM landing.Subscriber WHERE Region <> '' ORDER BY Region
    OPEN GLOBAL regions
    FETCH ABSOLUTE 1 FROM regions INTO @r
    WHILE @@FETCH_STATUS = 0
    BEGIN
        SELECT @list = @list + @r + @sep
        FETCH RELATIVE 1 FROM regions INTO @r
    END
    CLOSE regions DEALLOCATE regions
    IF LEN(@list) > 0 SET @list = LEFT(@list, LEN(@list) - LEN(@sep))
    SELECT STRING_AGG(Region, @sep) WITHIN GROUP (ORDER BY Region) FROM (SELECT DISTINCT Region FROM landing.Subscriber) q
END
