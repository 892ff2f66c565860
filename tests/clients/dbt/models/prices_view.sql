{{ config(materialized='view') }}
select id, price from {{ ref('prices') }}
