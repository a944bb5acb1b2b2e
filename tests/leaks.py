"""What finds a leak: checks that say which of their promises a copy of the past breaks. None names what was planted.

Of the SQL: features and panel come out of a copy of the books that ends at the cut-off, or in which all that comes
later belongs to others, bit for bit as out of the whole. Of the learning: a model of a past cut-off is the same bytes
from those copies, what it learns from is too, and its labels are what came in their windows, which end by the cut-off.
Of both and of the data: nobody orders customers better than who knows how they were made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache

import duckdb
import numpy as np
import pandas as pd
from leak_books import CUTOFFS, DATES, TRAINS, Books, Copy

from benchmarks.score_features import features_of, outcomes_of
from ml import challenge, grade, learn, store
from ml.btyd import Btyd, p_no_purchase
from ml.evaluate import auc
from ml.features import NEXT, LeakError, checked_features, history_of
from ml.params import load_params
from ml.score import score
from ml.train import BaseModel

# An AUC this far above that of who knows how customers were made knows what came.
CEILING_MARGIN = 0.03
START, HORIZON, CUSTOMERS = date(2024, 1, 1), 56, 900
# How they live: rate ~ Gamma(r, alpha), chance to stop after any purchase ~ Beta(a, b), in days.
MADE = Btyd("mbg_nbd", r=1.2, alpha=40.0, a=0.9, b=4.0)
# A day with more than a year behind it, and one whose past cut-off has less than two horizons.
LONG, SHORT = START + timedelta(days=488), START + timedelta(days=140)
SHIPPED = load_params()
assert SHIPPED.champion is not None
PARAMS = replace(SHIPPED, horizons=(HORIZON,), grade=None, champion=replace(SHIPPED.champion, max_cutoffs=3))
Known = Mapping[date, pd.DataFrame]
Tampered = Callable[[pd.DataFrame, int], pd.DataFrame]


def found_in_sql(books: Books, edits: Sequence[tuple[str, str, str]] = ()) -> Iterator[str]:
    """The promises that features and panel break, one by one."""
    features, panel = books.told(Copy(), edits)
    for day in DATES[:-1]:
        then, _ = books.told(Copy(ends=day + timedelta(days=1), last=day), edits)
        if not _same(features, then, "as_of_date", day):
            yield f"features of {day} know what came or became known later"
    _, then = books.told(Copy(last=TRAINS), edits)
    if not then.equals(panel):
        yield f"the panel of {TRAINS} knows what became known later"
    for cutoff in CUTOFFS:
        for is_dealt, what in ((False, "ends"), (True, "is dealt to others")):
            _, then = books.told(Copy(ends=cutoff, is_dealt=is_dealt), edits)
            if not _same(panel.drop(columns=NEXT), then.drop(columns=NEXT), "cutoff_date", cutoff):
                yield f"the panel's cut-off {cutoff} changes when what comes after it {what}"


def found_in_learning(day: date, tampered: Tampered | None = None) -> Iterator[str]:
    """The promises that the learning of a day breaks, with everything it learned one horizon earlier.

    ``tampered``: what a source made of the purchases by then, given the days from the start to the past cut-off.
    """
    own = day + timedelta(days=1)
    before = own - timedelta(days=HORIZON)
    yield from _wrong_dates(day)
    known = _known(day, tampered)
    # Both models of the day, in the order it makes them.
    taught: challenge.Taught = {}
    for cutoff in (own, before):
        past = _model(known, cutoff, taught)
        if isinstance(past, str):
            yield past
            return
    ended = {cutoff: frame for cutoff, frame in known.items() if cutoff <= before}
    for what, copy in (("ends", ended), ("is dealt to others", _known(day, tampered, before))):
        again = _model(copy, before, {})
        if isinstance(again, str) or again.to_json() != past.to_json():
            yield f"the model of {before} changes when what comes after it {what}"
    yield from _wrong_rows(day, known, before, tampered)
    tested, scored = learn._backtest(known, past).figures["auc"], score(known[before], past, before, [HORIZON])
    inactive = _inactive(day, before, tampered)
    reached = auc(scored["inactive_probability"].to_numpy(), inactive.reindex(scored["customer_id"]).to_numpy())
    ceiling = _ceiling(day, before)
    if tested != reached:
        yield f"a back-test tells an AUC of {tested} where the scores have {reached}"
    if reached > ceiling + CEILING_MARGIN:
        yield f"an AUC of {reached:.3f} where {ceiling:.3f} can be reached"


@cache
def bought() -> pd.DataFrame:
    """Purchase days of customers who live by ``MADE``; a fixed seed."""
    random, parts = np.random.default_rng(7), []
    rate, stop = random.gamma(MADE.r, 1.0 / MADE.alpha, CUSTOMERS), random.beta(MADE.a, MADE.b, CUSTOMERS)
    usual = random.lognormal(4.0, 0.5, CUSTOMERS)
    who, day = np.arange(CUSTOMERS), random.integers(0, 60, CUSTOMERS).astype(np.float64)
    while len(who):
        amount = (usual[who] * random.gamma(6.0, 1 / 6, len(who))).round(2)
        parts.append(pd.DataFrame({"nth": who, "day": day.astype(int), "net_amount": amount}))
        stays = random.random(len(who)) >= stop[who]
        day = day + random.exponential(1.0 / np.maximum(rate[who], 1e-6))
        stays &= day < 700
        who, day = who[stays], day[stays]
    days = pd.concat(parts).groupby(["nth", "day"], as_index=False)["net_amount"].sum()
    return days.assign(customer_id=[f"c{nth:04}" for nth in days["nth"]])[["customer_id", "day", "net_amount"]]


@cache
def _known(day: date, tampered: Tampered | None = None, dealt_from: date | None = None) -> Known:
    world = _world(day, tampered)
    with _purchases(world if dealt_from is None else _dealt(world, dealt_from)) as connection:
        features = features_of(connection, learn.cutoffs(day, PARAMS), "select customer_id from purchases")
    dates = features["cutoff_date"].dt.date
    return {cutoff: features[dates == cutoff] for cutoff in learn.cutoffs(day, PARAMS)}


def _world(day: date, tampered: Tampered | None) -> pd.DataFrame:
    return bought() if tampered is None else tampered(bought(), (day - START).days + 1 - HORIZON)


def _purchases(world: pd.DataFrame) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.register("world", world)
    connection.execute(
        f"create table purchases as select customer_id, date '{START}' + cast(day as integer) as purchase_date, "
        "cast(net_amount as decimal(18, 4)) as net_amount, cast(net_amount * 0.6 as decimal(18, 4)) as cost_amount "
        "from world"
    )
    return connection


def _model(known: Known, cutoff: date, taught: challenge.Taught) -> BaseModel | str:
    """The model as of a cut-off, or the words in which it was refused, or asked for a cut-off that is not there."""
    try:
        past = learn.past_model(known, cutoff, HORIZON, PARAMS, taught)
        return challenge.curved(past, known, HORIZON, taught)
    except LeakError as error:
        return str(error)
    except KeyError as error:
        if not isinstance(error.args[0], date):
            raise
        return f"the model of {cutoff} reads features as of {error.args[0]}"


def _dealt(world: pd.DataFrame, cutoff: date) -> pd.DataFrame:
    """What comes from the cut-off on, dealt to other customers and amounts, half of it left out."""
    later = world["day"] >= (cutoff - START).days
    dealt = world[later].sample(frac=0.5, random_state=3)
    for name in ("customer_id", "net_amount"):
        dealt[name] = dealt[name].sample(frac=1, random_state=4).to_numpy()
    dealt = dealt.groupby(["customer_id", "day"], as_index=False)["net_amount"].sum()
    return pd.concat([world[~later], dealt[dealt["customer_id"].isin(world.loc[~later, "customer_id"])]])


def _wrong_rows(day: date, known: Known, before: date, tampered: Tampered | None) -> Iterator[str]:
    """Of what each past cut-off teaches: its inputs, its labels and where these end."""
    given = PARAMS.champion
    assert given is not None
    rows = challenge.learned_rows(learn.fit(known[before], before, PARAMS), known, HORIZON, given)
    if (before - START).days >= 2 * HORIZON:  # else labels are shorter, and stretched
        for cutoff, found in rows.items():
            if cutoff + timedelta(days=HORIZON) > before:
                yield f"labels of {cutoff} end after {before}"
            with _purchases(_world(day, tampered)) as connection:
                came = outcomes_of(connection, cutoff, HORIZON).set_index("customer_id")
            came = came.reindex(sorted(known[cutoff]["customer_id"]))
            days = (came["first_purchase_date"] - pd.Timestamp(cutoff)).dt.days.to_numpy()
            if not np.array_equal(came["purchase_count"].fillna(0).to_numpy(), found.labels.count):
                yield f"labels of {cutoff} are not what came in their window"
            if found.days is None or not np.array_equal(days, found.days, equal_nan=True):
                yield f"days of {cutoff} are not when it came in their window"
    oldest = min(rows)
    dealt = _known(day, tampered, oldest)
    again = challenge.learned_rows(learn.fit(dealt[before], before, PARAMS), dealt, HORIZON, given)
    if oldest not in again or not np.array_equal(again[oldest].inputs, rows[oldest].inputs):
        yield f"what {oldest} teaches from changes when what comes after it is dealt to others"


def _wrong_dates(day: date) -> Iterator[str]:
    """Of the cut-offs that a day reads, of those it is graded at, and of the models it may use."""
    own, graded = day + timedelta(days=1), replace(PARAMS, grade=SHIPPED.grade)
    if max(learn.cutoffs(day, graded)) != own:
        yield f"{day} reads a cut-off after {own}"
    if max(grade.graded_cutoffs(own, HORIZON, graded)) + timedelta(days=HORIZON) > own:
        yield f"{day} is graded by what comes after it"
    empty = learn.fit(_known(day)[own].head(0), own, PARAMS)
    noon = datetime.combine(own, time(12), tzinfo=UTC)
    for later in (timedelta(days=1), timedelta(hours=1)):
        trained = learn.TrainedModel(
            day + timedelta(days=later.days), noon + timedelta(seconds=later.seconds), empty, ()
        )
        [planned] = store.plan_models([(day, noon)], {trained.version: trained}, {}, PARAMS)
        if planned.version == trained.version:
            yield f"{day} is scored by a model that knows more than it does"


def _inactive(day: date, before: date, tampered: Tampered | None) -> pd.Series[float]:
    """1 for who did not buy in the horizon, by customer."""
    with _purchases(_world(day, tampered)) as connection:
        came = outcomes_of(connection, before, HORIZON)["customer_id"]
    customers = bought()["customer_id"].unique()
    return pd.Series((~np.isin(customers, came)).astype(np.float64), customers)


@cache
def _ceiling(day: date, before: date) -> float:
    """The AUC of who knows ``MADE``."""
    frame = checked_features(_known(day)[before], before)
    inactive = _inactive(day, before, None).reindex(frame["customer_id"]).to_numpy()
    return auc(p_no_purchase(MADE, history_of(frame, before), HORIZON), inactive)


def _same(frame: pd.DataFrame, other: pd.DataFrame, column: str, day: date) -> bool:
    """Whether the rows of a day are equal, bit for bit."""
    one, two = (found[found[column] == pd.Timestamp(day)].reset_index(drop=True) for found in (frame, other))
    return one.equals(two)
