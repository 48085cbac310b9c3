"""Writes the GGUF files of the tests with gguf 0.19: make_gguf.py, into formats/gguf/src/test/resources/models."""
from pathlib import Path

import gguf
import numpy as np

OUT = Path(__file__).resolve().parents[2] / "formats/gguf/src/test/resources/models"


def decoder(path):
    """Two layers' worth of names, all types of metadata, and tensors of three floating-point types."""
    random = np.random.default_rng(3)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("a small decoder")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_uint8("test.uint8", 200)
    writer.add_int8("test.int8", -100)
    writer.add_uint16("test.uint16", 60000)
    writer.add_int16("test.int16", -30000)
    writer.add_uint32("test.uint32", 4000000000)
    writer.add_int32("test.int32", -2000000000)
    writer.add_float32("test.float32", 0.5)
    writer.add_bool("test.bool", True)
    writer.add_string("test.string", "Grüße")
    writer.add_array("test.texts", ["a", "", "ccc"])
    writer.add_array("test.numbers", [1, 2, 3])
    writer.add_array("test.fractions", [0.5, 0.25])
    writer.add_uint64("test.uint64", 2**63 + 1)
    writer.add_int64("test.int64", -(2**62))
    writer.add_float64("test.float64", 0.1)
    writer.add_tensor("token_embd.weight", random.standard_normal((5, 64)).astype(np.float16))
    writer.add_tensor("blk.0.attn_norm.weight", np.arange(3, dtype=np.float32))
    writer.add_tensor("blk.0.attn_q.weight", random.standard_normal((4, 64)).astype(np.float16))
    bfloat16 = gguf.quants.quantize(random.standard_normal((2, 32)).astype(np.float32), gguf.GGMLQuantizationType.BF16)
    writer.add_tensor("blk.1.ffn_up.weight", bfloat16, raw_dtype=gguf.GGMLQuantizationType.BF16)
    writer.add_tensor("blk.1.ffn_up.bias", np.ones(2, np.float32))
    write(writer)


def types(path):
    """A tensor of each type."""
    writer = gguf.GGUFWriter(path, "test")
    writer.add_custom_alignment(64)
    for kind, (block, size) in gguf.GGML_QUANT_SIZES.items():
        data = (np.arange(3 * 2 * size) % 100).astype(np.uint8).reshape(3, -1)
        writer.add_tensor(f"{kind.name.lower()}.weight", data, raw_shape=(3, 2 * size), raw_dtype=kind)
    write(writer)


def write(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


OUT.mkdir(parents=True, exist_ok=True)
decoder(OUT / "decoder.gguf")
types(OUT / "types.gguf")
