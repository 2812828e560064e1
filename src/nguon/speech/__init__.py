"""Speech: written Vietnamese → spoken Vietnamese → sound of an even loudness.

Owns the reading of numbers, dates and abbreviations, the voices (each in a process
of its own), loudness, and the MP3 that goes on the air. Knows no Django and no
bulletins: text in, sound and its measurements out.
"""
