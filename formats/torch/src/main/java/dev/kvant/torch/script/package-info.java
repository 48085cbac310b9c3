/**
 * What TorchScript archives hold: the tree of modules, and their code, read as text, its uses of
 * attributes found, and changed without a compiler.
 */
@NullMarked
package dev.kvant.torch.script;

import org.jspecify.annotations.NullMarked;
