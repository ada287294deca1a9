#!/usr/bin/env python3
"""An independent reader of mail, to hold the program's answers against.

  differential.py make SOURCE... --words N --seed S --out words.json
  differential.py compare words.json --case DIR [--embley BINARY] [--out report.json]

`make` reads mailboxes, Maildirs, folders and single files with Python's own mailbox and email packages, picks N words
of text/plain parts with a seed (a third of them rare: in at most three messages) and writes, for each word, the
messages whose text/plain parts hold it. `compare` asks `embley search` for the same words and lists each message on
which the two disagree. Exit code 0: at most the tolerated share of messages differs, each under a rule; 1: more, or a
difference that no rule covers; 2: usage.

A rule (see RULES) is a second reading of a message that the standard gives a reason for. It covers a difference in one
word only when the two readings differ in that very word; that a message is odd excuses nothing. Words of other parts
of the message (HTML, attached texts, reports) are no difference: the question asks for them too.

Only the standard library is used, and nothing of the program's own code.

The rules, as documented for the program's tokens:
- a token is a run of letters and digits; every other character ends it, except marks, soft hyphens, joiners and
  direction marks, which neither end it nor belong to it; vowel signs and the like of Indic scripts are letters;
- it is folded: NFKD, lower case, combining marks dropped, and a few letters without a decomposition written out;
- an ideograph, kana or hangul character is a token of its own.
A message is known by the SHA-256 of its bytes: in an mbox, what lies between the separator line and the empty line
before the next one, with one `>` taken from lines that begin with `>From ` (and, a second key, as it stands).
"""

import argparse
import base64
import binascii
import email
import email.errors
import email.header
import hashlib
import html.parser
import json
import mailbox
import os
import quopri
import random
import re
import subprocess
import sys
import unicodedata
import zlib

SCHEMA = 2
RULES = {
    "charset": "RFC 2045 section 5.2 and RFC 2046 section 4.1.2: text without a charset is US-ASCII, so what bytes beyond"
    " it, or bytes that are not valid in the declared charset, spell is not defined; the program detects, the reader guesses",
    "header-line": "RFC 5322 sections 2.1 and 2.2: the header section ends at the first empty line; the reader ends it at"
    " the first line that is no field, the program passes over that line",
    "separator": "RFC 4155 appendix A: a mailbox has no mark for a line of text that looks like a separator; the two split"
    " the file at different lines, so that one reads a header section where the other reads text (listed under `split`)",
    "no-header": "RFC 5322 section 3.6: a file without From, Date or another field of mail is no message; the two decide"
    " differently whether the beginning of this one is a header section",
    "base64": "RFC 2045 section 6.8: padding ends base64 data and other characters are to be ignored; lines of a text/plain"
    " part that are no base64 are kept as text by the program and dropped or decoded by the reader",
    "partial": "RFC 2046 section 5.2.2: what a piece of a message means is known only with the others; the program takes it"
    " as it stands, the reader as a message",
    "uuencode": "POSIX.1 uuencode, no RFC: what stands between `begin MODE NAME` and `end` is a file; the program takes it"
    " out as an attachment, the reader takes its lines as text",
    "empty-lines": "RFC 5322 section 2.1: the header section ends at the first empty line; of an attached message that begins with"
    " empty lines the program passes over them, the reader takes its header fields as text",
    "markup": "no RFC: of a file that begins with text and has tags the program takes the words between the tags, the reader all of it",
    "encoded-message": "RFC 2046 section 5.2.1: an attached message is never in base64; the program decodes one that is, the"
    " reader takes the base64 as its text",
}
TRANSPARENT = set(
    "\u00ad\u0640\u034f\u061c\u180e\u200c\u200d\u200e\u200f\ufeff"
    + "".join(map(chr, [*range(0x202A, 0x202F), *range(0x2060, 0x2065), *range(0x2066, 0x206A)]))
)
WRITTEN_OUT = {
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ħ": "h", "ŧ": "t",
    "ı": "i", "ς": "σ",
}
CJK = [
    (0x1100, 0x11FF), (0x3005, 0x3007), (0x3031, 0x3035), (0x303B, 0x303C), (0x3041, 0x3096), (0x309D, 0x309F),
    (0x30A1, 0x30FA), (0x30FC, 0x30FF), (0x3105, 0x312F), (0x3131, 0x318E), (0x31A0, 0x31BF), (0x31F0, 0x31FF),
    (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA960, 0xA97F), (0xAC00, 0xD7A3), (0xD7B0, 0xD7FF), (0xF900, 0xFAFF),
    (0xFF66, 0xFF9D), (0xFFA0, 0xFFDC), (0x16FE0, 0x18DFF), (0x1AFF0, 0x1B2FF), (0x20000, 0x3FFFF),
]
ASCII_WORD = re.compile(r"[A-Za-z0-9]+")
HALF_WIDTH = re.compile("[\uff66-\uff9f]+")


# ---------------------------------------------------------------------------------------------- words


def is_cjk(character):
    code = ord(character)
    return code >= 0x1100 and any(low <= code <= high for low, high in CJK)


def is_mark(character):
    """True for marks that are no letters (Unicode: not Alphabetic, or with a combining class)."""
    if not unicodedata.category(character).startswith("M"):
        return False
    if unicodedata.combining(character):
        return True
    name = unicodedata.name(character, "")
    return not any(sign in name for sign in ("VOWEL SIGN", "ANUSVARA", "CANDRABINDU", "VISARGA", "SARA ", "LENGTH MARK"))


def is_letter(character):
    return character.isalnum() or (unicodedata.category(character).startswith("M") and not is_mark(character))


def fold(character):
    """The folded form of one character: nothing, one character or several."""
    out = []
    for part in unicodedata.normalize("NFKD", character):
        for lower in part.lower():
            if lower not in TRANSPARENT and not is_mark(lower):
                out.append(WRITTEN_OUT.get(lower, lower))
    return "".join(out)


class Folding(dict):
    """Character to what it adds to the running text: folded letters, nothing, or spaces around or in its place."""

    def __missing__(self, character):
        if "\u3041" <= character <= "\u30fe" or "\uac00" <= character <= "\ud7a3":
            # Kana and hangul are not taken apart: their parts are other letters, not accents.
            value = f" {character} " if character.isalnum() else " "
        elif character in TRANSPARENT or is_mark(character):
            value = ""
        elif not is_letter(character):
            value = " "
        else:
            folded = fold(character)
            value = "".join(
                f" {part} " if is_cjk(part) else part if is_letter(part) else " " for part in folded
            )
        self[character] = value
        return value


FOLDING = Folding()


def tokens(text):
    """The set of tokens of a text."""
    if text.isascii():
        return set(ASCII_WORD.findall(text.lower()))
    # Hangul and kana are compared composed, half-width kana as full ones.
    text = HALF_WIDTH.sub(lambda found: unicodedata.normalize("NFKC", found[0]), unicodedata.normalize("NFC", text))
    joined = "".join(map(FOLDING.__getitem__, text))
    return set(unicodedata.normalize("NFC", joined).split())


# ---------------------------------------------------------------------------------------------- sources


class Entry:
    """A message or file as found, and where in its file it begins."""

    __slots__ = ("path", "ordinal", "start", "as_found", "quoted")

    def __init__(self, path, ordinal, start, as_found, quoted):
        self.path, self.ordinal, self.start, self.as_found, self.quoted = path, ordinal, start, as_found, quoted

    def unquoted(self):
        if not self.quoted:
            return self.as_found
        return re.sub(rb"(?m)^>(>*From )", rb"\1", self.as_found)


def entries(source):
    """All messages below a source, in the order of raw names."""
    if os.path.isdir(source):
        for name in sorted(os.listdir(os.fsencode(source))):
            child = os.path.join(os.fsencode(source), name)
            if os.path.isdir(child) and name == b"tmp" and os.path.isdir(os.path.join(os.fsencode(source), b"cur")):
                continue
            yield from entries(os.fsdecode(child))
        return
    if not os.path.isfile(source):
        return
    with open(source, "rb") as file:
        head = file.read(65536)
        if looks_like_mbox(head):
            pass
        else:
            yield Entry(source, 0, 0, head + file.read(), False)
            return
    with open(source, "rb") as file:
        whole = file.read()
    end = 0
    box = mailbox.mbox(source, create=False)
    for ordinal, key in enumerate(box.keys()):
        data = box.get_bytes(key)
        # The package does not say where a message lies; they come in the order of the file.
        start = whole.index(data, end)
        end = start + len(data)
        if data.endswith(b"\r\n\r\n"):
            # The mailbox package knows the empty line behind a message only by the line end of the system.
            data = data[:-2]
        yield Entry(source, ordinal, start, data, True)
    box.close()


def looks_like_mbox(head):
    """True when the first line with anything in it is a separator with a date, or one before a usual header field."""
    dated = rb"From [^\r\n]*\d\d?:\d\d[^\r\n]*\d{4}"
    bare = rb"From [^\r\n]*\r?\n(?i:received|return-path|from|date|to|subject|message-id|mime-version|x-[a-z-]+):"
    return re.match(rb"[\r\n]*(?:%b|%b)" % (dated, bare), head) is not None


# ---------------------------------------------------------------------------------------------- parts


class Text(html.parser.HTMLParser):
    """The text of an HTML document, blocks apart."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.pieces = []
        self.hidden = 0

    def handle_starttag(self, tag, attrs):
        if tag in ("script", "style"):
            self.hidden += 1
        elif tag not in ("b", "i", "u", "em", "strong", "font", "span", "a", "sub", "sup", "small", "big", "tt", "code"):
            self.pieces.append(" ")

    def handle_endtag(self, tag):
        if tag in ("script", "style"):
            self.hidden = max(0, self.hidden - 1)
        elif tag not in ("b", "i", "u", "em", "strong", "font", "span", "a", "sub", "sup", "small", "big", "tt", "code"):
            self.pieces.append(" ")

    def handle_data(self, data):
        if not self.hidden:
            self.pieces.append(data)


def html_text(text):
    parser = Text()
    try:
        parser.feed(text)
        parser.close()
    except (AssertionError, ValueError):
        return text
    return "".join(parser.pieces)


def decoded_bytes(part, read):
    """The content of a leaf without its transfer encoding."""
    encoding = str(part.get("content-transfer-encoding", "")).strip().lower()
    raw = part.get_payload(decode=False)
    raw = raw if isinstance(raw, str) else ""
    if encoding == "quoted-printable":
        # The package does not overlook white space behind the name of the encoding (RFC 5322 section 3.2.2).
        return quopri.decodestring(raw.encode("utf-8", "surrogateescape"))
    if encoding != "base64":
        data = part.get_payload(decode=True)
        return data if isinstance(data, bytes) else b""
    data = from_base64(raw)
    if not re.fullmatch(r"[A-Za-z0-9+/\s]*={0,2}\s*", raw) or len(re.sub(r"\s", "", raw)) % 4:
        padded = re.search(r"=[ \t]*(?:\r?\n|$)", raw)
        ended = from_base64(raw[: padded.end()]) if padded else data
        odd = "\n".join(line for line in raw.splitlines() if not re.fullmatch(r"[A-Za-z0-9+/]*={0,2}[ \t]*", line))
        behind = raw[padded.end() :] if padded else ""
        charset = part.get_content_charset()
        readings = [tokens(decoded_text(one, charset)) for one in (data, ended)]
        readings += [tokens(one) for one in (odd, behind, raw)]
        if part.get_content_type() == "text/plain":
            read.allow("base64", set.union(*readings) - set.intersection(*readings))
        else:
            read.other |= set.union(*readings)
    return data


def is_markup(text):
    return re.match(r"\s*(?:<!--|<\?xml|<!doctype|<html|<head|<body|<[a-z][a-z0-9]*[ >])", text, re.IGNORECASE) is not None


def from_utf_32(data):
    """UTF-32 is rare enough in files that its form tells it: of each four bytes the first, or the last, two are a small number."""
    for codec, high in (("utf-32-be", 0), ("utf-32-le", 3)):
        if len(data) >= 16 and len(data) % 4 == 0 and not any(data[high::4]) and max(data[abs(high - 1)::4]) <= 0x10:
            try:
                return data.decode(codec).encode("utf-8")
            except UnicodeDecodeError:
                continue
    return data


def from_base64(raw):
    kept = re.sub(r"[^A-Za-z0-9+/]", "", raw)
    if len(kept) % 4 == 1:
        kept = kept[:-1]
    return base64.b64decode(kept + "=" * (-len(kept) % 4))


CANDIDATES = [
    "utf-8", "windows-1252", "windows-1250", "windows-1251", "windows-1253", "windows-1254", "windows-1255",
    "windows-1256", "windows-1257", "iso-8859-2", "iso-8859-5", "iso-8859-7", "iso-8859-8", "koi8-r", "ibm866",
    "gb18030", "big5hkscs", "shift_jis", "euc-jp", "euc-kr", "iso2022_jp_ext", "cp932", "cp949", "cp874",
]
C1 = re.compile("[\x80-\x9f]")
BEYOND_ASCII = re.compile(rb"\x1b\$[@B].*?(?:\x1b\([BJ]|$)|[\x80-\xff]+", re.DOTALL)


def decoded_text(data, declared, read=None):
    """Text in its declared charset, else UTF-8, else windows-1252; with the words of other readings noted in `read`."""
    for mark, charset in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if data.startswith(mark):
            return data[len(mark) :].decode(charset, "replace")
    if declared:
        declared = str(declared).strip().strip("\"'")
        try:
            text = data.decode(declared)
            # Declared as one thing, valid as another; or control characters where windows-1252 has letters.
            doubtful = (is_utf8(data) and not re.fullmatch(r"(?i)utf-?8|utf-?16.*", declared)) or C1.search(text)
            if read and not text.isascii() and doubtful:
                read.allow("charset", undetermined(data, text))
            return text
        except (LookupError, UnicodeDecodeError, ValueError):
            pass
    text = None
    for charset in ("utf-8", "windows-1252", "latin-1"):
        try:
            text = data.decode(charset)
            break
        except UnicodeDecodeError:
            continue
    if read and BEYOND_ASCII.search(data):
        read.allow("charset", undetermined(data, text))
    return text


def is_utf8(data):
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def undetermined(data, text):
    """The words that bytes beyond ASCII may spell or touch, in any of the usual charsets."""
    pieces = re.findall(rb"[A-Za-z0-9\x01]+", BEYOND_ASCII.sub(b"\x01", data))
    certain = {piece.decode("ascii").lower() for piece in pieces if b"\x01" not in piece}
    spelt = tokens(text)
    for charset in CANDIDATES:
        spelt |= tokens(data.decode(charset, "replace"))
    return spelt - certain


UUENCODED = re.compile(r"(?m)^begin [0-7]{3,4} [^\r\n]+\r?\n((?:[ -`]{0,80}\r?\n)*?)end\r?$")
# The same when the way here changed a few of its characters, or cut it off.
LIKE_UUENCODED = re.compile(r"(?m)^begin [0-7]{3,4} [^\r\n]+\r?\n((?:[^\r\n]*\r?\n)*?)(?:end\r?$|\Z)")


def from_uuencode(lines):
    data = b""
    for line in lines.splitlines():
        try:
            data += binascii.a2b_uu(line)
        except (binascii.Error, ValueError):
            continue
    return data


def texts(message, read):
    """Pairs (is text/plain, text) of all text leaves of a message and of the messages attached to it."""
    for part in message.walk():
        kind = part.get_content_type()
        if part.is_multipart():
            if kind == "message/rfc822":
                if str(part.get("content-transfer-encoding", "")).strip().lower() == "base64":
                    inner = part.get_payload(0).get_payload()
                    inner = inner if isinstance(inner, str) else ""
                    read.allow("encoded-message", tokens(inner))
                    read.other |= Read().mail(from_base64(inner)).all()
                continue
            if kind == "message/partial":
                read.pieces.extend(str(one) for one in part.get_payload())
            if part.get_content_maintype() == "message":
                # A delivery report: Python makes messages of its groups of fields (RFC 3464 section 2.1).
                for group in part.get_payload():
                    yield False, "".join(f"{name}: {value}\n" for name, value in group.items())
            for around in (part.preamble, part.epilogue):
                if around:
                    yield False, around
            continue
        read.defects.update(type(defect).__name__ for defect in part.defects)
        if part.get_content_maintype() not in ("text", "message", "multipart"):
            # Text behind another media type: not asked for, but it explains a hit.
            data = decoded_bytes(part, read)
            if data and b"\0" not in data[:4096]:
                yield False, decoded_text(data, None)
            continue
        data = decoded_bytes(part, read)
        text = decoded_text(data, part.get_content_charset(), read)
        if kind == "text/html":
            yield False, html_text(text)
            # What is in no tag, with nothing in the place of tags: how a browser shows words with unknown tags in them.
            yield False, re.sub(r"<[^>]*>", "", text)
            yield False, text
        elif kind == "text/plain":
            if str(part.get_param("format", "")).lower() == "flowed" and str(part.get_param("delsp", "")).lower() == "yes":
                text = re.sub(r"(?m) \r?\n", "", text)
            for block in UUENCODED.finditer(text):
                yield False, decoded_text(from_uuencode(block[1]), None, read)
            clean = UUENCODED.sub("\n", text)
            if clean != text:
                yield False, text
            for block in LIKE_UUENCODED.finditer(clean):
                read.allow("uuencode", tokens(block[1]))
            yield True, clean
        else:
            yield False, text


def header_texts(message):
    for part in message.walk():
        for name, value in part.items():
            if name.lower() in ("subject", "content-disposition", "content-type"):
                try:
                    pieces = email.header.decode_header(value)
                    yield "".join(
                        p.decode(c or "latin-1", "replace") if isinstance(p, bytes) else p for p, c in pieces
                    )
                except (LookupError, UnicodeError, email.errors.HeaderParseError, ValueError):
                    yield str(value)


MAIL_HEADERS = re.compile(
    rb"(?im)^(?:from|to|cc|subject|date|received|return-path|message-id|mime-version|delivered-to|sender|reply-to"
    rb"|content-type)[ \t]*:"
)


def is_mail(data):
    """True when the file begins with a header section that has a field that mail has."""
    if not re.match(rb"[!-9;-~]+[ \t]*:|>?From ", data):
        return False
    head = re.split(rb"\r?\n\r?\n", data[:65536], maxsplit=1)[0]
    return MAIL_HEADERS.search(head) is not None


# A first line that is no field, before usual fields; at the beginning and in attached messages.
JUNK_LINE = re.compile(
    rb"(?im)(\A|\n\r?\n)[^\r\n]+\r?\n(?=(?:received|return-path|from|date|to|subject|message-id|x-[a-z-]+):)"
)


def without_junk_lines(data):
    """The message without the lines of its header section that are neither a field nor the continuation of one."""
    end = re.search(rb"\r?\n\r?\n", data)
    end = end.start() if end else len(data)
    lines = [
        line
        for line in data[:end].splitlines(keepends=True)
        if re.match(rb"[!-9;-~]+[ \t]*:|[ \t]+\S", line)
    ]
    return JUNK_LINE.sub(rb"\1", b"".join(lines).lstrip() + data[end:])


class Read:
    """What one message says: words of its text/plain parts, other words, and those that a rule makes doubtful."""

    __slots__ = ("plain", "other", "allowed", "defects", "pieces")

    def __init__(self):
        self.plain, self.other, self.allowed, self.defects, self.pieces = set(), set(), {}, set(), []

    def allow(self, rule, words):
        self.allowed.setdefault(rule, set()).update(words)

    def all(self):
        return self.plain | self.other

    def whole(self, data):
        """Reads a message or loose file, and its second readings."""
        if b"\r" in data and b"\n" not in data:
            # RFC 5322 section 2.3: CR stands only before LF; as the end of every line it can mean nothing else.
            data = data.replace(b"\r", b"\n")
        if not is_mail(data):
            self.loose(data)
            if re.match(rb"\s*[!-9;-~]+[ \t]*:", data):
                as_mail = Read().mail(without_junk_lines(data))
                self.allow("no-header", (self.plain ^ as_mail.plain) | (self.plain ^ as_mail.all()))
            return self
        self.mail(data)
        if self.defects & {"MissingHeaderBodySeparatorDefect", "MisplacedEnvelopeHeaderDefect"}:
            repaired = Read().mail(without_junk_lines(data))
            self.allow("header-line", (self.plain ^ repaired.plain) | (self.plain ^ repaired.all()))
        as_text = tokens(decoded_text(data, None)) - self.plain
        head = re.split(rb"\r?\n\r?\n", data, maxsplit=1)[0]
        if self.defects & {"MissingHeaderBodySeparatorDefect", "MisplacedEnvelopeHeaderDefect"} or head.count(b"\n") < 4:
            self.allow("no-header", as_text)
        if self.defects & {"StartBoundaryNotFoundDefect", "NoBoundaryInMultipartDefect"}:
            # A multipart that cannot be split is no text/plain part; its text is searched all the same.
            self.other |= as_text
        for part in email.message_from_bytes(data).walk():
            inner = part.get_payload(0) if part.get_content_type() == "message/rfc822" and part.is_multipart() else None
            if inner is not None and not inner.keys() and isinstance(inner.get_payload(), str):
                text = inner.get_payload()
                again = Read().mail(text.lstrip().encode("utf-8", "surrogateescape"))
                self.allow("empty-lines", tokens(text) ^ again.all())
        if self.pieces:
            self.other |= tokens("\n".join(self.pieces)) - self.plain
            self.allow("partial", set(self.plain))
        return self

    def mail(self, data):
        message = email.message_from_bytes(data)
        for is_plain, text in texts(message, self):
            (self.plain if is_plain else self.other).update(tokens(text))
        for text in header_texts(message):
            self.other |= tokens(text)
        self.other -= self.plain
        return self

    def loose(self, data):
        """A loose text, or a message without headers: all of it is text. Other formats are not asked about."""
        data = from_utf_32(data)
        marked = data.startswith((b"\xff\xfe", b"\xfe\xff"))
        control = len(re.findall(rb"[\0-\x08\x0e-\x1a\x1c-\x1f]", data[:65536]))
        if (control * 100 > len(data[:65536]) and not marked) or data.startswith(b"%PDF-"):
            return self
        text = decoded_text(data, None, self)
        if is_markup(text):
            self.other = tokens(text) | tokens(html_text(text))
            return self
        self.plain = tokens(text)
        if re.search(r"<[a-z][a-z0-9]*[^<>]*>", text, re.IGNORECASE):
            self.allow("markup", self.plain ^ tokens(html_text(text)))
        return self


# ---------------------------------------------------------------------------------------------- make


class Sample:
    """Postings of a seeded sample of the vocabulary, small enough to be held: in text/plain, elsewhere, under a rule."""

    LIMIT = 200_000

    def __init__(self, seed):
        self.salt = f"{seed}:".encode()
        self.threshold = 1 << 32
        self.postings, self.elsewhere, self.allowed = {}, {}, {}
        self.known = {}

    def wants(self, word):
        return zlib.crc32(self.salt + word.encode()) < self.threshold

    def holds(self, word):
        held = self.known.get(word)
        if held is None:
            held = self.wants(word)
            if len(self.known) > 4_000_000:
                self.known.clear()
            self.known[word] = held
        return held

    def add(self, number, read):
        for postings, words in ((self.postings, read.plain), (self.elsewhere, read.other)):
            for word in filter(self.holds, words):
                postings.setdefault(word, []).append(number)
        for rule, words in read.allowed.items():
            for word in filter(self.holds, words):
                self.allowed.setdefault(word, {}).setdefault(rule, []).append(number)
        if len(self.postings) > self.LIMIT:
            self.threshold //= 2
            self.known.clear()
            for kind in ("postings", "elsewhere", "allowed"):
                setattr(self, kind, {word: held for word, held in getattr(self, kind).items() if self.wants(word)})


def pick(postings, count, seed):
    """A third of the words from those in at most three messages, the rest evenly over the scales of frequency."""
    generator = random.Random(seed)
    usable = sorted(word for word in postings if 2 <= len(word) <= 60 or is_cjk(word[0]))
    rare = [word for word in usable if len(postings[word]) <= 3]
    scales = {}
    for word in usable:
        if len(postings[word]) > 3:
            scales.setdefault(len(postings[word]).bit_length(), []).append(word)
    chosen = generator.sample(rare, min(len(rare), (count + 2) // 3))
    for words in scales.values():
        generator.shuffle(words)
    order = sorted(scales)
    while len(chosen) < count and any(scales.values()):
        for scale in order:
            if scales[scale] and len(chosen) < count:
                chosen.append(scales[scale].pop())
    return sorted(chosen)


def make(arguments):
    sample = Sample(arguments.seed)
    messages = []
    numbers = {}
    total = 0
    for source in arguments.source:
        above = os.path.dirname(os.path.abspath(source))
        for entry in entries(source):
            total += 1
            place = [os.path.relpath(entry.path, above), entry.start, entry.start + len(entry.as_found)]
            data = entry.unquoted()
            digest = hashlib.sha256(data).hexdigest()
            number = numbers.get(digest)
            if number is not None:
                messages[number]["places"].append(place)
                continue
            number = numbers[digest] = len(messages)
            as_found = hashlib.sha256(entry.as_found).hexdigest()
            messages.append({"sha256": digest, "sha256_as_found": as_found, "ordinal": entry.ordinal, "places": [place]})
            sample.add(number, Read().whole(data))
            if total % 5000 == 0:
                print(f"{total} messages read", file=sys.stderr)
    chosen = pick(sample.postings, arguments.words, arguments.seed)
    words = [
        {
            "word": word,
            "rare": len(sample.postings[word]) <= 3,
            "messages": sample.postings[word],
            "elsewhere": sample.elsewhere.get(word, []),
            "rules": sample.allowed.get(word, {}),
        }
        for word in chosen
    ]
    result = {
        "schema": SCHEMA,
        "seed": arguments.seed,
        "sources": [os.path.basename(os.path.normpath(source)) for source in arguments.source],
        "entries": total,
        "distinct": len(messages),
        "python": sys.version.split()[0],
        "words": words,
        "messages": messages,
    }
    with open(arguments.out, "w", encoding="utf-8") as file:
        json.dump(result, file, ensure_ascii=False)
    rare = sum(word["rare"] for word in words)
    print(f"{total} entries, {len(messages)} distinct, {len(words)} words ({rare} rare) -> {arguments.out}")
    return 0


# ---------------------------------------------------------------------------------------------- compare


class Program:
    """The program under test, asked through its command line."""

    def __init__(self, binary, case):
        self.command = [binary, "--case", case]
        self.roots = {}
        for hit in self.search("type:email OR type:document"):
            if hit["item"] == hit["family"]:
                self.roots[hit["item"]] = hit["sha256"]

    def ask(self, *words):
        done = subprocess.run([*self.command, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if done.returncode not in (0, 1):
            sys.exit(f"{' '.join(words)} gave exit code {done.returncode}: {done.stderr.decode(errors='replace')}")
        return done.stdout

    def search(self, query):
        for line in self.ask("search", "--format", "jsonl", "--all", "--no-snippets", "--", query).splitlines():
            hit = json.loads(line)
            if "item" in hit:
                yield hit

    def places(self, item):
        for one in json.loads(self.ask("show", item, "--instances", "--format", "json"))["instances"]:
            yield one["path"], one["offset"], one["offset"] + one["length"]

    def holding(self, word, template):
        """The top-level items whose families hold the word."""
        quoted = word if word.isascii() and word.upper() not in ("AND", "OR", "NOT") else f'"{word}"'
        return {hit["family"] for hit in self.search(template.replace("{word}", quoted))}


class Groups:
    """Which messages of the reader are which items: by hash, else by the place where both lie.

    A group has one of each, unless the two split a file at different lines.
    """

    def __init__(self, oracle, program):
        self.above = {}
        by_digest, by_path = {}, {}
        for number, message in enumerate(oracle["messages"]):
            by_digest.setdefault(message["sha256_as_found"], number)
            for path, start, end in message["places"]:
                by_path.setdefault(path, []).append((start, end, number))
        by_digest.update((message["sha256"], number) for number, message in enumerate(oracle["messages"]))
        for item, digest in program.roots.items():
            if digest in by_digest:
                self.join(item, by_digest[digest])
                continue
            for path, start, end in program.places(item):
                for other_start, other_end, number in by_path.get(path, []):
                    if start < other_end and other_start < end:
                        self.join(item, number)
        self.members = {}
        for one in [*program.roots, *range(len(oracle["messages"]))]:
            self.members.setdefault(self.of(one), []).append(one)

    def of(self, one):
        while one in self.above:
            one = self.above[one]
        return one

    def join(self, item, number):
        one, other = self.of(item), self.of(number)
        if one != other:
            self.above[one] = other

    def split(self):
        """Groups that are not one message and one item: the messages and the items."""
        for members in self.members.values():
            numbers = [one for one in members if isinstance(one, int)]
            items = [one for one in members if isinstance(one, str)]
            if len(numbers) != 1 or len(items) != 1:
                yield numbers, items


def difference(oracle, members, word, side):
    """One word on which the two do not agree in one group, with the rules that cover it."""
    numbers = [one for one in members if isinstance(one, int)]
    rules = [rule for rule, allowed in word["rules"].items() if any(number in allowed for number in numbers)]
    if len(members) != 2:
        rules.append("separator")
    message = oracle["messages"][numbers[0]] if numbers else {"places": [["", 0, 0]], "ordinal": 0, "sha256": ""}
    return {
        "word": word["word"],
        "side": side,
        "rules": rules,
        "path": message["places"][0][0],
        "ordinal": message["ordinal"],
        "sha256": message["sha256"],
    }


def compare(arguments):
    with open(arguments.words, encoding="utf-8") as file:
        oracle = json.load(file)
    if oracle.get("schema") != SCHEMA:
        sys.exit(f"{arguments.words} has schema {oracle.get('schema')}, this script reads {SCHEMA}")
    program = Program(arguments.embley, arguments.case)
    groups = Groups(oracle, program)
    split, foreign, lost = [], 0, []
    for numbers, items in groups.split():
        if not items:
            lost += [oracle["messages"][number]["places"][0][0] for number in numbers]
        elif not numbers:
            foreign += len(items)
        else:
            split.append({"path": oracle["messages"][numbers[0]]["places"][0][0], "reader": len(numbers), "program": len(items)})
    differences, touched = [], set()
    agreed = elsewhere = 0
    for word in oracle["words"]:
        word["rules"] = {rule: set(numbers) for rule, numbers in word["rules"].items()}
        expected = {groups.of(number) for number in word["messages"]}
        other = {groups.of(number) for number in word["elsewhere"]}
        got = {groups.of(item) for item in program.holding(word["word"], arguments.query)}
        # What the reader was never given (a packed mailbox, say) it cannot be asked about.
        got = {group for group in got if any(isinstance(one, int) for one in groups.members[group])}
        agreed += len(expected & got)
        elsewhere += len((got - expected) & other)
        for side, found in (("missing", expected - got), ("extra", got - expected - other)):
            touched |= found
            differences += [difference(oracle, groups.members[group], word, side) for group in found]
    differences.sort(key=lambda one: (one["path"], one["ordinal"], one["word"]))
    counts = {}
    for one in differences:
        for rule in one["rules"] or ["none"]:
            counts[rule] = counts.get(rule, 0) + 1
    unexplained = sum(not one["rules"] for one in differences)
    share = len(touched) / max(1, oracle["distinct"])
    report = {
        "schema": SCHEMA,
        "words": len(oracle["words"]),
        "rare": sum(word["rare"] for word in oracle["words"]),
        "messages": oracle["distinct"],
        "items": len(program.roots),
        "items_unknown_to_reader": foreign,
        "messages_lost": len(lost),
        "messages_split_otherwise": sum(one["reader"] for one in split),
        "pairs_agreed": agreed,
        "pairs_in_other_parts": elsewhere,
        "differences": len(differences),
        "differences_by_rule": counts,
        "messages_that_differ": len(touched),
        "share_of_messages": share,
        "unexplained": unexplained,
        "lost": lost,
        "split": sorted(split, key=lambda one: one["path"]),
        "rules": {rule: RULES[rule] for rule in counts if rule in RULES},
        "list": differences,
    }
    if arguments.out:
        with open(arguments.out, "w", encoding="utf-8") as file:
            json.dump(report, file, ensure_ascii=False, indent=1)
    for one in differences[: arguments.show]:
        print(f"{one['side']:8} {one['word']!r:24} {one['path']}#{one['ordinal']}  {', '.join(one['rules']) or 'unexplained'}")
    for path in lost:
        print(f"lost     {path}")
    print(json.dumps({key: value for key, value in report.items() if key not in ("list", "lost", "split", "rules")}))
    return 1 if unexplained or lost or share > arguments.tolerance else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    maker = commands.add_parser("make", help="read the sources and pick words")
    maker.add_argument("source", nargs="+")
    maker.add_argument("--words", type=int, default=200)
    maker.add_argument("--seed", type=int, default=1)
    maker.add_argument("--out", required=True)
    comparer = commands.add_parser("compare", help="ask the program for the same words")
    comparer.add_argument("words")
    comparer.add_argument("--case", required=True)
    comparer.add_argument("--embley", default="embley")
    comparer.add_argument("--query", default="body:{word} OR attachment:{word}")
    comparer.add_argument("--out")
    comparer.add_argument("--show", type=int, default=40, help="differences to print")
    comparer.add_argument("--tolerance", type=float, default=0.001, help="share of messages that may differ")
    arguments = parser.parse_args()
    return make(arguments) if arguments.command == "make" else compare(arguments)


if __name__ == "__main__":
    sys.exit(main())
