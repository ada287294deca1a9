"""Makes a folder of documents and archives of many kinds, seeded: the same numbers give the same texts."""

import io
import os
import random
import tarfile
import zipfile

WORDS = (
    "meeting report letter contract minister officer budget decision statement evidence interview record account "
    "transfer payment invoice office station witness review complaint schedule agreement confidential draft"
).split()
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
WORD_MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
WORD_SPACE = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def text(dice, words):
    return " ".join(dice.choice(WORDS) if dice.random() < 0.9 else f"{dice.choice(WORDS)}{dice.randrange(10_000)}" for _ in range(words))


def zipped(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 6, 10, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def docx(dice):
    body = "".join(f"<w:p><w:r><w:t>{text(dice, 60)}</w:t></w:r></w:p>" for _ in range(40))
    return zipped(
        [
            (
                "[Content_Types].xml",
                f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" '
                f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
                f'<Override PartName="/word/document.xml" ContentType="{WORD_MAIN}"/></Types>',
            ),
            (
                "_rels/.rels",
                f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" Type="{OFFICE}" '
                f'Target="word/document.xml"/></Relationships>',
            ),
            ("word/document.xml", f'<w:document xmlns:w="{WORD_SPACE}"><w:body>{body}</w:body></w:document>'),
        ]
    )


def pdf(dice):
    lines = " ".join(f"({text(dice, 8)}) Tj T*" for _ in range(60))
    stream = f"BT /F1 10 Tf 12 TL 40 800 Td {lines} ET"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, offsets = "%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{one}\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\n"
    return f"{out}startxref\n{out.index('xref')}\n%%EOF\n".encode()


def rtf(dice):
    return ("{\\rtf1\\ansi\\ansicpg1252\\f0 " + "\\par ".join(text(dice, 60) for _ in range(30)) + "}").encode()


def plain(dice):
    return "\n".join(text(dice, 12) for _ in range(100)).encode()


def packed_tar(dice):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", compresslevel=6) as archive:
        for number in range(10):
            content = plain(dice)
            member = tarfile.TarInfo(f"notes/{number}.txt")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def archive_of_documents(dice):
    return zipped([("a.docx", docx(dice)), ("b.pdf", pdf(dice)), ("c/d.rtf", rtf(dice)), ("e.tar.gz", packed_tar(dice))])


KINDS = [("docx", docx), ("pdf", pdf), ("rtf", rtf), ("txt", plain), ("tar.gz", packed_tar), ("zip", archive_of_documents)]


def make(folder, files, seed):
    """Writes `files` files below `folder`, kinds in turn."""
    dice = random.Random(seed)
    for number in range(files):
        ending, maker = KINDS[number % len(KINDS)]
        place = os.path.join(folder, f"{number // 100:03}")
        os.makedirs(place, exist_ok=True)
        with open(os.path.join(place, f"{number:05}.{ending}"), "wb") as file:
            file.write(maker(dice))
    return folder
