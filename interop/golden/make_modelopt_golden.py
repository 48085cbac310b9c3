"""Makes the golden files of the module backend-modelopt with ModelOpt.

    PYTHONHASHSEED=0 python make_modelopt_golden.py [DIRECTORY]

DIRECTORY defaults to backend-modelopt/src/test/resources/golden of this repository. Needs torch, transformers and
nvidia-modelopt 0.47.

kinds.pt, bert.pt: archives with a module of each class that ModelOpt knows, and with one whose root is a class of transformers.
mixed.pth: what ModelOpt saves of the network Mixed, calibrated by max on one batch, weights per output channel.
quantizers.json: by archive the quantizers that ModelOpt inserts into the network it was made of, sorted.
"""
import json
import sys
import warnings
from pathlib import Path

import torch
from torch import nn

warnings.filterwarnings("ignore")
ROOT = Path(__file__).resolve().parents[2]
DEFAULT = ROOT / "backend-modelopt/src/test/resources/golden"
sys.path[:0] = [str(ROOT / "interop/models"), str(ROOT / "examples/digits")]

import modelopt.torch.opt as mto
import modelopt.torch.quantization as mtq
from transformers import BertConfig, BertModel

import make_digits
import networks
import neutral


class Kinds(nn.Module):
    """Modules of every class that ModelOpt quantizes, and of some that it does not; none is ever called."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 3)
        self.convolutions = nn.ModuleList([nn.Conv1d(2, 2, 1), nn.Conv2d(2, 2, 1), nn.Conv3d(2, 2, 1)])
        self.transposed = nn.ModuleList([nn.ConvTranspose1d(2, 2, 1), nn.ConvTranspose2d(2, 2, 1), nn.ConvTranspose3d(2, 2, 1)])
        self.batch_norms = nn.ModuleList([nn.BatchNorm1d(2), nn.BatchNorm2d(2), nn.BatchNorm3d(2)])
        self.instance_norms = nn.ModuleList([nn.InstanceNorm1d(2, affine=True), nn.InstanceNorm2d(2), nn.InstanceNorm3d(2)])
        self.other_norms = nn.ModuleList([nn.LayerNorm(2), nn.GroupNorm(1, 2), nn.RMSNorm(2)])
        self.activations = nn.ModuleList([nn.LeakyReLU(), nn.ReLU(), nn.GELU(), nn.PReLU()])
        self.max_pools = nn.ModuleList([nn.MaxPool1d(2), nn.MaxPool2d(2), nn.MaxPool3d(2)])
        self.mean_pools = nn.ModuleList([nn.AvgPool1d(2), nn.AvgPool2d(2), nn.AvgPool3d(2)])
        self.adaptive_pools = nn.ModuleList([nn.AdaptiveAvgPool1d(1), nn.AdaptiveAvgPool2d(1), nn.AdaptiveAvgPool3d(1)])
        self.recurrent = nn.ModuleList([
            nn.LSTM(2, 3), nn.LSTM(2, 3, num_layers=2, bidirectional=True), nn.LSTM(2, 4, num_layers=2, proj_size=3),
            nn.LSTM(2, 4, bidirectional=True, proj_size=3), nn.GRU(2, 3, num_layers=3), nn.RNN(2, 3, bias=False)])
        self.cells = nn.ModuleList([nn.LSTMCell(2, 3), nn.GRUCell(2, 3)])
        self.embedding = nn.Embedding(3, 2)
        self.bag = nn.EmbeddingBag(3, 2)
        self.attention = nn.MultiheadAttention(2, 1)
        self.bilinear = nn.Bilinear(2, 2, 2)
        self.again = self.linear

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 2


def bert():
    torch.manual_seed(0)
    config = BertConfig(vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8,
                        max_position_embeddings=8, attn_implementation="eager", return_dict=False)
    return BertModel(config, add_pooling_layer=False).eval()


def quantizers(network):
    mtq.quantize(network, {"quant_cfg": {"*": {"enable": False}}, "algorithm": "max"}, lambda model: None)
    mode, state = mto.modelopt_state(network)["modelopt_state_dict"][0]
    return sorted(state["metadata"]["quantizer_state"])


def saved(out):
    network = networks.build(networks.Mixed, 7)
    quantized = {"num_bits": 8, "axis": 0}
    mtq.quantize(network, {"algorithm": "max", "quant_cfg": {
        "*": {"enable": False}, "*weight_quantizer": quantized, "*back.weight_quantizer": {"num_bits": 8, "axis": 1},
        "*input_quantizer": {"num_bits": 8, "axis": None}}}, lambda model: model(networks.tokens()))
    mto.save(network, out / "mixed.pth")


def main(out):
    out.mkdir(parents=True, exist_ok=True)
    torch.backends.mha.set_fastpath_enabled(False)
    torch.manual_seed(0)
    with torch.no_grad():
        torch.jit.trace(Kinds().eval(), torch.ones(2, 2)).save(out / "kinds.pt")
        torch.jit.trace(bert(), torch.ones(1, 4, dtype=torch.int64), check_trace=False).save(out / "bert.pt")
    for name in ("kinds.pt", "bert.pt"):
        neutral.neutralize(out / name)
    saved(out)
    found = {
        "kinds.pt": quantizers(Kinds().eval()),
        "bert.pt": quantizers(bert()),
        "mixed.pt": quantizers(networks.build(networks.Mixed, 7)),
        "tied.pt": quantizers(networks.build(networks.Tied)),
        "resnet_traced.pt": quantizers(make_digits.DigitsResNet().eval()),
        "transformer_traced.pt": quantizers(make_digits.DigitsTransformer().eval()),
    }
    (out / "quantizers.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT)
