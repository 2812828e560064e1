"""What officers really get, read into the draft of a bulletin.

`kinds` tells by content what a file is; `reader` runs in a process of its own under
limits and turns it into text, a clean picture or a sound; `proposal` turns a letter's
text into what a station says. Nothing here writes to the database or sends anything.
"""
