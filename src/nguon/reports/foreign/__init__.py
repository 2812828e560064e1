"""Other people's forms of Word and Excel: opened with suspicion, filled, given back.

Only text between `{{ }}`, and empty cells, are written; every other byte stays, so
the form looks as its sender made it.
"""
