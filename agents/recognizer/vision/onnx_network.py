"""The only file that touches onnxruntime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

from agents.recognizer.errors import ModelError


class OnnxNetwork:
    """A network with one input and one output, on the processor. Raises ModelError.

    Threads that have nothing to do sleep: by default they spin, which costs a door's computer a
    whole core while people stand there.
    """

    def __init__(self, model: Path | bytes) -> None:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        source = model if isinstance(model, bytes) else str(model)
        try:
            self._session = onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
            (self._input,), (self._output,) = self._session.get_inputs(), self._session.get_outputs()
        except Exception as error:  # noqa: BLE001 - onnxruntime has no base class for what it raises
            name = "the network" if isinstance(model, bytes) else str(model)
            raise ModelError(f"{name}: can't be used: {str(error).splitlines()[0]:.200}") from None

    @property
    def input_shape(self) -> list[int | str | None]:
        return list(self._input.shape)

    def run(self, batch: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
        """The output for a batch, whatever the network's shapes are. Raises ModelError."""
        try:
            output: npt.NDArray[np.float32] = self._session.run([self._output.name], {self._input.name: batch})[0]
        except Exception as error:  # noqa: BLE001 - as above
            raise ModelError(f"the network failed: {str(error).splitlines()[0]:.200}") from None
        return output
