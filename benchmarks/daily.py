"""What a day costs: CPU seconds and peak memory of a first build and of the next day, with their parts, as JSON.

    python -m benchmarks.daily [--scale demo|S|M|L]

Each run is a process of its own, as the schedule's are. Parts are CPU seconds between the start and the end of a
step, all threads counted; ``start`` is imports and definitions. Nothing is asserted here.
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from orchestration.demo.company import write_demo
from orchestration.settings import Settings

DAILY_DAYS = 5


def measure_run(home: Path, first: date, last: date) -> dict[str, Any]:
    """One run in this process: total and per-step CPU seconds, wall seconds, peak memory in MiB."""
    gc.set_threshold(5_000_000, 50, 50)  # as the command line does
    from orchestration.running import run_days

    started = time.perf_counter()
    parts: dict[str, float] = {}
    marks: dict[str, float] = {}

    def on_step(step: str, state: str, seconds: float) -> None:
        del seconds
        if state == "started":
            marks[step] = time.process_time()
            parts.setdefault("start", round(time.process_time(), 2))
        else:
            parts[step] = round(time.process_time() - marks[step], 2)

    outcome = run_days(Settings(home=home), first, last, on_step)
    if not outcome.success:
        raise SystemExit(f"the run failed: {outcome.blocking or outcome.errors}")
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        "wall_seconds": round(time.perf_counter() - started, 2),
        "peak_mib": usage.ru_maxrss // 1024,
        "parts": parts,
    }


def measure_scale(scale: str) -> dict[str, Any]:
    """The demo company at one size: writing it, its first day with all history, and the next day."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        started = time.perf_counter()
        summary = write_demo(home, scale=scale, daily_days=DAILY_DAYS)
        written = round(time.perf_counter() - started, 1)
        first = summary.first_day
        runs = {}
        for name, day in (("first_build", first), ("next_day", first + timedelta(days=1))):
            command = [sys.executable, "-W", "ignore", "-m", "benchmarks.daily", "--home", folder, "--day", str(day)]
            runs[name] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        return {"scale": scale, "accounts": summary.accounts, "lines": summary.lines, "written_seconds": written} | runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", default="demo")
    parser.add_argument("--home", type=Path)
    parser.add_argument("--day", type=date.fromisoformat)
    arguments = parser.parse_args()
    if arguments.home:
        print(json.dumps(measure_run(arguments.home, arguments.day, arguments.day)))
    else:
        print(json.dumps(measure_scale(arguments.scale), indent=2))


if __name__ == "__main__":
    main()
