{{ config(materialized='incremental', unique_key='id') }}
select id, day, price from {{ ref('prices') }}
{% if is_incremental() %} where day >= (select max(day) from {{ this }}) {% endif %}
