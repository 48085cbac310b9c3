"""The site of docs/ in headless Chromium: pages open from files without errors, ask for nothing, fit narrow windows; the search finds."""
import subprocess
import sys
import time
from pathlib import Path

import browser
from kvant import ROOT, Checks

SITE = ROOT / "target/site/html"
# Where pictures go that somebody wants to look at.
PICTURES = Path(sys.argv[1]) if len(sys.argv) > 1 else None

if not browser.chromium():
    print("the site is not checked: there is no Chromium; KVANT_CHROMIUM can name one")
    print("0 passed, 0 failed")
    sys.exit(0)
built = subprocess.run([ROOT / ".ci/site"], check=True, capture_output=True, text=True)
if not built.stdout.strip():
    print(built.stderr.strip())
    print("0 passed, 0 failed")
    sys.exit(0)

checks = Checks()


def await_value(page, expression):
    """Waits until it is true, for at most a minute."""
    end = time.monotonic() + 60
    while not page.value(expression) and time.monotonic() < end:
        time.sleep(0.1)


with browser.page() as page:
    # A server shows 404.html for any address, so its links begin at the root. Below api are the pages of other generators.
    for file in sorted(set(SITE.rglob("*.html")) - {SITE / "404.html"} - set(SITE.glob("api/**/*.html"))):
        name = str(file.relative_to(SITE).with_suffix(""))
        for width, dark in [(1280, False), (390, True)]:
            what = f"{name}, {width} pixels, {'dark' if dark else 'light'}"
            page.errors.clear()
            page.show(file, width, dark)
            checks.that(f"{what}: opens without errors and asks for nothing", not page.errors, page.errors)
            wide = page.value("document.documentElement.scrollWidth")
            checks.that(f"{what}: fits the window", wide <= width, f"{wide} pixels")
            broken = page.value("[...document.images].filter(image => !image.naturalWidth).map(image => image.src)")
            checks.that(f"{what}: shows its pictures", broken == [], broken)
            if PICTURES:
                PICTURES.mkdir(parents=True, exist_ok=True)
                page.picture(PICTURES / f"{name.replace('/', '-')}-{width}.png")

    page.errors.clear()
    page.show(SITE / "start/encoder.html", 1280)
    page.value("document.querySelector('[data-md-toggle=search]').click()")
    page.value("document.querySelector('[data-md-component=search-query]').focus()")
    page.type("smoothquant")
    # The page looks at its field when a key is released.
    page.press("End", 35)
    await_value(page, "document.querySelector('.md-search-result__link') !== null")
    found = page.value("[...document.querySelectorAll('.md-search-result__link')].map(link => link.href)")
    checks.that("a search from a file finds the page on the term", any("/concepts.html" in link for link in found), found)
    checks.that("a search reports no error and asks for nothing", not page.errors, page.errors)

checks.end()
