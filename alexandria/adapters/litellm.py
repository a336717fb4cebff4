"""Language models of any provider, through litellm. The only module that calls one."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from alexandria.errors import AlexandriaError, ConfigurationError, GatewayUnavailableError
from alexandria.settings import Settings

Message = Mapping[str, str]
"""`role` (system, user or assistant) and `content`."""


RETRIES = 2
"""How often one model is asked again before the next one is."""


@dataclass
class Usage:
    """What a completion used, known once it has ended. Money in US dollars."""

    model: str = ""
    token_count: int = 0
    cost_usd: float = 0.0


@dataclass
class LanguageModel:
    """The models of the settings, tried in their order; litellm retries each with backoff."""

    models: Sequence[str]
    api_key: str | None = None
    timeout_seconds: float = 30.0
    usage: Usage = field(default_factory=Usage)

    @classmethod
    def from_settings(cls, settings: Settings) -> "LanguageModel | None":
        """None when the settings name no model."""
        if not settings.llm_models:
            return None
        key = settings.llm_api_key
        return cls(
            settings.llm_models,
            key.get_secret_value() if key else None,
            settings.llm_timeout_seconds,
        )

    def stream(self, messages: Sequence[Message]) -> Iterator[str]:
        """The completion in pieces, as the provider sends them; fills `usage` at the end.

        Raises:
            ConfigurationError: The last provider refused the key or does not know the model.
            GatewayUnavailableError: No model answered, or the one that did broke off.
        """
        from openai import APIError  # what every error of litellm is a kind of

        *others, last = self.models
        has_begun = False
        for model in (*others, last):
            try:
                for piece in self._complete(model, messages):
                    has_begun = True
                    yield piece
            except APIError as error:
                if has_begun or model == last:
                    raise _translated(error) from error
            else:
                return

    def _complete(self, model: str, messages: Sequence[Message]) -> Iterator[str]:
        litellm = _import_litellm()
        response = litellm.completion(
            model=model,
            messages=[dict(message) for message in messages],
            api_key=self.api_key if model == self.models[0] else None,
            timeout=self.timeout_seconds,
            num_retries=RETRIES,
            stream=True,
            stream_options={"include_usage": True},
        )
        pieces: list[Any] = []
        for piece in response:
            pieces.append(piece)
            if piece.choices and (text := piece.choices[0].delta.content):
                yield text
        self._account(litellm, model, pieces, messages)

    def _account(
        self, litellm: Any, model: str, pieces: list[Any], messages: Sequence[Message]
    ) -> None:
        whole = litellm.stream_chunk_builder(pieces, messages=list(messages))
        self.usage.model = str(whole.model or model)
        self.usage.token_count = int(whole.usage.total_tokens)
        known = litellm.model_cost.get(model)
        self.usage.cost_usd = float(litellm.completion_cost(whole, model)) if known else 0.0


def _translated(error: Exception) -> AlexandriaError:
    from openai import AuthenticationError, NotFoundError, PermissionDeniedError

    if isinstance(error, AuthenticationError | NotFoundError | PermissionDeniedError):
        return ConfigurationError(f"The language model refused: {error}")
    return GatewayUnavailableError()


def _import_litellm() -> Any:
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # else it downloads its prices
    litellm: Any = import_module("litellm")  # far too large for a type checker to follow
    litellm.telemetry = False
    litellm.suppress_debug_info = True
    return litellm
