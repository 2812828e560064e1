"""Web: settings, root URLs, the frame every screen hangs in, error sentences.

Owns what all screens share and the processes `web` and `worker`. It holds no rule of
the field: those are in the rooms below. Words: frame, sentence.
"""
