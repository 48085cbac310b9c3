"""Writes what OmegaConf makes of documents, one JSON object a line, for the tests of the runtime module.

    python interop/golden/omegaconf_cases.py > runtime/src/test/resources/golden/omegaconf.jsonl
"""

import json
import os

from omegaconf import OmegaConf

ENVIRONMENT = {"KVANT_SET": "5"}

DOCUMENTS = [
    # YAML as PyYAML and OmegaConf read it
    "a: yes", "a: 'yes'", "a: on", "a: Off", "a: y", "a: n", "a: ~", "a: NULL", "a: null", "a:",
    "a: 1e-3", "a: 1e3", "a: 1E5", "a: 1.5e3", "a: 12e03", "a: .5", "a: 5.", "a: .e3", "a: 6_8.5",
    "a: 1_000", "a: 010", "a: 08", "a: 0o17", "a: 0x1F", "a: 0b11", "a: +1", "a: -7", "a: 1:30",
    "a: 2020-01-01", "a: 2020-01-01 10:00:00", "a: nan", "a: [1, two, 3.0]", "a: {b: {c: d}}",
    "a: !!str 5", "a: 1\na: 2", "b: &x {a: 1, c: 3}\nc: {<<: *x, a: 2}", "b: &x [1]\nc: *x",
    "b: &x {a: 1}\nd: &y {a: 2, e: 3}\nc: {<<: [*x, *y]}", "a: &x {b: *x}", "a: !!python/none x",
    "a: *unknown", "a: [1", "a: b: c", "a: '*'", "a: *", "a: \"x\\ty\"", "a: |\n  x\n  y\n", "a: >\n  x\n  y\n",
    # references
    "a: 1\nb: ${a}", "a: 1\nb: x${a}y", "a: 1\nb: ${a}${a}", "a: {b: 2}\nc: ${a}", "a: {b: 2}\nc: ${a.b}",
    "a: {b: 2, c: '${.b}', d: {e: '${..b}'}}", "l: [1, 2]\na: ${l[1]}\nb: ${l.0}", "l: [{a: 5, b: '${.a}', c: '${..[0].a}'}]",
    "a: ${ b }\nb: 1", "k: b\na: ${${k}}\nb: 3", "k: c\na: ${b.${k}}\nb: {c: 4}", "a: ${b.c}\nb: ${d}\nd: {c: 4}",
    "a: {x: '${.y}', y: 1}\nb: ${a}", "a: {'x-y': 3}\nc: ${a.x-y}", "a: true\nb: x${a}", "a: null\nb: x${a}", "a: 1.5\nb: x${a}",
    "a: '${b.c}'\nb: {c: '???'}", "a: ???\nb: x${a}", "a: ${nope}", "a: {b: 1}\nc: ${a.nope}", "a: [1]\nb: ${a[1]}",
    "a: 1\nb: ${a.c}", "a: ${..b}\nb: 1", "a: ${b}\nb: ${a}", "a: ${a}", "a: x${b}\nb: y${c}\nc: ${a}", "a: '${b'", "a: ${}",
    # escapes
    "a: $x", "a: '$ {x}'", "a: '\\${b}'\nb: 1", "a: '\\\\${b}'\nb: 1", "a: 'x\\y${b}'\nb: 1", "a: '\\\\\\${b}'\nb: 1",
    # environment
    "a: ${oc.env:KVANT_SET}", "a: ${oc.env:KVANT_SET,3}", "a: ${oc.env:KVANT_UNSET,3}", "a: ${oc.env:KVANT_UNSET, 3 }",
    "a: ${oc.env:KVANT_UNSET,'x, y'}", "a: ${oc.env:KVANT_UNSET,\"x y\"}", "a: ${oc.env:KVANT_UNSET}", "a: ${oc.env:KVANT_UNSET,null}",
    "a: ${oc.env:KVANT_UNSET,'null'}", "a: ${oc.env:KVANT_UNSET,''}", "a: ${oc.env:KVANT_UNSET,${b}}\nb: 7", "a: ${oc.env:KVANT_UNSET,x${b}}\nb: 7",
    "a: ${oc.env:KVANT_UNSET,/data/x}/y", "a: ${oc.env:KVANT_UNSET,a.b/c}", "a: ${oc.env:${b}}\nb: KVANT_SET", "a: ${oc.env:}", "a: ${no.such:1}",
]


def outcome(document):
    try:
        return {"value": OmegaConf.to_container(OmegaConf.create(document), resolve=True, throw_on_missing=True)}
    except Exception:  # whatever it is called: what matters is that it is refused
        return {"error": True}


for name in ("KVANT_SET", "KVANT_UNSET"):
    os.environ.pop(name, None)
os.environ.update(ENVIRONMENT)
for document in DOCUMENTS:
    print(json.dumps({"document": document, **outcome(document)}))
