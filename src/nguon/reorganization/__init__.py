"""Reorganization (sắp xếp đơn vị): the merge of units as one act over all rooms.

Owns a merge: what it moves by the succession table, what a person decides, the run,
the exact way back, and the end of that way. It owns no ground (`territory`) and no
thing that stands on it: `rules` says of every key to a unit whether it moves, stays
with its day, or is made anew. Words: merge, heir, moved.
"""
