"""Quantizes a network with Kvant, and checks what comes out beside ModelOpt: ranges, outputs, accuracy."""
import torch

from modelopt_peer import RUNNABLE, by_djl, cosines, off, own, quantize, quantizers, restored, ulps, use_own_recurrence

CLOSE = 1e-4
COSINE = 0.003
SCANS = 1
LOST = 2
ULPS = 1


def named(subject, axis, dtype, target):
    return f"{subject.name}, {dtype}, {'per tensor' if axis is None else 'per channel'}, {target}"


def quantized(subject, axis, dtype, target, out, **kwargs):
    """Fills the folder, and gives the network as ModelOpt restores it."""
    kwargs = {"target": target, **dict(subject.kwargs), **kwargs}
    if axis is not None:
        kwargs["weights"] = "per_channel"
    quantize(subject.archive, out, subject.kinds, subject.batches, dtype, backend_kwargs=kwargs)
    return restored(subject.network, out)


def ranges(checks, what, subject, reference, dtype, are_inputs_equal=True):
    """Compares all ranges, of inputs only where the float32 arithmetic is that of Kvant's libtorch; gives ModelOpt's own model."""
    torch.backends.mha.set_fastpath_enabled(subject.is_attention_fused)
    peer = own(subject.network, reference, subject.batches, dtype)
    here, there = quantizers(reference), quantizers(peer)
    names = [name for name in here if are_inputs_equal or name.endswith("weight_quantizer")]
    far = {name: ulps(here[name].amax, there[name].amax) for name in names}
    worst = max(far, key=far.get)
    checks.that(f"{what}: {len(far)} ranges within {ULPS} ulp of ModelOpt's, {worst} off by {far[worst]}", far[worst] <= ULPS)
    return peer


def outputs(checks, what, subject, reference, peer, out, folder, is_close):
    """Compares the runnable archive with the restored model: its outputs, or where they cannot be equal their distance to float32.

    is_close decides by the name of a runner, torch.jit or DJL, whether its outputs can be equal.
    """
    others = {"the restored model": subject.run(reference), "ModelOpt's own": subject.run(peer)}
    wanted = subject.run(use_own_recurrence(reference, subject.network))
    plain = subject.run(subject.network)
    checks.that(f"{what}: the restored model is not the one in float32", off(wanted, plain) > 0)
    answers = {"torch.jit": subject.run(torch.jit.load(out / RUNNABLE))}
    answers["DJL"], = by_djl([out / RUNNABLE], subject.inputs, folder)
    for runner, answer in answers.items():
        answer = answer.reshape(wanted.shape)
        if is_close(runner):
            apart = off(answer, wanted)
            checks.that(f"{what}: {runner} within {CLOSE:g} of the restored model's range, off by {apart:.1e}", apart <= CLOSE)
        else:
            for other, theirs in others.items():
                here, there = (cosines(each, plain).mean().item() for each in (answer, theirs))
                checks.that(f"{what}: {runner} has cosine {here:.4f} to float32, {other} {there:.4f}", abs(here - there) <= COSINE)
        if subject.labels is not None:
            right, there, before = (int((each.argmax(1) == subject.labels).sum()) for each in (answer, wanted, plain))
            checks.that(f"{what}: {runner} has {right} of {len(subject.labels)} correct, the restored model {there}, float32 {before}",
                        abs(right - there) <= SCANS and right >= before - LOST)
