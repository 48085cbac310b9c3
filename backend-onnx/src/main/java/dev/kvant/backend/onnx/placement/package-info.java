/**
 * Where tensors of a graph are quantized: chooses regions of operators that compute in integers. A
 * pure function of the operators, the sizes of their tensors and a table of kernels.
 */
@NullMarked
package dev.kvant.backend.onnx.placement;

import org.jspecify.annotations.NullMarked;
