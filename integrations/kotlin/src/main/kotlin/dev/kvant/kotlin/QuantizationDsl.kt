package dev.kvant.kotlin

/**
 * Marks the builders, so that settings of a configuration cannot be used inside a rule.
 *
 * @since 0.1.0
 */
@DslMarker @Target(AnnotationTarget.CLASS) public annotation class QuantizationDsl
