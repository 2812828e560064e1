"""The figures of the sound chain. A change of any of them is a new VERSION.

The version is part of every sound's name, so a sound made by an older chain is
never taken for one of today's.
"""

VERSION = "2"

SAMPLE_RATE = 48_000
BIT_RATE = 64_000
# LAME's usual 5 takes twice the time of 7 and adds nothing that a horn can sound.
ENCODER_LEVEL = "7"
MIME = "audio/mpeg"
# A copy for listeners on the web: clear speech in a third of the bytes.
OPUS_BIT_RATE = 24_000
# The sound of a video; what goes in comes out as loud.
AAC_BIT_RATE = 64_000
OPUS_MIME = "audio/ogg"

# Silence before the first word: exact, so that a reported start is a true one.
HEAD_MS = 20
TAIL_MS = 200
PAUSE_MS = 400

# Source: EBU R 128 and issue A: −16 LUFS ± 1, true peak ≤ −1 dBTP.
TARGET_LUFS = -16.0
TOLERANCE_LU = 1.0
# LAME scales by 0.95 at constant bit rate, so what goes in is that much louder.
ENCODER_LOSS_DB = 0.45
PEAK_LIMIT_DBTP = -1.0
PEAK_AIM_DBTP = -1.5
# Below this length loudness by gates means little: level by peak.
SHORTEST_MEASURED_SECONDS = 3.0
SHORT_PEAK_DBTP = -3.0

# In a spoken text: half a second of silence, and the borders of an emphasis.
PAUSE, STRONG, WEAK = "‖", "‹", "›"

PEAK_POINTS = 200

# A minute of espeak-ng takes well below a second; a hanging voice is killed.
VOICE_TIMEOUT_SECONDS = 60.0
UNKNOWN_VOICE_STATUS = 3

# Which voices may read which language; the first is the usual one. Other languages
# are recorded by a person until their speakers have accepted a voice.
VOICES: dict[str, tuple[str, ...]] = {
    "vi": ("vi", "vi-VN-x-central", "vi-VN-x-south"),
}
