"""Raw text to token shards: files are streamed once, tokenized in batches, and memory-mapped ever after.

A shard folder holds, for the training and the held-out part each, a flat array of sub-word ids and one of flags that
say whether a sub-word continues the word of the one before it (for whole-word masking). A [SEP] ends every article.
"""

import gzip
import hashlib
import json
import lzma
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from glob import glob
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np
from tokenizers import Tokenizer

from ...data.problems import DataError, Problem

FORMAT = 1
PARTS = ("train", "heldout")


@dataclass(frozen=True, kw_only=True)
class TokenStream:
    """One part of the text as sub-words.

    Attributes:
        ids: [N], unsigned.
        continues: [N], 1 where a sub-word continues the word of the one before it.
    """

    ids: np.ndarray
    continues: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, kw_only=True)
class Shards:
    """Tokenized text, memory-mapped.

    Attributes:
        train: what is trained on.
        heldout: whole articles that are not.
        tokenizer_hash: identifies the tokenizer that made the ids.
        counts: articles, words and sub-words of each part, as written.
    """

    train: TokenStream
    heldout: TokenStream
    tokenizer_hash: str
    counts: dict[str, dict[str, int]]


def find_files(patterns: Sequence[str], exclude: Sequence[str] = ()) -> list[Path]:
    """Files that match the patterns, sorted, each once.

    Raises:
        DataError: a pattern matches nothing, or everything is excluded.
    """
    found: set[Path] = set()
    problems: list[Problem] = []
    for pattern in patterns:
        paths = [Path(path) for path in glob(os.path.expanduser(pattern), recursive=True) if os.path.isfile(path)]
        if not paths:
            problems.append(Problem(source=pattern, cause="no file", message="no file matches; check the path"))
        found.update(paths)
    files = sorted(path for path in found if not any(path.match(pattern) for pattern in exclude))
    if found and not files:
        problems.append(Problem(source=", ".join(patterns), cause="no file", message="every file is excluded"))
    if problems:
        raise DataError(problems)
    return files


def read_texts(path: Path) -> Iterator[str]:
    """The articles of a file, one string each, stripped.

    Text has a blank line between articles; `.jsonl` has an object with a key ``text`` on every line. `.xz`, `.gz` and
    `.zst` are read through.

    Raises:
        DataError: the file cannot be decoded, or a line is not such an object; names file and line.
    """

    def problem(line: int, message: str) -> DataError:
        return DataError([Problem(source=str(path), line=line, cause="unreadable", message=message)])

    number = 0
    try:
        with _open(path) as stream:
            if path.with_suffix("").suffix == ".jsonl" or path.suffix == ".jsonl":
                for number, line in enumerate(stream, 1):
                    if not line.strip():
                        continue
                    try:
                        text = json.loads(line)["text"]
                    except (ValueError, TypeError, KeyError) as error:
                        what = f'not an object with a key "text": {line.strip()[:60]!r}'
                        raise problem(number, what) from error
                    if not isinstance(text, str):
                        raise problem(number, f"text is {text!r:.60}, not a string")
                    if text.strip():
                        yield text.strip()
                return
            lines: list[str] = []
            for line in stream:
                number += 1
                if line.strip():
                    lines.append(line)
                elif lines:
                    yield "".join(lines).strip()
                    lines = []
            if lines:
                yield "".join(lines).strip()
    except (UnicodeDecodeError, lzma.LZMAError, EOFError, OSError) as error:
        raise problem(number + 1, f"cannot be read as UTF-8 text: {error}") from error


def prepare_shards(
    files: Sequence[Path],
    tokenizer: Tokenizer,
    cache: Path,
    *,
    heldout: float,
    progress: Callable[[Iterable[Path], str], Iterable[Path]] | None = None,
) -> Shards:
    """Open the shards of files under a tokenizer; write them first where they are not in the cache.

    Args:
        files: see `read_texts`.
        tokenizer: must know ``[SEP]`` or ``</s>``.
        cache: folder that holds a folder of shards for every combination of files and tokenizer.
        heldout: share of the articles for the held-out part, chosen by a hash of their text.
        progress: wraps the files in a progress bar; is given a label.

    Raises:
        DataError: a file cannot be read, or one of the parts is empty.
    """
    tokenizer_hash = hashlib.sha256(tokenizer.to_str().encode()).hexdigest()
    stamp = [(path.name, path.stat().st_size, _ends(path)) for path in files]
    key = json.dumps([FORMAT, tokenizer_hash, heldout, stamp])
    folder = cache / hashlib.sha256(key.encode()).hexdigest()[:16]
    if not (folder / "shards.json").is_file():
        cache.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(dir=cache, prefix="unfinished-"))
        try:
            _write(unfinished, progress(files, "tokenizing") if progress else files, tokenizer, heldout, tokenizer_hash)
            shutil.rmtree(folder, ignore_errors=True)
            unfinished.rename(folder)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
    return _open_shards(folder)


def separator_id(tokenizer: Tokenizer) -> int:
    """Id of the token that ends an article.

    Raises:
        ValueError: the tokenizer has none.
    """
    for token in ("[SEP]", "</s>"):
        if (found := tokenizer.token_to_id(token)) is not None:
            return found
    raise ValueError("the tokenizer has neither [SEP] nor </s>; pretraining needs one to end an article")


def _open(path: Path) -> IO[str]:
    match path.suffix:
        case ".xz":
            return lzma.open(path, "rt", encoding="utf-8-sig")
        case ".gz":
            return gzip.open(path, "rt", encoding="utf-8-sig")
        case ".zst":
            try:
                import zstandard  # pyright: ignore[reportMissingImports]
            except ImportError as error:
                message = "reading .zst needs the package zstandard: pip install zstandard"
                raise DataError([Problem(source=str(path), cause="unreadable", message=message)]) from error
            return zstandard.open(path, "rt", encoding="utf-8-sig")
        case _:
            return path.open(encoding="utf-8-sig")


def _write(folder: Path, files: Iterable[Path], tokenizer: Tokenizer, heldout: float, tokenizer_hash: str) -> None:
    dtype = np.uint16 if tokenizer.get_vocab_size() <= 1 << 16 else np.uint32
    end = separator_id(tokenizer)
    counts = {part: {"articles": 0, "words": 0, "subwords": 0} for part in PARTS}
    streams = {
        (part, kind): open(folder / f"{part}.{kind}", "wb")  # noqa: SIM115
        for part in PARTS
        for kind in ("ids", "continues")
    }
    try:
        for file in files:
            texts = read_texts(file)
            while batch := list(islice(texts, 512)):
                for text, encoding in zip(batch, tokenizer.encode_batch(batch, add_special_tokens=False), strict=True):
                    part = "heldout" if _share(text) < heldout else "train"
                    # The id -1 stands for [SEP], which belongs to no word.
                    words = np.array([-1 if w is None else w for w in encoding.word_ids] + [-1], dtype=np.int32)
                    continues = np.zeros(len(words), dtype=np.uint8)
                    continues[1:] = (words[1:] == words[:-1]) & (words[1:] >= 0)
                    streams[part, "ids"].write(np.array([*encoding.ids, end], dtype=dtype).tobytes())
                    streams[part, "continues"].write(continues.tobytes())
                    counts[part]["articles"] += 1
                    counts[part]["words"] += int((continues[:-1] == 0).sum())
                    counts[part]["subwords"] += len(words)
    finally:
        for stream in streams.values():
            stream.close()
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


def _ends(path: Path) -> str:
    """A hash of the first and the last 64 KiB: copying a corpus does not change it, appending to it does."""
    with path.open("rb") as stream:
        content = stream.read(1 << 16)
        stream.seek(max(0, path.stat().st_size - (1 << 16)))
        return hashlib.blake2b(content + stream.read(), digest_size=16).hexdigest()


def _share(text: str) -> float:
    """A number in [0, 1) that depends on the text alone."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) / 2**64
