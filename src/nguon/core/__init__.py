"""Core: what server and device must agree on, to the letter. Pure Python.

Owns messages on the wire, signatures, topic names, foreseen errors and the one
function that says which item wins (`playout`); and how days and hours are typed (`typed`).
No Django, no I/O, no clock.
"""
