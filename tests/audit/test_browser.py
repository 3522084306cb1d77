"""The page of an audit in a real browser; needs Chromium or Chrome on the path."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from rasid.audit.findings import Audit, Finding, Location
from rasid.audit.page import to_html
from rasid.data.articles import Article, Entity
from rasid.data.labels import LabelScheme

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium or Chrome on the path")

ATTACK = "</script></template><img src=x onerror=\"document.documentElement.dataset.owned='yes'\">\u202e\u2028"
OWN = "<script>document.documentElement.dataset.owned = 'yes'</script>"
TEXT = f"{ATTACK} قال 😀😀واشنطن {OWN}"
LOCATIONS = 45


@pytest.fixture
def browse(tmp_path: Path) -> Callable[..., str]:
    """Open a file in a headless browser and return its output."""

    def run(file: Path, place: str, *options: str) -> str:
        quiet = ["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
        command = [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", *quiet]
        command += [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=3000", *options]
        done = subprocess.run(
            [*command, file.as_uri() + place], capture_output=True, text=True, encoding="utf-8", timeout=60, check=True
        )
        return done.stdout

    return run


@pytest.fixture
def html(scheme: LabelScheme) -> str:
    """A page with hostile text in every field."""
    start = TEXT.index("واشنطن")
    entities = (Entity(start=start, end=start + 6, label="GPE"), Entity(start=start - 2, end=start + 6, label=ATTACK))
    article = Article(id=ATTACK, title=ATTACK, source=ATTACK, text=TEXT, entities=entities)
    location = Location(
        split=ATTACK, article=ATTACK, start=start, end=start + 6, label="GPE", message=ATTACK, source=ATTACK
    )
    finding = Finding(
        key=ATTACK,
        title=ATTACK,
        severity="error",
        explanation=ATTACK,
        count=99,
        locations=(location,) * LOCATIONS,
        table=((ATTACK,),),
    )
    audit = Audit(
        name=ATTACK, splits={ATTACK: {ATTACK: 1}}, labels={"entities": {ATTACK: {ATTACK: 1}}}, findings=[finding]
    )
    return to_html(audit, [(ATTACK, article)], scheme=scheme)


def test_page_script_runs_and_article_scripts_do_not(tmp_path: Path, html: str, browse: Callable[..., str]) -> None:
    file = tmp_path / "page.html"
    file.write_text(html, encoding="utf-8")
    seen = browse(file, "#h1", "--dump-dom")
    root = re.search("<html[^>]*>", seen)
    assert root is not None
    assert f'data-ready="{LOCATIONS}"' in root.group() and f'data-left="{LOCATIONS}"' in root.group()
    assert "data-owned" not in root.group()
    assert "<img" not in re.sub("&lt;img", "", seen)
    assert len(re.findall('<li id="h[0-9]+"[^>]*hidden', seen)) == LOCATIONS - 20  # the first twenty are shown
    reader = seen[seen.index('<aside id="reader"') : seen.index("</aside>")]
    assert 'class="ring">' in reader and 'data-rings="1"' in root.group()
    ring = reader[reader.index('class="ring">') :]
    assert re.sub("<[^>]*>", "", ring[ring.index(">") + 1 :]).startswith("واشنطن")
    assert f"location 2 of {LOCATIONS}" in reader


def test_policy_blocks_injected_scripts(tmp_path: Path, html: str, browse: Callable[..., str]) -> None:
    file = tmp_path / "page.html"
    image = "<img src=x onerror=\"document.documentElement.dataset.owned='yes'\">"
    broken = html.replace("</main>", f"{OWN}{image}</main>")
    file.write_text(broken, encoding="utf-8")
    assert "data-owned" not in browse(file, "", "--dump-dom").split(">", 2)[1]
    # Without the policy the same script runs.
    file.write_text(re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", broken), encoding="utf-8")
    assert "data-owned" in browse(file, "", "--dump-dom").split(">", 2)[1]


def test_page_is_drawn(tmp_path: Path, html: str, browse: Callable[..., str]) -> None:
    sizes = []
    for name, content in (("page", html), ("empty", "<!DOCTYPE html><title>x</title>")):
        file, picture = tmp_path / f"{name}.html", tmp_path / f"{name}.png"
        file.write_text(content, encoding="utf-8")
        browse(file, "", "--window-size=1000,800", f"--screenshot={picture}")
        sizes.append(picture.stat().st_size)
    assert sizes[0] > 5 * sizes[1]
