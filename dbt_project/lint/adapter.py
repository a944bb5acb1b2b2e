"""Stands in for dbt's ``adapter`` when sqlfluff renders a model: an engine's own spelling does not matter there."""

from collections.abc import Callable


def dispatch(macro_name: str) -> Callable[..., str]:
    """A macro that yields its first argument, whatever ``macro_name`` does on an engine."""
    return lambda *arguments: str(arguments[0]) if arguments else macro_name


def get_columns_in_relation(relation: str) -> list[str]:
    """No columns: a template that goes through them renders without."""
    del relation
    return []
