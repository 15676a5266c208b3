"""dlib's face recognition network as an ONNX graph: the same weights, computed many times faster.

dlib's wheel multiplies without BLAS; onnxruntime uses what the processor has. The architecture is
`anet_type` of dlib's examples/dnn_face_recognition_ex.cpp (ResNet-29 of He et al., "Deep Residual
Learning for Image Recognition", 2016, with fewer filters). Of the file only the weights are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from agents.recognizer.errors import ModelError

OPSET, IR_VERSION = 17, 8  # what onnxruntime and OpenCV have read for years
CHIP_PX = 150
MEAN_RGB = np.array([122.782, 117.001, 104.298])  # dlib's input_rgb_image_sized
SCALE = 256.0
LEVELS = ((32, 3, False), (64, 4, True), (128, 3, True), (256, 3, True), (256, 1, True))
"""Filters, residual units, and whether the first unit halves the picture; from the input on."""

Array = npt.NDArray[np.float32]
_LAYER = re.compile(rb"\x01\x05con_4|\x01\x07affine_|\x01\x04fc_2")  # a string is its length and its bytes


def to_onnx(dat: bytes) -> bytes:
    """The network of `dlib_face_recognition_resnet_model_v1.dat`.

    Its input `chips` is uint8 (n, 150, 150, 3), RGB; its output `encodings` float32 (n, 128). The
    caller has checked that it is that very file: layers are found by their names. Raises ModelError
    where they are others than expected.
    """
    graph = _Graph(iter(_tensors(dat)))
    try:
        graph.build()
    except (StopIteration, ValueError) as error:
        raise ModelError(f"the weights are not those of dlib's face recognition network: {error!r}") from None
    return bytes(graph.model().SerializeToString())


def _tensors(dat: bytes) -> Iterator[Array]:
    """The weights of each layer that has some, flat, the one nearest the input first."""
    for found in _LAYER.finditer(dat):
        at = found.end()
        if found[0].endswith(b"fc_2"):
            for _ in range(2):  # its numbers of outputs and inputs
                _, at = _integer(dat, at)
        version, at = _integer(dat, at)
        size = 1
        for _ in range(4):
            length, at = _integer(dat, at)
            size *= length
        if version != 2 or len(dat) - at < 4 * size:
            raise ModelError(f"the weights are not in dlib's format at byte {at}")
        yield np.frombuffer(dat, "<f4", size, at).astype(np.float32)


def _integer(dat: bytes, at: int) -> tuple[int, int]:
    """dlib's variable-length integer, and where the next thing begins.

    The low four bits of the first byte say how many bytes follow, its high bit is the sign.
    """
    if at >= len(dat):
        raise ModelError("the weights end too early")
    count = dat[at] & 0x0F
    value = int.from_bytes(dat[at + 1 : at + 1 + count], "little")
    return -value if dat[at] & 0x80 else value, at + 1 + count


@dataclass
class _Graph:
    """Grows from the input on. `rows` is the height, and width, of what the last node gives."""

    weights: Iterator[Array]
    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)
    rows: int = CHIP_PX
    channels: int = 3

    def build(self) -> None:
        """Raises StopIteration or ValueError where the weights do not fit."""
        x = self._node("Transpose", self._node("Cast", "chips", to=TensorProto.FLOAT), perm=[0, 3, 1, 2])
        x = self._node("Relu", self._convolution(x, 32, kernel=7, stride=2, folds_input=True))
        x = self._node("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2])
        self.rows = (self.rows - 3) // 2 + 1
        for filters, units, halves in LEVELS:
            for unit in range(units):
                x = self._unit_down(x, filters) if halves and unit == 0 else self._unit(x, filters)
        x = self._node("Flatten", self._node("GlobalAveragePool", x))
        self._node("MatMul", x, self._constant(next(self.weights).reshape(256, 128)), to_name="encodings")
        if next(self.weights, None) is not None:
            raise ValueError("there are more layers")

    def model(self) -> onnx.ModelProto:
        chips = helper.make_tensor_value_info("chips", TensorProto.UINT8, ["n", CHIP_PX, CHIP_PX, 3])
        encodings = helper.make_tensor_value_info("encodings", TensorProto.FLOAT, ["n", 128])
        graph = helper.make_graph(self.nodes, "dlib-resnet", [chips], [encodings], self.constants)
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="facelatch"
        )
        onnx.checker.check_model(model, full_check=True)
        return model

    def _unit(self, x: str, filters: int) -> str:
        y = self._node("Relu", self._convolution(x, filters))
        return self._node("Relu", self._node("Add", x, self._convolution(y, filters)))

    def _unit_down(self, x: str, filters: int) -> str:
        """A residual unit that halves the picture, and its input too, to add it to its output."""
        rows, channels = self.rows // 2, self.channels
        skipped = self._node("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
        y = self._node("Relu", self._convolution(x, filters, stride=2))
        y = self._convolution(y, filters)
        # what one has less than the other, dlib takes as zero: channels of the input, rows of the output
        skipped = self._padded(skipped, filters - channels, 0)
        y = self._padded(y, 0, rows - self.rows)
        self.rows = rows
        return self._node("Relu", self._node("Add", skipped, y))

    def _padded(self, x: str, channels: int, rows: int) -> str:
        if not channels and not rows:
            return x
        return self._node("Pad", x, self._constant(np.array([0, 0, 0, 0, 0, channels, rows, rows], np.int64)))

    def _convolution(self, x: str, filters: int, kernel: int = 3, stride: int = 1, *, folds_input: bool = False) -> str:
        """A convolution, with the affine layer that follows it folded in: g(Wx + b) + h = (gW)x + (gb + h)."""
        weights, bias = np.split(next(self.weights).astype(np.float64), [filters * self.channels * kernel**2])
        weights = weights.reshape(filters, self.channels, kernel, kernel)
        gamma, beta = next(self.weights).astype(np.float64).reshape(2, filters)
        weights, bias = weights * gamma[:, None, None, None], bias.reshape(filters) * gamma + beta
        if folds_input:  # exact, as this layer does not pad: W(x - mean)/scale = (W/scale)x - (W/scale)mean
            weights = weights / SCALE
            bias = bias - np.einsum("fckl,c->f", weights, MEAN_RGB)
        pad = kernel // 2 if stride == 1 else 0
        self.rows = (self.rows + 2 * pad - kernel) // stride + 1
        self.channels = filters
        names = self._constant(weights.astype(np.float32)), self._constant(bias.astype(np.float32))
        return self._node("Conv", x, *names, kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[pad] * 4)

    def _node(self, kind: str, *inputs: str, to_name: str = "", **attributes: Any) -> str:
        name = to_name or f"x{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def _constant(self, values: npt.NDArray[Any]) -> str:
        name = f"w{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(values, name))
        return name
