"""Which version of a record was the newest known, and when: visibility of batches, and intervals of rows.

A delivery is what one system says of one table for one day; its files are versions, ordered by extraction. At a
knowledge time K the newest version known by then is visible, and of a record the visible row with the greatest
delivery date is current, unless a full delivery after it does not hold the record. So a row is current in intervals
of K: usually one that is open, sometimes several, sometimes none. Late files and restatements change intervals only.
"""

from __future__ import annotations

import duckdb

END_OF_TIME = "timestamptz '9999-12-31 00:00:00+00'"
VISIBILITY = (
    "batch_id varchar, source_system varchar, delivery_date date, mode varchar, visible_from timestamptz, "
    "visible_to timestamptz"
)

# The visibility of each batch that has rows, from all files of its table: a file that repeats an earlier one of its
# delivery makes the earlier one's rows visible again.
VISIBLE = f"""
    select
        coalesce(duplicate_of, batch_id) as batch_id, source_system, delivery_date, mode, known_at as visible_from,
        coalesce(min(known_at) over later_versions, {END_OF_TIME}) as visible_to
    from run.run_batches
    where family = ? and entity = ?
    window later_versions as (
        partition by source_system, delivery_date order by extracted_at, place
        rows between 1 following and unbounded following
    )
    qualify visible_from < visible_to
"""


def settle(connection: duckdb.DuckDBPyConnection, family: str, entity: str, new: list[str]) -> None:
    """Bring the intervals of ``raw.raw_<family>__<entity>`` up to the list of batches in ``run.run_batches``.

    ``new`` are batches whose rows were appended just now, each current from its known_at for ever. Rows are settled
    of every record in a batch that is new or whose visibility has changed.
    """
    raw = f"raw.raw_{family}__{entity}"
    kept = f"raw.visible_{family}__{entity}"
    connection.execute(f"create table if not exists {kept} ({VISIBILITY})")
    connection.execute(f"create or replace temp table visible as {VISIBLE}", [family, entity])
    changed = connection.execute(
        f"""
        select distinct batch_id from (
            (select * from visible except select * from {kept})
            union (select * from {kept} except select * from visible)
        )
        """
    ).fetchall()
    connection.execute(f"delete from {kept}")
    connection.execute(f"insert into {kept} select * from visible")
    touched = sorted({batch for (batch,) in changed} | set(new))
    files = connection.execute("select count(*) from run.run_batches where family = ? and entity = ?", [family, entity])
    if touched and files.fetchone() != (1,):  # nothing can supersede the rows of a first file
        _settle_records(connection, raw, touched)


def _settle_records(connection: duckdb.DuckDBPyConnection, raw: str, touched: list[str]) -> None:
    """Recompute the intervals of the records that the batches hold; of all of a system that sends full files."""
    connection.execute(
        f"""
        create or replace temp table unsettled as
        with sends_full_files as (
            select distinct source_system from visible where mode = 'full'
        ),
        standing_batches as (
            select visible.batch_id
            from visible inner join run.run_batches as batches on visible.batch_id = batches.batch_id
            where visible.source_system not in (from sends_full_files)
            group by visible.batch_id
            having count(*) = 1 and bool_and(visible_from = batches.known_at and visible_to = {END_OF_TIME})
        )
        select source_system, source_record_id
        from {raw}
        where source_system in (from sends_full_files) or (source_system, source_record_id) in (
            select (source_system, source_record_id) from {raw} where batch_id in (select unnest(?))
        )
        group by source_system, source_record_id
        having count(*) > 1 or bool_or(batch_id not in (from standing_batches) or known_to < {END_OF_TIME})
        """,
        [touched],
    )
    connection.execute(
        f"""
        create or replace temp table versions as
        select * exclude (known_from, known_to, nth_interval)
        from {raw}
        where nth_interval = 1 and (source_system, source_record_id) in (from unsettled)
        """
    )
    connection.execute(f"delete from {raw} where (source_system, source_record_id) in (from unsettled)")
    connection.execute(
        f"""
        insert into {raw} by name
        with keyed as (
            select source_system, source_record_id, batch_id, source_line from versions
        ),
        known as (
            select keyed.*, visible.delivery_date, visible.visible_from, visible.visible_to
            from keyed inner join visible on keyed.batch_id = visible.batch_id
        ),
        full_files as (
            select source_system, delivery_date, visible_from, visible_to from visible where mode = 'full'
        ),
        instants as (
            select source_system, source_record_id, visible_from as instant from known
            union select source_system, source_record_id, visible_to from known where visible_to < {END_OF_TIME}
            union select keyed.source_system, keyed.source_record_id, unnest([visible_from, visible_to])
            from keyed inner join full_files on keyed.source_system = full_files.source_system
        ),
        segments as (
            select *, coalesce(lead(instant) over (
                partition by source_system, source_record_id order by instant
            ), {END_OF_TIME}) as until
            from instants where instant < {END_OF_TIME}
        ),
        emptied as (
            select segments.source_system, segments.instant, max(full_files.delivery_date) as delivery_date
            from (select distinct source_system, instant from segments) as segments
            inner join full_files on segments.source_system = full_files.source_system
                and full_files.visible_from <= segments.instant and segments.instant < full_files.visible_to
            group by segments.source_system, segments.instant
        ),
        current_rows as (
            select segments.source_system, segments.source_record_id, segments.instant, segments.until,
                known.batch_id, known.source_line, known.delivery_date
            from segments inner join known
                on segments.source_system = known.source_system and segments.source_record_id = known.source_record_id
                and known.visible_from <= segments.instant and segments.instant < known.visible_to
            qualify row_number() over (
                partition by segments.source_system, segments.source_record_id, segments.instant
                order by known.delivery_date desc, known.batch_id
            ) = 1
        ),
        standing as (
            select
                current_rows.*,
                coalesce(lag(current_rows.until) over same_row <> current_rows.instant, true) as begins
            from current_rows left join emptied
                on current_rows.source_system = emptied.source_system and current_rows.instant = emptied.instant
            where emptied.delivery_date is null or current_rows.delivery_date >= emptied.delivery_date
            window same_row as (
                partition by current_rows.batch_id, current_rows.source_line order by current_rows.instant
            )
        ),
        islands as (
            select *, sum(cast(begins as integer)) over (
                partition by batch_id, source_line order by instant
            ) as nth_interval
            from standing
        ),
        intervals as (
            select batch_id, source_line, nth_interval, min(instant) as known_from, max(until) as known_to
            from islands group by batch_id, source_line, nth_interval
        )
        select
            versions.*,
            coalesce(intervals.known_from, batches.known_at) as known_from,
            coalesce(intervals.known_to, batches.known_at) as known_to,
            coalesce(intervals.nth_interval, 1) as nth_interval
        from versions
        inner join run.run_batches as batches on versions.batch_id = batches.batch_id
        left join intervals on versions.batch_id = intervals.batch_id and versions.source_line = intervals.source_line
        """
    )
