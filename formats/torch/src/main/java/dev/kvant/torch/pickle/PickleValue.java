package dev.kvant.torch.pickle;

/**
 * One node of a pickle. A node that a pickle refers to twice is one Java object, so that shared
 * tensors and submodules stay shared when the tree is written again.
 *
 * <p>The atoms (none, booleans, numbers, text, globals) are equal by value, all other nodes by
 * identity. Containers can be changed; a tree is used by one thread at a time.
 *
 * @since 0.1.0
 */
public sealed interface PickleValue
    permits PickleNone,
        PickleBool,
        PickleInt,
        PickleBigInt,
        PickleFloat,
        PickleText,
        PickleBytes,
        PickleGlobal,
        PickleTuple,
        PickleList,
        PickleDict,
        PickleReference,
        PickleObject {}
