#!/usr/bin/env python3
"""An independent reader of mail, to hold the program's answers against.

  differential.py make SOURCE... --words N --seed S --out words.json
  differential.py compare words.json --case DIR [--embley BINARY] [--out report.json]

`make` reads mailboxes, Maildirs, folders and single files with Python's own mailbox and email packages, picks N words
of text/plain parts with a seed (a third of them rare: in at most three messages) and writes, for each word, the
messages whose text/plain parts hold it. `compare` asks `embley search` for the same words and lists each message on
which the two disagree, with what is known about the reason. Exit code 0: no unexplained difference; 1: some; 2: usage.

Only the standard library is used, and nothing of the program's own code.

The rules, as documented for the program's tokens:
- a token is a run of letters and digits; every other character ends it, except marks, soft hyphens, joiners and
  direction marks, which neither end it nor belong to it;
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
import random
import re
import subprocess
import sys
import unicodedata
import zlib

SCHEMA = 1
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


# ---------------------------------------------------------------------------------------------- words


def is_cjk(character):
    code = ord(character)
    return code >= 0x1100 and any(low <= code <= high for low, high in CJK)


def fold(character):
    """The folded form of one character: nothing, one character or several."""
    out = []
    for part in unicodedata.normalize("NFKD", character):
        for lower in part.lower():
            if lower in TRANSPARENT or unicodedata.combining(lower):
                continue
            if unicodedata.category(lower).startswith("M") and not lower.isalnum():
                continue
            out.append(WRITTEN_OUT.get(lower, lower))
    return "".join(out)


class Folding(dict):
    """Character to what it adds to the running text: folded letters, nothing, or spaces around or in its place."""

    def __missing__(self, character):
        if character in TRANSPARENT or (unicodedata.category(character).startswith("M")):
            value = ""
        elif not character.isalnum():
            value = " "
        else:
            folded = fold(character)
            value = "".join(
                f" {part} " if is_cjk(part) else part if part.isalnum() else " " for part in folded
            )
        self[character] = value
        return value


FOLDING = Folding()


def tokens(text):
    """The set of tokens of a text."""
    if text.isascii():
        return set(ASCII_WORD.findall(text.lower()))
    # Hangul and others that compose again are compared composed.
    joined = "".join(map(FOLDING.__getitem__, unicodedata.normalize("NFC", text)))
    return set(unicodedata.normalize("NFC", joined).split())


# ---------------------------------------------------------------------------------------------- sources


class Entry:
    """A message or file as found."""

    __slots__ = ("path", "ordinal", "as_found", "quoted")

    def __init__(self, path, ordinal, as_found, quoted):
        self.path, self.ordinal, self.as_found, self.quoted = path, ordinal, as_found, quoted

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
            yield Entry(source, 0, head + file.read(), False)
            return
    box = mailbox.mbox(source, create=False)
    for ordinal, key in enumerate(box.keys()):
        data = box.get_bytes(key)
        if data.endswith(b"\r\n\r\n"):
            # The mailbox package knows the empty line behind a message only by the line end of the system.
            data = data[:-2]
        yield Entry(source, ordinal, data, True)
    box.close()


def looks_like_mbox(head):
    return re.match(rb"From [^\r\n]*\d\d?:\d\d[^\r\n]*\d{4}", head) is not None


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


def decoded_bytes(part, notes):
    """The content of a leaf without its transfer encoding."""
    encoding = str(part.get("content-transfer-encoding", "")).strip().lower()
    if encoding != "base64":
        if encoding not in ("", "7bit", "8bit", "binary", "quoted-printable"):
            notes.add(f"transfer encoding {encoding!r}")
        data = part.get_payload(decode=True)
        return data if isinstance(data, bytes) else b""
    raw = part.get_payload(decode=False)
    kept = re.sub(r"[^A-Za-z0-9+/]", "", raw if isinstance(raw, str) else "")
    if len(kept) % 4 == 1:
        notes.add("base64 is cut")
        kept = kept[:-1]
    try:
        return base64.b64decode(kept + "=" * (-len(kept) % 4))
    except (binascii.Error, ValueError):
        notes.add("base64 is broken")
        return b""


def decoded_text(data, declared, notes):
    """Text in its declared charset, else UTF-8, else windows-1252."""
    if declared:
        declared = str(declared).strip().strip("\"'")
        try:
            return data.decode(declared)
        except (LookupError, UnicodeDecodeError, ValueError):
            notes.add(f"not valid as {declared!r}")
    elif not data.isascii():
        notes.add("8-bit text without a charset")
    for charset in ("utf-8", "windows-1252"):
        try:
            return data.decode(charset)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


UUENCODED = re.compile(r"(?m)^begin [0-7]{3,4} [^\r\n]+\r?\n(?:[ -`]{1,80}\r?\n)+?(?:`|\s)?\r?\nend\b")


def texts(message, notes):
    """Pairs (is text/plain, text) of all text leaves of a message and of the messages attached to it."""
    for part in message.walk():
        if part.is_multipart():
            if not isinstance(part.get_payload(), list):
                notes.add("multipart without parts")
            if part.get_content_type() == "message/rfc822":
                continue
            if part.get_content_maintype() == "message":
                # A delivery report: Python makes messages of its groups of fields (RFC 3464 section 2.1).
                for group in part.get_payload():
                    yield False, "".join(f"{name}: {value}\n" for name, value in group.items())
            for around in (part.preamble, part.epilogue):
                if around:
                    yield False, around
            continue
        kind = part.get_content_type()
        if part.defects:
            notes.update(type(defect).__name__ for defect in part.defects)
        if part.get_content_maintype() not in ("text", "message") and kind != "multipart/mixed":
            # Text behind another media type: not asked for, but it explains a hit.
            data = decoded_bytes(part, set())
            if data and b"\0" not in data[:4096]:
                yield False, decoded_text(data, None, set())
            continue
        data = decoded_bytes(part, notes)
        text = decoded_text(data, part.get_content_charset(), notes)
        if kind == "text/html":
            yield False, html_text(text)
            yield False, text
        elif kind == "text/plain":
            if str(part.get_param("format", "")).lower() == "flowed" and str(part.get_param("delsp", "")).lower() == "yes":
                text = re.sub(r"(?m) \r?\n", "", text)
            clean = UUENCODED.sub("\n", text)
            if clean != text:
                notes.add("uuencode")
                yield False, text
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
    rb"(?im)^(?:from|to|cc|subject|date|received|return-path|message-id|mime-version|content-type|delivered-to|sender"
    rb"|reply-to|x-[a-z-]+)[ \t]*:"
)


def is_mail(data):
    """True when the file begins with a header section that has a field that mail has."""
    if not re.match(rb"[!-9;-~]+[ \t]*:|>?From ", data):
        return False
    head = re.split(rb"\r?\n\r?\n|\r\r", data[:65536], maxsplit=1)[0]
    return MAIL_HEADERS.search(head.replace(b"\r", b"\n")) is not None


class Read:
    """What one message says."""

    __slots__ = ("plain", "other", "notes")

    def __init__(self, data):
        self.plain, self.other, self.notes = set(), set(), set()
        if b"\r" in data and b"\n" not in data:
            self.notes.add("bare CR as line end (RFC 5322 section 2.1 knows only CRLF)")
        if not is_mail(data):
            self.read_loose(data)
            return
        message = email.message_from_bytes(data)
        for is_plain, text in texts(message, self.notes):
            (self.plain if is_plain else self.other).update(tokens(text))
        for text in header_texts(message):
            self.other |= tokens(text)
        self.other -= self.plain

    def read_loose(self, data):
        """A loose text, or a message without headers: all of it is text. Other formats are not asked about."""
        if b"\0" in data[:65536]:
            self.notes.add("not text")
            return
        text = decoded_text(data, None, self.notes)
        if re.match(r"\s*(?:<!--|<\?xml|<!doctype|<html|<head|<body|<[a-z]+[ >])", text, re.IGNORECASE):
            self.notes.add("loose markup")
            self.other = tokens(text) | tokens(html_text(text))
            return
        self.notes.add("no headers")
        self.plain = tokens(text)


# ---------------------------------------------------------------------------------------------- make


class Sample:
    """Postings of a seeded sample of the vocabulary, small enough to be held."""

    LIMIT = 200_000

    def __init__(self, seed):
        self.salt = f"{seed}:".encode()
        self.threshold = 1 << 32
        self.postings = {}
        self.known = {}

    def wants(self, word):
        value = zlib.crc32(self.salt + word.encode())
        return value < self.threshold

    def add(self, number, words):
        for word in words:
            held = self.known.get(word)
            if held is None:
                held = self.wants(word)
                if len(self.known) > 4_000_000:
                    self.known.clear()
                self.known[word] = held
            if held:
                self.postings.setdefault(word, []).append(number)
        if len(self.postings) > self.LIMIT:
            self.threshold //= 2
            self.known.clear()
            self.postings = {word: held for word, held in self.postings.items() if self.wants(word)}


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
    noted = {}
    total = 0
    for source in arguments.source:
        for entry in entries(source):
            total += 1
            data = entry.unquoted()
            digest = hashlib.sha256(data).hexdigest()
            if digest in numbers:
                continue
            numbers[digest] = len(messages)
            as_found = hashlib.sha256(entry.as_found).hexdigest()
            path = os.path.relpath(entry.path, os.path.dirname(os.path.abspath(source)))
            messages.append({"path": path, "ordinal": entry.ordinal, "sha256": digest, "sha256_as_found": as_found})
            read = Read(data)
            if read.notes:
                noted[numbers[digest]] = sorted(read.notes)
            sample.add(numbers[digest], read.plain)
            if total % 5000 == 0:
                print(f"{total} messages read", file=sys.stderr)
    chosen = pick(sample.postings, arguments.words, arguments.seed)
    # A second pass finds where else the chosen words stand, which explains answers beyond text/plain.
    elsewhere = {word: set() for word in chosen}
    wanted = set(chosen)
    done = set()
    for source in arguments.source:
        for entry in entries(source):
            data = entry.unquoted()
            number = numbers[hashlib.sha256(data).hexdigest()]
            if number in done:
                continue
            done.add(number)
            for word in wanted & Read(data).other:
                elsewhere[word].add(number)
    words = [
        {
            "word": word,
            "rare": len(sample.postings[word]) <= 3,
            "messages": sample.postings[word],
            "elsewhere": sorted(elsewhere[word]),
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
        "notes": {str(number): notes for number, notes in noted.items()},
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

    def search(self, query):
        command = [*self.command, "search", "--format", "jsonl", "--all", "--no-snippets", query]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if done.returncode not in (0, 1):
            sys.exit(f"search {query!r} gave exit code {done.returncode}: {done.stderr.decode(errors='replace')}")
        for line in done.stdout.splitlines():
            hit = json.loads(line)
            if "item" in hit:
                yield hit

    def holding(self, word, template):
        quoted = word if word.isascii() and word.upper() not in ("AND", "OR", "NOT") else f'"{word}"'
        query = template.replace("{word}", quoted)
        return {self.roots.get(hit["family"], hit["family"]) for hit in self.search(query)}


def reason_missing(number, word, notes, held):
    """Why the program did not give a message that the independent reader gives."""
    if not held:
        return "message is not in the case"
    known = notes.get(str(number), [])
    return "; ".join(known) if known else "unexplained"


def compare(arguments):
    with open(arguments.words, encoding="utf-8") as file:
        oracle = json.load(file)
    if oracle.get("schema") != SCHEMA:
        sys.exit(f"{arguments.words} has schema {oracle.get('schema')}, this script reads {SCHEMA}")
    program = Program(arguments.embley, arguments.case)
    by_digest = {}
    for number, message in enumerate(oracle["messages"]):
        by_digest.setdefault(message["sha256_as_found"], number)
        by_digest[message["sha256"]] = number
    in_case = {by_digest[digest] for digest in program.roots.values() if digest in by_digest}
    unknown = len(program.roots) - len([d for d in program.roots.values() if d in by_digest])
    differences = []
    touched = set()
    agreed = explained = 0
    for word in oracle["words"]:
        expected = set(word["messages"])
        got = set()
        strangers = 0
        for digest in program.holding(word["word"], arguments.query):
            if digest in by_digest:
                got.add(by_digest[digest])
            else:
                strangers += 1
        agreed += len(expected & got)
        extra = got - expected
        explained += len(extra & set(word["elsewhere"]))
        for number in sorted(expected - got):
            differences.append(
                (number, word["word"], "missing", reason_missing(number, word["word"], oracle["notes"], number in in_case))
            )
        for number in sorted(extra - set(word["elsewhere"])):
            known = oracle["notes"].get(str(number), [])
            differences.append((number, word["word"], "extra", "; ".join(known) or "unexplained"))
        if strangers:
            differences.append((None, word["word"], "extra", f"{strangers} messages that the reader did not split so"))
    listed = []
    for number, word, side, reason in differences:
        message = oracle["messages"][number] if number is not None else {}
        touched.add(number)
        listed.append({"word": word, "side": side, "reason": reason, **message})
    unexplained = sum(entry["reason"] == "unexplained" for entry in listed)
    report = {
        "schema": SCHEMA,
        "words": len(oracle["words"]),
        "rare": sum(word["rare"] for word in oracle["words"]),
        "messages": oracle["distinct"],
        "messages_in_case": len(in_case),
        "top_level_items_unknown_to_reader": unknown,
        "pairs_agreed": agreed,
        "pairs_explained_by_other_parts": explained,
        "differences": len(listed),
        "messages_touched": len(touched),
        "share_of_messages": len(touched) / max(1, oracle["distinct"]),
        "unexplained": unexplained,
        "list": listed,
    }
    if arguments.out:
        with open(arguments.out, "w", encoding="utf-8") as file:
            json.dump(report, file, ensure_ascii=False, indent=1)
    for entry in listed[: arguments.show]:
        print(f"{entry['side']:8} {entry['word']!r:24} {entry.get('path', '')}#{entry.get('ordinal', '')}  {entry['reason']}")
    print(json.dumps({key: value for key, value in report.items() if key != "list"}))
    return 1 if unexplained or report["share_of_messages"] > arguments.tolerance else 0


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
