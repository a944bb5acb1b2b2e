"""Stands in for dbt's ``model`` when sqlfluff renders one: which columns it has does not matter there."""

columns = ["as_of_date"]
