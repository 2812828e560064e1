"""Names on the bus and opaque ids: build and parse.

MQTT topics use `/`, NATS subjects `.`; one is the other with the mark changed.
Units are named by an opaque `uid`, because administrative codes are reused.
"""

import secrets

ROOT = "nguon/v1"
UID_LENGTH = 12
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_LETTERS = frozenset(_ALPHABET)

AREA_CHANNELS = ("nudge", "alert")
DEVICE_DOWN = ("command", "ack")
DEVICE_UP = ("event", "beat")
_CHANNELS = {"area": AREA_CHANNELS, "device": DEVICE_DOWN + DEVICE_UP}


def new_uid() -> str:
    """Return a fresh opaque id: 12 lower-case base32 characters (60 bits)."""
    # 32 letters: five bits of each random byte name one, all equally often.
    return "".join(_ALPHABET[byte & 31] for byte in secrets.token_bytes(UID_LENGTH))


def is_uid(text: str) -> bool:
    """Say whether `text` has the form of an opaque id."""
    return len(text) == UID_LENGTH and _LETTERS.issuperset(text)


def area(unit_uid: str, channel: str) -> str:
    """Return the topic on which an area hears `nudge` or `alert`."""
    return f"{ROOT}/area/{unit_uid}/{channel}"


def device(device_uid: str, channel: str) -> str:
    """Return the topic of one device: command, ack (down), event, beat (up)."""
    return f"{ROOT}/device/{device_uid}/{channel}"


def subject(topic: str) -> str:
    """Return the NATS subject that carries an MQTT topic."""
    return topic.replace("/", ".")


def parse(topic: str) -> tuple[str, str, str]:
    """Return (`area` or `device`, uid, channel) of a topic or a NATS subject.

    Raises ValueError for a name that is not ours.
    """
    parts = topic.replace(".", "/").split("/")
    if len(parts) != 5 or "/".join(parts[:2]) != ROOT:
        raise ValueError(f"not a topic of ours: {topic!r}")
    scope, uid, channel = parts[2:]
    if channel not in _CHANNELS.get(scope, ()) or not is_uid(uid):
        raise ValueError(f"not a topic of ours: {topic!r}")
    return scope, uid, channel
