package dev.kvant.examples.int4

import dev.kvant.api.Artifact
import dev.kvant.api.ElementType
import dev.kvant.api.Granularity
import dev.kvant.api.ModuleDecision
import dev.kvant.api.OperandOutcome
import dev.kvant.api.QuantizationException
import dev.kvant.api.QuantizationPlan
import dev.kvant.api.QuantizationReport
import dev.kvant.api.SavedModel
import dev.kvant.kit.ReportBuilder
import dev.kvant.spi.ArtifactTransaction
import dev.kvant.spi.ProgressReporter
import dev.kvant.spi.QuantizationRun
import dev.kvant.spi.RunContext
import dev.kvant.torch.TorchModel
import dev.kvant.torch.tensor.StoredTensor
import java.io.OutputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.FloatBuffer
import java.nio.file.Path
import kotlin.math.log10

/** Reads, quantizes and writes the tensors of one model block by block while it saves. */
class Int4Run(
  private val source: TorchModel,
  private val plan: QuantizationPlan,
  private val context: RunContext,
) : QuantizationRun {

  private val groupSize = context.options().integer(Int4Backend.GROUP_SIZE)

  override fun save(directory: Path): SavedModel {
    val progress =
      ProgressReporter(context.listener(), "quantize", source.stateDict().size.toLong(), "tensors")
    val groups = mutableMapOf<String, Int4Groups>()
    ArtifactTransaction.begin(directory).use { transaction ->
      SafetensorsWriter.write(
        transaction.create(Int4Backend.ARTIFACT),
        entries(groups, progress),
      )
      transaction.commit()
    }
    val artifact =
      Artifact.of(
        directory.resolve(Int4Backend.ARTIFACT),
        "safetensors",
        "Weights of four bits, with their scales.",
      )
    return SavedModel(listOf(artifact), report(groups))
  }

  /** Nothing is held between the steps. */
  override fun close() = Unit

  private fun entries(
    groups: MutableMap<String, Int4Groups>,
    progress: ProgressReporter,
  ): List<Entry> {
    val decisions = decisionsByName()
    return source.stateDict().flatMap { (name, tensor) ->
      val decision = decisions[name.substringBeforeLast('.', "")]
      if (
        decision != null && decision.weights.isQuantized && name.substringAfterLast('.') == "weight"
      ) {
        quantized(name, tensor, groups.getOrPut(decision.module) { Int4Groups(groupSize) }, progress)
      } else {
        listOf(
          Entry(name, SAFETENSORS_TYPES.getValue(tensor.elementType()), tensor.shape(), tensor.bytes()) {
            copy(tensor, it)
            progress.advance(1, name)
          }
        )
      }
    }
  }

  /** The decisions by every name that their modules have. */
  private fun decisionsByName() =
    buildMap<String, ModuleDecision> {
      for (module in source.modules()) {
        plan.module(module.name()).ifPresent { decision ->
          module.names.forEach { put(it, decision) }
        }
      }
    }

  private fun quantized(
    name: String,
    tensor: StoredTensor,
    groups: Int4Groups,
    progress: ProgressReporter,
  ): List<Entry> {
    val (rows, columns) = tensor.shape()
    // An eighth of the packed weight, and written after it.
    val scales = littleEndian((tensor.elements() / groupSize * Float.SIZE_BYTES).toInt())
    return listOf(
      Entry("${name}_int4", "U8", listOf(rows, columns / 2), tensor.elements() / 2) {
        pack(name, tensor, groups, scales.asFloatBuffer(), it, progress)
        progress.advance(1, name)
      },
      Entry(
        "${name}_scales",
        "F32",
        listOf(rows, columns / groupSize),
        scales.capacity().toLong(),
      ) {
        it.write(scales.array())
      },
    )
  }

  private fun pack(
    name: String,
    tensor: StoredTensor,
    groups: Int4Groups,
    scales: FloatBuffer,
    out: OutputStream,
    progress: ProgressReporter,
  ) {
    val blockSize = maxOf(BLOCK / groupSize, 1) * groupSize
    forEachBlock(tensor, blockSize) { block ->
      progress.checkCancelled()
      val packed = ByteBuffer.allocate(block.remaining() / Float.SIZE_BYTES / 2)
      try {
        groups.quantize(block.asFloatBuffer(), packed, scales)
      } catch (e: ArithmeticException) {
        throw QuantizationException("$name cannot be quantized: ${e.message}", e)
      }
      out.write(packed.array())
    }
  }

  private fun copy(tensor: StoredTensor, out: OutputStream) {
    forEachBlock(tensor, BLOCK) { out.write(it.array(), 0, it.limit()) }
  }

  private fun forEachBlock(tensor: StoredTensor, size: Int, action: (ByteBuffer) -> Unit) {
    val bytes = tensor.elementType().bytes()
    val block = littleEndian(size * bytes)
    for (first in 0 until tensor.elements() step size.toLong()) {
      block.clear().limit(minOf(size.toLong(), tensor.elements() - first).toInt() * bytes)
      tensor.read(first, block)
      action(block.flip())
    }
  }

  private fun report(groups: Map<String, Int4Groups>): QuantizationReport {
    val report = ReportBuilder(source, plan)
    for (module in source.modules()) {
      val quantized = groups[module.name()] ?: continue
      val weight = module.weight().orElseThrow()
      val after = weight.elements() / 2 + weight.elements() / groupSize * Float.SIZE_BYTES
      report
        .weights(
          module.name(),
          OperandOutcome.quantized(Int4Backend.INT4, Granularity.group(groupSize), quantized.sqnr()),
        )
        .saved(module.name(), weight.bytes() - after)
    }
    return report.build()
  }

  private fun Int4Groups.sqnr(): Double =
    if (noise == 0.0) Double.POSITIVE_INFINITY else 10 * log10(power / noise)

  private companion object {
    /** How many elements are in memory at once. */
    const val BLOCK = 1 shl 16

    val SAFETENSORS_TYPES =
      mapOf(
        ElementType.FLOAT64 to "F64",
        ElementType.FLOAT32 to "F32",
        ElementType.FLOAT16 to "F16",
        ElementType.BFLOAT16 to "BF16",
        ElementType.FLOAT8_E4M3FN to "F8_E4M3",
        ElementType.FLOAT8_E5M2 to "F8_E5M2",
        ElementType.INT64 to "I64",
        ElementType.INT32 to "I32",
        ElementType.INT16 to "I16",
        ElementType.INT8 to "I8",
        ElementType.UINT64 to "U64",
        ElementType.UINT32 to "U32",
        ElementType.UINT16 to "U16",
        ElementType.UINT8 to "U8",
        ElementType.BOOL to "BOOL",
      )

    fun littleEndian(bytes: Int): ByteBuffer =
      ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN)
  }
}
