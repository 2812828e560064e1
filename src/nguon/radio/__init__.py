"""Receives what others send live: a relay source over HTTP or as a playlist.

One implementation for the device that relays a source and for the server that
watches it, so that both judge it alike. Knows addresses by `core.addresses`, decodes
nothing and decides nothing: what a dead or silent source means is the rules' matter.
"""
