"""`kvant inspect` finds the modules, classes and tensors that PyTorch and safetensors find in the same file."""
import json

from kvant import MODELS, Checks, kvant

# Opaque to Kvant: no weight has it.
WITHOUT_TYPE = {"complex64"}


def qualified(module, name):
    return f"{module}.{name}" if module else name


checks = Checks()
for described in sorted(MODELS.glob("*.json")):
    model = described.with_suffix("")
    with checks.group(model.name):
        expected = json.loads(described.read_text())
        run = kvant("inspect", "--format", "json", model)
        if run.code != 0:
            raise RuntimeError(run.said)
        modules = json.loads(run.out)["modules"]

        # A module that occurs twice has both names, and so do its tensors.
        found = {qualified(name, tensor["name"]): tensor
                 for module in modules for name in module["names"] for tensor in module["tensors"]}
        wanted = {name: (tensor["dtype"], tensor["shape"]) for name, tensor in expected["tensors"].items()
                  if tensor["dtype"] not in WITHOUT_TYPE}
        got = {name: (tensor["dtype"], tensor["shape"]) for name, tensor in found.items()}
        unequal = [f"{name}: {wanted.get(name)} and {got.get(name)}"
                   for name in sorted(wanted.keys() | got.keys()) if wanted.get(name) != got.get(name)]
        checks.that(f"{model.name}: {len(wanted)} tensors with their dtypes and shapes", not unequal, "; ".join(unequal))

        if "modules" in expected:
            classes = {name: module["class"] for module in modules for name in module["names"] if name}
            named = dict(expected["modules"])
            checks.that(f"{model.name}: {len(named)} modules with their classes", classes == named,
                        str(sorted(set(classes.items()) ^ set(named.items()))))
            order = [name for module in modules for name in module["names"][:1] if name]
            first = [name for name in named if name in order]
            checks.that(f"{model.name}: modules in the network's order", order == first, f"{order} and {first}")
checks.end()
