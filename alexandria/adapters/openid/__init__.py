"""Single sign-on with OpenID Connect: Azure AD, Google, Okta and any other provider.

`client` leads a person there and back. `documents` keeps what a provider publishes about
itself, `id_tokens` decides whether its word is to be believed, and `requests` is the only
way out to it: short, small and never redirected.
"""

from alexandria.adapters.openid.client import Begun, ExternalIdentity, OpenIdClient

__all__ = ["Begun", "ExternalIdentity", "OpenIdClient"]
