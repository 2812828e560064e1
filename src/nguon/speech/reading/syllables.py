"""Which strings are Vietnamese syllables, and how a foreign cluster is said.

What is no syllable is an abbreviation, a foreign word or a name from another
language; a voice for Vietnamese has no idea of it.
"""

import re
import unicodedata
from functools import lru_cache

_TONES = dict.fromkeys(map(ord, "\u0300\u0301\u0303\u0309\u0323"))
_ONSETS = "b|c|ch|d|đ|g|gh|gi|h|k|kh|l|m|n|ng|ngh|nh|p|ph|qu|r|s|t|th|tr|v|x"
_RHYMES = (
    "a|ai|ao|au|ay|ac|ach|am|an|ang|anh|ap|at|ăc|ăm|ăn|ăng|ăp|ăt|âu|ây|âc|âm|"
    "ân|âng|âp|ât|e|eo|ec|em|en|eng|ep|et|ê|êu|êch|êm|ên|ênh|êp|êt|i|ia|iu|ich|"
    "im|in|inh|ip|it|iêu|iêc|iêm|iên|iêng|iêp|iêt|o|oi|oc|om|on|ong|op|ot|oa|"
    "oai|oao|oay|oac|oach|oam|oan|oang|oanh|oap|oat|oăc|oăm|oăn|oăng|oăt|oe|"
    "oeo|oen|oet|ooc|oong|ô|ôi|ôc|ôm|ôn|ông|ôp|ôt|ơ|ơi|ơm|ơn|ơp|ơt|u|ua|ui|uc|"
    "um|un|ung|up|ut|uê|uêch|uên|uênh|uy|uya|uyu|uych|uynh|uyt|uyp|uyn|uyên|"
    "uyêt|uơ|uân|uâng|uât|uây|uôi|uôc|uôm|uôn|uông|uôt|ư|ưa|ưi|ưu|ưc|ưm|ưng|ưt|"
    "ươi|ươu|ươc|ươm|ươn|ương|ươp|ươt|y|ynh|yt|yp|ych|yêu|yêm|yên|yêng|yêt"
)
_SYLLABLE = re.compile(f"(?:{_ONSETS})?(?:{_RHYMES})")
# Unaccented, as in web addresses: gialai, baogialai.
_BARE = re.compile(
    re.sub(
        r"[^\x00-\x7f]",
        "",
        unicodedata.normalize("NFD", _SYLLABLE.pattern.replace("đ", "d")),
    )
)
# Bahnar, Jrai, Xơ Đăng: consonant clusters and finals that Vietnamese has not.
_SPLIT = re.compile(
    r"(?P<first>chr|kr|gr|br|pr|dr|đr|tr|tl|pl|bl|kl|gl|hl|hr|ml|mr|sr|jr|kb|kd|kp|kt"
    r"|kn|km|đh|bh|dh)(?P<rest>[^\W\d_]+)"
)
_FIRST = {
    "chr": ("chờ", "r"),
    "kr": ("cờ", "r"),
    "kl": ("cờ", "l"),
    "gr": ("gờ", "r"),
    "gl": ("gờ", "l"),
    "br": ("bờ", "r"),
    "bl": ("bờ", "l"),
    "pr": ("pờ", "r"),
    "pl": ("pờ", "l"),
    "dr": ("đờ", "r"),
    "đr": ("đờ", "r"),
    "tl": ("tờ", "l"),
    "hl": ("hờ", "l"),
    "hr": ("hờ", "r"),
    "ml": ("mờ", "l"),
    "mr": ("mờ", "r"),
    "sr": ("sờ", "r"),
    "jr": ("di", "r"),
    "kb": ("cờ", "b"),
    "kd": ("cờ", "đ"),
    "kp": ("cờ", "p"),
    "kt": ("cờ", "t"),
    "kn": ("cờ", "n"),
    "km": ("cờ", "m"),
    "đh": ("đờ", "h"),
    "bh": ("bờ", "h"),
    "dh": ("đờ", "h"),
}
_ENDINGS = (("k", "c"), ("h", ""), ("l", "n"), ("r", ""), ("ơng", "ơn"), ("ey", "ây"))
_ACUTE = str.maketrans("aăâeêioôơuưy", "áắấéếíóốớúứý")


def without_tone(word: str) -> str:
    """Return a word in small letters without its tone mark."""
    plain = unicodedata.normalize("NFD", word.lower()).translate(_TONES)
    return unicodedata.normalize("NFC", plain)


@lru_cache(maxsize=20_000)
def is_syllable(word: str) -> bool:
    """Say whether a word could be a Vietnamese syllable, with or without tone."""
    return _SYLLABLE.fullmatch(without_tone(word)) is not None


@lru_cache(maxsize=2_000)
def split_bare(word: str) -> str | None:
    """Return the syllables of an unaccented word written as one: gialai → gia lai."""
    ends: dict[int, list[str]] = {0: []}
    for start in range(len(word)):
        if start not in ends:
            continue
        for end in range(start + 1, min(len(word), start + 7) + 1):
            piece = word[start:end]
            if _BARE.fullmatch(piece):
                known = ends.get(end)
                if known is None or len(known) > len(ends[start]) + 1:
                    ends[end] = [*ends[start], piece]
    found = ends.get(len(word))
    return " ".join(found) if found else None


@lru_cache(maxsize=5_000)
def respell(word: str) -> str | None:
    """Return a name of the highlands in Vietnamese syllables, or None.

    Krông → cờ rông, Păh → pá, Đak → đắc, Pưh → pứ.
    """
    low = word.lower().replace("'", "").replace("’", "")
    low = low.replace("w", "u").replace("j", "gi") if low[:2] not in {"jr"} else low
    prefix = ""
    if (match := _SPLIT.fullmatch(low)) and not is_syllable(low):
        if match["first"] not in _FIRST:
            return None
        said, kept = _FIRST[match["first"]]
        prefix, low = f"{said} ", f"{kept}{match['rest']}"
    for ending, better in _ENDINGS:
        if is_syllable(low):
            break
        if low.endswith(ending) and len(low) > len(ending) + 1:
            low = low[: -len(ending)] + better
            if ending in {"k", "h"}:
                low = _stopped(low)
    return prefix + low if is_syllable(low) else None


def _stopped(word: str) -> str:
    """Give a cut-off vowel its acute, as Vietnamese says it: pă → pắ is pá."""
    if unicodedata.normalize("NFD", word).translate(_TONES) != unicodedata.normalize(
        "NFD", word
    ):
        return word
    vowels = [i for i, letter in enumerate(word) if letter in "aăâeêioôơuưy"]
    if not vowels:
        return word
    at = (
        vowels[-1]
        if word[-1] not in "aăâeêioôơuưy" or len(vowels) == 1
        else (vowels[-2])
    )
    letter = word[at]
    if word[-1] in "aăâeêioôơuưy" and letter in "ăâ":
        letter = "a"
    return word[:at] + letter.translate(_ACUTE) + word[at + 1 :]
