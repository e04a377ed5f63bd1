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

new_dim_policy as (

    select
        -1 as POLICY_SK,
        '0' as PolicyNumber,
        'Unknown' as PolicyHolder,
        'UNK' as ProductLine,
        'n/a' as Branch,
        null as SumInsured,
        cast('1900-01-01' as timestamp) as ValidFrom,
        null as ValidTo,
        cast(1 as utinyint) as IsCurrent

),

updated_dim_policy as (

    select
        POLICY_SK,
        PolicyNumber,
        'Unknown' as PolicyHolder,
        'UNK' as ProductLine,
        Branch,
        SumInsured,
        ValidFrom,
        ValidTo,
        IsCurrent
    from existing_dim_policy
    where POLICY_SK = -1
        and exists(select 1 from existing_dim_policy where POLICY_SK = -1)

),

final as (

    select
        POLICY_SK,
        PolicyNumber,
        PolicyHolder,
        ProductLine,
        Branch,
        cast(SumInsured as decimal(18, 2)) as SumInsured,
        ValidFrom,
        cast(ValidTo as timestamp) as ValidTo,
        IsCurrent
    from new_dim_policy
    where not exists(select 1 from existing_dim_policy where POLICY_SK = -1)

    union all

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

)

select * from final
