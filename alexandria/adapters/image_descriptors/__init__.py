"""What turns pictures into vectors: a perceptual descriptor, or a CLIP model by setting."""

from alexandria.adapters.image_descriptors.clip import load_clip
from alexandria.adapters.image_descriptors.perceptual import PerceptualDescriber
from alexandria.knowledge.embedding import ImageDescriber

PERCEPTUAL = "perceptual"


def load_describer(name: str) -> ImageDescriber:
    """The describer that a setting names.

    Args:
        name: "perceptual", or a CLIP model as sentence-transformers knows it: a folder or the
            name of one that was downloaded before.

    Raises:
        ModelMissingError: There is no such model on this machine.
    """
    return PerceptualDescriber() if name == PERCEPTUAL else load_clip(name)
