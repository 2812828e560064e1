"""Demo: the whole system on one machine, and the proof that it works.

Owns starting and ending the real processes (`stack`), the demo world (`world`),
the main job done once over HTTP as people do it (`once`), and nothing that a real
province needs. Words: stack, world, claim.
"""
