"""Reading: written Vietnamese → what a newsreader says, in one pass from left to right.

Owns the rules, one module per family, each an ordered table of `Rule`; `scan` runs
them. A rule sees the written text before and after it, never what another rule
said, so the order of families cannot change what a rule finds. What no rule
understands is said as well as can be and reported as a doubt, never dropped.
"""
