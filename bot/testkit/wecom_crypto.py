"""WeCom's callback envelope, written from its description alone so that it can judge the bot's side.

Signature, AES-256-CBC, 32-byte padding and the plain layout: developer page 90968 (加解密方案说明).
"""

import base64
import hashlib
import secrets
import struct
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from defusedxml.ElementTree import fromstring  # type: ignore[import-untyped]

BLOCK = 32
XmlValue = str | int | Mapping[str, Any] | Sequence[str | Mapping[str, Any]]


def signature(token: str, timestamp: str, nonce: str, encrypted: str) -> str:
    """``msg_signature``: SHA-1 over the four parts, sorted and joined."""
    return hashlib.sha1("".join(sorted([token, timestamp, nonce, encrypted])).encode()).hexdigest()


def _cipher(aes_key: str) -> Cipher[modes.CBC]:
    key = base64.b64decode(aes_key + "=")
    return Cipher(algorithms.AES(key), modes.CBC(key[:16]))


def encrypt(aes_key: str, message: bytes, receiver: str) -> str:
    """16 random bytes, the length, the message and the receiver's id, padded to 32 and encrypted, in base64."""
    plain = secrets.token_bytes(16) + struct.pack("!I", len(message)) + message + receiver.encode()
    padding = BLOCK - len(plain) % BLOCK
    encryptor = _cipher(aes_key).encryptor()
    return base64.b64encode(encryptor.update(plain + bytes([padding]) * padding) + encryptor.finalize()).decode()


def decrypt(aes_key: str, encrypted: str) -> tuple[bytes, str]:
    """Message and receiver's id; raises ``ValueError`` for anything that is not such an envelope."""
    try:
        decryptor = _cipher(aes_key).decryptor()
        padded = decryptor.update(base64.b64decode(encrypted, validate=True)) + decryptor.finalize()
        plain = padded[: -padded[-1]]
        (length,) = struct.unpack("!I", plain[16:20])
    except (ValueError, IndexError, struct.error) as problem:
        raise ValueError(f"not an encrypted message: {problem}") from None
    if not 1 <= padded[-1] <= BLOCK or 20 + length > len(plain):
        raise ValueError("not an encrypted message: wrong padding or length")
    return plain[20 : 20 + length], plain[20 + length :].decode()


def to_xml(fields: Mapping[str, XmlValue], root: str = "xml") -> str:
    """XML as WeCom writes it: strings as CDATA, numbers bare, a sequence as repeated elements."""
    pieces = []
    for name, value in fields.items():
        several = isinstance(value, Sequence) and not isinstance(value, str)
        pieces += [_piece(name, item) for item in (value if several else [value])]  # type: ignore[union-attr]
    return f"<{root}>{''.join(pieces)}</{root}>"


def _piece(name: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return to_xml(value, name)
    if isinstance(value, int):
        return f"<{name}>{value}</{name}>"
    return f"<{name}><![CDATA[{str(value).replace(']]>', ']]]]><![CDATA[>')}]]></{name}>"


def from_xml(text: str | bytes) -> dict[str, Any]:
    """Elements as text, nested ones as dictionaries, repeated ones as lists; ``ValueError`` if it is no XML."""
    try:
        root: Element = fromstring(text)
    except SyntaxError as problem:
        raise ValueError(f"not XML: {problem}") from None
    parsed = _element(root)
    return parsed if isinstance(parsed, dict) else {}


def _element(element: Element) -> str | dict[str, Any]:
    if len(element) == 0:
        return element.text or ""
    found: dict[str, Any] = {}
    for child in element:
        value = _element(child)
        if child.tag not in found:
            found[child.tag] = value
        elif isinstance(found[child.tag], list):
            found[child.tag].append(value)
        else:
            found[child.tag] = [found[child.tag], value]
    return found
