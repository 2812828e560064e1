"""Other people's systems that carry our words: mail, text messages, calls, Zalo.

Owns the operator's file of accounts and one adapter per kind. Knows wires, limits and
what went wrong, and nothing of who is told what: that is its callers' affair.
"""
