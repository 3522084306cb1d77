"""A decoder for MessagePack from untrusted sources. https://github.com/msgpack/msgpack/blob/master/spec.md

Decoders that allocate the length in a header hang for minutes on a few megabytes of nested headers. Here, memory is
proportional to the bytes read, nesting is limited, and extension types are returned as bytes.
"""

import struct
from typing import Any

_MAX_DEPTH = 16  # valid files are less deep
_CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}
_NUMBERS = dict(enumerate("fdBHIQbhiq", 0xCA))  # code → its format in `struct`
_SIZED = {0xC4: "bytes", 0xC7: "extension", 0xD9: "string", 0xDC: "array", 0xDE: "map"}  # first code → type
_LENGTHS = {  # code → format of the length, and type
    code + offset: (form, kind)
    for code, kind in _SIZED.items()
    for offset, form in enumerate("HI" if kind in ("array", "map") else "BHI")
}
_EXTENSIONS = {0xD4: 1, 0xD5: 2, 0xD6: 4, 0xD7: 8, 0xD8: 16}  # code → its length


def unpack(content: bytes) -> Any:
    """Decode a value: None, a bool, number, str, bytes, list or dict.

    Lists that are keys of maps become tuples. An extension is its type byte followed by its data.

    Raises:
        ValueError: the bytes are not exactly one value, are nested too deeply, or have a map as key.
    """
    decoder = _Decoder(content)
    value = decoder.value(0)
    if decoder.at != len(content):
        raise ValueError(f"{len(content) - decoder.at} bytes follow the value")
    return value


class _Decoder:
    """The bytes and a position in them."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.at = 0

    def value(self, depth: int) -> Any:
        code = self._take(1)[0]
        if code < 0x80:
            return code
        if code >= 0xE0:
            return code - 0x100
        if code in _CONSTANTS:
            return _CONSTANTS[code]
        if code in _NUMBERS:
            return self._number(_NUMBERS[code])
        if code < 0xA0:
            return self._sized("map" if code < 0x90 else "array", code & 0x0F, depth)
        if code < 0xC0:
            return self._sized("string", code & 0x1F, depth)
        if code in _EXTENSIONS:
            return self._take(1 + _EXTENSIONS[code])
        if code not in _LENGTHS:
            raise ValueError(f"type 0x{code:02x} at byte {self.at - 1} is not read")
        form, kind = _LENGTHS[code]
        return self._sized(kind, self._number(form), depth)

    def _take(self, length: int) -> bytes:
        taken = self.content[self.at : self.at + length]
        if len(taken) < length:
            raise ValueError(f"it ends {length - len(taken)} bytes early")
        self.at += length
        return taken

    def _number(self, form: str) -> Any:
        return struct.unpack(f">{form}", self._take(struct.calcsize(form)))[0]

    def _sized(self, kind: str, length: int, depth: int) -> Any:
        if kind in ("bytes", "extension"):
            return self._take(length + (kind == "extension"))
        if kind == "string":
            return self._take(length).decode("utf-8")
        if depth == _MAX_DEPTH:
            raise ValueError(f"it is nested deeper than {_MAX_DEPTH}")
        if kind == "array":
            return [self.value(depth + 1) for _ in range(length)]
        return dict(self._pair(depth + 1) for _ in range(length))

    def _pair(self, depth: int) -> tuple[Any, Any]:
        key = self.value(depth)
        key = tuple(key) if isinstance(key, list) else key
        try:
            hash(key)
        except TypeError as error:
            raise ValueError("a map or a nested list is the key of a map") from error
        return key, self.value(depth)
