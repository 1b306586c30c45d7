"""Small PDFs, well made or not: each object as it is written."""

import zlib
from collections.abc import Mapping, Sequence


def pdf(pages: Sequence[str], *, title: str = "") -> bytes:
    """Return a PDF with a page for each text, in any alphabet of at most 222 characters."""
    characters = sorted({each for page in pages for each in page if each != "\n"})
    codes = {each: code for code, each in enumerate(characters, 33)}
    to_unicode = "".join(
        f"<{code:02x}> <{each.encode('utf-16-be').hex()}>\n" for each, code in codes.items()
    )
    cmap = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"
        "1 begincodespacerange\n<00> <ff>\nendcodespacerange\n"
        f"{len(codes)} beginbfchar\n{to_unicode}endbfchar\nendcmap end end"
    )
    kids = " ".join(f"{number} 0 R" for number in range(5, 5 + 2 * len(pages), 2))
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 4 0 R >>",
        4: stream(cmap.encode()),
    }
    for number, page in enumerate(pages):
        shown = "".join(
            f"<{''.join(f'{codes[each]:02x}' for each in line)}> Tj T*\n"
            for line in page.split("\n")
        )
        objects[5 + 2 * number] = (
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font "
            f"<< /F1 3 0 R >> >> /Contents {6 + 2 * number} 0 R >>"
        ).encode()
        objects[6 + 2 * number] = stream(f"BT /F1 10 Tf 14 TL 40 800 Td\n{shown}ET".encode())
    information = 5 + 2 * len(pages)
    objects[information] = f"<< /Title <feff{title.encode('utf-16-be').hex()}> >>".encode()
    return assembled(objects, trailer=f"/Info {information} 0 R")


def stream(content: bytes, *, entries: str = "") -> bytes:
    """Return a compressed stream."""
    packed = zlib.compress(content)
    head = f"<< /Length {len(packed)} /Filter /FlateDecode {entries} >>\nstream\n"
    return head.encode() + packed + b"\nendstream"


def assembled(objects: Mapping[int, bytes], *, trailer: str = "") -> bytes:
    """Return the file of these objects, the first of which is the catalog."""
    content, offsets = b"%PDF-1.7\n", {}
    for number, each in objects.items():
        offsets[number] = len(content)
        content += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(
        b"%010d 00000 n \n" % offsets[number] if number in offsets else b"0000000000 65535 f \n"
        for number in range(max(objects) + 1)
    )
    return (
        content
        + b"xref\n0 %d\n%strailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF"
        % (
            max(objects) + 1,
            table,
            max(objects) + 1,
            trailer.encode(),
            len(content),
        )
    )
