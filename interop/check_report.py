"""`report.html` in headless Chromium: it opens without errors, asks for nothing, sorts, filters, shows the numbers of `report.json`."""
import json
import sys
import tempfile
import time
from pathlib import Path

import browser
from kvant import DIGITS, Checks, kvant

HOSTILE = "</script><img src=x onerror=alert(1)>"
# Where pictures go that somebody wants to look at.
PICTURES = Path(sys.argv[1]) if len(sys.argv) > 1 else None

if not browser.chromium():
    print("the page is not checked: there is no Chromium; KVANT_CHROMIUM can name one")
    print("0 passed, 0 failed")
    sys.exit(0)

checks = Checks()

ROWS = """[...document.querySelectorAll("#modules tbody tr")].filter(row => !row.hidden).map(row => ({
    name: row.querySelector("th").firstChild.textContent, values: [...row.querySelectorAll("[data-v]")].map(cell => cell.dataset.v)}))"""


def expected(report):
    """What the attributes of a row must be, in the order of the model."""
    return [{"name": module["module"], "values": [
        str(place), str(module["bytes_before"]), str(module["bytes_after"]),
        "Infinity" if module["lossless"] else "" if module["sqnr_db"] is None else module["sqnr_db"]]}
        for place, module in enumerate(report["modules"], 1)]


def same(shown, wanted):
    return len(shown) == len(wanted) and all(
        one["name"] == other["name"] and one["values"][:3] == other["values"][:3] and
        (one["values"][3] == other["values"][3] or float(one["values"][3]) == other["values"][3])
        for one, other in zip(shown, wanted))


def click(page, column):
    page.value(f"""document.querySelectorAll("#modules thead button")[{column}].click()""")
    return page.value(ROWS), page.value(f"""document.querySelectorAll("#modules thead th")[{column}].getAttribute("aria-sort")""")


def opens(page, name, html):
    """At all widths, in both schemes."""
    for width in (1280, 390):
        for dark in (False, True):
            what = f"{name}, {width} pixels, {'dark' if dark else 'light'}"
            page.errors.clear()
            page.show(html, width, dark)
            checks.that(f"{what}: opens without errors and asks for nothing", not page.errors, page.errors)
            wide = page.value("document.documentElement.scrollWidth")
            checks.that(f"{what}: fits the window", wide <= width, f"{wide} pixels")
            blank = page.value("""[...document.querySelectorAll("[data-plot]")].filter(place => {
                const canvas = place.querySelector("canvas");
                const pixels = canvas?.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data ?? [];
                return canvas === null || canvas.width === 0 || !pixels.some(value => value > 0); }).map(place => place.dataset.plot)""")
            checks.that(f"{what}: each plot is drawn", blank == [], blank)
            colors = page.value("[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]")
            bright = [sum(map(int, color[4:-1].split(","))) for color in colors]
            checks.that(f"{what}: has the scheme of the system", (bright[0] < bright[1]) == dark, colors)
            if PICTURES:
                page.picture(PICTURES / f"{name}-{width}-{'dark' if dark else 'light'}.png")


def look(page, name, html, report):
    opens(page, name, html)
    page.show(html, 1280)
    wanted = expected(report)
    checks.that(f"{name}: shows the numbers of the report in the order of the model", same(page.value(ROWS), wanted))

    def ratio(row):
        return row["values"][3]

    known = [row for row in wanted if ratio(row) != ""]
    for turn, direction in enumerate(["ascending", "descending"]):
        rows, sorted_by = click(page, 7)
        ratios = [float(ratio(row)) for row in rows if ratio(row) != ""]
        checks.that(f"{name}: sorts by SQNR, {direction}", sorted_by == direction and len(ratios) == len(known) and
                    ratios == sorted(ratios, reverse=turn == 1) and all(ratio(row) == "" for row in rows[len(known):]), ratios)
    rows, _ = click(page, 0)
    checks.that(f"{name}: returns to the order of the model", same(rows, wanted))
    page.value("""document.querySelectorAll("#modules thead button")[5].focus()""")
    page.press("Enter", 13)
    rows = page.value(ROWS)
    sizes = [int(row["values"][1]) for row in rows]
    checks.that(f"{name}: sorts by size with the keyboard", sizes == sorted(sizes) and len(sizes) == len(wanted), sizes)
    click(page, 0)

    word = wanted[-1]["name"].strip("/").replace("/", ".").split(".")[0].lower()
    page.value("""document.getElementById("filter").focus()""")
    page.type(word)
    shown, said = page.value(ROWS), page.value("""document.getElementById("count").textContent""")
    texts = page.value("""[...document.querySelectorAll("#modules tbody tr")].map(row => row.textContent.toLowerCase())""")
    fitting = [row for row, text in zip(wanted, texts) if word in text]
    checks.that(f"{name}: filters by '{word}'", same(shown, fitting) and 0 < len(shown) and
                said == f"{len(fitting)} of {len(wanted)} modules", said)
    page.value("""(() => { const text = document.getElementById("filter"); text.value = ""; text.dispatchEvent(new Event("input"));
        const state = document.getElementById("state"); state.value = "native"; state.dispatchEvent(new Event("change")); })()""")
    native = [row for row, module in zip(wanted, report["modules"])
              if all(module[operand]["outcome"]["dtype"] == "native" for operand in ("weights", "activations"))]
    checks.that(f"{name}: shows native modules alone", same(page.value(ROWS), native))

    page.show(html, 1280)
    known = [[module["module"], operand, module["distributions"][operand]] for module in report["modules"]
             for operand in ("activations", "weights") if module["distributions"][operand]]
    offered = page.value("""[...document.getElementById("operand").options].map(option => option.textContent)""")
    checks.that(f"{name}: offers each operand whose values are known",
                offered == [f"{module}: {operand}" for module, operand, _ in known], offered[:3])
    for curve in (True, False):
        place, found = next((place, found) for place, (_, _, found) in enumerate(known) if (found["criterion"] is not None) == curve)
        page.value(f"""(() => {{ const list = document.getElementById("operand"); list.value = {place};
            list.dispatchEvent(new Event("change")); }})()""")
        page.settle()
        said = page.value("""document.getElementById("range").textContent""")
        numbers = [float(word) for word in said.replace(",", "").split() if word.replace(".", "").replace("-", "").replace("e", "").isdigit()]
        checks.that(f"{name}: says the range of {'an activation' if curve else 'a weight'}", len(numbers) == 2 and all(
            abs(shown - wanted) <= 0.006 * abs(wanted) for shown, wanted in zip(numbers, [found["low"], found["high"]])), said)
        hidden = page.value("""document.querySelector("[data-plot=choice]").closest("figure").hidden""")
        checks.that(f"{name}: shows what chose the range where something did", hidden != curve, hidden)

    unnamed = page.value("""[...document.querySelectorAll("input, select")].filter(each => !each.labels.length)
        .concat([...document.querySelectorAll("table")].filter(each => !each.caption && !each.closest("[role=img]")))
        .concat([...document.querySelectorAll("th")].filter(each => !each.scope && !each.closest("[role=img]")))
        .concat([...document.querySelectorAll("[role=img]")].filter(each => !each.getAttribute("aria-label"))).length""")
    checks.that(f"{name}: names its fields, tables, headers and plots", unnamed == 0, unnamed)
    checks.that(f"{name}: can be printed", page.pdf().startswith(b"%PDF"))


def many(report, count):
    """The report with that many modules, one of them with a name that is markup."""
    modules = report["modules"]
    copies = []
    for place in range(count):
        module = json.loads(json.dumps(modules[place % len(modules)]))
        module["module"] = HOSTILE if place == 7 else f"encoder.layer.{place // 6}.block.{place % 6}.projection"
        copies.append(module)
    trials = [{"name": f"trial {place}", "bytes": 20_000_000 + 700_000 * place, "held_out": {"cosine_mean": 0.9 + 0.01 * (place * 7 % 10)},
               "latency": {"speedup": 1 + place / 10}, "frontier": place in (4, 7), "best": place == 4} for place in range(10)]
    return {**report, "modules": copies, "trials": trials}


with tempfile.TemporaryDirectory(prefix="kvant-interop-") as name, browser.page() as page:
    folder = Path(name)
    with checks.group("the digits"):
        run = kvant("quantize", "-c", DIGITS / "onnx-static-int8.yaml", "--out", folder / "out", "--report", folder,
                    "quantize.algorithm=mse")
        checks.that("kvant quantize writes both reports", run.code == 0 and (folder / "report.html").exists(), run.said)
        report = json.loads((folder / "report.json").read_text())
        look(page, "digits", folder / "report.html", report)

    with checks.group("an analysis"):
        run = kvant("analyze", "-c", DIGITS / "onnx-static-int8.yaml", "--samples", 16, "--report", folder / "analysis")
        checks.that("kvant analyze writes both reports", run.code == 0, run.said)
        analysis = json.loads((folder / "analysis/report.json").read_text())
        opens(page, "analysis", folder / "analysis/report.html")
        shown = page.value("""[...document.querySelectorAll("tbody th.name")].map(cell => cell.textContent)""")
        checks.that("an analysis: shows its groups, the most sensitive first",
                    shown == [", ".join(group["modules"]) for group in analysis["analysis"]["groups"]] and len(shown) > 3, shown)

    with checks.group("500 modules"):
        large = many(report, 500)
        (folder / "large.json").write_text(json.dumps(large))
        run = kvant("report", folder / "large.json", "--html", folder / "large.html")
        checks.that("kvant report makes a page of a report", run.code == 0, run.said)
        size = (folder / "large.html").stat().st_size
        checks.that("500 modules: less than 2 MB", size < 2_000_000, size)
        page.show(folder / "large.html", 1280)
        seconds = min(page.show(folder / "large.html", 1280) for _ in range(3))
        begun = time.monotonic()
        click(page, 7)
        page.settle()
        checks.that("500 modules: usable within a second", seconds < 1 and time.monotonic() - begun < 1, seconds)
        look(page, "500 modules", folder / "large.html", large)
        page.value("""document.querySelector("[data-plot=sizes] .u-over").dispatchEvent(new MouseEvent("mousemove",
            {bubbles: true, clientX: 0, clientY: 0}))""")
        checks.that("500 modules: a name that is markup is text", page.value("document.images.length") == 0 and not page.errors and
                    page.value("""document.querySelectorAll("#modules tbody th")[7].textContent""").startswith(HOSTILE), page.errors)

checks.end()
