"""The program on the loudspeaker or the board: holds signed plans and obeys them.

It owns one folder (`--home`) with its key, its store and its media, and needs no
network to play what it holds. It knows `core` and nothing else of ours, and its
install is small: the standard library, aiomqtt, miniaudio and the signature library.
Words: a *document* is signed and held; an *item* sounds once; a *voice* is an item
being decoded; a *sink* is where samples go; a *beat* is a sign of life.
"""
