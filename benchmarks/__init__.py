"""One file for each promised figure; each prints one JSON object and nothing else.

A bench stands on the real processes (`nguon.demo.stack`), in a temporary folder. Its
exit status is not 0 when the thing measured did not really happen.
"""
