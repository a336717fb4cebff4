"""What compares pictures: the built-in descriptor on the open corpus, and CLIP on a tiny model."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from alexandria.adapters.image_descriptors import PERCEPTUAL, load_describer
from alexandria.adapters.image_descriptors.perceptual import PerceptualDescriber
from alexandria.errors import ConfigurationError, ModelMissingError
from alexandria.knowledge.parsing.recognition import make_thumbnail

Change = Callable[[Image.Image], Image.Image]
HOLDERS = (".docx", ".pptx", ".epub")
PICTURES = (".png", ".jpg", ".jpeg", ".tif")
LEAST_SIDE = 200
"""Icons are left out: a few per cent cut off one is a great part of what it shows."""


def rescaled(picture: Image.Image) -> Image.Image:
    return picture.resize((picture.width // 3, picture.height // 3))


def recompressed(picture: Image.Image) -> Image.Image:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=25)
    return Image.open(io.BytesIO(buffer.getvalue())).convert("RGB")


def cropped(picture: Image.Image) -> Image.Image:
    across, down = round(picture.width * 0.03), round(picture.height * 0.03)
    return picture.crop((across, down, picture.width - across, picture.height - down))


def tinted(picture: Image.Image) -> Image.Image:
    hue, saturation, value = picture.convert("HSV").split()
    turned = hue.point([(level + 20) % 256 for level in range(256)])
    return Image.merge("HSV", (turned, saturation, value)).convert("RGB")


def darkened(picture: Image.Image) -> Image.Image:
    return ImageEnhance.Brightness(picture).enhance(0.7)


def everything(picture: Image.Image) -> Image.Image:
    return tinted(recompressed(rescaled(cropped(picture))))


def _contents(corpus: Path) -> Iterator[bytes]:
    for path in sorted(corpus.rglob("*")):
        if path.suffix in HOLDERS:
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    if name.endswith(PICTURES):
                        yield archive.read(name)
        elif path.suffix in PICTURES:
            yield path.read_bytes()


@pytest.fixture(scope="module")
def gallery(corpus: Path) -> list[Image.Image]:
    """The distinct pictures of the corpus, flat and not too large."""
    found: list[Image.Image] = []
    for content in dict.fromkeys(_contents(corpus)):
        flat = Image.open(io.BytesIO(content)).convert("RGBA")
        flat.thumbnail((800, 800))
        paper = Image.new("RGBA", flat.size, "white")
        seen = Image.alpha_composite(paper, flat).convert("RGB")
        if min(flat.size) >= LEAST_SIDE and not any(_is_copy(seen, one) for one in found):
            found.append(seen)
    return found


def _is_copy(one: Image.Image, other: Image.Image) -> bool:
    """Whether they are the same picture in files of different bytes, pixel by pixel."""
    small = [np.asarray(each.resize((48, 48)), np.float32) for each in (one, other)]
    return bool(np.abs(small[0] - small[1]).mean() < 8)


@pytest.mark.parametrize(
    "change",
    [rescaled, recompressed, cropped, tinted, darkened, everything],
    ids=lambda one: one.__name__,
)
def test_a_changed_picture_is_most_like_its_original(
    gallery: list[Image.Image], change: Change
) -> None:
    describer = PerceptualDescriber()
    known = describer.describe([make_thumbnail(one) for one in gallery])
    asked = describer.describe([make_thumbnail(change(one)) for one in gallery])
    assert len(gallery) > 12
    assert (asked @ known.T).argmax(axis=1).tolist() == list(range(len(gallery)))


def png(colour: str, size: tuple[int, int] = (40, 30)) -> bytes:
    return make_thumbnail(Image.new("RGB", size, colour))


def test_every_vector_has_length_1_even_of_an_empty_picture() -> None:
    describer = load_describer(PERCEPTUAL)
    contents = [png("white"), png("black"), png("#808080"), png("#7f8080", (300, 1)), png("red")]
    vectors = describer.describe(contents)
    assert vectors.shape == (5, describer.dimension)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(5), abs=1e-5)
    assert vectors[0] @ vectors[1] < vectors[0] @ vectors[0] - 0.1
    assert describer.describe([]).shape == (0, describer.dimension)


@pytest.fixture(scope="module")
def clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CLIP model of 512 dimensions that has learnt nothing, as sentence-transformers keeps it."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Transformer
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPProcessor, CLIPTokenizer

    torch.manual_seed(7)
    folder = tmp_path_factory.mktemp("clip")
    tiny = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1}
    config = CLIPConfig(
        text_config=tiny | {"num_attention_heads": 2, "vocab_size": 60, "projection_dim": 512},
        vision_config=tiny
        | {"num_attention_heads": 2, "image_size": 32, "patch_size": 8, "projection_dim": 512},
        projection_dim=512,
    )
    CLIPModel(config).save_pretrained(folder / "weights")
    words = ["<|startoftext|>", "<|endoftext|>", *"abcdefgh", *(f"{one}</w>" for one in "abcdefgh")]
    (folder / "vocab.json").write_text(json.dumps({word: n for n, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"))
    size = {"shortest_edge": 32}
    images = CLIPImageProcessor(size=size, crop_size={"height": 32, "width": 32})
    CLIPProcessor(images, tokenizer).save_pretrained(folder / "weights")
    SentenceTransformer(modules=[Transformer(str(folder / "weights"))]).save(str(folder / "model"))
    return folder / "model"


def test_a_clip_model_describes_in_512_dimensions(clip_folder: Path) -> None:
    describer = load_describer(str(clip_folder))
    contents = [png("red"), png("blue"), png("red"), png("red", (30, 300))]
    vectors = describer.describe(contents)
    assert describer.dimension == 512
    assert vectors.shape == (4, 512)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(4), abs=1e-5)
    assert vectors[0] @ vectors[2] == pytest.approx(1.0, abs=1e-5)
    assert vectors[0] @ vectors[1] < 0.999
    assert describer.model_id == load_describer(str(clip_folder)).model_id
    assert describer.model_id != load_describer(PERCEPTUAL).model_id


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    for name in (str(tmp_path / "none"), "no-such-model-anywhere"):
        with pytest.raises(ModelMissingError, match="ALEXANDRIA_IMAGE_MODEL") as raised:
            load_describer(name)
        assert name in raised.value.message


def test_a_model_of_texts_is_refused(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import BoW

    folder = tmp_path / "words"
    SentenceTransformer(modules=[BoW(vocab=["a", "b"])]).save(str(folder))
    with pytest.raises(ConfigurationError, match="does not look at pictures"):
        load_describer(str(folder))
