"""Every setting, in one place. Values come from `ALEXANDRIA_*` variables or the caller.

Nothing is read when this module is imported: `Settings()` reads the environment once,
where a process begins (the command line, the API, the Dagster code location).
`docs/settings.md` lists every field; a test keeps the two equal.
"""

import sys
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints
from pydantic_settings import BaseSettings, SettingsConfigDict

Module = Literal["library", "lms", "marketplace"]
ProviderName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
"""As a provider of single sign-on is called in addresses."""


class OpenIdProvider(BaseModel):
    """Where people sign in, if not here.

    `tenant_id` is the library that people from there enter; unset, that of the settings.
    `trusts_email` takes addresses as true that the provider does not say it has verified: for
    a directory whose administrators alone can set them, such as one tenant of Azure AD.
    """

    model_config = ConfigDict(frozen=True)

    issuer: str
    client_id: str
    client_secret: SecretStr
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    tenant_id: str | None = None
    trusts_email: bool = False
    role: Literal["viewer", "user", "admin"] = "user"


class Settings(BaseSettings):
    """How this Alexandria is set up."""

    model_config = SettingsConfigDict(env_prefix="ALEXANDRIA_", extra="ignore", frozen=True)

    home: Path = Field(
        default=Path(".alexandria"),
        description="Folder that holds all state. Deleting it is a full reset.",
    )
    database_url: str | None = Field(
        default=None,
        description="Postgres with pgvector. Unset: PostgreSQL is started inside the home.",
    )
    serving_database_url: SecretStr | None = Field(
        default=None,
        description="The same database for the API, signed in as `alexandria_api`, which owns "
        "nothing. Unset: the address above, with the rights of that role.",
    )
    serving_connections: int = Field(
        default=20, ge=2, description="Connections to Postgres one API process may hold."
    )
    dagster_database_url: str | None = Field(
        default=None,
        description="Postgres for Dagster's own storage. Unset: database `dagster` beside ours.",
    )
    qdrant_url: str | None = Field(
        default=None,
        description="Qdrant server. Unset: Qdrant's engine runs in-process, inside the home.",
    )
    qdrant_api_key: SecretStr | None = Field(default=None, description="Key for that server.")
    serving_index: Literal["postgres", "qdrant"] = Field(
        default="postgres",
        description="Which index answers. `qdrant` needs ALEXANDRIA_QDRANT_URL: the in-process "
        "engine opens from one process at a time.",
    )
    blob_url: str | None = Field(
        default=None,
        description="Where original files are kept, any fsspec address (s3://bucket/prefix). "
        "Unset: a folder inside the home.",
    )
    upload_folder: Path | None = Field(
        default=None, description="Folder that uploads land in. Unset: inside the home."
    )
    tenant_id: str = Field(
        default="default",
        pattern=r"^[a-z0-9][a-z0-9-]{0,62}$",
        description="Whose library the command line works on and new people enter.",
    )
    embedding_model: str = Field(
        default="all-MiniLM-L6-v2",
        description="A model name this version knows, or a sentence-transformers folder.",
    )
    model_folder: Path = Field(
        default=Path(sys.prefix) / "share" / "alexandria" / "models",
        description="Where `make setup` keeps the exported embedding model.",
    )
    embedding_threads: int | None = Field(
        default=None, ge=1, description="Threads of the embedding model. Unset: all cores."
    )
    chunking: dict[str, dict[str, object]] = Field(
        default_factory=dict[str, dict[str, object]],
        description="Chunking strategy by module, as JSON; replaces the default of that module.",
    )
    max_file_bytes: int = Field(
        default=256 * 2**20, ge=1, description="Larger files go to quarantine."
    )
    reading_workers: int | None = Field(
        default=None,
        ge=1,
        description="Processes that read files and cut chunks. Unset: one for each core.",
    )
    reading_memory_bytes: int = Field(
        default=2 * 2**30,
        ge=256 * 2**20,
        description="Memory one of them may use; a file that needs more goes to quarantine.",
    )
    reading_seconds: float = Field(
        default=300.0,
        gt=0,
        description="Longest time to read a file of 1 MB; each further MB adds half of it. "
        "A file that takes longer goes to quarantine.",
    )
    dense_index_rows: int = Field(
        default=5_000,
        ge=1,
        description="Published entries from which Postgres gets an HNSW index and one of the "
        "terms; below, exact search builds nothing.",
    )
    image_model: str = Field(
        default="perceptual",
        description="What compares pictures: `perceptual` finds the same picture again; a CLIP "
        "model, as a sentence-transformers folder, finds pictures that show alike things.",
    )
    vision_model: str | None = Field(
        default=None,
        description="Language model that writes captions of pictures, as litellm names it. "
        "Unset: pictures have the captions their documents give them.",
    )
    ocr_engine: Literal["rapidocr", "tesseract", "off"] = Field(
        default="rapidocr",
        description="What reads text in pictures and scans. `tesseract` is a program of the "
        "system; without the engine, pictures and scans go to quarantine.",
    )
    ocr_languages: tuple[str, ...] = Field(
        default=(),
        description='Languages in pictures and scans, ISO 639-1 codes as JSON: ["en", "de"]. '
        "Empty: all that the engine has.",
    )
    ocr_threads: int = Field(
        default=1,
        ge=1,
        description="Threads of text recognition in each of the processes that read files.",
    )
    transcription_model: str | None = Field(
        default=None,
        description="Speech model for faster-whisper: a folder, or a name such as `small` whose "
        "files are on this machine. Unset: recordings go to quarantine.",
    )
    llm_models: tuple[str, ...] = Field(
        default=(),
        description="Language models in order of preference, as litellm names them, as JSON: "
        '["openai/gpt-4o-mini"]. Empty: answers are quoted by the extractive model.',
    )
    llm_api_key: SecretStr | None = Field(
        default=None,
        description="Key for the first model. Unset: litellm reads the provider's own variable.",
    )
    llm_timeout_seconds: float = Field(
        default=30.0, gt=0, description="Longest wait for one language model call."
    )
    environment: Literal["development", "production"] = Field(
        default="development",
        description="`production` refuses to start with settings that are safe on a laptop only.",
    )
    public_url: str = Field(
        default="http://127.0.0.1:8000",
        description="Address people reach the API at; tokens name it as their issuer, and "
        "requests for other names than its host are refused.",
    )
    registration: Literal["open", "closed"] | None = Field(
        default=None,
        description="Whether people may make accounts for themselves. Unset: open in "
        "development while the API listens on this machine alone; production wants it said.",
    )
    access_token_seconds: int = Field(
        default=900, ge=60, le=3600, description="How long an access token holds."
    )
    refresh_token_days: int = Field(
        default=14, ge=1, le=90, description="How long one stays signed in without asking anything."
    )
    session_days: int = Field(
        default=90, ge=1, le=365, description="How long one stays signed in at most."
    )
    openid_providers: dict[ProviderName, OpenIdProvider] = Field(
        default_factory=dict[str, OpenIdProvider],
        description="Single sign-on by provider, as JSON: "
        '{"okta": {"issuer": "https://…", "client_id": "…", "client_secret": "…"}}.',
    )
    secret_keys: tuple[SecretStr, ...] = Field(
        default=(),
        description="Fernet keys that encrypt stored secrets, newest first, as JSON. Unset: "
        "a file in the home that only its owner reads.",
    )
    secret_passphrase: SecretStr | None = Field(
        default=None, description="Derives those keys instead of storing them."
    )
    encrypt_blobs: bool = Field(
        default=False, description="Whether original files are kept encrypted (AES-256-GCM)."
    )
    rate_limit_requests: int = Field(
        default=100, ge=1, description="Requests a user, or an address without one, has a window."
    )
    rate_limit_window: int = Field(default=60, ge=1, description="Seconds of that window.")
    sign_in_limit: int = Field(
        default=10, ge=1, description="Attempts to sign in or register an address has a minute."
    )
    max_concurrent_requests: int = Field(
        default=100, ge=1, description="Requests one API process works on at a time."
    )
    cors_origins: tuple[str, ...] = Field(
        default=(), description="Origins whose pages may call the API from browsers, as JSON."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="Least grave messages that the API logs."
    )
    log_format: Literal["json", "console"] = Field(
        default="json", description="How the API's log looks."
    )
    trace_exporter: Literal["none", "console", "otlp"] = Field(
        default="none",
        description="Where OpenTelemetry spans go; `otlp` obeys OTEL_EXPORTER_OTLP_ENDPOINT.",
    )
    analytics_buffer_size: int = Field(
        default=10, ge=1, description="Usage events kept before they are written."
    )
    analytics_flush_interval: float = Field(
        default=10.0, gt=0, description="Seconds after which they are written anyway."
    )
    analytics_retention_days: int = Field(
        default=90, ge=1, description="Days usage events and questions are kept."
    )
    api_host: str = Field(default="127.0.0.1", description="Address the API listens on.")
    api_port: int = Field(default=8000, ge=1, le=65535, description="Port of the API.")
    dagster_port: int = Field(default=3000, ge=1, le=65535, description="Port of the Dagster UI.")

    @property
    def postgres_folder(self) -> Path:
        """Data folder of the embedded PostgreSQL."""
        return self.home.resolve() / "postgres"

    @property
    def qdrant_folder(self) -> Path:
        """Folder of the in-process Qdrant engine, one sub-folder for each generation."""
        return self.home.resolve() / "qdrant"

    @property
    def dagster_folder(self) -> Path:
        """`DAGSTER_HOME`: the instance file, logs and scratch space of Dagster."""
        return self.home.resolve() / "dagster"

    @property
    def uploads(self) -> Path:
        """Folder that uploads land in."""
        return self.upload_folder or self.home.resolve() / "uploads"

    @property
    def keys_folder(self) -> Path:
        """Keys that encrypt stored secrets; only their owner may read it."""
        return self.home.resolve() / "keys"

    @property
    def marts_folder(self) -> Path:
        """Published Parquet files for analysts."""
        return self.home.resolve() / "marts"

    @property
    def analytics_folder(self) -> Path:
        """Exports of the ledger and the DuckDB file that dbt builds in."""
        return self.home.resolve() / "analytics"

    @property
    def blobs(self) -> str:
        """Address of the blob store, as fsspec reads it."""
        return self.blob_url or str(self.home.resolve() / "blobs")
