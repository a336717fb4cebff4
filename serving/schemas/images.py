"""Pictures as the API shows them."""

from typing import Annotated, Any

from pydantic import Field

from serving.schemas.base import IdText, ResponseBody, with_example

_DOCUMENT_ID = "5b0a1a52-6a5e-5c0b-8f0e-0a3d5c1b2e4f"
_IMAGE_ID = f"{_DOCUMENT_ID}.9f86d081884c7d65"
IMAGE_EXAMPLE: dict[str, Any] = {
    "image_id": _IMAGE_ID,
    "document_id": _DOCUMENT_ID,
    "version_id": "9e4d7b11-2f0c-5a57-a3b1-6c8e0d2f4a6b",
    "title": "Lamp and Lens Manual",
    "path": "manuals/lamp-and-lens-manual.pdf",
    "label": "Page 3",
    "anchor": "page=3",
    "media_type": "image/png",
    "width": 1240,
    "height": 877,
    "text": "Handle\nGear wheel",
    "confidence": 0.93,
    "description": "The gear that turns the lens",
    "caption": "A drawing of a hand crank and a gear wheel behind a door.",
    "thumbnail_url": f"/api/v2/images/{_IMAGE_ID}/thumbnail",
    "original_url": f"/api/v2/images/{_IMAGE_ID}/original",
}
_UPLOAD: dict[str, Any] = {
    "image_id": _IMAGE_ID,
    "document_id": _DOCUMENT_ID,
    "image_url": f"/api/v2/images/{_IMAGE_ID}",
    "source_name": "uploads",
    "path": "gear-wheel.png",
    "size_bytes": 184320,
    "content_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "is_new": True,
}
ImageId = Annotated[str, Field(json_schema_extra={"pattern": r"^[0-9a-f-]{36}\.[0-9a-f]{16}$"})]
"""An id of a picture: that of a document that has it, and how its hash begins."""


class Image(ResponseBody):
    """A picture of a published document."""

    model_config = with_example(IMAGE_EXAMPLE)

    image_id: ImageId
    document_id: IdText
    version_id: IdText
    title: str = Field(description="Of its document.")
    path: str = Field(description="Of its document.")
    label: str = Field(description='What a reader calls its place: "Page 3".')
    anchor: str = Field(description='Where a viewer opens it: "page=3".')
    media_type: str
    width: int = Field(description="Pixels.")
    height: int = Field(description="Pixels.")
    text: str = Field(description="What recognition read in it.")
    confidence: float | None = Field(
        description="How sure recognition was of the text, 0 to 1; null without text."
    )
    description: str = Field(description="What the document says it shows.")
    caption: str = Field(description="What the vision model says it shows; empty without one.")
    thumbnail_url: str = Field(description="A PNG of 300 pixels at most on its longer side.")
    original_url: str = Field(description="Its bytes as they lie in the document.")


class SimilarImage(Image):
    """A picture that a search found."""

    model_config = with_example(IMAGE_EXAMPLE | {"score": 0.97})

    score: float = Field(description="Cosine: 1 for the same picture.")


class ImageSearchResponse(ResponseBody):
    """The pictures most like the one sent, best first."""

    model_config = with_example({"results": [IMAGE_EXAMPLE | {"score": 0.97}]})

    results: list[SimilarImage]


class ImageUploadResponse(ResponseBody):
    """A picture that was taken in; it can be found once its source's next run ends."""

    model_config = with_example(_UPLOAD)

    image_id: ImageId = Field(description="What it will be called.")
    document_id: IdText = Field(description="The document it becomes.")
    image_url: str = Field(description="Ask here for its text and caption; 404 until it is read.")
    source_name: str = Field(description="The source it will appear in.")
    path: str = Field(description="The path it will have in that source.")
    size_bytes: int
    content_hash: str = Field(description="SHA-256 of the bytes.")
    is_new: bool = Field(description="False if the same bytes were there under that name.")
