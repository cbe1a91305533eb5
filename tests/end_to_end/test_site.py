"""The documentation as a site: every link and anchor leads somewhere, and its pages ask no other host for anything."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from support import ROOT

pytest.importorskip("material", reason="mkdocs-material is in the extras docs and test")
LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
"""What a browser fetches by itself, by tag and attribute."""


class Requests(HTMLParser):
    """Collects what a page makes a browser load, and the addresses that its inline styles name."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "link" and values.get("rel") in ("canonical", "next", "prev"):
            return
        self.found += [value for name, value in attrs if name == LOADED.get(tag) and value]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]  # quiet, it counts nothing
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return folder


@pytest.mark.slow
def test_no_page_asks_another_host(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 30
    for page in pages:
        requests = Requests()
        requests.feed(page.read_text("utf-8"))
        assert requests.found
        assert [address for address in requests.found if urlsplit(address).netloc] == [], page.name
    for style in site.rglob("*.css"):
        assert re.findall(r"url\(\s*[\"']?(?:https?:)?//", style.read_text("utf-8")) == [], style.name


@pytest.mark.slow
def test_a_page_stands_in_the_menu_for_every_file(site: Path) -> None:
    """Strict building warns of pages outside the menu; this holds the folder of the site to that of the sources."""
    for source in (ROOT / "docs").rglob("*.md"):
        inside = source.relative_to(ROOT / "docs").with_suffix("")
        page = site / ("index.html" if str(inside) == "index" else inside / "index.html")
        assert page.exists(), inside
