package dev.kvant.numerics;

/** The library whose rules for scales and rounding apply, bit for bit. */
enum Recipe {
  /** torchao 0.18, {@code choose_qparams_affine} with symmetric mapping. */
  TORCHAO {
    @Override
    float scale(FloatType weights, QuantizedType codes, float amax) {
      if (codes == QuantizedType.INT8) {
        return Math.max(weights.round(amax / 127.5f), SMALLEST_TORCHAO_SCALE);
      }
      if (amax == 0) {
        return 1;
      }
      float scale = weights.round(amax / codes.max());
      return scale > 0 ? scale : Math.max(amax / codes.max(), Float.MIN_VALUE);
    }

    @Override
    Coding coding(QuantizedType codes) {
      return codes == QuantizedType.INT8 ? Int8.MULTIPLYING : codes.coding();
    }
  },
  /** onnxruntime.quantization 1.32, {@code compute_scale_zp} with a symmetric range. */
  ONNX_RUNTIME {
    @Override
    float scale(FloatType weights, QuantizedType codes, float amax) {
      float scale = weights.round((float) ((double) amax / codes.max()));
      float smallest = weights == FloatType.FLOAT16 ? 0x1p-24f : Float.MIN_NORMAL;
      return scale < smallest ? 1 : scale;
    }

    @Override
    Coding coding(QuantizedType codes) {
      return codes.coding();
    }
  };

  /** Smallest int8 scale of torchao, 2^-23: {@code torch.finfo(torch.float32).eps}. */
  private static final float SMALLEST_TORCHAO_SCALE = 0x1p-23f;

  /** The scale for weights of magnitude up to {@code amax}, finite and not negative. */
  abstract float scale(FloatType weights, QuantizedType codes, float amax);

  abstract Coding coding(QuantizedType codes);
}
