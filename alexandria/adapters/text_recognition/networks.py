"""RapidOCR's two networks on OpenVINO: where lines of text are, and what a line says.

The package brings the networks (PP-OCRv6, small) and the arithmetic around them. They run
here instead of in its own session for two reasons, both measured: with a fixed input size
the runtime reuses memory between layers (0.2 GB instead of 1.2 GB for a page), and with the
choice of the likeliest character inside the network a line costs kilobytes, not 20 MB.
"""

import math
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alexandria.adapters.text_embedding.openvino import import_openvino
from alexandria.adapters.text_recognition.languages import allowed_characters
from alexandria.errors import ConfigurationError

Pixels = NDArray[np.uint8]
"""Height, width, three colours (blue first, as the networks were trained)."""

Corners = NDArray[np.float32]
"""Boxes as four points (left to right is x), clockwise; shape (boxes, 4, 2)."""

_DETECTION, _READING = "PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx"
_LONGEST = 1600
"""Pixels of a page's longer side while lines are looked for: 137 dpi on A4."""

_ENLARGED = 2.0
_STEP = 160
_KEPT_PIXELS = 2_400_000
_LINE_HEIGHT = 48
_NARROWEST, _WIDEST = 320, 3200
_WIDTH_STEP = 32
_FIRST_LINES = 1000


class LineFinder:
    """Finds lines of text. Not safe to call from two threads.

    Args:
        threads: How many it may use.
    """

    def __init__(self, threads: int) -> None:
        from rapidocr.ch_ppocr_det.utils import DBPostProcess

        self._threads = threads
        self._boxes: Any = DBPostProcess(
            thresh=0.3,
            box_thresh=0.5,
            unclip_ratio=1.6,
            use_dilation=True,
            max_candidates=_FIRST_LINES,
        )
        self._compiled: OrderedDict[tuple[int, int], Any] = OrderedDict()

    def find(self, pixels: Pixels) -> Corners:
        """Boxes of the lines, in pixels of the picture and in no particular order."""
        height, width = pixels.shape[:2]
        scale = min(_LONGEST / max(height, width), _ENLARGED)
        image, size = _on_canvas(pixels, scale)
        found = self._network(image.shape[0], image.shape[1])
        heat = found.infer([image[None]])
        values = np.array(next(iter(heat.values())))[:, :, : size[0], : size[1]]
        found.get_compiled_model().release_memory()
        boxes, _ = self._boxes(values, (height, width))
        return np.asarray(boxes, dtype=np.float32).reshape(-1, 4, 2)

    def _network(self, height: int, width: int) -> Any:
        """The network for an input of that size. The latest are kept, up to some pixels."""
        key = (height, width)
        if key in self._compiled:
            self._compiled.move_to_end(key)
            return self._compiled[key]
        while self._compiled and sum(h * w for h, w in [key, *self._compiled]) > _KEPT_PIXELS:
            self._compiled.popitem(last=False)
        model = import_openvino().Core().read_model(model_path(_DETECTION))
        model.reshape([1, 3, height, width])
        self._compiled[key] = _compile(_taking_pixels(model), self._threads)
        return self._compiled[key]


class LineReader:
    """Reads single lines of text. Not safe to call from two threads.

    Args:
        languages: ISO 639-1 codes; their letters are all it can find.
        threads: How many it may use.

    Raises:
        ConfigurationError: A language it has no model for.
    """

    def __init__(self, languages: Sequence[str], threads: int) -> None:
        model = import_openvino().Core().read_model(model_path(_READING))
        listed = model.get_rt_info()["framework"]["character"].value.splitlines()
        characters = ["", *listed, " "]
        kept = allowed_characters(characters, languages)
        self._characters = np.array([characters[position] for position in kept])
        self._network: Any = _compile(_choosing(model, kept), threads)

    def read(self, line: Pixels) -> tuple[str, float]:
        """What a line says, and how sure that is: 0..1, the mean of its characters."""
        best = self._network.infer([_line_tensor(line)])
        sure, chosen = (np.array(one).reshape(-1) for one in best.values())
        chosen = chosen.astype(np.int64)
        new = np.ones(len(chosen), dtype=bool)
        new[1:] = chosen[1:] != chosen[:-1]
        new &= chosen != 0
        if not new.any():
            return "", 0.0
        return "".join(self._characters[chosen[new]]), float(sure[new].mean())

    def rest(self) -> None:
        """Give back the memory between pages; the next line takes it again."""
        self._network.get_compiled_model().release_memory()


def model_path(name: str) -> Path:
    """Where RapidOCR's package keeps a network.

    Raises:
        ConfigurationError: The package is not what was installed with Alexandria.
    """
    import rapidocr

    path = Path(rapidocr.__file__).parent / "models" / name
    if not path.is_file():
        raise ConfigurationError(
            f"The package rapidocr has no model {name}; install the version that "
            "Alexandria asks for, or set ALEXANDRIA_OCR_ENGINE=off."
        )
    return path


def _taking_pixels(model: Any) -> Any:
    """The network with bytes as its input; it makes numbers around zero of them itself."""
    openvino = import_openvino()
    preprocess = openvino.preprocess.PrePostProcessor(model)
    ours = preprocess.input()
    ours.tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
    ours.model().set_layout(openvino.Layout("NCHW"))
    ours.preprocess().convert_element_type(openvino.Type.f32).mean(127.5).scale(127.5)
    return preprocess.build()


def _compile(model: Any, threads: int) -> Any:
    """A request of the network; float32 so that every processor finds the same."""
    options = {
        "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": "f32",
    }
    compiled = import_openvino().Core().compile_model(model, "CPU", options)
    return compiled.create_infer_request()


def _choosing(model: Any, kept: Sequence[int]) -> Any:
    """The reading network, ending in the likeliest of the kept characters for each step."""
    openvino = import_openvino()
    ops = openvino.opset13
    last = [node for node in model.get_ordered_ops() if node.get_type_name() == "MatMul"][-1]
    bias = next(iter(last.output(0).get_target_inputs())).get_node()
    weights = last.input_value(1).get_node().data[:, kept]
    offsets = bias.input_value(1).get_node().data[kept]
    scores = ops.add(
        ops.matmul(last.input_value(0), ops.constant(weights), False, False),
        ops.constant(offsets),
    )
    one = ops.constant(1, dtype=np.int64)
    best = ops.topk(ops.softmax(scores, 2), one, 2, "max", "none", index_element_type="i32")
    results = [ops.result(best.output(0)), ops.result(best.output(1))]
    return openvino.Model(results, model.get_parameters(), "line_reader")


def _on_canvas(pixels: Pixels, scale: float) -> tuple[Pixels, tuple[int, int]]:
    """The scaled picture at the top left of a canvas of a rounded size; and its own size."""
    import cv2

    height, width = (max(1, round(side * scale)) for side in pixels.shape[:2])
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    small = cv2.resize(pixels, (width, height), interpolation=how)
    down, right = (math.ceil(side / _STEP) * _STEP - side for side in (height, width))
    paper = [float(value) for value in np.median(small.reshape(-1, 3), axis=0)]
    image = cv2.copyMakeBorder(small, 0, down, 0, right, cv2.BORDER_CONSTANT, value=paper)
    return np.asarray(image, dtype=np.uint8), (height, width)


def _line_tensor(line: Pixels) -> NDArray[np.float32]:
    """The line at the height the network reads, filled up on the right to a rounded width."""
    import cv2

    height, width = line.shape[:2]
    wanted = min(max(math.ceil(width * _LINE_HEIGHT / height), 1), _WIDEST)
    canvas = max(math.ceil(wanted / _WIDTH_STEP) * _WIDTH_STEP, _NARROWEST)
    tensor = np.zeros((1, 3, _LINE_HEIGHT, canvas), dtype=np.float32)
    resized = cv2.resize(line, (wanted, _LINE_HEIGHT))
    tensor[0, :, :, :wanted] = (resized.astype(np.float32) / 127.5 - 1.0).transpose(2, 0, 1)
    return tensor
