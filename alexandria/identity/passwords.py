"""What a password and an email address must be like before an account has them.

A password is compared and hashed in the form NFKC: it is the same password whether a
keyboard writes its letters composed, decomposed or full-width.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from threading import Lock

from alexandria.errors import InvalidInputError, WeakPasswordError

MIN_CHARACTERS = 12
MAX_CHARACTERS = 128
LONGEST_TYPED = 4 * MAX_CHARACTERS
"""No normal form is that much shorter than what was typed. Nothing longer is normalized: the
time for that grows with the square of the accents on one letter."""

_MOST_EMAIL_CHARACTERS = 320
"""64 before the @ and 255 after it."""

_ENOUGH_SCORE = 3
"""Of zxcvbn's 0 to 4: 10^8 guesses at least."""

_JUDGED_CHARACTERS = 32
"""What zxcvbn is given. It tries every reading of digits and signs as letters: a hostile 72
characters keep it busy for two seconds, 32 for a third of one. The rest only makes a
password harder to guess."""

_TELLING_CHARACTERS = 4
"""Shorter parts of a name are inside many honest passwords."""

LISTED_WORDS = ("alexandria", "library")

_judging = Lock()
"""zxcvbn keeps the words of the owner in a table that all its calls share."""


def normalize_password(password: str) -> str:
    """The form of a password that is checked and hashed."""
    return unicodedata.normalize("NFKC", password)


def check_password(password: str, known_of_owner: Sequence[str] = ()) -> None:
    """Refuse a password that is too short, too long or too easy to guess.

    Args:
        password: As it was typed. Any characters will do; none are demanded.
        known_of_owner: What others know of its owner: email address, names. Of each, the
            first 320 characters count.

    Raises:
        WeakPasswordError: It is; the message says how to find a better one.
    """
    if len(password) > LONGEST_TYPED:
        raise WeakPasswordError(_too_long())
    normal = normalize_password(password)
    if len(normal) < MIN_CHARACTERS:
        raise WeakPasswordError(
            f"The password has fewer than {MIN_CHARACTERS} characters; take a few unrelated words."
        )
    if len(normal) > MAX_CHARACTERS:
        raise WeakPasswordError(_too_long())
    if any("\ud800" <= character <= "\udfff" for character in normal):
        raise WeakPasswordError("The password holds half a character; type it again.")
    known = [text[:_MOST_EMAIL_CHARACTERS] for text in known_of_owner]
    folded = normal.casefold()
    if any(part in folded for part in _parts(known)):
        raise WeakPasswordError(
            "The password contains your name or email address; leave them out of it."
        )
    _check_strength(normal, known)


def normalize_email(text: str) -> str:
    """The address as it is stored and compared: lower case, in composed Unicode.

    Nothing is asked of the network.

    Raises:
        InvalidInputError: No mail could be addressed like that; the message says why.
    """
    from email_validator import EmailNotValidError, validate_email

    if len(text) > _MOST_EMAIL_CHARACTERS:
        raise InvalidInputError("The email address is too long.")
    try:
        address = validate_email(text.strip(), check_deliverability=False, strict=True).normalized
    except EmailNotValidError as error:
        raise InvalidInputError(f"The email address is not valid. {error}") from error
    return unicodedata.normalize("NFC", address.lower())


def _too_long() -> str:
    return f"The password has more than {MAX_CHARACTERS} characters; a shorter one is safe too."


def _parts(known_of_owner: Sequence[str]) -> Iterator[str]:
    """Names, their words, and what stands before the @ of an address, with its words."""
    for known in known_of_owner:
        name = normalize_password(known).casefold().partition("@")[0].strip()
        for part in (name, *re.split(r"[\W_]+", name)):
            if len(part) >= _TELLING_CHARACTERS:
                yield part


def _check_strength(normal: str, known_of_owner: Sequence[str]) -> None:
    from zxcvbn import zxcvbn

    words = (word for known in known_of_owner for word in re.split(r"[\W_]+", known) if word)
    guessable = [*LISTED_WORDS, *known_of_owner, *_parts(known_of_owner), *words]
    with _judging:
        verdict = zxcvbn(normal[:_JUDGED_CHARACTERS], guessable)
    if verdict["score"] < _ENOUGH_SCORE:
        feedback = verdict["feedback"]
        advice = [feedback["warning"], *feedback["suggestions"]]
        hints = " ".join(hint if hint.endswith(".") else f"{hint}." for hint in advice if hint)
        raise WeakPasswordError(f"The password is too easy to guess. {hints}".strip())
