"""Fleet: devices (cụm loa, bảng tin) and every signed word sent to them.

Owns enrolment, device and server keys, media files by hash, signed documents,
the outbox and the device API. Knows no bulletins: what a document means is said
by the room that asks for it. Words: device, claim, signed document, outbox.
"""
