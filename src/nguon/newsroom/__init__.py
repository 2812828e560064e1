"""Newsroom: bulletins (bản tin), written, voiced, checked by a second person.

Owns drafts, frozen versions, renditions and who touched which version. An
approval is about a hash and never by somebody who touched the version; the
database holds that too. Does not own when and where a bulletin sounds (schedule).
"""
