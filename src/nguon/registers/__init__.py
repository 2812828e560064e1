"""Sổ: stations, the staff of communication and their training, propagandists.

What no device can tell: who and what is there, from when to when. `indicators`
counts it on any day; a person's row can be forgotten, its count stays.
"""
