package dev.kvant.backend.gguf;

import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The tensors of any architecture that llama.cpp reads in floating point alone, or leaves so
 * because they are small. Source: {@code tensor_allows_quantization} in llama.cpp's
 * llama-quant.cpp.
 */
final class NativeNames {

  private static final Set<String> NAMES = Set.of("position_embd", "token_types");

  /** Parts of names. */
  private static final List<String> PARTS =
      List.of(
          "_norm",
          "ffn_gate_inp",
          "ffn_gate_tid2eid",
          "altup",
          "laurel",
          "per_layer_model_proj",
          "ssm_conv1d",
          "shortconv.conv",
          "indexer.k_proj",
          "indexer.q_proj",
          "time_mix_first",
          "time_mix_w0",
          "time_mix_w1",
          "time_mix_w2",
          "time_mix_v0",
          "time_mix_v1",
          "time_mix_v2",
          "time_mix_a0",
          "time_mix_a1",
          "time_mix_a2",
          "time_mix_g1",
          "time_mix_g2",
          "time_mix_decay_w1",
          "time_mix_decay_w2",
          "time_mix_lerp_fused",
          "attn_rel_b",
          ".position_embd",
          "sam.pos_embd",
          "sam.neck.",
          "sam.net_",
          ".rel_pos",
          ".patch_embd",
          ".patch_merger",
          "a.rvq.codebook",
          "mm.a.code_embd");

  private NativeNames() {}

  /** Why a module stays as it is, by its name; empty if it can be quantized. */
  static Optional<String> reason(String module) {
    boolean isNative = NAMES.contains(module) || PARTS.stream().anyMatch(module::contains);
    return isNative
        ? Optional.of("llama.cpp keeps this tensor of an architecture in floating point")
        : Optional.empty();
  }
}
