"""`python -m tests.ready`: make the databases that tests begin as a copy of.

Whoever needs one makes it, too; made beforehand nobody waits for it.
"""

import tempfile
from pathlib import Path

from nguon.demo import template
from tests.postgresql import environment, run_ready_cluster


def main() -> None:
    """Make the tables, both maps, and the same on PostgreSQL."""
    with tempfile.TemporaryDirectory() as folder:
        template.copy_to(Path(folder) / "database", environment())
    with run_ready_cluster():
        pass


if __name__ == "__main__":
    main()
