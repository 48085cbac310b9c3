package dev.kvant.runtime.evaluation;

import dev.kvant.api.Experimental;

/**
 * The similarity of a model's outputs to those of its reference.
 *
 * <p>With {@code r} the reference's outputs and {@code q} the model's: the cosine of a sample is
 * {@code Σ r·q / (|r|·|q|)} over all its outputs, 1 if both are all zero and 0 if one is; the SQNR
 * is {@code 10·log10(Σ r² / Σ (r-q)²)} over all outputs of all samples. Computed in float64; NaN
 * wherever an output is NaN.
 *
 * @param cosineMean the mean of the samples' cosines, -1 to 1
 * @param cosineMin the smallest of them
 * @param sqnrDecibels the ratio of signal to quantization noise in decibels; infinite when the
 *     outputs are equal
 * @since 0.1.0
 */
@Experimental
public record OutputSimilarity(double cosineMean, double cosineMin, double sqnrDecibels) {}
