"""Simulator: thousands of virtual devices in one process, on core.

Each has its own key, claim, connection and store, verifies what it is told, decides
by `core.playout` and reports like a real one; only its loudspeaker is virtual. It is
given a server's address and claim codes, nothing else, and imports no Django.
What identical signed bytes say is checked once for all devices of the process;
freshness, target, number and expiry are checked by each.
Words: swarm (the process), notary (who checks signatures), tally (what was counted).
"""
