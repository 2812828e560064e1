"""Core: what server and device must agree on, to the letter. Pure Python.

Owns messages on the wire, signatures, topic names, foreseen errors, how days and hours
are typed (`typed`) and the one function that says which item wins (`playout`). No
Django, no I/O, no clock.
"""
