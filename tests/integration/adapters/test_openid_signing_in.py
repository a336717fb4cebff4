"""Signing in with a real OpenID provider, and coming back with what was not asked for."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import oidc_provider_mock
import pytest
from openid_provider import REDIRECT_URI, Answer, Provider, browse
from openid_sign_ins import DISCOVERY, TOKEN, USERINFO, come_back, finish, sign_in, token_for
from pydantic import SecretStr

from alexandria.adapters.openid import ExternalIdentity, OpenIdClient
from alexandria.errors import SignInFailedError
from alexandria.settings import OpenIdProvider

# What works


def test_a_person_comes_back_with_a_name(client: OpenIdClient, openid_provider: Provider) -> None:
    identity = sign_in(client)

    assert identity == ExternalIdentity(
        issuer=openid_provider.issuer,
        subject="1",
        email="ada@engines.example",
        is_email_verified=True,
        name="Ada Lovelace",
        groups=("analysts", "everyone"),
    )
    assert USERINFO not in openid_provider.paths()


def test_the_address_asks_for_a_code_with_pkce(client: OpenIdClient) -> None:
    first, second = client.begin(), client.begin()

    asked = parse_qs(urlsplit(first.address).query)
    assert asked["response_type"] == ["code"]
    assert asked["client_id"] == ["alexandria"]
    assert asked["redirect_uri"] == [REDIRECT_URI]
    assert asked["scope"] == ["openid email profile"]
    assert asked["code_challenge_method"] == ["S256"]
    assert (asked["state"], asked["nonce"]) == ([first.state], [first.nonce])
    assert first.code_verifier not in first.address
    secrets = [(one.state, one.nonce, one.code_verifier) for one in (first, second)]
    assert len({value for group in secrets for value in group}) == 6
    assert 43 <= len(first.code_verifier) <= 128


def test_an_address_that_only_the_userinfo_endpoint_knows(client: OpenIdClient) -> None:
    identity = sign_in(client, "grace")

    assert (identity.email, identity.is_email_verified) == ("grace@navy.example", True)
    assert identity.groups is None


def test_an_unverified_address_is_called_so(client: OpenIdClient) -> None:
    identity = sign_in(client, "mallory")

    assert (identity.email, identity.is_email_verified) == ("ada@engines.example", False)
    assert identity.subject != sign_in(client, "ada").subject


def test_without_the_scope_there_is_no_address(openid_provider: Provider) -> None:
    settings = openid_provider.settings(scopes=("profile",))

    identity = sign_in(OpenIdClient(settings, REDIRECT_URI))

    assert (identity.email, identity.is_email_verified) == (None, False)
    assert identity.name == "Ada Lovelace"
    assert USERINFO not in openid_provider.paths()


def test_the_secret_goes_where_the_provider_reads_it(
    client: OpenIdClient, openid_provider: Provider
) -> None:
    sign_in(client)
    openid_provider.changes[DISCOVERY] = lambda answer: answer.saying(
        token_endpoint_auth_methods_supported=["client_secret_post"]
    )
    sign_in(OpenIdClient(openid_provider.settings(), REDIRECT_URI))

    basic, post = (item for item in openid_provider.passed if item.path == TOKEN)
    assert basic.headers["Authorization"].startswith("Basic ")
    assert b"client_secret" not in basic.body
    assert "Authorization" not in post.headers
    assert b"client_secret" in post.body


def test_another_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")  # the package's own word for loopback
    people = [oidc_provider_mock.User(sub="x7", claims={"email": "x@seven.example"})]
    with oidc_provider_mock.run_server_in_thread(user_claims=people) as server:
        issuer = f"http://localhost:{server.server_port}"
        settings = OpenIdProvider(issuer=issuer, client_id="any", client_secret=SecretStr("any"))
        client = OpenIdClient(settings, REDIRECT_URI)
        begun = client.begin()

        identity = finish(client, begun, browse(begun.address, {"sub": "x7"}))

    assert (identity.subject, identity.email) == ("x7", "x@seven.example")


# What came back is not what was asked for


def test_a_person_who_says_no(client: OpenIdClient) -> None:
    begun = client.begin()
    back = come_back(begun, button="")

    assert back["error"] == "access_denied"
    with pytest.raises(SignInFailedError, match="start again"):
        finish(client, begun, back)


def test_a_code_works_once(client: OpenIdClient, openid_provider: Provider) -> None:
    begun = client.begin()
    back = come_back(begun)
    finish(client, begun, back)

    with pytest.raises(SignInFailedError, match="start again"):
        finish(client, begun, back)
    assert openid_provider.paths().count(TOKEN) == 2


@pytest.mark.parametrize("verifier", ["", "x" * 64], ids=["none", "another"])
def test_a_stolen_code_is_worth_nothing_without_the_verifier(
    client: OpenIdClient, openid_provider: Provider, verifier: str
) -> None:
    begun = client.begin()
    back = come_back(begun)

    with pytest.raises(SignInFailedError):
        finish(client, replace(begun, code_verifier=verifier), back)
    assert TOKEN in openid_provider.paths()


def test_a_code_of_another_sign_in(client: OpenIdClient) -> None:
    """The code of the attacker, in the browser of the victim, with the victim's state."""
    attacker, victim = client.begin(), client.begin()
    back = come_back(attacker, "mallory")

    with pytest.raises(SignInFailedError):
        finish(client, victim, {**back, "state": victim.state})


def test_a_nonce_of_another_sign_in(client: OpenIdClient, openid_provider: Provider) -> None:
    begun = client.begin()
    back = come_back(begun)

    with pytest.raises(SignInFailedError):
        finish(client, replace(begun, nonce=client.begin().nonce), back)
    assert TOKEN in openid_provider.paths()


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "another"},
        {"state": ""},
        {"code": ""},
        {"iss": "https://elsewhere.example"},
        {"iss": None},
    ],
    ids=str,
)
def test_an_answer_that_does_not_fit_never_reaches_the_provider(
    client: OpenIdClient, openid_provider: Provider, changes: dict[str, str | None]
) -> None:
    begun = client.begin()
    back: dict[str, str | None] = {**come_back(begun), **changes}

    with pytest.raises(SignInFailedError, match="start again"):
        finish(client, begun, {name: value for name, value in back.items() if value is not None})
    assert TOKEN not in openid_provider.paths()


@pytest.mark.parametrize(
    "code",
    ["é", "a b&c=d", "\x00", "%", "x" * 5000],
    ids=["letter", "signs", "zero", "percent", "long"],
)
def test_a_code_that_nobody_gave_out(client: OpenIdClient, code: str) -> None:
    begun = client.begin()
    back = come_back(begun)

    with pytest.raises(SignInFailedError, match="start again"):
        finish(client, begun, {**back, "code": code})


def test_an_empty_state_never_fits(client: OpenIdClient) -> None:
    begun = client.begin()
    back = come_back(begun)

    with pytest.raises(SignInFailedError):
        client.finish(back["code"], "", replace(begun, state=""), issuer=back["iss"])


def test_a_token_for_another_client(client: OpenIdClient, openid_provider: Provider) -> None:
    """The real ID token that the provider wrote for somebody else's application."""
    other = OpenIdClient(openid_provider.settings("another"), REDIRECT_URI)
    stolen: list[str] = []

    def steal(answer: Answer) -> Answer:
        stolen.append(answer.document()["id_token"])
        return answer

    openid_provider.changes[TOKEN] = steal
    begun = other.begin()
    finish(other, begun, come_back(begun))
    openid_provider.changes[TOKEN] = lambda answer: answer.saying(id_token=stolen[0])

    begun = replace(client.begin(), nonce=begun.nonce)
    with pytest.raises(SignInFailedError):
        finish(client, begun, come_back(begun))


def test_the_address_of_somebody_else(client: OpenIdClient, openid_provider: Provider) -> None:
    openid_provider.changes[USERINFO] = lambda answer: answer.saying(sub="1")

    with pytest.raises(SignInFailedError):
        sign_in(client, "grace")


def test_whether_an_address_is_verified_is_asked_where_it_came_from(
    client: OpenIdClient, openid_provider: Provider
) -> None:
    token_for(openid_provider, lambda claims: openid_provider.sign(claims | {"email_verified": 1}))
    assert not sign_in(client).is_email_verified

    token_for(
        openid_provider,
        lambda claims: openid_provider.sign(claims | {"email": "", "email_verified": True}),
    )
    openid_provider.changes[USERINFO] = lambda answer: answer.saying(email_verified=None)
    identity = sign_in(client, "grace")
    assert (identity.email, identity.is_email_verified) == ("grace@navy.example", False)
