"""What the site adds to docs/: the navigation from docs/README.md, and pages for files outside of docs/ that pages link to."""
import logging
import posixpath
import re
import zipfile
from pathlib import Path

from mkdocs.structure.files import File, InclusionLevel

ROOT = Path(__file__).resolve().parent.parent
# Beside the repository's own paths, under which files outside of docs/ are shown.
OUTSIDE = "repository"
LINK = re.compile(r"(!?\[(?:[^\[\]]|\[[^\]]*\])*\]\()([^)\s]+)(\))")
FENCE = re.compile(r"^ *(```|~~~)")
# The documentation of the API, where a build of a release has made it: the jar of each artifact.
JARS = sorted([*ROOT.glob("*/target/*-javadoc.jar"), *ROOT.glob("*/*/target/*-javadoc.jar")])
API = {re.sub(r"-\d.*", "", jar.name): jar for jar in JARS}
log = logging.getLogger("mkdocs.plugins")


def parts(markdown):
    """The text in parts, each with whether links in it are links: not in listings."""
    part, plain, fenced = [], True, False
    for line in markdown.split("\n"):
        fence = bool(FENCE.match(line))
        now = not (fenced or fence or line.startswith("    "))
        fenced ^= fence
        if now != plain:
            yield "\n".join(part), plain
            part, plain = [], now
        part.append(line)
    yield "\n".join(part), plain


def source(uri):
    """The path in the repository of what the site has at that place."""
    return uri[len(OUTSIDE) + 1:].removesuffix(".txt") if uri.startswith(OUTSIDE + "/") else "docs/" + uri


def place(path):
    """The place in the site of a file or folder of the repository, or nothing where there is none."""
    file = ROOT / path
    if file.is_dir():
        path = f"{path}/README.md".removeprefix("./")
        # Where a folder of docs/ has no page, the site makes one that lists its pages.
        if not (ROOT / path).exists() and not path.startswith("docs/"):
            return None
    elif not file.exists():
        return None
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    return f"{OUTSIDE}/{path}" + ("" if Path(path).suffix in (".md", ".svg", ".png") else ".txt")


def links(markdown):
    """The relative links outside of listings, without their anchors."""
    text = "\n".join(part for part, plain in parts(markdown) if plain)
    return [link for _, target, _ in LINK.findall(text) if (link := target.split("#")[0]) and ":" not in link]


def title(path):
    return next(line[2:] for line in path.read_text().split("\n") if line.startswith("# "))


def on_config(config):
    """One tab for each section of docs/README.md, with the pages in the first column of its table."""
    readme = (ROOT / "docs/README.md").read_text()
    nav, section = ["README.md"], None
    for line in readme.split("\n"):
        if line.startswith("## "):
            section = []
            nav.append({line[3:]: section})
        entry = re.match(r"\| \[([^\]]+)\]\(([^)#]+)\)", line)
        if entry and section is not None:
            text, target = entry.groups()
            to = place(posixpath.normpath(f"docs/{target}"))
            if to is None:
                log.warning("docs/README.md: there is no %s to show", target)
            elif target.endswith("/"):
                pages = sorted(page for page in (ROOT / "docs" / target).glob("*.md") if page.name != "README.md")
                section.append({text: [to, *(str(page.relative_to(ROOT / "docs")) for page in pages)]})
            else:
                section.append(to if text.endswith(".md") else {text: to})
    if API:
        next(pages for entry in nav if "Reference" in entry for pages in entry.values()).append({"API": "reference/api.md"})
    config.nav = nav
    return config


def on_files(files, config):
    for asset in sorted((ROOT / "site/assets").iterdir()):
        files.append(File.generated(config, f"assets/site/{asset.name}", abs_src_path=str(asset)))
    for folder in sorted({file.src_uri.rpartition("/")[0] for file in files.documentation_pages()} - {""}):
        if files.get_file_from_path(f"{folder}/README.md") is None:
            pages = sorted((ROOT / "docs" / folder).glob("*.md"))
            listed = "".join(f"- [{title(page)}]({page.name})\n" for page in pages)
            files.append(File.generated(config, f"{folder}/README.md", content=f"# {folder.capitalize()}\n\n{listed}"))
    if API:
        listed = "".join(f'- <a href="../api/{name}/index.html">{name}</a>\n' for name in API)
        files.append(File.generated(config, "reference/api.md", content=f"# API\n\nClasses and functions of each artifact:\n\n{listed}"))
    todo = [file.src_uri for file in files.documentation_pages()]
    while todo:
        uri = todo.pop()
        path = source(uri)
        if not (ROOT / path).is_file():
            continue
        for link in links((ROOT / path).read_text()):
            to = place(posixpath.normpath(posixpath.join(posixpath.dirname(path), link)))
            if to and to.startswith(OUTSIDE + "/") and files.get_file_from_path(to) is None:
                # Some are in the navigation, the others are not missing there.
                added = File.generated(config, to, abs_src_path=str(ROOT / source(to)), inclusion=InclusionLevel.NOT_IN_NAV)
                files.append(added)
                if to.endswith(".md"):
                    todo.append(to)
    return files


def on_page_markdown(markdown, page, config, files):
    """Turns links between files of the repository into links between their places in the site."""
    here = posixpath.dirname(page.file.src_uri)
    folder = posixpath.dirname(source(page.file.src_uri))

    def moved(match):
        before, target, after = match.groups()
        link, mark, anchor = target.partition("#")
        if not link or ":" in link:
            return match.group()
        to = place(posixpath.normpath(posixpath.join(folder, link)))
        if to is None:
            log.warning("%s links to %s, which is not there", source(page.file.src_uri), link)
            return match.group()
        return before + posixpath.relpath(to, here or ".") + mark + anchor + after

    return "\n".join(LINK.sub(moved, part) if plain else part for part, plain in parts(markdown))


def on_post_build(config):
    for name, jar in API.items():
        with zipfile.ZipFile(jar) as archive:
            archive.extractall(Path(config.site_dir) / "api" / name)
