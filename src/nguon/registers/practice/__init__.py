"""Luyện tập: a newcomer writes, approves, hears and stops a bulletin that nobody gets.

No real device can be reached from here, by construction: it knows no table, action or
key of the rooms that reach one (a contract of import-linter), it writes only
`PracticeRun`, `PracticeStep` and `Certificate`, and its loudspeakers exist in `ground`
alone. What it shares with them is their rules: what may be said when, what sounds.
"""
