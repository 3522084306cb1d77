"""Zip archives of INCEpTION: layouts, choice of the annotator, and malicious archives."""

import io
import json
import random
import struct
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rasid.audit.reading import read_file, read_versions
from rasid.data.articles import Article, check_article
from rasid.data.datasets import load_dataset
from rasid.data.formats import annotators_of, detect, format_of, inception, read_files
from rasid.data.formats.common import zip_archive
from rasid.data.formats.inception import archive
from rasid.data.labels import Label, LabelScheme
from rasid.data.problems import DataError, ProblemLog
from rasid.data.reading import load_articles

TYPES = b"<typeSystemDescription/>"


def xmi(label: str = "GPE", text: str = "زار خالد غزة", title: str = "") -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><xmi:XMI xmlns:xmi="http://www.omg.org/XMI" '
        'xmlns:cas="http:///uima/cas.ecore" xmlns:custom="http:///custom.ecore" '
        'xmlns:meta="http:///de/tudarmstadt/ukp/dkpro/core/api/metadata/type.ecore" xmi:version="2.0">'
        f'<custom:Span xmi:id="1" sofa="99" begin="9" end="12" label="{label}"/>'
        f'<meta:DocumentMetaData xmi:id="2" sofa="99" begin="0" end="12" documentTitle="{title}"/>'
        f'<cas:Sofa xmi:id="99" sofaNum="1" sofaID="_InitialView" mimeType="text" sofaString="{text}"/>'
        '<cas:View sofa="99" members="1 2"/></xmi:XMI>'
    ).encode()


def cas_json(label: str) -> bytes:
    structures = [
        {"%ID": 1, "%TYPE": "uima.cas.Sofa", "sofaNum": 1, "sofaID": "_InitialView", "sofaString": "زار خالد غزة"},
        {"%ID": 2, "%TYPE": "custom.Span", "@sofa": 1, "begin": 9, "end": 12, "label": label},
    ]
    views = {"_InitialView": {"%SOFA": 1, "%MEMBERS": [2]}}
    return json.dumps({"%TYPES": {}, "%FEATURE_STRUCTURES": structures, "%VIEWS": views}).encode()


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as file:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.filename = info.orig_filename = name  # as it is, whatever the system's separator
            info.compress_type = method
            file.writestr(info, content)
    return stream.getvalue()


def version(label: str, user: str = "admin", **more: Any) -> bytes:
    return zipped({"TypeSystem.xml": TYPES, f"{user}.xmi": xmi(label, **more)})


def project(**changed: bytes | None) -> dict[str, bytes]:
    members: dict[str, bytes | None] = {
        "exportedproject123.json": b'{"name": "x"}',
        "source/خبر 10.txt": "زار خالد غزة".encode(),
        "annotation/خبر 10.txt/INITIAL_CAS.zip": version("INITIAL", "INITIAL_CAS"),
        "annotation/خبر 10.txt/ali.zip": version("ALI", "ali"),
        "annotation/خبر 10.txt/sara.zip": version("SARA", "sara"),
        "curation/خبر 10.txt/CURATION_USER.zip": version("BOTH", "CURATION_USER"),
        "annotation_ser/خبر 10.txt/INITIAL_CAS.ser": b"\xac\xed",
        "annotation_ser/خبر 10.txt/ali.ser": b"\xac\xed",
        "annotation/خبر 9.txt/ali.json": cas_json("ALONE"),
        "annotation_ser/خبر 8.txt/INITIAL_CAS.ser": b"\xac\xed",
        "log/project.log": b"",
    }
    return {name: content for name, content in {**members, **changed}.items() if content is not None}


def read(path: Path, content: bytes, **options: Any) -> tuple[list[Article], ProblemLog]:
    path.write_bytes(content)
    log = ProblemLog(source=path.name)
    articles = [article for _, article in inception.read_file(path, log, **options)]
    assert log.articles == len(articles) and log.source == path.name
    assert not [problem for article in articles for problem in check_article(article)]
    return articles, log


def labels(articles: list[Article]) -> list[tuple[str, str]]:
    return [(article.id, article.entities[0].label) for article in articles]


def only_problem(log: ProblemLog) -> str:
    (problem,) = log.dropped
    assert len(problem.message) < 500
    return f"{problem.source}: [{problem.cause}] {problem.message}"


# layouts


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (version("GPE", title="خبر.txt"), "خبر.txt"),
        (version("GPE", "ali"), "ali"),
        (zipped({"x/doc.json": cas_json("GPE"), "__MACOSX/x/._doc.json": b"1"}), "doc"),
        (zipped({"curation/a.xmi/CURATION_USER.zip": version("GPE")}), "a"),
    ],
)
def test_an_archive_of_one_document(tmp_path: Path, content: bytes, name: str) -> None:
    articles, log = read(tmp_path / "a.zip", content)
    assert labels(articles) == [(name, "GPE")] and not log.dropped and not log.fixed


def test_several_documents_are_read_in_order_and_other_members_logged(tmp_path: Path) -> None:
    members = {f"{n}.xmi": xmi(f"L{n}") for n in (10, 9)} | {"x.zip": version("Z", "doc"), "liesmich.txt": b"x"}
    articles, log = read(tmp_path / "a.zip", zipped(members))
    assert labels(articles) == [("9", "L9"), ("10", "L10"), ("doc", "Z")]
    (problem,) = log.fixed
    assert problem.cause == "members ignored" and "liesmich.txt" in problem.message and not log.dropped


def test_a_project_gives_the_curated_version_or_the_only_one(tmp_path: Path) -> None:
    for prefix in ("", "my project/"):
        members = {prefix + name: content for name, content in project().items()}
        articles, log = read(tmp_path / "a.zip", zipped(members))
        assert labels(articles) == [("خبر 9.txt", "ALONE"), ("خبر 10.txt", "BOTH")]
        assert not log.dropped
        told = {problem.cause: problem.message for problem in log.fixed}
        assert "CURATION_USER" in told["versions left out"] and "ali, sara" in told["versions left out"]
        assert "nobody" in told["document without a version"] and len(log.fixed) == 2


def test_an_annotator_is_chosen(tmp_path: Path) -> None:
    articles, log = read(tmp_path / "a.zip", zipped(project()), annotator="sara")
    assert labels(articles) == [("خبر 10.txt", "SARA")]
    assert sorted(p.cause for p in log.fixed) == ["document without a version"] * 2 + ["versions left out"]
    articles, _ = read(tmp_path / "a.zip", zipped(project()), annotator="INITIAL_CAS")
    assert labels(articles) == [("خبر 10.txt", "INITIAL")]
    articles, log = read(tmp_path / "a.zip", zipped(project()), annotator="Sara")
    assert not articles and "unknown annotator" in only_problem(log) and "there are ali, " in only_problem(log)


def test_several_annotators_without_a_curator_are_dropped(tmp_path: Path) -> None:
    members = project(**{"curation/خبر 10.txt/CURATION_USER.zip": None})
    articles, log = read(tmp_path / "a.zip", zipped(members))
    assert labels(articles) == [("خبر 9.txt", "ALONE")]
    said = only_problem(log)
    assert "several annotators" in said and "ali, sara" in said and "option annotator" in said
    with pytest.raises(DataError, match="several annotators|was annotated by ali, sara"):
        load_articles(tmp_path / "a.zip")
    assert len(load_articles(tmp_path / "a.zip", options={"annotator": "ali"})) == 2


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"annotation_ser/a/ali.ser": b"x"}, "ali (.ser), which is not read; export it as UIMA CAS XMI"),
        ({"annotation/a/ali.tsv": b"x"}, "ali (.tsv)"),
        ({"exportedproject.json": b"{}", "source/a.xmi": xmi()}, "without annotations"),
        ({"a.txt": b"x"}, "no .xmi or .json"),
        ({}, "no .xmi or .json"),
        ({"annotation/a/ali.zip": zipped({"a.xmi": xmi(), "b.xmi": xmi()})}, "a.xmi, b.xmi"),
        ({"annotation/a/ali.zip": zipped({"TypeSystem.xml": TYPES})}, "has none"),
        ({"annotation/a/ali.zip": b"PK"}, "a.zip!annotation/a/ali.zip: [member not read]"),
        ({"annotation/a/ali.zip": version("X")[:-40]}, "truncated"),
        ({"annotation/a/ali.xmi": b"<a/>"}, "a.zip!annotation/a/ali.xmi: [not a CAS document]"),
        ({"annotation/a/ali.zip": zipped({"a.xmi": b"<a/>"})}, "a.zip!annotation/a/ali.zip!a.xmi: [not a CAS"),
    ],
)
def test_problems_are_logged_with_file_and_member(tmp_path: Path, members: dict[str, bytes], said: str) -> None:
    articles, log = read(tmp_path / "a.zip", zipped(members))
    assert not articles and said in only_problem(log)


def test_detection_folders_and_targets(tmp_path: Path) -> None:
    for content in (zipped(project()), version("X"), zipped({"a.json": cas_json("X")}), b"PK broken"):
        (tmp_path / "a.zip").write_bytes(content)
        assert detect(tmp_path / "a.zip") == "inception"
    for content in (zipped({"a.txt": b"x"}), zipped({"a.json": b"[1]"})):
        (tmp_path / "a.zip").write_bytes(content)
        with pytest.raises(DataError, match="archive without documents of INCEpTION or doccano; unpack it"):
            detect(tmp_path / "a.zip")
    (tmp_path / "a.jsonl").write_text('{"text": "نص", "id": "a"}\n', encoding="utf-8")
    assert [article.id for article in load_articles(tmp_path)] == ["a"]  # a zip beside the data is no data
    (tmp_path / "a.zip").write_bytes(version("X", "doc"))
    assert labels(load_articles(tmp_path, "inception")) == [("doc", "X")]
    with pytest.raises(DataError, match="suffix is that of no format"):
        format_of("out.zip")


def unpacked(folder: Path, members: dict[str, bytes]) -> Path:
    for name, content in members.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize("root", ["", "my project/"])
@pytest.mark.parametrize("format", [None, "inception"])
def test_an_unpacked_project_is_read_as_its_archive_is(tmp_path: Path, root: str, format: str | None) -> None:
    folder = unpacked(tmp_path / "p", {root + name: content for name, content in project().items()})
    log = ProblemLog()
    articles = [article for _, article in read_files(folder, format, log=log)]
    zipped_articles, zipped_log = read(tmp_path / "a.zip", zipped(project()))
    assert articles == zipped_articles and log.counts() == zipped_log.counts()
    log = ProblemLog()
    articles = [a for _, a in read_files(folder, format, log=log, options={"annotator": "sara"})]
    assert labels(articles) == [("خبر 10.txt", "SARA")]
    (folder / root / "annotation/خبر 9.txt/ali.json").write_bytes(b"[]")
    log = ProblemLog()
    list(read_files(folder, format, log=log))
    assert log.dropped[0].source == str(folder / root / "annotation/خبر 9.txt/ali.json")


def test_a_folder_of_documents_is_no_project(tmp_path: Path) -> None:
    folder = unpacked(tmp_path, {"annotation/train/a.xmi": xmi("A"), "annotation/train/b.xmi": xmi("B")})
    assert labels(load_articles(folder)) == [("a", "A"), ("b", "B")]


def test_annotators_of_a_project(tmp_path: Path) -> None:
    folder = unpacked(tmp_path / "p", project())
    (tmp_path / "a.zip").write_bytes(zipped(project()))
    (tmp_path / "a.xmi").write_bytes(xmi())
    assert annotators_of(folder) == annotators_of(tmp_path / "a.zip") == ["ali", "sara"]
    assert annotators_of(tmp_path / "a.xmi") == []
    (tmp_path / "a.zip").write_bytes(b"PK broken")
    assert annotators_of(tmp_path / "a.zip") == []


def states(**of_annotators: str) -> bytes:
    listed = [{"name": "خبر 10.txt", "user": user, "state": state} for user, state in of_annotators.items()]
    return json.dumps({"annotation_documents": [*listed, {"name": 3}, None]}).encode()


@pytest.mark.parametrize(
    ("of_annotators", "read_label", "said"),
    [
        ({"ali": "FINISHED", "sara": "IN_PROGRESS"}, "ALI", "sara is left out: it was not marked as finished"),
        ({"ali": "IGNORE", "sara": "IN_PROGRESS"}, "SARA", "ali is left out: it was set aside"),
        ({"ali": "NEW", "sara": "FINISHED"}, "SARA", "ali is left out: nobody has opened it"),
        ({"ali": "FINISHED", "sara": "FINISHED"}, None, None),
        ({"ali": "IN_PROGRESS", "sara": "IN_PROGRESS"}, None, None),
    ],
)
def test_versions_that_are_not_annotated_are_left_out(
    tmp_path: Path, of_annotators: dict[str, str], read_label: str | None, said: str | None
) -> None:
    changed = {"exportedproject123.json": states(**of_annotators), "curation/خبر 10.txt/CURATION_USER.zip": None}
    articles, log = read(tmp_path / "a.zip", zipped(project(**changed)))
    assert [label for id, label in labels(articles) if id == "خبر 10.txt"] == ([read_label] if read_label else [])
    assert [p.message for p in log.fixed if p.cause == "not annotated"] == (
        [f"document 'خبر 10.txt': the version of {said}"] if said else []
    )
    assert bool(log.notes) == ("FINISHED" not in of_annotators.values())
    assert bool(log.dropped) == (read_label is None)
    curated = {"exportedproject123.json": states(**of_annotators)}
    assert ("خبر 10.txt", "BOTH") in labels(read(tmp_path / "a.zip", zipped(project(**curated)))[0])


def test_convert_reads_archives(rasid, tmp_path: Path) -> None:
    path, out = tmp_path / "project.zip", tmp_path / "out.jsonl"
    path.write_bytes(zipped(project()))
    said = rasid("convert", path, out, "--option", "annotator=ali").stderr
    assert "2 articles read, 2 written" in said and "versions left out: 1" in said
    assert [article.id for article in load_articles(out)] == ["خبر 9.txt", "خبر 10.txt"]


def test_config_and_audits_read_archives(tmp_path: Path) -> None:
    path = tmp_path / "project.zip"
    path.write_bytes(zipped(project()))
    scheme = LabelScheme(name="x", entities={name: Label(name=name) for name in ("ALI", "ALONE")})
    dataset = load_dataset(path, scheme=scheme, annotated=["entities"], options={"annotator": "ali"})
    assert labels(dataset.articles) == [("خبر 9.txt", "ALONE"), ("خبر 10.txt", "ALI")]
    assert read_file(str(path), "x")[1] == [
        f"{path}!annotation/خبر 9.txt/ali.json",
        f"{path}!curation/خبر 10.txt/CURATION_USER.zip!CURATION_USER.xmi",
    ]


def test_check_reports_the_agreement_of_annotators(rasid, tmp_path: Path) -> None:
    path = tmp_path / "project.zip"
    path.write_bytes(zipped(project(**{"annotation/خبر 10.txt/sara.zip": version("ALI", "sara")})))
    said = rasid("check", path).stdout
    assert "Agreement between annotators: 1" in said and "ali, sara" in said and "100.0" in said
    path.write_bytes(zipped(project()))
    assert read_versions(str(path)).keys() == {"ali", "sara"}


# malicious archives


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../a.xmi", ".."),
        ("x/../../a.xmi", ".."),
        ("..\\a.xmi", ".."),
        ("/a.xmi", "absolute"),
        ("\\a.xmi", "absolute"),
        ("C:\\a.xmi", "drive letter"),
        ("c:a.xmi", "drive letter"),
        ("annotation/../a/ali.xmi", ".."),
    ],
)
def test_members_outside_the_archive_are_rejected(tmp_path: Path, name: str, said: str) -> None:
    path = tmp_path / "in" / "a.zip"
    path.parent.mkdir()
    articles, log = read(path, zipped({name: xmi("BAD"), "good.xmi": xmi("GPE")}))
    assert labels(articles) == [("good", "GPE")]
    assert "unsafe member" in only_problem(log) and said in only_problem(log)
    assert repr(name)[1:-1] in only_problem(log)
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == [path]


def test_links_and_duplicate_members_are_rejected(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        link = zipfile.ZipInfo("link.xmi")
        link.external_attr = 0o120777 << 16
        file.writestr(link, "/etc/passwd")
        file.writestr("a.xmi", xmi("FIRST"))
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr("a.xmi", xmi("SECOND"))
    articles, log = read(tmp_path / "a.zip", stream.getvalue())
    assert labels(articles) == [("a", "FIRST")]
    assert [problem.cause for problem in log.dropped] == ["unsafe member", "duplicate member"]
    assert "it is a link" in log.dropped[0].message


def test_archives_in_archives_in_archives(tmp_path: Path) -> None:
    deep = zipped({"c.zip": zipped({"d.xmi": xmi()}), "a.xmi": xmi("GPE")})
    for members in ({"b.zip": deep}, {"annotation/b/ali.zip": deep}):
        articles, log = read(tmp_path / "a.zip", zipped(members))
        assert len(articles) == 1 and "nested too deeply" in only_problem(log)


@pytest.mark.parametrize("nested", [False, True])
def test_a_zip_bomb_is_rejected_without_unpacking(tmp_path: Path, nested: bool) -> None:
    bomb = zipped({"a.xmi": b" " * (60 << 20)})
    content = zipped({"annotation/a/ali.zip": bomb}) if nested else bomb
    assert len(content) < 100_000
    tracemalloc.start()
    articles, log = read(tmp_path / "a.zip", content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert not articles and "may hold 200 bytes at most" in only_problem(log) and peak < 4 << 20


def test_wrong_sizes_of_members_are_rejected(tmp_path: Path) -> None:
    content = xmi(text="زار خالد غزة" + "ا" * 1000)
    good = zipped({"a.xmi": content})
    for size in (100, len(content) + 100):  # in the local header and in the list of members
        false = good.replace(struct.pack("<I", len(content)), struct.pack("<I", size))
        articles, log = read(tmp_path / "a.zip", false)
        assert not articles and "a.zip!a.xmi: [member not read]" in only_problem(log)


@pytest.mark.parametrize(
    ("limit", "value", "said"), [("MEMBERS", 3, "11 members"), ("DIRECTORY", 300, "list of members")]
)
def test_limits_of_an_archive(tmp_path: Path, monkeypatch, limit: str, value: int, said: str) -> None:
    monkeypatch.setattr(zip_archive, f"MAX_{limit}", value)
    articles, log = read(tmp_path / "a.zip", zipped(project()))
    assert not articles and "archive not read" in only_problem(log) and said in only_problem(log)


def test_the_size_of_all_members_together_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = version("X")
    members = {f"annotation/{n}/ali.zip": one for n in range(4)}
    monkeypatch.setattr(zip_archive, "MAX_TOTAL", 2 * (len(one) + len(xmi("X"))) + 10)
    articles, log = read(tmp_path / "a.zip", zipped(members))
    assert len(articles) == 2 and len(log.dropped) == 2
    assert "read of an archive at most" in log.dropped[0].message


def test_a_member_that_is_too_large_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_BYTES", 2 << 20)
    articles, log = read(tmp_path / "a.zip", zipped({"a.xmi": b" " * (3 << 20)}, zipfile.ZIP_STORED))
    assert not articles and "a member may have 2 MiB" in only_problem(log)


def test_encrypted_members_and_other_methods_are_rejected(tmp_path: Path) -> None:
    good = bytearray(zipped({"a.xmi": xmi()}))
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        good[good.index(signature) + at] |= 1
    articles, log = read(tmp_path / "a.zip", bytes(good))
    assert not articles and "a.zip!a.xmi" in only_problem(log) and "encrypted" in only_problem(log)
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        articles, log = read(tmp_path / "a.zip", zipped({"a.xmi": xmi()}, method))
        assert not articles and f"packed by method {method}" in only_problem(log)


def test_a_truncated_archive_is_rejected(tmp_path: Path) -> None:
    whole = zipped(project())
    for size in (0, 4, len(whole) // 2, len(whole) - 1):
        articles, log = read(tmp_path / "a.zip", whole[:size])
        assert not articles and "a.zip: [archive not read]" in only_problem(log)
    with pytest.raises(DataError, match=r"a\.zip: .*truncated"):
        load_articles(tmp_path / "a.zip")


def test_a_truncated_project_is_not_read_as_the_document_at_its_end(tmp_path: Path) -> None:
    whole = zipped(project(), zipfile.ZIP_STORED)  # the lists of the archives in it can be seen from outside
    for end in (at for at in range(len(whole)) if whole.startswith(b"PK\x05\x06", at)):
        articles, log = read(tmp_path / "a.zip", whole[: end + 22])
        assert len(articles) == (2 if end + 22 == len(whole) else 0)
        assert articles or "truncated" in only_problem(log)


def test_memory_is_that_of_one_document(tmp_path: Path) -> None:
    one = version("X", text="زار خالد غزة" + "كلمة " * 40_000)
    path = tmp_path / "a.zip"
    peaks = []
    for count in (2, 40):
        path.write_bytes(zipped({f"annotation/{n}/ali.zip": one for n in range(count)}))
        tracemalloc.start()
        assert sum(1 for _ in read_files(path, log=ProblemLog())) == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + (1 << 20)


# anything at all

NAME = st.lists(
    st.sampled_from(
        ["annotation", "curation", "annotation_ser", "a", "خبر", "..", ".", "", "C:", "\\", "x" * 300, "9" * 5000, "\n"]
    ),
    max_size=4,
).map("/".join)
ENDING = st.sampled_from(["", "/", "/ali.zip", "/ali.xmi", "/CURATION_USER.json", ".zip", ".xmi", "/INITIAL_CAS.ser"])
CONTENT = st.sampled_from([xmi(), cas_json("A"), version("B"), b"", b"PK\x05\x06", zipped({}), zipped(project())])


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.builds(str.__add__, NAME, ENDING), CONTENT, max_size=5), st.sampled_from(["", "ali", "\x00"]))
def test_any_names_and_contents(
    tmp_path_factory: pytest.TempPathFactory, members: dict[str, bytes], annotator: str
) -> None:
    path = tmp_path_factory.mktemp("zip") / "a.zip"
    articles, log = read(path, zipped(members), annotator=annotator)
    assert articles or log.dropped or log.fixed
    assert all(len(p.source) < 1000 for p in (*log.dropped, *log.fixed))


def test_corrupted_archives_give_valid_articles_or_reasons(tmp_path: Path, corrupted) -> None:
    members, whole = project(), 0
    archives = (zipped(members), zipped(members, zipfile.ZIP_STORED))
    for seed in range(400):
        damaged = bytearray(archives[seed % 2])
        if seed % 3:
            damaged = corrupted(bytes(damaged), seed)
        else:  # in the list of members, which has their sizes, offsets and names
            chance = random.Random(seed)
            at = max(damaged.rfind(b"PK\x01\x02", 0, chance.randrange(len(damaged))), 0) + chance.randrange(46)
            damaged[at] = chance.choice([0, 1, 255, chance.randrange(256)])
        articles, log = read(tmp_path / "a.zip", bytes(damaged))
        # A changed name may turn a document into another kind of file, or into another annotator's version.
        assert len(articles) == 2 or log.dropped or log.fixed
        whole += len(articles) == 2
    assert 0 < whole < 400
