"""Audit: who did what, when. Append-only.

Owns the record of every change and nothing else. It points at no other table,
so it outlives everything it speaks of. Word: record.
"""
