CREATE TABLE sis.Enrollment(StudentNo char(9) NOT NULL, CourseCode varchar(12) NOT NULL, Term char(6) NOT NULL, Grade varchar(2) NULL, Credits decimal(4,1) NULL, Tuition money NULL, EnrolledOn smalldatetime NULL)
CREATE TABLE sis.Student(StudentNo char(9) NOT NULL PRIMARY KEY, GivenName nvarchar(50) NULL, FamilyName nvarchar(50) NULL, Dob date NULL, Postcode varchar(10) NULL, Phone varchar(30) NULL, AdvisorNo char(9) NULL)
CREATE TABLE dwh.StudentTerm(StudentNo char(9) NOT NULL, Term char(6) NOT NULL, TermDate date NULL, CreditsTaken decimal(6,1) NULL, CreditsPassed decimal(6,1) NULL, Gpa decimal(4,3) NULL, CumGpa decimal(4,3) NULL, TuitionDue money NULL, Standing varchar(15) NULL, PrevStanding varchar(15) NULL, CONSTRAINT PK_st PRIMARY KEY (StudentNo, Term))
CREATE TABLE dwh.GradeScale(Grade varchar(2) NOT NULL PRIMARY KEY, Points decimal(3,2) NOT NULL)
CREATE TABLE dwh.StudentContact(StudentNo char(9) NOT NULL, Kind varchar(10) NOT NULL, Val varchar(60) NULL, Masked varchar(60) NULL, LoadTime time(0) NULL, Stamp varchar(30) NULL)
CREATE TABLE dwh.EnrollDelta(StudentNo char(9) NULL, CourseCode varchar(12) NULL, Term char(6) NULL, Change varchar(10) NULL)
CREATE TABLE dwh.EnrollPrev(StudentNo char(9) NULL, CourseCode varchar(12) NULL, Term char(6) NULL)
GO
CREATE PROCEDURE dwh.usp_StudentTerm AS
BEGIN
 SET ANSI_WARNINGS OFF; SET NOCOUNT ON;
 CREATE TABLE #t (StudentNo char(9) COLLATE DATABASE_DEFAULT NOT NULL, Term char(6) NOT NULL, Taken decimal(6,1), Passed decimal(6,1), Pts decimal(10,3), Due money)
 INSERT #t (StudentNo, Term, Taken, Passed, Pts, Due)
 SELECT e.StudentNo, e.Term, SUM(e.Credits), SUM(CASE WHEN g.Points > 0 THEN e.Credits ELSE 0 END), SUM(ISNULL(g.Points,0) * e.Credits), SUM(e.Tuition)
 FROM sis.Enrollment e LEFT JOIN dwh.GradeScale g ON g.Grade = e.Grade
 GROUP BY e.StudentNo, e.Term
 UPDATE #t SET Due = Due * 0.9 WHERE Taken >= 12 AND Due > 0
 TRUNCATE TABLE dwh.StudentTerm
 INSERT dwh.StudentTerm (StudentNo, Term, TermDate, CreditsTaken, CreditsPassed, Gpa, CumGpa, TuitionDue, Standing)
 SELECT StudentNo, Term, TRY_CAST(LEFT(Term,4) + '-' + RIGHT(Term,2) + '-01' AS date), Taken, Passed, Pts / NULLIF(Taken,0),
  SUM(Pts) OVER (PARTITION BY StudentNo ORDER BY Term) / NULLIF(SUM(Taken) OVER (PARTITION BY StudentNo ORDER BY Term), 0), Due,
  CASE WHEN Taken = 0 THEN NULL WHEN Pts / NULLIF(Taken,0) >= 3.5 THEN 'Honors' WHEN Pts / NULLIF(Taken,0) < 2 THEN 'Probation' ELSE 'Good' END
 FROM #t
 UPDATE s SET s.PrevStanding = p.Standing
 FROM dwh.StudentTerm s CROSS APPLY (SELECT TOP 1 x.Standing FROM dwh.StudentTerm x WHERE x.StudentNo = s.StudentNo AND x.Term < s.Term ORDER BY x.Term DESC) p
END
GO
CREATE PROCEDURE dwh.usp_StudentContact AS
BEGIN
 DELETE dwh.StudentContact
 INSERT INTO dwh.StudentContact (StudentNo, Kind, Val, Masked, LoadTime, Stamp)
 SELECT s.StudentNo, k.Kind, k.Val, CASE WHEN LEN(k.Val) > 4 THEN REPLICATE('*', LEN(k.Val) - 4) + RIGHT(k.Val, 4) ELSE k.Val END,
   CONVERT(time(0), GETDATE()), CONVERT(varchar(19), GETDATE(), 120)
 FROM sis.Student s
 CROSS APPLY (SELECT 'phone' AS Kind, REPLACE(REPLACE(REPLACE(REPLACE(s.Phone,'(',''),')',''),'-',''),' ','') AS Val UNION ALL SELECT 'post', UPPER(s.Postcode) UNION ALL SELECT 'name', s.FamilyName + ', ' + s.GivenName) k
 WHERE k.Val IS NOT NULL
END
GO
CREATE PROCEDURE dwh.usp_EnrollDelta AS
BEGIN
 TRUNCATE TABLE dwh.EnrollDelta
 INSERT dwh.EnrollDelta
 SELECT StudentNo, CourseCode, Term, 'ADD' FROM (SELECT StudentNo, CourseCode, Term FROM sis.Enrollment EXCEPT SELECT StudentNo, CourseCode, Term FROM dwh.EnrollPrev) a
 UNION ALL
 SELECT StudentNo, CourseCode, Term, 'DROP' FROM (SELECT StudentNo, CourseCode, Term FROM dwh.EnrollPrev EXCEPT SELECT StudentNo, CourseCode, Term FROM sis.Enrollment) d
 TRUNCATE TABLE dwh.EnrollPrev
 INSERT dwh.EnrollPrev SELECT DISTINCT StudentNo, CourseCode, Term FROM sis.Enrollment
END
GO
