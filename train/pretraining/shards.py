"""Raw text as token shards: each file is tokenized once; training reads the shards by memory map.

A folder of shards has two flat arrays for the training part and two for the held-out part: sub-word ids, and flags
that are 1 where a sub-word continues the word of the previous one (for whole-word masking). Every article ends with
[SEP].
"""

import gzip
import hashlib
import json
import lzma
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from glob import glob
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np
from tokenizers import Tokenizer

from ...data.problems import DataError, Problem
from ...data.text.special_tokens import BERT_SPECIALS, ROBERTA_SPECIALS
from ...files import whole
from ...progress import track
from .errors import PretrainingError

FORMAT = 1  # version of the files; part of the cache key
PARTS = ("train", "heldout")
CHUNK = 512  # articles tokenized at once


@dataclass(frozen=True, kw_only=True)
class TokenStream:
    """All sub-words of one part.

    Attributes:
        ids: [N], unsigned.
        continues: [N], 1 where a sub-word continues the word of the previous one.
    """

    ids: np.ndarray
    continues: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, kw_only=True)
class Shards:
    """Tokenized text, memory-mapped.

    Attributes:
        train: training part.
        heldout: held-out part; articles are never split between the parts.
        tokenizer_hash: SHA-256 of the tokenizer that made the ids.
        counts: part → number of articles, words and sub-words.
    """

    train: TokenStream
    heldout: TokenStream
    tokenizer_hash: str
    counts: dict[str, dict[str, int]]


def find_files(patterns: Sequence[str], exclude: Sequence[str] = ()) -> list[Path]:
    """Files that match the patterns, sorted, without repeats.

    Raises:
        DataError: a pattern matches nothing, or every file is excluded.
    """
    matched: set[Path] = set()
    problems: list[Problem] = []
    for pattern in patterns:
        paths = [Path(path) for path in glob(os.path.expanduser(pattern), recursive=True) if os.path.isfile(path)]
        if not paths:
            problems.append(Problem(source=pattern, cause="no file", message="no file matches; check the path"))
        matched.update(paths)
    files = sorted(path for path in matched if not any(path.match(pattern) for pattern in exclude))
    if matched and not files:
        problems.append(Problem(source=", ".join(patterns), cause="no file", message="every file is excluded"))
    if problems:
        raise DataError(problems)
    return files


def read_texts(path: Path) -> Iterator[str]:
    """The articles of a file as stripped strings.

    A text file has a blank line between articles. A `.jsonl` file has on each line an object with a key ``text``.
    `.xz`, `.gz` and `.zst` files are decompressed.

    Raises:
        DataError: the file cannot be decoded, or a line is not such an object; has file and line.
    """
    is_jsonl = ".jsonl" in (path.suffix, path.with_suffix("").suffix)
    number = 0
    lines: list[str] = []  # of the current article
    try:
        with _open(path) as stream:
            for number, line in enumerate(stream, 1):
                if line.strip() and is_jsonl:
                    if text := _text_of_row(path, number, line):
                        yield text
                elif line.strip():
                    lines.append(line)
                elif lines:
                    yield "".join(lines).strip()
                    lines = []
    except (UnicodeDecodeError, lzma.LZMAError, EOFError, OSError) as error:
        raise _unreadable(path, number + 1, f"cannot be read as UTF-8 text: {error}") from error
    if lines:
        yield "".join(lines).strip()


def prepare_shards(files: Sequence[Path], tokenizer: Tokenizer, cache: Path, *, heldout: float) -> Shards:
    """Open the shards of files and tokenizer. They are written first if the cache does not have them.

    Args:
        files: see `read_texts`.
        tokenizer: must have ``[SEP]`` or ``</s>``.
        cache: has one folder of shards for each combination of files and tokenizer.
        heldout: share of the articles in the held-out part, selected by a hash of their text.

    Raises:
        DataError: a file cannot be read, or one part is empty.
        PretrainingError: the tokenizer has no such token.
    """
    tokenizer_hash = hashlib.sha256(tokenizer.to_str().encode()).hexdigest()
    fingerprints = [(path.name, path.stat().st_size, _hash_of_ends(path)) for path in files]
    key = json.dumps([FORMAT, tokenizer_hash, heldout, fingerprints])
    folder = cache / hashlib.sha256(key.encode()).hexdigest()[:16]
    if not (folder / "shards.json").is_file():
        with whole(folder, folder=True) as unfinished:
            _write(unfinished, track(files, "tokenizing"), tokenizer, heldout, tokenizer_hash)
    return _open_shards(folder)


def separator_id(tokenizer: Tokenizer) -> int:
    """Id of the token that ends an article.

    Raises:
        PretrainingError: the tokenizer has none.
    """
    for names in (BERT_SPECIALS, ROBERTA_SPECIALS):
        if (number := tokenizer.token_to_id(names[3])) is not None:
            return number
    raise PretrainingError("the tokenizer has neither [SEP] nor </s>, which ends an article; use another tokenizer")


def _open(path: Path) -> IO[str]:
    opener: Any = {".xz": lzma.open, ".gz": gzip.open}.get(path.suffix, open)
    if path.suffix == ".zst":
        try:
            import zstandard  # pyright: ignore[reportMissingImports]
        except ImportError as error:
            message = "reading .zst needs the package zstandard: pip install zstandard"
            raise DataError([Problem(source=str(path), cause="unreadable", message=message)]) from error
        opener = zstandard.open
    return opener(path, "rt", encoding="utf-8-sig")


def _text_of_row(path: Path, number: int, line: str) -> str:
    try:
        text = json.loads(line)["text"]
    except (ValueError, TypeError, KeyError) as error:
        raise _unreadable(path, number, f'not an object with a key "text": {line.strip()[:60]!r}') from error
    if not isinstance(text, str):
        raise _unreadable(path, number, f"text is {text!r:.60}, not a string")
    return text.strip()


def _unreadable(path: Path, line: int, message: str) -> DataError:
    return DataError([Problem(source=str(path), line=line, cause="unreadable", message=message)])


def _write(folder: Path, files: Iterable[Path], tokenizer: Tokenizer, heldout: float, tokenizer_hash: str) -> None:
    dtype = np.uint16 if tokenizer.get_vocab_size() <= 1 << 16 else np.uint32
    end = separator_id(tokenizer)
    counts = {part: {"articles": 0, "words": 0, "subwords": 0} for part in PARTS}
    with ExitStack() as stack:
        streams = {
            (part, kind): stack.enter_context(open(folder / f"{part}.{kind}", "wb"))
            for part in PARTS
            for kind in ("ids", "continues")
        }
        for file in files:
            texts = read_texts(file)
            while chunk := list(islice(texts, CHUNK)):
                for text, encoding in zip(chunk, tokenizer.encode_batch(chunk, add_special_tokens=False), strict=True):
                    part = "heldout" if _fraction(text) < heldout else "train"
                    # The end token belongs to no word; its word number is -1.
                    words = np.array([-1 if w is None else w for w in encoding.word_ids] + [-1], dtype=np.int32)
                    continues = np.zeros(len(words), dtype=np.uint8)
                    continues[1:] = (words[1:] == words[:-1]) & (words[1:] >= 0)
                    streams[part, "ids"].write(np.array([*encoding.ids, end], dtype=dtype).tobytes())
                    streams[part, "continues"].write(continues.tobytes())
                    counts[part]["articles"] += 1
                    counts[part]["words"] += int((continues[:-1] == 0).sum())
                    counts[part]["subwords"] += len(words)
    for part in PARTS:
        if not counts[part]["articles"]:
            message = f"no article for the {part} part among {sum(c['articles'] for c in counts.values())}; " + (
                "raise data.heldout or give more text" if part == "heldout" else "give more text"
            )
            raise DataError([Problem(source="data.files", cause="no text", message=message)])
    content: dict[str, Any] = {"dtype": np.dtype(dtype).name, "tokenizer_hash": tokenizer_hash, "counts": counts}
    (folder / "shards.json").write_text(json.dumps(content, indent=2), encoding="utf-8")


def _open_shards(folder: Path) -> Shards:
    content = json.loads((folder / "shards.json").read_text(encoding="utf-8"))
    streams = {
        part: TokenStream(
            ids=np.memmap(folder / f"{part}.ids", dtype=content["dtype"], mode="r"),
            continues=np.memmap(folder / f"{part}.continues", dtype=np.uint8, mode="r"),
        )
        for part in PARTS
    }
    return Shards(**streams, tokenizer_hash=content["tokenizer_hash"], counts=content["counts"])


def _hash_of_ends(path: Path) -> str:
    """Hash of the first and last 64 KiB: equal for a copy of a file, different after text is appended."""
    with path.open("rb") as stream:
        content = stream.read(1 << 16)
        stream.seek(max(0, path.stat().st_size - (1 << 16)))
        return hashlib.blake2b(content + stream.read(), digest_size=16).hexdigest()


def _fraction(text: str) -> float:
    """A number in [0, 1) computed from the text."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) / 2**64
