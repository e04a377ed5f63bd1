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

filtered_policy as (

    select
        PolicyNumber,
        PolicyHolder,
        ProductLine,
        Branch,
        SumInsured
    from policy
    where PolicyNumber is not null

),

updated_dim_policy as (

    select
        tgt.POLICY_SK,
        tgt.PolicyNumber,
        src.PolicyHolder,
        src.ProductLine,
        src.Branch,
        src.SumInsured,
        tgt.ValidFrom,
        tgt.ValidTo,
        tgt.IsCurrent
    from existing_dim_policy as tgt
    inner join filtered_policy as src on tgt.PolicyNumber = src.PolicyNumber
    where coalesce(tgt.PolicyHolder, '') <> coalesce(src.PolicyHolder, '')
        or coalesce(tgt.SumInsured, 0) <> coalesce(src.SumInsured, 0)

),

new_dim_policy as (

    select
        src.PolicyNumber,
        src.PolicyHolder,
        src.ProductLine,
        src.Branch,
        src.SumInsured
    from filtered_policy as src
    where not exists (
        select 1
        from existing_dim_policy as tgt
        where tgt.PolicyNumber = src.PolicyNumber
    )

),

final as (

    select
        POLICY_SK,
        PolicyNumber,
        PolicyHolder,
        ProductLine,
        Branch,
        SumInsured,
        ValidFrom,
        ValidTo,
        IsCurrent
    from updated_dim_policy

    union all

    select
        cast(
            coalesce((select max(POLICY_SK) from existing_dim_policy), 0)
            + row_number() over (order by PolicyNumber)
            as int
        ) as POLICY_SK,
        PolicyNumber,
        PolicyHolder,
        ProductLine,
        Branch,
        SumInsured,
        cast('1900-01-01' as timestamp) as ValidFrom,
        cast(null as timestamp) as ValidTo,
        cast(1 as utinyint) as IsCurrent
    from new_dim_policy

)

select * from final
