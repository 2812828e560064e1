"""Territory: the ground. Units (đơn vị hành chính), their dates, successions.

Owns provinces, districts (until 30 June 2025), communes and villages, each with
`[valid_from, valid_to)`, on both maps. A code is reused: code and date together
name one unit. Does not own who works there (people).
"""
