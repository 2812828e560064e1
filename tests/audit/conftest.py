"""Partitions are PostgreSQL's: their tests are collected there only."""

import os

is_postgresql = os.environ.get("NGUON_DATABASE_URL", "").startswith("postgres")
collect_ignore = [] if is_postgresql else ["test_months.py"]
