"""Where an approved bulletin also goes: print, documents, talks, social, messages.

Owns the outbox of what leaves by other people's systems, with its cost and result;
the contacts who asked for messages; the register of documents; the printed page. It
sends nothing that two persons did not approve: its texts are part of the version.
"""
