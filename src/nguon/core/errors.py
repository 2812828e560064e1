"""The one root of every foreseen error, and its four kinds.

An error carries a stable code and data; never a sentence, never an HTTP status.
The sentence is built last, in the reader's language (`web.sentences`).
"""


class DomainError(Exception):
    """Something foreseen went wrong; `code` says what, `data` the particulars."""

    def __init__(self, code: str, /, **data: object) -> None:
        super().__init__(code)
        self.code = code
        self.data = data

    def __str__(self) -> str:
        details = ", ".join(f"{key}={value!r}" for key, value in self.data.items())
        return f"{self.code} ({details})" if details else self.code


class RefusedError(DomainError):
    """This person or device may not do that."""


class TooManyError(RefusedError):
    """Somebody asks too often; later it may be allowed."""


class AbsentError(DomainError):
    """There is no such thing, or not for this person."""


class GoneError(AbsentError):
    """What is asked for was here and was taken back."""


class ConflictError(DomainError):
    """The thing has changed, or is in a state that does not allow that."""


class InvalidError(DomainError):
    """What was given cannot be used as it is."""


class Known(dict[str, object]):
    """Data of an error for its sentence; what is missing stays a short dash."""

    def __missing__(self, key: str) -> str:
        return "–"
