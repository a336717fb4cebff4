"""Which passwords and email addresses an account may have."""

import sys
import unicodedata
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alexandria.errors import InvalidInputError, WeakPasswordError
from alexandria.identity.passwords import (
    MAX_CHARACTERS,
    check_password,
    normalize_email,
    normalize_password,
)

GOOD = "velvet otter paints canals"


@pytest.mark.parametrize(
    "password",
    [
        GOOD,
        "пароль из пяти разных слов",
        "Tr0ub4dor&3-and-a-bit-more",
        "燈臺守はレンズを手で回し続ける",
        "mixed 🦉 owls 🦉 and jars",
        "kX9$wq2!vZ7p",
        (GOOD * 5)[:MAX_CHARACTERS],
        "nul \0 inside is a character",
    ],
)
def test_a_password_that_is_hard_to_guess_is_taken(password: str) -> None:
    check_password(password, ["ada@example.org", "Ada Lovelace"])


@pytest.mark.parametrize(
    ("password", "advice"),
    [
        ("", "fewer than 12"),
        ("kX9$wq2!vZ7", "fewer than 12"),
        ("e\u0301" * 11, "fewer than 12"),
        (GOOD + "x" * 200, "more than 128"),
        (GOOD * 10_000, "more than 128"),
        ("\ufdfa" * 100, "more than 128"),
        ("x" + "\u0301\u0316" * 1_000_000, "more than 128"),
        ("password1234", "easy to guess"),
        ("PASSWORDpassword", "easy to guess"),
        ("aaaaaaaaaaaaaaaaaa", "Repeats"),
        ("qwertyuiop[]", "easy to guess"),
        ("123456789012345", "easy to guess"),
        ("1" * 72 + "x" * 40, "easy to guess"),
        ("alexandria2024", "easy to guess"),
        (GOOD + "\ud83e", "half a character"),
    ],
)
def test_a_weak_password_is_refused_with_advice(password: str, advice: str) -> None:
    with pytest.raises(WeakPasswordError) as caught:
        check_password(password)
    assert advice in caught.value.message
    assert not password or password not in caught.value.message


@pytest.mark.parametrize(
    ("password", "known"),
    [
        ("velvet lovelace paints canals", ["ada@example.org", "Ada Lovelace"]),
        ("velvet LoveLace paints canals", ["ada@example.org", "ada lovelace"]),
        ("velvet ada.lovelace canals", ["ada.lovelace@example.org"]),
        ("velvet \uff4c\uff4f\uff56\uff45\uff4c\uff41\uff43\uff45 paints", ["Lovelace"]),
        ("velvet ƒ straße paints canals", ["Strasse"]),
    ],
)
def test_the_name_of_its_owner_is_no_part_of_a_password(
    password: str, known: Sequence[str]
) -> None:
    check_password(password)
    with pytest.raises(WeakPasswordError, match="contains your name"):
        check_password(password, known)


def test_what_is_known_of_the_owner_may_be_long() -> None:
    check_password(GOOD, ["\u0301\u0316" * 1_000_000, "quux " * 1_000_000])


def test_short_names_and_the_domain_may_occur_by_chance() -> None:
    check_password("velvet adapter example canals", ["ada@example.org", "Ada Li"])


@pytest.mark.parametrize(
    ("password", "known"),
    [("gatsfleet2024", "ada@gatsfleet.example"), ("G4tsfl33t1815", "Ada Gatsfleet")],
)
def test_what_is_known_of_the_owner_is_guessed_first(password: str, known: str) -> None:
    check_password(password, ["eve@example.org", "Eve"])
    with pytest.raises(WeakPasswordError, match="easy to guess"):
        check_password(password, [known])


def test_two_checks_at_once_do_not_mix_their_owners() -> None:
    """zxcvbn keeps what is known of the owner in one table."""
    owners = ["eve@example.org", "ada@gatsfleet.example"]

    def is_taken(number: int) -> bool:
        try:
            check_password("gatsfleet2024", [owners[number % 2]])
        except WeakPasswordError:
            return False
        return True

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(8) as pool:
            taken = list(pool.map(is_taken, range(400)))
    finally:
        sys.setswitchinterval(interval)
    assert taken == [number % 2 == 0 for number in range(400)]


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_a_password_is_the_same_from_every_keyboard(form: str) -> None:
    typed = unicodedata.normalize(form, "crème brûlée à l'été")  # type: ignore[arg-type]
    assert normalize_password(typed) == normalize_password("crème brûlée à l'été")
    full_width = "\uff56\uff45\uff4c\uff56\uff45\uff54"
    assert normalize_password(full_width) == "velvet"


@given(st.text(max_size=200), st.lists(st.text(max_size=40), max_size=3))
def test_any_text_is_taken_or_refused(password: str, known: list[str]) -> None:
    try:
        check_password(password, known)
    except WeakPasswordError:
        return
    assert 12 <= len(normalize_password(password)) <= MAX_CHARACTERS


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("ada@example.org", "ada@example.org"),
        ("  Ada.Lovelace@Example.ORG\n", "ada.lovelace@example.org"),
        ("e\u0301ric@b\u00fccher.example", "\u00e9ric@b\u00fccher.example"),
        ("ada@xn--bcher-kva.example", "ada@b\u00fccher.example"),
        ("ada+papers@example.org", "ada+papers@example.org"),
    ],
)
def test_an_address_has_one_form(typed: str, stored: str) -> None:
    assert normalize_email(typed) == stored
    assert normalize_email(stored) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ada",
        "ada@",
        "@example.org",
        "ada@localhost",
        "ada lovelace@example.org",
        "Ada <ada@example.org>",
        "ada@example.org, eve@example.org",
        "ada@example.org\nBcc: eve@example.org",
        "ada..l@example.org",
        "ada@[127.0.0.1]",
        "ada@exa\u200bmple.org",
        "a" * 65 + "@example.org",
        "a" * 1_000_000 + "@example.org",
        "ada@example.org\0",
        "\ud800@example.org",
    ],
)
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        normalize_email(typed)
    assert not isinstance(caught.value, WeakPasswordError)
    assert len(caught.value.message) < 400


@given(
    st.one_of(st.emails(), st.text(max_size=60), st.builds("{}@{}".format, st.text(), st.text()))
)
def test_a_stored_address_is_stored_the_same_again(typed: str) -> None:
    try:
        stored = normalize_email(typed)
    except InvalidInputError:
        return
    assert normalize_email(stored) == stored
    assert stored == stored.lower()
