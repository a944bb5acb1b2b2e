"""Laws of names, layers and plain text as pure checkers: names or a small graph in, offenders out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

Offence = tuple[int, str]  # line, what was found there


def line_of(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


@dataclass(frozen=True)
class Model:
    """A dbt model or seed and what it reads. ``folder`` is its path under models, e.g. marts/scoring."""

    name: str
    folder: str
    refs: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    @property
    def layer(self) -> str:
        if self.name == "customer_360":
            return "audit"  # like audit: may read anything and is read by nothing
        if self.folder.startswith("staging"):
            return {"staging/run": "run", "staging/ml": "ml"}.get(self.folder, "staging")
        # What marts tell by name stands by number in a folder of intermediate that is called after their layer.
        return self.folder.removeprefix("marts/").removeprefix("intermediate/").split("/")[0]


# Layer → layers it may read. What the orchestrator says of the run (dates, knowledge) is open to all; what models say
# of customers is a way to score them, and audit tells how the models came to speak.
READS = {
    "policy": set(),
    "dictionary": set(),
    "run": set(),
    "ml": set(),
    "staging": set(),
    "intermediate": {"run", "policy", "staging", "intermediate"},
    "customer": {"run", "intermediate", "customer"},
    "scoring": {"run", "ml", "policy", "intermediate", "customer", "scoring"},
    "tiering": {"run", "policy", "intermediate", "customer", "scoring", "tiering"},
    "service": {"run", "policy", "intermediate", "customer", "scoring", "tiering", "service"},
    "audit": {
        "run",
        "ml",
        "policy",
        "dictionary",
        "staging",
        "intermediate",
        "customer",
        "scoring",
        "tiering",
        "service",
    },
}


def source_offences(models: Mapping[str, Model]) -> list[str]:
    """Staging reads exactly one source and no model; nothing else reads a source."""
    offences = []
    for model in models.values():
        if model.layer in ("staging", "run", "ml"):
            if len(model.sources) != 1 or model.refs:
                offences.append(f"{model.name} reads sources {model.sources} and models {model.refs}")
        elif model.sources:
            offences.append(f"{model.name} in {model.folder} reads sources {model.sources}")
    return offences


def layer_offences(models: Mapping[str, Model]) -> list[str]:
    """Reads against the way of the data, and scoring that reads any customer fact but the indicators."""
    offences = []
    for model in models.values():
        for ref in model.refs:
            read = models[ref]
            sideways = model.layer == "scoring" and read.layer == "customer" and ref != "customer_indicators"
            if read.layer not in READS[model.layer] or sideways:
                offences.append(f"{model.name} ({model.layer}) reads {ref} ({read.layer})")
    return offences


FAMILIES = "crm|sales|finance|service|survey|marketing|privacy|loyalty|enrich|reference"
# A ledger is a thing, not something that happened to a thing.
PLAIN_INTERMEDIATES = {"int_account_days", "int_relation_days", "int_customer_days"}


def name_offence(name: str, folder: str) -> str | None:
    """Why the name of a model or raw table (folder ``raw``) breaks the rule of its layer, or None."""
    top, _, family = folder.partition("/")
    pattern = {
        "raw": rf"raw_({FAMILIES})__[a-z][a-z0-9_]*(?<!s)",
        "staging": rf"stg_{family}__[a-z][a-z0-9_]*s",
        "intermediate": r"int_[a-z0-9]+(?:_[a-z0-9]+)*__[a-z0-9]+(?:_[a-z0-9]+)*",
        "dictionary": r"[a-z]+s",
        "marts": r"(?!fct_|dim_|mart_|stg_|int_|raw_|fact_)[a-z][a-z0-9_]*",
    }[top]
    if re.fullmatch(pattern, name) or (top == "intermediate" and name in PLAIN_INTERMEDIATES):
        return None
    return f"{folder}: {name} is not called {pattern}"


_WINDOW = r"(?:_\d+d|_all)?"
COLUMN_TYPES = (
    (r".+_at", r"timestamp with time zone"),
    (r".+_date", r"date"),
    (r"(?:is|has)_.+|.+_is_defaulted", r"boolean"),
    (rf".+_count{_WINDOW}", r"bigint"),
    (rf".+_amount{_WINDOW}(?:_original)?", r"decimal\(18,4\)"),
    (rf".+_(?:rate|probability){_WINDOW}", r"decimal\(\d+,\d+\)"),
    (r".+_days|days_.+|.+_rank", r"bigint"),
    (r".+_score", r"decimal\(\d+,\d+\)|bigint"),
    (r".+_(?:id|band|version)", r"varchar"),
)


def column_offence(name: str, data_type: str) -> str | None:
    """Why name and type of a mart's column disagree, in either direction, or None."""
    kind = re.sub(r"\s*([(),])\s*", r"\1", data_type.lower().strip()).replace("timestamptz", "timestamp with time zone")
    for pattern, expected in COLUMN_TYPES:
        if re.fullmatch(pattern, name):
            return None if re.fullmatch(expected, kind) else f"{name} is {kind}, expected {expected}"
    wants = {"timestamp with time zone": "…_at", "timestamp": "…_at", "date": "…_date", "boolean": "is_… or has_…"}
    return f"{name} is {kind}, expected a name like {wants[kind]}" if kind in wants else None


# In pieces, so that this file is not its own offender.
_HOSTS = (
    "py" + r"pi\.",
    "python" + "hosted",
    "npm" + r"js\.",
    "arti" + "factory",
    r"(?<!no-emit-)index" + "-url",
    "find" + "-links",
)
_NOTES = (r"\bTO" + r"DO\b", r"\bFIX" + r"ME\b")
_PATHS = (r"(?<![\w.~})>/*-])/(?:work|home|root|Users|tmp|mnt|opt|srv)/\w+", r"\b[A-Z]:\\\w")
STRAY_TEXT = re.compile("|".join((*_HOSTS, *_NOTES, *_PATHS)))


def stray_text(text: str) -> list[Offence]:
    """Notes to self, hosts of package registries and paths of one machine."""
    return [(line_of(text, hit.start()), hit.group()) for hit in STRAY_TEXT.finditer(text)]
