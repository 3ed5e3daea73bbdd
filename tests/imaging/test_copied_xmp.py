"""XMP in results claims only what is true for them, and keeps its other bytes."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from libs.imaging.metadata.exif_changes import Changes
from libs.imaging.metadata.xmp_changes import update_xmp, xmp_without_place
from libs.imaging.operations import Convert, Crop, Metadata, Resize
from tests.imaging.conftest import Run, Save

NAMESPACES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
    "xmpNote": "http://ns.adobe.com/xmp/note/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "hdrgm": "http://ns.adobe.com/hdr-gain-map/1.0/",
    "Container": "http://ns.google.com/photos/1.0/container/",
    "Item": "http://ns.google.com/photos/1.0/container/item/",
    "GCamera": "http://ns.google.com/photos/1.0/camera/",
    "GPano": "http://ns.google.com/photos/1.0/panorama/",
    "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
    "stDim": "http://ns.adobe.com/xap/1.0/sType/Dimensions#",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "drone-dji": "http://www.dji.com/drone-dji/1.0/",
}
SAME = Changes(size=(400, 300))
HALF = Changes(size=(200, 150), scale=(0.5, 0.5))
CUT = Changes(size=(200, 150), scale=None)
CONVERTED = Changes(size=(400, 300), converted=True)
TITLE = '<dc:title><rdf:Alt><rdf:li xml:lang="x-default">Zoë &amp; Ann</rdf:li></rdf:Alt></dc:title>'
REGIONS = (
    "<mwg-rs:Regions rdf:parseType='Resource'>{}<mwg-rs:RegionList>Zoë</mwg-rs:RegionList></mwg-rs:Regions>"
)


def _packet(attributes: str = "", elements: str = "") -> bytes:
    spaces = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())
    return (
        "<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?>\n"
        f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF {spaces}>\n'
        f'<rdf:Description rdf:about=""{attributes}>{elements}</rdf:Description>\n'
        "</rdf:RDF></x:xmpmeta>\n<?xpacket end='w'?>"
    ).encode()


@pytest.mark.parametrize(
    ("changes", "before", "after"),
    [
        (SAME, ' tiff:Orientation="6"', ' tiff:Orientation="1"'),
        (SAME, " tiff:Orientation='6'", ' tiff:Orientation="1"'),
        (SAME, ' exif:PixelXDimension="9" exif:ColorSpace="65535"', None),
        (CONVERTED, ' exif:ColorSpace="65535" photoshop:ICCProfile="P3"', ' exif:ColorSpace="1"'),
        (SAME, ' hdrgm:Version="1.0" hdrgm:GainMapMax="2.1"', ""),
        (SAME, ' xmpNote:HasExtendedXMP="0123"', ""),
        (SAME, ' GCamera:MotionPhoto="1" GCamera:BurstID="7"', ' GCamera:BurstID="7"'),
        (SAME, ' GPano:FullPanoWidthPixels="400"', ' GPano:FullPanoWidthPixels="400"'),
        (HALF, ' GPano:FullPanoWidthPixels="400"', ' GPano:FullPanoWidthPixels="200"'),
        (CUT, ' GPano:FullPanoWidthPixels="400" xmp:Rating="4"', ' xmp:Rating="4"'),
        (SAME, ' dc:format="image/heic"', ' dc:format="image/webp"'),
        (SAME, ' tiff:BitsPerSample="16" tiff:Make="A &amp; B"', ' tiff:Make="A &amp; B"'),
    ],
)
def test_untrue_attributes_are_corrected(changes: Changes, before: str, after: str | None) -> None:
    if after is None:
        after = before.replace('"9"', f'"{changes.size[0]}"')
    assert update_xmp(_packet(before, TITLE), changes, "image/webp") == _packet(after, TITLE)


@pytest.mark.parametrize(
    ("changes", "before", "after"),
    [
        (SAME, "<tiff:Orientation>6</tiff:Orientation>", "<tiff:Orientation>1</tiff:Orientation>"),
        (
            HALF,
            "<exif:PixelYDimension> 9 </exif:PixelYDimension>",
            "<exif:PixelYDimension>150</exif:PixelYDimension>",
        ),
        (SAME, "<Container:Directory><rdf:Seq><rdf:li Item:Length='9'/></rdf:Seq></Container:Directory>", ""),
        (SAME, "<hdrgm:GainMapMax><rdf:Seq><rdf:li>1</rdf:li></rdf:Seq></hdrgm:GainMapMax>", ""),
        (SAME, "<xmp:Thumbnails/><xmp:Rating>4</xmp:Rating>", "<xmp:Rating>4</xmp:Rating>"),
        (
            HALF,
            REGIONS.format('<mwg-rs:AppliedToDimensions stDim:w="400" stDim:h="300" stDim:unit="pixel"/>'),
            REGIONS.format('<mwg-rs:AppliedToDimensions stDim:w="200" stDim:h="150" stDim:unit="pixel"/>'),
        ),
        (CUT, REGIONS.format(""), ""),
        (SAME, "<Iptc4xmpExt:ImageRegion>rbUnit='pixel'</Iptc4xmpExt:ImageRegion>", None),
        (HALF, "<Iptc4xmpExt:ImageRegion>rbUnit='pixel'</Iptc4xmpExt:ImageRegion>", ""),
        (HALF, "<Iptc4xmpExt:ImageRegion>rbUnit='relative'</Iptc4xmpExt:ImageRegion>", None),
        (CUT, "<xmpMM:Pantry><rdf:li tiff:Orientation='6'/></xmpMM:Pantry>", None),
    ],
)
def test_untrue_elements_are_corrected(changes: Changes, before: str, after: str | None) -> None:
    expected = _packet("", TITLE + (before if after is None else after))
    assert update_xmp(_packet("", TITLE + before), changes, "image/webp") == expected


def test_another_prefix_means_the_same() -> None:
    packet = b'<a:r xmlns:a="http://ns.adobe.com/tiff/1.0/"><a:d a:Orientation="6" b="6"/></a:r>'
    assert update_xmp(packet, SAME, "image/png") == packet.replace(b'Orientation="6"', b'Orientation="1"')


def test_a_packet_in_utf16_is_corrected() -> None:
    packet = _packet(' tiff:Orientation="6"', TITLE).decode()
    changed = update_xmp(packet.encode("utf-16"), SAME, "image/png")
    assert changed == _packet(' tiff:Orientation="1"', TITLE)


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"no XML",
        b"<a><b></a>",
        _packet()[:-60],
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b"<a>" * 200 + b"</a>" * 200,
        b"<a>" + b"<b/>" * 60_000 + b"</a>",
    ],
)
def test_what_is_no_xmp_is_left_out(packet: bytes) -> None:
    assert update_xmp(packet, SAME, "image/png") is None
    assert xmp_without_place(packet) is None


def test_the_place_is_removed_and_nothing_else() -> None:
    places = (
        ' exif:GPSLatitude="48,51.4N" exif:GPSAltitude="1/1" photoshop:City="SECRET"'
        ' photoshop:Country="SECRET"'
        ' Iptc4xmpCore:Location="SECRET" Iptc4xmpCore:CountryCode="SECRET" drone-dji:GpsLongtitude="2.3"'
        ' photoshop:State="SECRET" drone-dji:RtkLat="1"'
    )
    shown = (
        "<Iptc4xmpExt:LocationShown><rdf:Bag><rdf:li>SECRET</rdf:li></rdf:Bag></Iptc4xmpExt:LocationShown>"
    )
    other = ' exif:ISO="200" photoshop:Headline="Paris" exif:SubjectLocation="1"'
    assert xmp_without_place(_packet(other + places, shown + TITLE)) == _packet(other, TITLE)


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "avif", "tiff"])
def test_results_of_all_formats_have_true_xmp(name: Any, save: Save, run: Run) -> None:
    packet = _packet(' tiff:Orientation="1" tiff:ImageWidth="40" hdrgm:Version="1.0"', TITLE)
    source = save(Image.new("RGB", (40, 20)), "in.jpg", xmp=packet)
    steps = [Resize(width=20), Crop(x=0, y=0, width=10, height=10)]
    _, image = run(source, Metadata(mode="keep"), *steps, Convert(format=name))
    data = Path(str(image.filename)).read_bytes()  # pyright: ignore
    assert _packet(' tiff:Orientation="1" tiff:ImageWidth="10"', TITLE) in data
