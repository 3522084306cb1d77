"""Files of other programs that are not read: how they are recognized, and what to do instead."""

import re
from pathlib import Path

from .common.format import Sample
from .common.zip_archive import ArchiveError, open_archive

_JSONL = 'write JSON Lines, a text a line: {"text": "…", "entities": [{"start": 0, "end": 4, "label": "PER"}]}'
_DOCBIN = f"make a DocBin (.spacy) of it with spaCy, or {_JSONL}"
_PLAIN = "save it as plain text (.txt, UTF-8), one article a file"
_STRING = rb'"(?:[^"\\]|\\.)*"'

# (start of the file without byte order mark and white space, what it is, what to do)
_HEADS = [
    (re.compile(pattern, re.DOTALL), name, advice)
    for pattern, name, advice in (
        (
            rb"#FORMAT=WebAnno TSV|#id=[0-9]+\s+#text=|# ?(?:webanno|de\.tudarmstadt)\.\w",
            "WebAnno TSV",
            "export it as UIMA CAS XMI or UIMA CAS JSON 0.4.0",
        ),
        (
            # As NER Annotator writes it, as a list of pairs, or as a pair a line.
            rb'(?:\{(?:\s*"classes"\s*:.*?)?\s*"annotations"\s*:\s*)?\[\s*(?:null\s*,\s*)*(?:\[\s*)?'
            + _STRING
            + rb'\s*,\s*\{\s*"entities"',
            "training data of spaCy 2 (pairs of a text and its entities)",
            _DOCBIN,
        ),
        (
            rb'\[\s*\{\s*(?:"id"\s*:[^,]*,\s*)?"paragraphs"\s*:',
            "JSON training data of spaCy 2",
            "convert it to a DocBin (.spacy): python -m spacy convert FILE FOLDER --converter json",
        ),
        (rb'\[?\s*\{\s*"text"\s*:\s*' + _STRING + rb'\s*,\s*"ents"\s*:', "JSON of spaCy (Doc.to_json)", _DOCBIN),
        (rb'\{\s*"rasa_nlu_data"\s*:', "training data of Rasa NLU", _JSONL),
        (
            rb'\[?\s*\{\s*(?:"id"\s*:[^,\[{]*,\s*)?"tokens"\s*:\s*\[.*?"(?:ner_)?tags"\s*:\s*\[',
            "JSON of tokens and tags (as of Hugging Face Datasets)",
            "write it as CoNLL: a token and its tag a line, a blank line between sentences",
        ),
        (
            rb'\[\s*\{\s*(?:"id"\s*:[^,\[{]*,\s*)?"text"\s*:\s*'
            + _STRING
            + rb'[^\[]*"annotations"\s*:\s*\[\s*\{[^}]*"label"\s*:\s*[0-9]',
            "an export of doccano with label ids",
            "export as JSONL (text label)",
        ),
        (rb"%PDF-", "a PDF", _PLAIN),
        (rb"\{\\rtf", "a Rich Text document", _PLAIN),
        (rb"\xd0\xcf\x11\xe0", "a Word or Excel file", f"{_PLAIN}; from a table, {_JSONL}"),
        (rb"(?i:<!DOCTYPE html|<html)", "a web page", _PLAIN),
        (rb"PAR1", "a Parquet table", _JSONL),
        (rb"SQLite format 3", "an SQLite database, such as that of Prodigy", "export it: prodigy db-out NAME"),
        (rb"\x1f\x8b|7z\xbc\xaf|Rar!|BZh[1-9]|\xfd7zXZ", "a compressed file", "unpack it and name the file or folder"),
    )
]

# (member of a zip archive, what the file is, what to do)
_MEMBERS = (
    ("word/document.xml", "a Word document", _PLAIN),
    ("xl/workbook.xml", "an Excel table", _JSONL),
    ("ppt/presentation.xml", "a presentation", _PLAIN),
    ("content.xml", "an OpenDocument file", f"{_PLAIN}; from a table, {_JSONL}"),
)

_TABLES = {".csv": "CSV", ".tsv": "TSV"}


def foreign_file(sample: Sample) -> str | None:
    """What a file is and what to do with it, if another program wrote it in a format that is not read; else None."""
    if sample.head.startswith(b"PK\x03\x04"):
        return None if sample.suffix == ".zip" else _office_file(sample.path)
    head = sample.head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return next((_said(name, advice) for pattern, name, advice in _HEADS if pattern.match(head)), None)


def unknown_table(sample: Sample) -> str | None:
    """What to do with a table that no format recognizes; None for another file."""
    if sample.suffix not in _TABLES:
        return None
    columns = f" (its first line is {sample.lines[0][:60]!r})" if sample.lines else ""
    advice = f"if it has a token and its tag a line, name the format conll; else {_JSONL}"
    return _said(f"a {_TABLES[sample.suffix]} table{columns}", advice)


def _office_file(path: Path) -> str:
    try:
        with open_archive(path) as archive:
            for member, name, advice in _MEMBERS:
                if member in archive.members:
                    return _said(name, advice)
    except (ArchiveError, OSError) as error:
        return _said(f"a zip archive that cannot be opened ({error})", "write it again")
    return _said("a zip archive", "give it the suffix .zip, or unpack it and name the folder")


def _said(name: str, advice: str) -> str:
    return f"is {name}, which is not read; {advice}"
