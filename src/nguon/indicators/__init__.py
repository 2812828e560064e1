"""Chỉ tiêu: what is measured, how it is counted from facts, and on which map.

Reads the facts of the rooms below; changes nothing of theirs.
"""
