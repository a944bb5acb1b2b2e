"""``python -m examples NAME``: write a data set's extracts into TIERING_HOME, and say which days to grade.

Standard output is the options alone: ``tiering backfill $(python -m examples cdnow)``.
"""

from __future__ import annotations

import argparse
import sys
from datetime import timedelta

from examples.deliver import write_example
from examples.wheels import PACKAGES, ExamplesError
from orchestration.settings import SettingsError, load_settings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=list(PACKAGES))
    try:
        home = load_settings().home
        told = write_example(parser.parse_args().name, home)
    except (ExamplesError, SettingsError) as error:
        sys.exit(str(error))
    print(
        f"{told.company}: {told.lines:,} lines in {told.files} files below {home / 'landing'}; "
        f"initial load {told.initial}, then daily to {told.last}",
        file=sys.stderr,
    )
    print(f"--from {told.initial + timedelta(days=1)} --to {told.last}")


if __name__ == "__main__":
    main()
