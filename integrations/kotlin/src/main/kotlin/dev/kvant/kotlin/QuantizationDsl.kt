package dev.kvant.kotlin

/**
 * Marks the builders, so that what belongs to a configuration cannot slip into one of its rules.
 *
 * @since 0.1.0
 */
@DslMarker @Target(AnnotationTarget.CLASS) public annotation class QuantizationDsl
