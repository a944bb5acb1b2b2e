{#- What an industry grew by on each as-of date: of the newest period that is over, as the first publisher by name says. -#}
with ranked as (

    select
        dates.as_of_date,
        industries.industry_code,
        industries.growth_rate,
        row_number() over (
            partition by dates.as_of_date, industries.industry_code
            order by
                {{ period_end('industries.period') }} desc,
                industries.period desc,
                industries.published_by asc,
                industries.source_system asc
        ) as nth
    from {{ ref('stg_enrich__industries') }} as industries
    inner join {{ ref('stg_run__dates') }} as dates
        on {{ period_end('industries.period') }} <= dates.as_of_date
        and industries.known_from <= dates.known_at
        and industries.known_to > dates.known_at

)

select as_of_date, industry_code, growth_rate as industry_growth_rate
from ranked
where nth = 1
