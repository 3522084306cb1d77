import base64
import hashlib
import re
import time
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from rasid.audit import highlights, page
from rasid.audit.findings import Audit, Finding, Location
from rasid.audit.page import to_html
from rasid.audit.symbols import plain, visible
from rasid.data.articles import Argument, Article, Entity, Event, Span
from rasid.data.labels import Label, LabelScheme

HOSTILE = "ابلوَ٣aZ \n\t\r\u2028\x85\x00\u200c\u202e\u2066\ufeff\U0001f600\U0001d49c\"'<>&{}%`\ud800\ue000\uffff"
ATTACK = "</script></template><img src=x onerror=alert(1)>{{ 7*7 }}\u202e\u2028"
TEXT = st.text(HOSTILE, max_size=25) | st.just(ATTACK)
VOID = {"meta", "link", "input"}


class Tree(HTMLParser):
    """What a browser would see: elements, and the text below those with an attribute of interest."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.marked: dict[tuple[str, str], str] = {}
        self.feed(str(html))  # Markup would escape what is joined to it
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.elements.append((tag, attributes))
        if tag not in VOID | {"rect"}:
            self.open.append((tag, attributes))
        if tag == "i":  # a symbol stands for the character that its tip names
            self.read(chr(int(attributes["title"].split()[0][2:], 16)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        if not (self.open and self.open[-1][0] == "i"):
            self.read(data)

    def read(self, text: str) -> None:
        self.text += text
        for _, attributes in self.open:
            keys = [("data-h", number) for number in attributes.get("data-h", "").split()]
            for key in [*keys, ("title", attributes.get("title", ""))]:
                self.marked[key] = self.marked.get(key, "") + text

    def named(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def one_finding(*locations: Location, **changes: object) -> Audit:
    finding = Finding(key="k", title="t", severity="error", explanation="e", count=len(locations), locations=locations)
    return Audit(name="n", splits={"train": {"articles": 1}}, labels={}, findings=[replace(finding, **changes)])  # type: ignore[arg-type]


@st.composite
def annotated(draw: st.DrawFn) -> tuple[Article, list[Location]]:
    text = draw(st.text(HOSTILE, min_size=1, max_size=40))
    offset = st.integers(-2, len(text) + 2)
    spans = st.lists(st.tuples(offset, offset), max_size=12)
    inside = [(s, e) for s, e in draw(spans) if 0 <= s < e <= len(text)]
    entities = tuple(Entity(start=s, end=e, label=draw(TEXT), id=f"e{n}") for n, (s, e) in enumerate(inside))
    events = tuple(
        Event(
            trigger=Span(start=s, end=e),
            types=(draw(TEXT), "x"),
            arguments=tuple(Argument(role=draw(TEXT), entity=entity.id) for entity in entities[:2]),
        )
        for s, e in draw(spans)
        if 0 <= s < e <= len(text)
    )
    article = Article(id=draw(TEXT), text=text, source=draw(TEXT), entities=entities, events=events)
    location = st.tuples(offset, offset, TEXT, TEXT)
    locations = [
        Location(split="train", article=article.id, start=s, end=e, label=label, message=message, source=message)
        for s, e, label, message in draw(st.lists(location, max_size=6))
    ]
    return article, locations


def drawn(article: Article, rings: dict[tuple[int, int], list[int]] | None = None) -> Markup:
    """The text of an article with its annotations, and rings around some spans."""
    marks = highlights.annotation_highlights(article, highlights.Palette(None))
    return highlights.highlighted(article.text, [*highlights.ring_highlights(rings or {}, article.text), *marks])


# text and highlights


@given(st.text(HOSTILE, max_size=60))
def test_each_symbol_replaces_one_character(text: str) -> None:
    for lines in (True, False):
        html = visible(text, lines=lines)
        assert Tree(html).text == text
        html.encode()  # no lone surrogates
        assert not re.search("[\u202e\u2066\u2028\ufeff\x00\r]", html)
    assert not re.search("[\u202e\u2066\n\x00\ud800]", plain(text))


def test_joiners_and_line_feeds() -> None:
    assert re.sub("<.*?>", "", visible("می\u200cخواهد")) == "می\u200cخواهد"
    assert visible("a\nb") == "a\nb" and 'data-c="↵"' in visible("a\nb", lines=False)
    assert 'title="U+202E RIGHT-TO-LEFT OVERRIDE"' in visible("\u202e")


@settings(max_examples=100, deadline=None)
@given(annotated())
def test_highlights_cover_exactly_their_characters(content: tuple[Article, list[Location]]) -> None:
    article, locations = content
    rings: dict[tuple[int, int], list[int]] = {}
    for number, location in enumerate(locations):
        rings.setdefault((location.start, location.end), []).append(number)
    tree = Tree(drawn(article, rings))
    assert not tree.open
    assert tree.text == article.text
    for number, location in enumerate(locations):
        inside = 0 <= location.start < location.end <= len(article.text)
        expected = article.text[location.start : location.end] if inside else ""
        assert tree.marked.get(("data-h", str(number)), "") == expected
    for entity in article.entities if len(article.entities) + len(article.events) <= highlights.DEPTH else ():
        title = f"{plain(entity.label)} {entity.start}–{entity.end}"
        same = [e for e in article.entities if (e.start, e.end, e.label) == (entity.start, entity.end, entity.label)]
        assert sorted(tree.marked["title", title]) == sorted(entity.text * len(same))


def test_offsets_are_code_points() -> None:
    article = Article(id="a", text="في 😀😀واشنطن 𝒜 باريس", entities=(Entity(start=5, end=11, label="GPE"),))
    assert drawn(article) == 'في 😀😀<span class="e l0" title="GPE 5–11">واشنطن</span> 𝒜 باريس'


def test_nested_highlights_have_room_for_inner_lines() -> None:
    text = "وزارة دفاع العراق"
    spans = ((0, 17, "ORG"), (11, 17, "GPE"), (6, 17, "ORG"))
    html = drawn(Article(text=text, entities=tuple(Entity(start=s, end=e, label=k) for s, e, k in spans)))
    assert re.findall(r'title="\w+ (\S+)"(?: data-u="(\d)")?', html) == [("0–17", "2"), ("6–17", "1"), ("11–17", "")]


def test_thousands_of_crossing_highlights_are_fast() -> None:
    text = "ا" * 6000
    article = Article(text=text, entities=tuple(Entity(start=n, end=n + 3000, label="X") for n in range(3000)))
    start = time.perf_counter()
    html = drawn(article)
    assert time.perf_counter() - start < 5
    assert Tree(html).text == text
    assert len(html) < 10_000_000


def test_deep_highlights_are_left_out_except_rings() -> None:
    article = Article(text="ا" * 100, entities=tuple(Entity(start=n, end=100 - n, label="X") for n in range(40)))
    html = drawn(article, {(45, 50): [7]})
    assert html.count('class="e') == highlights.DEPTH
    assert Tree(html).marked["data-h", "7"] == "ا" * 5


def test_tooltip_has_types_offsets_and_arguments() -> None:
    place = (Argument(role="At", entity="e1"),)
    event = Event(trigger=Span(start=0, end=3), types=("ASSAULT", "COERCE"), arguments=place)
    entity = Entity(start=4, end=9, label="GPE", id="e1")
    article = Article(text="قصف بغداد", entities=(entity,), events=(event,))
    html = drawn(article)
    assert 'title="ASSAULT + COERCE 0–3\nAt: \u2068بغداد\u2069"' in html


# snippets and messages


def test_snippet_has_the_span_and_whole_words_around_it() -> None:
    text = "كلمة " * 40 + "بغداد" + " كلمات" * 40
    start = text.index("بغداد")
    before, after = Tree(highlights.snippet(text, start, start + 5)).text.split("بغداد")
    assert before.lstrip("… ").startswith("كلمة ")
    assert after.endswith("كلمات…")
    assert highlights.CONTEXT - 6 <= len(before) <= highlights.CONTEXT + 1
    assert "<mark>بغداد</mark>" in highlights.snippet(text, start, start + 5)


@given(st.text(HOSTILE, max_size=300), st.integers(-3, 310), st.integers(-3, 310))
def test_snippet_is_part_of_the_text(text: str, start: int, end: int) -> None:
    html = highlights.snippet(text, start, end)
    shown = Tree(html).text
    assert shown.removeprefix("…").removesuffix("…") in text or " … " in shown
    assert ("<mark>" in html) == (0 <= start < end <= len(text))
    assert len(shown) <= 2 * highlights.CONTEXT + highlights.EXCERPT + 5


def test_long_span_is_shown_by_its_ends() -> None:
    text = "أول" + "ا" * 5000 + "آخر"
    assert re.fullmatch("<mark>أولا+ … ا+آخر</mark>", highlights.snippet(text, 0, len(text)))


def test_quotations_keep_their_place_in_a_message() -> None:
    html = highlights.message("'الساحل' lies in 'وسط مالي'; set `nested: true`")
    quoted = "&#39;<bdi>الساحل</bdi>&#39; lies in &#39;<bdi>وسط مالي</bdi>&#39;; set <code>nested: true</code>"
    assert html == Markup(f'<bdi dir="ltr">{quoted}</bdi>')
    assert "<bdi>قال , في 12 آذار: نعم…</bdi>" in highlights.message("equals 'قال , في 12 آذار: نعم…'")
    assert len(highlights.message("x" * 100_000)) < 1000


@settings(max_examples=100)
@given(TEXT)
def test_messages_are_valid_html(text: str) -> None:
    tree = Tree(highlights.message(text))
    assert not tree.open
    assert {name for name, _ in tree.elements} <= {"bdi", "code", "i"}


def test_direction_is_that_of_most_letters() -> None:
    texts = {"سوريا": "rtl", "BBC: قال وزير الخارجية": "rtl", "He said نعم": "ltr", "": "rtl"}
    assert {text: highlights.direction(text) for text in texts} == texts


# the page


@settings(max_examples=50, deadline=None)
@given(annotated(), TEXT, st.none() | st.floats(allow_nan=True))
def test_untrusted_text_never_becomes_markup(
    content: tuple[Article, list[Location]], text: str, score: float | None
) -> None:
    article, locations = content
    finding = Finding(
        key=text,
        title=text,
        severity="warning",
        explanation=text,
        count=len(locations) + 2,
        locations=(
            *(replace(location, score=score) for location in locations),
            Location(split=text, article=text, message=text),
        ),
        table=((text, "n"), (text, "1"), (text,), (text, text, text)),
    )
    label = Label(name=text, definition=text, arabic=text, color="red}</style>")
    scheme = LabelScheme(name=text, entities={text: label}, events={}, roles={})
    audit = Audit(
        name=text,
        splits={"train": {text: 3}, text: {}},
        labels={"entities": {text: {"train": 1}, "y": {text: 2}}, text: {text: {}}},
        findings=[finding],
    )
    html = to_html(audit, [("train", article), (text, article)], scheme=scheme)
    html.encode()
    tree = Tree(html)
    assert not tree.open
    assert len(tree.named("script")) == len(tree.named("style")) == 1
    assert not tree.named("img") + tree.named("iframe") + tree.named("object")
    assert len(tree.named("li")) == 3 + 1 + len(finding.locations)  # verdicts, summary, locations
    for _, attributes in tree.elements:
        assert not [name for name in attributes if name.startswith("on") or name in ("src", "style")]
        assert re.fullmatch(r"#\w+|data:,", attributes.get("href", "#x"))
    assert not re.search("[\u202e\u2066\u2028\x00\r]", html)
    assert "red}</style>" not in html


def test_policy_allows_the_own_script_and_style_only() -> None:
    html = to_html(one_finding(), [])
    policy = next(a["content"] for a in Tree(html).named("meta") if a.get("http-equiv") == "Content-Security-Policy")
    directives = dict(part.split(" ", 1) for part in policy.split("; "))
    assert directives["default-src"] == "'none'"
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        content = re.findall(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL)[-1]
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert directives[directive] == f"'sha256-{digest}'"
    assert not re.search(r"https?:|url\(|@import|fetch\(|XMLHttpRequest", html)


def test_labels_of_regions_refer_to_elements() -> None:
    audit = one_finding(Location(split="train", message="m"), table=(("a",), *((str(n),) for n in range(20))))
    elements = Tree(to_html(audit, [])).elements
    ids = {attributes.get("id") for _, attributes in elements}
    references = {attributes["aria-labelledby"] for _, attributes in elements if "aria-labelledby" in attributes}
    assert len(references) >= 4 and references <= ids


def test_labels_have_the_color_of_the_scheme_or_one_of_their_own(scheme: LabelScheme) -> None:
    palette = highlights.Palette(scheme)
    known, _, _ = (palette["entities", name] for name in ("PER", "NEW", "NEWER"))
    colors = dict(re.findall(r"\.l(\d+)\{--c:(#\w{6})\}", palette.css()))
    assert colors[str(known)] == scheme.entities["PER"].color
    assert len({*colors.values()}) == 3


def test_a_location_has_the_color_of_its_role(scheme: LabelScheme) -> None:
    audit = replace(one_finding(Location(split="train", label="Actor")), labels={"arguments": {"Actor": {"train": 1}}})
    html = to_html(audit, [], scheme=scheme)
    colors = {f"l{number}": color for number, color in re.findall(r"\.l(\d+)\{--c:(#\w{6})\}", html)}
    assert colors == {"l0": scheme.roles["Actor"].color}
    used = {name for _, attributes in Tree(html).elements for name in attributes.get("class", "").split()}
    assert used & {"l0", "l1"} == {"l0"}


def test_articles_are_embedded_once_with_all_highlights(articles: list[Article], scheme: LabelScheme) -> None:
    article = articles[0]
    locations = [Location(split="train", article=article.id, start=e.start, end=e.end) for e in article.entities]
    locations += [Location(split="train", article="gone", message="m"), Location(split="dev", article=article.id)]
    pairs = [("train", each) for each in articles] + [("train", replace(article, text="second of this id"))]
    html = to_html(one_finding(*locations), iter(pairs), scheme=scheme)
    (template,) = re.findall("<template.*?</template>", html, re.DOTALL)
    tree = Tree(template)
    for number, entity in enumerate(article.entities):
        assert tree.marked["data-h", str(number)] == entity.text
    for event in article.events:
        assert f'title="{event.types[0]} {event.trigger.start}–{event.trigger.end}' in template
    assert html.count('data-a="0"') == len(article.entities)
    assert 'dir="rtl"' in template and 'lang="ar"' in template


def test_page_says_what_was_left_out(articles: list[Article], monkeypatch: pytest.MonkeyPatch) -> None:
    locations = tuple(Location(split="train", article=a.id, start=0, end=3) for a in articles)
    pairs = [("train", article) for article in articles]
    table = (("a", "b"), *((str(n), "x") for n in range(page.ROWS + 7)))
    assert "articles are not on this page" not in to_html(one_finding(*locations), pairs)
    monkeypatch.setattr(page, "LOCATIONS", 30)
    monkeypatch.setattr(page, "EMBEDDED", 8_000)
    html = to_html(one_finding(*locations, table=table, count=1234), pairs)
    embedded = html.count("<template")
    assert 3 < embedded < 30
    assert f"{30 - embedded} articles are not on this page" in html
    assert "This page lists the first 30 of 1,234." in html
    assert "… and 7 more rows." in html
    monkeypatch.setattr(page, "ARTICLE", 10)
    assert "<template" not in to_html(one_finding(*locations), pairs)


def test_each_finding_has_its_first_articles(articles: list[Article], monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (tuple(Location(split="s", article=a.id) for a in part) for part in (articles[:20], articles[20:]))
    finding = Finding(key="a", title="t", severity="error", explanation="", count=20, locations=first)
    findings = [finding, replace(finding, key="b", locations=second)]
    monkeypatch.setattr(page, "EMBEDDED", 3_000)
    html = to_html(Audit(name="n", splits={}, labels={}, findings=findings), [("s", a) for a in articles])
    assert 'id="h0" class="location" data-s="0" data-l="-1" data-a="0"' in html
    assert 'id="h20" class="location" data-s="0" data-l="-1" data-a="1"' in html


def test_bars_are_shares_of_the_split() -> None:
    labels = {"entities": {"PER": {"train": 90, "dev": 5}, "LOC": {"train": 10, "dev": 5}}}
    html = to_html(Audit(name="n", splits={"train": {}, "dev": {}}, labels=labels), [])
    widths = [float(rect["width"]) for rect in Tree(html).named("rect")]
    assert widths == pytest.approx([100, 100 * 0.5 / 0.9, 100 / 9, 100 * 0.5 / 0.9], abs=0.01)
    assert "No problems found." in html


@pytest.mark.long
@pytest.mark.slow
def test_a_large_set_makes_a_page_that_opens() -> None:
    text = "قال متحدث إن القصف وقع قرب بغداد يوم الثلاثاء ولم يضف شيئا. " * 20
    found = [m.span() for word in ("بغداد", "القصف") for m in re.finditer(word, text)]
    entities = tuple(Entity(start=start, end=end, label="GPE") for start, end in found)
    pairs = [("train", Article(id=f"a{n}", text=text, entities=entities)) for n in range(16_000)]
    place = Location(split="train", start=27, end=32, label="GPE", message="m" * 80)
    locations = tuple(replace(place, article=article.id) for _, article in pairs)
    (finding,) = one_finding().findings
    findings = [replace(finding, key=f"k{n}", count=16_000, locations=locations[n::20]) for n in range(20)]
    html = to_html(replace(one_finding(), findings=findings), pairs)
    assert len(html.encode()) < 20_000_000
    assert html.count('class="location"') == 20 * page.LOCATIONS
