"""Exports a sentence-transformers model once: OpenVINO, int8, pooling inside the network.

The torch network is converted as it is, wrapped with its pooling and a normalisation, and
quantized after training by NNCF on the texts of `calibration.txt`. Every fifth of those
lines is held out: on them, and on long passages made of them, the export is compared with
the original, and an export that strays is refused. Lengths are tokens.

Laws: an export appears in one rename, so a killed one is never picked up; of two processes
exporting at once the second waits and takes what the first made; no network access.
"""

import hashlib
import io
import logging
import os
import shutil
import tempfile
import warnings
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from alexandria.adapters.text_embedding.openvino import (
    EXPORT_VERSION,
    MANIFEST,
    MODELS,
    NETWORK,
    TOKENIZER,
    WEIGHTS,
    Manifest,
    compile_network,
    export_folder,
    import_openvino,
    pad,
)
from alexandria.errors import ConfigurationError
from alexandria.knowledge.embedding import EmbeddingModel, Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

MINIMUM_COSINE = 0.99
"""Mean cosine to the original, on held-out texts, below which an export is refused."""

CALIBRATION = Path(__file__).with_name("calibration.txt")
"""Short passages in many languages, one a line, written for this purpose."""

_PARTIAL = ".partial-"
_HELD_OUT_EVERY = 5
_PASSAGES = ((3, 7), (6, 9), (12, 12))
"""Long texts are made by joining this many lines, starting at every so-manieth line."""

_SMOOTHING = 0.85
_FLOAT_LAYERS = r".*layer\.0\.output\.dense.*"
"""A first block's feed-forward output has a few huge components that int8 cannot hold:
kept in float, the mean distance to the original falls from 0.0053 to 0.0026 on long texts."""

_MODULES = ["Transformer", "Pooling", "Normalize"]
_ARCHITECTURES = frozenset({"bert", "distilbert", "roberta", "xlm-roberta"})
_POOLINGS = frozenset({"mean", "cls"})


@dataclass(frozen=True, slots=True)
class _Original:
    """A model as sentence-transformers loaded it, and what the export needs to know."""

    encoder: "SentenceTransformer"
    model: EmbeddingModel
    pooling: str
    padding_id: int
    folder: Path


def export_model(model_name: str, folder: Path) -> Path:
    """Export a model unless it has been exported; takes about a minute.

    Args:
        model_name: A name from `MODELS`, or the path of a sentence-transformers folder
            with a BERT-like encoder and mean or first-token pooling.
        folder: The folder of all exports; made when missing.

    Returns:
        The folder of this export, ready for `OpenVinoEmbedder`.

    Raises:
        ConfigurationError: There is no such model, its kind is not supported, or its
            export is too far from the original.
    """
    from filelock import FileLock

    target = export_folder(folder, model_name)
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f".{target.name}.lock"):
        if (target / MANIFEST).is_file():
            return target
        _drop_partials(target)
        partial = Path(tempfile.mkdtemp(prefix=f"{_PARTIAL}{target.name}-", dir=folder))
        try:
            with _quiet():
                _export(model_name, partial)
            _publish(partial, target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return target


def calibration_texts() -> tuple[list[str], list[str]]:
    """The texts to calibrate on and the texts held out, short and long ones in each."""
    lines = CALIBRATION.read_text(encoding="utf-8").splitlines()
    held_out = lines[::_HELD_OUT_EVERY]
    seen = [line for index, line in enumerate(lines) if index % _HELD_OUT_EVERY]
    return _with_passages(seen), _with_passages(held_out)


def _with_passages(lines: list[str]) -> list[str]:
    joined = [
        " ".join(lines[start : start + count])
        for count, step in _PASSAGES
        for start in range(0, len(lines) - count, step)
    ]
    return lines + joined


def _export(model_name: str, target: Path) -> None:
    original = _load(model_name)
    original.encoder.tokenizer.backend_tokenizer.save(str(target / TOKENIZER))
    seen, held_out = calibration_texts()
    network = _quantize(_convert(original), [_tokens(original, text) for text in seen])
    cosines = _compare(original, network, held_out)
    if cosines.mean() < MINIMUM_COSINE:
        message = (
            f"The int8 export of {model_name} has a mean cosine of {cosines.mean():.3f} to the "
            f"original; {MINIMUM_COSINE} is needed. Choose another embedding model."
        )
        raise ConfigurationError(message)
    import_openvino().save_model(network, target / NETWORK)
    _describe(original, cosines, target).save(target)


def _describe(original: _Original, cosines: NDArray[np.float64], target: Path) -> Manifest:
    return Manifest(
        model=original.model,
        export_version=EXPORT_VERSION,
        precision="int8",
        fingerprint=_fingerprint(original.folder),
        weights_sha256=_digest(target / WEIGHTS),
        padding_id=original.padding_id,
        cosine_mean=round(float(cosines.mean()), 5),
        cosine_min=round(float(cosines.min()), 5),
    )


def _fingerprint(folder: Path) -> str:
    """SHA-256 over everything that decides the vectors, but no machine's rounding."""
    weights = sorted([*folder.rglob("*.safetensors"), *folder.rglob("pytorch_model*.bin")])
    parts = [EXPORT_VERSION, f"{_SMOOTHING} {_FLOAT_LAYERS} {_PASSAGES} {_HELD_OUT_EVERY}"]
    parts += [_digest(path) for path in [*weights, CALIBRATION]]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _load(model_name: str) -> _Original:
    folder = _source_folder(model_name)
    from sentence_transformers import SentenceTransformer

    try:
        encoder = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    except (OSError, ValueError, KeyError) as cause:
        message = f"{folder} does not hold a sentence-transformers model: {cause}"
        raise ConfigurationError(message) from cause
    pooling = _require_supported(encoder, model_name)
    return _Original(
        encoder=encoder,
        model=MODELS.get(model_name) or _model_of(encoder, folder),
        pooling=pooling,
        padding_id=int(encoder.tokenizer.pad_token_id),
        folder=folder,
    )


def _source_folder(model_name: str) -> Path:
    if model_name not in MODELS:
        folder = Path(model_name)
        if (folder / "modules.json").is_file():
            return folder
        known = ", ".join(MODELS)
        message = f"No embedding model {model_name!r}: give one of {known}, or a model folder."
        raise ConfigurationError(message)
    package = MODELS[model_name].source
    found = find_spec(package)
    if found is None or found.origin is None:
        message = f"The package {package} is not installed; run `pip install {package}`."
        raise ConfigurationError(message)
    return Path(found.origin).with_name("model")


def _model_of(encoder: "SentenceTransformer", folder: Path) -> EmbeddingModel:
    return EmbeddingModel(
        name=folder.name,
        dimension=int(encoder.get_embedding_dimension() or 0),
        max_tokens=int(encoder.max_seq_length or 512),
        license="unknown",
        source=str(folder),
    )


def _require_supported(encoder: "SentenceTransformer", model_name: str) -> str:
    """The pooling of a model that can be exported.

    Raises:
        ConfigurationError: Some part of the model has no counterpart in the export.
    """
    kinds = [type(module).__name__ for module in encoder]
    configuration = getattr(_network_of(encoder), "config", None)
    architecture = str(getattr(configuration, "model_type", ""))
    pooling = str(getattr(encoder[1], "pooling_mode", "")) if len(kinds) > 1 else ""
    wanted = {
        f"modules {kinds}": kinds in (_MODULES, _MODULES[:2]),
        f"architecture {architecture!r}": architecture in _ARCHITECTURES,
        f"pooling {pooling!r}": pooling in _POOLINGS,
        f"prompts {encoder.prompts}": not any(encoder.prompts.values()),
    }
    unsupported = [name for name, supported in wanted.items() if not supported]
    if unsupported:
        message = (
            f"{model_name} cannot be exported: {'; '.join(unsupported)}. Supported are "
            f"{', '.join(sorted(_ARCHITECTURES))} with mean or cls pooling and no prompts."
        )
        raise ConfigurationError(message)
    return pooling


def _network_of(encoder: "SentenceTransformer") -> Any:
    """The transformers network inside the first module; None when it holds none."""
    return getattr(encoder[0], "auto_model", None)


def _convert(original: _Original) -> Any:
    import torch

    class Encoder(torch.nn.Module):
        """Token ids and mask, shape (texts, tokens), to unit vectors."""

        def __init__(self) -> None:
            super().__init__()
            self.network = _network_of(original.encoder)

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            states = self.network(input_ids=input_ids, attention_mask=attention_mask)
            hidden = states.last_hidden_state
            weights = attention_mask.unsqueeze(-1).to(hidden.dtype)
            mean = (hidden * weights).sum(1) / weights.sum(1)
            pooled = {"mean": mean, "cls": hidden[:, 0]}[original.pooling]
            return torch.nn.functional.normalize(pooled, dim=1)

    openvino = import_openvino()
    example = torch.ones((2, 16), dtype=torch.int64)
    inputs = {"input_ids": example, "attention_mask": example}
    shapes = [(name, [-1, -1], openvino.Type.i64) for name in inputs]
    with torch.no_grad():
        return openvino.convert_model(Encoder().eval(), example_input=inputs, input=shapes)


def _quantize(network: Any, samples: Sequence[Mapping[str, NDArray[np.int64]]]) -> Any:
    import nncf

    smoothing = nncf.AdvancedSmoothQuantParameters(matmul=_SMOOTHING)
    return nncf.quantize(
        network,
        nncf.Dataset(samples),
        model_type=nncf.ModelType.TRANSFORMER,
        subset_size=len(samples),
        ignored_scope=nncf.IgnoredScope(patterns=[_FLOAT_LAYERS], validate=False),
        advanced_parameters=nncf.AdvancedQuantizationParameters(smooth_quant_alphas=smoothing),
    )


def _tokens(original: _Original, text: str) -> dict[str, NDArray[np.int64]]:
    limit = original.model.max_tokens
    ids = original.encoder.tokenizer(text, truncation=True, max_length=limit)["input_ids"]
    return pad([np.asarray(ids, dtype=np.int64)], original.padding_id, limit)


def _compare(original: _Original, network: Any, texts: list[str]) -> NDArray[np.float64]:
    """Cosine of every text's vector to the original model's."""
    compiled = compile_network(network, 2)
    rows = [compiled(_tokens(original, text))[0][0].copy() for text in texts]
    found: Vectors = np.asarray(rows, dtype=np.float32)
    wanted = original.encoder.encode(texts, normalize_embeddings=True, show_progress_bar=False)
    return np.einsum("td,td->t", found, wanted, dtype=np.float64)


def _drop_partials(target: Path) -> None:
    """Remove what killed exports left; the caller holds the lock, so none is in use."""
    for leftover in target.parent.glob(f"{_PARTIAL}{target.name}-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    shutil.rmtree(target, ignore_errors=True)


def _publish(partial: Path, target: Path) -> None:
    for path in partial.iterdir():
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
    partial.chmod(0o755)
    partial.rename(target)


@contextmanager
def _quiet() -> Generator[None]:
    """Without the progress bars and tracing warnings of the libraries below."""
    loggers = [logging.getLogger(name) for name in ("nncf", "transformers")]
    levels = [logger.level for logger in loggers]
    console = io.StringIO()
    with warnings.catch_warnings(), redirect_stdout(console), redirect_stderr(console):
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
