package dev.kvant.kotlin

import dev.kvant.api.ActivationQuantizationConfig
import dev.kvant.api.CalibrationAlgorithm
import dev.kvant.api.CalibrationConfig
import dev.kvant.api.Device
import dev.kvant.api.Dtype
import dev.kvant.api.Dtype.FP8_E4M3FN
import dev.kvant.api.Dtype.INT8
import dev.kvant.api.EvaluationConfig
import dev.kvant.api.LayerQuantizationConfig
import dev.kvant.api.ModelQuantizationConfig
import dev.kvant.api.QuantizationMode
import dev.kvant.api.VerificationConfig
import dev.kvant.api.WeightQuantizationConfig
import java.nio.file.Path
import org.assertj.core.api.Assertions.assertThat
import org.junit.jupiter.api.Test

class QuantizationBuilderTest {

  @Test
  fun `a block says what the builder of Java says`() {
    val config = quantization {
      backend = "torchao"
      layer("Linear") { weights(INT8) }
      layer("*.attention") {
        weights(INT8)
        activations(FP8_E4M3FN)
      }
      skip("*.head", "stem")
    }
    assertThat(config)
      .isEqualTo(
        ModelQuantizationConfig.builder()
          .backend("torchao")
          .layer("Linear", INT8)
          .layer("*.attention", INT8, FP8_E4M3FN)
          .skip("*.head")
          .skip("stem")
          .build()
      )
  }

  @Test
  fun `an empty block keeps every default`() {
    assertThat(quantization {}).isEqualTo(ModelQuantizationConfig.builder().build())
  }

  @Test
  fun `everything that a configuration holds can be said`() {
    val config = quantization {
      backend = "modelopt"
      mode = QuantizationMode.STATIC_PTQ
      algorithm = CalibrationAlgorithm.ENTROPY
      defaultLayerDtype = INT8
      defaultActivationDtype = FP8_E4M3FN
      layer("Conv2d") {
        weights(INT8, quantAxis = 0, "percentile", mapOf("percentile" to 99.9))
        activations(Dtype.NATIVE, quantAxis = 1, "mse", mapOf("bins" to 2048))
      }
      moduleClass("*.attn", "Linear")
      modelPath = Path.of("model.pt")
      resultsDir = Path.of("results")
      backendKwarg("runtime_modules", true)
      calibration(Path.of("calibration.npz"), batchSize = 8, maxBatches = 4)
      evaluation(Path.of("test.npz"), batchSize = 16)
      verify(samples = 4, minSqnr = 20.0)
      strict = false
      device = Device.of("cuda:1")
    }
    assertThat(config)
      .isEqualTo(
        ModelQuantizationConfig(
          "modelopt",
          QuantizationMode.STATIC_PTQ,
          CalibrationAlgorithm.ENTROPY,
          INT8,
          FP8_E4M3FN,
          listOf(
            LayerQuantizationConfig(
              "Conv2d",
              WeightQuantizationConfig(INT8, 0, "percentile", mapOf("percentile" to 99.9)),
              ActivationQuantizationConfig(Dtype.NATIVE, 1, "mse", mapOf("bins" to 2048)),
            )
          ),
          listOf(),
          mapOf("*.attn" to "Linear"),
          Path.of("model.pt"),
          Path.of("results"),
          mapOf("runtime_modules" to true),
          CalibrationConfig.builder(Path.of("calibration.npz")).batchSize(8).maxBatches(4).build(),
          EvaluationConfig.of(Path.of("test.npz"), 16),
          VerificationConfig(true, 4, 20.0),
          false,
          Device.of("cuda:1"),
        )
      )
  }

  @Test
  fun `a block that starts from a configuration keeps what it does not change`() {
    val first = quantization {
      backend = "torchao"
      mode = QuantizationMode.WEIGHT_ONLY_PTQ
      layer("Linear") { weights(INT8) }
      calibration(Path.of("calibration.npz"))
      strict = false
    }
    val second = quantization(from = first) { skip("*.head") }
    assertThat(second).isEqualTo(first.toBuilder().skip("*.head").build())
  }

  @Test
  fun `a rule that leaves an operand out says nothing about it`() {
    val config = quantization { layer("Linear") { activations(INT8) } }
    assertThat(config.layers.single().weights).isNull()
  }
}
