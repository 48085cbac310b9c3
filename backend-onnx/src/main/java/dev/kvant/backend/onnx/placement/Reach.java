package dev.kvant.backend.onnx.placement;

/** How far regions of integers reach; each includes the ones before it. */
enum Reach {
  /** Products with weights. */
  PRODUCTS,
  /** Operators that only move values, and those that join tensors. */
  MOVES,
  /** Sums of two activations, and averages. */
  SUMS,
  /** Products of two activations, and functions that a table of 256 entries computes. */
  FUNCTIONS
}
