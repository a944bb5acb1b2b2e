"""The rules as the one who answers for them meets them: do they agree with each other, and how does a version begin."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.console import FAILED, AsJson, instant_of, out, print_json, told_plainly
from orchestration.settings import load_settings

if TYPE_CHECKING:
    from orchestration.policy_rules import BrokenRule

policy = typer.Typer(no_args_is_help=True, help="The rules that grade: check them, begin a new version of them.")

SHOWN = 5  # rows of a broken rule; --json has all


@policy.command()
def check(
    folder: Annotated[Path | None, typer.Argument(help="A policy folder. Default: the one in use.")] = None,
    as_json: AsJson = False,
) -> None:
    """Can customers be graded by these rows? Files, types, and what the rows must say to each other."""
    from orchestration.policy import check_folder, check_policy
    from orchestration.policy_rules import broken_rules, foreign_bounds, unfed_weights

    with told_plainly():
        settings = load_settings()
        versions = check_folder(folder) if folder else check_policy(settings)
        checked = (folder or settings.policy).resolve()
        broken = broken_rules(settings, checked)
        unfed, foreign = unfed_weights(settings, checked), foreign_bounds(settings, checked)
        if as_json:
            rows = {"versions": [asdict(version) for version in versions], "broken": [asdict(rule) for rule in broken]}
            print_json({"folder": str(checked), "is_sound": not broken, **rows, "unfed": unfed, "foreign": foreign})
        else:
            _show(broken)
            for line in (*unfed, *foreign):
                out.print(f"note   {line}", markup=False, highlight=False)
            for version in versions:
                until = f" to {version.effective_to}" if version.effective_to else ""
                line = f"{version.policy_version}  in force from {version.effective_from}{until}"
                out.print(f"{line}, approved {version.approved_at.isoformat()}", markup=False, highlight=False)
            out.print(f"{len(broken)} rules are broken in {checked}", markup=False, highlight=False)
        if broken:
            raise typer.Exit(FAILED)


@policy.command()
def new(
    version: Annotated[str, typer.Argument(help="The name of the new version, like 2026.1.")],
    *,
    from_: Annotated[
        datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day that is graded by it.")
    ],
    approver: Annotated[str, typer.Option(help="Who approved it.")],
    note: Annotated[str, typer.Option(help="What it changes, and why.")],
    copy_of: Annotated[str | None, typer.Option(help="The version to begin with. Default: the last one.")] = None,
    approved_at: Annotated[str | None, typer.Option(help="When, ISO 8601 with zone. Default: now.")] = None,
) -> None:
    """Begin a new version in policy/ of the home as a copy of another, and end the last one where it takes over."""
    from orchestration.new_policy import Draft, write_version

    with told_plainly():
        settings = load_settings()
        approved = instant_of("--approved-at", approved_at) if approved_at else datetime.now(UTC)
        files = write_version(settings, Draft(version, from_.date(), approver, approved, note, copy_of))
        out.print(f"version {version} takes over on {from_.date()}; it is stated in", highlight=False)
        for file in files:
            out.print(f"  {file}", markup=False, highlight=False)
        out.print(f"now edit its rows there (policy_version {version}) and then: tiering policy check", highlight=False)


def _show(broken: list[BrokenRule]) -> None:
    for rule in broken:
        lines = [f"BROKEN {rule.rule}", f"       expected {rule.expected}"]
        for row in rule.rows[:SHOWN]:
            where = f"line {', '.join(map(str, row.lines))}" if row.lines else "no such row"
            lines.append(f"       got {row.got}: {Path(row.file).name} {where}")
        if len(rule.rows) > SHOWN:
            lines.append(f"       and {len(rule.rows) - SHOWN} more")
        for line in (*lines, f"       to mend: {rule.mend}"):
            out.print(line, markup=False, highlight=False)
