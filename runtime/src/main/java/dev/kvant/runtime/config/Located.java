package dev.kvant.runtime.config;

/**
 * A node and where it stands, which relative interpolations inside of it count from.
 *
 * @param path the way from the root
 * @param node the node, never an interpolation once it was resolved
 */
record Located(KeyPath path, Node node) {}
