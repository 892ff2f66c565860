"""The status page in a real browser, headless: on a phone, in the dark, on paper, and without any network."""

from __future__ import annotations

import dataclasses
import html
import http.server
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from infra.vocabulary import Environment
from quantctl.forge.model import Verdict
from quantctl.promotion.gates import Unknown
from quantctl.status.page import page
from tests.status_samples import LIVE, STAGING, commit, flow, gates, record, team_status
from tests.test_status import hostile_status, with_environment

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
BROWSER = next((found for name in _NAMES if (found := shutil.which(name))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium here: make browser, as root on Debian, installs it")
_SECONDS = 60
_DARK = "--blink-settings=preferredColorScheme=0"

# Runs beside the page, which itself runs nothing: measures it in frames of two widths.
_MEASURE = """
const channel = c => { c /= 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const parse = text => (text.match(/[\\d.]+/g) || []).map(Number);
const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
function ground(view, element) {
  if (element.closest('svg a')) {
    const label = element.classList.contains('on-way');
    return label ? ground(view, element.closest('section'))
                 : parse(view.getComputedStyle(element.closest('a').querySelector('.box')).fill);
  }
  for (let at = element; at; at = at.parentElement) {
    const colour = parse(view.getComputedStyle(at).backgroundColor);
    if (colour.length === 3 || colour[3] > 0) return colour;
  }
  return [255, 255, 255];
}
function measure(frame) {
  const view = frame.contentWindow, page = frame.contentDocument, wide = page.documentElement.clientWidth;
  const shown = e => e.checkVisibility({contentVisibilityAuto: true}) && e.getClientRects().length > 0;
  const seen = query => [...page.querySelectorAll(query)].some(shown);
  const spills = [], faint = [], cut = [];
  for (const element of page.body.querySelectorAll('*')) {
    if (!shown(element) || element.closest('.hidden') || element.parentElement.closest('.scroll')) continue;
    const box = element.getBoundingClientRect();
    if (box.right > wide + 0.5 || box.left < -0.5) spills.push(element.tagName + '.' + element.getAttribute('class'));
    const owns = [...element.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!owns) continue;
    const style = view.getComputedStyle(element);
    const colour = parse(element.closest('svg') ? style.fill : style.color);
    const found = ratio(colour, ground(view, element));
    if (found < 4.5) faint.push(element.textContent.trim().slice(0, 30) + ': ' + found.toFixed(2));
  }
  for (const text of page.querySelectorAll('svg a text')) {
    if (!shown(text)) continue;
    const room = text.closest('a').querySelector('.box, .label').getBoundingClientRect();
    const box = text.getBoundingClientRect();
    if (box.right > room.right || box.left < room.left || box.bottom > room.bottom) cut.push(text.textContent);
  }
  const names = [...page.querySelectorAll('svg .name')].filter(shown).map(e => e.textContent);
  return {wide, scroll: page.documentElement.scrollWidth, names, spills, faint, cut,
          ground: view.getComputedStyle(page.body).backgroundColor,
          script: 'ran' in view, tall: seen('svg.tall'), broad: seen('svg.wide')};
}
addEventListener('load', () => {
  document.body.textContent = JSON.stringify([...document.querySelectorAll('iframe')].map(measure));
});
"""


class Requests(http.server.ThreadingHTTPServer):
    """The browser's only way out: notes who is asked for, and answers nobody."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Refusing)
        self.seen: list[str] = []


class _Refusing(http.server.BaseHTTPRequestHandler):
    server: Requests

    def do_GET(self) -> None:
        """Note it, refuse it."""
        self.server.seen.append(self.path)
        self.send_error(403)

    do_CONNECT = do_POST = do_HEAD = do_GET

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing on the test's output."""


@contextmanager
def the_way_out() -> Iterator[Requests]:
    """A proxy for the time of a test."""
    with Requests() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


def chromium(folder: Path, *arguments: str) -> str:
    """What headless Chromium prints. Root needs --no-sandbox; what it would fetch for itself is switched off."""
    assert BROWSER is not None
    own = ("background-networking", "component-update", "sync", "extensions", "gpu", "dev-shm-usage")
    usual = ["--headless=new", "--no-sandbox", "--hide-scrollbars", "--no-first-run", "--allow-file-access-from-files"]
    usual += [f"--user-data-dir={folder / 'profile'}", *(f"--disable-{name}" for name in own)]
    done = subprocess.run([BROWSER, *usual, *arguments], capture_output=True, text=True, timeout=_SECONDS, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def measured(folder: Path, text: str, *arguments: str) -> list[dict[str, Any]]:
    """The page as it is laid out 360 and 1280 pixels wide."""
    (folder / "page.html").write_text(text)
    frames = "".join(f'<iframe src="page.html" style="border:0" width="{w}" height="900"></iframe>' for w in (360, 1280))
    beside = folder / "beside.html"
    beside.write_text(f"<!doctype html><body>{frames}</body><script>{_MEASURE}</script>")
    told = chromium(folder, "--window-size=1800,1000", *arguments, "--dump-dom", beside.as_uri())
    found = re.search(r"<body>(.*)</body>", told, re.S)
    assert found, told
    loaded: list[dict[str, Any]] = json.loads(html.unescape(found[1]))
    return loaded


def strained() -> str:
    """Long names without a gap, many of everything, and what is unknown."""
    status = hostile_status()
    long = "a_workflow_with_a_name_that_never_ends_" * 3
    moving = [commit(f"{number:08x}", f"{number} {'unbreakable' * 9}") for number in range(23)]
    status = with_environment(status, LIVE, workflows=[flow(f"{long}{n}", "s" * 30) for n in range(30)], undeployed=moving)
    closed = gates(**dict.fromkeys(("soak", "approvals", "sign_off", "release_manager", "no_active_runs"), Verdict.NO))
    edges = [dataclasses.replace(edge, commits=moving * 5, gates=closed) for edge in status.edges]
    status = dataclasses.replace(status, edges=edges)
    status = with_environment(status, STAGING, interrupted=record(STAGING, "aa11bb22", 1, "quant"))
    return page(with_environment(status, Environment.LIMITED, workflows=Unknown("?" * 300), last=Unknown("?" * 300)))


@pytest.mark.parametrize("shade", ["light", "dark"])
def test_the_page_is_readable_on_a_phone_and_a_screen(tmp_path: Path, shade: str) -> None:
    """All four environments are seen, nothing is cut off or scrolls sideways, and every text stands out of its ground."""
    grounds = []
    for text in (page(team_status()), strained()):
        phone, screen = measured(tmp_path, text, *([_DARK] if shade == "dark" else []))
        for view in (phone, screen):
            assert view["names"] == [env.value for env in Environment]
            assert view["scroll"] <= view["wide"]
            assert (view["spills"], view["cut"], view["faint"]) == ([], [], [])
            assert not view["script"]
            grounds.append(sum(map(int, re.findall(r"\d+", view["ground"]))))
        assert (phone["wide"], phone["tall"], phone["broad"]) == (360, True, False)
        assert (screen["wide"], screen["tall"], screen["broad"]) == (1280, False, True)
    assert all((ground < 150) == (shade == "dark") for ground in grounds)


def test_the_page_asks_nobody_for_anything(tmp_path: Path) -> None:
    """Opening it makes no request; even with a foreign picture, style and script put into it, its policy lets none out."""
    foreign = (
        "<img src='http://evil.example/a.png'><link rel=stylesheet href='http://evil.example/b.css'>"
        "<script src='http://evil.example/c.js'></script><script>window.ran = fetch('http://evil.example/d')</script>"
        "<iframe src='http://evil.example/e'></iframe>"
    )
    whole = page(team_status())
    spoiled = whole.replace("<body>", f"<body>{foreign}", 1)
    unguarded = re.sub(r"<meta http-equiv=[^>]*>", "", spoiled)
    requests = {}
    with the_way_out() as server:
        through = (f"--proxy-server=http://127.0.0.1:{server.server_port}", "--proxy-bypass-list=<-loopback>")
        for name, text in (("whole", whole), ("spoiled", spoiled), ("unguarded", unguarded)):
            server.seen.clear()
            (tmp_path / f"{name}.html").write_text(text)
            chromium(tmp_path, *through, "--timeout=4000", "--dump-dom", (tmp_path / f"{name}.html").as_uri())
            requests[name] = [url for url in server.seen if "evil.example" in url or not _browsers_own(url)]
    assert len(requests.pop("unguarded")) >= 4  # else nothing could be noticed here
    assert requests == {"whole": [], "spoiled": []}


def _browsers_own(url: str) -> bool:
    """Chromium's own errands, which no page asks for."""
    return bool(re.search(r"(google|googleapis|gvt1|gstatic)\.com(:443)?(/|$)", url))


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="no pdftotext here: make browser, as root on Debian")
def test_the_page_prints_whole(tmp_path: Path) -> None:
    """On paper what was folded is unfolded, and a common status takes few pages."""
    (tmp_path / "page.html").write_text(page(team_status()))
    paper = tmp_path / "page.pdf"
    chromium(tmp_path, "--no-pdf-header-footer", f"--print-to-pdf={paper}", (tmp_path / "page.html").as_uri())
    done = subprocess.run(["pdftotext", "-layout", paper, "-"], capture_output=True, text=True, check=True)
    sheets = done.stdout.split("\f")[:-1]
    assert 2 <= len(sheets) <= 5
    first = sheets[0]
    assert all(env.value in first for env in Environment)
    assert "limited release" in first
    assert done.stdout.count("no-freeze") == 4  # also of the way on which nothing waits
