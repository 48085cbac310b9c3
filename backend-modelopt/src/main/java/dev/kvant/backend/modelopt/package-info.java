/** The modelopt backend: calibrated static quantization of TorchScript models. */
@NullMarked
package dev.kvant.backend.modelopt;

import org.jspecify.annotations.NullMarked;
