{{
    config(
        materialized='incremental',
        incremental_strategy='merge',
        unique_key='POLICY_SK',
    )
}}

with

existing_dim_policy as (

    {% if is_incremental() %}

    select * from {{ this }}

    {% else %}

    select
        cast(null as integer) as POLICY_SK,
        cast(null as varchar) as PolicyNumber,
        cast(null as varchar) as PolicyHolder,
        cast(null as varchar) as ProductLine,
        cast(null as varchar) as Branch,
        cast(null as decimal(18, 2)) as SumInsured,
        cast(null as timestamp) as ValidFrom,
        cast(null as timestamp) as ValidTo,
        cast(null as utinyint) as IsCurrent
    where false

    {% endif %}

),

policy as (

    select * from {{ source('staging', 'Policy') }}

),

-- close the versions that changed
expired_dim_policy as (

    select
        d.POLICY_SK,
        d.PolicyNumber,
        d.PolicyHolder,
        d.ProductLine,
        d.Branch,
        d.SumInsured,
        d.ValidFrom,
        cast({{ current_timestamp() }} as timestamp) as ValidTo,
        cast(0 as utinyint) as IsCurrent
    from existing_dim_policy as d
    inner join policy as s on s.PolicyNumber = d.PolicyNumber
    where d.IsCurrent = 1
        and (
            d.ProductLine <> s.ProductLine
            or d.Branch <> s.Branch
            or coalesce(d.SumInsured, -1) <> coalesce(s.SumInsured, -1)
        )

),

unchanged_dim_policy as (

    select *
    from existing_dim_policy
    where POLICY_SK not in (select POLICY_SK from expired_dim_policy)

),

-- nested /* comment */ stays out
-- new versions and new keys
new_dim_policy as (

    select
        s.PolicyNumber,
        s.PolicyHolder,
        s.ProductLine,
        s.Branch,
        s.SumInsured,
        cast({{ current_timestamp() }} as timestamp) as ValidFrom,
        null as ValidTo,
        cast(1 as utinyint) as IsCurrent
    from policy as s
    left join unchanged_dim_policy as d
        on d.PolicyNumber = s.PolicyNumber
        and d.IsCurrent = 1
    where d.POLICY_SK is null

),

final as (

    select *
    from expired_dim_policy

    union all

    select
        cast(
            coalesce((select max(POLICY_SK) from existing_dim_policy), 0)
            + row_number() over (
                order by
                    PolicyNumber nulls first,
                    PolicyHolder nulls first,
                    ProductLine nulls first,
                    Branch nulls first,
                    SumInsured nulls first
            )
            as int
        ) as POLICY_SK,
        PolicyNumber,
        PolicyHolder,
        ProductLine,
        Branch,
        SumInsured,
        ValidFrom,
        cast(ValidTo as timestamp) as ValidTo,
        IsCurrent
    from new_dim_policy

)

select * from final
